/* What a table's columns are, for people to look at before they train. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_INSPECT_H
#define SETOSA_DATA_TABLE_INSPECT_H

#include "data/reader.h"

/* Of the table that reader->stream holds. */
Status table_inspect(SetosaTableReport **report, Reader *reader, Error *error);

#endif
