/* The names of choices, once: the program's flags, files and messages all spell them so. Index: the enum's value; NULL ends a list. */
#ifndef SETOSA_BASE_NAMES_H
#define SETOSA_BASE_NAMES_H

#include <stddef.h>

extern const char *const solver_names[];
extern const char *const preconditioner_names[];
extern const char *const schedule_names[];
extern const char *const backend_names[];
extern const char *const family_names[];
extern const char *const storage_names[];
extern const char *const tuning_names[];
extern const char *const device_type_names[];
extern const char *const missing_names[];
extern const char *const unseen_names[];
extern const char *const sparse_names[];
extern const char *const bench_what_names[];
extern const char *const cv_choice_names[];
extern const char *const export_form_names[];
extern const char *const quantize_names[];
extern const char *const weights_are_names[];

/* How many names a list has. */
size_t names_count(const char *const *names);
/* names[index], or "unknown" past the end. */
const char *names_get(const char *const *names, size_t index);

#endif
