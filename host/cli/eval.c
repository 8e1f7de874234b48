/* `setosa eval`: how good a model is on data whose labels are known. */
#include "cli/eval.h"

#include "cli/dry_run.h"
#include "cli/terminal/progress.h"

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaModel *model = NULL;
  SetosaDataset *data = NULL;
  SetosaMetrics *metrics = NULL;
  Compute compute = {0};
  Progress progress;
  progress_begin(&progress, &session->console, NULL);
  TRY(setosa_model_load(&model, options->argument[0], error));
  TRY(compute_choose_one(&compute, session, error));
  TRY(input_load(&data, session, options->argument[1], input_model_options(model, options), error));
  TRY(setosa_model_scale_dataset(model, data, error));
  if (options->train.class_weight != NULL) TRY(setosa_dataset_set_class_weights(data, options->train.class_weight, error));
  TRY(compute_open(&compute, session, error));
  if (options->dry_run) {
    TRY(dry_run_scores(data, model, &compute.options, session, error));
    goto cleanup;
  }
  progress_say(&progress, "evaluating");
  status = setosa_evaluate(&metrics, model, data, &compute.options, error);
  progress_end(&progress);
  if (status != SETOSA_OK) goto cleanup;
  if (options->json)
    TRY(eval_print_json(metrics, model, data, error));
  else
    TRY(eval_print_text(metrics, model, input_count_left_out(data), session, error));
  if (options->report != NULL) {
    const EvalReport report = {model, data, &compute, metrics};
    TRY(console_flush(error));
    TRY(eval_write_page(&report, session, error));
  }
cleanup:
  setosa_metrics_destroy(metrics);
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
  compute_close(&compute);
  return status;
}

const Command command_eval = {
    .name = "eval",
    .arguments = "MODEL DATA...",
    .summary = "accuracy, log-loss, AUC, calibration, confusion matrix",
    .description =
        "Evaluates MODEL on DATA, which needs labels. Columns are found by the names the model was trained with, or by position "
        "when there are none; scaling is the model's.",
    .details =
        "\nWhat is said, with the probabilities p of the model:\n\n"
        "  log-loss     mean of -ln p of the true class\n"
        "  calibration  expected calibration error: mean distance of accuracy and confidence in\n"
        "               15 equal bins of confidence, the p of the predicted class\n"
        "  Brier score  mean of the sum over the classes of (p - 1 for the true class, else 0)^2;\n"
        "               with two classes twice what is usually meant by it\n"
        "  AUC          area under the ROC curve of a class against the rest: how often a row of the\n"
        "               class has the higher p, ties counting half; exact, or with its error bound\n"
        "               where the scores of all rows take more than 512 MB\n"
        "\nOf a model with a temperature (setosa train --calibrate) log-loss, ECE and Brier score are told without it, too.\n",
    .examples =
        "  setosa eval iris.safetensors iris.csv\n"
        "  setosa eval fashion.safetensors t10k-images-idx3-ubyte.gz --json\n"
        "  setosa eval iris.safetensors new.csv --report new.html\n",
    .id = FOR_EVAL,
    .least_arguments = 2,
    .most_arguments = 2,
    .several = true,
    .run = run,
};
