#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "data/table/pass.h"
#include "data/table/records.h"
struct TableText {
  Reader *r;
  char *b;
  size_t n, skip;
  char sep;
  bool given;
};
Status table_text_open(TableText **out, Reader *reader, Error *error) {
  TableText *t = calloc(1, sizeof *t);
  t->r = reader;
  size_t cap = 0, got = 0;
  do {
    cap = cap ? cap * 2 : 1 << 16;
    t->b = realloc(t->b, cap + 1);
    Status s = stream_read(reader->stream, t->b + t->n, cap - t->n, &got, error);
    if (s) return s;
    t->n += got;
  } while (t->n == cap);
  if (t->n >= 3 && memcmp(t->b, "\xEF\xBB\xBF", 3) == 0) t->skip = 3;
  if (t->n >= 6 && memcmp(t->b + t->skip, "sep=", 4) == 0) {
    t->sep = t->b[t->skip + 4];
    t->skip += 6;
  }
  *out = t;
  return SETOSA_OK;
}
void table_text_close(TableText *t) {
  if (t) {
    free(t->b);
    free(t);
  }
}
Status table_text_head(const TableText *t, TextPart *h, Error *e) {
  (void)e;
  *h = (TextPart){t->b + t->skip, t->n - t->skip, t->r->source, t->sep ? 2 : 1, true, 0};
  return SETOSA_OK;
}
char table_text_separator(const TableText *t) { return t->sep; }
Status table_text_next(TableText *t, TextPart *p, bool *more, Error *e) {
  *more = !t->given;
  t->given = true;
  return table_text_head(t, p, e);
}
void table_text_let_go(TableText *t, const TextPart *p) {
  (void)t;
  (void)p;
}
Status table_text_rewind(TableText *t, Error *e) {
  (void)e;
  t->given = false;
  return SETOSA_OK;
}
void records_begin(Records *r, const TextPart *p, const Dialect *d) {
  r->part = p;
  r->dialect = d;
  r->at = 0;
  r->next_line = p->line;
  free(r->room);
  r->room = malloc(3 * p->length + 64);
  r->room_size = 0;
}
Status records_next(Records *r, bool *more, Error *error) {
  const char *b = r->part->bytes;
  size_t n = r->part->length;
  const Dialect *d = r->dialect;
again:
  r->count = 0;
  if (r->at >= n) {
    *more = false;
    return SETOSA_OK;
  }
  *more = true;
  r->line = r->next_line;
  for (;;) {
    size_t i = r->at;
    while (i < n && (b[i] == ' ' || (b[i] == '\t' && d->separator != '\t'))) i++;
    if (d->blanks && r->count > 0 && (i >= n || b[i] == '\n' || b[i] == '\r')) {
      r->at = i;
      goto end;
    }
    char *o = r->room + r->room_size;
    size_t len = 0;
    bool q = false;
    if (i < n && b[i] == '"') {
      q = true;
      for (i++; i < n; i++) {
        if (b[i] == '"') {
          if (i + 1 < n && b[i + 1] == '"') {
            o[len++] = '"';
            i++;
            continue;
          }
          break;
        }
        if (b[i] == '\n') r->next_line++;
        o[len++] = b[i];
      }
      if (i >= n)
        return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: never closed", r->part->file, (unsigned long long)r->line, r->count + 1);
      i++;
    }
    while (i < n && b[i] != '\n' && b[i] != '\r' && b[i] != d->separator && !(d->blanks && b[i] == '\t')) {
      if (!q) o[len++] = b[i];
      i++;
    }
    while (len && (o[len - 1] == ' ' || o[len - 1] == '\t') && !q) len--;
    if (d->single_quotes && len >= 2 && o[0] == '\'' && o[len - 1] == '\'') {
      o++;
      len -= 2;
    }
    r->room_size += len + 2;
    if (memory_grow((void **)&r->fields, &r->capacity, r->count + 1, sizeof *r->fields, "f", error)) return SETOSA_ERROR_INTERNAL;
    r->fields[r->count++] = (Field){o, len};
    if (i < n && b[i] != '\n' && b[i] != '\r') {
      r->at = i + 1;
      continue;
    }
    r->at = i;
  end:
    if (r->at < n && b[r->at] == '\r') r->at++;
    if (r->at < n && b[r->at] == '\n') r->at++;
    r->next_line++;
    if (r->count == 0 || (r->count == 1 && r->fields[0].length == 0)) goto again;
    return SETOSA_OK;
  }
}
void records_free(Records *r) {
  free(r->fields);
  free(r->room);
  *r = (Records){0};
}
uint64_t records_field_line(const Records *r, size_t c) {
  (void)c;
  return r->line;
}
bool field_number(const Field *f, char dec, double *v) {
  char t[400];
  if (f->length >= sizeof t) return false;
  memcpy(t, f->text, f->length);
  t[f->length] = 0;
  if (dec == ',')
    for (char *c = t; *c; c++) {
      if (*c == '.') return false;
      if (*c == ',') *c = '.';
    }
  return text_parse_double(t, f->length, v);
}
Status table_pass(TableText *text, Reader *reader, const PassWork *w, Error *error) {
  TextPart p;
  bool more;
  void *res = NULL;
  Status s = table_text_rewind(text, error);
  if (!s) s = w->create(w->user, &res, error);
  while (!s) {
    s = table_text_next(text, &p, &more, error);
    if (s || !more) break;
    s = w->work(w->user, res, &p, error);
    if (!s) s = w->take(w->user, res, &p, error);
    if (!s) s = reader_report(reader, w->rows(w->user), false, error);
  }
  w->destroy(w->user, res);
  return s;
}
