/* Both kernel families against the double reference over a table of shapes: tile edges in N, D and K, hard logits, degenerate data. */
#include "compute/open.h"
#include "judge/compare.h"
#include "kernels/shapes.h"
#include "support/device.h"

static void run_family(SetosaFamily family) {
  bool verbose = getenv("SETOSA_TEST_VERBOSE") != NULL;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    Error error = {0};
    size_t failures = 0;
    Dataset *dataset = make_dataset(&shapes[i], 100 + i);
    CompareSettings settings = {.family = family,
                                .l2 = 0.01,
                                .logit_size = shapes[i].kind == HARD_LOGITS ? 100 : 3,
                                .finite_differences = setosa_dataset_rows(dataset) > 1,
                                .row = print_row,
                                .user = &verbose};
    Status status = judge_compare(dataset, support_device(), &settings, &failures, &error);
    if (status != SETOSA_OK) printf("%s\n", error.message);
    assert_int_equal(status, SETOSA_OK);
    assert_int_equal(failures, 0);
    setosa_dataset_destroy(dataset);
  }
}

static void cpu_family_agrees_with_the_reference(void **state) {
  (void)state;
  run_family(SETOSA_FAMILY_CPU);
}
static void gpu_family_agrees_with_the_reference(void **state) {
  (void)state;
  run_family(SETOSA_FAMILY_GPU);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family_agrees_with_the_reference),
      cmocka_unit_test(gpu_family_agrees_with_the_reference),
  };
  return support_run("kernels against the reference", tests, support_device_open, support_device_close);
}
