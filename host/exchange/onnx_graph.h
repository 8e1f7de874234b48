/* A graph of ONNX while it is put together: nodes, constants, inputs and outputs, kept in one arena and written as protobuf-c packs them.
 * It knows nothing of models. The format: github.com/onnx/onnx/blob/main/docs/IR.md. */
#ifndef SETOSA_EXCHANGE_ONNX_GRAPH_H
#define SETOSA_EXCHANGE_ONNX_GRAPH_H

#include <stdio.h>

#include "base/error.h"
#include "model/safetensors.h"

/* Operators as opset 21 and ai.onnx.ml 4 have them, in the IR of the same time (ONNX 1.16, 2024): those that are used here mean the same in
 * today's, and runtimes of the last years read them. */
enum { ONNX_OPSET = 21, ONNX_ML_OPSET = 4, ONNX_IR = 10 };

typedef enum OnnxType { ONNX_FLOAT, ONNX_DOUBLE, ONNX_INT64, ONNX_STRING } OnnxType;

typedef struct OnnxGraph OnnxGraph;

Status onnx_graph_create(OnnxGraph **graph, const char *name, Error *error);
void onnx_graph_destroy(OnnxGraph *graph);

/* Below, texts and arrays that are handed over are copied. */

/* Tensors of a first dimension that any batch may have and of `columns` more (0: none). */
Status onnx_add_input(OnnxGraph *graph, const char *name, OnnxType type, size_t columns, Error *error);
Status onnx_add_output(OnnxGraph *graph, const char *name, OnnxType type, size_t columns, Error *error);
/* Constants (rows, columns), or (rows) where columns is 0. ONNX_FLOAT ones are rounded. */
Status onnx_add_numbers(OnnxGraph *graph, const char *name, OnnxType type, const double *values, size_t rows, size_t columns, Error *error);
Status onnx_add_integers(OnnxGraph *graph, const char *name, const int64_t *values, size_t rows, Error *error);
Status onnx_add_texts(OnnxGraph *graph, const char *name, char *const *values, size_t rows, Error *error);

/* A node with one output, after which it is called. inputs ends with NULL. domain: NULL, or "ai.onnx.ml". */
Status onnx_add_node(OnnxGraph *graph, const char *domain, const char *operator, const char * const * inputs, const char *output,
                     Error *error);
/* Attributes of the last node. */
Status onnx_set_integer(OnnxGraph *graph, const char *name, int64_t value, Error *error);
/* An integer that stands for a type of elements. */
Status onnx_set_type(OnnxGraph *graph, const char *name, OnnxType type, Error *error);
Status onnx_set_integers(OnnxGraph *graph, const char *name, const int64_t *values, size_t count, Error *error);
Status onnx_set_texts(OnnxGraph *graph, const char *name, char *const *values, size_t count, Error *error);

/* Writes the model of this graph; metadata (count) is borrowed until then. Errors of the stream stay in it. SETOSA_ERROR_USAGE for one of
 * 2 GiB, which protocol buffers cannot hold; path is for messages. */
Status onnx_graph_write(OnnxGraph *graph, FILE *stream, const char *path, const MetadataPair *metadata, size_t metadata_count,
                        Error *error);

#endif
