/* The two-loop recursion of L-BFGS (Nocedal and Wright, algorithm 7.4) carried out on coefficients instead of vectors, as in Chen, Wang
 * and Zhou, "Large-scale L-BFGS using MapReduce" (NIPS 2014): everything it asks of the vectors is an inner product of the basis. */
#include "optim/lbfgs_direction.h"

double lbfgs_direction(const LbfgsProducts *products, size_t pairs, const size_t *order, LbfgsCoefficients *out) {
  size_t n = products->slots;
  const double *sy = products->sy, *yz = products->yz;
  for (size_t i = 0; i < n; i++) out->s[i] = out->z[i] = 0.0;

  /* First loop, newest to oldest: q = g - sum alpha_j y_j, alpha_i = <s_i, q> / <s_i, y_i>. out->z holds -alpha. */
  for (size_t r = pairs; r-- > 0;) {
    size_t i = order[r];
    double along = products->sg[i];
    for (size_t c = r + 1; c < pairs; c++) along += out->z[order[c]] * sy[i * n + order[c]];
    out->z[i] = -along / sy[i * n + i];
  }

  /* The first guess of the inverse Hessian is gamma H0, gamma = <s, y> / <y, H0 y> of the newest pair. */
  double gamma = 1.0;
  if (pairs > 0) {
    size_t newest = order[pairs - 1];
    gamma = sy[newest * n + newest] / yz[newest * n + newest];
  }

  /* Second loop, oldest to newest: r = gamma H0 q + sum (alpha_j - beta_j) s_j, beta_i = <y_i, r> / <s_i, y_i>. */
  for (size_t r = 0; r < pairs; r++) {
    size_t i = order[r];
    double along = products->zg[i];
    for (size_t c = 0; c < pairs; c++) along += out->z[order[c]] * yz[i * n + order[c]];
    along *= gamma;
    for (size_t c = 0; c < r; c++) along += out->s[order[c]] * sy[order[c] * n + i];
    out->s[i] = -out->z[i] - along / sy[i * n + i];
  }

  /* direction = -r, and its slope. */
  double slope = -gamma * products->gh;
  out->h = -gamma;
  for (size_t r = 0; r < pairs; r++) {
    size_t i = order[r];
    out->z[i] *= -gamma;
    out->s[i] = -out->s[i];
    slope += out->z[i] * products->zg[i] + out->s[i] * products->sg[i];
  }
  return slope;
}
