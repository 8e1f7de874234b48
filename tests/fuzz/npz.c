/* An archive of NumPy arrays, with labels and weights of its own. */
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaDataOptions options = setosa_data_options_default();
  options.expect_weights = "w";
  const char *path = fuzz_write("x.npz", bytes, size);
  fuzz_load(path, &options);
  options.labels_optional = true; /* then nothing but a shape may say how many rows there are */
  fuzz_load(path, &options);
  return 0;
}
