/* Messages of ONNX out of an arena: all of it is freed at once, and a call that fails leaves nothing half made. */
#include "exchange/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

#include <onnx-ml.pb-c.h>

#include "base/memory.h"
#include "model/little_endian.h"

typedef struct Piece {
  struct Piece *next;
  max_align_t room[];
} Piece;

/* Pointers to messages, as protobuf-c wants them. */
typedef struct List {
  void **at; /* (count) */
  size_t count, capacity;
} List;

struct OnnxGraph {
  Piece *pieces;
  const char *name;
  List nodes, constants, inputs, outputs;
  List attributes; /* of the last node */
};

/* ---- arena ------------------------------------------------------------------------------------------------------- */

static Status take(OnnxGraph *graph, void **out, size_t count, size_t size, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = 0;
  Piece *piece = NULL;
  TRY(memory_multiply(&bytes, count, size, "an ONNX graph", error));
  TRY(memory_allocate_zero((void **)&piece, 1, sizeof *piece + bytes, "an ONNX graph", error));
  piece->next = graph->pieces;
  graph->pieces = piece;
  *out = piece->room;
cleanup:
  return status;
}

static Status take_text(OnnxGraph *graph, char **out, const char *text, Error *error) {
  size_t length = strlen(text) + 1;
  Status status = take(graph, (void **)out, length, 1, error);
  if (status == SETOSA_OK) memcpy(*out, text, length);
  return status;
}

static Status take_texts(OnnxGraph *graph, ProtobufCBinaryData **out, char *const *texts, size_t count, Error *error) {
  Status status = SETOSA_OK;
  TRY(take(graph, (void **)out, count, sizeof **out, error));
  for (size_t i = 0; i < count; i++) {
    char *copy = NULL;
    TRY(take_text(graph, &copy, texts[i], error));
    (*out)[i] = (ProtobufCBinaryData){strlen(copy), (uint8_t *)copy};
  }
cleanup:
  return status;
}

static Status append(List *list, void *message, Error *error) {
  Status status = memory_grow((void **)&list->at, &list->capacity, list->count + 1, sizeof *list->at, "an ONNX graph", error);
  if (status == SETOSA_OK) list->at[list->count++] = message;
  return status;
}

Status onnx_graph_create(OnnxGraph **graph, const char *name, Error *error) {
  Status status = memory_allocate_zero((void **)graph, 1, sizeof **graph, "an ONNX graph", error);
  if (status == SETOSA_OK) (*graph)->name = name;
  return status;
}

void onnx_graph_destroy(OnnxGraph *graph) {
  if (graph == NULL) return;
  for (Piece *piece = graph->pieces, *next = NULL; piece != NULL; piece = next) {
    next = piece->next;
    free(piece);
  }
  List *const lists[] = {&graph->nodes, &graph->constants, &graph->inputs, &graph->outputs, &graph->attributes};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->at);
  free(graph);
}

/* ---- inputs and outputs ------------------------------------------------------------------------------------------ */

static int32_t data_type(OnnxType type) {
  static const int32_t types[] = {[ONNX_FLOAT] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
                                  [ONNX_DOUBLE] = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE,
                                  [ONNX_INT64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
                                  [ONNX_STRING] = ONNX__TENSOR_PROTO__DATA_TYPE__STRING};
  return types[type];
}

/* A value with all that hangs on it. */
typedef struct Value {
  Onnx__ValueInfoProto info;
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor;
  Onnx__TensorShapeProto shape;
  Onnx__TensorShapeProto__Dimension sizes[2], *dim[2];
} Value;

static Status add_value(OnnxGraph *graph, List *list, const char *name, OnnxType type, size_t columns, Error *error) {
  Status status = SETOSA_OK;
  Value *value = NULL;
  TRY(take(graph, (void **)&value, 1, sizeof *value, error));
  onnx__value_info_proto__init(&value->info);
  onnx__type_proto__init(&value->type);
  onnx__type_proto__tensor__init(&value->tensor);
  onnx__tensor_shape_proto__init(&value->shape);
  for (size_t i = 0; i < 2; i++) {
    onnx__tensor_shape_proto__dimension__init(&value->sizes[i]);
    value->dim[i] = &value->sizes[i];
  }
  value->sizes[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
  TRY(take_text(graph, &value->sizes[0].dim_param, "N", error));
  value->sizes[1].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
  value->sizes[1].dim_value = (int64_t)columns;
  value->shape.n_dim = columns > 0 ? 2 : 1;
  value->shape.dim = value->dim;
  value->tensor.has_elem_type = 1;
  value->tensor.elem_type = data_type(type);
  value->tensor.shape = &value->shape;
  value->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  value->type.tensor_type = &value->tensor;
  value->info.type = &value->type;
  TRY(take_text(graph, &value->info.name, name, error));
  TRY(append(list, &value->info, error));
cleanup:
  return status;
}

Status onnx_add_input(OnnxGraph *graph, const char *name, OnnxType type, size_t columns, Error *error) {
  return add_value(graph, &graph->inputs, name, type, columns, error);
}

Status onnx_add_output(OnnxGraph *graph, const char *name, OnnxType type, size_t columns, Error *error) {
  return add_value(graph, &graph->outputs, name, type, columns, error);
}

/* ---- constants --------------------------------------------------------------------------------------------------- */

/* With room for `width` bytes a number, to be filled; no room for texts. */
static Status add_constant(OnnxGraph *graph, Onnx__TensorProto **out, const char *name, OnnxType type, size_t rows, size_t columns,
                           size_t width, Error *error) {
  Status status = SETOSA_OK;
  size_t count = rows;
  if (columns > 0) TRY(memory_multiply(&count, rows, columns, "an ONNX graph", error));
  TRY(take(graph, (void **)out, 1, sizeof **out, error));
  onnx__tensor_proto__init(*out);
  (*out)->has_data_type = 1;
  (*out)->data_type = data_type(type);
  (*out)->n_dims = columns > 0 ? 2 : 1;
  TRY(take(graph, (void **)&(*out)->dims, 2, sizeof(int64_t), error));
  (*out)->dims[0] = (int64_t)rows;
  (*out)->dims[1] = (int64_t)columns;
  TRY(take_text(graph, &(*out)->name, name, error));
  if (width > 0) {
    (*out)->has_raw_data = 1;
    (*out)->raw_data.len = count * width;
    TRY(take(graph, (void **)&(*out)->raw_data.data, count, width, error));
  }
  TRY(append(&graph->constants, *out, error));
cleanup:
  return status;
}

Status onnx_add_numbers(OnnxGraph *graph, const char *name, OnnxType type, const double *values, size_t rows, size_t columns,
                        Error *error) {
  Onnx__TensorProto *constant = NULL;
  size_t width = type == ONNX_DOUBLE ? sizeof(double) : sizeof(float);
  Status status = add_constant(graph, &constant, name, type, rows, columns, width, error);
  for (size_t i = 0; status == SETOSA_OK && i < constant->raw_data.len / width; i++)
    if (type == ONNX_DOUBLE)
      store_f64(constant->raw_data.data + i * width, values[i]);
    else
      store_f32(constant->raw_data.data + i * width, (float)values[i]);
  return status;
}

Status onnx_add_integers(OnnxGraph *graph, const char *name, const int64_t *values, size_t rows, Error *error) {
  Onnx__TensorProto *constant = NULL;
  Status status = add_constant(graph, &constant, name, ONNX_INT64, rows, 0, sizeof(int64_t), error);
  for (size_t i = 0; status == SETOSA_OK && i < rows; i++) store_u64(constant->raw_data.data + i * sizeof(int64_t), (uint64_t)values[i]);
  return status;
}

Status onnx_add_texts(OnnxGraph *graph, const char *name, char *const *values, size_t rows, Error *error) {
  Onnx__TensorProto *constant = NULL;
  Status status = add_constant(graph, &constant, name, ONNX_STRING, rows, 0, 0, error);
  if (status != SETOSA_OK) return status;
  constant->n_string_data = rows;
  return take_texts(graph, &constant->string_data, values, rows, error);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* The last node gets what was set for it. */
static Status finish_node(OnnxGraph *graph, Error *error) {
  if (graph->nodes.count == 0 || graph->attributes.count == 0) return SETOSA_OK;
  Onnx__NodeProto *node = graph->nodes.at[graph->nodes.count - 1];
  Status status = take(graph, (void **)&node->attribute, graph->attributes.count, sizeof *node->attribute, error);
  if (status != SETOSA_OK) return status;
  memcpy((void *)node->attribute, (void *)graph->attributes.at, graph->attributes.count * sizeof *node->attribute);
  node->n_attribute = graph->attributes.count;
  graph->attributes.count = 0;
  return SETOSA_OK;
}

Status onnx_add_node(OnnxGraph *graph, const char *domain, const char *operator, const char * const * inputs, const char *output,
                     Error *error) {
  Status status = SETOSA_OK;
  Onnx__NodeProto *node = NULL;
  size_t count = 0;
  TRY(finish_node(graph, error));
  while (inputs[count] != NULL) count++;
  TRY(take(graph, (void **)&node, 1, sizeof *node, error));
  onnx__node_proto__init(node);
  TRY(take(graph, (void **)&node->input, count, sizeof *node->input, error));
  for (size_t i = 0; i < count; i++) TRY(take_text(graph, &node->input[i], inputs[i], error));
  node->n_input = count;
  TRY(take(graph, (void **)&node->output, 1, sizeof *node->output, error));
  TRY(take_text(graph, &node->output[0], output, error));
  node->n_output = 1;
  TRY(take_text(graph, &node->name, output, error));
  TRY(take_text(graph, &node->op_type, operator, error));
  if (domain != NULL) TRY(take_text(graph, &node->domain, domain, error));
  TRY(append(&graph->nodes, node, error));
cleanup:
  return status;
}

static Status add_attribute(OnnxGraph *graph, Onnx__AttributeProto **out, const char *name, Onnx__AttributeProto__AttributeType type,
                            Error *error) {
  Status status = SETOSA_OK;
  TRY(take(graph, (void **)out, 1, sizeof **out, error));
  onnx__attribute_proto__init(*out);
  TRY(take_text(graph, &(*out)->name, name, error));
  (*out)->has_type = 1;
  (*out)->type = type;
  TRY(append(&graph->attributes, *out, error));
cleanup:
  return status;
}

Status onnx_set_integer(OnnxGraph *graph, const char *name, int64_t value, Error *error) {
  Onnx__AttributeProto *attribute = NULL;
  Status status = add_attribute(graph, &attribute, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, error);
  if (status != SETOSA_OK) return status;
  attribute->has_i = 1;
  attribute->i = value;
  return SETOSA_OK;
}

Status onnx_set_type(OnnxGraph *graph, const char *name, OnnxType type, Error *error) {
  return onnx_set_integer(graph, name, data_type(type), error);
}

Status onnx_set_integers(OnnxGraph *graph, const char *name, const int64_t *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Onnx__AttributeProto *attribute = NULL;
  TRY(add_attribute(graph, &attribute, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, error));
  TRY(take(graph, (void **)&attribute->ints, count, sizeof *attribute->ints, error));
  memcpy(attribute->ints, values, count * sizeof *values);
  attribute->n_ints = count;
cleanup:
  return status;
}

Status onnx_set_texts(OnnxGraph *graph, const char *name, char *const *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Onnx__AttributeProto *attribute = NULL;
  TRY(add_attribute(graph, &attribute, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS, error));
  TRY(take_texts(graph, &attribute->strings, values, count, error));
  attribute->n_strings = count;
cleanup:
  return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Packed bytes go straight into the file. */
typedef struct Outlet {
  ProtobufCBuffer base;
  FILE *stream;
} Outlet;

static void write_bytes(ProtobufCBuffer *buffer, size_t length, const uint8_t *bytes) {
  fwrite(bytes, 1, length, ((const Outlet *)(const void *)buffer)->stream);
}

static Status add_metadata(OnnxGraph *graph, Onnx__ModelProto *model, const MetadataPair *pairs, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Onnx__StringStringEntryProto *entries = NULL;
  TRY(take(graph, (void **)&entries, count, sizeof *entries, error));
  TRY(take(graph, (void **)&model->metadata_props, count, sizeof *model->metadata_props, error));
  for (size_t i = 0; i < count; i++) {
    onnx__string_string_entry_proto__init(&entries[i]);
    TRY(take_text(graph, &entries[i].key, pairs[i].key, error));
    TRY(take_text(graph, &entries[i].value, pairs[i].value, error));
    model->metadata_props[i] = &entries[i];
  }
  model->n_metadata_props = count;
cleanup:
  return status;
}

Status onnx_graph_write(OnnxGraph *graph, FILE *stream, const char *path, const MetadataPair *metadata, size_t metadata_count,
                        Error *error) {
  Status status = SETOSA_OK;
  Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
  Onnx__GraphProto body = ONNX__GRAPH_PROTO__INIT;
  Onnx__OperatorSetIdProto sets[2] = {ONNX__OPERATOR_SET_ID_PROTO__INIT, ONNX__OPERATOR_SET_ID_PROTO__INIT};
  Onnx__OperatorSetIdProto *both[2] = {&sets[0], &sets[1]};
  Outlet outlet = {{write_bytes}, stream};
  TRY(finish_node(graph, error));
  TRY(add_metadata(graph, &model, metadata, metadata_count, error));
  sets[0].has_version = sets[1].has_version = 1;
  sets[0].version = ONNX_OPSET;
  sets[1].version = ONNX_ML_OPSET;
  TRY(take_text(graph, &sets[0].domain, "", error));
  TRY(take_text(graph, &sets[1].domain, "ai.onnx.ml", error));
  TRY(take_text(graph, &model.producer_name, "setosa", error));
  TRY(take_text(graph, &model.producer_version, SETOSA_VERSION, error));
  TRY(take_text(graph, &body.name, graph->name, error));
  model.has_ir_version = 1;
  model.ir_version = ONNX_IR;
  model.n_opset_import = 2;
  model.opset_import = both;
  model.graph = &body;
  body.n_node = graph->nodes.count;
  body.node = (Onnx__NodeProto **)graph->nodes.at;
  body.n_initializer = graph->constants.count;
  body.initializer = (Onnx__TensorProto **)graph->constants.at;
  body.n_input = graph->inputs.count;
  body.input = (Onnx__ValueInfoProto **)graph->inputs.at;
  body.n_output = graph->outputs.count;
  body.output = (Onnx__ValueInfoProto **)graph->outputs.at;
  size_t bytes = onnx__model_proto__get_packed_size(&model);
  if (bytes > INT32_MAX)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: would take %zu MB, and a file of ONNX holds 2048 at most; export to .json or .csv", path,
                  bytes >> 20));
  onnx__model_proto__pack_to_buffer(&model, &outlet.base);
cleanup:
  return status;
}
