/* The tuner: times candidate shapes of the kernels on the uploaded rows, through the real pass, and keeps the verdict (tune.c). A shape
 * wins only with the default's answer, and only when it is clearly faster. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "compute/native/vector.h"
#include "compute/tolerance.h"
#include "compute/tune/tune.h"

enum { LEAST_ROWS = 128, SHAPED_KERNELS = 9, MOST_REPEATS = 9 };

static const double probe_flops = 2e8;     /* of the first pass, which tells how many rows take pass_seconds */
static const double pass_seconds = 0.012;  /* long beside a launch, short beside the budget */
static const double quick_seconds = 1.5;   /* of a quick search, beyond building the default */
static const double winning_factor = 1.03; /* below, a difference is noise */
static const double logit_size = 3;        /* of the weights tried, as in the self-test */

/* The kernels that are built for a shape. */
static const NativeKernel shaped[SHAPED_KERNELS] = {KERNEL_LOGITS_BLOCK,    KERNEL_GRADIENT_BLOCK, KERNEL_LOGITS_STRIPS,
                                                    KERNEL_GRADIENT_STRIPS, KERNEL_LOGITS_PANELS,  KERNEL_PACK_PANELS,
                                                    KERNEL_FUSED_GRADIENT,  KERNEL_FUSED_HESSIAN,  KERNEL_FUSED_LOGITS};

typedef struct Candidate {
  NativeShape shape;
  Kernel *kernels[SHAPED_KERNELS]; /* while another candidate is in use */
  double seconds;                  /* the best pass; INFINITY: not timed, does not build, or wrong */
} Candidate;

typedef struct Tuner {
  Native *native;
  const Dataset *dataset;
  Candidate candidates[TUNE_CANDIDATES], *used; /* candidates[0]: the default */
  size_t count;
  RowRange rows;
  Vector *w, *gradient;
  double *weights, *expected, *actual; /* (P) */
  double expected_loss;
  int repeats;
} Tuner;

/* ---- one shape -------------------------------------------------------------------------------------------------- */

/* Puts the candidate's shape and kernels into the backend; those of the one before are kept for when its turn comes again. */
static void use(Tuner *tuner, Candidate *candidate) {
  for (int i = 0; i < SHAPED_KERNELS; i++) {
    Kernel **slot = &tuner->native->kernels[shaped[i]];
    if (tuner->used != NULL)
      tuner->used->kernels[i] = *slot;
    else
      kernel_destroy(*slot); /* built before the search */
    *slot = candidate->kernels[i];
    candidate->kernels[i] = NULL;
  }
  tuner->used = candidate;
  tuner->native->shape = candidate->shape;
}

static Status time_pass(const Tuner *tuner, double *seconds, double *loss, Error *error) {
  DataTerm at = {.loss = NAN};
  double began = clock_seconds();
  Status status = backend_evaluate(&tuner->native->head, tuner->w, tuner->rows, NULL, tuner->gradient, &at, error);
  *seconds = clock_seconds() - began;
  *loss = at.loss;
  return status;
}

/* *best = the shortest of several passes; passes that are far behind `rival` seconds are not repeated. */
static Status time_best(const Tuner *tuner, double rival, double *best, Error *error) {
  Status status = SETOSA_OK;
  double seconds = 0, loss = 0;
  for (int i = 0; i < tuner->repeats; i++) {
    TRY(time_pass(tuner, &seconds, &loss, error));
    if (seconds < *best) *best = seconds;
    if (seconds > 1.5 * rival) break;
  }
cleanup:
  return status;
}

/* Both answers are within the tolerance of the truth, so they are within twice that of each other. */
static bool agrees(const Tuner *tuner, double loss) {
  double rounding = compare_logit_rounding(tuner->native->head.features, logit_size);
  double loss_tolerance = 2 * compare_loss_tolerance(rounding, tuner->rows.count, tuner->expected_loss);
  return compare_relative(loss, tuner->expected_loss) <= loss_tolerance &&
         compare_relative_norm(tuner->actual, tuner->expected, tuner->native->head.parameters) <= 2 * compare_gradient_tolerance(rounding);
}

/* The untimed first pass of a candidate, and whether its answer is the default's. */
static Status verify(const Tuner *tuner, bool *passed, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = &tuner->native->head;
  double seconds = 0, loss = NAN;
  *passed = false;
  for (size_t i = 0; i < backend->parameters; i++) tuner->actual[i] = NAN;
  TRY(vector_write(backend, tuner->gradient, tuner->actual, error)); /* what a wrong kernel leaves unwritten shows */
  TRY(time_pass(tuner, &seconds, &loss, error));
  TRY(vector_read(backend, tuner->gradient, tuner->actual, error));
  *passed = agrees(tuner, loss);
cleanup:
  return status;
}

/* A candidate that fails is passed over; the backend goes on with another. */
static void try_candidate(Tuner *tuner, Candidate *candidate, double rival) {
  Error ignored = {0};
  bool passed = false;
  use(tuner, candidate);
  candidate->seconds = INFINITY;
  if (verify(tuner, &passed, &ignored) == SETOSA_OK && passed && time_best(tuner, rival, &candidate->seconds, &ignored) == SETOSA_OK)
    return;
  candidate->seconds = INFINITY;
  native_clear_counter(tuner->native);
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

/* The default's answer, and as many rows as take it pass_seconds. */
static Status begin(Tuner *tuner, Error *error) {
  Status status = SETOSA_OK;
  Native *native = tuner->native;
  Backend *backend = &native->head;
  double row_flops = 4.0 * (double)backend->features * (double)backend->classes, seconds = 0;
  TRY(vector_create(backend, &tuner->w, error));
  TRY(vector_create(backend, &tuner->gradient, error));
  double **const arrays[] = {&tuner->weights, &tuner->expected, &tuner->actual};
  for (size_t i = 0; i < 3; i++)
    TRY(memory_allocate((void **)arrays[i], backend->parameters, sizeof(double), "parameters to tune with", error));
  compare_fill_vectors(tuner->dataset, logit_size, tuner->weights, NULL);
  TRY(vector_write(backend, tuner->w, tuner->weights, error));
  use(tuner, &tuner->candidates[0]);
  tuner->rows.count = (size_t)fmin((double)backend->rows, fmax(LEAST_ROWS, probe_flops / row_flops));
  for (int i = 0; i < 2; i++) /* the first builds the kernels */
    TRY(time_pass(tuner, &seconds, &tuner->expected_loss, error));
  tuner->rows.count = (size_t)fmin((double)backend->rows, fmax(LEAST_ROWS, (double)tuner->rows.count * pass_seconds / fmax(seconds, 1e-6)));
  TRY(time_pass(tuner, &seconds, &tuner->expected_loss, error));
  TRY(vector_read(backend, tuner->gradient, tuner->expected, error));
  tuner->candidates[0].seconds = INFINITY;
  TRY(time_best(tuner, INFINITY, &tuner->candidates[0].seconds, error));
cleanup:
  return status;
}

/* The default and the best of the others by turns, so that a machine that slows down meanwhile favours neither. */
static Status duel(Tuner *tuner, Candidate *best, Error *error) {
  Status status = SETOSA_OK;
  Candidate *usual = &tuner->candidates[0], *const sides[] = {usual, best};
  double seconds = 0, loss = 0;
  usual->seconds = best->seconds = INFINITY;
  for (int i = 0; i < tuner->repeats; i++)
    for (int side = 0; side < 2; side++) {
      use(tuner, sides[side]);
      TRY(time_pass(tuner, &seconds, &loss, error));
      sides[side]->seconds = fmin(sides[side]->seconds, seconds);
    }
cleanup:
  return status;
}

/* Leaves the backend with the winner alone, and as if nothing had run on it. */
static void end(Tuner *tuner, Candidate *winner) {
  Native *native = tuner->native;
  use(tuner, winner);
  for (size_t i = 0; i < tuner->count; i++)
    for (int k = 0; k < SHAPED_KERNELS; k++) kernel_destroy(tuner->candidates[i].kernels[k]);
  vector_destroy(&native->head, tuner->w);
  vector_destroy(&native->head, tuner->gradient);
  free(tuner->weights);
  free(tuner->expected);
  free(tuner->actual);
  native->flops = native->bytes_read = 0;
}

Status tune_search(Native *native, const Dataset *dataset, const NativeShape *shapes, size_t count, SetosaTuning how, TuneRecord *record,
                   double *seconds, Error *error) {
  Status status = SETOSA_OK;
  double began = 0, longest = 0;
  Tuner tuner = {.native = native, .dataset = dataset, .count = count, .repeats = how == SETOSA_TUNING_FULL ? MOST_REPEATS : 3};
  Candidate *winner = &tuner.candidates[0], *best = NULL;
  for (size_t i = 0; i < count; i++) tuner.candidates[i] = (Candidate){.shape = shapes[i], .seconds = INFINITY};
  for (size_t i = 0; i < count && seconds != NULL; i++) seconds[i] = INFINITY;
  *record = (TuneRecord){.how = how};
  TRY(begin(&tuner, error));
  began = clock_seconds(); /* building the default was no loss */
  for (size_t i = 1; i < count; i++) {
    double start = clock_seconds();
    if (i > 1 && how != SETOSA_TUNING_FULL && start - began + longest > quick_seconds) break;
    try_candidate(&tuner, &tuner.candidates[i], best != NULL ? best->seconds : winner->seconds);
    longest = fmax(longest, clock_seconds() - start);
    native->tuning.tried++;
    if (seconds != NULL) seconds[i] = tuner.candidates[i].seconds;
    if (tuner.candidates[i].seconds < (best != NULL ? best->seconds : INFINITY)) best = &tuner.candidates[i];
  }
  if (best != NULL && best->seconds < winner->seconds) {
    TRY(duel(&tuner, best, error));
    if (winning_factor * best->seconds < winner->seconds) winner = best;
  }
  record->shape = winner->shape;
  record->default_ns = (uint64_t)(1e9 * tuner.candidates[0].seconds);
  record->shape_ns = (uint64_t)(1e9 * winner->seconds);
cleanup:
  end(&tuner, winner);
  return status;
}
