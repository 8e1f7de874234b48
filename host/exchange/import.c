/* Models of others, told apart by their first bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "exchange/coefficients.h"

/* Bytes of the beginning, without the blanks before. */
static Status look(unsigned char first[2], const char *path, Error *error) {
  FILE *stream = fopen(path, "rb");
  first[0] = first[1] = '\0';
  if (stream == NULL)
    return error_set(error, file_failure(errno, SETOSA_ERROR_DATA), "%s: cannot open: %s; %s", path, strerror(errno),
                     file_remedy(errno, "check the path"));
  int byte = fgetc(stream);
  while (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n') byte = fgetc(stream);
  for (int i = 0; i < 2 && byte != EOF; i++, byte = fgetc(stream)) first[i] = (unsigned char)byte;
  fclose(stream);
  return SETOSA_OK;
}

SetosaStatus setosa_model_import(SetosaModel **model, const char *path, SetosaError *error) {
  Status status = SETOSA_OK;
  unsigned char first[2];
  if (model != NULL) *model = NULL;
  TRY(arguments_check(error, GIVEN(model), GIVEN(path)));
  TRY(look(first, path, error));
  if (first[0] == 'P' && first[1] == 'K')
    TRY(import_npz(model, path, error));
  else if (first[0] == '{')
    TRY(import_json(model, path, error));
  else
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: is neither an .npz nor a JSON object; save coef_, intercept_ and classes_ of the classifier with numpy.savez or "
                  "json.dump",
                  path));
cleanup:
  return status;
}
