/* The choice of a solver by what each would cost on data of this shape. */
#include "optim/choice.h"

#include <math.h>
#include <stdio.h>

#include "base/dense.h"
#include "optim/newton.h"
#include "optim/preconditioner.h"

/* Rough rates of a host with two cores; only ratios count. */
static const double PRODUCT_RATE = 1.5e11, LAPACK_RATE = 3e10, BYTE_RATE = 2e10;
/* Passes that a better preconditioner saves, and seconds that nobody minds. */
static const double SAVED_PASSES = 60, FREE_SECONDS = 2;
/* Newton makes some 12 Hessians where L-BFGS takes some 60 passes, each of them with launches and waits that cost as much as so many
 * operations; and it brings all rows and their probabilities to the host each time. */
static const double NEWTON_ORDER = 1000, NEWTON_HESSIANS = 12, LBFGS_PASSES = 60, LAUNCH_OPERATIONS = 3e7, NEWTON_VALUES = 4e6;

enum { PROXIMAL_FEATURES = 4096 };

static double pass_seconds(const Backend *b) {
  double values = (double)b->entries;
  return fmax(4 * values * (double)b->classes / PRODUCT_RATE, 4 * values / BYTE_RATE);
}

static bool newton_pays(const Backend *b) {
  double n = (double)b->rows, d = (double)b->features, k = (double)b->classes;
  return newton_order(b->features, b->classes) <= NEWTON_ORDER && n * (d + k) <= NEWTON_VALUES &&
         NEWTON_HESSIANS * newton_flops(b->rows, b->features, b->classes) <= LBFGS_PASSES * (4 * n * d * k + LAUNCH_OPERATIONS);
}

static bool blocks_pay(const Backend *b, double most_bytes) {
  double width = (double)b->features + 1, cube = width * width * width,
         bytes = preconditioner_bytes(SETOSA_PRECONDITIONER_BLOCKS, b->features, b->classes);
  double made = 3 * (double)b->classes * cube * (2.0 / 3 / LAPACK_RATE + 3 / PRODUCT_RATE), pass = pass_seconds(b);
  return bytes <= most_bytes && 2 * bytes / BYTE_RATE <= fmax(0.5 * pass, 1e-3) && made <= fmax(SAVED_PASSES * pass, FREE_SECONDS);
}

static bool kron_pays(const Backend *b, double most_bytes) {
  double width = (double)b->features + 1, made = 4 * 10 * width * width * width / LAPACK_RATE;
  return preconditioner_bytes(SETOSA_PRECONDITIONER_KRON, b->features, b->classes) <= most_bytes &&
         made <= fmax(SAVED_PASSES * pass_seconds(b), FREE_SECONDS);
}

static void choose_preconditioner(SolverChoice *choice, const Backend *b, double most_bytes, bool lapack) {
  size_t size = sizeof choice->why;
  if (!lapack) {
    choice->preconditioner = SETOSA_PRECONDITIONER_DIAGONAL;
    snprintf(choice->why, size, "OpenBLAS, which better ones need, is not there");
  } else if (b->classes > 1 && blocks_pay(b, most_bytes)) {
    choice->preconditioner = SETOSA_PRECONDITIONER_BLOCKS;
    snprintf(choice->why, size, "a matrix of %zu features for each of %zu classes costs little beside the passes it saves", b->features,
             b->classes);
  } else if (b->classes > 1 && kron_pays(b, most_bytes)) {
    choice->preconditioner = SETOSA_PRECONDITIONER_KRON;
    snprintf(choice->why, size, "a matrix of %zu features for each of %zu classes would cost too much", b->features, b->classes);
  } else {
    choice->preconditioner = SETOSA_PRECONDITIONER_DIAGONAL;
    snprintf(choice->why, size, "a matrix of %zu features would cost too much", b->features);
  }
}

/* Proximal L-BFGS models curvature in the same forms. */
static void choose_proximal(SolverChoice *choice, const Backend *b, const OptimizerSettings *settings) {
  SetosaPreconditioner asked = settings->preconditioner;
  bool plain = asked == SETOSA_PRECONDITIONER_NONE || asked == SETOSA_PRECONDITIONER_DIAGONAL || b->features > PROXIMAL_FEATURES;
  double bytes = 2 * preconditioner_bytes(SETOSA_PRECONDITIONER_BLOCKS, b->features, b->classes); /* in double */
  bool blocks = asked == SETOSA_PRECONDITIONER_BLOCKS || (asked == SETOSA_PRECONDITIONER_AUTO && bytes <= (double)settings->matrix_bytes);
  choice->solver = SETOSA_SOLVER_LBFGS;
  choice->preconditioner = plain ? SETOSA_PRECONDITIONER_DIAGONAL : blocks ? SETOSA_PRECONDITIONER_BLOCKS : SETOSA_PRECONDITIONER_KRON;
}

static Status choose(SolverChoice *choice, const Objective *objective, const OptimizerSettings *settings, Error *error) {
  const Backend *b = objective->backend;
  bool curved = settings->solver == SETOSA_SOLVER_AUTO || settings->solver == SETOSA_SOLVER_LBFGS;
  *choice = (SolverChoice){.solver = settings->solver, .preconditioner = settings->preconditioner};
  if (objective->l1 > 0 && (curved || settings->solver == SETOSA_SOLVER_NEWTON)) {
    choose_proximal(choice, b, settings);
    return SETOSA_OK;
  }
  if (!curved) {
    choice->preconditioner = SETOSA_PRECONDITIONER_NONE;
    return SETOSA_OK;
  }
  choice->solver = SETOSA_SOLVER_LBFGS;
  if (settings->preconditioner != SETOSA_PRECONDITIONER_AUTO) return SETOSA_OK;
  bool lapack = false;
  Status status = dense_find(&lapack, error);
  if (settings->solver == SETOSA_SOLVER_AUTO && lapack && b->classes > 1 && newton_pays(b)) {
    choice->solver = SETOSA_SOLVER_NEWTON;
    choice->preconditioner = SETOSA_PRECONDITIONER_NONE;
    snprintf(choice->why, sizeof choice->why, "%.0f parameters and %zu rows are few enough for the exact Hessian",
             newton_order(b->features, b->classes), b->rows);
    return SETOSA_OK;
  }
  choose_preconditioner(choice, b, (double)settings->matrix_bytes, lapack);
  return status;
}

void choice_foresee(SolverChoice *choice, size_t rows, uint64_t entries, size_t features, size_t classes, double l1,
                    const OptimizerSettings *settings) {
  Backend shape = {.rows = rows, .features = features, .classes = classes, .entries = entries};
  Objective objective = {.backend = &shape, .l1 = l1};
  choose(choice, &objective, settings, NULL);
}

Status choice_make(SolverChoice *choice, const Objective *objective, const OptimizerSettings *settings, Error *error) {
  Status status = choose(choice, objective, settings, error);
  double numbers[] = {(double)choice->solver, (double)choice->preconditioner};
  status = backend_broadcast(objective->backend, status, 2, numbers, error);
  choice->solver = (SetosaSolver)numbers[0];
  choice->preconditioner = (SetosaPreconditioner)numbers[1];
  return status;
}
