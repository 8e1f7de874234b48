/* A table while it is being read: how it is written, what its columns are called, and which of them is what. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_TABLE_H
#define SETOSA_DATA_TABLE_TABLE_H

#include "data/table/missing.h"

#define TABLE_NONE SIZE_MAX /* no such column */

/* What becomes of the fields of a column. */
typedef enum FieldRole { FIELD_SKIP, FIELD_NUMERIC, FIELD_CATEGORICAL, FIELD_LABEL, FIELD_WEIGHT } FieldRole;

typedef struct TableColumn {
  char *name;   /* NULL without a header */
  bool unnamed; /* its cell of the header was empty, and the name is ours */
  FieldRole role;
  bool candidate;            /* for a feature: wanted, and nothing else */
  bool asked;                /* by --features, or by the model */
  bool dropped;              /* by --drop */
  bool categorical, numeric; /* by --categorical, --numeric */
  size_t id;                 /* its place among those carried along, or TABLE_NONE */
  const char *why;           /* it is left out, or in the way: "counts rows", ...; static; NULL: it is not */
  bool in_the_way;
  bool too_many; /* in the way, for having more different texts than are kept */
  /* Of features: */
  size_t feature;     /* the first that it makes */
  size_t place;       /* in Table.order, while rows are made */
  double shift, fill; /* numeric: what is taken off, and what stands in for a missing value (in x, not x - shift) */
  NameTable *levels;  /* categorical: index i makes feature + i */
} TableColumn;

static inline bool table_column_is_feature(const TableColumn *column) {
  return column->role == FIELD_NUMERIC || column->role == FIELD_CATEGORICAL;
}

typedef struct Table {
  Reader *reader;
  TableText *text;
  TextPart head;
  Dialect dialect;
  MissingWords missing_words;
  bool header;
  size_t header_fields; /* of the first record; may be one less than count (R's write.table) */
  uint64_t header_line;
  TableColumn *columns; /* (count) */
  size_t count;
  size_t label, weight; /* columns, or TABLE_NONE */
  size_t index;         /* the column that counts rows, as far as the head shows, or TABLE_NONE */
  size_t *order;        /* (order_count) columns that may be features, in the order of the features */
  size_t order_count;
  size_t *ids; /* (id_count) columns that are carried along */
  size_t id_count;
  size_t features;
  SetosaMissing missing;
  SetosaUnseen unseen;
  struct Survey *head_survey; /* of the head alone; NULL when it cannot be read */
  struct Survey *all,
      *kept;        /* of all rows, and of those that are used: the same where none is left out; NULL where a model knows the columns */
  bool guesses;     /* what the columns are is guessed from the head */
  bool inspects;    /* the levels of the label are wanted, too */
  bool sparse;      /* rows are made as their entries */
  Remarks *remarks; /* of the data set */
} Table;

/* Opens the text, and finds out all that the head and the options say. Of reader->stream and remarks, which stay the caller's. */
Status table_open(Table *table, Reader *reader, Remarks *remarks, Error *error);
void table_close(Table *table);

/* "'age'" or "3": for messages; and without the quotes, where an option is spoken of. */
enum { TABLE_NAME = 80 };
const char *table_column_name(char room[TABLE_NAME], const Table *table, size_t column);
const char *table_plain_name(char room[TABLE_NAME], const Table *table, size_t column);
/* What a shell takes apart, or for something else. */
#define TABLE_SHELL_SPECIAL " \t\r\n\"'\\$`!*?[](){}<>|&;#~="
/* "age" or "3", as options name it; quoted for a shell where it has to be. */
Status table_append_option_name(Text *text, const Table *table, size_t column, Error *error);
/* The name alone, for Records; NULL: it has none. */
const char *table_name_of(const void *table, size_t column);
/* A column by its name, or TABLE_NONE. */
size_t table_find(const Table *table, const char *name);
/* Before a list of parts; whether the first record of this part is the header. */
static inline bool table_part_has_header(const Table *table, const TextPart *part) { return table->header && part->begins_file; }
/* SETOSA_ERROR_DATA when a record has another number of fields than the table. */
Status table_check_record(const Table *table, const Records *records, Error *error);
/* The record is the header of a file: SETOSA_ERROR_DATA when it is not the table's. */
Status table_check_header(const Table *table, const Records *records, Error *error);

/* dialect.c: separator, decimal point of the head and quotes, as options say or as it looks. */
Status table_find_dialect(Table *table, Error *error);
/* header.c: whether there is a header, and the names of the columns. */
Status table_find_header(Table *table, Error *error);
/* roles.c: label, weights, ids, and what may be a feature; from the names, the options, and what a model expects. */
struct Survey;
Status table_find_roles(Table *table, const struct Survey *head, Error *error);

/* kinds.c: looks at all of the text, and decides what each column becomes. SETOSA_ERROR_DATA names every column that is in the way. */
Status table_find_kinds(Table *table, Error *error);
/* refuse.c: SETOSA_ERROR_DATA when columns are in the way; under --missing error, when a value is missing; when no feature or no row is
 * left. */
Status table_refuse_columns(const Table *table, Error *error);
Status table_refuse_missing(const Table *table, Error *error);
Status table_check_enough(const Table *table, Error *error);
/* guess.c: most large tables are numbers and a label, and say so at once. *guessed: the columns are decided as if all of the text were like
 * its head, so that one pass makes rows and finds out whether that is right. */
Status table_guess(bool *guessed, Table *table, const struct Survey *head, Error *error);
/* Whether all rows, surveyed while they were made, would have been decided alike; takes the survey over if so. */
Status table_confirm(bool *right, Table *table, struct Survey **all, Error *error);
/* As if nothing was decided yet. */
void table_forget_guess(Table *table);
/* kinds.c: numbers the features, and chooses what is taken off them, from table->kept. */
Status table_number_features(Table *table, Error *error);
/* What there is to say of columns that are used. */
Status table_remark_columns(Table *table, Error *error);
/* table.c: whether rows are entries rather than values: by the columns alone, whose features are numbered, so that all rows that are read
 * alike are of one kind. */
bool table_is_sparse(const Table *table);
/* expected.c: what each column becomes for a model. */
Status table_take_expected(Table *table, Error *error);

#endif
