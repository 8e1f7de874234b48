/* One file for each form in which a model is written for others. */
#ifndef SETOSA_EXCHANGE_EXPORT_H
#define SETOSA_EXCHANGE_EXPORT_H

#include <stdio.h>

#include "exchange/linear.h"

typedef struct Export {
  const Model *model;
  LinearForm linear;
  const SetosaExportOptions *options;
  SetosaExportResult *result;
  const char *path; /* for messages */
  FILE *stream;     /* its errors stay in it: whoever commits the file finds them */
} Export;

Status export_onnx(const Export *job, Error *error);
Status export_header(const Export *job, Error *error);
Status export_json(const Export *job, Error *error);
Status export_csv(const Export *job, Error *error);

#endif
