/* A CSV file. Its last byte, a line feed in most files, also picks the options. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const labels[] = {NULL, "y", "1", "-1"};
  unsigned flags = size > 0 ? bytes[size - 1] ^ '\n' : 0u;
  SetosaDataOptions options = setosa_data_options_default();
  options.header = (int)(flags & 3) == 3 ? -1 : (int)(flags & 3) == 0 ? -1 : (int)(flags & 3) - 1;
  options.label = labels[flags >> 2 & 3];
  options.labels_optional = (flags & 16) != 0;
  if ((flags & 32) != 0) options.drop = "a,3";
  if ((flags & 64) != 0) options.positive = "1";
  fuzz_load(fuzz_write((flags & 128) != 0 ? "x.tsv" : "x.csv", bytes, size), &options);
  return 0;
}
