/* The file of a checkpoint: safetensors, a tensor for each list of numbers of the optimizer's state (F32 where that loses nothing, which is
 * so for every vector of an f32 device; else F64), and in its metadata, in this order: "format", "bytes" (of the file), "checksum",
 * "setting.NAME" for each setting, "note.I.name" and "note.I.value" for each note; a text that is not UTF-8 stands as hexadecimal digits
 * under its key with "-hex" behind. The checksum is the XXH3-128 of the file with noughts for the digits of "bytes" and "checksum", which
 * have a fixed place and width: a file that is cut, changed or longer is known to be. */
#include "train/checkpoint_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "model/safetensors.h"

/* How every file begins, after the 8 bytes of its header's length. */
#define NOUGHTS "0000000000000000"
#define BEFORE_VERSION "{\"__metadata__\":{\"format\":\"setosa-checkpoint-"
#define VERSION "2"
#define BEFORE_BYTES BEFORE_VERSION VERSION "\",\"bytes\":\""
#define BEFORE_CHECKSUM BEFORE_BYTES NOUGHTS "\",\"checksum\":\""
#define HEAD BEFORE_CHECKSUM NOUGHTS NOUGHTS "\""
enum {
  LENGTH_BYTES = 8,
  VERSION_AT = LENGTH_BYTES + sizeof BEFORE_VERSION - 1,
  BYTES_AT = LENGTH_BYTES + sizeof BEFORE_BYTES - 1,
  CHECKSUM_AT = LENGTH_BYTES + sizeof BEFORE_CHECKSUM - 1,
  HEAD_BYTES = LENGTH_BYTES + sizeof HEAD - 1,
  BYTES_DIGITS = sizeof NOUGHTS - 1,
  CHECKSUM_DIGITS = HASH_HEX_SIZE - 1
};
static const char OLDER[] = "SETOSACK"; /* how the files of versions before 2 began */
enum { OLDER_BYTES = sizeof OLDER - 1, STATE_ENTRIES_MOST = 10000 /* l-bfgs has 3 a step and remembers 1000 */ };

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

static bool fits_f32(const StateEntry *entry) {
  for (size_t i = 0; i < entry->count; i++)
    if ((double)(float)entry->values[i] != entry->values[i]) return false;
  return true;
}

/* F64 first, so that every number lies at a multiple of its size. tensors (state->count) borrow from the state. */
static void describe_tensors(TensorSource *tensors, const OptimizerState *state) {
  size_t count = 0;
  for (int f32 = 0; f32 <= 1; f32++)
    for (size_t i = 0; i < state->count; i++) {
      const StateEntry *entry = &state->entries[i];
      if (fits_f32(entry) != (f32 == 1)) continue;
      tensors[count++] = (TensorSource){.name = entry->name,
                                        .type = f32 ? TENSOR_F32 : TENSOR_F64,
                                        .dimensions = 1,
                                        .shape = {entry->count, 1},
                                        .doubles = entry->values};
    }
}

static Status add_text(Texts *metadata, const char *key, const char *text, Error *error) {
  Status status = SETOSA_OK;
  Text other_key = {0}, digits = {0};
  if (text_is_utf8(text, strlen(text))) return texts_add(metadata, key, text, error);
  TRY(text_append(&other_key, error, "%s-hex", key));
  for (const char *c = text; *c != '\0'; c++) TRY(text_append(&digits, error, "%02x", (unsigned)(unsigned char)*c));
  TRY(texts_add(metadata, other_key.text, digits.text, error));
cleanup:
  text_free(&other_key);
  text_free(&digits);
  return status;
}

static Status describe_texts(Texts *metadata, const Checkpoint *checkpoint, Error *error) {
  Status status = SETOSA_OK;
  Text key = {0};
  TRY(texts_add(metadata, "format", "setosa-checkpoint-" VERSION, error));
  TRY(texts_add(metadata, "bytes", NOUGHTS, error));
  TRY(texts_add(metadata, "checksum", NOUGHTS NOUGHTS, error));
  for (size_t i = 0; i < checkpoint->settings.count; i++) {
    const TextPair *setting = &checkpoint->settings.pairs[i];
    text_free(&key);
    TRY(text_append(&key, error, "setting.%s", setting->name));
    TRY(texts_add(metadata, key.text, setting->value, error));
  }
  for (size_t i = 0; i < checkpoint->notes.count; i++)
    for (int value = 0; value <= 1; value++) {
      const TextPair *note = &checkpoint->notes.pairs[i];
      text_free(&key);
      TRY(text_append(&key, error, "note.%zu.%s", i, value ? "value" : "name"));
      TRY(add_text(metadata, key.text, value ? note->value : note->name, error));
    }
cleanup:
  text_free(&key);
  return status;
}

/* Puts the length and the checksum of what was written in their place. False: the stream failed. */
static bool seal(FILE *stream, const Hash *hash) {
  char checksum[HASH_HEX_SIZE];
  off_t bytes = ftello(stream);
  hash_hex(hash, checksum);
  return bytes >= 0 && fseeko(stream, BYTES_AT, SEEK_SET) == 0 && fprintf(stream, "%016llu", (unsigned long long)bytes) == BYTES_DIGITS &&
         fseeko(stream, CHECKSUM_AT, SEEK_SET) == 0 && fputs(checksum, stream) >= 0;
}

static Status write_all(FILE *stream, const char *path, const Checkpoint *checkpoint, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  Hash *hash = NULL;
  Texts texts = {0};
  MetadataPair *metadata = NULL;
  TensorSource *tensors = NULL;
  TRY(hash_create(&hash, error));
  TRY(describe_texts(&texts, checkpoint, error));
  TRY(memory_allocate((void **)&metadata, texts.count, sizeof *metadata, "a checkpoint", error));
  for (size_t i = 0; i < texts.count; i++) metadata[i] = (MetadataPair){texts.pairs[i].name, texts.pairs[i].value};
  TRY(memory_allocate((void **)&tensors, state->count, sizeof *tensors, "a checkpoint", error));
  describe_tensors(tensors, state);
  TRY(safetensors_write(stream, path, metadata, texts.count, tensors, state->count, hash, error));
  if (ferror(stream) || !seal(stream, hash)) TRY(file_write_failed(error, path, "write"));
cleanup:
  free(tensors);
  free(metadata);
  texts_free(&texts);
  hash_destroy(hash);
  return status;
}

/* FILE becomes FILE.previous. By a second name for it, so that FILE itself is there all the time; where the file system has no hard links
 * it is renamed, and until the new one takes its place FILE.previous is the whole one. A link at that name goes, what it leads to stays. */
static Status keep_previous(const char *path, Error *error) {
  Status status = SETOSA_OK;
  char *previous = NULL;
  TRY(checkpoint_file_previous(&previous, path, error));
  unlink(previous);
  bool kept = link(path, previous) == 0 || rename(path, previous) == 0;
  if (!kept && errno != ENOENT) status = file_write_failed(error, previous, "write"); /* ENOENT: somebody has removed FILE */
cleanup:
  free(previous);
  return status;
}

Status checkpoint_file_save(const char *path, const Checkpoint *checkpoint, const OptimizerState *state, bool rotate, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  TRY(atomic_file_open(&file, path, error));
  if (file.temporary == NULL) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: is no plain file", path));
  TRY(write_all(file.stream, path, checkpoint, state, error));
  /* Everything is on the disk before the file that is there is touched. */
  if (fflush(file.stream) != 0 || ferror(file.stream) || fsync(fileno(file.stream)) != 0) TRY(file_write_failed(error, path, "write"));
  if (rotate) TRY(keep_previous(file.path, error));
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}

Status checkpoint_file_previous(char **previous, const char *path, Error *error) {
  Text text = {0};
  char *target = NULL;
  Status status = path_follow(&target, path, error); /* a link stays a link, so what it leads to is what was rotated */
  if (status == SETOSA_OK) status = text_append(&text, error, "%s.previous", target);
  free(target);
  *previous = text.text;
  return status;
}

/* *there: a checkpoint is, or was before it was damaged. Whatever else is there is refused: it would be overwritten. */
static Status look_at(bool *there, const char *path, Error *error) {
  char begin[VERSION_AT];
  struct stat info;
  *there = false;
  if (stat(path, &info) != 0) return errno == ENAMETOOLONG ? file_write_failed(error, path, "write") : SETOSA_OK;
  if (S_ISDIR(info.st_mode)) return error_set(error, SETOSA_ERROR_WRITE, "%s: is a folder; name a file in it", path);
  if (!S_ISREG(info.st_mode))
    return error_set(error, SETOSA_ERROR_USAGE, "%s: is no plain file, which a checkpoint must be; give a path on a disk", path);
  if (info.st_size == 0) return SETOSA_OK;
  FILE *stream = fopen(path, "rb");
  if (stream == NULL)
    return error_set(error, SETOSA_ERROR_WRITE, "%s: is there and cannot be read: %s; give another path", path, strerror(errno));
  size_t got = fread(begin, 1, sizeof begin, stream);
  fclose(stream);
  bool older = got >= OLDER_BYTES && memcmp(begin, OLDER, OLDER_BYTES) == 0;
  bool ours = got > LENGTH_BYTES && memcmp(begin + LENGTH_BYTES, BEFORE_VERSION, got - LENGTH_BYTES) == 0; /* perhaps cut short */
  *there = older || ours;
  if (*there) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "%s: is there and is no checkpoint; give another path, or remove it first", path);
}

Status checkpoint_file_probe(CheckpointProbe *probe, const char *path, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  char *previous = NULL;
  TRY(look_at(&probe->file, path, error));
  TRY(checkpoint_file_previous(&previous, path, error));
  TRY(look_at(&probe->previous, previous, error));
  TRY(atomic_file_open(&file, path, error));
cleanup:
  atomic_file_abandon(&file);
  free(previous);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static Status damaged(const char *path, const char *how, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: is damaged (%s); it cannot be resumed: use an older one, or train afresh", path, how);
}

/* The first bytes: whether this is a checkpoint, and of this version. */
static Status check_head(const unsigned char head[HEAD_BYTES], size_t got, const char *path, Error *error) {
  char how[96];
  size_t known = got > LENGTH_BYTES ? (got < VERSION_AT ? got : VERSION_AT) - LENGTH_BYTES : 0;
  if (got == 0) return damaged(path, "it is empty", error);
  if (got >= OLDER_BYTES && memcmp(head, OLDER, OLDER_BYTES) == 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: was written by an older Setosa; train afresh, or resume with the version that wrote it",
                     path);
  if (known > 0 && memcmp(head + LENGTH_BYTES, BEFORE_VERSION, known) != 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: is no checkpoint; give the file that --checkpoint wrote", path);
  if (got <= LENGTH_BYTES) /* nothing in them says what it is */
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: is too short to be a checkpoint (if it was one, it was cut short after %zu byte%s); give the file that "
                     "--checkpoint wrote",
                     path, got, got == 1 ? "" : "s");
  snprintf(how, sizeof how, "cut short after %zu bytes", got);
  if (got < HEAD_BYTES) return damaged(path, how, error);
  if (head[VERSION_AT] != VERSION[0])
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: has another format than that of setosa %s (" VERSION "); train afresh, or resume with the version that wrote it",
                     path, SETOSA_VERSION);
  for (size_t i = VERSION_AT; i < HEAD_BYTES; i++) {
    bool digit = (i >= BYTES_AT && i < BYTES_AT + BYTES_DIGITS) || (i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_DIGITS);
    if (!digit && head[i] != (unsigned char)HEAD[i - LENGTH_BYTES]) return damaged(path, "its header was changed", error);
  }
  return SETOSA_OK;
}

/* Head, length, checksum: after this every byte is as it was written. */
static Status check_whole(FILE *stream, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Hash *hash = NULL;
  struct stat info;
  unsigned char block[1 << 13];
  char digits[HASH_HEX_SIZE], how[96];
  if (fstat(fileno(stream), &info) != 0 || !S_ISREG(info.st_mode))
    return error_set(error, SETOSA_ERROR_DATA, "%s: is no checkpoint, but no plain file; give the file that --checkpoint wrote", path);
  size_t got = fread(block, 1, HEAD_BYTES, stream);
  TRY(check_head(block, got, path, error));
  unsigned long long length = (unsigned long long)info.st_size, whole = 0;
  snprintf(digits, sizeof digits, "%016llu", length);
  if (memcmp(block + BYTES_AT, digits, BYTES_DIGITS) != 0) {
    snprintf(digits, sizeof digits, "%.*s", (int)BYTES_DIGITS, (const char *)block + BYTES_AT);
    whole = strtoull(digits, NULL, 10);
    snprintf(how, sizeof how, "%s: %llu bytes of %llu", length < whole ? "cut short" : "it is too long", length, whole);
    TRY(damaged(path, how, error));
  }
  TRY(hash_create(&hash, error));
  hash_add(hash, block, LENGTH_BYTES);
  hash_add(hash, HEAD, sizeof HEAD - 1);
  char checksum[CHECKSUM_DIGITS];
  memcpy(checksum, block + CHECKSUM_AT, CHECKSUM_DIGITS);
  while ((got = fread(block, 1, sizeof block, stream)) > 0) hash_add(hash, block, got);
  if (ferror(stream)) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: cannot read: %s; check the disk", path, strerror(errno)));
  hash_hex(hash, digits);
  if (memcmp(checksum, digits, CHECKSUM_DIGITS) != 0) TRY(damaged(path, "its checksum does not match", error));
  rewind(stream);
cleanup:
  hash_destroy(hash);
  return status;
}

/* *text = what add_text made of a text; free() it. */
static Status read_text(char **text, const MetadataPair *pair, Error *error) {
  size_t key = strlen(pair->key), length = strlen(pair->value);
  if (key < 4 || strcmp(pair->key + key - 4, "-hex") != 0) return memory_copy_text(text, pair->value, error);
  Status status = memory_allocate_zero((void **)text, length / 2 + 1, 1, "a checkpoint", error);
  for (size_t i = 0; status == SETOSA_OK && i + 1 < length; i += 2) {
    const char byte[] = {pair->value[i], pair->value[i + 1], '\0'};
    (*text)[i / 2] = (char)strtoul(byte, NULL, 16);
  }
  return status;
}

/* Settings, and notes: each a name and the value after it. */
static Status read_texts(Checkpoint *checkpoint, const SafetensorsFile *file, Error *error) {
  static const char setting[] = "setting.", note[] = "note.";
  Status status = SETOSA_OK;
  char *name = NULL, *text = NULL;
  const MetadataPair *pair = NULL;
  for (size_t i = 0; (pair = safetensors_metadata(file, i)) != NULL; i++) {
    if (strncmp(pair->key, setting, sizeof setting - 1) == 0)
      TRY(texts_add(&checkpoint->settings, pair->key + sizeof setting - 1, pair->value, error));
    if (strncmp(pair->key, note, sizeof note - 1) != 0) continue;
    TRY(read_text(name == NULL ? &name : &text, pair, error));
    if (text == NULL) continue;
    TRY(texts_add(&checkpoint->notes, name, text, error));
    free(name);
    free(text);
    name = text = NULL;
  }
cleanup:
  free(name);
  free(text);
  return status;
}

static Status read_numbers(OptimizerState *state, SafetensorsFile *file, const Tensor *tensor, const char *path, Error *error) {
  Status status = SETOSA_OK;
  double *values = NULL;
  if (strlen(tensor->name) >= STATE_NAME_SIZE || state->count >= STATE_ENTRIES_MOST)
    return damaged(path, "it holds what no training keeps", error);
  TRY(safetensors_check_type(file, tensor, error)); /* only of a type we know is the count bounded by the length of the file */
  TRY(memory_allocate((void **)&values, tensor->count, sizeof *values, "a checkpoint", error));
  TRY(safetensors_read_doubles(file, tensor, values, error));
  TRY(state_put(state, tensor->name, tensor->count, values, error));
cleanup:
  free(values);
  return status;
}

Status checkpoint_file_load(Checkpoint *checkpoint, const char *path, Error *error) {
  Status status = SETOSA_OK;
  SafetensorsFile *file = NULL;
  const Tensor *tensor = NULL;
  FILE *stream = fopen(path, "rb");
  if (stream == NULL)
    return error_set(error, file_failure(errno, SETOSA_ERROR_DATA), "%s: cannot open: %s; %s", path, strerror(errno),
                     file_remedy(errno, "check the path"));
  status = check_whole(stream, path, error);
  if (status != SETOSA_OK) {
    fclose(stream);
    return status;
  }
  TRY(safetensors_open_stream(&file, stream, path, error)); /* of the same open file: another may be at path by now */
  TRY(read_texts(checkpoint, file, error));
  for (size_t i = 0; (tensor = safetensors_tensor(file, i)) != NULL; i++) TRY(read_numbers(&checkpoint->state, file, tensor, path, error));
  if (!state_is_sound(&checkpoint->state)) TRY(damaged(path, "it holds numbers beyond the range of float32", error));
cleanup:
  safetensors_close(file);
  return status;
}
