/* libzip asks for the bytes of members and hands back those of the archive, both by a function of ours; it goes back once for each member
 * to write its checksum. */
#include "data/archive_write.h"

#include <string.h>
#include <zip.h>

/* What both functions know. */
typedef struct Writing {
  Output *output;
  uint64_t at; /* where libzip writes */
  Status status;
  Error failure; /* the first, of reading or writing */
} Writing;

typedef struct Source {
  Writing *writing;
  const ArchiveMember *member;
} Source;

static zip_int64_t give_stat(void *data, zip_uint64_t length, zip_uint64_t bytes) {
  zip_stat_t *stat = data;
  if (length < sizeof *stat) return -1;
  zip_stat_init(stat);
  stat->size = stat->comp_size = bytes;
  stat->comp_method = ZIP_CM_STORE;
  stat->valid = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  return 0;
}

/* What failed is in Writing.failure. */
static zip_int64_t give_error(void *data, zip_uint64_t length) {
  const int codes[2] = {ZIP_ER_WRITE, 0};
  if (length < sizeof codes) return -1;
  memcpy(data, codes, sizeof codes);
  return sizeof codes;
}

static zip_int64_t source_call(void *user, void *data, zip_uint64_t length, zip_source_cmd_t command) {
  const Source *source = user;
  Writing *writing = source->writing;
  size_t got = 0;
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                            ZIP_SOURCE_FREE, -1);
    case ZIP_SOURCE_READ:
      if (writing->status == SETOSA_OK)
        writing->status = source->member->read(source->member->user, data, (size_t)length, &got, &writing->failure);
      return writing->status == SETOSA_OK ? (zip_int64_t)got : -1;
    case ZIP_SOURCE_STAT:
      return give_stat(data, length, source->member->bytes);
    case ZIP_SOURCE_ERROR:
      return give_error(data, length);
    default:
      return 0;
  }
}

static zip_int64_t archive_call(void *user, void *data, zip_uint64_t length, zip_source_cmd_t command) {
  Writing *writing = user;
  zip_error_t ignored;
  zip_int64_t to = 0;
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return ZIP_SOURCE_SUPPORTS_WRITABLE;
    case ZIP_SOURCE_STAT:
      return give_stat(data, length, 0);
    case ZIP_SOURCE_WRITE:
      if (writing->status == SETOSA_OK) writing->status = output_write(writing->output, data, (size_t)length, &writing->failure);
      writing->at += length;
      return writing->status == SETOSA_OK ? (zip_int64_t)length : -1;
    case ZIP_SOURCE_SEEK_WRITE:
      zip_error_init(&ignored);
      to = zip_source_seek_compute_offset(writing->at, output_bytes(writing->output), data, length, &ignored);
      zip_error_fini(&ignored);
      if (to < 0) return -1;
      if (writing->status == SETOSA_OK) writing->status = output_seek(writing->output, (uint64_t)to, &writing->failure);
      writing->at = (uint64_t)to;
      return writing->status == SETOSA_OK ? 0 : -1;
    case ZIP_SOURCE_TELL_WRITE:
      return (zip_int64_t)writing->at;
    case ZIP_SOURCE_ERROR:
      return give_error(data, length);
    default: /* there is nothing to read */
      return 0;
  }
}

static Status failed(zip_error_t *why, Error *error) {
  if (zip_error_code_zip(why) == ZIP_ER_MEMORY) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to write an archive");
  return error_set(error, SETOSA_ERROR_INTERNAL, "an archive cannot be written (%s); please report this", zip_error_strerror(why));
}

static Status add_member(zip_t *zip, Source *source, Error *error) {
  const zip_uint16_t first_day = 1 << 5 | 1; /* of 1980 */
  zip_source_t *made = zip_source_function(zip, source_call, source);
  zip_int64_t index = made != NULL ? zip_file_add(zip, source->member->name, made, ZIP_FL_ENC_UTF_8) : -1;
  if (index < 0) zip_source_free(made);
  if (index < 0 || zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(zip, (zip_uint64_t)index, 0, first_day, 0) != 0)
    return failed(zip_get_error(zip), error);
  return SETOSA_OK;
}

Status archive_write(Output *output, const ArchiveMember *members, size_t count, Error *error) {
  enum { MOST_MEMBERS = 16 };
  Status status = SETOSA_OK;
  Writing writing = {.output = output};
  Source sources[MOST_MEMBERS];
  zip_error_t why;
  zip_error_init(&why);
  zip_t *zip = NULL;
  zip_source_t *archive = zip_source_function_create(archive_call, &writing, &why);
  if (archive != NULL) zip = zip_open_from_source(archive, ZIP_CREATE | ZIP_TRUNCATE, &why);
  if (zip == NULL) {
    zip_source_free(archive);
    TRY(failed(&why, error));
  }
  for (size_t i = 0; i < count && i < MOST_MEMBERS; i++) {
    sources[i] = (Source){&writing, &members[i]};
    TRY(add_member(zip, &sources[i], error));
  }
  if (zip_close(zip) == 0)
    zip = NULL;
  else if (writing.status != SETOSA_OK)
    TRY(error_set(error, writing.status, "%s", writing.failure.message));
  else
    TRY(failed(zip_get_error(zip), error));
cleanup:
  if (zip != NULL) zip_discard(zip);
  zip_error_fini(&why);
  return status;
}
