/* A file of labels or of weights, beside three rows. Its first byte tells which, how it is named, and what is expected of it. */
#include <string.h>

#include "fuzz/fuzz.h"

static const char rows[] =
    "\x93NUMPY\1\0\x3A\0{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2)}\n"
    "abcdef";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const classes[] = {"a", "0", "1"};
  unsigned flags = size > 0 ? bytes[0] - '0' : 0u; /* '0' in most files of the corpus: labels, as they come */
  SetosaDataOptions options = setosa_data_options_default();
  const uint8_t *content = size > 0 ? bytes + 1 : bytes;
  size_t length = size > 0 ? size - 1 : 0;
  const char *path = fuzz_write((flags & 2) != 0 ? "column.txt.gz" : "column.txt", content, length);
  options.header = (int)(flags >> 2 & 3) > 2 ? -1 : (int)(flags >> 2 & 3) - 1;
  if ((flags & 16) != 0) {
    options.expect_classes = 3;
    options.expect_class_names = classes;
  }
  if ((flags & 32) != 0) options.positive = "a";
  options.labels_optional = (flags & 65) != 0;
  if ((flags & 1) != 0)
    options.weights = path;
  else
    options.labels_path = path;
  fuzz_load(fuzz_write("rows.npy", rows, sizeof rows - 1), &options);
  return 0;
}
