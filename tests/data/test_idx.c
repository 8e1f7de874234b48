/* IDX: every element type, labels found by their usual name or named, plain and .gz. */
#include <math.h>

#include "data/binary.h"

static const uint32_t SHAPE[] = {3, 2, 2};
static const float PIXELS[] = {0, 1, 2, 3, 4, 5, 6, 7, 128, 253, 254, 255};

static void write_images(const char *name) {
  Bytes bytes = idx_header(0x08, 3, SHAPE);
  for (size_t i = 0; i < 12; i++) put_bits(&bytes, (uint64_t)PIXELS[i], 1, true);
  write_bytes(name, &bytes);
}

static void write_labels(const char *name, int a, int b, int c) {
  Bytes bytes = idx_header(0x08, 1, SHAPE);
  put_bits(&bytes, (uint64_t)a, 1, true);
  put_bits(&bytes, (uint64_t)b, 1, true);
  put_bits(&bytes, (uint64_t)c, 1, true);
  write_bytes(name, &bytes);
}

static void labels_are_found_beside_the_images(void **state) {
  (void)state;
  static const struct {
    const char *images, *labels;
  } pairs[] = {
      {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},     {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"},
      {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}, {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"},
      {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},     {"images-and-images.idx", "images-and-labels.idx"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    write_images(pairs[i].images);
    write_labels(pairs[i].labels, 2, 0, 1);
    SetosaDataset *dataset = load_file(pairs[i].images, "scale=1");
    expect_values(dataset, 3, 4, PIXELS);
    expect_classes(dataset, "2 0 1", "0 1 2");
    assert_null(setosa_dataset_feature_name(dataset, 0));
    size_t height = 0, width = 0;
    assert_true(setosa_dataset_image(dataset, &height, &width) && height == 2 && width == 2);
    assert_null(dataset_scaling(dataset)->scale);
    setosa_dataset_destroy(dataset);
    remove_file(pairs[i].images);
    remove_file(pairs[i].labels);
  }
}

static void pixels_default_to_one_over_255(void **state) {
  (void)state;
  write_images("a-images-idx3-ubyte");
  write_labels("a-labels-idx1-ubyte", 0, 1, 1);
  SetosaDataset *dataset = load_file("a-images-idx3-ubyte", "");
  for (size_t i = 0; i < 12; i++) assert_true(setosa_dataset_values(dataset)[i] == PIXELS[i] * (float)(1.0 / 255));
  for (size_t d = 0; d < 4; d++)
    assert_true(dataset_scaling(dataset)->scale[d] == (float)(1.0 / 255) && dataset_scaling(dataset)->offset[d] == 0);
  setosa_dataset_destroy(dataset);
}

static void options_apply(void **state) {
  (void)state;
  write_images("b-images-idx3-ubyte");
  write_labels("other", 7, 9, 7);
  SetosaDataset *dataset = load_file("b-images-idx3-ubyte", "labels=other");
  expect_classes(dataset, "7 9 7", "7 9");
  setosa_dataset_destroy(dataset);
  dataset = load_file("b-images-idx3-ubyte", "positive=9 labels=other");
  expect_classes(dataset, "non-9 9 non-9", "9 non-9");
  setosa_dataset_destroy(dataset);
  dataset = load_file("b-images-idx3-ubyte", "expect=4 classes=9,8,7 labels=other");
  expect_classes(dataset, "7 9 7", "9 8 7");
  setosa_dataset_destroy(dataset);
  dataset = load_file("b-images-idx3-ubyte", "expect=4 classes=9,8 optional labels=other");
  expect_classes(dataset, "- 9 -", "9 8");
  setosa_dataset_destroy(dataset);
  dataset = load_file("b-images-idx3-ubyte", "expect=4 classes=9,8 optional");
  assert_null(setosa_dataset_labels(dataset));
  assert_int_equal(setosa_dataset_classes(dataset), 2);
  setosa_dataset_destroy(dataset);
}

static void every_element_type_is_read(void **state) {
  (void)state;
  static const struct {
    unsigned char type;
    size_t size;
    bool real;
  } types[] = {{0x09, 1, false}, {0x0B, 2, false}, {0x0C, 4, false}, {0x0D, 4, true}, {0x0E, 8, true}};
  const float expected[] = {0, -1, 100, -128};
  const uint32_t shape[] = {2, 2};
  write_labels("labels", 0, 1, 0);
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    Bytes bytes = idx_header(types[t].type, 2, shape), labels = idx_header(types[t].type, 1, shape);
    for (size_t i = 0; i < 4; i++)
      if (types[t].real)
        put_float(&bytes, (double)expected[i], types[t].size, true);
      else
        put_bits(&bytes, (uint64_t)(int64_t)expected[i], types[t].size, true);
    put_bits(&labels, 1, types[t].size, true);
    put_bits(&labels, 0, types[t].size, true);
    write_bytes("typed.idx", &bytes);
    if (!types[t].real) write_bytes("labels", &labels); /* labels of real numbers are refused: malformed/ */
    SetosaDataset *dataset = NULL;
    if (types[t].real) {
      Bytes plain = idx_header(0x08, 1, shape);
      put_bits(&plain, 0x0100, 2, true);
      write_bytes("labels", &plain);
    }
    dataset = load_file("typed.idx", "labels=labels");
    expect_values(dataset, 2, 2, expected); /* and no scaling: that is for u8 */
    expect_classes(dataset, "1 0", "0 1");
    setosa_dataset_destroy(dataset);
  }
}

/* The true thing, when Debian's package is there. */
static void fashion_mnist_is_read(void **state) {
  (void)state;
  const char *path = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  FILE *file = fopen(path, "rb");
  if (file == NULL) support_skip("%s is not here; install dataset-fashion-mnist", path);
  fclose(file);
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&dataset, path, NULL, &error), &error);
  size_t counts[10] = {0};
  assert_int_equal(setosa_dataset_rows(dataset), 10000);
  assert_int_equal(setosa_dataset_features(dataset), 784);
  for (size_t i = 0; i < setosa_dataset_rows(dataset); i++) counts[setosa_dataset_labels(dataset)[i]]++;
  for (size_t k = 0; k < 10; k++) assert_int_equal(counts[k], 1000);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_are_found_beside_the_images),
      cmocka_unit_test(pixels_default_to_one_over_255),
      cmocka_unit_test(options_apply),
      cmocka_unit_test(every_element_type_is_read),
      cmocka_unit_test(fashion_mnist_is_read),
  };
  return support_run("data_idx", tests, make_folder, remove_folder);
}
