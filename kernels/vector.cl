// Operations on parameter vectors (P numbers): linear combinations, batched inner products, element-wise steps, and the end of a gradient.
// One team a group, each with a contiguous share of the elements. Work size: groups x TEAM.
// Macros: TEAM (team.clh).
#include "compiler.clh"
#include "constants.clh"
#include "team.clh"

#define FOR_EIGHTS(i, begin, end) for (ulong i = (begin) + 8 * TEAM_ITEM; i + 8 <= (end); i += 8 * TEAM)
#define FOR_TAIL(i, begin, end) SHORT_LOOP for (ulong i = (begin) + ((end) - (begin)) / 8 * 8 + TEAM_ITEM; i < (end); i += TEAM)

#define SHARE(count) SHARE_ALONG(0, count)
#define SHARE_ALONG(dimension, count) \
  ulong begin, end;                   \
  group_share(count, (uint)get_group_id(dimension), (uint)get_num_groups(dimension), &begin, &end)

// Many vectors as parameters: every device takes 1024 bytes of them, and a table of pointers would have to be sent before each launch.
// EACH(p, q) stands for number 8 p + q.
#define EIGHT_OF(EACH, p) EACH(p, 0) EACH(p, 1) EACH(p, 2) EACH(p, 3) EACH(p, 4) EACH(p, 5) EACH(p, 6) EACH(p, 7)
#define EVERY_VECTOR(EACH) EIGHT_OF(EACH, 0) EIGHT_OF(EACH, 1) EIGHT_OF(EACH, 2) EIGHT_OF(EACH, 3) EIGHT_OF(EACH, 4) EIGHT_OF(EACH, 5)
#define EVERY_JOB(EACH) EIGHT_OF(EACH, 0) EIGHT_OF(EACH, 1) EIGHT_OF(EACH, 2)
#if VECTORS_AT_ONCE != 6 * 8 || DOT_JOBS != 3 * 8
#error "EVERY_VECTOR and EVERY_JOB are not theirs"
#endif
#define VECTOR_PARAMETER(p, q) , global const float *v##p##q

// found = vector number `number`. The GPU family names each, since an array that is indexed in a loop would be in memory; the CPU family has the
// array, which PoCL compiles in 0.2 s less.
#if TEAM > 1
#define VECTOR_CASE(p, q) \
  case 8 * p + q: found = v##p##q; break;
#define VECTOR_ARRAY
#define FIND_VECTOR(number) \
  switch (number) { EVERY_VECTOR(VECTOR_CASE) }
#else
#define VECTOR_NAME(p, q) v##p##q,
#define VECTOR_ARRAY global const float *const vectors[VECTOR_NONE + 1] = {EVERY_VECTOR(VECTOR_NAME)};
#define FIND_VECTOR(number) found = vectors[number];
#endif

// sum += terms [from, to) of c00 v00 + ... + c57 v57 in order, of eight elements or of one: on the GPU family all at once, in registers, on the CPU
// family a few, since processors follow few streams of memory ahead; a group's share of the sum stays in its cache in between.
#if TEAM > 1
#define TERM8(p, q) \
  if (to > 8 * p + q) sum = fma((float8)(c##p##q), vload8(0, v##p##q + i), sum);
#define TERM(p, q) \
  if (to > 8 * p + q) sum = fma(c##p##q, v##p##q[i], sum);
#define MORE_TERMS(EACH, p) \
  if (to > 8 * p) { EIGHT_OF(EACH, p) }
#define EVERY_TERM(EACH) \
  EIGHT_OF(EACH, 0) MORE_TERMS(EACH, 1) MORE_TERMS(EACH, 2) MORE_TERMS(EACH, 3) MORE_TERMS(EACH, 4) MORE_TERMS(EACH, 5)
#define TERMS_AT_ONCE VECTORS_AT_ONCE
#define COEFFICIENT_ARRAY
#define ADD_TERMS8 EVERY_TERM(TERM8)
#define ADD_TERMS EVERY_TERM(TERM)
#else
#define TERMS_AT_ONCE 8
#define COEFFICIENT_NAME(p, q) c##p##q,
#define COEFFICIENT_ARRAY const float coefficients[] = {EVERY_VECTOR(COEFFICIENT_NAME)};
#define ADD_TERMS8 \
  for (uint n = from; n < to; n++) sum = fma((float8)(coefficients[n]), vload8(0, vectors[n] + i), sum);
#define ADD_TERMS \
  for (uint n = from; n < to; n++) sum = fma(coefficients[n], vectors[n][i], sum);
#endif

// out = keep * out + c00 v00 + ..., `sources` terms, of which the first alone may be out itself. Unused vectors may be NULL. keep is 0 or 1: with 0 the
// old value is not read, so a NaN in it does no harm.
#define TERM_PARAMETER(p, q) , float c##p##q, global const float *v##p##q
kernel void combine(global float *out, ulong count, uint sources, uint keep EVERY_VECTOR(TERM_PARAMETER)) {
  SHARE(count);
  COEFFICIENT_ARRAY
  VECTOR_ARRAY
  for (uint from = 0; from < sources; from += TERMS_AT_ONCE) {
    uint to = min(from + TERMS_AT_ONCE, sources);
    FOR_EIGHTS(i, begin, end) {
      float8 sum = keep ? vload8(0, out + i) : (float8)(0.0f);
      ADD_TERMS8
      vstore8(sum, 0, out + i);
    }
    FOR_TAIL(i, begin, end) {
      float sum = keep ? out[i] : 0.0f;
      ADD_TERMS
      out[i] = sum;
    }
    keep = 1;
  }
}

// The part of <a, b> of one item of the team that shares [begin, end). Out of line, since eight copies of it took PoCL 0.1 s to compile.
__attribute__((noinline)) static float2 dot_share(global const float *a, global const float *b, ulong begin, ulong end, uint item) {
  float8 high8 = 0.0f, low8 = 0.0f;
  for (ulong i = begin + 8 * item; i + 8 <= end; i += 8 * TEAM) accumulate_product8(&high8, &low8, vload8(0, a + i), vload8(0, b + i));
  float2 pair = accumulated_lanes(high8, low8);
  float high = pair.x, low = pair.y;
  for (ulong i = begin + (end - begin) / 8 * 8 + item; i < end; i += TEAM) accumulate_product(&high, &low, a[i], b[i]);
  return (float2)(high, low);
}

// A job is the inner products <a, b_n> of up to eight pairs that share a: a word of 6 bits for the number of a among the vectors, 6 for each b_n or
// VECTOR_NONE after the last, 8 for the number `place` of its first pair, and 1 that leaves out the bias, so that count is `weights`.
//   partials[first + (place + n) * groups + group] = (high, low) of the group's part
// The sums of a job go up one tree together. Work size: jobs x TEAM, groups; neighbours do the jobs of one share, which is in their caches then.
#define JOB_PARAMETER(p, q) , ulong j##p##q
#define JOB_VECTOR(job, n) ((uint)((job) >> (6 * (n) + 6)) & VECTOR_NONE)
kernel void dots(ulong count, ulong weights, global float2 *partials, uint first EVERY_JOB(JOB_PARAMETER) EVERY_VECTOR(VECTOR_PARAMETER)) {
#define JOB_CASE(p, q) \
  case 8 * p + q: job = j##p##q; break;
  ulong job = 0;
  switch ((uint)get_group_id(0)) { EVERY_JOB(JOB_CASE) }
  SHARE_ALONG(1, job >> 62 ? weights : count);
  VECTOR_ARRAY
  global const float *found = v00;
  FIND_VECTOR((uint)job & VECTOR_NONE)
  global const float *a = found;
  global float2 *to = partials + first + ((uint)(job >> 54) & 255) * (uint)get_num_groups(1) + (uint)get_group_id(1);
  SCRATCH_SPACE float highs[8 * TEAM], lows[8 * TEAM];
  for (uint n = 0; n < 8; n++) {
    uint number = JOB_VECTOR(job, n);
    float2 pair = 0.0f;
    FIND_VECTOR(number)
    if (number != VECTOR_NONE) pair = dot_share(a, found, begin, end, TEAM_ITEM);
    highs[n * TEAM + TEAM_ITEM] = pair.x;
    lows[n * TEAM + TEAM_ITEM] = pair.y;
  }
#if TEAM > 1
#define COMBINE_EIGHT(width) \
  for (uint n = 0; n < 8; n++) combine_pairs(highs + n * TEAM, lows + n * TEAM, width)
  TEAM_TREE(COMBINE_EIGHT)
#endif
  if (TEAM_ITEM == 0)
    for (uint n = 0; n < 8 && JOB_VECTOR(job, n) != VECTOR_NONE; n++)
      to[n * (uint)get_num_groups(1)] = (float2)(highs[n * TEAM], lows[n * TEAM]);
}

// out = a * b
kernel void multiply(global float *out, global const float *a, global const float *b, ulong count) {
  SHARE(count);
  FOR_EIGHTS(i, begin, end) vstore8(vload8(0, a + i) * vload8(0, b + i), 0, out + i);
  FOR_TAIL(i, begin, end) out[i] = a[i] * b[i];
}

// out = a / (sqrt(b) + epsilon)
kernel void divide_sqrt(global float *out, global const float *a, global const float *b, float epsilon, ulong count) {
  SHARE(count);
  FOR_EIGHTS(i, begin, end) vstore8(vload8(0, a + i) / (sqrt(vload8(0, b + i)) + epsilon), 0, out + i);
  FOR_TAIL(i, begin, end) out[i] = a[i] / (sqrt(b[i]) + epsilon);
}

// out = the minimiser of (out - a)^2 / (2 t) + l2/2 out^2 + l1 |out| for the first `weights` elements, t = step * steps (NULL: step alone);
// the others are those of a.
kernel void prox(global float *out, global const float *a, global const float *steps, float step, float l1, float l2, ulong weights, ulong count) {
  SHARE(count);
  for (ulong i = begin + TEAM_ITEM; i < end; i += TEAM) {
    float t = steps != 0 ? step * steps[i] : step, value = a[i];
    if (i < weights) value = copysign(fmax(fabs(value) - t * l1, 0.0f), value) / fma(t, l2, 1.0f);
    out[i] = value;
  }
}

// Partials (partial_count, P) are those of shares first_share, ... of a pass, share_count of them to a shard. folded (shards, 2, P), highs and then
// lows of every shard, += its partials in order. Work size: groups x TEAM, shards that the partials touch.
kernel void fold_partials(global float *folded, global const float *partials, ulong first_share, uint partial_count, uint share_count, ulong count) {
  SHARE(count);
  ulong shard = first_share / share_count + get_group_id(1);
  ulong from = max(shard * share_count, first_share) - first_share;
  ulong to = min((shard + 1) * share_count - first_share, (ulong)partial_count);
  global float *highs = folded + shard * 2 * count, *lows = highs + count;
  FOR_EIGHTS(i, begin, end) {
    float8 high = vload8(0, highs + i), low = vload8(0, lows + i);
    for (ulong s = from; s < to; s++) accumulate8(&high, &low, vload8(0, partials + s * count + i));
    vstore8(high, 0, highs + i);
    vstore8(low, 0, lows + i);
  }
  FOR_TAIL(i, begin, end) {
    float high = highs[i], low = lows[i];
    for (ulong s = from; s < to; s++) accumulate(&high, &low, partials[s * count + i]);
    highs[i] = high;
    lows[i] = low;
  }
}

// gradient (P) = sum over partials (partial_count, P) in order, compensated, + l2 * factors * w + linear. factors (P) NULL: 1 on the weights, the
// first `weights` elements, and 0 on the bias. linear (P) NULL: nothing. The sum is normalised, so that two partials, the highs and lows of what
// fold_partials made of many, give the bits of the many.
// keep_bias 0 (no intercept): the bias part is 0. With one partial, partials may be the gradient itself.
// norms NULL: nothing; else norms[first_norm + group] = (max |gradient|, 0) over the group's share. A NaN anywhere gives NaN: it must stop an
// optimizer, not hide.
kernel void finish_gradient(global float *gradient, global const float *partials, uint partial_count,
                            global const float *w, float l2, global const float *factors, global const float *linear,
                            ulong weights, ulong count, uint keep_bias, global float2 *norms, uint first_norm) {
  SHARE(count);
  TEAM_SCRATCH(scratch);
  float8 largest8 = 0.0f, poison8 = 0.0f; // poison: 0 for finite numbers, NaN for the others
  FOR_EIGHTS(i, begin, end) {
    float8 high = vload8(0, partials + i), low = 0.0f;
    for (uint s = 1; s < partial_count; s++) accumulate8(&high, &low, vload8(0, partials + s * count + i));
    float8 rest = low;
    low = 0.0f;
    accumulate8(&high, &low, rest);
    int8 penalised = (int8)(0, 1, 2, 3, 4, 5, 6, 7) < (int8)(i < weights ? (int)min(weights - i, (ulong)8) : 0);
    float8 ridge = factors != 0 ? l2 * vload8(0, factors + i) : select((float8)(0.0f), (float8)(l2), penalised);
    accumulate_product8(&high, &low, ridge, vload8(0, w + i));
    if (linear != 0) accumulate8(&high, &low, vload8(0, linear + i));
    float8 sum = high + low;
    if (!keep_bias) sum = select((float8)(0.0f), sum, penalised);
    vstore8(sum, 0, gradient + i);
    largest8 = fmax(largest8, fabs(sum));
    poison8 += sum * 0.0f;
  }
  float4 largest4 = fmax(largest8.lo, largest8.hi), poison4 = poison8.lo + poison8.hi;
  float largest = fmax(fmax(largest4.s0, largest4.s1), fmax(largest4.s2, largest4.s3));
  float poison = (poison4.s0 + poison4.s1) + (poison4.s2 + poison4.s3);
  FOR_TAIL(i, begin, end) {
    float high = partials[i], low = 0.0f;
    for (uint s = 1; s < partial_count; s++) accumulate(&high, &low, partials[s * count + i]);
    float rest = low;
    low = 0.0f;
    accumulate(&high, &low, rest);
    if (factors != 0 || i < weights) accumulate_product(&high, &low, factors != 0 ? l2 * factors[i] : l2, w[i]);
    if (linear != 0) accumulate(&high, &low, linear[i]);
    float sum = i < weights || keep_bias ? high + low : 0.0f;
    gradient[i] = sum;
    largest = fmax(largest, fabs(sum));
    poison += sum * 0.0f;
  }
  largest = team_max(largest, scratch);
  poison = team_sum((float2)(poison, 0.0f), scratch).x;
  if (norms != 0 && TEAM_ITEM == 0) norms[first_norm + (uint)get_group_id(0)] = (float2)(largest + poison, 0.0f);
}
