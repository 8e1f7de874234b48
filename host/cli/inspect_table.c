/* `setosa inspect` of data: what the columns of a table are, and what becomes of each. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/inputs.h"
#include "cli/inspect.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

enum { VALUES_SIZE = 768, VALUES_NARROWEST = 10, VALUES_WIDEST = 72, LEAST_DIGITS = 6, MOST_DIGITS = 15 };

/* ---- what a column is, in words ----------------------------------------------------------------------------------- */

static const char *use_name(SetosaColumnUse use) {
  static const char *const names[] = {"feature", "label", "weights", "id", "left out", "in the way"};
  return names[use];
}

static const char *kind_name(const SetosaColumnReport *column) {
  if (column->use != SETOSA_COLUMN_FEATURE) return use_name(column->use);
  return column->categorical ? "categorical" : "numeric";
}

static const char *note_of(const SetosaColumnReport *column) {
  return column->note[0] != '\0' ? column->note : column->use == SETOSA_COLUMN_FEATURE ? "1 feature" : "-";
}

/* With digits enough to tell the least number from the most; without the mean where there is no room for it. */
static void format_numbers(char *text, size_t size, size_t width, const SetosaColumnReport *column) {
  double spread = column->most - column->least, largest = fmax(fabs(column->least), fabs(column->most));
  int digits = LEAST_DIGITS;
  if (!(spread > 0)) {
    snprintf(text, size, "%.*g", MOST_DIGITS, column->least);
    return;
  }
  int whole = largest >= 1 && largest < 1e15 ? (int)log10(largest) + 1 : 1; /* digits before the point */
  if (largest / spread < 1e15) digits = (int)fmin(fmax(LEAST_DIGITS, ceil(log10(largest / spread)) + 3), MOST_DIGITS);
  digits = whole > digits ? whole : digits;
  size_t range = (size_t)snprintf(text, size, "%.*g to %.*g, mean %.*g", digits, column->least, digits, column->most,
                                  whole < digits ? digits - 1 : digits, column->mean);
  if (range > width) snprintf(text, size, "%.*g to %.*g", digits, column->least, digits, column->most);
}

static void format_values(char *text, size_t size, size_t width, const SetosaColumnReport *column) {
  if (column->levels_named > 0)
    inspect_format_counts(text, size, width, column->levels_named, column->level_names, column->level_counts);
  else if (column->levels > 0)
    snprintf(text, size, "%llu names", (unsigned long long)column->levels);
  else if (!isnan(column->least))
    format_numbers(text, size, width, column);
  else
    snprintf(text, size, "-");
}

/* ---- a table ------------------------------------------------------------------------------------------------------ */

/* Columns of the page for values: what names, kinds and notes leave; of very long notes, half of what is left for both. */
static size_t values_width(const SetosaTableReport *report) {
  enum { NAME_MOST = 24, GAPS = 10, MISSING = 7 };
  size_t name = 6, kind = 5, note = 4, page = console_page_width();
  for (size_t c = 0; c < report->column_count; c++) {
    const SetosaColumnReport *column = &report->columns[c];
    size_t wide[] = {console_columns(column->name), strlen(kind_name(column)), console_columns(note_of(column))};
    name = wide[0] > name ? wide[0] : name;
    kind = wide[1] > kind ? wide[1] : kind;
    note = wide[2] > note ? wide[2] : note;
  }
  size_t others = (name < NAME_MOST ? name : NAME_MOST) + kind + MISSING + GAPS, both = page > others ? page - others : 0;
  size_t left = note < both / 2 ? both - note : both / 2;
  return left < VALUES_NARROWEST ? VALUES_NARROWEST : left > VALUES_WIDEST ? VALUES_WIDEST : left;
}

static Status print_columns(const SetosaTableReport *report, const Session *session, Error *error) {
  static const TableColumn columns[] = {
      {"column", false, true}, {"kind", false, false}, {"missing", true, false}, {"values", false, true}, {"note", false, true}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char values[VALUES_SIZE];
  size_t width = values_width(report);
  TRY(table_create(&table, 5, columns, error));
  for (size_t c = 0; c < report->column_count; c++) {
    const SetosaColumnReport *column = &report->columns[c];
    format_values(values, sizeof values, width, column);
    TRY(table_cell(table, error, "%s", column->name));
    TRY(table_cell(table, error, "%s", kind_name(column)));
    TRY(table_cell(table, error, "%llu", (unsigned long long)column->missing));
    TRY(table_cell(table, error, "%s", values));
    TRY(table_cell(table, error, "%s", note_of(column)));
  }
  table_print(table, console_page_width(), session->console.color_out);
cleanup:
  table_destroy(table);
  return status;
}

static Status print_table(const SetosaTableReport *report, const Session *session, Error *error) {
  char name[512], left_out[INPUT_WORDS];
  size_t used = 0;
  unsigned long long rows = report->rows, features = report->features;
  Status status = print_columns(report, session, error);
  if (status != SETOSA_OK) return status;
  inspect_name_data(name, sizeof name, session->options);
  input_left_out(left_out, report->rows_left_out);
  page_print("\n  %-12s%s: %llu row%s%s%s\n", "data", name, rows, inspect_plural(rows), left_out[0] != '\0' ? ", " : "", left_out);
  for (size_t c = 0; c < report->column_count; c++) used += report->columns[c].use == SETOSA_COLUMN_FEATURE;
  if (report->problem == NULL)
    page_print("  %-12s%llu, made of %zu column%s%s\n", "features", features, used, inspect_plural(used),
               report->sparse ? "; kept as sparse rows" : "");
  page_print("  %-12s%s, separator '%s', decimal point '%s'\n", "table", report->header ? "header" : "no header", report->separator,
             report->decimal);
  if (report->problem != NULL) {
    char problem[sizeof error->message];
    snprintf(problem, sizeof problem, "%s", report->problem);
    console_make_visible(problem);
    page_print("  %-12s%s\n", "problem", problem);
  }
  return status;
}

static json_t *column_json(const SetosaColumnReport *column) {
  bool named = column->levels_named > 0;
  return json_pack("{s:o, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "name", json_text(column->name), "use",
                   use_name(column->use), "kind", column->categorical ? "categorical" : "numeric", "present", (json_int_t)column->present,
                   "missing", (json_int_t)column->missing, "levels",
                   column->levels > 0 ? json_integer((json_int_t)column->levels) : json_null(), "names",
                   named ? inspect_counts_json(column->levels_named, column->level_names, column->level_counts) : json_null(), "least",
                   json_number(column->least), "most", json_number(column->most), "mean", json_number(column->mean), "deviation",
                   json_number(column->deviation), "shift", json_number(column->shift), "features", (json_int_t)column->features, "note",
                   json_text(column->note));
}

static Status print_table_json(const SetosaTableReport *report, const Session *session, Error *error) {
  json_t *columns = json_array();
  for (size_t c = 0; c < report->column_count; c++) json_add(&columns, column_json(&report->columns[c]));
  json_t *document = json_pack("{s:s, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:b}, s:{s:b, s:s, s:s}, s:o, s:o}", "command", "inspect", "version",
                               SETOSA_VERSION, "sources", inspect_sources_json(session->options), "data", "rows",
                               (json_int_t)(report->rows - report->rows_left_out), "source_rows", (json_int_t)report->rows, "left_out",
                               (json_int_t)report->rows_left_out, "features", (json_int_t)report->features, "sparse", report->sparse,
                               "table", "header", report->header, "separator", report->separator, "decimal", report->decimal, "columns",
                               columns, "problem", json_text(report->problem));
  return json_print(document, false, stdout, error);
}

/* What was read from a pipe cannot be read again. */
static bool can_be_read_twice(const char *source) {
  struct stat info;
  return strcmp(source, "-") != 0 && (stat(source, &info) != 0 || S_ISREG(info.st_mode));
}

Status inspect_data(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  const char *source = options->argument[0];
  SetosaTableReport *report = NULL;
  SetosaDataOptions how = options->data;
  Progress progress;
  progress_begin(&progress, &session->console, source);
  how.progress = progress_update;
  how.progress_user = &progress;
  status = setosa_table_inspect(&report, source, &how, error);
  progress_end(&progress);
  TRY(status);
  if (report == NULL && !can_be_read_twice(source))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is no table (CSV, TSV, ...); arrays are inspected in a file", source));
  if (report == NULL)
    TRY(inspect_array(session, how, error));
  else if (options->json)
    TRY(print_table_json(report, session, error));
  else
    TRY(print_table(report, session, error));
cleanup:
  setosa_table_report_destroy(report);
  return status;
}
