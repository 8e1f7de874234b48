/* Gathering what the options read and write, comparing each output with all else, trying the outputs. */
#include "cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"

enum { NAME_SIZE = 64 };

typedef struct Place {
  char name[NAME_SIZE]; /* "--model", or "" for an argument */
  const char *path;
  char *owned;       /* the path, where it had to be made */
  const char *given; /* the path that the option names; another one where this is the file beside it */
  const OptionRow *row;
  bool written;
} Place;

typedef struct Places {
  Place *all; /* (count) */
  size_t count, capacity;
} Places;

static void places_free(Places *places) {
  for (size_t i = 0; i < places->count; i++) free(places->all[i].owned);
  free(places->all);
}

/* ---- what is read, what is written ---------------------------------------------------------------------------------- */

static Status add(Places *places, const char *name, const char *path, const OptionRow *row, bool written, Error *error) {
  Status status = memory_grow((void **)&places->all, &places->capacity, places->count + 1, sizeof *places->all, "names of files", error);
  if (status != SETOSA_OK) return status;
  Place *place = &places->all[places->count++];
  *place = (Place){.path = path, .given = path, .row = row, .written = written};
  snprintf(place->name, NAME_SIZE, "%s", name);
  return SETOSA_OK;
}

/* The same with a path that has to be copied. */
static Status add_copy(Places *places, const char *name, const char *path, const OptionRow *row, bool written, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  TRY(memory_copy_text(&copy, path, error));
  TRY(add(places, name, copy, row, written, error));
  places->all[places->count - 1].owned = copy;
  copy = NULL;
cleanup:
  free(copy);
  return status;
}

/* A second file beside that of an option. */
static Status add_beside(Places *places, const char *flag, const char *path, const OptionRow *row, bool written, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  char *target = NULL, name[NAME_SIZE];
  bool followed = path_follow(&target, path, NULL) == SETOSA_OK; /* else whoever opens it says why */
  TRY(text_append(&text, error, "%s%s", followed ? target : path, row->beside));
  snprintf(name, sizeof name, "--%s's", flag);
  TRY(add_copy(places, name, text.text, row, written, error));
  places->all[places->count - 1].given = path;
cleanup:
  free(target);
  text_free(&text);
  return status;
}

/* The labels of data, which are found by their name. */
static Status add_labels(Places *places, const char *data, Error *error) {
  char path[PATH_MAX];
  Status status = setosa_labels_find(path, sizeof path, data, error);
  if (status != SETOSA_OK || path[0] == '\0') return status;
  return add_copy(places, "the labels", path, NULL, false, error);
}

/* DATA while its files are added. */
typedef struct DataFiles {
  Places *places;
  const char *name;
  const OptionRow *row;
  Status status;
  Error *error;
} DataFiles;

static void on_file(const char *path, void *user) {
  DataFiles *files = user;
  if (files->status == SETOSA_OK) files->status = add_copy(files->places, files->name, path, files->row, false, files->error);
}

/* All files that a pattern stands for; one that no name fits is left to whoever opens it. */
static Status add_data(Places *places, const char *name, const char *data, const OptionRow *row, Error *error) {
  DataFiles files = {places, name, row, SETOSA_OK, error};
  setosa_data_files(data, on_file, &files, NULL);
  return files.status == SETOSA_OK ? add_labels(places, data, error) : files.status;
}

static Status add_option(Places *places, const Options *options, const OptionRow *row, Error *error) {
  Status status = SETOSA_OK;
  char name[NAME_SIZE], room[OPTION_VALUE];
  const void *home = options_home(options, row);
  if (row->path == PATH_NONE || !option_is_set(row, home)) return SETOSA_OK;
  const char *path = option_print(room, row, home), *flag = option_flag(row); /* of a text: itself */
  if (row->path == PATH_OR_COLUMN && !file_exists(path)) return SETOSA_OK;
  bool written = row->path == PATH_WRITTEN || row->path == PATH_APPENDED || row->path == PATH_FOLDER;
  snprintf(name, sizeof name, "--%s", flag);
  if (row->path == PATH_DATA) return add_data(places, name, path, row, error);
  TRY(add(places, name, path, row, written, error));
  if (row->beside != NULL) TRY(add_beside(places, flag, path, row, written, error));
cleanup:
  return status;
}

static Status gather(Places *places, const Options *options, unsigned commands, Error *error) {
  Status status = SETOSA_OK;
  const char *kernels = getenv("SETOSA_KERNEL_DIR");
  for (size_t i = 0; i < options->argument_count; i++) TRY(add_data(places, "", options->argument[i], NULL, error));
  if (kernels != NULL) TRY(add(places, "SETOSA_KERNEL_DIR", kernels, NULL, false, error));
  for (size_t i = 0; i < options_row_count(); i++)
    if ((options_row(i)->commands & commands) != 0) TRY(add_option(places, options, options_row(i), error));
cleanup:
  return status;
}

/* ---- the rule ------------------------------------------------------------------------------------------------------ */

/* Whether path is a file in a folder that is read as a whole. */
static Status lies_in(bool *inside, const char *path, const char *folder, Error *error) {
  Status status = SETOSA_OK;
  struct stat file, read, holds;
  char *target = NULL, *holder = NULL;
  *inside = false;
  if (stat(folder, &read) != 0 || !S_ISDIR(read.st_mode) || stat(path, &file) != 0 || !S_ISREG(file.st_mode)) return SETOSA_OK;
  TRY(path_follow(&target, path, error));
  TRY(path_folder(&holder, target, error));
  *inside = stat(holder, &holds) == 0 && holds.st_dev == read.st_dev && holds.st_ino == read.st_ino;
cleanup:
  free(target);
  free(holder);
  return status;
}

/* An output may go on what it continues: --checkpoint FILE after --resume FILE, and so with the files beside the two. */
static Status find_whether_it_continues(bool *continues, const Place *output, const Place *other, Error *error) {
  *continues = output->row->continues != NULL && other->row != NULL && strcmp(output->row->continues, other->row->name) == 0;
  return *continues ? path_same(continues, output->given, other->given, error) : SETOSA_OK;
}

static Status compare(const Place *output, const Place *other, Error *error) {
  Status status = SETOSA_OK;
  bool same = false, inside = false, continues = false;
  TRY(find_whether_it_continues(&continues, output, other, error));
  if (continues || output->row == other->row) return SETOSA_OK; /* of one option both may be one file: it was killed between */
  TRY(path_same(&same, output->path, other->path, error));
  if (!same && !other->written) TRY(lies_in(&inside, output->path, other->path, error));
  if (same || inside)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s %s would overwrite %s%s%s%s; give it another name", output->name, output->path,
                  inside ? "a file in " : "", other->name, other->name[0] != '\0' ? " " : "", other->path));
cleanup:
  return status;
}

/* Results on standard output must not be added to what they are made from. */
static Status check_standard_output(const Places *places, Error *error) {
  struct stat out, info;
  if (fstat(STDOUT_FILENO, &out) != 0 || !S_ISREG(out.st_mode)) return SETOSA_OK;
  for (size_t i = 0; i < places->count; i++)
    if (!places->all[i].written && stat(places->all[i].path, &info) == 0 && info.st_dev == out.st_dev && info.st_ino == out.st_ino)
      return error_set(error, SETOSA_ERROR_USAGE, "standard output would overwrite %s; send it to another file", places->all[i].path);
  return SETOSA_OK;
}

/* ---- trying -------------------------------------------------------------------------------------------------------- */

/* A file that is written in place need not be in a folder that is ours. */
static Status try_to_append(const Place *output, Error *error) {
  Status status = SETOSA_OK;
  char *target = NULL; /* of a file that is still to be made, perhaps by a link */
  bool fresh = !file_exists(output->path);
  if (fresh) TRY(path_follow(&target, output->path, error));
  int descriptor =
      open(fresh ? target : output->path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | (fresh ? O_CREAT | O_EXCL : 0), 0666);
  if (descriptor < 0 && errno != ENXIO) /* ENXIO: a pipe whose reader is still to come */
    TRY(error_set(error, SETOSA_ERROR_WRITE, "%s %s: cannot write: %s; choose a file in a folder that exists and is yours", output->name,
                  output->path, strerror(errno)));
  if (descriptor >= 0) close(descriptor);
  if (descriptor >= 0 && fresh) unlink(target);
cleanup:
  free(target);
  return status;
}

/* A full disk lets a file be made and nothing be written to it, which is not to be found out after the work. */
static Status try_a_page(const AtomicFile *probe, Error *error) {
  static const char page[4096];
  if (probe->temporary == NULL) return SETOSA_OK; /* a device or a pipe takes what it gets */
  if (fwrite(page, 1, sizeof page, probe->stream) == sizeof page && fflush(probe->stream) == 0) return SETOSA_OK;
  return file_write_failed(error, probe->path, "write");
}

static Status try_to_write(const Place *output, Error *error) {
  AtomicFile probe = {0};
  struct stat info;
  if (stat(output->path, &info) == 0 && S_ISFIFO(info.st_mode)) return SETOSA_OK; /* opening and closing a pipe sends its reader away */
  if (output->row->path == PATH_APPENDED) return try_to_append(output, error);
  if (output->row->path != PATH_WRITTEN) return SETOSA_OK;
  Status status = atomic_file_open(&probe, output->path, error);
  if (status == SETOSA_OK) status = try_a_page(&probe, error);
  atomic_file_abandon(&probe);
  if (status != SETOSA_OK) error_prefix(error, "%s", output->name);
  return status;
}

Status outputs_check(const Options *options, unsigned commands, Error *error) {
  Status status = SETOSA_OK;
  Places places = {.count = 0};
  TRY(gather(&places, options, commands, error));
  for (size_t i = 0; i < places.count; i++)
    for (size_t k = 0; k < places.count && places.all[i].written; k++)
      if (k < i || !places.all[k].written) TRY(compare(&places.all[i], &places.all[k], error));
  TRY(check_standard_output(&places, error));
  for (size_t i = 0; i < places.count; i++)
    if (places.all[i].written) TRY(try_to_write(&places.all[i], error));
cleanup:
  places_free(&places);
  return status;
}
