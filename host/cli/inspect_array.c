/* `setosa inspect` of arrays and of LIBSVM text, which have no columns to be told apart: rows, features, classes, non-zeros. */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/inputs.h"
#include "cli/inspect.h"
#include "cli/report.h"
#include "cli/terminal/page.h"

enum { CLASSES_WIDTH = 400 };

/* Rows of each class, and what each is called; both NULL without labels. */
static Status count_classes(uint64_t **counts, const char ***names, const SetosaDataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = setosa_dataset_classes(dataset), rows = setosa_dataset_rows(dataset);
  const int32_t *labels = setosa_dataset_labels(dataset);
  if (labels == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)counts, classes, sizeof **counts, "classes", error));
  TRY(memory_allocate((void **)names, classes, sizeof **names, "classes", error));
  for (size_t i = 0; i < rows; i++) (*counts)[labels[i]]++;
  for (size_t k = 0; k < classes; k++) (*names)[k] = setosa_dataset_class_name(dataset, k);
cleanup:
  return status;
}

static Status print_array(const SetosaDataset *dataset, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  uint64_t *counts = NULL;
  const char **names = NULL;
  char name[512], list[4 * CLASSES_WIDTH], words[REPORT_WORDS];
  size_t rows = setosa_dataset_rows(dataset), classes = setosa_dataset_classes(dataset);
  const char *labels = setosa_dataset_labels_found(dataset);
  TRY(count_classes(&counts, &names, dataset, error));
  if (session->options->json) {
    json_t *document = json_pack("{s:s, s:s, s:o, s:{s:I, s:I, s:I}, s:o}", "command", "inspect", "version", SETOSA_VERSION, "sources",
                                 inspect_sources_json(session->options), "data", "rows", (json_int_t)rows, "features",
                                 (json_int_t)setosa_dataset_features(dataset), "classes", (json_int_t)(counts != NULL ? classes : 0),
                                 "names", counts != NULL ? inspect_counts_json(classes, names, counts) : json_null());
    report_put_kind(&document, dataset);
    TRY(json_print(document, false, stdout, error));
    goto cleanup;
  }
  inspect_name_data(name, sizeof name, session->options);
  page_print("  %-12s%s: %zu row%s, %s\n", "data", name, rows, inspect_plural(rows), report_features(words, dataset));
  if (setosa_dataset_is_sparse(dataset)) page_print("  %-12s%s\n", "storage", report_entries(words, dataset, NULL));
  if (labels != NULL) {
    snprintf(name, sizeof name, "%s", labels);
    console_make_visible(name);
    page_print("  %-12s%s\n", "labels", name);
  }
  if (counts == NULL) {
    page_print("  %-12snone; --labels names a file of them\n", "labels");
    goto cleanup;
  }
  inspect_format_counts(list, sizeof list, CLASSES_WIDTH, classes, names, counts);
  page_explain("  %-12s%zu: %s\n", "classes", classes, list);
cleanup:
  free(counts);
  free(names);
  return status;
}

Status inspect_array(const Session *session, SetosaDataOptions how, Error *error) {
  Status status = SETOSA_OK;
  SetosaDataset *dataset = NULL;
  const char *source = session->options->argument[0];
  char labels[4096];
  TRY(setosa_labels_find(labels, sizeof labels, source, error));
  how.labels_optional = how.labels_path == NULL && labels[0] == '\0';
  how.no_cache = true; /* a look keeps nothing */
  TRY(input_load(&dataset, session, source, how, error));
  TRY(print_array(dataset, session, error));
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}
