/* THE SEAM. Everything that can evaluate the data term of the objective is a backend; what is added to it is in objective.h, above.
 *
 * Parameters are one vector of P = K*D + K numbers: weights (K,D) row-major, then bias (K). A Vector lives where its backend keeps it
 * (device memory, f32; host memory, double) and only its owner can read it.
 *   L(w) = 1/n * sum over the rows of the range of s_i l_i,   l_i = logsumexp(z_i) - z_i[y_i],   n = rows of the range * mean of all s
 * s_i is the weight of a row, 1 where there are none. A range of all rows is the data term, and a shorter one an estimate of it without
 * bias, a mini-batch; n does not depend on which rows those are, so that a batch of little weight moves little. Without an intercept the
 * derivatives of the bias are 0. Every call may be asynchronous on the device until a scalar or array is read back. Every backend has every
 * member. */
#ifndef SETOSA_COMPUTE_BACKEND_H
#define SETOSA_COMPUTE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/range.h"

typedef struct Backend Backend;
typedef struct Vector Vector;

typedef struct VectorPair {
  const Vector *a, *b;
  bool weights_only; /* the product of the first K*D elements, without the bias */
} VectorPair;

enum { DATA_TERM_PRODUCTS = 3 };

/* What an evaluation brings home. `pairs` is asked for by the caller, and zeroed when nothing is: inner products that come with the rest,
 * so that they cost no wait of their own. */
typedef struct DataTerm {
  const VectorPair *pairs; /* (pair_count), at most DATA_TERM_PRODUCTS; the gradient may be among them */
  size_t pair_count;
  double products[DATA_TERM_PRODUCTS]; /* of the pairs, as of vector_dots */
  double loss;                         /* weighted mean over the rows of the range */
  double gradient_norm; /* largest |component| of the gradient, with what was added to it; NAN when no gradient was asked for */
  bool later;           /* the caller's: all of these come with its next vector_dots, and cost no wait of their own. Until then it keeps
                         * the DataTerm, `pairs` and their vectors as they are, and asks for nothing but changes of other vectors and
                         * metric_apply */
} DataTerm;

/* What is added to a gradient, or to the product of the Hessian with a vector, where its sums are finished anyway:
 *   out += l2 * factors * of + linear,   of: the vector at which the gradient is taken, or which the Hessian is multiplied with.
 * So a penalty costs no pass of its own over P numbers. */
typedef struct Addition {
  double l2;
  const Vector *factors; /* (P); NULL: 1 on the weights and 0 on the bias */
  const Vector *linear;  /* (P); NULL: nothing */
} Addition;

/* A symmetric positive semidefinite P x P matrix made of small ones: an approximate inverse of a Hessian. With a vector seen as G (K, D+1),
 * row k the weights of class k and then its bias, its product with G is
 *   T = V' G,   S_k = R_k * (F_k T_k),   Y_k = F_k' S_k,   V Y        (rows as columns; * element by element)
 * What is NULL is the identity; R is then all ones. Without F, center takes its place: (C' t)_d = t_d - center_d t_D, (C' t)_D = t_D, whose
 * transpose is C. So features whose mean is far from 0 are seen as if it had been taken off them. */
typedef struct MetricForm {
  const double *classes;  /* V (K,K) row-major */
  const double *features; /* F (feature_count, D+1, D+1) row-major */
  size_t feature_count;   /* 0; 1: the same for every class; or K */
  const double *scale;    /* R (P), laid out as every vector: weights (K,D), then bias (K); not below 0 */
  const double *center;   /* (D), where feature_count is 0 */
} MetricForm;
typedef struct Metric Metric;

/* Sums of weighted outer products of rows, out (matrices, D+1, D+1) symmetric, with v_i = (x_i - mean, 1) and s_i the weight of the row in
 * the data set (not scaled to a mean of 1), 1 where there are none, times its factor where rows are reweighed:
 *   out_m = sum over i of weights[m][i] s_i v_i v_i'
 * With `at` weights[k][i] = p_ik (1 - p_ik) of all rows, p their probabilities with the parameters `at`, which no array has to hold. */
typedef struct GramRequest {
  size_t count;         /* rows */
  const uint64_t *rows; /* (count) ascending; NULL: rows 0 to count - 1 */
  const double *mean;   /* (D); NULL: 0 */
  size_t matrices;
  const double *weights; /* (matrices, count), of any sign */
  const Vector *at;      /* in place of rows (then NULL), count (N) and weights; matrices is K, and the diagonals alone; NULL: no */
  bool diagonal;         /* only the diagonals are wanted: out (matrices, D+1) */
  bool on_device;        /* even where the host is quicker, there being little to do: for comparisons */
} GramRequest;

typedef enum RowScores {
  ROW_LOGITS,
  ROW_PROBABILITIES,
  ROW_ESTIMATES /* probabilities from logits that are summed as a pass sums them: quicker, with the last digits rounded */
} RowScores;

typedef struct BackendFacts {
  const char *name;                                   /* "native", "reference" */
  const char *device;                                 /* name of the device, or "host" */
  const char *family;                                 /* "cpu", "gpu", or "" */
  const char *storage;                                /* how X is held: "f32", "f16", "u8"; NULL: as the host has it */
  double storage_rms_error;                           /* what rounding X to f16 did: ||X' - X|| / ||X||, */
  double storage_largest_error;                       /* and max |x' - x| / |x|; both 0 when nothing was rounded */
  bool leads;                                         /* the first of several processes, or the only one */
  RowRange local;                                     /* rows whose scores this process computes: all, or those of its rank */
  size_t devices;                                     /* of this process that share the rows; 0: one, or none */
  const RowRange *device_rows;                        /* (devices), the backend's */
  size_t chunk_rows;                                  /* rows of a chunk when X streams; 0: X stays where it is read */
  bool fell_back;                                     /* to streaming, the device having less memory than it reports */
  uint64_t bytes_held;                                /* most bytes held so far: data, vectors, workspace */
  uint64_t flops, bytes_read;                         /* counted since open: arithmetic of the objective, bytes of X read */
  double seconds_upload, seconds_build, seconds_tune; /* tune: searching tile sizes when the backend opened */
  const char *tuning;                                 /* what that found, one line, the backend's; NULL or "": nothing */
} BackendFacts;

typedef struct BackendOperations {
  void (*close)(Backend *backend);

  Status (*vector_create)(Backend *backend, Vector **vector, Error *error); /* zeros */
  void (*vector_destroy)(Backend *backend, Vector *vector);
  Status (*vector_read)(Backend *backend, const Vector *vector, double *values, Error *error);  /* values (P) */
  Status (*vector_write)(Backend *backend, Vector *vector, const double *values, Error *error); /* values (P) */
  Status (*vector_copy)(Backend *backend, Vector *to, const Vector *from, Error *error);
  /* out = sum_i coefficients[i] * vectors[i], count >= 1; out may be one of them. */
  Status (*vector_combine)(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                           Error *error);
  /* dots[i] = <pairs[i].a, pairs[i].b>, all in one call, each as accurate as if summed in twice the precision. Waits for the device, and
   * brings home the numbers of an evaluation that were to come later. */
  Status (*vector_dots)(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error);
  /* out = a * b, element by element; out may be a or b. */
  Status (*vector_multiply)(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error);
  /* out = a / (sqrt(b) + epsilon), element by element; out may be a or b. */
  Status (*vector_divide_sqrt)(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error);

  /* The minimiser over each weight of (out - a)^2 / (2 t) + l2/2 out^2 + l1 |out|, t = step * steps (NULL: step alone): what an implicit
   * step of size t from a does for the penalties. The bias is that of a. out may be a. */
  Status (*vector_prox)(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                        Error *error);

  /* The weighted mean loss of the rows, its gradient with `addition` (NULL: none) when gradient is not NULL, and at->pairs. at NULL:
   * nothing is read back and the call does not wait; nor with at->later. SETOSA_ERROR_USAGE when the data set has no labels. */
  Status (*evaluate)(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                     Error *error);
  /* out = (Hessian of the mean loss at w) v, with `addition` (NULL: none). Labels are not needed. */
  Status (*hessian_product)(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                            Error *error);
  /* scores (count,K) row-major on the host. */
  Status (*predict)(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);

  /* labels (count) of rows, best asked for just after their scores: rows that a device makes as they are needed are still there.
   * SETOSA_ERROR_USAGE when there are none. */
  Status (*labels)(Backend *backend, RowRange rows, int32_t *labels, Error *error);

  /* A line phi(t) = L(w + t s) over all rows: X w and X s are computed once, then a point costs N*K and no read of X. When that
   * does not fit the workspace the same answers come by reading X. One line at a time; w and s must not change while it is open. */
  Status (*line_open)(Backend *backend, const Vector *w, const Vector *s, Error *error);
  Status (*line_evaluate)(Backend *backend, double step, double *value, double *slope, Error *error);
  void (*line_close)(Backend *backend);

  /* A metric of the form given, which is copied (in f32, where vectors are f32). One that was made is applied to vectors of its backend:
   * out = metric v; out is not v. */
  Status (*metric_create)(Backend *backend, Metric **metric, const MetricForm *form, Error *error);
  Status (*metric_apply)(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error);
  void (*metric_destroy)(Backend *backend, Metric *metric);
  /* Where vectors are f32, products are f32 and their sums over at most some thousand rows at a time are added in double. Rows may be any
   * of the data set, whichever process works on them; in a job of several processes each that calls computes for itself. */
  Status (*gram)(Backend *backend, const GramRequest *request, double *out, Error *error);
  /* values (count): those of the first process of the job, on all. own: how the caller fares; when any has failed, all fail. */
  Status (*broadcast)(Backend *backend, Status own, size_t count, double *values, Error *error);

  /* From here on row i counts factors[i] times what it counts in the data set (N; finite, not below 0, not all 0; NULL: 1 each): in every
   * operation in which rows count, and in mean_weight. X stays where it is. For a backend that was opened with BackendSettings.reweighs,
   * and not while a line is open; all processes of a job do it together. */
  Status (*reweigh)(Backend *backend, const float *factors, Error *error);

  void (*facts)(const Backend *backend, BackendFacts *facts);
} BackendOperations;

/* The common head of every backend: implementations put it first in their own struct. */
struct Backend {
  const BackendOperations *operations;
  size_t rows, features, classes;
  uint64_t entries;   /* numbers that a product with X reads: rows * features, or of sparse rows what is not 0 */
  size_t parameters;  /* P = K*D + K */
  double mean_weight; /* of all rows; 1 without weights */
  bool intercept;
};

static inline RowRange backend_all_rows(const Backend *backend) { return (RowRange){0, backend->rows}; }
/* What the weighted sum over a range is multiplied with to become its mean. A slice of a data set, which passes are timed on, may hold rows
 * of weight 0 alone: its sums are 0 whatever they are multiplied with. */
static inline double backend_row_scale(const Backend *backend, size_t rows) {
  return 1.0 / ((double)rows * (backend->mean_weight > 0 ? backend->mean_weight : 1));
}

/* The calls, so that a reader sees verbs and not function pointers. Each is documented at its member above; destroy and close take NULL. */
#define BACKEND_CALL(backend, operation, ...) ((backend)->operations->operation((backend), __VA_ARGS__))
static inline void backend_close(Backend *b) {
  if (b != NULL) b->operations->close(b);
}
static inline Status vector_create(Backend *b, Vector **v, Error *e) { return BACKEND_CALL(b, vector_create, v, e); }
static inline void vector_destroy(Backend *b, Vector *v) {
  if (v != NULL) b->operations->vector_destroy(b, v);
}
static inline Status vector_read(Backend *b, const Vector *v, double *values, Error *e) {
  return BACKEND_CALL(b, vector_read, v, values, e);
}
static inline Status vector_write(Backend *b, Vector *v, const double *values, Error *e) {
  return BACKEND_CALL(b, vector_write, v, values, e);
}
static inline Status vector_copy(Backend *b, Vector *to, const Vector *from, Error *e) { return BACKEND_CALL(b, vector_copy, to, from, e); }
static inline Status vector_combine(Backend *b, Vector *out, size_t n, const double *c, const Vector *const *v, Error *e) {
  return BACKEND_CALL(b, vector_combine, out, n, c, v, e);
}
static inline Status vector_dots(Backend *b, size_t n, const VectorPair *pairs, double *dots, Error *e) {
  return BACKEND_CALL(b, vector_dots, n, pairs, dots, e);
}
/* For backends to which a call of its own costs nothing; what may come later is there at once. */
static inline Status data_term_products(Backend *b, DataTerm *at, Error *e) {
  return at->pair_count == 0 ? SETOSA_OK : vector_dots(b, at->pair_count, at->pairs, at->products, e);
}
static inline Status vector_multiply(Backend *b, Vector *out, const Vector *x, const Vector *y, Error *e) {
  return BACKEND_CALL(b, vector_multiply, out, x, y, e);
}
static inline Status vector_divide_sqrt(Backend *b, Vector *out, const Vector *x, const Vector *y, double epsilon, Error *e) {
  return BACKEND_CALL(b, vector_divide_sqrt, out, x, y, epsilon, e);
}
static inline Status vector_prox(Backend *b, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                                 Error *e) {
  return BACKEND_CALL(b, vector_prox, out, a, steps, step, l1, l2, e);
}
static inline Status backend_evaluate(Backend *b, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                                      Error *e) {
  return BACKEND_CALL(b, evaluate, w, rows, addition, gradient, at, e);
}
static inline Status backend_hessian_product(Backend *b, const Vector *w, const Vector *v, RowRange rows, const Addition *addition,
                                             Vector *out, Error *e) {
  return BACKEND_CALL(b, hessian_product, w, v, rows, addition, out, e);
}
static inline Status backend_labels(Backend *b, RowRange rows, int32_t *labels, Error *e) {
  return BACKEND_CALL(b, labels, rows, labels, e);
}
static inline Status backend_predict(Backend *b, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *e) {
  return BACKEND_CALL(b, predict, w, rows, kind, scores, e);
}
static inline Status backend_line_open(Backend *b, const Vector *w, const Vector *s, Error *e) {
  return BACKEND_CALL(b, line_open, w, s, e);
}
static inline Status backend_line_evaluate(Backend *b, double step, double *value, double *slope, Error *e) {
  return BACKEND_CALL(b, line_evaluate, step, value, slope, e);
}
static inline void backend_line_close(Backend *b) { b->operations->line_close(b); }
static inline Status metric_create(Backend *b, Metric **metric, const MetricForm *form, Error *e) {
  return BACKEND_CALL(b, metric_create, metric, form, e);
}
static inline Status metric_apply(Backend *b, const Metric *metric, Vector *out, const Vector *v, Error *e) {
  return BACKEND_CALL(b, metric_apply, metric, out, v, e);
}
static inline void metric_destroy(Backend *b, Metric *metric) {
  if (metric != NULL) b->operations->metric_destroy(b, metric);
}
static inline Status backend_gram(Backend *b, const GramRequest *request, double *out, Error *e) {
  return BACKEND_CALL(b, gram, request, out, e);
}
static inline Status backend_broadcast(Backend *b, Status own, size_t count, double *values, Error *e) {
  return BACKEND_CALL(b, broadcast, own, count, values, e);
}
static inline Status backend_reweigh(Backend *b, const float *factors, Error *e) { return BACKEND_CALL(b, reweigh, factors, e); }
static inline void backend_facts(const Backend *b, BackendFacts *facts) { b->operations->facts(b, facts); }
#undef BACKEND_CALL

#endif
