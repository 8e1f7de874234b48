/* One JSON line per iteration, flushed as it is written, so that a run can be watched and a crash loses nothing. */
#include "cli/train_log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/json_output.h"

static Status cannot_write(const char *path, Error *error) {
  int code = errno;
  return error_set(error, file_failure(code, SETOSA_ERROR_WRITE), "--log %s: cannot write: %s; %s", path, strerror(code),
                   file_remedy(code, "choose a file in a folder that exists and is yours"));
}

Status train_log_open(TrainLog *log, const char *path, Error *error) {
  *log = (TrainLog){.path = path};
  if (path == NULL) return SETOSA_OK;
  /* To append: whoever else appends to it meanwhile loses no line. */
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0666);
  if (descriptor >= 0) log->stream = fdopen(descriptor, "a");
  return log->stream != NULL ? SETOSA_OK : cannot_write(path, error);
}

void train_log_empty(const TrainLog *log) {
  struct stat info;
  bool is_file = log->stream != NULL && fstat(fileno(log->stream), &info) == 0 && S_ISREG(info.st_mode);
  if (is_file && ftruncate(fileno(log->stream), 0) != 0) return; /* then it is continued: nothing is lost */
}

void train_log_line(TrainLog *log, json_t *line) {
  Error ignored = {0};
  if (log->stream == NULL || log->failed) {
    json_decref(line);
    return;
  }
  if (json_print(line, true, log->stream, &ignored) != SETOSA_OK) {
    log->failed = true;
    log->code = ENOMEM;
  } else if (fflush(log->stream) != 0) {
    log->failed = true;
    log->code = errno;
  }
}

void train_log_write(TrainLog *log, const SetosaProgress *at) {
  if (log->stream == NULL || log->failed) return;
  json_t *line =
      json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "iteration", (json_int_t)at->iteration, "objective", json_number(at->objective),
                "loss", json_number(at->loss), "gradient_norm", json_number(at->gradient_norm), "step", json_number(at->step), "seconds",
                json_number(at->seconds), "rows_per_second", json_number(at->rows_per_second), "passes", json_number(at->passes));
  if (isfinite(at->validation_loss)) json_put(&line, "validation_loss", json_number(at->validation_loss));
  train_log_line(log, line);
}

Status train_log_close(TrainLog *log, Error *error) {
  if (log->stream == NULL) return SETOSA_OK;
  if (fclose(log->stream) != 0 && !log->failed) {
    log->failed = true;
    log->code = errno;
  }
  log->stream = NULL;
  if (!log->failed) return SETOSA_OK;
  return error_set(error, file_failure(log->code, SETOSA_ERROR_WRITE), "--log %s: cannot write: %s; its lines are incomplete", log->path,
                   log->code != 0 ? strerror(log->code) : "unknown error");
}
