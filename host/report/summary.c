/* The answers of inference: coefficients with their intervals, class by class, tests of the model, effects. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/plot.h"
#include "report/sections.h"

enum { CLASSES = 12, LISTED = 60, DRAWN = 20 };

/* One table and its picture. */
typedef struct Estimates {
  const SetosaSummary *summary;
  const SetosaEstimate *of; /* (T) */
  size_t *chosen;           /* (count) terms */
  size_t count, left_out;
  const char *prefix;       /* of keys: "summary." of a training */
  const char *list, *value; /* in keys: "coefficients", "coefficient" */
  size_t first;             /* of the list of --json: the entry of the first term of this class */
} Estimates;

static bool has_entry(const SetosaSummary *s, size_t t, bool effects) {
  return s->terms[t].estimated && !(effects && s->terms[t].intercept);
}

/* How many entries of the list stand before term t. */
static size_t entry_of(const Estimates *estimates, size_t t) {
  bool effects = estimates->list[0] == 'e';
  size_t entry = estimates->first;
  for (size_t i = 0; i < t; i++) entry += has_entry(estimates->summary, i, effects);
  return entry;
}

/* All terms as they come, or of many those with the largest |z|. */
static bool choose(Estimates *estimates, Markup *markup) {
  const SetosaSummary *s = estimates->summary;
  double *size = NULL;
  size_t some = 0;
  if (markup->status != SETOSA_OK) return false;
  markup->status = memory_allocate((void **)&size, s->term_count, sizeof *size, "a report", &markup->error);
  if (size == NULL) return false;
  for (size_t t = 0; t < s->term_count; t++) {
    bool known = has_entry(s, t, estimates->list[0] == 'e') && isfinite(estimates->of[t].value);
    some += known;
    size[t] = known ? isfinite(estimates->of[t].z) ? fabs(estimates->of[t].z) : 0 : -1;
  }
  estimates->count = some < LISTED ? some : LISTED;
  estimates->left_out = some - estimates->count;
  if (estimates->left_out == 0)
    for (size_t t = 0; t < s->term_count; t++) size[t] = size[t] < 0 ? -1 - (double)t : (double)(s->term_count - t);
  estimates->chosen = section_largest(markup, size, s->term_count, estimates->count > 0 ? estimates->count : 1);
  free(size);
  return estimates->chosen != NULL;
}

static void put_cell(Markup *markup, const Estimates *estimates, size_t entry, const char *what, double value, const char *format) {
  char key[80];
  snprintf(key, sizeof key, "%s%s.%zu.%s", estimates->prefix, estimates->list, entry, what);
  markup_put(markup, "<td>");
  markup_number(markup, key, value, format);
  markup_put(markup, "</td>");
}

static void put_p(Markup *markup, const Estimates *estimates, size_t entry, double p) {
  char key[80], words[32] = "-";
  snprintf(key, sizeof key, "%s%s.%zu.p", estimates->prefix, estimates->list, entry);
  if (isfinite(p)) snprintf(words, sizeof words, p < 0.0005 ? "&lt;0.001" : "%.3f", p);
  markup_put(markup, "<td>");
  markup_number_as(markup, key, p, words);
  markup_put(markup, "</td>");
}

static void put_table(Markup *markup, const Estimates *estimates) {
  const SetosaSummary *s = estimates->summary;
  markup_put(markup,
             "<div class=\"scroll\"><table><tr><th>term</th><th>%s</th><th>std. err.</th><th>z</th><th>p</th><th>[%.4g "
             "%%</th><th>interval]</th></tr>\n",
             estimates->value, 100 * s->confidence);
  for (size_t i = 0; i < estimates->count; i++) {
    size_t t = estimates->chosen[i], entry = entry_of(estimates, t);
    const SetosaEstimate *of = &estimates->of[t];
    markup_put(markup, "<tr><td>");
    markup_name(markup, s->terms[t].name, 18);
    markup_put(markup, "</td>");
    put_cell(markup, estimates, entry, estimates->value, of->value, "%.5g");
    put_cell(markup, estimates, entry, "standard_error", of->standard_error, "%.4g");
    put_cell(markup, estimates, entry, "z", of->z, "%.2f");
    put_p(markup, estimates, entry, of->p);
    put_cell(markup, estimates, entry, "low", of->low, "%.4g");
    put_cell(markup, estimates, entry, "high", of->high, "%.4g");
    markup_put(markup, "</tr>\n");
  }
  markup_put(markup, "</table></div>\n");
  if (estimates->left_out > 0) markup_put(markup, "<p class=\"dim\">%zu terms with smaller |z| are left out.</p>\n", estimates->left_out);
}

/* Without the intercept, which is of another kind. */
static void draw_intervals(Markup *markup, const Estimates *estimates, const char *title) {
  const SetosaSummary *s = estimates->summary;
  const char *names[DRAWN];
  double values[DRAWN], low[DRAWN], high[DRAWN];
  size_t count = 0, others = 0;
  for (size_t i = 0; i < estimates->count; i++) {
    size_t t = estimates->chosen[i];
    if (s->terms[t].intercept) continue;
    if (count == DRAWN) {
      others++;
      continue;
    }
    names[count] = s->terms[t].name;
    values[count] = estimates->of[t].value;
    low[count] = estimates->of[t].low;
    high[count++] = estimates->of[t].high;
  }
  if (count == 0) return;
  const PlotBars bars = {.title = {.title = title},
                         .count = count,
                         .names = names,
                         .values = values,
                         .low = low,
                         .high = high,
                         .digits = 4,
                         .least = NAN,
                         .most = NAN};
  markup_put(markup, "<figure>");
  plot_draw_bars(markup, &bars);
  markup_put(markup, "<figcaption>%.4g %% intervals; grey where 0 is within.", 100 * s->confidence);
  if (others > 0) markup_put(markup, " The first %d; %zu more are in the table.", DRAWN, others);
  markup_put(markup, "</figcaption></figure>\n");
}

static void put_estimates(Markup *markup, Estimates *estimates, const char *title) {
  if (!choose(estimates, markup)) return;
  markup_put(markup, "<h3>");
  markup_name(markup, title, 60);
  markup_put(markup, "</h3>\n<div class=\"grid2\">\n");
  put_table(markup, estimates);
  draw_intervals(markup, estimates, title);
  markup_put(markup, "</div>\n");
  free(estimates->chosen);
}

static void put_row(Markup *markup, const char *prefix, const char *words, const char *name, double value, const char *format) {
  char key[64];
  snprintf(key, sizeof key, "%s%s", prefix, name);
  markup_put(markup, "<tr><td>%s</td><td>", words);
  markup_number(markup, key, value, format);
  markup_put(markup, "</td></tr>\n");
}

static void put_tests(Markup *markup, const SetosaSummary *s, const char *prefix) {
  markup_put(markup, "<div class=\"scroll\"><table>\n");
  put_row(markup, prefix, "log-likelihood", "log_likelihood", s->log_likelihood, "%.6f");
  put_row(markup, prefix, "of the shares of the classes alone", "log_likelihood_null", s->log_likelihood_null, "%.6f");
  put_row(markup, prefix, "likelihood ratio", "lr", s->lr, "%.4f");
  put_row(markup, prefix, "degrees of freedom", "lr_df", (double)s->lr_df, "%.0f");
  put_row(markup, prefix, "p of the ratio", "lr_p", s->lr_p, "%.4g");
  put_row(markup, prefix, "McFadden R2", "pseudo_r2_mcfadden", s->pseudo_r2, "%.6f");
  put_row(markup, prefix, "AIC", "aic", s->aic, "%.4f");
  put_row(markup, prefix, "BIC", "bic", s->bic, "%.4f");
  put_row(markup, prefix, "parameters", "parameters", s->parameters, "%.4g");
  markup_put(markup, "</table></div>\n<p class=\"dim\">Standard errors: %s.</p>\n",
             s->robust   ? "robust (sandwich, HC0)"
             : s->l2 > 0 ? "of the penalised information, for there is an L2 penalty"
                         : "of the observed information");
}

static void put_remarks(Markup *markup, const SetosaSummary *s) {
  for (size_t i = 0; i < s->remark_count; i++) {
    markup_put(markup, "<p>");
    markup_text(markup, s->remarks[i]);
    markup_put(markup, "</p>\n");
  }
  for (size_t t = 0, shown = 0; t < s->term_count && shown < LISTED; t++) {
    if (s->terms[t].estimated) continue;
    markup_put(markup, "<p class=\"dim\">left out: ");
    markup_name(markup, s->terms[t].name, 30);
    markup_put(markup, ": ");
    markup_name(markup, s->terms[t].note, 60);
    markup_put(markup, "</p>\n");
    shown++;
  }
}

void section_summary(Markup *markup, const ReportPage *page) {
  const SetosaSummary *s = page->summary;
  if (s == NULL) return;
  const char *prefix = page->training != NULL ? "summary." : "";
  char title[512];
  size_t coefficients = 0, effects = 0, shown = 0;
  for (size_t t = 0; t < s->term_count; t++) coefficients += has_entry(s, t, false), effects += has_entry(s, t, true);
  markup_put(markup, "<section id=\"summary\"><h2>Standard errors and tests</h2>\n");
  put_tests(markup, s, prefix);
  put_remarks(markup, s);
  for (size_t k = 0; k < s->classes && shown < CLASSES; k++) {
    if (k == s->base) continue;
    Estimates of = {.summary = s,
                    .of = s->coefficients + k * s->term_count,
                    .prefix = prefix,
                    .list = "coefficients",
                    .value = "coefficient",
                    .first = (k - (k > s->base)) * coefficients};
    snprintf(title, sizeof title, "%.200s against %.200s", s->class_names[k], s->class_names[s->base]);
    put_estimates(markup, &of, title);
    shown++;
  }
  for (size_t k = 0; s->effects != NULL && k < s->classes && k < CLASSES; k++) {
    Estimates of = {
        .summary = s, .of = s->effects + k * s->term_count, .prefix = prefix, .list = "effects", .value = "effect", .first = k * effects};
    snprintf(title, sizeof title, "Average marginal effects on the probability of %.200s", s->class_names[k]);
    put_estimates(markup, &of, title);
  }
  if (s->classes - 1 > shown) markup_put(markup, "<p class=\"dim\">%zu more classes are left out.</p>\n", s->classes - 1 - shown);
  markup_put(markup, "</section>\n");
}
