/* A summary for people, as JSON and as CSV. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/summary.h"
#include "cli/terminal/csv.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

/* More classes than this are for --csv and --json. */
enum { LISTED_CLASSES = 50 };

static const char *errors_name(const SetosaSummary *s) {
  return s->robust ? "robust" : s->l2 > 0 ? "penalised information" : "information";
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

/* A probability as it is published. */
static const char *p_text(char text[UNITS_SIZE], double p) {
  if (isnan(p))
    snprintf(text, UNITS_SIZE, "-");
  else
    snprintf(text, UNITS_SIZE, p < 0.0005 ? "<0.001" : "%.3f", p);
  return text;
}

static Status add_row(Table *table, const char *name, const SetosaEstimate *of, bool ratio, Error *error) {
  Status status = SETOSA_OK;
  char text[UNITS_SIZE];
  TRY(table_cell(table, error, "%s", name));
  TRY(table_cell(table, error, "%.5g", ratio ? exp(of->value) : of->value));
  TRY(table_cell(table, error, "%.4g", ratio ? exp(of->value) * of->standard_error : of->standard_error));
  TRY(table_cell(table, error, "%.2f", of->z));
  TRY(table_cell(table, error, "%s", p_text(text, of->p)));
  TRY(table_cell(table, error, "%.4g", ratio ? exp(of->low) : of->low));
  TRY(table_cell(table, error, "%.4g", ratio ? exp(of->high) : of->high));
cleanup:
  return status;
}

/* The estimates of a class, `of` (T). ratio: their exponentials, with the standard error of the delta method; z and p are of the
 * coefficient. */
static Status print_class(const SetosaSummary *s, const SetosaEstimate *of, const char *value, bool ratio, const Session *session,
                          Error *error) {
  Status status = SETOSA_OK;
  Table *table = NULL;
  char low[UNITS_SIZE];
  snprintf(low, sizeof low, "[%.4g %%", 100 * s->confidence);
  const TableColumn columns[] = {{"term", false, true}, {value, true, false}, {"std. err.", true, false}, {"z", true, false},
                                 {"p", true, false},    {low, true, false},   {"interval]", true, false}};
  TRY(table_create(&table, sizeof columns / sizeof *columns, columns, error));
  for (size_t t = 0; t < s->term_count; t++)
    if (s->terms[t].estimated && !isnan(of[t].value)) TRY(add_row(table, s->terms[t].name, &of[t], ratio, error));
  table_print(table, console_page_width(), session->console.color_out);
cleanup:
  table_destroy(table);
  return status;
}

static void print_title(const Session *session, const char *format, const char *a, const char *b) {
  char one[CONSOLE_NAME], two[CONSOLE_NAME], text[3 * CONSOLE_NAME];
  bool color = session->console.color_out;
  console_short_name(one, a);
  console_short_name(two, b);
  snprintf(text, sizeof text, format, one, two);
  page_print("\n%s%s%s\n", color_code(color, COLOR_BOLD), text, color_code(color, COLOR_PLAIN));
}

static void print_tests(const SetosaSummary *s, const Session *session) {
  char weight[UNITS_SIZE];
  report_field(session, "likelihood", "log %.6f, of the shares of the classes alone %.6f", s->log_likelihood, s->log_likelihood_null);
  if (!isnan(s->lr_p))
    report_field(session, "LR test", "chi-square %.4f on %llu degrees of freedom, p = %.4g", s->lr, (unsigned long long)s->lr_df, s->lr_p);
  report_field(session, "fit", "McFadden R2 %.6f, AIC %.4f, BIC %.4f", s->pseudo_r2, s->aic, s->bic);
  if (s->weight != (double)s->rows)
    report_field(session, "weights", "%s, each row %s", units_sum(weight, s->weight),
                 s->weights_are == SETOSA_WEIGHTS_COUNT ? "counting so many times" : "standing for so many others");
  if (s->robust)
    report_field(session, "std. errors", "robust (sandwich, HC0)");
  else if (s->l2 > 0)
    report_field(session, "std. errors", "of the penalised information, --l2 %g: %.4g effective parameters", s->l2, s->parameters);
  else
    report_field(session, "std. errors", "of the observed information, %.4g parameters", s->parameters);
  for (size_t t = 0; t < s->term_count; t++) {
    char text[512];
    if (s->terms[t].estimated) continue;
    snprintf(text, sizeof text, "%s: %s", s->terms[t].name, s->terms[t].note);
    console_make_visible(text);
    report_field(session, "left out", "%s", text);
  }
}

Status summary_print(const SetosaSummary *s, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  bool odds = session->options->odds;
  size_t listed = s->classes < LISTED_CLASSES ? s->classes : LISTED_CLASSES;
  print_tests(s, session);
  if (session->facts != NULL) return SETOSA_OK; /* a page has its own tables */
  for (size_t k = 0; k < listed; k++) {
    if (k == s->base) continue;
    print_title(session, "%s against %s", s->class_names[k], s->class_names[s->base]);
    TRY(print_class(s, s->coefficients + k * s->term_count, odds ? "risk ratio" : "coefficient", odds, session, error));
  }
  for (size_t k = 0; s->effects != NULL && k < listed; k++) {
    print_title(session, "Average marginal effects on the probability of %s", s->class_names[k], "");
    TRY(print_class(s, s->effects + k * s->term_count, "dP/dx", false, session, error));
  }
  if (listed < s->classes) page_print("\n  ... and %zu classes more: --csv and --json have them all\n", s->classes - listed);
cleanup:
  return status;
}

void summary_print_remarks(const SetosaSummary *s, const Session *session) {
  for (size_t i = 0; i < s->remark_count; i++) console_warn(&session->console, "%s", s->remarks[i]);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static json_t *estimate_json(const SetosaSummary *s, const SetosaEstimate *of, size_t k, size_t t, const char *value) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "class", json_text(s->class_names[k]), "term", json_text(s->terms[t].name),
                   value, json_number(of->value), "standard_error", json_number(of->standard_error), "z", json_number(of->z), "p",
                   json_number(of->p), "low", json_number(of->low), "high", json_number(of->high));
}

static json_t *coefficients_json(const SetosaSummary *s) {
  json_t *list = json_array();
  for (size_t k = 0; k < s->classes; k++)
    for (size_t t = 0; t < s->term_count; t++) {
      const SetosaEstimate *of = &s->coefficients[k * s->term_count + t];
      if (k == s->base || !s->terms[t].estimated) continue;
      json_t *entry = estimate_json(s, of, k, t, "coefficient");
      json_put(&entry, "relative_risk_ratio", json_number(exp(of->value)));
      json_put(&entry, "relative_risk_ratio_low", json_number(exp(of->low)));
      json_put(&entry, "relative_risk_ratio_high", json_number(exp(of->high)));
      json_add(&list, entry);
    }
  return list;
}

static json_t *effects_json(const SetosaSummary *s) {
  json_t *list = json_array();
  for (size_t k = 0; k < s->classes; k++)
    for (size_t t = 0; t < s->term_count; t++)
      if (s->terms[t].estimated && !s->terms[t].intercept)
        json_add(&list, estimate_json(s, &s->effects[k * s->term_count + t], k, t, "effect"));
  return list;
}

static json_t *left_out_json(const SetosaSummary *s) {
  json_t *list = json_array();
  for (size_t t = 0; t < s->term_count; t++)
    if (!s->terms[t].estimated)
      json_add(&list, json_pack("{s:o, s:o}", "term", json_text(s->terms[t].name), "why", json_text(s->terms[t].note)));
  return list;
}

static json_t *remarks_json(const SetosaSummary *s) {
  json_t *list = json_array();
  for (size_t i = 0; i < s->remark_count; i++) json_add(&list, json_text(s->remarks[i]));
  return list;
}

json_t *summary_json(const SetosaSummary *s) {
  json_t *document =
      json_pack("{s:o, s:o, s:s, s:s, s:o}", "base", json_text(s->class_names[s->base]), "confidence", json_number(s->confidence),
                "standard_errors", errors_name(s), "weights_are", setosa_weights_are_name(s->weights_are), "l2", json_number(s->l2));
  json_put(&document, "log_likelihood", json_number(s->log_likelihood));
  json_put(&document, "log_likelihood_null", json_number(s->log_likelihood_null));
  json_put(&document, "lr", json_number(s->lr));
  json_put(&document, "lr_df", json_integer((json_int_t)s->lr_df));
  json_put(&document, "lr_p", json_number(s->lr_p));
  json_put(&document, "pseudo_r2_mcfadden", json_number(s->pseudo_r2));
  json_put(&document, "parameters", json_number(s->parameters));
  json_put(&document, "aic", json_number(s->aic));
  json_put(&document, "bic", json_number(s->bic));
  json_put(&document, "distance", json_number(s->distance));
  json_put(&document, "steps", json_integer((json_int_t)s->steps));
  json_put(&document, "reads", json_integer((json_int_t)s->reads));
  json_put(&document, "coefficients", coefficients_json(s));
  json_put(&document, "left_out", left_out_json(s));
  if (s->effects != NULL) json_put(&document, "effects", effects_json(s));
  json_put(&document, "remarks", remarks_json(s));
  return document;
}

/* ---- CSV ---------------------------------------------------------------------------------------------------------- */

static void print_csv_number(double value) {
  if (isnan(value))
    fputc(',', stdout);
  else
    printf(",%.15g", value);
}

static void print_csv_line(const SetosaSummary *s, const char *what, const SetosaEstimate *of, size_t k, size_t t, bool terminal) {
  printf("%s,", what);
  csv_name(stdout, s->class_names[k], terminal);
  fputc(',', stdout);
  csv_name(stdout, s->terms[t].name, terminal);
  const double numbers[] = {of->value, of->standard_error, of->z, of->p, of->low, of->high};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) print_csv_number(numbers[i]);
  fputc('\n', stdout);
}

void summary_print_csv(const SetosaSummary *s) {
  bool terminal = isatty(fileno(stdout)) == 1;
  fputs("what,class,term,value,standard_error,z,p,low,high\n", stdout);
  for (size_t k = 0; k < s->classes; k++)
    for (size_t t = 0; k != s->base && t < s->term_count; t++)
      print_csv_line(s, "coefficient", &s->coefficients[k * s->term_count + t], k, t, terminal);
  for (size_t k = 0; s->effects != NULL && k < s->classes; k++)
    for (size_t t = 0; t < s->term_count; t++)
      if (!s->terms[t].intercept) print_csv_line(s, "effect", &s->effects[k * s->term_count + t], k, t, terminal);
}
