/* The words of --class-weight, for four rows of three classes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char table[] = "x,y\n1,a\n2,b=1\n3,\xC3\xBC\n4,a\n";
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  char *text = malloc(size + 1);
  fuzz_claim(text != NULL, "there is memory for the words");
  if (size > 0) memcpy(text, bytes, size);
  text[size] = '\0';
  fuzz_claim(setosa_dataset_load(&data, fuzz_write("rows.csv", table, sizeof table - 1), NULL, &error) == SETOSA_OK, "the rows are good");
  SetosaStatus status = setosa_dataset_set_class_weights(data, text, &error);
  if (status != SETOSA_OK) fuzz_claim_refusal(status, &error, NULL);
  const float *weights = setosa_dataset_weights(data);
  for (size_t i = 0; weights != NULL && i < 4; i++)
    fuzz_claim(isfinite(weights[i]) && weights[i] >= 0, "weights are finite and not negative");
  setosa_dataset_destroy(data);
  free(text);
  return 0;
}
