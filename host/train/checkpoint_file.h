/* A checkpoint as a file: whole or known to be damaged. What stands in it is checkpoint.h's business. */
#ifndef SETOSA_TRAIN_CHECKPOINT_FILE_H
#define SETOSA_TRAIN_CHECKPOINT_FILE_H

#include "optim/state.h"

/* Texts by name: a name may occur more than once. Zero-initialise; texts_free. */
typedef struct TextPair {
  char *name, *value; /* owned */
} TextPair;
typedef struct Texts {
  TextPair *pairs;
  size_t count, capacity;
} Texts;
Status texts_add(Texts *texts, const char *name, const char *value, Error *error);
const char *texts_find(const Texts *texts, const char *name); /* the first; NULL when there is none */
void texts_free(Texts *texts);

struct SetosaCheckpoint {
  char *path;         /* as the caller named it */
  bool from_previous; /* FILE was not to be used, FILE.previous was read */
  char warning[512];  /* then says why; else "" */
  char *ways_out;     /* what to do where a training cannot go on from it that nobody has asked to; NULL: somebody has */
  Texts settings;     /* what defines the training: names and values of options and data */
  Texts notes;        /* the caller's */
  OptimizerState state;
};
typedef struct SetosaCheckpoint Checkpoint;

void checkpoint_free_content(Checkpoint *checkpoint);

/* Writes settings, notes and `state` beside path, synced, renamed. rotate: what is at path is a whole checkpoint of this training and
 * becomes FILE.previous; one of the two is whole at every moment. On failure what was there is still there, under one of the names. */
Status checkpoint_file_save(const char *path, const Checkpoint *checkpoint, const OptimizerState *state, bool rotate, Error *error);
/* Reads exactly this file into *checkpoint (zeroed before). SETOSA_ERROR_DATA: missing, not a checkpoint, of another version, cut short, or
 * damaged, each with its line. */
Status checkpoint_file_load(Checkpoint *checkpoint, const char *path, Error *error);
/* FILE.previous, after following links; free(*previous). */
Status checkpoint_file_previous(char **previous, const char *path, Error *error);
/* What is at path, or rather at FILE and FILE.previous: neither, an empty file counting as none, or one of them. Refused is what is neither
 * empty nor a checkpoint, of whatever version and however damaged, and a path where no file can be put. */
typedef struct CheckpointProbe {
  bool file, previous;
} CheckpointProbe;
Status checkpoint_file_probe(CheckpointProbe *probe, const char *path, Error *error);

#endif
