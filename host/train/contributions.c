/* Log-odds of the predicted class against the runner-up, as a sum over the columns: (w_p - w_r) . (x - mean) / T and a baseline. */
#include <math.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/sum.h"
#include "model/model.h"

void setosa_contributions_destroy(SetosaContributions *contributions) {
  if (contributions == NULL) return;
  free(contributions->items);
  free(contributions);
}

/* The most probable class and the next; of equal ones the first. */
static void find_classes(SetosaContributions *c, const double *logits, size_t classes) {
  for (size_t k = 1; k < classes; k++)
    if (logits[k] > logits[c->predicted]) c->predicted = k;
  c->runner_up = c->predicted == 0 ? 1 : 0;
  for (size_t k = 0; k < classes; k++)
    if (k != c->predicted && logits[k] > logits[c->runner_up]) c->runner_up = k;
}

/* x (D) as given; what a sparse row has no entry of is 0. */
static void put_given(double *x, const SetosaExplanation *of) {
  const double *given = of->given != NULL ? of->given : of->x;
  for (size_t i = 0; i < of->entries; i++) x[of->columns != NULL ? of->columns[i] : i] = given[i];
}

static double amount_of(const Model *model, const SetosaContributions *c, const double *x, size_t d) {
  size_t features = model->features;
  double apart = (double)model->weights[c->predicted * features + d] - (double)model->weights[c->runner_up * features + d];
  double scale = model->scaling.scale != NULL ? model->scaling.scale[d] : 1;
  return apart * scale * (x[d] - model->mean[d]) / model->temperature;
}

static void add_item(SetosaContributions *c, const Model *model, const double *x, const Column *column, size_t number, size_t first) {
  SetosaContribution *item = &c->items[c->count++];
  *item = (SetosaContribution){.column = number, .feature = first, .value = NAN, .mean = NAN};
  item->categorical = column != NULL && column->kind == COLUMN_CATEGORICAL;
  size_t features = column != NULL ? column_features(column) : 1;
  if (item->categorical)
    item->feature = SETOSA_NO_FEATURE;
  else {
    item->value = x[first];
    item->mean = model->mean[first];
  }
  for (size_t i = first; i < first + features; i++) {
    item->amount += amount_of(model, c, x, i);
    if (item->categorical && x[i] != 0) item->feature = i;
  }
}

static int by_size(const void *one, const void *other) {
  const SetosaContribution *a = one, *b = other;
  double x = fabs(a->amount), y = fabs(b->amount);
  if (x != y) return x < y ? 1 : -1;
  return a->column < b->column ? -1 : a->column > b->column;
}

static Status take_apart(SetosaContributions *c, const Model *model, const SetosaExplanation *of, Error *error) {
  Status status = SETOSA_OK;
  const Columns *columns = model->columns;
  size_t count = columns != NULL ? columns->count : model->features, first = 0;
  double *x = NULL;
  CompensatedSum sum = {0};
  TRY(memory_allocate_zero((void **)&x, model->features, sizeof *x, "an explanation", error));
  TRY(memory_allocate_zero((void **)&c->items, count, sizeof *c->items, "an explanation", error));
  put_given(x, of);
  find_classes(c, of->logits, of->classes);
  c->log_odds = (of->logits[c->predicted] - of->logits[c->runner_up]) / of->temperature;
  for (size_t i = 0; i < count; i++) {
    const Column *column = columns != NULL ? &columns->columns[i] : NULL;
    add_item(c, model, x, column, i, first);
    first += column != NULL ? column_features(column) : 1;
    compensated_add(&sum, c->items[i].amount);
  }
  c->baseline = c->log_odds - (sum.high + sum.low);
  qsort(c->items, c->count, sizeof *c->items, by_size);
cleanup:
  free(x);
  return status;
}

SetosaStatus setosa_contributions(SetosaContributions **contributions, const SetosaModel *model, const SetosaDataset *dataset, size_t row,
                                  SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaContributions *made = NULL;
  SetosaExplanation *of = NULL;
  if (contributions != NULL) *contributions = NULL;
  TRY(arguments_check(error, GIVEN(contributions), GIVEN(model), GIVEN(dataset)));
  if (model->mean == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "setosa_contributions: the model does not know the means of its training rows; train it again with this version"));
  TRY(setosa_explain_row(&of, model, dataset, row, error));
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "an explanation", error));
  TRY(take_apart(made, model, of, error));
  *contributions = made;
  made = NULL;
cleanup:
  setosa_explanation_destroy(of);
  setosa_contributions_destroy(made);
  return status;
}
