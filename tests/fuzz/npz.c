/* An archive of NumPy arrays, with labels and weights of its own. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaDataOptions options = setosa_data_options_default();
  options.expect_weights = "w";
  fuzz_load(fuzz_write("x.npz", bytes, size), &options);
  return 0;
}
