/* Growing, escaping, writing. */
#include "report/markup.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/letters.h"

enum { TITLE_BYTES = 2000 };

static void keep(Markup *markup, Status status) {
  if (markup->status == SETOSA_OK) markup->status = status;
}

void markup_put(Markup *markup, const char *format, ...) {
  if (markup->status != SETOSA_OK) return;
  Text *text = &markup->text;
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  size_t needed = text->length + (length > 0 ? (size_t)length : 0) + 1;
  keep(markup, memory_grow((void **)&text->text, &text->capacity, needed, 1, "a report", &markup->error));
  if (markup->status == SETOSA_OK) {
    vsnprintf(text->text + text->length, text->capacity - text->length, format, again);
    text->length = needed - 1;
  }
  va_end(again);
}

void markup_text(Markup *markup, const char *text) {
  char *shown = NULL;
  if (markup->status != SETOSA_OK) return;
  keep(markup, memory_copy_text(&shown, text, &markup->error));
  if (shown == NULL) return;
  letters_make_visible(shown);
  for (const char *at = shown; *at != '\0';) {
    size_t plain = strcspn(at, "&<>\"'");
    keep(markup, text_append_bytes(&markup->text, at, plain, &markup->error));
    at += plain;
    if (*at == '\0') break;
    markup_put(markup, "&#%d;", *at++);
  }
  free(shown);
}

void markup_name(Markup *markup, const char *name, double ems) {
  char room[LETTERS_ROOM], whole[TITLE_BYTES + 1];
  bool cut = letters_fit(room, name, ems);
  if (cut) {
    snprintf(whole, sizeof whole, "%s", name);
    markup_put(markup, "<span title=\"");
    markup_text(markup, whole);
    markup_put(markup, "\">");
  }
  markup_text(markup, room);
  if (cut) markup_put(markup, "</span>");
}

void markup_number_as(Markup *markup, const char *key, double value, const char *words) {
  char id[96] = "", full[40] = "";
  if (isfinite(value)) snprintf(full, sizeof full, "%.17g", value);
  if (key != NULL) snprintf(id, sizeof id, " id=\"%s\"", key);
  markup_put(markup, "<data%s value=\"%s\">%s</data>", id, full, words);
}

void markup_number(Markup *markup, const char *key, double value, const char *format) {
  char words[64] = "-";
  if (isfinite(value)) snprintf(words, sizeof words, format, value);
  markup_number_as(markup, key, value, words);
}

Status markup_write(const Markup *markup, const char *path, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  if (markup->status != SETOSA_OK) return error_set(error, markup->status, "%s", markup->error.message);
  TRY(atomic_file_open(&file, path, error));
  if (fwrite(markup->text.text, 1, markup->text.length, file.stream) != markup->text.length) TRY(file_write_failed(error, path, "write"));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}

void markup_free(Markup *markup) {
  text_free(&markup->text);
  *markup = (Markup){.status = SETOSA_OK};
}
