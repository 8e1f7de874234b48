/* Models to export: of a table with a category, scaled; and of columns far from 0. */
#ifndef SETOSA_TESTS_EXCHANGE_MODELS_H
#define SETOSA_TESTS_EXCHANGE_MODELS_H

#include <string.h>

#include "model/model.h"
#include "support/support.h"

enum { MODEL_FEATURES = 4, MODEL_CLASSES = 3 };
static const float MODEL_WEIGHTS[MODEL_CLASSES * MODEL_FEATURES] = {0.1f, -2.5f,  1e-9f, 3,     1.75f, 0.3333333f,
                                                                    -1,   -1e-7f, 12345, -0.0f, 1,     -3.4e38f};
static const double MODEL_BIAS[MODEL_CLASSES] = {0.1, -1e6 / 3, 5e-300};
static const double MODEL_OFFSET[MODEL_FEATURES] = {5.84, 0, 0, 0}, MODEL_SCALE[MODEL_FEATURES] = {1 / 0.83, 1, 1, 1};
static const double MODEL_SHIFT[MODEL_FEATURES] = {1e6, 0, 0, 0};

/* Classes with names that a CSV must quote; columns age (numeric), kind (three levels). */
static inline SetosaModel *make_table_model(bool shifted) {
  SetosaModel *model = NULL;
  SetosaError error = {0};
  static const char *const classes[] = {"Männer, \"alt\"", "b", "c"}, *const features[] = {"age", "kind=ä", "kind=b, c", "kind=z"};
  static const char columns[] =
      "{\"columns\":[{\"name\":\"age\",\"number\":0,\"mean\":5.84},{\"name\":\"kind\",\"number\":2,\"levels\":"
      "[\"b, c\",\"z\",\"ä\"]}],\"missing\":\"mean\"}";
  support_ok(setosa_model_create(&model, MODEL_FEATURES, MODEL_CLASSES, MODEL_WEIGHTS, NULL, &error), &error);
  memcpy(model->bias, MODEL_BIAS, sizeof MODEL_BIAS);
  model->feature_names = calloc(MODEL_FEATURES, sizeof *model->feature_names);
  assert_non_null(model->feature_names);
  for (size_t d = 0; d < MODEL_FEATURES; d++) model->feature_names[d] = strdup(features[d]);
  for (size_t k = 0; k < MODEL_CLASSES; k++) {
    free(model->class_names[k]);
    model->class_names[k] = strdup(classes[k]);
  }
  support_ok(columns_from_json(&model->columns, columns, "columns", &error), &error);
  if (shifted) {
    model->shift = malloc(sizeof MODEL_SHIFT);
    assert_non_null(model->shift);
    memcpy(model->shift, MODEL_SHIFT, sizeof MODEL_SHIFT);
  } else {
    support_ok(scaling_copy(&model->scaling, MODEL_FEATURES, MODEL_OFFSET, MODEL_SCALE, &error), &error);
  }
  support_ok(setosa_model_set_temperature(model, shifted ? 1.25 : 1, &error), &error);
  support_ok(model_set_metadata(model, &error, "source", "%s", "a \"table\"\n"), &error);
  return model;
}

#endif
