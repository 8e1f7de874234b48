/* LIBSVM text. Its last byte, a line feed in most files, also picks the options. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const classes[] = {"1", "-1"};
  unsigned flags = size > 0 ? bytes[size - 1] ^ '\n' : 0u;
  SetosaDataOptions options = setosa_data_options_default();
  if ((flags & 1) != 0) options.hash_features = 1 + (flags >> 4 & 7);
  if ((flags & 2) != 0) options.expect_index_base = (int)(flags >> 2 & 1);
  if ((flags & 8) != 0) {
    options.expect_features = (flags & 1) != 0 ? (size_t)1 << options.hash_features : 5;
    options.expect_classes = 2;
    options.expect_class_names = classes;
    options.labels_optional = (flags & 16) != 0;
  }
  if ((flags & 64) != 0) options.positive = "1";
  fuzz_load(fuzz_write((flags & 128) != 0 ? "x.txt" : "x.svm", bytes, size), &options);
  return 0;
}
