/* `setosa generate`: a synthetic data set as a file. */
#include <limits.h>
#include <string.h>

#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/units.h"

static Status print_json(const SetosaGenerateResult *result, const char *path, Error *error) {
  const char *labels = result->labels_path;
  json_t *document =
      json_pack("{s:s, s:s, s:{s:I, s:I, s:I}, s:o, s:o, s:I, s:{s:o}}", "command", "generate", "version", SETOSA_VERSION, "data", "rows",
                (json_int_t)result->rows, "features", (json_int_t)result->features, "classes", (json_int_t)result->classes, "output",
                json_text(path), "labels", json_text(labels[0] != '\0' ? labels : NULL), "bytes", (json_int_t)result->bytes, "seconds",
                "total", json_number(result->seconds));
  return json_print(document, false, stdout, error);
}

static void print_summary(const SetosaGenerateResult *result, const char *path, const Session *session) {
  char bytes[UNITS_SIZE], time[UNITS_SIZE], speed[UNITS_SIZE], word[512], labels[512], place[PATH_MAX], second[PATH_MAX];
  const char *labels_path = result->labels_path;
  bool apart = labels_path[0] != '\0';
  snprintf(place, sizeof place, "%s", path);
  snprintf(second, sizeof second, "%s", labels_path);
  console_make_visible(place);
  console_make_visible(second);
  page_print("%s: %llu rows, %llu feature%s, %llu classes%s%s: %s in %s (%s/s)\n", place, (unsigned long long)result->rows,
             (unsigned long long)result->features, result->features == 1 ? "" : "s", (unsigned long long)result->classes,
             apart ? ", labels in " : "", second, units_bytes(bytes, (double)result->bytes), units_seconds(time, result->seconds),
             units_bytes(speed, result->seconds > 0 ? (double)result->bytes / result->seconds : 0));
  if (apart)
    console_hint(&session->console, "use it: setosa train %s --labels %s", units_shell_word(word, sizeof word, path),
                 units_shell_word(labels, sizeof labels, labels_path));
  else
    console_hint(&session->console, "use it: setosa train %s", units_shell_word(word, sizeof word, path));
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaGenerateResult result;
  Progress progress;
  if (options->output == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "name the file to write: add -o FILE.npy, FILE.csv, FILE.svm or FILE.npz"));
  SetosaGenerateOptions how = setosa_generate_options_default();
  how.labels_path = options->data.labels_path;
  how.progress = progress_update;
  how.progress_user = &progress;
  progress_begin(&progress, &session->console, options->output);
  interrupt_defer(true); /* half a file is to be removed */
  status = setosa_generate(options->argument[0], options->output, &how, &result, error);
  progress_end(&progress);
  TRY(status);
  if (options->json)
    TRY(print_json(&result, options->output, error));
  else
    print_summary(&result, options->output, session);
cleanup:
  return status;
}

const Command command_generate = {
    .name = "generate",
    .arguments = "SPEC",
    .summary = "write made-up data of any size to a file",
    .description =
        "SPEC is rows=1e6,features=64,classes=10[,seed=,noise=,separation=,sparsity=,fields=]: rows drawn from a true softmax model, the "
        "same on every machine. The name of FILE chooses the form: .npy (32-bit floats, the labels in a second .npy), .csv or .tsv "
        "(labels in the last column), .svm (LIBSVM text, columns from 1), each also .gz, or .npz (scipy.sparse's CSR, labels as y). With "
        "a sparsity of 0.95 or more, rows are sparse, and their columns have power-law frequencies; with fields=F each row has one "
        "entry, 1, in each of F fields of columns. Training on the file gives the same weights as training on synthetic:SPEC. Memory "
        "does not grow with the rows; the file is whole or absent, and Ctrl-C leaves none.",
    .examples =
        "  setosa generate rows=1e6,features=64,classes=10 -o big.npy\n"
        "  setosa train big.npy\n"
        "  setosa generate rows=1e4,features=8,classes=3,seed=7,noise=0.05 -o small.csv\n"
        "  setosa generate rows=1e5,sparsity=0.9 -o zeros.tsv.gz --json\n"
        "  setosa generate rows=1e6,features=1e6,sparsity=0.9999 -o words.svm\n"
        "  setosa generate rows=1e6,features=1e6,fields=39 -o clicks.npz\n",
    .id = FOR_GENERATE,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
