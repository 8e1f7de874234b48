/* The file of a checkpoint. All numbers little-endian:
 *   "SETOSACK", version u32, 0 u32, length of the whole file u64, then records, then 32 hexadecimal digits: XXH3-128 of all before.
 * A record: kind u32, length of its name u32, count u64, the name, the payload. Kinds: a setting or a note (count bytes of text), f32 or
 * f64 numbers (count of them; f32 where that loses nothing, which is so for every vector of an f32 device). */
#include "train/checkpoint_file.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/little_endian.h"

static const char MAGIC[] = "SETOSACK";
enum { VERSION = 1, MAGIC_BYTES = 8, HEAD_BYTES = 24, TAIL_BYTES = HASH_HEX_SIZE - 1, RECORD_BYTES = 16 };
enum { KIND_SETTING = 1, KIND_NOTE, KIND_F32, KIND_F64 };
enum { CHUNK = 4096 }; /* numbers converted at a time */

Status texts_add(Texts *texts, const char *name, const char *value, Error *error) {
  Status status = SETOSA_OK;
  TextPair pair = {0};
  TRY(memory_grow((void **)&texts->pairs, &texts->capacity, texts->count + 1, sizeof pair, "a checkpoint", error));
  TRY(memory_copy_text(&pair.name, name, error));
  TRY(memory_copy_text(&pair.value, value, error));
  texts->pairs[texts->count++] = pair;
  pair = (TextPair){0};
cleanup:
  free(pair.name);
  free(pair.value);
  return status;
}

const char *texts_find(const Texts *texts, const char *name) {
  for (size_t i = 0; i < texts->count; i++)
    if (strcmp(texts->pairs[i].name, name) == 0) return texts->pairs[i].value;
  return NULL;
}

void texts_free(Texts *texts) {
  for (size_t i = 0; i < texts->count; i++) {
    free(texts->pairs[i].name);
    free(texts->pairs[i].value);
  }
  free(texts->pairs);
  *texts = (Texts){0};
}

void checkpoint_free_content(Checkpoint *checkpoint) {
  texts_free(&checkpoint->settings);
  texts_free(&checkpoint->notes);
  state_free(&checkpoint->state);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Stream errors are sticky: atomic_file_commit finds them. */
typedef struct Writer {
  FILE *stream;
  Hash *hash;
} Writer;

static void write_bytes(Writer *writer, const void *bytes, size_t length) {
  fwrite(bytes, 1, length, writer->stream);
  hash_add(writer->hash, bytes, length);
}

static void write_record_head(Writer *writer, unsigned kind, const char *name, uint64_t count) {
  unsigned char head[RECORD_BYTES];
  store_u64(head, (uint64_t)kind | (uint64_t)strlen(name) << 32);
  store_u64(head + 8, count);
  write_bytes(writer, head, sizeof head);
  write_bytes(writer, name, strlen(name));
}

static void write_texts(Writer *writer, unsigned kind, const Texts *texts) {
  for (size_t i = 0; i < texts->count; i++) {
    write_record_head(writer, kind, texts->pairs[i].name, strlen(texts->pairs[i].value));
    write_bytes(writer, texts->pairs[i].value, strlen(texts->pairs[i].value));
  }
}

static bool fits_f32(const StateEntry *entry) {
  for (size_t i = 0; i < entry->count; i++)
    if ((double)(float)entry->values[i] != entry->values[i]) return false;
  return true;
}

static void write_numbers(Writer *writer, const StateEntry *entry, bool f32) {
  unsigned char bytes[CHUNK * 8];
  size_t width = f32 ? 4 : 8;
  write_record_head(writer, f32 ? KIND_F32 : KIND_F64, entry->name, entry->count);
  for (size_t first = 0; first < entry->count; first += CHUNK) {
    size_t count = entry->count - first < CHUNK ? entry->count - first : CHUNK;
    for (size_t i = 0; i < count; i++) {
      double value = entry->values[first + i];
      uint64_t bits = 0;
      memcpy(&bits, &value, sizeof bits);
      if (f32)
        store_f32(bytes + i * width, (float)value);
      else
        store_u64(bytes + i * width, bits);
    }
    write_bytes(writer, bytes, count * width);
  }
}

static uint64_t texts_bytes(const Texts *texts) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < texts->count; i++) bytes += RECORD_BYTES + strlen(texts->pairs[i].name) + strlen(texts->pairs[i].value);
  return bytes;
}

static Status write_all(FILE *stream, const Checkpoint *checkpoint, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  Writer writer = {.stream = stream};
  bool *f32 = NULL;
  unsigned char head[HEAD_BYTES] = {0};
  char digest[HASH_HEX_SIZE];
  uint64_t length = HEAD_BYTES + TAIL_BYTES + texts_bytes(&checkpoint->settings) + texts_bytes(&checkpoint->notes);
  TRY(hash_create(&writer.hash, error));
  TRY(memory_allocate((void **)&f32, state->count, sizeof *f32, "a checkpoint", error));
  for (size_t i = 0; i < state->count; i++) {
    f32[i] = fits_f32(&state->entries[i]);
    length += RECORD_BYTES + strlen(state->entries[i].name) + (uint64_t)state->entries[i].count * (f32[i] ? 4 : 8);
  }
  memcpy(head, MAGIC, MAGIC_BYTES);
  store_u64(head + 8, VERSION);
  store_u64(head + 16, length);
  write_bytes(&writer, head, sizeof head);
  write_texts(&writer, KIND_SETTING, &checkpoint->settings);
  write_texts(&writer, KIND_NOTE, &checkpoint->notes);
  for (size_t i = 0; i < state->count; i++) write_numbers(&writer, &state->entries[i], f32[i]);
  hash_hex(writer.hash, digest);
  fwrite(digest, 1, TAIL_BYTES, stream);
cleanup:
  free(f32);
  hash_destroy(writer.hash);
  return status;
}

static Status write_failed(Error *error, const char *path) {
  return error_set(error, SETOSA_ERROR_WRITE, "%s: cannot write: %s; %s", path, strerror(errno),
                   errno == ENOSPC ? "free some space" : "check the disk and the folder's permissions");
}

/* FILE becomes FILE.previous. By a second name for it, so that FILE itself is there all the time; where the file system has no hard links
 * it is renamed, and until the new one takes its place FILE.previous is the whole one. */
static Status keep_previous(const char *path, Error *error) {
  Status status = SETOSA_OK;
  char *previous = NULL;
  Text beside = {0};
  TRY(checkpoint_file_previous(&previous, path, error));
  TRY(text_append(&beside, error, "%s.%ld.tmp", previous, (long)getpid()));
  unlink(beside.text); /* of a killed process with our number */
  bool kept = link(path, beside.text) == 0 ? rename(beside.text, previous) == 0 : rename(path, previous) == 0;
  if (!kept && errno != ENOENT) status = write_failed(error, previous); /* ENOENT: somebody has removed FILE */
cleanup:
  if (status != SETOSA_OK && beside.text != NULL) unlink(beside.text);
  text_free(&beside);
  free(previous);
  return status;
}

Status checkpoint_file_save(const char *path, const Checkpoint *checkpoint, const OptimizerState *state, bool rotate, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  TRY(atomic_file_open(&file, path, error));
  if (file.temporary_path == NULL) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: is no plain file", path));
  TRY(write_all(file.stream, checkpoint, state, error));
  /* Everything is on the disk before the file that is there is touched. */
  if (fflush(file.stream) != 0 || ferror(file.stream) || fsync(fileno(file.stream)) != 0) TRY(write_failed(error, path));
  if (rotate) TRY(keep_previous(file.path, error));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}

void checkpoint_file_forget_previous(const char *path) {
  char *previous = NULL;
  if (checkpoint_file_previous(&previous, path, NULL) == SETOSA_OK) unlink(previous);
  free(previous);
}

/* Is `name` "<base>.<pid>.tmp" or "<base>.previous.<pid>.tmp" of a process that is gone? */
static bool is_left_over(const char *name, const char *base) {
  size_t length = strlen(base);
  char *end = NULL;
  if (strncmp(name, base, length) != 0) return false;
  name += length;
  if (strncmp(name, ".previous.", 10) == 0) name += 9;
  if (name[0] != '.' || name[1] < '1' || name[1] > '9') return false;
  long process = strtol(name + 1, &end, 10);
  return strcmp(end, ".tmp") == 0 && process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

void checkpoint_file_sweep(const char *path) {
  char *target = realpath(path, NULL);
  char *slash = target != NULL ? strrchr(target, '/') : NULL;
  if (slash != NULL) {
    *slash = '\0';
    DIR *folder = opendir(slash == target ? "/" : target);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
      if (is_left_over(entry->d_name, slash + 1)) unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL) closedir(folder);
  }
  free(target);
}

Status checkpoint_file_previous(char **previous, const char *path, Error *error) {
  Text text = {0};
  char *target = realpath(path, NULL); /* a link stays a link, so its target is what was rotated; NULL when FILE is missing */
  Status status = text_append(&text, error, "%s.previous", target != NULL ? target : path);
  free(target);
  *previous = text.text;
  return status;
}

Status checkpoint_file_probe(const char *path, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  char begin[MAGIC_BYTES];
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) /* a folder has its own message below */
    return error_set(error, SETOSA_ERROR_USAGE, "%s: is no plain file, which a checkpoint must be; give a path on a disk", path);
  FILE *stream = fopen(path, "rb");
  if (stream != NULL) {
    size_t got = fread(begin, 1, sizeof begin, stream);
    fclose(stream);
    if (got > 0 && memcmp(begin, MAGIC, got) != 0)
      return error_set(error, SETOSA_ERROR_USAGE, "%s: is there and is no checkpoint; give another path, or remove it first", path);
  }
  TRY(atomic_file_open(&file, path, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static Status damaged(const char *path, const char *how, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: is damaged (%s); it cannot be resumed: use an older one, or train afresh", path, how);
}

/* Magic, version, length, checksum: after this every byte is as it was written. */
static Status check_whole(const unsigned char *bytes, size_t length, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Hash *hash = NULL;
  char digest[HASH_HEX_SIZE], how[96];
  if (length == 0) return damaged(path, "it is empty", error);
  if (memcmp(bytes, MAGIC, length < MAGIC_BYTES ? length : MAGIC_BYTES) != 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: is no checkpoint; give the file that --checkpoint wrote", path);
  snprintf(how, sizeof how, "cut short after %zu bytes", length);
  if (length < HEAD_BYTES + TAIL_BYTES) return damaged(path, how, error);
  uint64_t version = load_bits(bytes + 8, 8), whole = load_bits(bytes + 16, 8);
  if (version != VERSION)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: has format version %llu, this is setosa %s, which reads %d; resume with the version that wrote it", path,
                     (unsigned long long)version, SETOSA_VERSION, VERSION);
  if (length != whole) {
    snprintf(how, sizeof how, "%s: %zu bytes of %llu", length < whole ? "cut short" : "it is too long", length, (unsigned long long)whole);
    return damaged(path, how, error);
  }
  TRY(hash_create(&hash, error));
  hash_add(hash, bytes, length - TAIL_BYTES);
  hash_hex(hash, digest);
  if (memcmp(bytes + length - TAIL_BYTES, digest, TAIL_BYTES) != 0) status = damaged(path, "its checksum does not match", error);
cleanup:
  hash_destroy(hash);
  return status;
}

static Status read_numbers(OptimizerState *state, const char *name, const unsigned char *bytes, size_t count, unsigned kind, Error *error) {
  double *values = NULL;
  Status status = memory_allocate((void **)&values, count, sizeof(double), "a checkpoint", error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < count; i++) values[i] = kind == KIND_F32 ? (double)load_f32(bytes + 4 * i) : load_f64(bytes + 8 * i);
  status = state_put(state, name, count, values, error);
  free(values);
  return status;
}

/* One record; *used bytes of those left. */
static Status read_record(Checkpoint *checkpoint, const unsigned char *bytes, size_t left, size_t *used, const char *path, Error *error) {
  Status status = SETOSA_OK;
  char *name = NULL, *value = NULL;
  if (left < RECORD_BYTES) return damaged(path, "a record is cut short", error);
  unsigned kind = (unsigned)load_bits(bytes, 4);
  size_t name_length = (size_t)load_bits(bytes + 4, 4), count = (size_t)load_bits(bytes + 8, 8);
  size_t width = kind == KIND_F64 ? 8 : kind == KIND_F32 ? 4 : 1;
  left -= RECORD_BYTES;
  if (kind < KIND_SETTING || kind > KIND_F64) return damaged(path, "it holds an unknown kind of record", error);
  if (name_length > left || count > (left - name_length) / width) return damaged(path, "a record is cut short", error);
  const unsigned char *payload = bytes + RECORD_BYTES + name_length;
  TRY(memory_allocate_zero((void **)&name, name_length + 1, 1, "a checkpoint", error));
  memcpy(name, bytes + RECORD_BYTES, name_length);
  if (kind == KIND_F32 || kind == KIND_F64) {
    TRY(read_numbers(&checkpoint->state, name, payload, count, kind, error));
  } else {
    TRY(memory_allocate_zero((void **)&value, count + 1, 1, "a checkpoint", error));
    memcpy(value, payload, count);
    TRY(texts_add(kind == KIND_SETTING ? &checkpoint->settings : &checkpoint->notes, name, value, error));
  }
  *used = RECORD_BYTES + name_length + count * width;
cleanup:
  free(name);
  free(value);
  return status;
}

Status checkpoint_file_load(Checkpoint *checkpoint, const char *path, Error *error) {
  Status status = SETOSA_OK;
  unsigned char *bytes = NULL;
  size_t length = 0, used = 0;
  TRY(file_read_all(&bytes, &length, path, SIZE_MAX / 2, error));
  TRY(check_whole(bytes, length, path, error));
  for (size_t at = HEAD_BYTES; at < length - TAIL_BYTES; at += used)
    TRY(read_record(checkpoint, bytes + at, length - TAIL_BYTES - at, &used, path, error));
cleanup:
  free(bytes);
  return status;
}
