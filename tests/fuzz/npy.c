/* A NumPy file, as the values; as labels and weights: column.c. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_optional = true;
  fuzz_load(fuzz_write("x.npy", bytes, size), &options);
  return 0;
}
