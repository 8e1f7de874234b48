/* Which solver and preconditioner data of a shape get. No data are needed for that: the backend here has a shape and nothing else. */
#include <string.h>

#include "optim/choice.h"
#include "optim/problem.h"

static Status broadcast(Backend *backend, Status own, size_t count, double *values, Error *error) {
  (void)backend, (void)count, (void)values, (void)error;
  return own;
}

static const BackendOperations operations = {.broadcast = broadcast};
static const uint64_t MUCH = (uint64_t)8 << 30;

typedef struct Case {
  const char *what;
  size_t rows, features, classes;
  SetosaSolver solver;
  SetosaPreconditioner preconditioner;
} Case;

#define NEWTON SETOSA_SOLVER_NEWTON, SETOSA_PRECONDITIONER_NONE
#define LBFGS(kind) SETOSA_SOLVER_LBFGS, SETOSA_PRECONDITIONER_##kind

static SolverChoice choose_with(const Case *c, SetosaSolver solver, SetosaPreconditioner preconditioner, uint64_t most_bytes, double l1) {
  Backend backend = {.operations = &operations,
                     .rows = c->rows,
                     .features = c->features,
                     .entries = (uint64_t)c->rows * c->features,
                     .classes = c->classes,
                     .parameters = c->classes * (c->features + 1),
                     .mean_weight = 1,
                     .intercept = true};
  Objective objective = {.backend = &backend, .l1 = l1};
  OptimizerSettings settings = {.solver = solver, .preconditioner = preconditioner, .matrix_bytes = most_bytes};
  SolverChoice choice;
  Error error = {0};
  memset(&choice, 0x5a, sizeof choice);
  support_ok(choice_make(&choice, &objective, &settings, &error), &error);
  assert_true(memchr(choice.why, '\0', sizeof choice.why) != NULL);
  return choice;
}

static SolverChoice choose(const Case *c, SetosaSolver solver, SetosaPreconditioner preconditioner, uint64_t most_bytes) {
  return choose_with(c, solver, preconditioner, most_bytes, 0);
}

static void expect(const Case *c, const SolverChoice *choice) {
  if (choice->solver != c->solver || choice->preconditioner != c->preconditioner)
    fail_msg("%s (%zu x %zu, %zu): solver %d with preconditioner %d (%s), not %d with %d", c->what, c->rows, c->features, c->classes,
             (int)choice->solver, (int)choice->preconditioner, choice->why, (int)c->solver, (int)c->preconditioner);
}

static void shapes_get_their_solver(void **state) {
  (void)state;
  need_lapack();
  static const Case cases[] = {
      {"iris", 150, 4, 3, NEWTON},
      {"wine", 178, 13, 3, NEWTON},
      {"one row", 1, 1, 2, NEWTON},
      {"breast cancer", 569, 30, 2, NEWTON},
      {"Fashion-MNIST", 60000, 784, 10, LBFGS(BLOCKS)},
      {"like covtype", 200000, 54, 7, LBFGS(BLOCKS)},
      {"many classes", 20000, 200, 300, LBFGS(BLOCKS)},
      {"very many classes of many features", 100000, 2048, 1000, LBFGS(KRON)},
      {"wide", 20000, 20000, 20, LBFGS(DIAGONAL)},
      {"one class", 1000, 10, 1, LBFGS(DIAGONAL)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SolverChoice choice = choose(&cases[i], SETOSA_SOLVER_AUTO, SETOSA_PRECONDITIONER_AUTO, MUCH);
    expect(&cases[i], &choice);
    assert_true(choice.why[0] != '\0'); /* there was a choice: it is said why */
  }
}

/* Every shape gets something that fits, whatever it is. */
static void no_shape_is_left_out(void **state) {
  (void)state;
  static const size_t rows[] = {1, 2, 100, 100000, 100000000}, features[] = {1, 10, 1000, 100000}, classes[] = {1, 2, 10, 1000, 20000};
  for (size_t r = 0; r < 5; r++)
    for (size_t d = 0; d < 4; d++)
      for (size_t k = 0; k < 5; k++) {
        Case c = {.what = "any", .rows = rows[r], .features = features[d], .classes = classes[k]};
        SolverChoice choice = choose(&c, SETOSA_SOLVER_AUTO, SETOSA_PRECONDITIONER_AUTO, 1 << 20);
        assert_true(choice.solver == SETOSA_SOLVER_NEWTON || choice.solver == SETOSA_SOLVER_LBFGS);
        assert_int_equal(choice.solver == SETOSA_SOLVER_NEWTON, choice.preconditioner == SETOSA_PRECONDITIONER_NONE);
        assert_true(choice.preconditioner != SETOSA_PRECONDITIONER_AUTO);
      }
}

/* Where matrices may take little, simpler ones are chosen. */
static void memory_is_heeded(void **state) {
  (void)state;
  need_lapack();
  const Case blocks = {"much memory", 60000, 784, 10, LBFGS(BLOCKS)}, kron = {"some", 60000, 784, 10, LBFGS(KRON)},
             diagonal = {"none", 60000, 784, 10, LBFGS(DIAGONAL)};
  SolverChoice choice = choose(&blocks, SETOSA_SOLVER_AUTO, SETOSA_PRECONDITIONER_AUTO, 26 << 20);
  expect(&blocks, &choice);
  choice = choose(&kron, SETOSA_SOLVER_AUTO, SETOSA_PRECONDITIONER_AUTO, 20 << 20);
  expect(&kron, &choice);
  choice = choose(&diagonal, SETOSA_SOLVER_AUTO, SETOSA_PRECONDITIONER_AUTO, 1 << 20);
  expect(&diagonal, &choice);
}

/* What is asked for by name is used, and no reason given. */
static void names_are_heeded(void **state) {
  (void)state;
  static const Case iris = {.what = "iris", .rows = 150, .features = 4, .classes = 3};
  static const SetosaPreconditioner kinds[] = {SETOSA_PRECONDITIONER_NONE, SETOSA_PRECONDITIONER_DIAGONAL, SETOSA_PRECONDITIONER_KRON,
                                               SETOSA_PRECONDITIONER_BLOCKS};
  static const SetosaSolver others[] = {SETOSA_SOLVER_NEWTON, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD, SETOSA_SOLVER_ADAM};
  for (size_t i = 0; i < 4; i++) {
    SolverChoice choice = choose(&iris, SETOSA_SOLVER_LBFGS, kinds[i], MUCH);
    assert_int_equal(choice.solver, SETOSA_SOLVER_LBFGS);
    assert_int_equal(choice.preconditioner, kinds[i]);
    assert_string_equal(choice.why, "");
    choice = choose(&iris, SETOSA_SOLVER_AUTO, kinds[i], MUCH); /* only L-BFGS has one */
    assert_int_equal(choice.solver, SETOSA_SOLVER_LBFGS);
    assert_int_equal(choice.preconditioner, kinds[i]);
    choice = choose(&iris, others[i], SETOSA_PRECONDITIONER_AUTO, MUCH);
    assert_int_equal(choice.solver, others[i]);
    assert_int_equal(choice.preconditioner, SETOSA_PRECONDITIONER_NONE);
    assert_string_equal(choice.why, "");
  }
  need_lapack();
  SolverChoice choice = choose(&iris, SETOSA_SOLVER_LBFGS, SETOSA_PRECONDITIONER_AUTO, MUCH);
  assert_int_equal(choice.solver, SETOSA_SOLVER_LBFGS);
  assert_int_equal(choice.preconditioner, SETOSA_PRECONDITIONER_BLOCKS);
}

/* With an L1 penalty every solver of curvature is the proximal one, which has matrices of the features, or their diagonals. */
static void l1_is_proximal(void **state) {
  (void)state;
  static const Case blocks = {"L1", 150, 4, 3, LBFGS(BLOCKS)}, diagonal = {"L1, wide", 20000, 20000, 20, LBFGS(DIAGONAL)};
  static const SetosaSolver curved[] = {SETOSA_SOLVER_AUTO, SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_NEWTON};
  for (size_t i = 0; i < 3; i++) {
    SolverChoice choice = choose_with(&blocks, curved[i], SETOSA_PRECONDITIONER_AUTO, MUCH, 1e-3);
    expect(&blocks, &choice);
    choice = choose_with(&diagonal, curved[i], SETOSA_PRECONDITIONER_AUTO, MUCH, 1e-3);
    expect(&diagonal, &choice);
  }
  SolverChoice choice = choose_with(&blocks, SETOSA_SOLVER_SGD, SETOSA_PRECONDITIONER_AUTO, MUCH, 1e-3);
  assert_int_equal(choice.solver, SETOSA_SOLVER_SGD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes_get_their_solver), cmocka_unit_test(no_shape_is_left_out), cmocka_unit_test(memory_is_heeded),
      cmocka_unit_test(names_are_heeded),        cmocka_unit_test(l1_is_proximal),
  };
  return support_run("the choice of a solver", tests, NULL, NULL);
}
