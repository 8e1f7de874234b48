/* `setosa inspect` is several pages with one name. */
#ifndef SETOSA_CLI_INSPECT_H
#define SETOSA_CLI_INSPECT_H

#include "cli/command.h"
#include "cli/json_output.h"

/* Of data: what the columns of a table are, and what becomes of each; the shape of arrays. */
Status inspect_data(const Session *session, Error *error);
/* Of arrays, and of synthetic rows; how: to be read so. */
Status inspect_array(const Session *session, SetosaDataOptions how, Error *error);

/* "Adelie 152, Chinstrap 68, ... (5)": as many as fit in `width` columns, "5 names" where not even one does. size: 4 bytes a column, and
 * room for one more. */
void inspect_format_counts(char *text, size_t size, size_t width, size_t count, const char *const *names, const uint64_t *counts);
/* [{"name": "Adelie", "rows": 152}, ...] */
json_t *inspect_counts_json(size_t count, const char *const *names, const uint64_t *counts);
/* "iris.csv", "a.csv and 2 more", visible. */
void inspect_name_data(char *text, size_t size, const Options *options);
/* The words that DATA was named by. */
json_t *inspect_sources_json(const Options *options);
static inline const char *inspect_plural(uint64_t count) { return count == 1 ? "" : "s"; }

/* What a model knows of the columns of the table that it was trained on; nothing, and null, where it was none. */
void inspect_print_columns(const SetosaModel *model);
json_t *inspect_columns_json(const SetosaModel *model);

#endif
