/* The parts of a page, a file each. Each writes nothing where it has nothing to show. */
#ifndef SETOSA_REPORT_SECTIONS_H
#define SETOSA_REPORT_SECTIONS_H

#include "report/markup.h"
#include "report/report.h"

void section_training(Markup *markup, const ReportPage *page);
void section_path(Markup *markup, const ReportPage *page);
void section_confusion(Markup *markup, const ReportPage *page);
void section_scores(Markup *markup, const ReportPage *page);
void section_reliability(Markup *markup, const ReportPage *page);
void section_classes(Markup *markup, const ReportPage *page);
void section_summary(Markup *markup, const ReportPage *page);
void section_coefficients(Markup *markup, const ReportPage *page);

/* The name of a class as the model or, without one, the data set has it; "" where neither does. */
const char *section_class_name(const ReportPage *page, size_t k);
/* Indices 0..count-1 in the order of score, the largest first, equal ones as they come; the first `wanted` of them. *order: free(). NULL
 * when memory is short, which is noted. */
size_t *section_largest(Markup *markup, const double *score, size_t count, size_t wanted);

#endif
