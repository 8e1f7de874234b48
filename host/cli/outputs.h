/* The one rule for everything that is written: no output lies on anything that is read, nor on another output, whatever the two are called.
 * What a command reads and writes stands in the rows of its options (OptionRow.path), so that a new option has the rule by its row. */
#ifndef SETOSA_CLI_OUTPUTS_H
#define SETOSA_CLI_OUTPUTS_H

#include "cli/options/options.h"

/* Before anything is read: SETOSA_ERROR_USAGE for an output of the commands in `commands` that would lie on something else, and
 * SETOSA_ERROR_WRITE for one that could not be written, which is tried and taken back. */
Status outputs_check(const Options *options, unsigned commands, Error *error);
#endif
