/* What a checkpoint remembers of the command line that began the training, and how a later command line may differ. */
#ifndef SETOSA_CLI_TRAIN_RESUME_H
#define SETOSA_CLI_TRAIN_RESUME_H

#include "cli/command.h"

/* Zero-initialise; train_resume_close. */
typedef struct TrainResume {
  SetosaCheckpoint *checkpoint; /* NULL: the training begins */
  Options options;              /* of this run: what the command line says, and for the rest what the checkpoint remembers */
  SetosaNote *notes;            /* (note_count) of `options`, for the checkpoints of this run */
  size_t note_count, note_capacity;
  char **texts; /* (text_count) behind the notes */
  size_t text_count, text_capacity;
} TrainResume;

/* Reads the checkpoint of --resume, if there is one, for the command that runs. SETOSA_ERROR_USAGE for an option that contradicts it, or
 * without DATA. */
Status train_resume_open(TrainResume *resume, const Command *command, const Session *session, Error *error);
void train_resume_close(TrainResume *resume);

/* --every: seconds, or iterations as in 10it. */
Status train_resume_interval(SetosaTrainOptions *train, const char *every, Error *error);

#endif
