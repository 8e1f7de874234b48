/* Launches kernels/synthetic.cl: the true model goes up once, rows are counters and need nothing else. */
#include "compute/native/synthesize.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
  CPU_LANES = 16,
  GPU_TEAM = 64,             /* rows of a group; what every device can run */
  GROUPS_PER_UNIT = 8,       /* shares of the work stay even when units differ */
  SCRATCH_BYTES = 256 << 20, /* of all groups, unless one alone needs more */
};

struct Synthesizer {
  SyntheticSpec spec;
  size_t team, lanes, groups;
  uint64_t stride; /* floats of scratch of a group */
  uint32_t used, zero_below, noise_below;
  bool always_noise;
  Buffer *chosen, *weights, *scratch;
  Kernel *kernel;
};

static Status upload(Synthesizer *synthesizer, Context *context, const SyntheticParts *parts, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = (size_t)parts->spec.classes * parts->used * sizeof(uint32_t); /* the host holds as much: no overflow */
  TRY(buffer_create(&synthesizer->chosen, context, bytes, "the features of the true model", error));
  TRY(buffer_write(synthesizer->chosen, 0, bytes, parts->chosen, error));
  TRY(buffer_create(&synthesizer->weights, context, bytes, "the true weights", error));
  TRY(buffer_write(synthesizer->weights, 0, bytes, parts->weights, error));
cleanup:
  return status;
}

/* As many groups as keep every unit busy and the scratch small. */
static Status reserve_scratch(Synthesizer *synthesizer, Context *context, Error *error) {
  Status status = SETOSA_OK;
  const DeviceTraits *traits = context_traits(context);
  size_t floats = (size_t)synthesizer->spec.classes, bytes = 0;
  if (synthesizer->team == 1) floats += (size_t)synthesizer->spec.features;
  TRY(memory_multiply(&floats, floats, synthesizer->lanes, "synthetic", error));
  TRY(memory_multiply(&bytes, floats, sizeof(float), "synthetic", error));
  size_t most = SCRATCH_BYTES / bytes, units = traits->compute_units > 0 ? traits->compute_units : 1;
  if (traits->max_allocation_bytes > 0 && most > traits->max_allocation_bytes / bytes)
    most = (size_t)(traits->max_allocation_bytes / bytes);
  synthesizer->groups = units * GROUPS_PER_UNIT;
  if (synthesizer->groups > most) synthesizer->groups = most > 0 ? most : 1;
  synthesizer->stride = floats;
  TRY(buffer_create(&synthesizer->scratch, context, bytes * synthesizer->groups, "scratch of synthetic rows", error));
cleanup:
  return status;
}

Status synthesize_create(Synthesizer **out, Context *context, const Synthetic *synthetic, SetosaFamily family, Error *error) {
  Status status = SETOSA_OK;
  Synthesizer *synthesizer = NULL;
  SyntheticParts parts = synthetic_parts(synthetic);
  char options[32];
  *out = NULL;
  if (synthetic_spec_is_sparse(&parts.spec))
    return error_set(error, SETOSA_ERROR_INTERNAL, "sparse rows are made by the host, not by a device; please report this");
  TRY(memory_allocate_zero((void **)&synthesizer, 1, sizeof *synthesizer, "synthetic rows", error));
  if (family == SETOSA_FAMILY_AUTO) family = context_traits(context)->family;
  synthesizer->spec = parts.spec;
  synthesizer->used = (uint32_t)parts.used;
  synthesizer->zero_below = parts.zero_below;
  synthesizer->noise_below = parts.noise_below;
  synthesizer->always_noise = parts.always_noise;
  synthesizer->team = family == SETOSA_FAMILY_CPU ? 1 : GPU_TEAM;
  synthesizer->lanes = family == SETOSA_FAMILY_CPU ? CPU_LANES : GPU_TEAM;
  TRY(upload(synthesizer, context, &parts, error));
  TRY(reserve_scratch(synthesizer, context, error));
  snprintf(options, sizeof options, "-DTEAM=%zu", synthesizer->team);
  TRY(kernel_create(&synthesizer->kernel, context, "synthetic", options, "synthetic_rows", error));
  *out = synthesizer;
  synthesizer = NULL;
cleanup:
  synthesize_destroy(synthesizer);
  return status;
}

void synthesize_destroy(Synthesizer *synthesizer) {
  if (synthesizer == NULL) return;
  kernel_destroy(synthesizer->kernel);
  buffer_destroy(synthesizer->chosen);
  buffer_destroy(synthesizer->weights);
  buffer_destroy(synthesizer->scratch);
  free(synthesizer);
}

Status synthesize_rows(Synthesizer *s, uint64_t begin, size_t count, Buffer *x, Buffer *labels, Error *error) {
  Status status = SETOSA_OK;
  size_t numbers = 0, bytes = 0;
  TRY(memory_multiply(&numbers, count, (size_t)s->spec.features, "synthetic", error));
  TRY(memory_multiply(&bytes, numbers, sizeof(float), "synthetic", error));
  if (buffer_bytes(x) < bytes || buffer_bytes(labels) / sizeof(int32_t) < count)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "%zu synthetic rows do not fit their buffers; please report this", count));
  size_t blocks = (count + s->lanes - 1) / s->lanes, groups = blocks < s->groups ? blocks : s->groups;
  TRY(kernel_launch(s->kernel, ((KernelRange){.global = {groups * s->team}, .local = {s->team}}), error, ARG(s->spec.seed), ARG(begin),
                    ARG((uint64_t)count), ARG(s->spec.features), ARG((uint32_t)s->spec.classes), ARG(s->used),
                    ARG((uint32_t)(s->spec.sparsity > 0)), ARG(s->zero_below), ARG(s->noise_below), ARG((uint32_t)s->always_noise),
                    ARG(s->chosen), ARG(s->weights), ARG(s->scratch), ARG(s->stride), ARG(x), ARG(labels)));
cleanup:
  return status;
}
