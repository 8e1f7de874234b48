/* A NumPy file: as the values, and as the labels of two rows. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaDataOptions options = setosa_data_options_default();
  options.labels_optional = true;
  fuzz_load(fuzz_write("x.npy", bytes, size), &options);
  options.labels_optional = false;
  options.labels_path = fuzz_write("labels.npy", bytes, size);
  fuzz_load(fuzz_write("two.csv", "a,b\n1,2\n3,4\n", 12), &options);
  return 0;
}
