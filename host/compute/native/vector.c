/* Parameter vectors of the native backend: device buffers of P floats, and the kernels of kernels/vector.cl over them. */
#include <stdlib.h>

#include "base/memory.h"
#include "compute/native/vector.h"

/* By the elements alone, so that inner products have the same bits on a device of any size. */
uint32_t native_vector_groups(const Native *native, size_t elements) {
  bool cpu = native->family == SETOSA_FAMILY_CPU;
  size_t share = cpu ? 4096 : 2 * (size_t)native->team; /* elements below which another group does not pay */
  size_t most = cpu ? 64 : 512, groups = elements / share;
  return (uint32_t)(groups < 1 ? 1 : groups > most ? most : groups);
}

KernelRange native_team_range(const Native *native, uint32_t groups) {
  return (KernelRange){{(size_t)groups * native->team}, {native->team}};
}

Status native_items_range(Native *native, size_t items, KernelRange *range, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = 2 * sizeof(uint32_t);
  if (native->counter == NULL) {
    TRY(native_reserve(native, &native->counter, bytes, "a counter of items", error));
    TRY(buffer_fill_zero(native->counter, 0, bytes, error));
  }
  *range = (KernelRange){{items > 1 ? native_enough_groups(native) : 1}, {1}};
cleanup:
  return status;
}

void native_clear_counter(Native *native) {
  buffer_destroy(native->counter);
  native->counter = NULL;
}

static KernelRange vector_range(const Native *native) {
  return native_team_range(native, native_vector_groups(native, native->head.parameters));
}

Status native_vector_create(Backend *backend, Vector **vector, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Vector *created = NULL;
  *vector = NULL;
  TRY(memory_allocate_zero((void **)&created, 1, sizeof *created, "a vector", error));
  TRY(buffer_create(&created->buffer, native->context, backend->parameters * sizeof(float), "a parameter vector", error));
  TRY(buffer_fill_zero(created->buffer, 0, backend->parameters * sizeof(float), error));
  native_changed(native, created);
  *vector = created;
  created = NULL;
cleanup:
  native_vector_destroy(backend, created);
  return status;
}

void native_vector_destroy(Backend *backend, Vector *vector) {
  (void)backend;
  if (vector == NULL) return;
  buffer_destroy(vector->buffer);
  free(vector);
}

Status native_vector_read(Backend *backend, const Vector *vector, double *values, Error *error) {
  Status status = SETOSA_OK;
  float *copy = NULL;
  TRY(memory_allocate((void **)&copy, backend->parameters, sizeof *copy, "a copy of the parameters", error));
  TRY(buffer_read(vector->buffer, 0, backend->parameters * sizeof(float), copy, error));
  for (size_t i = 0; i < backend->parameters; i++) values[i] = copy[i];
cleanup:
  free(copy);
  return status;
}

Status native_vector_write(Backend *backend, Vector *vector, const double *values, Error *error) {
  Status status = SETOSA_OK;
  float *copy = NULL;
  TRY(memory_allocate((void **)&copy, backend->parameters, sizeof *copy, "a copy of the parameters", error));
  for (size_t i = 0; i < backend->parameters; i++) copy[i] = (float)values[i];
  native_changed((Native *)backend, vector);
  TRY(buffer_write(vector->buffer, 0, backend->parameters * sizeof(float), copy, error));
cleanup:
  free(copy);
  return status;
}

Status native_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error) {
  if (to == from) return SETOSA_OK;
  native_changed((Native *)backend, to);
  return buffer_copy(to->buffer, 0, from->buffer, 0, backend->parameters * sizeof(float), error);
}

/* out = keep * out + sum of up to VECTORS_AT_ONCE terms. */
static Status enqueue_combine(Native *native, Vector *out, uint32_t keep, uint32_t count, const double *coefficients,
                              const Vector *const *vectors, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelArgument arguments[4 + 2 * VECTORS_AT_ONCE];
  TRY(native_kernel(native, KERNEL_COMBINE, &kernel, error));
  arguments[0] = ARG(out->buffer);
  arguments[1] = ARG((uint64_t)native->head.parameters);
  arguments[2] = ARG(count);
  arguments[3] = ARG(keep);
  for (uint32_t i = 0; i < VECTORS_AT_ONCE; i++) {
    arguments[4 + 2 * i] = ARG(i < count ? (float)coefficients[i] : 0.0f);
    arguments[5 + 2 * i] = ARG(i < count ? (const Buffer *)vectors[i]->buffer : (const Buffer *)NULL);
  }
  native_changed(native, out);
  TRY(kernel_launch_array(kernel, vector_range(native), arguments, sizeof arguments / sizeof *arguments, error));
cleanup:
  return status;
}

Status native_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                             Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  double *kept_coefficients = NULL;
  const Vector **kept_vectors = NULL;
  /* Where out is itself a term, several launches would read it after writing it: its terms go into the first launch. */
  TRY(memory_allocate((void **)&kept_coefficients, count, sizeof *kept_coefficients, "coefficients", error));
  TRY(memory_allocate((void **)&kept_vectors, count, sizeof *kept_vectors, "vectors", error));
  double own = 0;
  bool has_own = false;
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (vectors[i] == out) own += coefficients[i], has_own = true;
  if (has_own) kept_coefficients[kept] = own, kept_vectors[kept++] = out;
  for (size_t i = 0; i < count; i++)
    if (vectors[i] != out) kept_coefficients[kept] = coefficients[i], kept_vectors[kept++] = vectors[i];
  for (size_t i = 0; i < kept; i += VECTORS_AT_ONCE) {
    uint32_t now = (uint32_t)(kept - i < VECTORS_AT_ONCE ? kept - i : VECTORS_AT_ONCE);
    TRY(enqueue_combine(native, out, i > 0, now, kept_coefficients + i, kept_vectors + i, error));
  }
cleanup:
  free(kept_coefficients);
  free(kept_vectors);
  return status;
}

Status native_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_MULTIPLY, &kernel, error));
  native_changed(native, out);
  TRY(kernel_launch(kernel, vector_range(native), error, ARG(out->buffer), ARG(a->buffer), ARG(b->buffer),
                    ARG((uint64_t)backend->parameters)));
cleanup:
  return status;
}

Status native_vector_prox(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                          Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_PROX, &kernel, error));
  native_changed(native, out);
  TRY(kernel_launch(kernel, vector_range(native), error, ARG(out->buffer), ARG(a->buffer), ARG(steps != NULL ? steps->buffer : NULL),
                    ARG((float)step), ARG((float)l1), ARG((float)l2), ARG((uint64_t)(backend->classes * backend->features)),
                    ARG((uint64_t)backend->parameters)));
cleanup:
  return status;
}

Status native_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_DIVIDE_SQRT, &kernel, error));
  native_changed(native, out);
  TRY(kernel_launch(kernel, vector_range(native), error, ARG(out->buffer), ARG(a->buffer), ARG(b->buffer), ARG((float)epsilon),
                    ARG((uint64_t)backend->parameters)));
cleanup:
  return status;
}
