/* --dry-run of the commands that work on data. */
#ifndef SETOSA_CLI_DRY_RUN_H
#define SETOSA_CLI_DRY_RUN_H

#include "cli/command.h"

/* Prints the plan, as text or JSON. classes: those of the model, or of the data for training. */
Status dry_run(const SetosaDataset *dataset, SetosaPlanWork work, size_t classes, const SetosaTrainOptions *options, const Session *session,
               Error *error);
/* The same for the scores of a model. */
Status dry_run_scores(const SetosaDataset *dataset, const SetosaModel *model, const SetosaComputeOptions *compute, const Session *session,
                      Error *error);

#endif
