/* The frame of a page: head, what was done, the sections, how to repeat it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/sections.h"
#include "report/style.h"

/* ---- for the sections ------------------------------------------------------------------------------------------------ */

const char *section_class_name(const ReportPage *page, size_t k) {
  const char *name = page->model != NULL ? setosa_model_class_name(page->model, k) : NULL;
  if (name == NULL && page->dataset != NULL) name = setosa_dataset_class_name(page->dataset, k);
  return name != NULL ? name : "";
}

size_t *section_largest(Markup *markup, const double *score, size_t count, size_t wanted) {
  size_t *order = NULL, found = 0;
  if (markup->status != SETOSA_OK) return NULL;
  markup->status = memory_allocate((void **)&order, wanted, sizeof *order, "a report", &markup->error);
  for (size_t i = 0; order != NULL && i < count; i++) {
    size_t place = found;
    while (place > 0 && score[order[place - 1]] < score[i]) place--;
    if (place == wanted) continue;
    if (found < wanted) found++;
    memmove(order + place + 1, order + place, (found - 1 - place) * sizeof *order);
    order[place] = i;
  }
  return order;
}

/* ---- head ------------------------------------------------------------------------------------------------------------ */

static void put_head(Markup *markup, const ReportPage *page) {
  markup_put(
      markup,
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n<meta name=\"generator\" content=\"setosa " SETOSA_VERSION
      "\"/>\n<title>");
  markup_text(markup, page->title);
  markup_put(markup, ": ");
  markup_text(markup, page->subject);
  markup_put(markup, "</title>\n<style>\n%s%s%s</style></head><body>\n", style_colours, style_pictures, style_page);
  markup_put(markup, "<header><p class=\"dim\">");
  markup_text(markup, page->title);
  markup_put(markup, "</p><h1>");
  markup_name(markup, page->subject, 60);
  markup_put(markup, "</h1></header>\n");
}

static void put_card(Markup *markup, const char *key, double value, const char *format, const char *words) {
  if (!isfinite(value)) return;
  markup_put(markup, "<li><b>");
  markup_number(markup, key, value, format);
  markup_put(markup, "</b><span>");
  markup_text(markup, words);
  markup_put(markup, "</span></li>\n");
}

/* value in percent, with the part itself as its number. */
static void put_percent(Markup *markup, const char *key, double part, const char *before, const char *words) {
  markup_put(markup, "<li><b><data id=\"%s\" value=\"%.17g\">%.2f %%</data></b><span>%s", key, part, 100 * part, before);
  markup_text(markup, words);
  markup_put(markup, "</span></li>\n");
}

static void put_scores(Markup *markup, const ReportScores *scores) {
  char key[64], words[160];
  snprintf(key, sizeof key, "%s.accuracy", scores->key);
  put_percent(markup, key, scores->accuracy, "right ", scores->words);
  snprintf(key, sizeof key, "%s.log_loss", scores->key);
  snprintf(words, sizeof words, "log-loss %s", scores->words);
  put_card(markup, key, scores->log_loss, "%.4g", words);
}

static void put_metrics_cards(Markup *markup, const ReportPage *page) {
  const SetosaMetrics *metrics = page->metrics;
  char words[160];
  snprintf(words, sizeof words, "of %s", page->metrics_of);
  put_percent(markup, "accuracy", metrics->accuracy, "right ", words);
  put_card(markup, NULL, metrics->log_loss, "%.4g", "log-loss");
  if (metrics->top_k > 1) {
    snprintf(words, sizeof words, "have the right class among the first %zu", metrics->top_k);
    put_percent(markup, "top_k_accuracy", metrics->top_k_accuracy, "", words);
  }
  put_card(markup, NULL, metrics->macro_f1, "%.4f", "F1, mean of the classes");
  put_card(markup, NULL, metrics->ece, "%.4f", "expected calibration error");
}

static void put_cards(Markup *markup, const ReportPage *page) {
  markup_put(markup, "<ul class=\"cards\">\n");
  for (size_t i = 0; i < page->score_count; i++) put_scores(markup, &page->scores[i]);
  if (page->training != NULL && isfinite(page->training->gap) && !page->training->separable)
    put_card(markup, NULL, page->training->gap, "%.1e",
             strcmp(page->training->gap_kind, "certificate") == 0 ? "of itself above the optimum at most, certified"
                                                                  : "of itself above the optimum, an estimate");
  if (page->metrics != NULL && page->score_count == 0) put_metrics_cards(markup, page);
  markup_put(markup, "</ul>\n");
}

/* ---- facts ----------------------------------------------------------------------------------------------------------- */

/* What computed and how long it took has a place of its own. */
static bool is_about_the_machine(const char *label) {
  static const char *const labels[] = {"device", "devices", "ranks", "rows", "time", "storage"};
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
    if (strcmp(label, labels[i]) == 0) return true;
  return false;
}

static void put_facts(Markup *markup, const ReportFacts *facts, bool machine) {
  bool here = false, first = true;
  markup_put(markup, "<dl>\n");
  for (size_t i = 0; i < facts->count; i++) {
    const char *label = facts->all[i].label;
    if (label[0] != '\0') here = is_about_the_machine(label) == machine;
    if (!here) continue;
    if (label[0] != '\0') {
      markup_put(markup, "%s<dt>", first ? "" : "</dd>\n");
      markup_text(markup, label);
      markup_put(markup, "</dt><dd%s>", strcmp(label, "time") == 0 ? " class=\"varies\"" : "");
    } else {
      markup_put(markup, "<br/>");
    }
    first = false;
    markup_text(markup, facts->all[i].text);
  }
  markup_put(markup, "%s</dl>\n", first ? "" : "</dd>\n");
}

static void put_seconds(Markup *markup, const ReportPage *page) {
  if (page->second_count == 0) return;
  double total = page->seconds[page->second_count - 1].seconds;
  char key[64];
  markup_put(markup, "<div class=\"scroll varies\"><table><tr><th>part</th><th>seconds</th><th></th></tr>\n");
  for (size_t i = 0; i < page->second_count; i++) {
    const ReportSeconds *part = &page->seconds[i];
    snprintf(key, sizeof key, "seconds.%s", part->key);
    markup_put(markup, "<tr><td>%s</td><td>", part->words);
    markup_number(markup, key, part->seconds, "%.3f");
    markup_put(markup, "</td><td class=\"bar\"><span class=\"meter\" style=\"width:%.1f%%\"></span></td></tr>\n",
               total > 0 ? 100 * part->seconds / total : 0);
  }
  markup_put(markup, "</table></div>\n");
}

static void put_repeat(Markup *markup, const ReportPage *page) {
  markup_put(markup, "<section id=\"repeat\"><h2>To repeat it</h2>\n<pre>");
  markup_text(markup, page->repeat);
  markup_put(markup, "</pre>\n");
  if (page->weights_hash != NULL)
    markup_put(
        markup,
        "<p>The weights and biases have the hash <code id=\"weights_hash\">%s</code> (XXH3-128 of their bytes in the model file).</p>\n",
        page->weights_hash);
  markup_put(markup, "</section>\n");
}

Status report_write(const ReportPage *page, const char *path, Error *error) {
  Markup markup = {.status = page->facts != NULL ? page->facts->status : SETOSA_OK};
  if (markup.status != SETOSA_OK) return error_set(error, markup.status, "out of memory for a report; close other programs");
  put_head(&markup, page);
  put_cards(&markup, page);
  if (page->facts != NULL) {
    markup_put(&markup, "<section id=\"about\"><h2>What was done</h2>\n");
    put_facts(&markup, page->facts, false);
    markup_put(&markup, "</section>\n");
  }
  section_path(&markup, page);
  section_training(&markup, page);
  section_summary(&markup, page);
  if (page->metrics != NULL) {
    markup_put(&markup, "<section id=\"predictions\"><h2>Predictions for ");
    markup_text(&markup, page->metrics_of);
    markup_put(&markup, "</h2>\n<div class=\"grid2\">\n");
    section_confusion(&markup, page);
    section_reliability(&markup, page);
    section_scores(&markup, page);
    markup_put(&markup, "</div>\n");
    section_classes(&markup, page);
    markup_put(&markup, "</section>\n");
  }
  section_coefficients(&markup, page);
  if (page->facts != NULL || page->second_count > 0) {
    markup_put(&markup, "<section id=\"machine\"><h2>Device and time</h2>\n");
    if (page->facts != NULL) put_facts(&markup, page->facts, true);
    put_seconds(&markup, page);
    markup_put(&markup, "</section>\n");
  }
  put_repeat(&markup, page);
  markup_put(&markup, "<footer>setosa " SETOSA_VERSION ", softmax regression on any OpenCL device</footer>\n</body></html>\n");
  Status status = markup_write(&markup, path, error);
  markup_free(&markup);
  return status;
}
