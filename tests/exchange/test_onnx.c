/* The graph that is written, read back by protobuf-c: its head, its inputs and outputs, and what it tells of the model. What it computes is
 * check_onnx.py's. */
#include <stdlib.h>

#include <onnx-ml.pb-c.h>

#include "data/expect.h"
#include "exchange/models.h"
#include "exchange/onnx_graph.h"

static Onnx__ModelProto *export(const SetosaModel *model, bool single) {
  char path[SUPPORT_PATH];
  SetosaError error = {0};
  SetosaExportOptions options = setosa_export_options_default();
  SetosaExportResult result;
  size_t length = 0;
  options.single = single;
  support_path(path, test_folder, "m.onnx");
  support_ok(setosa_model_export(model, path, &options, &result, &error), &error);
  assert_int_equal(result.form, SETOSA_EXPORT_ONNX);
  char *bytes = support_read(path, &length);
  assert_int_equal(result.bytes, length);
  Onnx__ModelProto *graph = onnx__model_proto__unpack(NULL, length, (const uint8_t *)bytes);
  assert_non_null(graph);
  free(bytes);
  return graph;
}

static void check_value(const Onnx__ValueInfoProto *value, const char *name, int32_t type, int64_t columns) {
  assert_string_equal(value->name, name);
  const Onnx__TypeProto__Tensor *tensor = value->type->tensor_type;
  assert_int_equal(tensor->elem_type, type);
  assert_int_equal(tensor->shape->n_dim, columns > 0 ? 2 : 1);
  assert_string_equal(tensor->shape->dim[0]->dim_param, "N");
  if (columns > 0) assert_int_equal(tensor->shape->dim[1]->dim_value, columns);
}

static const char *metadata(const Onnx__ModelProto *graph, const char *key) {
  for (size_t i = 0; i < graph->n_metadata_props; i++)
    if (strcmp(graph->metadata_props[i]->key, key) == 0) return graph->metadata_props[i]->value;
  return NULL;
}

static void a_table_has_an_input_for_each_column(void **state) {
  (void)state;
  for (int shifted = 0; shifted < 2; shifted++) {
    SetosaModel *model = make_table_model(shifted);
    Onnx__ModelProto *graph = export(model, false);
    assert_int_equal(graph->ir_version, ONNX_IR);
    assert_int_equal(graph->n_opset_import, 2);
    assert_int_equal(graph->opset_import[0]->version, ONNX_OPSET);
    assert_string_equal(graph->producer_name, "setosa");
    assert_string_equal(graph->producer_version, SETOSA_VERSION);
    assert_int_equal(graph->graph->n_input, 2);
    check_value(graph->graph->input[0], "age", shifted ? ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 1);
    check_value(graph->graph->input[1], "kind", ONNX__TENSOR_PROTO__DATA_TYPE__STRING, 1);
    assert_int_equal(graph->graph->n_output, 2);
    check_value(graph->graph->output[0], "label", ONNX__TENSOR_PROTO__DATA_TYPE__STRING, 0);
    check_value(graph->graph->output[1], "probabilities", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, MODEL_CLASSES);
    assert_string_equal(metadata(graph, "class_names"), "[\"Männer, \\\"alt\\\"\",\"b\",\"c\"]");
    assert_non_null(metadata(graph, "feature_names"));
    assert_non_null(metadata(graph, "columns"));
    assert_string_equal(metadata(graph, "source"), "a \"table\"\n");
    onnx__model_proto__free_unpacked(graph, NULL);
    setosa_model_destroy(model);
  }
}

static void whole_numbers_are_classes_of_int64(void **state) {
  (void)state;
  static const struct {
    const char *first;
    bool integer;
  } cases[] = {{"0", true}, {"-7", true}, {"07", false}, {"+1", false}, {"1.0", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SetosaModel *model = NULL;
    SetosaError error = {0};
    support_ok(setosa_model_create(&model, MODEL_FEATURES, MODEL_CLASSES, MODEL_WEIGHTS, NULL, &error), &error);
    free(model->class_names[0]);
    model->class_names[0] = strdup(cases[i].first);
    Onnx__ModelProto *graph = export(model, true);
    assert_int_equal(graph->graph->n_input, 1);
    check_value(graph->graph->input[0], "X", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, MODEL_FEATURES);
    check_value(graph->graph->output[0], "label",
                cases[i].integer ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64 : ONNX__TENSOR_PROTO__DATA_TYPE__STRING, 0);
    onnx__model_proto__free_unpacked(graph, NULL);
    setosa_model_destroy(model);
  }
}

/* In double the whole of the coefficients is kept; single has half the bytes. */
static void constants_are_the_coefficients(void **state) {
  (void)state;
  SetosaModel *model = make_table_model(false);
  support_ok(setosa_model_set_temperature(model, 2, NULL), NULL);
  for (int single = 0; single < 2; single++) {
    Onnx__ModelProto *graph = export(model, single);
    size_t found = 0;
    for (size_t i = 0; i < graph->graph->n_initializer; i++) {
      const Onnx__TensorProto *constant = graph->graph->initializer[i];
      if (strcmp(constant->name, "/weights") != 0) continue;
      assert_int_equal(constant->dims[0], MODEL_CLASSES);
      assert_int_equal(constant->dims[1], 1); /* age alone: kind is a table */
      assert_int_equal(constant->raw_data.len, MODEL_CLASSES * (single ? 4 : 8));
      double value = 0;
      float rounded = 0;
      memcpy(&value, constant->raw_data.data, single ? 0 : 8);
      memcpy(&rounded, constant->raw_data.data, single ? 4 : 0);
      double wanted = (double)MODEL_WEIGHTS[0] * MODEL_SCALE[0] / 2;
      assert_true(single ? rounded == (float)wanted : value == wanted);
      found++;
    }
    assert_int_equal(found, 1);
    onnx__model_proto__free_unpacked(graph, NULL);
  }
  setosa_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_table_has_an_input_for_each_column),
      cmocka_unit_test(whole_numbers_are_classes_of_int64),
      cmocka_unit_test(constants_are_the_coefficients),
  };
  return support_run("exchange onnx", tests, make_folder, remove_folder);
}
