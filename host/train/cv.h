/* Inside cross-validation: what its files share. */
#ifndef SETOSA_TRAIN_CV_H
#define SETOSA_TRAIN_CV_H

#include "compute/objective.h"
#include "optim/optimizer.h"
#include "optim/preconditioner.h"
#include "train/checkpoint.h"
#include "train/job.h"

/* A model that is done. */
typedef struct CvFit {
  double loss, accuracy; /* of the rows of its fold; 0 for all rows */
  double objective, training_loss, gradient_norm;
  double iterations, evaluations, reason, solver, preconditioner;
} CvFit;
enum { CV_FIT_NUMBERS = sizeof(CvFit) / sizeof(double), CV_AGES = 3 };

/* Models are made in order: for the largest lambda that of all rows (fold 0), then those without fold 1, 2, ...; then for the next
 * lambda. */
typedef struct Cv {
  const SetosaCvOptions *options;
  SetosaTrainOptions train; /* the caller's, without a penalty and with the checkpoint that it goes on from */
  Dataset *dataset;
  Ranks *ranks;
  Backend *backend;
  Vector *w;
  size_t folds, count;            /* count: of lambdas */
  double *lambda;                 /* (count) falling */
  int32_t *fold;                  /* (N) from 0 */
  double *fold_weight;            /* (folds), as backends see weights */
  float *factors;                 /* (N) 0 for the rows of the fold at hand, 1 for the others */
  size_t weighed;                 /* the fold (from 1; 0: none) that the backend leaves out */
  CvFit *fits;                    /* (count, 1 + folds), of which */
  size_t done;                    /* are there */
  double *path;                   /* (count,P): weights of all rows */
  double *last;                   /* (CV_AGES,folds,P): those of the last models of each fold, the latest first */
  double *start;                  /* (P): where the next one begins */
  OptimizerReport report;         /* of the last model */
  OptimizerSettings settings;     /* for all of them */
  Preconditioner *preconditioner; /* that the models of a lambda begin with; NULL: none */
  size_t prepared;                /* the lambda that it is for */
  Keeper keeper;
  JobWishes wishes;
  bool stopped, class_weighted;
  uint64_t done_before, flops_before;
  double began, seconds_score, seconds_keep;
  Status callback_status;
  Error *error;
} Cv;

static inline size_t cv_fits(const Cv *cv) { return (cv->folds + 1) * cv->count; }
/* Of a fold, from 1. */
static inline double *cv_last(const Cv *cv, size_t fold, size_t age) {
  return fold > 0 ? cv->last + (age * cv->folds + fold - 1) * cv->backend->parameters : NULL;
}
/* The lambda and the fold of a model. */
static inline size_t cv_lambda_of(const Cv *cv, size_t fit) { return fit / (cv->folds + 1); }
static inline size_t cv_fold_of(const Cv *cv, size_t fit) { return fit % (cv->folds + 1); }

/* cv_options.c. SETOSA_ERROR_USAGE for the first option that makes no sense. */
Status cv_check_options(const SetosaCvOptions *options, const Dataset *dataset, Error *error);

/* cv_path.c. The ends as they are named or usual; with an L1 penalty and no end named they are found from the data. */
double cv_path_least(const SetosaCvOptions *options);
double cv_path_most(const SetosaCvOptions *options);
bool cv_path_is_by_data(const SetosaCvOptions *options);
/* cv->lambda (path_count), falling. */
Status cv_make_path(Cv *cv, Error *error);
/* The penalty for one lambda. */
ObjectiveTerms cv_terms(const SetosaCvOptions *options, double lambda);

/* cv_folds.c. fold (N), and the weight of each. */
Status cv_make_folds(Cv *cv, Error *error);
/* A class of so few rows that folds are without it: warns of the smallest. */
void cv_warn_of_classes(const Cv *cv);

/* cv_fit.c. What all models have in common; then cv->preconditioner is the caller's to close. */
Status cv_choose_solver(Cv *cv, Error *error);
/* Makes the next model; cv->stopped when that was cut short. */
Status cv_fit_next(Cv *cv, Error *error);

/* cv_state.c. What is compared before it goes on, and the models that are done. */
Status cv_open_keeper(Cv *cv, Error *error);
Status cv_load(Cv *cv, const OptimizerState *state, Error *error);
/* Writes them when that is due, or at the end. */
Status cv_keep(Cv *cv, bool end, Error *error);

/* cv_result.c */
Status cv_make_result(SetosaCvResult **result, const Cv *cv, Error *error);

#endif
