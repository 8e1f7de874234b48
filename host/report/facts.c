/* Fields of a summary. */
#include <stdlib.h>

#include "base/memory.h"
#include "report/report.h"

void report_facts_add(ReportFacts *facts, const char *label, const char *text) {
  if (facts->status != SETOSA_OK) return;
  struct ReportFact fact = {0};
  facts->status = memory_grow((void **)&facts->all, &facts->capacity, facts->count + 1, sizeof fact, "a report", NULL);
  if (facts->status == SETOSA_OK) facts->status = memory_copy_text(&fact.label, label, NULL);
  if (facts->status == SETOSA_OK) facts->status = memory_copy_text(&fact.text, text, NULL);
  if (facts->status == SETOSA_OK) {
    facts->all[facts->count++] = fact;
    return;
  }
  free(fact.label);
  free(fact.text);
}

void report_facts_free(ReportFacts *facts) {
  for (size_t i = 0; i < facts->count; i++) {
    free(facts->all[i].label);
    free(facts->all[i].text);
  }
  free(facts->all);
  *facts = (ReportFacts){0};
}
