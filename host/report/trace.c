/* The steps of a training in bounded room. */
#include "report/report.h"

void report_trace_add(ReportTrace *trace, const SetosaProgress *at) {
  const ReportStep step = {.passes = at->passes,
                           .objective = at->objective,
                           .loss = at->loss,
                           .validation_loss = at->validation_loss,
                           .gradient_norm = at->gradient_norm,
                           .iteration = at->iteration};
  if (trace->stride == 0) trace->stride = 1;
  if (trace->count == REPORT_STEPS) {
    for (size_t i = 0; i < REPORT_STEPS / 2; i++) trace->steps[i] = trace->steps[2 * i];
    trace->count = REPORT_STEPS / 2;
    trace->stride *= 2;
  }
  if (trace->seen % trace->stride == 0) trace->steps[trace->count++] = step;
  trace->seen++;
  trace->last = step;
}

void report_trace_get(const ReportTrace *trace, ReportStep steps[REPORT_STEPS + 1], size_t *count) {
  *count = trace->count;
  for (size_t i = 0; i < trace->count; i++) steps[i] = trace->steps[i];
  if (trace->count > 0 && steps[trace->count - 1].iteration != trace->last.iteration) steps[(*count)++] = trace->last;
}
