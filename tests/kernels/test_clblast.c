/* The clblast backend against the double reference over a table of shapes; its refusals; and parameters that CLBlast would take but must
 * not be given. */
#include <math.h>
#include <string.h>

#include "compute/shapes.h"
#include "support/device.h"

#ifdef SETOSA_HAVE_CLBLAST
#include "opencl/gemm.h"

static void agrees_with_the_reference(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPE_COUNT; i++)
    shape_compare(&shapes[i], 300 + i, support_device(), (CompareSettings){.backend = SETOSA_BACKEND_CLBLAST});
}

static void agrees_in_the_gpu_family(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPE_COUNT; i += 3)
    shape_compare(&shapes[i], 400 + i, support_device(), (CompareSettings){.backend = SETOSA_BACKEND_CLBLAST, .family = SETOSA_FAMILY_GPU});
}

/* Blocks of 64 rows, X in several buffers whose pieces begin anywhere, a line that reads X. */
static void agrees_in_many_small_pieces(void **state) {
  (void)state;
  const Shape pieces[] = {{3001, 20, 10, PLAIN}, {1000, 33, 41, PLAIN}, {700, 5, 2, PLAIN}};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    shape_compare(&pieces[i], 500 + i, support_device(),
                  (CompareSettings){.backend = SETOSA_BACKEND_CLBLAST, .workspace_bytes = 4096, .x_buffer_bytes = 10000});
}

static void what_it_cannot_do_is_refused(void **state) {
  (void)state;
  Error error = {0};
  Backend *backend = NULL;
  Dataset *dataset = make_dataset(&shapes[1], 1);
  BackendSettings settings = {.kind = SETOSA_BACKEND_CLBLAST, .context = support_device(), .storage = SETOSA_STORAGE_F16};
  support_fails(backend_open(&backend, dataset, &settings, &error), &error, SETOSA_ERROR_USAGE, "CLBlast multiplies f32 alone");
  assert_null(backend);
  settings = (BackendSettings){.kind = SETOSA_BACKEND_CLBLAST};
  error = (Error){0};
  support_fails(backend_open(&backend, dataset, &settings, &error), &error, SETOSA_ERROR_USAGE, "the clblast backend needs a device");
  setosa_dataset_destroy(dataset);
}

/* The product alone, at offsets that no sub-buffer can begin at: beta, transposition, and nothing beside C is touched. */
static void a_product_writes_its_matrix_alone(void **state) {
  (void)state;
  enum { M = 5, N = 3, K = 4, AT = 1501, STRIDE = 7, SIZE = 4096 };
  static float a[SIZE], b[SIZE], c[SIZE], out[SIZE];
  Error error = {0};
  Buffer *buffers[3] = {NULL}, *temporary = NULL;
  float *const hosts[] = {a, b, c};
  for (int i = 0; i < SIZE; i++) a[i] = (float)sin(i), b[i] = (float)cos(1.3 * i), c[i] = (float)sin(2.1 * i);
  for (int i = 0; i < 3; i++) {
    support_ok(buffer_create(&buffers[i], support_device(), sizeof a, "a matrix", &error), &error);
    support_ok(buffer_write(buffers[i], 0, sizeof a, hosts[i], &error), &error);
  }
  GemmProduct product = {.m = M,
                         .n = N,
                         .k = K,
                         .a = {buffers[0], AT, STRIDE, false},
                         .b = {buffers[1], AT + 1, STRIDE, true},
                         .c = {buffers[2], AT + 2, STRIDE, false},
                         .beta = 1.0f};
  support_ok(gemm_multiply(support_device(), &product, &temporary, &error), &error);
  support_poison(out, SIZE);
  support_ok(buffer_read(buffers[2], 0, sizeof out, out, &error), &error);
  for (int i = 0; i < SIZE; i++) {
    int row = (i - AT - 2) / STRIDE, column = (i - AT - 2) % STRIDE;
    double expected = (double)c[i];
    if (i >= AT + 2 && row < M && column < N)
      for (int k = 0; k < K; k++) expected += (double)a[AT + row * STRIDE + k] * (double)b[AT + 1 + column * STRIDE + k];
    if (i >= AT + 2 && row < M && column < N)
      support_near((double)out[i], expected, 1e-6);
    else
      assert_true(out[i] == c[i]);
  }
  product.c.offset = SIZE - 10;
  support_fails(gemm_multiply(support_device(), &product, &temporary, &error), &error, SETOSA_ERROR_INTERNAL, "a matrix: ");
  buffer_destroy(temporary);
  for (int i = 0; i < 3; i++) buffer_destroy(buffers[i]);
}

static void wrong_parameters_are_refused(void **state) {
  (void)state;
  const unsigned before = 10503, fixed = 10603;
  Error error = {0};
  const GemmParameters *known = gemm_known_parameters(support_device());
  if (known == NULL) support_skip("CLBlast has no parameters for this device that are known here");
  assert_null(gemm_parameters_problem(known, before));

  /* GEMMK=1 with MWG != NWG crashed here with 1.5.3; with a KREG that is no multiple of VWN it returned zeros. */
  GemmParameters tried = *known;
  const size_t register_tiles[GEMM_TILE_COUNT] = {1, 8, 1, 1, 1, 1, 8, 1, 1, 8, 0, 0, 0, 0, 8, 8};
  memcpy(tried.tiles, register_tiles, sizeof register_tiles);
  assert_null(gemm_parameters_problem(&tried, before));
  tried.tiles[GEMM_NWG] = 16;
  assert_non_null(strstr(gemm_parameters_problem(&tried, before), "GEMMK=1 with MWG != NWG"));
  assert_null(gemm_parameters_problem(&tried, fixed));
  support_fails(gemm_set_parameters(support_device(), &tried, &error), &error, SETOSA_ERROR_USAGE,
                "CLBlast's parameters are refused: GEMMK=1");
  tried.tiles[GEMM_NWG] = 8;
  tried.tiles[GEMM_KREG] = 4;
  assert_non_null(strstr(gemm_parameters_problem(&tried, fixed), "KREG"));

  tried = *known;
  tried.row_columns = 1;
  memcpy(tried.row_tiles, register_tiles, sizeof register_tiles);
  assert_null(gemm_parameters_problem(&tried, before));
  tried.row_tiles[GEMM_MWG] = 16;
  assert_non_null(gemm_parameters_problem(&tried, before));

  /* Each value of a good set spoilt in turn: 0 or a prime must not pass where it must divide or be divided. */
  const GemmTile sizes[] = {GEMM_KWI, GEMM_MDIMC, GEMM_NDIMC, GEMM_MDIMA, GEMM_NDIMB, GEMM_VWM, GEMM_VWN};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    tried = *known;
    tried.tiles[sizes[i]] = 13;
    assert_non_null(gemm_parameters_problem(&tried, fixed));
    tried.tiles[sizes[i]] = 0;
    assert_non_null(gemm_parameters_problem(&tried, fixed));
  }
  tried = *known;
  tried.direct_tiles[GEMM_WGD] = 13;
  assert_non_null(gemm_parameters_problem(&tried, fixed));
}
#endif

#ifndef SETOSA_HAVE_CLBLAST
static void a_build_without_it_says_so(void **state) {
  (void)state;
  Backend *backend = NULL;
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_CLBLAST, .context = support_device()};
  Dataset *dataset = make_dataset(&shapes[1], 1);
  support_fails(backend_open(&backend, dataset, &settings, &error), &error, SETOSA_ERROR_USAGE,
                "this build has no clblast backend; install");
  assert_null(backend);
  setosa_dataset_destroy(dataset);
  (void)shape_compare;
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
#ifdef SETOSA_HAVE_CLBLAST
      cmocka_unit_test(wrong_parameters_are_refused), cmocka_unit_test(a_product_writes_its_matrix_alone),
      cmocka_unit_test(agrees_with_the_reference),    cmocka_unit_test(agrees_in_many_small_pieces),
      cmocka_unit_test(agrees_in_the_gpu_family),     cmocka_unit_test(what_it_cannot_do_is_refused),
#else
      cmocka_unit_test(a_build_without_it_says_so),
#endif
  };
  return support_run("clblast", tests, support_device_open, support_device_close);
}
