/* Approximate Hessians from sampled rows. */
#include "optim/curvature.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/memory.h"
#include "base/openblas.h"
#include "base/processors.h"
#include "base/thread.h"

enum {
  CLASSES_TURNED = 1024,    /* with more, a matrix of the classes costs more than it gains */
  LEAST_SAMPLE = 2000,      /* rows of a covariance, */
  ROWS_A_FEATURE = 4,       /* or so many for each feature */
  BLOCK_ROWS_A_FEATURE = 3, /* of the matrix of a class, */
  BLOCK_PASSES = 8,         /* or what costs 8 / 4 passes for all classes, */
  MOST_BLOCK_ROWS = 65536,  /* and no more than this */
  SAMPLE_ROWS = 131072,     /* among which they are chosen */
  SAMPLE_SCORES = 64 << 20  /* probabilities of them, at most */
};

void curvature_free(Curvature *curvature) {
  free(curvature->classes);
  free(curvature->features);
  free(curvature->scale);
  *curvature = (Curvature){0};
}

size_t curvature_feature_count(SetosaPreconditioner kind, size_t classes) {
  return kind == SETOSA_PRECONDITIONER_KRON ? 1 : kind == SETOSA_PRECONDITIONER_BLOCKS ? classes : 0;
}

bool curvature_turns_classes(size_t classes) { return classes <= CLASSES_TURNED; }

static Status allocate(double **values, size_t a, size_t b, Error *error) {
  size_t count = 0;
  Status status = memory_multiply(&count, a, b, "a preconditioner", error);
  return status != SETOSA_OK ? status : memory_allocate_zero((void **)values, count, sizeof **values, "a preconditioner", error);
}

/* With all weights 0, so that every class has probability 1/K, the Hessian times a bias of 1 in class 0 has in that class's weights
 * (1/K) (1 - 1/K) times the mean of x. Of many rows an eighth is enough, in ranges from all over them: any point near the mean will do. */
Status curvature_mean(Backend *backend, double *mean, Error *error) {
  enum { RANGES = 16, PART = 8, MANY = 16384 };
  Status status = SETOSA_OK;
  double *values = NULL, classes = (double)backend->classes, spread = (1 - 1 / classes) / classes;
  size_t ranges = backend->rows >= MANY ? RANGES : 1, count = backend->rows / (ranges > 1 ? RANGES * PART : 1);
  Vector *zero = NULL, *bias = NULL, *product = NULL;
  TRY(allocate(&values, backend->parameters, 1, error));
  TRY(vector_create(backend, &zero, error));
  TRY(vector_create(backend, &bias, error));
  TRY(vector_create(backend, &product, error));
  values[backend->classes * backend->features] = 1;
  TRY(vector_write(backend, bias, values, error));
  memset(mean, 0, backend->features * sizeof *mean);
  for (size_t r = 0; r < ranges && backend->classes > 1; r++) {
    RowRange rows = {r * (backend->rows / ranges), count};
    TRY(backend_hessian_product(backend, zero, bias, rows, NULL, product, error));
    TRY(vector_read(backend, product, values, error));
    for (size_t d = 0; d < backend->features; d++) mean[d] += isfinite(values[d]) ? values[d] / spread / (double)ranges : 0;
  }
cleanup:
  vector_destroy(backend, product);
  vector_destroy(backend, bias);
  vector_destroy(backend, zero);
  free(values);
  return status;
}

/* I - 11'/K takes the mean over the classes off, which softmax does not see. */
static Status take_mean_off(double **classes, size_t count, Error *error) {
  if (!curvature_turns_classes(count)) return SETOSA_OK;
  Status status = allocate(classes, count, count, error);
  for (size_t i = 0; status == SETOSA_OK && i < count * count; i++) (*classes)[i] = (i % (count + 1) == 0 ? 1.0 : 0.0) - 1 / (double)count;
  return status;
}

/* Of no curvature 0: there is no gradient either where all rows are certain. And within the range of f32, in which devices keep it. */
static double inverse(double curvature) { return curvature > 0 ? fmin(1 / curvature, 1e30) : 0; }

double curvature_of_column(double own, double mean, double total) {
  static const double CONSTANT = 1e-6; /* spread beside the mean, which is rounding alone in f32 */
  double around_zero = mean * mean * total;
  return own > CONSTANT * CONSTANT * around_zero ? own : around_zero;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* ---- diagonal --------------------------------------------------------------------------------------------------- */

static double column(const CurvatureSettings *settings, size_t d, double own, double total) {
  return curvature_of_column(own, settings->mean != NULL ? settings->mean[d] : 0, total);
}

/* The diagonals (K,D+1) of the mean of a_k v v', v = (x - mean, 1), from a sample of the rows. */
static Status sample_diagonals(double *diagonals, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = settings->backend;
  size_t classes = backend->classes;
  Sample sample = {0};
  double *weights = NULL;
  TRY(sample_open(&sample, backend, w, smaller(SAMPLE_ROWS, SAMPLE_SCORES / classes + 1), settings->seed, settings->draw, error));
  TRY(allocate(&weights, classes, sample.count, error));
  double share = 1 / ((double)sample.count * (backend->mean_weight > 0 ? backend->mean_weight : 1));
  for (size_t i = 0; i < sample.count; i++)
    for (size_t k = 0; k < classes; k++) weights[k * sample.count + i] = sample_spread(&sample, i, k) * share;
  GramRequest request = {
      .count = sample.count, .rows = sample.rows, .mean = settings->mean, .matrices = classes, .weights = weights, .diagonal = true};
  TRY(backend_gram(backend, &request, diagonals, error));
cleanup:
  free(weights);
  sample_close(&sample);
  return status;
}

/* Where most features are rare a sample knows nothing of many of them; of sparse rows all cost little more than a pass. */
static bool is_sparse(const Backend *backend) { return backend->entries < (uint64_t)backend->rows * backend->features; }

static Status measure_diagonals(double *diagonals, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Backend *backend = settings->backend;
  GramRequest request = {.count = backend->rows, .at = w, .mean = settings->mean, .matrices = backend->classes, .diagonal = true};
  Status status = backend_gram(backend, &request, diagonals, error);
  double share = backend_row_scale(backend, backend->rows);
  for (size_t i = 0; status == SETOSA_OK && i < backend->classes * (backend->features + 1); i++) diagonals[i] *= share;
  return status;
}

Status curvature_diagonal(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = settings->backend;
  size_t features = backend->features, classes = backend->classes, width = features + 1;
  double *diagonals = NULL;
  TRY(allocate(&diagonals, classes, width, error));
  TRY(allocate(&curvature->scale, backend->parameters, 1, error));
  TRY(take_mean_off(&curvature->classes, classes, error));
  TRY((is_sparse(backend) ? measure_diagonals : sample_diagonals)(diagonals, settings, w, error));
  for (size_t k = 0; k < classes; k++) {
    const double *diagonal = diagonals + k * width;
    for (size_t d = 0; d < features; d++)
      curvature->scale[k * features + d] =
          inverse(column(settings, d, diagonal[d], diagonal[features]) + settings->l2 + 1e-12 * diagonal[features]);
    curvature->scale[classes * features + k] = backend->intercept ? 1 / fmax(diagonal[features], 1e-12) : 0;
  }
cleanup:
  free(diagonals);
  return status;
}

/* ---- kron ------------------------------------------------------------------------------------------------------- */

void curvature_of_classes(double *a, const Sample *sample) {
  size_t classes = sample->backend->classes;
  double share = 1 / (double)sample->count;
  for (size_t i = 0; i < sample->count; i++) {
    const float *p = sample->probabilities + i * classes;
    for (size_t k = 0; k < classes; k++) {
      double pk = share * (double)p[k];
      a[k * classes + k] += pk;
      for (size_t l = 0; l <= k; l++) a[k * classes + l] -= pk * (double)p[l];
    }
  }
  for (size_t k = 0; k < classes; k++)
    for (size_t l = 0; l < k; l++) a[l * classes + k] = a[k * classes + l];
}

void curvature_row_weights(double *weights, const Sample *sample) {
  size_t classes = sample->backend->classes;
  for (size_t i = 0; i < sample->count; i++) {
    double squares = 0;
    for (size_t k = 0; k < classes; k++)
      squares += (double)sample->probabilities[i * classes + k] * (double)sample->probabilities[i * classes + k];
    weights[i] = fmax(1 - squares, 1e-30);
  }
}

/* Eigenvalues a (K) of A and classes (K,K) = its eigenvectors as columns; of many classes the diagonal of A alone. */
static Status turn_classes(double *a, double **classes, const Sample *sample, Error *error) {
  Status status = SETOSA_OK;
  size_t count = sample->backend->classes;
  double *matrix = NULL;
  if (!curvature_turns_classes(count)) {
    for (size_t i = 0; i < sample->count; i++)
      for (size_t k = 0; k < count; k++) a[k] += sample_spread(sample, i, k) / (double)sample->count;
    return SETOSA_OK;
  }
  TRY(allocate(&matrix, count, count, error));
  TRY(allocate(classes, count, count, error));
  curvature_of_classes(matrix, sample);
  TRY(dense_eigen(matrix, a, count, error));
  for (size_t k = 0; k < count; k++)
    for (size_t l = 0; l < count; l++) (*classes)[l * count + k] = matrix[k * count + l];
cleanup:
  free(matrix);
  return status;
}

/* F (D+1,D+1): the eigenvectors of the covariance as rows, which take the mean off first; e (D) its eigenvalues. */
static Status turn_features(double *e, double **features, const CurvatureSettings *settings, const Sample *sample, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = settings->backend;
  size_t width = backend->features + 1, count = backend->features;
  double *weights = NULL, *gram = NULL;
  TRY(allocate(&weights, sample->count, 1, error));
  TRY(allocate(&gram, width, width, error));
  TRY(allocate(features, width, width, error));
  curvature_row_weights(weights, sample);
  GramRequest request = {.count = sample->count, .rows = sample->rows, .mean = settings->mean, .matrices = 1, .weights = weights};
  TRY(backend_gram(backend, &request, gram, error));
  double total = gram[width * width - 1] > 0 ? gram[width * width - 1] : 1;
  for (size_t d = 0; d < count; d++) /* in place: each row moves to the front */
    for (size_t c = 0; c < count; c++) gram[d * count + c] = gram[d * width + c] / total;
  for (size_t d = 0; d < count; d++) gram[d * count + d] = column(settings, d, gram[d * count + d], 1);
  TRY(dense_eigen(gram, e, count, error));
  for (size_t d = 0; d < count; d++) {
    double along = 0;
    for (size_t c = 0; c < count; c++) {
      (*features)[d * width + c] = gram[d * count + c];
      if (settings->mean != NULL) along += gram[d * count + c] * settings->mean[c];
    }
    (*features)[d * width + count] = -along;
  }
  (*features)[width * width - 1] = backend->intercept ? 1 : 0;
cleanup:
  free(gram);
  free(weights);
  return status;
}

Status curvature_kron(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = settings->backend;
  size_t features = backend->features, classes = backend->classes;
  double *a = NULL, *e = NULL;
  Sample sample = {0};
  size_t wanted = larger(larger(ROWS_A_FEATURE * features, LEAST_SAMPLE), smaller(classes, CLASSES_TURNED) * 2);
  TRY(allocate(&a, classes, 1, error));
  TRY(allocate(&e, features, 1, error));
  TRY(allocate(&curvature->scale, backend->parameters, 1, error));
  TRY(sample_open(&sample, backend, w, wanted, settings->seed, settings->draw, error));
  TRY(turn_classes(a, &curvature->classes, &sample, error));
  TRY(turn_features(e, &curvature->features, settings, &sample, error));
  curvature->feature_count = 1;
  double largest_a = 0, largest_e = 0;
  for (size_t k = 0; k < classes; k++) largest_a = fmax(largest_a, a[k]);
  for (size_t d = 0; d < features; d++) largest_e = fmax(largest_e, e[d]);
  for (size_t k = 0; k < classes; k++) {
    /* The first is of the direction that is the same for all classes: it has no curvature but the penalty's, and no gradient. */
    bool flat = curvature->classes != NULL && k == 0;
    double ak = fmax(a[k], 1e-9 * largest_a), least = (settings->l2 > 0 ? 1e-12 : 1e-9) * largest_a * largest_e;
    for (size_t d = 0; d < features; d++)
      curvature->scale[k * features + d] = flat ? 0 : inverse(ak * fmax(e[d], 0) + settings->l2 + least);
    curvature->scale[classes * features + k] = flat ? 0 : inverse(ak);
  }
cleanup:
  sample_close(&sample);
  free(e);
  free(a);
  return status;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

/* An element of M (width,width) with its last row and column, of the bias, as the first. */
static double at(const double *m, size_t width, size_t i, size_t j) {
  return m[(i == 0 ? width - 1 : i - 1) * width + (j == 0 ? width - 1 : j - 1)];
}

/* F (D+1,D+1) with F'F = the inverse of M (D+1,D+1), whose last row and column are the bias, and with the mean taken off first. The bias
 * comes first in the factors, so that F is lower triangular but for its last column. */
static Status invert_block(double *features, double *room, const double *m, const CurvatureSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  size_t count = settings->backend->features, width = count + 1;
  bool intercept = settings->backend->intercept, positive = false;
  double jitter = settings->l2 > 0 ? 1e-12 : 1e-8; /* without a penalty more than what rounding makes of columns that follow from others */
  double *equal = room + width * width;            /* (D+1) brings the diagonal to 1 */
  for (size_t i = 0; i < width; i++) {
    double penalty = i == 0 ? (intercept ? 1e-6 * at(m, width, 0, 0) + 1e-12 : 1) : settings->l2;
    double own = fmax(at(m, width, i, i), 0);
    equal[i] = sqrt(inverse((i == 0 ? own : column(settings, i - 1, own, at(m, width, 0, 0))) + penalty));
  }
  while (!positive) {
    for (size_t i = 0; i < width; i++)
      for (size_t j = 0; j <= i; j++) {
        bool apart = !intercept && (i == 0) != (j == 0); /* no bias: it stays out */
        room[i * width + j] = i == j ? 1 + jitter : apart ? 0 : at(m, width, i, j) * equal[i] * equal[j];
      }
    TRY(dense_cholesky(room, width, &positive, error));
    jitter *= 100;
    if (!positive && jitter > 1) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "a curvature is not positive; report this, with its data"));
  }
  TRY(dense_invert_triangle(room, width, error));
  memset(features, 0, width * width * sizeof *features);
  for (size_t d = 0; d < count; d++) {
    double along = 0;
    for (size_t c = 0; c <= d; c++) {
      double value = room[(d + 1) * width + c + 1] * equal[c + 1];
      features[d * width + c] = value;
      if (settings->mean != NULL) along += value * settings->mean[c];
    }
    features[d * width + count] = intercept ? room[(d + 1) * width] * equal[0] - along : 0;
  }
  features[width * width - 1] = intercept ? room[0] * equal[0] : 0;
cleanup:
  return status;
}

/* The classes that threads take, one after another. */
typedef struct BlockWork {
  const CurvatureSettings *settings;
  const double *grams; /* (K,D+1,D+1) */
  double *features;    /* (K,D+1,D+1) */
  size_t next;
  pthread_mutex_t mutex;
  Status status;
  Error *error;
} BlockWork;

static void *invert_blocks(void *argument) {
  BlockWork *work = argument;
  Status status = SETOSA_OK;
  Error own = {0};
  double *room = NULL;
  size_t classes = work->settings->backend->classes, width = work->settings->backend->features + 1;
  TRY(allocate(&room, width + 1, width, &own));
  for (;;) {
    pthread_mutex_lock(&work->mutex);
    size_t k = work->status == SETOSA_OK ? work->next++ : classes;
    pthread_mutex_unlock(&work->mutex);
    if (k >= classes) break;
    TRY(invert_block(work->features + k * width * width, room, work->grams + k * width * width, work->settings, &own));
  }
cleanup:
  free(room);
  pthread_mutex_lock(&work->mutex);
  if (status != SETOSA_OK && work->status == SETOSA_OK) work->status = error_set(work->error, status, "%s", own.message);
  pthread_mutex_unlock(&work->mutex);
  return NULL;
}

/* All classes, on all cores; each is worked on by one thread, so that the bits do not depend on how many there are. */
static Status invert_all(double *features, const double *grams, const CurvatureSettings *settings, Error *error) {
  enum { MOST_THREADS = 64 };
  BlockWork work = {.settings = settings, .grams = grams, .features = features, .error = error, .mutex = PTHREAD_MUTEX_INITIALIZER};
  pthread_t threads[MOST_THREADS];
  size_t wanted = smaller(smaller(processors_usable(), settings->backend->classes), MOST_THREADS), started = 0;
  Status status = dense_load(error); /* once, before there are threads */
  if (status != SETOSA_OK) return status;
  while (wanted > 1 && openblas_check_room(wanted, "", NULL) != SETOSA_OK) wanted--;
  while (started + 1 < wanted && thread_start(&threads[started], invert_blocks, &work) == 0) started++;
  invert_blocks(&work);
  for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
  pthread_mutex_destroy(&work.mutex);
  return work.status;
}

Status curvature_of_each_class(double *grams, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = settings->backend;
  size_t features = backend->features, classes = backend->classes, width = features + 1;
  size_t most =
      smaller(larger(BLOCK_ROWS_A_FEATURE * features, smaller(BLOCK_PASSES * backend->rows / features, MOST_BLOCK_ROWS)), backend->rows);
  Sample sample = {0};
  uint64_t *rows = NULL;
  double *weights = NULL;
  size_t candidates = smaller(larger(SAMPLE_ROWS, 4 * most), larger(SAMPLE_SCORES / classes, 2 * most));
  TRY(sample_open(&sample, backend, w, candidates, settings->seed, settings->draw, error));
  TRY(memory_allocate((void **)&rows, sample.count, sizeof *rows, "a sample of rows", error));
  TRY(allocate(&weights, sample.count, 1, error));
  for (size_t k = 0; k < classes; k++) {
    size_t count = sample_important(&sample, k, most, rows, weights);
    if (backend->mean_weight > 0)
      for (size_t i = 0; i < count; i++) weights[i] /= backend->mean_weight;
    GramRequest request = {.count = count, .rows = rows, .mean = settings->mean, .matrices = 1, .weights = weights};
    if (count > 0) TRY(backend_gram(backend, &request, grams + k * width * width, error));
  }
cleanup:
  free(weights);
  free(rows);
  sample_close(&sample);
  return status;
}

Status curvature_blocks(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = settings->backend->classes, width = settings->backend->features + 1;
  double *grams = NULL;
  TRY(allocate(&grams, classes, width * width, error));
  TRY(allocate(&curvature->features, classes, width * width, error));
  curvature->feature_count = classes;
  TRY(take_mean_off(&curvature->classes, classes, error));
  TRY(curvature_of_each_class(grams, settings, w, error));
  TRY(invert_all(curvature->features, grams, settings, error));
cleanup:
  free(grams);
  return status;
}
