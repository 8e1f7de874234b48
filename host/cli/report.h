/* What the summaries of commands have in common. */
#ifndef SETOSA_CLI_REPORT_H
#define SETOSA_CLI_REPORT_H

#include <jansson.h>

#include "cli/inputs.h"

enum { LABEL_COLUMN = 14 };

/* A line of a summary; label "" goes on with the one above. */
void report_field(const Session *session, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What computed, and whether rows streamed through it (chunk_rows above 0). */
void report_compute(const Compute *compute, const char *backend, uint64_t chunk_rows, const Session *session);
/* "13 features", "13 features (indices from 0)", "1024 features (hashes of names)". */
enum { REPORT_WORDS = 96 };
const char *report_features(char text[REPORT_WORDS], const SetosaDataset *dataset);
/* Of sparse rows: "37.5M non-zeros, 0.15 %, values f32", or "all 1" where no values are kept. storage NULL: the host's. */
const char *report_entries(char text[REPORT_WORDS], const SetosaDataset *dataset, const char *storage);
/* Adds to the member `data` of a document what tells sparse rows from dense ones; as json_put, *document is NULL where that fails. */
void report_put_kind(json_t **document, const SetosaDataset *dataset);
json_t *report_device_json(const SetosaDeviceInfo *device); /* NULL: none, null */
json_t *report_devices_json(const Compute *compute);

#endif
