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
json_t *report_device_json(const SetosaDeviceInfo *device); /* NULL: none, null */
json_t *report_devices_json(const Compute *compute);

#endif
