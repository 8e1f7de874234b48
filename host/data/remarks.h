/* What was found out while data were read: lines that a program may show. Private to host/data. */
#ifndef SETOSA_DATA_REMARKS_H
#define SETOSA_DATA_REMARKS_H

#include "base/error.h"

typedef struct Remark {
  SetosaRemark kind;
  char *text;
} Remark;

/* Zero-initialise. */
typedef struct Remarks {
  Remark *items;
  size_t count, capacity;
} Remarks;

Status remarks_add(Remarks *remarks, SetosaRemark kind, Error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));
void remarks_free(Remarks *remarks);

#endif
