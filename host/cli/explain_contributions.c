/* Why the predicted class and not the runner-up: what each column adds to their log-odds, as numbers and bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

enum { LISTED = 12, BAR = 24, NAME_SIZE = 256 };

/* "bill_length_mm", "sex=female", "sex" where it has none of the words, or a number. */
static const char *item_name(char text[NAME_SIZE], const SetosaContribution *item, const SetosaModel *model, ExplainNames names) {
  SetosaColumn column = {0};
  bool none = item->categorical && item->feature == SETOSA_NO_FEATURE;
  const char *name = none ? NULL : setosa_model_feature_name(model, item->feature);
  bool known = setosa_columns_get(setosa_model_columns(model), item->column, &column);
  if (name != NULL)
    snprintf(text, NAME_SIZE, "%s", name);
  else if (none && known && column.name != NULL)
    snprintf(text, NAME_SIZE, "%s (another)", column.name);
  else
    snprintf(text, NAME_SIZE, "%zu%s", none ? column.number : item->feature + names.first, none ? " (another)" : "");
  return text;
}

/* A bar of "+" or "-", the longest BAR long; one that is not 0 shows. */
static const char *bar(char text[BAR + 1], double amount, double largest) {
  size_t length = largest > 0 ? (size_t)ceil(fabs(amount) / largest * BAR - 1e-9) : 0;
  if (length > BAR) length = BAR;
  memset(text, amount < 0 ? '-' : '+', length);
  text[length] = '\0';
  return text;
}

static Status add_row(Table *table, const SetosaContribution *item, double largest, const SetosaModel *model, ExplainNames names,
                      Error *error) {
  Status status = SETOSA_OK;
  char name[NAME_SIZE], drawn[BAR + 1];
  TRY(table_cell(table, error, "%s", item_name(name, item, model, names)));
  TRY(table_number(table, item->value, 5, error));
  TRY(table_number(table, item->mean, 5, error));
  TRY(table_cell(table, error, "%+.4f", item->amount));
  TRY(table_cell(table, error, "%s", bar(drawn, item->amount, largest)));
cleanup:
  return status;
}

Status explain_print_contributions(const SetosaContributions *of, const SetosaModel *model, ExplainNames names, const Session *session,
                                   Error *error) {
  static const TableColumn columns[] = {
      {"feature", false, true}, {"x", true, false}, {"mean", true, false}, {"adds", true, false}, {"for (+), against (-)", false, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char predicted[CONSOLE_NAME], runner_up[CONSOLE_NAME];
  double rest = 0;
  bool color = session->console.color_out;
  if (of == NULL) {
    page_explain(
        "\n  What each feature adds is not told: the model does not know the means of its training rows, as one of an earlier version "
        "or of another program; train it again.\n");
    return SETOSA_OK;
  }
  size_t shown = of->count > LISTED ? LISTED : of->count;
  console_short_name(predicted, names.classes[of->predicted]);
  console_short_name(runner_up, names.classes[of->runner_up]);
  page_explain("\n%sWhy %s rather than %s: what each feature adds to ln(a_%zu/a_%zu)%s\n", color_code(color, COLOR_BOLD), predicted,
               runner_up, of->predicted + 1, of->runner_up + 1, color_code(color, COLOR_PLAIN));
  page_explain(
      "  ln(a_%zu/a_%zu) = %+.4f = %+.4f of a row that has the means of the training rows, and (w_%zu - w_%zu)_i (x_i - mean_i)%s of "
      "each feature\n\n",
      of->predicted + 1, of->runner_up + 1, of->log_odds, of->baseline, of->predicted + 1, of->runner_up + 1,
      setosa_model_temperature(model) != 1 ? " / T" : "");
  TRY(table_create(&table, sizeof columns / sizeof *columns, columns, error));
  for (size_t i = 0; i < shown; i++) TRY(add_row(table, &of->items[i], fabs(of->items[0].amount), model, names, error));
  table_print(table, console_page_width(), color);
  for (size_t i = of->count; i > shown; i--) rest += of->items[i - 1].amount;
  if (shown < of->count) page_explain("  ... and %zu more, together %+.4f (--json lists them all)\n", of->count - shown, rest);
cleanup:
  table_destroy(table);
  return status;
}

json_t *explain_contributions_json(const SetosaContributions *of, const SetosaModel *model, ExplainNames names) {
  char name[NAME_SIZE];
  if (of == NULL) return json_null();
  json_t *items = json_array();
  for (size_t i = 0; items != NULL && i < of->count; i++) {
    const SetosaContribution *item = &of->items[i];
    json_add(&items, json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(item_name(name, item, model, names)), "x",
                               json_number(item->value), "mean", json_number(item->mean), "adds", json_number(item->amount)));
  }
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "predicted", json_text(names.classes[of->predicted]), "runner_up",
                   json_text(names.classes[of->runner_up]), "log_odds", json_number(of->log_odds), "baseline", json_number(of->baseline),
                   "features", items);
}
