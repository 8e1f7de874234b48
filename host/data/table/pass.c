/* Part after part, on the caller's thread. */
#include "data/table/pass.h"

Status table_pass(TableText *text, Reader *reader, const PassWork *work, Error *error) {
  Status status = SETOSA_OK;
  void *result = NULL;
  TextPart part;
  bool more = false;
  TRY(table_text_rewind(text, error));
  TRY(work->create(work->user, &result, error));
  for (;;) {
    TRY(table_text_next(text, &part, &more, error));
    if (!more) break;
    status = work->work(work->user, result, &part, error);
    if (status == SETOSA_OK) status = work->take(work->user, result, &part, error);
    table_text_let_go(text, &part);
    TRY(status);
    TRY(reader_report(reader, work->rows(work->user), false, error));
  }
cleanup:
  if (result != NULL) work->destroy(work->user, result);
  return status;
}
