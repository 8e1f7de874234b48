/* Shapes of the fused pass of the GPU family: whatever K and D are, a group fits where it is to run, and its sizes are those that the
 * kernels count on. That they compute the right thing is for tests/kernels. */
#include <string.h>

#include "compute/native/fused_shape.h"
#include "support/support.h"

enum { MOST_CLASSES = 32, MOST_FEATURES = 5000, GROUP_ITEMS = 256 };

static bool is_power_of_two(uint32_t value) { return value > 0 && (value & (value - 1)) == 0; }

static void check_tensor(const FusedShape *fused, size_t features, size_t classes, bool hessian) {
  assert_true(fused->items >= 128 && fused->items <= GROUP_ITEMS); /* 16 rows of 8 lanes or more */
  assert_true((size_t)16 * fused->slabs * (fused->items / 32) >= features);
  assert_int_equal(fused->block_rows, 16);
  assert_in_range(native_fused_local_bytes(fused, features, classes, hessian), 1, 49152);
  assert_true(fused->registers * fused->resident * fused->items <= 65536);
}

static void check(size_t features, size_t classes, bool hessian, uint32_t bytes) {
  NativeShape shape = {.fused_bytes = bytes, .fused_registers = 255}, tensor = shape;
  tensor.fused_tensor = 1;
  FusedShape other = native_fused_shape(&tensor, features, classes, hessian);
  if (other.slabs > 0) check_tensor(&other, features, classes, hessian);
  FusedShape fused = native_fused_shape(&shape, features, classes, hessian);
  if (fused.items == 0) return;                   /* goes through blocks of rows */
  assert_true(is_power_of_two(fused.block_rows)); /* so that the larger block of gradient and Hessian is a multiple of the other */
  assert_in_range(fused.resident, 1, 4);
  assert_int_equal(fused.items % 32, 0);
  assert_in_range(fused.items, fused.block_rows, GROUP_ITEMS);
  assert_int_equal(fused.block_rows, 4 * fused.row_quads * fused.row_groups);
  assert_in_range(native_fused_local_bytes(&fused, features, classes, hessian), 1, bytes);
  size_t outputs = (hessian ? 2 : 1) * fused.group_classes, slices = ((features + 3) / 4 + fused.quads - 1) / fused.quads;
  size_t groups = (classes + fused.group_classes - 1) / fused.group_classes;
  assert_int_equal(outputs % fused.chunks, 0);
  assert_true(slices * groups * fused.row_groups <= fused.items); /* every feature, class and row has an owner */
  assert_true(!fused.keep_x || groups == 1);
  assert_true(fused.keep_w != 2 || fused.chunks == 1); /* a chunk is a run-time index, which registers have not */
  assert_true(fused.keep_w != 1 || groups == 1);
  assert_true(fused.registers * fused.resident * fused.items <= 65536);
}

static void every_shape_fits(void **state) {
  (void)state;
  static const uint32_t bytes[] = {24576, 32768, 49152};
  for (size_t features = 1; features <= MOST_FEATURES; features += 1 + features / 64)
    for (size_t classes = 2; classes <= MOST_CLASSES; classes++)
      for (size_t i = 0; i < 6; i++) check(features, classes, i % 2 == 1, bytes[i / 2]);
}

/* The works that the shapes were chosen for do not go through blocks of rows, and have their rows where they are meant to be. */
static void the_works_have_their_shapes(void **state) {
  (void)state;
  static const struct {
    size_t features, classes;
    uint32_t keep_x, resident;
  } works[] = {{784, 10, 1, 2}, {32, 3, 1, 2}, {256, 16, 0, 3}};
  NativeShape shape = {.fused_bytes = 49152, .fused_registers = 255};
  for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
    FusedShape fused = native_fused_shape(&shape, works[i].features, works[i].classes, false);
    assert_true(fused.items > 0);
    assert_int_equal(fused.keep_x, works[i].keep_x);
    assert_int_equal(fused.resident, works[i].resident);
    assert_true(native_fused_shape(&shape, works[i].features, works[i].classes, true).items > 0);
  }
  assert_int_equal(native_fused_shape(&shape, 3000, 32, false).items, 0);
}

static void tensor_cores_are_for_shapes_that_fill_them(void **state) {
  (void)state;
  static const struct {
    size_t features, classes;
    bool hessian, tensor;
  } shapes[] = {{784, 10, false, true}, {784, 10, true, true},  {256, 16, false, true},   {256, 16, true, true},
                {32, 3, false, false},  {32, 32, false, false}, {784, 3, false, false},   {784, 5, false, false},
                {128, 5, true, true},   {49, 7, false, true},   {3000, 10, false, false}, {1024, 32, false, false}};
  NativeShape shape = {.fused_bytes = 49152, .fused_registers = 255, .fused_tensor = 1}, without = shape;
  without.fused_tensor = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    FusedShape fused = native_fused_shape(&shape, shapes[i].features, shapes[i].classes, shapes[i].hessian);
    assert_int_equal(fused.slabs > 0, shapes[i].tensor);
    assert_int_equal(native_fused_shape(&without, shapes[i].features, shapes[i].classes, shapes[i].hessian).slabs, 0);
  }
  char options[256];
  FusedShape fused = native_fused_shape(&shape, 784, 10, false);
  native_fused_options(options, sizeof options, &fused, true, false);
  assert_string_equal(options, " -DITEMS=224 -DTENSOR -DSLABS=7 -DKEEP_W=1 -DREGISTERS -cl-nv-maxrregcount=255");
}

static void a_bound_is_an_option_where_it_is_understood(void **state) {
  (void)state;
  char options[256];
  NativeShape shape = {.fused_bytes = 49152, .fused_registers = 255};
  FusedShape fused = native_fused_shape(&shape, 784, 10, false);
  native_fused_options(options, sizeof options, &fused, true, false);
  assert_non_null(strstr(options, "-DREGISTERS -cl-nv-maxrregcount=144"));
  native_fused_options(options, sizeof options, &fused, false, false);
  assert_null(strstr(options, "REGISTERS"));
  assert_null(strstr(options, "-cl-nv"));
  native_fused_options(options, sizeof options, &fused, true, true);
  assert_non_null(strstr(options, "-cl-nv-maxrregcount=255"));
  assert_non_null(strstr(options, "-DITEMS=224 -DQUADS=2"));
}

/* The CPU family has no groups to fit into. With few registers, as on Intel, few classes are left. */
static void what_fits_no_group_goes_through_blocks(void **state) {
  (void)state;
  static const struct {
    size_t features, classes;
    uint32_t registers;
    bool fuses;
  } shapes[] = {{784, 10, 255, true},  {784, 26, 255, false}, {1024, 20, 255, false}, {3000, 10, 255, false}, {32, 33, 255, false},
                {784, 10, 112, false}, {32, 3, 112, true},    {256, 16, 112, false},  {4, 2, 112, true},      {784, 2, 112, true}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    NativeShape shape = {.fused_bytes = 49152, .fused_registers = shapes[i].registers};
    assert_int_equal(native_fuses(SETOSA_FAMILY_GPU, &shape, shapes[i].features, shapes[i].classes), shapes[i].fuses);
    assert_int_equal(native_fuses(SETOSA_FAMILY_CPU, &shape, shapes[i].features, shapes[i].classes), shapes[i].classes <= 32);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_shape_fits),
      cmocka_unit_test(the_works_have_their_shapes),
      cmocka_unit_test(tensor_cores_are_for_shapes_that_fill_them),
      cmocka_unit_test(what_fits_no_group_goes_through_blocks),
      cmocka_unit_test(a_bound_is_an_option_where_it_is_understood),
  };
  return support_run("shapes of the fused pass", tests, NULL, NULL);
}
