/* --log: one JSON line per iteration. */
#ifndef SETOSA_CLI_TRAIN_LOG_H
#define SETOSA_CLI_TRAIN_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json.h"

typedef struct TrainLog {
  FILE *stream; /* NULL: no log wanted */
  const char *path;
  bool failed; /* a line could not be written; the training goes on */
  int code;    /* errno of it */
} TrainLog;

/* Opens the file at its end; path NULL: no log. Unlike every other file it is written in place: it is there to be watched. */
Status train_log_open(TrainLog *log, const char *path, Error *error);
/* Throws away what earlier runs have written. */
void train_log_empty(const TrainLog *log);
/* Writes and flushes one line. */
void train_log_write(TrainLog *log, const SetosaProgress *at);
/* The same for a line that is made already, which is released; NULL: memory was short. */
void train_log_line(TrainLog *log, json_t *line);
/* SETOSA_ERROR_WRITE when any line was lost. */
Status train_log_close(TrainLog *log, Error *error);

#endif
