/* A synthetic data set on its way into a file. Private to generate*.c. */
#ifndef SETOSA_DATA_GENERATE_INSIDE_H
#define SETOSA_DATA_GENERATE_INSIDE_H

#include "data/output.h"
#include "data/sparse.h"
#include "data/synthetic.h"

typedef enum GenerateForm {
  FORM_TABLE, /* .csv, .tsv */
  FORM_SVM,   /* LIBSVM's text */
  FORM_NPY,
  FORM_NPZ /* CSR, as scipy.sparse has it */
} GenerateForm;

typedef struct Generation {
  SyntheticSpec spec;
  Synthetic *synthetic;
  const char *path;
  GenerateForm form;
  char *labels_path; /* of .npy alone */
  Output *output, *labels_output;
  size_t chunk;         /* rows */
  float *values;        /* (chunk,D) of dense rows */
  SparseArrays entries; /* (chunk) of rows that are written as entries */
  int32_t *labels;      /* (chunk) */
  char separator;       /* of a table */
  char *text;           /* (TEXT_BLOCK) */
  size_t text_length;
  const SetosaGenerateOptions *options;
  unsigned pass, passes; /* over the rows */
  double began, reported;
} Generation;

/* ---- generate.c -------------------------------------------------------------------------------------------------- */

/* What of a chunk of rows is wanted. */
typedef enum RowParts { PART_LENGTHS = 1, PART_COLUMNS = 2, PART_VALUES = 4, PART_LABELS = 8 } RowParts;

static inline bool generate_is_sparse(const Generation *g) { return synthetic_spec_is_sparse(&g->spec); }
/* Of the next rows from `row` on, a chunk at most, and *rows of them: entries and labels as wanted. */
void generate_entries(Generation *g, uint64_t row, size_t *rows, unsigned parts);
/* Rows of this pass are done; SETOSA_INTERRUPTED when that was enough. */
Status generate_report(Generation *g, uint64_t rows_done, Error *error);

/* ---- generate_text.c --------------------------------------------------------------------------------------------- */

enum { TEXT_BLOCK = 1 << 16 };
Status generate_table_header(Generation *g, Error *error);
Status generate_table_rows(Generation *g, size_t rows, Error *error);
/* Of entries: "label column:value ...", columns from 1 on. */
Status generate_svm_rows(Generation *g, size_t rows, Error *error);
Status generate_text_flush(Generation *g, Error *error);

/* ---- generate_npz.c ---------------------------------------------------------------------------------------------- */

/* All of the archive: rows are made again for each of its arrays, so that none is held. */
Status generate_npz(Generation *g, Error *error);

#endif
