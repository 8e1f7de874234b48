/* The command line: the library's options (options/table.h) and the program's own, as rows that the parser, the checks and the help pages
 * are made from. */
#ifndef SETOSA_CLI_OPTIONS_H
#define SETOSA_CLI_OPTIONS_H

#include "cli/terminal/color.h"
#include "options/table.h"

enum { OPTIONS_ROWS = 128, OPTIONS_LIST = 16 };

/* What a repeatable option was given: words (devices), or indices into its choices; comma-separated ones each on their own. */
typedef struct OptionList {
  const char *text[OPTIONS_LIST];
  int choice[OPTIONS_LIST];
  size_t count;
} OptionList;

/* Everything a command line can say; what is not given holds the library's defaults. Strings are borrowed from argv or from `owned`. */
typedef struct Options {
  SetosaDataOptions data;
  SetosaTrainOptions train; /* and where to compute */
  /* The rest is the program's own: option_table.c. Data: */
  const char *test, *test_labels, *calibrate;
  bool calibrate_validation;
  double validation; /* NAN: not given */
  bool standardize;
  /* cross-validation */
  uint64_t folds;
  const char *l2_path;
  double l1_ratio;
  SetosaCvChoice choose;
  /* summary */
  SetosaSummaryOptions summary;
  bool summarize, odds, as_csv; /* summarize: --summary of train */
  /* where */
  OptionList devices;
  bool force_device;
  double wait_limit; /* seconds; 0: not given */
  /* results */
  const char *model, *start, *log, *output, *every, *resume, *report;
  uint64_t top_k; /* 0: every class */
  /* export */
  bool single;
  SetosaQuantize quantize;
  const char *name, *sample;
  /* results */
  bool strict, dry_run, json, quiet, verbose;
  ColorMode color;
  /* explain */
  const char *x, *classes, *weights, *bias;
  uint64_t row; /* 0: not given */
  /* devices */
  bool check, diagnose;
  /* bench */
  bool suite;
  OptionList backends, storages, what;
  const char *work, *fashion, *csv, *plot, *compare;
  uint64_t repeat; /* 0: not given */
  double seconds;

  bool help;
  const char **argument; /* (argument_count) what is not an option, in order */
  size_t argument_count, argument_capacity;

  bool given[OPTIONS_ROWS]; /* by index into the rows */
  char **owned;
  size_t owned_count, owned_capacity;
} Options;

/* The program's own rows. */
const OptionRow *option_program_table(size_t *count);
/* All rows, those of the program first: index < options_row_count(). */
size_t options_row_count(void);
const OptionRow *options_row(size_t index);
/* The struct that a row's place is in. */
const void *options_home(const Options *options, const OptionRow *row);
void options_copy(Options *options, const OptionRow *row, const Options *from);

struct Command;

/* The library's defaults. */
void options_default(Options *options);
/* Reads argv[1..argc) for a command; options and other arguments may come in any order, "--" ends the options. SETOSA_ERROR_USAGE with one
 * line on the first thing wrong. */
Status options_parse(Options *options, const struct Command *command, int argc, const char **argv, Error *error);
/* Sets --name of the commands in `commands` as if it stood on the command line; value (ignored for a flag) is borrowed. */
Status options_store(Options *options, unsigned commands, const char *name, const char *value, Error *error);
/* One more argument, which is borrowed. */
Status options_add_argument(Options *options, const char *text, Error *error);
/* Arguments from `first` on are files of data whose rows follow those of the file before them. */
void options_follow(Options *options, size_t first);
void options_free(Options *options);
/* Whether --name was on the command line. */
bool options_given(const Options *options, const char *name);
/* The nearest option of the commands in `commands` to a misspelt one, or NULL. */
const char *options_nearest(const char *name, unsigned commands);

#endif
