/* What the pages of data have in common: names of the data, counts of values. */
#include <string.h>

#include "cli/inspect.h"
#include "cli/terminal/units.h"

enum { PIECE_SIZE = 2 * CONSOLE_NAME + 40 };

/* "Adelie 152", behind a comma unless it is the first. */
static size_t format_count(char piece[PIECE_SIZE], size_t i, const char *name, uint64_t count) {
  char shown[CONSOLE_NAME], word[2 * CONSOLE_NAME + 4];
  units_list_word(word, sizeof word, console_short_name(shown, name));
  return (size_t)snprintf(piece, PIECE_SIZE, "%s%s %llu", i == 0 ? "" : ", ", word, (unsigned long long)count);
}

void inspect_format_counts(char *text, size_t size, size_t width, size_t count, const char *const *names, const uint64_t *counts) {
  char piece[PIECE_SIZE], rest[48];
  size_t used = 0, columns = 0, fit = 0, end = 0, bytes = 0; /* fit: how many are shown, in so many bytes, if not all are */
  size_t tail = (size_t)snprintf(rest, sizeof rest, ", ... (%zu)", count);
  for (size_t i = 0; i < count && columns <= width; i++) {
    bytes = format_count(piece, i, names[i], counts[i]);
    columns += console_columns(piece);
    if (columns > width || used + bytes + sizeof rest > size) break;
    memcpy(text + used, piece, bytes + 1);
    used += bytes;
    if (i + 1 == count) return;
    if (columns + tail > width) continue;
    fit = i + 1;
    end = used;
  }
  if (fit > 0)
    snprintf(text + end, size - end, "%s", rest);
  else
    snprintf(text, size, "%zu name%s", count, inspect_plural(count));
}

void inspect_name_data(char *text, size_t size, const Options *options) {
  const char *first = options->argument[0];
  size_t more = options->argument_count - 1;
  size_t used = (size_t)snprintf(text, size, "%s", strcmp(first, "-") == 0 ? "standard input" : first);
  console_make_visible(text);
  if (more > 0 && used < size) snprintf(text + used, size - used, " and %zu more", more);
}

json_t *inspect_counts_json(size_t count, const char *const *names, const uint64_t *counts) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) json_add(&list, json_pack("{s:o, s:I}", "name", json_text(names[i]), "rows", (json_int_t)counts[i]));
  return list;
}

json_t *inspect_sources_json(const Options *options) {
  json_t *list = json_array();
  for (size_t i = 0; i < options->argument_count; i++) json_add(&list, json_text(options->argument[i]));
  return list;
}
