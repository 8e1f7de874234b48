/* scikit-learn's coefficients out of an archive of NumPy:
 *   numpy.savez(FILE, coef_=m.coef_, intercept_=m.intercept_, classes_=m.classes_) */
#include <stdlib.h>

#include "data/array_file.h"
#include "exchange/coefficients.h"

#define SAVE_ALL "save them as numpy.savez(FILE, coef_=m.coef_, intercept_=m.intercept_, classes_=m.classes_)"

static Status check_names(const ArrayFile *file, const char *path, Error *error) {
  static const char *const needed[] = {"coef_", "intercept_", "classes_"};
  Status status = SETOSA_OK;
  char *list = NULL;
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    if (array_file_has(file, needed[i])) continue;
    TRY(array_file_list(&list, file, error));
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds no array '%s', but %s; " SAVE_ALL, path, needed[i], list));
  }
cleanup:
  free(list);
  return status;
}

Status import_npz(Model **model, const char *path, Error *error) {
  Status status = SETOSA_OK;
  ArrayFile *file = NULL;
  Coefficients c = {0};
  NumberArray coef = {0}, intercept = {0};
  *model = NULL;
  TRY(array_file_open(&file, path, error));
  TRY(check_names(file, path, error));
  TRY(array_file_numbers(&coef, file, "coef_", error));
  c.coef = coef.values;
  c.rows = coef.dimensions == 2 ? coef.shape[0] : 1;
  c.features = coef.dimensions == 2 ? coef.shape[1] : coef.shape[0];
  TRY(array_file_numbers(&intercept, file, "intercept_", error));
  c.intercept = intercept.values;
  c.intercepts = intercept.shape[0] * intercept.shape[1];
  TRY(array_file_texts(&c.classes, &c.class_count, file, "classes_", "save it with .astype(str)", error));
  if (array_file_has(file, "feature_names_in_"))
    TRY(array_file_texts(&c.names, &c.name_count, file, "feature_names_in_", "save it with .astype(str)", error));
  TRY(coefficients_to_model(model, &c, path, error));
cleanup:
  coefficients_free(&c);
  array_file_close(file);
  return status;
}
