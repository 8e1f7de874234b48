/* An IDX file, of images or of labels: what its header announces tells which, and a file of the other kind is made to fit it. */
#include <string.h>

#include "fuzz/fuzz.h"

enum { MOST_ROWS = 1000, IMAGE = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static uint8_t other[16 + IMAGE * MOST_ROWS];
  size_t rows = 0;
  SetosaDataOptions options = setosa_data_options_default();
  for (size_t i = 4; i < 8 && i < size; i++) rows = rows << 8 | bytes[i];
  if (rows > MOST_ROWS) rows = MOST_ROWS;
  const uint8_t count[4] = {0, 0, (uint8_t)(rows >> 8), (uint8_t)rows};
  if (size > 3 && bytes[3] == 1) {
    const uint8_t header[16] = {0, 0, 8, 3, count[0], count[1], count[2], count[3], 0, 0, 0, 2, 0, 0, 0, 2};
    memcpy(other, header, sizeof header);
    for (size_t i = 0; i < rows * IMAGE; i++) other[16 + i] = (uint8_t)(37 * i);
    fuzz_write("x-labels-idx1-ubyte", bytes, size);
    fuzz_load(fuzz_write("x-images-idx3-ubyte", other, 16 + rows * IMAGE), &options);
  } else {
    const uint8_t header[8] = {0, 0, 8, 1, count[0], count[1], count[2], count[3]};
    memcpy(other, header, sizeof header);
    for (size_t i = 0; i < rows; i++) other[8 + i] = (uint8_t)(i % 3);
    fuzz_write("x-labels-idx1-ubyte", other, 8 + rows);
    fuzz_load(fuzz_write("x-images-idx3-ubyte", bytes, size), &options);
  }
  return 0;
}
