/* What a model knows of the columns of the table that it was trained on. */
#include <stdio.h>

#include "cli/inspect.h"
#include "cli/terminal/page.h"
#include "cli/terminal/units.h"

enum { SHOWN = 20 };

/* "sex: female, male" */
static void print_levels(const char *title, const SetosaColumn *column) {
  char text[SHOWN * (2 * CONSOLE_NAME + 4) + CONSOLE_NAME + 64], name[CONSOLE_NAME], word[2 * CONSOLE_NAME + 4];
  size_t used = 0;
  if (column->name != NULL)
    used = (size_t)snprintf(text, sizeof text, "%s: ", console_short_name(name, column->name));
  else
    used = (size_t)snprintf(text, sizeof text, "column %zu: ", column->number);
  for (size_t l = 0; l < column->level_count && l < SHOWN && used < sizeof text; l++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", l == 0 ? "" : ", ",
                             units_list_word(word, sizeof word, console_short_name(name, column->levels[l])));
  if (column->level_count > SHOWN && used < sizeof text)
    snprintf(text + used, sizeof text - used, ", ... (%zu more; --json lists all)", column->level_count - SHOWN);
  page_explain("  %-12s%s\n", title, text);
}

static void print_missing(const SetosaDataOptions *options) {
  static const char *const words[] = {[SETOSA_MISSING_DROP] = "rows that lack a value are left out",
                                      [SETOSA_MISSING_MEAN] = "the mean of the training rows is put in",
                                      [SETOSA_MISSING_ERROR] = "a row that lacks a value is an error"};
  char also[256] = "";
  if (options->na != NULL) snprintf(also, sizeof also, "; %s stands for one, too", options->na);
  console_make_visible(also);
  page_explain("  %-12s%s: %s%s\n", "missing", setosa_missing_name(options->missing), words[options->missing], also);
}

void inspect_print_columns(const SetosaModel *model) {
  const SetosaColumns *columns = setosa_model_columns(model);
  SetosaDataOptions options = setosa_model_data_options(model);
  SetosaColumn column;
  size_t categorical = 0;
  if (columns == NULL) return;
  for (size_t i = 0; setosa_columns_get(columns, i, &column); i++)
    if (column.categorical) print_levels(categorical++ == 0 ? "categorical" : "", &column);
  for (size_t i = 0; setosa_columns_id(columns, i) != NULL; i++) {
    char name[CONSOLE_NAME];
    page_explain("  %-12s%s\n", i == 0 ? "ids" : "", console_short_name(name, setosa_columns_id(columns, i)));
  }
  print_missing(&options);
  if (categorical > 0)
    page_explain("  %-12s%s: a value that is none of these %s\n", "unseen", setosa_unseen_name(options.unseen),
                 options.unseen == SETOSA_UNSEEN_ZERO ? "counts as none of them" : "is an error");
}

static json_t *levels_json(const SetosaColumn *column) {
  if (!column->categorical) return json_null();
  json_t *levels = json_array();
  for (size_t l = 0; l < column->level_count; l++) json_add(&levels, json_text(column->levels[l]));
  return levels;
}

json_t *inspect_columns_json(const SetosaModel *model) {
  const SetosaColumns *columns = setosa_model_columns(model);
  SetosaDataOptions options = setosa_model_data_options(model);
  SetosaColumn column;
  if (columns == NULL) return json_null();
  json_t *list = json_array(), *ids = json_array();
  for (size_t i = 0; setosa_columns_get(columns, i, &column); i++)
    json_add(&list, json_pack("{s:o, s:I, s:s, s:o, s:o, s:o}", "name", json_text(column.name), "number", (json_int_t)column.number, "kind",
                              column.categorical ? "categorical" : "numeric", "levels", levels_json(&column), "shift",
                              column.categorical ? json_null() : json_number(column.shift), "mean",
                              column.categorical ? json_null() : json_number(column.mean)));
  for (size_t i = 0; setosa_columns_id(columns, i) != NULL; i++) json_add(&ids, json_text(setosa_columns_id(columns, i)));
  return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o}", "features", list, "ids", ids, "missing", setosa_missing_name(options.missing),
                   "unseen", setosa_unseen_name(options.unseen), "na", json_text(options.na), "separator", json_text(options.separator),
                   "decimal", json_text(options.decimal));
}
