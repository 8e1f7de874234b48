/* The trained model: weights, bias, scaling, names, and where it came from. */
#ifndef SETOSA_MODEL_MODEL_H
#define SETOSA_MODEL_MODEL_H

#include "base/error.h"
#include "data/columns.h"
#include "data/dataset.h"
#include "model/safetensors.h"

typedef struct ModelMetadata {
  char *key, *value;
} ModelMetadata;

struct SetosaModel {
  size_t features, classes;
  float *weights; /* (K,D) row-major */
  double *bias;   /* (K) of x as the source has it, scaled: whatever a data set takes off its rows */
  Scaling scaling;
  double temperature;                         /* probabilities are softmax(z / temperature) */
  double *shift;                              /* (D) what is best taken off rows for it as they are read, or NULL */
  double *mean;                               /* (D) of the training rows, of x as the source has it, or NULL */
  char **class_names;                         /* (K) */
  char **feature_names;                       /* (D), or NULL */
  Columns *columns;                           /* of the table that it was trained on, or NULL */
  int index_base;                             /* what LIBSVM text calls the first feature, 0 or 1; -1: it was trained on something else */
  unsigned hash_bits;                         /* of the hashes that features were made of, 2^hash_bits; 0: they were not */
  char *label_name, *weights_name, *positive; /* or NULL; weights_name: of the column of weights */
  ModelMetadata *metadata;                    /* provenance: solver, objective, l2, version, ... */
  size_t metadata_count, metadata_capacity;
};
typedef struct SetosaModel Model;

/* Zero weights and bias, classes named "0", "1", ...; nothing else. features >= 1, classes >= 2 (SETOSA_ERROR_USAGE). */
Status model_allocate(Model **model, size_t features, size_t classes, Error *error);
/* Zero weights; names and scaling copied from the data set. */
Status model_create_for(Model **model, const Dataset *dataset, Error *error);
/* SETOSA_ERROR_DATA, beginning with `path`, for two classes of one name: they could not be told apart in data or in results. */
Status model_check_class_names(char *const *names, size_t count, const char *path, Error *error);

/* All of a model but its arrays, as the text pairs that its file has. Lists are JSON. */
typedef struct ModelDescription {
  MetadataPair *pairs; /* (count) borrowed from the model and from what follows */
  size_t count;
  char *class_names, *feature_names, *columns, hash_bits[16], temperature[32];
} ModelDescription;
Status model_describe(ModelDescription *description, const Model *model, Error *error);
void model_description_free(ModelDescription *description);
/* Back from it, into a model of the right shape. SETOSA_ERROR_DATA, beginning with `path`, for what fits it not. */
Status model_take_description(Model *model, const MetadataPair *pairs, size_t count, const char *path, Error *error);
/* SETOSA_ERROR_USAGE when the rows have another number of features than the model. */
Status model_check_features(const Model *model, const Dataset *dataset, Error *error);
/* Every row must have a label that the model knows. instead: the end of a message, ", or predict instead", or "". */
Status model_check_labels(const Model *model, const Dataset *dataset, const char *instead, Error *error);
/* The value of a pair; NULL: there is none. */
const char *model_metadata(const Model *model, const char *key);
/* Sets or replaces a pair. */
Status model_set_metadata(Model *model, Error *error, const char *key, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* bias (K) of the rows of a data set, which may hold x - shift: b_k + sum_d W_kd shift_d. */
void model_bias_for(double *bias, const Model *model, const Dataset *dataset);
/* The way back: takes a bias (K) of rows that hold x - shift (NULL: x) for the weights that the model has. */
void model_set_bias(Model *model, const double *bias, const double *shift);
/* Whether the bias needs f64: it is no row of f32 numbers, as that of shifted columns. */
bool model_bias_is_wide(const Model *model);
/* XXH3-128 of weights then bias, as the little-endian bytes of a model file: f32, a wide bias f64. */
Status model_hash(const Model *model, char hex[33], Error *error);

#endif
