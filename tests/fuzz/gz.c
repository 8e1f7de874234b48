/* A compressed stream, read as a CSV file, and as a NumPy file when its last byte is odd. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_optional = true;
  fuzz_load(fuzz_write(size > 0 && bytes[size - 1] % 2 == 1 ? "x.npy.gz" : "x.csv.gz", bytes, size), &options);
  return 0;
}
