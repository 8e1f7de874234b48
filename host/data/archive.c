/* libzip reads a copy of the stream's descriptor, so that an archive that is replaced meanwhile stays the one that was opened. */
#include "data/archive.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "base/memory.h"
#include "base/text.h"

struct Archive {
  const Stream *stream;
  zip_t *zip;
  NameTable *names;
};

/* One that is open. */
typedef struct Member {
  Archive *archive;
  size_t index;
  char *path; /* for messages */
  zip_file_t *file;
} Member;

static Status damaged(const char *path, const char *why, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: the archive is damaged (%s); write it again with numpy.savez", path, why);
}

/* What libzip says, as ours. */
static Status failed(const char *path, zip_error_t *why, Error *error) {
  if (zip_error_code_zip(why) == ZIP_ER_MEMORY) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to read %s", path);
  return damaged(path, zip_error_strerror(why), error);
}

static Status list_members(Archive *archive, Error *error) {
  Status status = SETOSA_OK;
  const char *path = stream_path(archive->stream);
  zip_int64_t count = zip_get_num_entries(archive->zip, 0);
  for (zip_int64_t i = 0; i < count; i++) {
    const char *name = zip_get_name(archive->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    size_t index = 0;
    if (name == NULL) TRY(failed(path, zip_get_error(archive->zip), error));
    TRY(name_table_add(archive->names, name, strlen(name), &index, error));
    if (index != (size_t)i) TRY(damaged(path, "a name stands there twice", error));
  }
cleanup:
  return status;
}

Status archive_open(Archive **out, const Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  Archive *archive = NULL;
  int code = 0, descriptor = stream_copy_descriptor(stream);
  *out = NULL;
  TRY(memory_allocate_zero((void **)&archive, 1, sizeof *archive, "an archive", error));
  archive->stream = stream;
  TRY(name_table_create(&archive->names, error));
  archive->zip = descriptor >= 0 ? zip_fdopen(descriptor, ZIP_CHECKCONS, &code) : NULL;
  if (archive->zip != NULL) descriptor = -1; /* closed with it */
  if (archive->zip == NULL && code == ZIP_ER_MEMORY)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to read %s", stream_path(stream)));
  if (archive->zip == NULL)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is no zip archive, or a damaged one; write it again with numpy.savez(FILE, X=..., y=...)",
                  stream_path(stream)));
  TRY(list_members(archive, error));
  *out = archive;
  archive = NULL;
cleanup:
  if (descriptor >= 0) close(descriptor);
  archive_close(archive);
  return status;
}

void archive_close(Archive *archive) {
  if (archive == NULL) return;
  if (archive->zip != NULL) zip_discard(archive->zip);
  name_table_destroy(archive->names);
  free(archive);
}

size_t archive_count(const Archive *archive) { return name_table_count(archive->names); }
const char *archive_name(const Archive *archive, size_t index) { return name_table_name(archive->names, index); }
bool archive_find(const Archive *archive, const char *name, size_t *index) {
  return name_table_find(archive->names, name, strlen(name), index);
}

/* ---- a member ---------------------------------------------------------------------------------------------------- */

static Status member_read(void *user, void *buffer, size_t length, size_t *got, Error *error) {
  Member *member = user;
  char *to = buffer;
  for (*got = 0; *got < length;) {
    zip_int64_t count = zip_fread(member->file, to + *got, length - *got);
    if (count < 0) return failed(member->path, zip_file_get_error(member->file), error);
    if (count == 0) break;
    *got += (size_t)count;
  }
  return SETOSA_OK;
}

static void member_close(void *user) {
  Member *member = user;
  if (member == NULL) return;
  if (member->file != NULL) zip_fclose(member->file);
  free(member->path);
  free(member);
}

static Status member_reopen(void *user, Stream **again, Error *error) {
  const Member *member = user;
  return archive_open_member(again, member->archive, member->index, error);
}

static Status check_member(const zip_stat_t *info, const Member *member, Error *error) {
  const char *path = member->path;
  if (info->encryption_method != ZIP_EM_NONE)
    return error_set(error, SETOSA_ERROR_DATA, "%s: is encrypted; write the archive again with numpy.savez", path);
  if (info->comp_method != ZIP_CM_STORE && info->comp_method != ZIP_CM_DEFLATE)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: is compressed in a way that is not read (method %d); write it with numpy.savez_compressed", path,
                     info->comp_method);
  /* Deflate cannot do better than 1032:1 (zlib's technical notes). */
  bool stored = info->comp_method == ZIP_CM_STORE;
  if (info->comp_size > stream_bytes_total(member->archive->stream) || (stored && info->comp_size != info->size) ||
      info->size / 1032 > info->comp_size)
    return damaged(path, "impossible sizes", error);
  return SETOSA_OK;
}

Status archive_open_member(Stream **out, Archive *archive, size_t index, Error *error) {
  Status status = SETOSA_OK;
  Text path = {0};
  zip_stat_t info;
  Member *member = NULL;
  *out = NULL;
  TRY(text_append(&path, error, "%s/%s", stream_path(archive->stream), archive_name(archive, index)));
  TRY(memory_allocate_zero((void **)&member, 1, sizeof *member, "a member", error));
  member->archive = archive;
  member->index = index;
  member->path = path.text;
  path.text = NULL;
  if (zip_stat_index(archive->zip, index, 0, &info) != 0) TRY(failed(member->path, zip_get_error(archive->zip), error));
  TRY(check_member(&info, member, error));
  member->file = zip_fopen_index(archive->zip, index, 0);
  if (member->file == NULL) TRY(failed(member->path, zip_get_error(archive->zip), error));
  const StreamFinder finder = {.read = member_read,
                               .reopen = member_reopen,
                               .close = member_close,
                               .user = member,
                               .bytes = info.size,
                               .stored = info.comp_size,
                               .packed = info.comp_method != ZIP_CM_STORE};
  member = NULL; /* closed with the stream, or if there is none */
  TRY(stream_open_found(out, &finder, ((Member *)finder.user)->path, error));
cleanup:
  member_close(member);
  text_free(&path);
  return status;
}
