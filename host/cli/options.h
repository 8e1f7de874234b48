/* The options of all commands: one table that the parser, the checks and the help pages are made from. */
#ifndef SETOSA_CLI_OPTIONS_H
#define SETOSA_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

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
  FOR_ALL = (1 << 10) - 1,
  FOR_MODEL_USE = FOR_EVAL | FOR_PREDICT | FOR_EXPLAIN,
  FOR_DATA = FOR_TRAIN | FOR_MODEL_USE | FOR_CHECK | FOR_BENCH,
  FOR_COMPUTE = FOR_TRAIN | FOR_EVAL | FOR_PREDICT
};

enum { OPTIONS_ARGUMENTS = 4, OPTIONS_SPECS = 96, OPTIONS_LIST = 16 };

/* What a repeatable option was given: words (devices), or indices into its choices; comma-separated ones each on their own. */
typedef struct OptionList {
  const char *text[OPTIONS_LIST];
  int choice[OPTIONS_LIST];
  size_t count;
} OptionList;

/* Everything a command line can say; fields not given hold the library's defaults. Strings are borrowed from argv or from `owned`. */
typedef struct Options {
  /* data */
  int header; /* -1 detect, 0 none, 1 first line */
  const char *label, *labels, *features, *drop, *positive, *test, *test_labels;
  double scale, validation; /* NAN: not given */
  const char *cache;
  bool standardize, no_cache;
  /* training */
  int solver, schedule; /* SetosaSolver, SetosaSchedule */
  double l2, tolerance, learning_rate, momentum;
  uint64_t max_iterations, history, batch_size, epochs, seed;
  bool nesterov, no_intercept, strict;
  /* where */
  OptionList devices;
  int backend, family, storage, tuning; /* SetosaBackend, SetosaFamily, SetosaStorage, SetosaTuning */
  uint64_t device_memory;               /* bytes; 0: not given */
  bool force_device, reproducible, fast_reduce, dry_run;
  /* results */
  const char *model, *log, *output, *checkpoint, *every, *resume;
  uint64_t top_k; /* 0: every class */
  bool json, quiet, verbose;
  int color; /* ColorMode */
  /* explain */
  const char *x, *classes, *weights, *bias;
  uint64_t row; /* 0: not given */
  /* devices */
  bool check, diagnose;
  /* bench */
  bool suite;
  OptionList backends, storages, what;
  const char *work, *fashion, *csv, *compare;
  uint64_t repeat; /* 0: not given */
  double seconds;

  bool help;
  const char *argument[OPTIONS_ARGUMENTS]; /* what is not an option, in order */
  size_t argument_count;

  bool given[OPTIONS_SPECS]; /* by index into the table */
  char **owned;
  size_t owned_count, owned_capacity;
} Options;

typedef enum OptionKind {
  OPTION_FLAG,   /* bool = true */
  OPTION_SET,    /* int = least */
  OPTION_TEXT,   /* const char * */
  OPTION_COUNT,  /* uint64_t in least..most */
  OPTION_BYTES,  /* uint64_t, as "512M" */
  OPTION_REAL,   /* double in least..most, ends left out as open_least, open_most say */
  OPTION_CHOICE, /* int: index into choices */
  OPTION_LIST,   /* OptionList: of choices, or of any words without them */
  OPTION_LATER   /* of a later version: refused with a line */
} OptionKind;

typedef enum OptionHeading {
  HEADING_DATA,
  HEADING_TRAINING,
  HEADING_DEVICE,
  HEADING_RESULT,
  HEADING_EXAMPLE,
  HEADING_BENCH,
  HEADING_COUNT
} OptionHeading;

typedef struct OptionSpec {
  const char *name;     /* without dashes */
  char letter;          /* short form, or 0 */
  const char *argument; /* placeholder in help, NULL for flags */
  const char *help;     /* one sentence, without the default */
  size_t offset;        /* into Options */
  double least, most;
  const char *const *choices; /* NULL-terminated */
  unsigned commands;          /* FOR_... */
  OptionKind kind;
  OptionHeading heading;
  bool open_least, open_most; /* the end itself is not allowed */
  bool not_zero;              /* 0 is not allowed */
  bool show_default;          /* help adds "(default ...)" */
} OptionSpec;

const OptionSpec *option_specs(size_t *count);

struct Command;

/* The library's defaults. */
void options_default(Options *options);
/* Reads argv[1..argc) for a command; options and other arguments may come in any order, "--" ends the options. SETOSA_ERROR_USAGE with one
 * line on the first thing wrong. */
Status options_parse(Options *options, const struct Command *command, int argc, const char **argv, Error *error);
/* Sets --name of the commands in `commands` as if it stood on the command line; value (ignored for a flag) is borrowed. */
Status options_store(Options *options, unsigned commands, const char *name, const char *value, Error *error);
void options_free(Options *options);
/* Whether --name was on the command line. */
bool options_given(const Options *options, const char *name);
/* The nearest option of the commands in `commands` to a misspelt one, or NULL. */
const char *options_nearest(const char *name, unsigned commands);

#endif
