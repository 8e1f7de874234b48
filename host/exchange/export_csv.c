/* Coefficients as a table, one line for each class and feature. */
#include "base/number.h"
#include "base/text.h"
#include "exchange/export.h"

static void write_line(FILE *stream, const char *class_name, const char *feature, double coefficient, const char *weight) {
  char number[NUMBER_TEXT];
  text_write_field(stream, class_name);
  fputc(',', stream);
  text_write_field(stream, feature);
  fprintf(stream, ",%s,%s\n", number_print(number, coefficient), weight);
}

Status export_csv(const Export *job, Error *error) {
  const Model *model = job->model;
  char number[NUMBER_TEXT], numbered[32];
  (void)error;
  fputs("class,feature,coefficient,weight\n", job->stream);
  for (size_t k = 0; k < model->classes; k++) {
    for (size_t d = 0; d < model->features; d++) {
      const char *name = model->feature_names != NULL ? model->feature_names[d] : numbered;
      size_t at = k * model->features + d;
      snprintf(numbered, sizeof numbered, "x%zu", d + 1);
      write_line(job->stream, model->class_names[k], name, job->linear.coefficients[at], number_print_float(number, model->weights[at]));
    }
    write_line(job->stream, model->class_names[k], "(intercept)", job->linear.intercepts[k], number_print(number, model->bias[k]));
  }
  return SETOSA_OK;
}
