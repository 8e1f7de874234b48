/* An option as one row of a table: parsing, printing, checking, hashing, comparing and help are made from it. */
#ifndef SETOSA_OPTIONS_OPTION_H
#define SETOSA_OPTIONS_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum OptionKind {
  OPTION_FLAG,   /* bool: true when given */
  OPTION_NOT,    /* bool: false when given, as --no-intercept */
  OPTION_SET,    /* int: `least` when given */
  OPTION_TEXT,   /* const char *; NULL: not set */
  OPTION_COUNT,  /* uint64_t in least..most */
  OPTION_SIZE,   /* size_t in least..most */
  OPTION_BYTES,  /* uint64_t, as "512M"; 0: not set */
  OPTION_REAL,   /* double in least..most, ends left out as open_least, open_most say; NAN, where may_be_unset: not set */
  OPTION_CHOICE, /* an enum: index into choices */
  OPTION_LIST    /* of the program (cli/options/options.h): of choices, or of any words without them */
} OptionKind;

/* The struct that the offset is into. */
typedef enum OptionHome {
  OPTION_OF_PROGRAM,  /* cli/options/options.h */
  OPTION_OF_DATA,     /* SetosaDataOptions */
  OPTION_OF_TRAINING, /* SetosaTrainOptions */
  OPTION_OF_COMPUTE   /* SetosaComputeOptions, also within SetosaTrainOptions */
} OptionHome;

/* What another value means to a training. */
typedef enum OptionClass {
  OPTION_RESULT, /* other weights: ranks must agree on it, checkpoints and models keep it, and a training goes on with no other */
  OPTION_STOPS,  /* says when to end, not which way: kept and agreed on likewise, yet a training may go on with another */
  OPTION_AROUND, /* where things lie and are done, and what is told: remembered, and another one is fine */
  OPTION_RUN     /* of this run alone: not remembered */
} OptionClass;

/* The file or folder that an option names. From this come the rule that no output overwrites anything (cli/outputs.h), and how the option
 * is remembered by a checkpoint. */
typedef enum OptionPath {
  PATH_NONE,
  PATH_READ,
  PATH_DATA,      /* read, with the labels that may lie beside it */
  PATH_OR_COLUMN, /* read where there is such a file; else it is no path */
  PATH_FOLDER,    /* in which files with names of their own are kept */
  PATH_WRITTEN,   /* whole or not at all */
  PATH_APPENDED   /* in place, as it comes */
} OptionPath;

/* Which commands an option belongs to. */
enum {
  FOR_TRAIN = 1 << 0,
  FOR_EVAL = 1 << 1,
  FOR_PREDICT = 1 << 2,
  FOR_EXPLAIN = 1 << 3,
  FOR_DEVICES = 1 << 4,
  FOR_CHECK = 1 << 5,
  FOR_INSPECT = 1 << 6,
  FOR_CACHE = 1 << 7,
  FOR_BENCH = 1 << 8,
  FOR_GENERATE = 1 << 9,
  FOR_CV = 1 << 10,
  FOR_EXPORT = 1 << 11,
  FOR_IMPORT = 1 << 12,
  FOR_SUMMARY = 1 << 13,
  FOR_ALL = (1 << 14) - 1,
  FOR_FIT = FOR_TRAIN | FOR_CV,
  FOR_MODEL_USE = FOR_EVAL | FOR_PREDICT | FOR_EXPLAIN | FOR_SUMMARY,
  FOR_DATA = FOR_FIT | FOR_MODEL_USE | FOR_CHECK | FOR_BENCH,
  FOR_TABLE = FOR_FIT | FOR_CHECK | FOR_BENCH | FOR_INSPECT, /* what says what the columns are; a model knows it */
  FOR_COMPUTE = FOR_FIT | FOR_EVAL | FOR_PREDICT
};

/* Solvers and backends to which an option means something; 0 stands for all. */
enum {
  WITH_NEWTON = 1 << SETOSA_SOLVER_NEWTON | 1 << SETOSA_SOLVER_AUTO,
  WITH_LBFGS = 1 << SETOSA_SOLVER_LBFGS | 1 << SETOSA_SOLVER_AUTO,
  WITH_CURVATURE = WITH_NEWTON | WITH_LBFGS,
  WITH_GD = 1 << SETOSA_SOLVER_GD,
  WITH_SGD = 1 << SETOSA_SOLVER_SGD,
  WITH_ADAM = 1 << SETOSA_SOLVER_ADAM,
  WITH_BATCHES = WITH_SGD | WITH_ADAM,
  WITH_NATIVE = 1 << SETOSA_BACKEND_NATIVE,
  WITH_DEVICE = WITH_NATIVE | 1 << SETOSA_BACKEND_CLBLAST
};

static inline bool solver_uses_batches(SetosaSolver solver) { return (WITH_BATCHES & 1U << solver) != 0; }

typedef enum OptionHeading {
  HEADING_DATA,
  HEADING_TRAINING,
  HEADING_DEVICE,
  HEADING_RESULT,
  HEADING_EXAMPLE,
  HEADING_BENCH,
  HEADING_SUMMARY
} OptionHeading;

typedef struct OptionRow {
  const char *name;     /* of the setting, without dashes */
  char letter;          /* short form of the flag, or 0 */
  const char *argument; /* placeholder in help; NULL: the flag takes no value */
  const char *help;     /* one sentence, without the default */
  const char *flag;     /* on the command line, without dashes; NULL: the name */
  OptionKind kind;
  OptionHome home;
  const char *field; /* its name in the struct, and where it lies */
  size_t offset;
  double least, most;
  bool open_least, open_most; /* the end itself is not allowed */
  bool not_zero;              /* 0 is not allowed */
  bool any_word;              /* OPTION_COUNT without a `most`: all of 64 bits; else no count is above 1e15, and all are exact as doubles */
  bool may_be_unset;          /* NAN is allowed, and no number */
  bool joins;                 /* OPTION_TEXT, a list of names: given again, it is the list of both */
  bool off_by_default;        /* the default means "without": any other value counts as given, also by a C caller */
  const char *const *choices; /* NULL-terminated, */
  size_t choice_count;        /* only so many of them; 0: all */
  OptionClass class;
  bool stops_at_constant_rate; /* OPTION_RESULT, yet with a constant schedule it only says when to end */
  bool resolved;               /* what the backend makes of the choice counts: that is kept, under the same name */
  bool alike;                  /* ranks must agree on it, though it is of this run alone */
  OptionPath path;
  const char *beside;    /* of a file: what is added to its name for a second one that goes along with it; NULL: none does */
  const char *continues; /* name of the option of what is read, whose file this output may be */
  unsigned solvers;      /* WITH_... of those that heed it */
  const char *instead;   /* what the other solvers have, as in "sgd and adam count --epochs"; may be NULL */
  unsigned backends;     /* WITH_... of those that heed it */
  unsigned commands;     /* FOR_... */
  OptionHeading heading;
  bool show_default; /* help adds "(default ...)" */
} OptionRow;

/* Kind and place of a row: DATA_OPTION(OPTION_TEXT, label). */
#define DATA_OPTION(what, member) .kind = what, .home = OPTION_OF_DATA, .field = #member, .offset = offsetof(SetosaDataOptions, member)
#define TRAIN_OPTION(what, member) \
  .kind = what, .home = OPTION_OF_TRAINING, .field = #member, .offset = offsetof(SetosaTrainOptions, member)
#define COMPUTE_OPTION(what, member) \
  .kind = what, .home = OPTION_OF_COMPUTE, .field = #member, .offset = offsetof(SetosaComputeOptions, member)

/* Below, `home` is the struct of the row's home. */

enum { OPTION_VALUE = 64 };
/* A text that is the same for the same value, and only then, and that option_parse takes back: "on", "0.0001", "lbfgs"; "" for a text that
 * is not set, "the default" for a number that is not. Points to `room` or to the text itself. */
const char *option_print(char room[OPTION_VALUE], const OptionRow *row, const void *home);
/* Sets the option to `text`, which a text option borrows; NULL: a flag that was given. SETOSA_ERROR_USAGE, and nothing is set, when it is
 * none of its values. */
Status option_parse(const OptionRow *row, void *home, const char *text, Error *error);
/* The index of a choice; SETOSA_ERROR_USAGE names the choices, or the nearest. */
Status option_parse_choice(const OptionRow *row, const char *text, int *choice, Error *error);
/* SETOSA_ERROR_USAGE, with the words of option_parse, when the value is out of its range. */
Status option_check(const OptionRow *row, const void *home, Error *error);
bool option_same(const OptionRow *row, const void *home, const void *other_home);
bool option_is_set(const OptionRow *row, const void *home);
void option_copy(const OptionRow *row, void *home, const void *from_home);
size_t option_size(const OptionRow *row); /* bytes of its place; 0 for kinds of the program */
static inline const char *option_flag(const OptionRow *row) { return row->flag != NULL ? row->flag : row->name; }

/* SETOSA_ERROR_USAGE when an option that was given would be without effect. */
Status option_check_solver(const OptionRow *row, SetosaSolver solver, Error *error);
Status option_check_backend(const OptionRow *row, SetosaBackend backend, Error *error);

#endif
