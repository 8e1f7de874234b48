/* Kernel sources: embedded in the library, or from SETOSA_KERNEL_DIR; #include "x.clh" is resolved here, since a driver cannot. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "opencl/embedded.h"
#include "opencl/internal.h"

enum { SOURCE_LIMIT_BYTES = 1 << 24, INCLUDE_DEPTH = 16 };

const char *source_folder(void) {
  const char *folder = getenv("SETOSA_KERNEL_DIR");
  return folder != NULL && folder[0] != '\0' ? folder : NULL;
}

/* The bytes of one file as it is. *owned is what to free, NULL for embedded text. `where`: the line that includes it, for the message. */
static Status read_source(const char *name, const char *where, const char **text, size_t *length, unsigned char **owned, Error *error) {
  char path[PATH_MAX];
  const char *folder = source_folder();
  Error reason = {0};
  *owned = NULL;
  if (folder != NULL) {
    int written = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (written < 0 || (size_t)written >= sizeof path)
      return error_set(error, SETOSA_ERROR_DEVICE, "SETOSA_KERNEL_DIR: the path is too long; use a shorter one");
    if (file_read_all(owned, length, path, SOURCE_LIMIT_BYTES, &reason) != SETOSA_OK)
      return error_set(error, SETOSA_ERROR_DEVICE, "%s%s (SETOSA_KERNEL_DIR is set)", where, reason.message);
    *text = (const char *)*owned;
    return SETOSA_OK;
  }
  for (size_t i = 0; i < embedded_source_count; i++) {
    if (strcmp(embedded_sources[i].name, name) != 0) continue;
    *text = embedded_sources[i].text;
    *length = embedded_sources[i].length;
    return SETOSA_OK;
  }
  return error_set(error, SETOSA_ERROR_INTERNAL, "%skernels/%s is not in this build; build Setosa again, or set SETOSA_KERNEL_DIR", where,
                   name);
}

static const char *skip_blanks(const char *c, const char *end) {
  while (c < end && (*c == ' ' || *c == '\t')) c++;
  return c;
}

/* True when line[0..length) is `#include "name"`; anything else is left to the compiler. */
static bool parse_include(const char *line, size_t length, char *name, size_t size) {
  static const char word[] = "include";
  const char *end = line + length, *c = skip_blanks(line, end);
  if (c == end || *c++ != '#') return false;
  c = skip_blanks(c, end);
  if ((size_t)(end - c) < sizeof word - 1 || strncmp(c, word, sizeof word - 1) != 0) return false;
  c = skip_blanks(c + sizeof word - 1, end);
  if (c == end || *c++ != '"') return false;
  const char *quote = memchr(c, '"', (size_t)(end - c));
  if (quote == NULL || quote == c || (size_t)(quote - c) >= size) return false;
  memcpy(name, c, (size_t)(quote - c));
  name[quote - c] = '\0';
  return true;
}

/* `where`: "kernels/x.cl:3: ", the line that includes this file, or "". */
static Status expand(Text *out, const char *name, const char *where, int depth, Error *error) {
  Status status = SETOSA_OK;
  const char *text = NULL;
  unsigned char *owned = NULL;
  size_t length = 0, line_number = 0;
  if (depth > INCLUDE_DEPTH)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%sincludes are nested more than %d deep; break the circle", where, INCLUDE_DEPTH);
  TRY(read_source(name, where, &text, &length, &owned, error));
  TRY(text_append(out, error, "#line 1 \"kernels/%s\"\n", name));
  for (const char *line = text, *end = text + length; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    size_t line_length = newline != NULL ? (size_t)(newline - line) : (size_t)(end - line);
    char included[256], here[512];
    line_number++;
    if (parse_include(line, line_length, included, sizeof included)) {
      snprintf(here, sizeof here, "kernels/%s:%zu: ", name, line_number);
      TRY(expand(out, included, here, depth + 1, error));
      TRY(text_append(out, error, "#line %zu \"kernels/%s\"\n", line_number + 1, name));
    } else {
      TRY(text_append_bytes(out, line, line_length, error));
      TRY(text_append_bytes(out, "\n", 1, error));
    }
    line += line_length + 1;
  }
cleanup:
  free(owned);
  return status;
}

Status source_load(Text *text, const char *name, Error *error) {
  Status status = expand(text, name, "", 0, error);
  if (status != SETOSA_OK) text_free(text);
  return status;
}

void source_add_all(Hash *hash) {
  for (size_t i = 0; i < embedded_source_count; i++) {
    const char *text = NULL;
    unsigned char *owned = NULL;
    size_t length = 0;
    hash_add_text(hash, embedded_sources[i].name);
    if (read_source(embedded_sources[i].name, "", &text, &length, &owned, NULL) == SETOSA_OK) {
      hash_add(hash, &length, sizeof length);
      hash_add(hash, text, length);
    }
    free(owned);
  }
}
