/* The vector-free L-BFGS direction against the textbook two-loop recursion on vectors, for random histories. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "optim/lbfgs_direction.h"
#include "support/support.h"

enum { LENGTH = 23, SLOTS = 6 };

typedef struct History {
  double s[SLOTS][LENGTH], y[SLOTS][LENGTH], g[LENGTH];
} History;

static double dot(const double *a, const double *b) {
  double sum = 0.0;
  for (int i = 0; i < LENGTH; i++) sum += a[i] * b[i];
  return sum;
}

/* y = A s with a fixed diagonal A > 0 (plus a little of s's neighbours), so that every curvature is positive. */
static void fill(History *h, uint64_t seed) {
  for (int j = 0; j < SLOTS; j++)
    for (int i = 0; i < LENGTH; i++) h->s[j][i] = random_symmetric(seed, RANDOM_STREAM_CHECK, (uint64_t)j, (uint64_t)i);
  for (int i = 0; i < LENGTH; i++) h->g[i] = random_symmetric(seed, RANDOM_STREAM_CHECK, 100, (uint64_t)i);
  for (int j = 0; j < SLOTS; j++)
    for (int i = 0; i < LENGTH; i++) h->y[j][i] = (1.0 + i % 5) * h->s[j][i] + 0.2 * h->s[j][(i + 1) % LENGTH];
}

/* Nocedal and Wright, algorithm 7.4: direction = -H g. */
static void two_loop(const History *h, size_t pairs, const size_t *order, double *direction) {
  double alpha[SLOTS] = {0}, q[LENGTH];
  memcpy(q, h->g, sizeof q);
  for (size_t r = pairs; r-- > 0;) {
    size_t j = order[r];
    alpha[j] = dot(h->s[j], q) / dot(h->s[j], h->y[j]);
    for (int i = 0; i < LENGTH; i++) q[i] -= alpha[j] * h->y[j][i];
  }
  if (pairs > 0) {
    size_t j = order[pairs - 1];
    double gamma = dot(h->s[j], h->y[j]) / dot(h->y[j], h->y[j]);
    for (int i = 0; i < LENGTH; i++) q[i] *= gamma;
  }
  for (size_t r = 0; r < pairs; r++) {
    size_t j = order[r];
    double beta = dot(h->y[j], q) / dot(h->s[j], h->y[j]);
    for (int i = 0; i < LENGTH; i++) q[i] += (alpha[j] - beta) * h->s[j][i];
  }
  for (int i = 0; i < LENGTH; i++) direction[i] = -q[i];
}

static void check(const History *h, size_t pairs, const size_t *order) {
  double sy[SLOTS * SLOTS], yz[SLOTS * SLOTS], sg[SLOTS], zg[SLOTS], cs[SLOTS], cz[SLOTS], expected[LENGTH], found[LENGTH];
  LbfgsProducts products = {SLOTS, sy, yz, sg, zg, dot(h->g, h->g)};
  LbfgsCoefficients coefficients = {cs, cz, NAN};
  /* Poison: only products of slots in use may be read. */
  for (int i = 0; i < SLOTS * SLOTS; i++) sy[i] = yz[i] = NAN;
  for (int i = 0; i < SLOTS; i++) sg[i] = zg[i] = cs[i] = cz[i] = NAN;
  for (size_t a = 0; a < pairs; a++) {
    size_t i = order[a];
    sg[i] = dot(h->s[i], h->g);
    zg[i] = dot(h->y[i], h->g);
    for (size_t b = 0; b < pairs; b++) {
      sy[i * SLOTS + order[b]] = dot(h->s[i], h->y[order[b]]);
      yz[i * SLOTS + order[b]] = dot(h->y[i], h->y[order[b]]);
    }
  }
  double slope = lbfgs_direction(&products, pairs, order, &coefficients);
  two_loop(h, pairs, order, expected);
  for (int i = 0; i < LENGTH; i++) {
    found[i] = coefficients.h * h->g[i];
    for (int j = 0; j < SLOTS; j++) found[i] += cs[j] * h->s[j][i] + cz[j] * h->y[j][i];
    assert_float_equal(found[i], expected[i], 1e-13);
  }
  assert_float_equal(slope, dot(expected, h->g), 1e-12);
  assert_true(slope < 0.0);
}

static void test_equals_two_loop(void **state) {
  (void)state;
  const size_t orders[][SLOTS] = {{0, 1, 2, 3, 4, 5}, {3, 4, 5, 0, 1, 2}, {5, 1, 3, 0, 2, 4}};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    History h;
    fill(&h, seed);
    for (size_t pairs = 0; pairs <= SLOTS; pairs++)
      for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) check(&h, pairs, orders[o]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_two_loop)};
  return support_run("L-BFGS direction", tests, NULL, NULL);
}
