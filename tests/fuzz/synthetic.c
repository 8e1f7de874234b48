/* The text after "synthetic:". What is understood and small is also made, twice and in two pieces: the same bits. */
#include "data/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { ROWS = 5, MOST_FEATURES = 64, MOST_CLASSES = 64 };

static void make(const SyntheticSpec *spec) {
  static float whole[ROWS * MOST_FEATURES], part[ROWS * MOST_FEATURES];
  int32_t labels[ROWS], part_labels[ROWS];
  Synthetic *synthetic = NULL;
  SetosaError error = {0};
  size_t features = (size_t)spec->features;
  if (features > MOST_FEATURES || spec->classes > MOST_CLASSES || spec->rows < ROWS) return;
  fuzz_claim(synthetic_create(&synthetic, spec, &error) == SETOSA_OK, "a spec that is understood can be made");
  synthetic_fill(synthetic, 0, ROWS, whole, labels);
  synthetic_fill(synthetic, 0, 2, part, part_labels);
  synthetic_fill(synthetic, 2, ROWS - 2, part + 2 * features, part_labels + 2);
  fuzz_claim(memcmp(whole, part, ROWS * features * sizeof *whole) == 0, "pieces are the same rows");
  fuzz_claim(memcmp(labels, part_labels, sizeof labels) == 0, "pieces have the same labels");
  for (size_t i = 0; i < ROWS * features; i++) fuzz_claim(isfinite(whole[i]), "every value is finite");
  for (size_t i = 0; i < ROWS; i++) fuzz_claim(labels[i] >= 0 && (uint64_t)labels[i] < spec->classes, "every label is a class");
  synthetic_destroy(synthetic);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char source[600];
  SyntheticSpec spec;
  SetosaError error = {0};
  snprintf(source, sizeof source, "synthetic:%.*s", (int)(size < 500 ? size : 500), (const char *)bytes);
  SetosaStatus status = synthetic_parse(&spec, source, &error);
  if (status != SETOSA_OK)
    fuzz_claim_refusal(status, &error, NULL);
  else
    make(&spec);
  return 0;
}
