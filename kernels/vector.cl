// Operations on parameter vectors (P numbers): linear combinations, batched inner products, element-wise steps, and the end of a gradient.
// One team a group, each with a contiguous share of the elements, which begins at a multiple of 8. Work size: groups x TEAM.
// Macros: TEAM (team.clh).
#include "compiler.clh"
#include "constants.clh"
#include "team.clh"
#if TEAM > 1
#include "neighbours.clh"
#endif

// Vectors: eight floats on the CPU family; on the GPU family four, neighbours side by side, and the compiler is told that they are aligned (of
// vload8, which may lie anywhere, it makes eight loads).
#if TEAM > 1
#define WIDTH 4
typedef float4 floatv;
typedef int4 intv;
#define element_numbers ((int4)(0, 1, 2, 3))
#define vloadv(offset, from) (*(global const float4 *)(from))
#define vstorev(value, offset, to) (*(global float4 *)(to) = (value))
#define accumulatev accumulate4
#define accumulate_productv accumulate_product4
#else
#define WIDTH 8
typedef float8 floatv;
typedef int8 intv;
#define element_numbers ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
#define vloadv vload8
#define vstorev vstore8
#define accumulatev accumulate8
#define accumulate_productv accumulate_product8
#endif
#define FOR_VECTORS(i, begin, end) for (ulong i = (begin) + WIDTH * TEAM_ITEM; i + WIDTH <= (end); i += WIDTH * TEAM)
#if TEAM > 1
// The last work-items have the tail: they may have no vector, so that both go on at the same time.
#define TAIL_ITEM (TEAM - 1 - TEAM_ITEM)
#else
#define TAIL_ITEM 0
#endif
#define FOR_TAIL(i, begin, end) SHORT_LOOP for (ulong i = (begin) + ((end) - (begin)) / WIDTH * WIDTH + TAIL_ITEM; i < (end); i += TEAM)

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

// A table of the vectors, and one of their coefficients. An array of parameters that is indexed in a loop would be in private memory, and 48 in
// registers at once are too many for some GPUs: the GPU family has it in local memory, where work-item n puts number n.
typedef global const float *vector_pointer;
#if TEAM > 1
#define VECTOR_CASE(p, q) \
  case 8 * p + q: found = v##p##q; break;
#define TERM_CASE(p, q) \
  case 8 * p + q: found = v##p##q; factor = c##p##q; break;
#else
#define VECTOR_NAME(p, q) v##p##q,
#define VECTOR_ARRAY const vector_pointer vectors[VECTOR_NONE + 1] = {EVERY_VECTOR(VECTOR_NAME)};
#define COEFFICIENT_NAME(p, q) c##p##q,
#define TERMS_AT_ONCE 8
#endif

// out = keep * out + c00 v00 + ..., `sources` terms in order, of which the first alone may be out itself. Unused vectors may be NULL. keep is 0 or 1:
// with 0 the old value is not read, so a NaN in it does no harm. The GPU family has eight terms on their way at a time; the CPU family adds a few at
// once, since processors follow few streams of memory ahead; a group's share of the sum stays in its cache in between.
#define TERM_PARAMETER(p, q) , float c##p##q, global const float *v##p##q
#if TEAM > 1
#define ADD_TERMS(type, load)                                                                  \
  for (uint n = 0; n < sources; n += 8) {                                                      \
    type terms[8];                                                                             \
    UNROLL for (uint j = 0; j < 8; j++) {                                                      \
      terms[j] = (type)(0.0f);                                                                 \
      if (n + j < sources) terms[j] = load(0, vectors[n + j] + i);                             \
    }                                                                                          \
    UNROLL for (uint j = 0; j < 8; j++) sum = fma((type)(factors[n + j]), terms[j], sum);      \
  }
#define vload1(offset, from) (*(from))

__attribute__((reqd_work_group_size(TEAM, 1, 1))) kernel void combine(global float *out, ulong count, uint sources,
                                                                       uint keep EVERY_VECTOR(TERM_PARAMETER)) {
  local vector_pointer vectors[VECTORS_AT_ONCE];
  local float factors[VECTORS_AT_ONCE];
  SHARE(count);
  if (TEAM_ITEM < VECTORS_AT_ONCE) {
    global const float *found = v00;
    float factor = c00;
    switch (TEAM_ITEM) { EVERY_VECTOR(TERM_CASE) }
    vectors[TEAM_ITEM] = found;
    factors[TEAM_ITEM] = factor; // 0 from number `sources` on
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  FOR_VECTORS(i, begin, end) {
    floatv sum = keep ? vloadv(0, out + i) : (floatv)(0.0f);
    ADD_TERMS(floatv, vloadv)
    vstorev(sum, 0, out + i);
  }
  FOR_TAIL(i, begin, end) {
    float sum = keep ? out[i] : 0.0f;
    ADD_TERMS(float, vload1)
    out[i] = sum;
  }
}
#else
kernel void combine(global float *out, ulong count, uint sources, uint keep EVERY_VECTOR(TERM_PARAMETER)) {
  SHARE(count);
  const float coefficients[] = {EVERY_VECTOR(COEFFICIENT_NAME)};
  VECTOR_ARRAY
  for (uint from = 0; from < sources; from += TERMS_AT_ONCE) {
    uint to = min(from + TERMS_AT_ONCE, sources);
    FOR_VECTORS(i, begin, end) {
      float8 sum = keep ? vload8(0, out + i) : (float8)(0.0f);
      for (uint n = from; n < to; n++) sum = fma((float8)(coefficients[n]), vload8(0, vectors[n] + i), sum);
      vstore8(sum, 0, out + i);
    }
    FOR_TAIL(i, begin, end) {
      float sum = keep ? out[i] : 0.0f;
      for (uint n = from; n < to; n++) sum = fma(coefficients[n], vectors[n][i], sum);
      out[i] = sum;
    }
    keep = 1;
  }
}
#endif

// A job is the inner products <a, b_n> of up to eight pairs that share a: a word of 6 bits for the number of a among the vectors, 6 for each b_n or
// VECTOR_NONE after the last, 8 for the number `place` of its first pair, and 1 that leaves out the bias, so that count is `weights`.
//   partials[first + (place + n) * groups + group] = (high, low) of the group's part
// Work size: jobs x TEAM, groups; neighbours do the jobs of one share, which is in their caches then.
#define JOB_PARAMETER(p, q) , ulong j##p##q
#define JOB_VECTOR(job, n) ((uint)((job) >> (6 * (n) + 6)) & VECTOR_NONE)
#define JOB_CASE(p, q) \
  case 8 * p + q: job = j##p##q; break;

#if TEAM > 1
// The part of one work-item of the sums of all pairs: sums[n] = (high, low) of pair n, on the way together; of two elements at a time, so that
// they fit into registers.
static inline void dot_items(global const float *a, local const vector_pointer *b, uint pairs, ulong begin, ulong end, float2 *sums) {
  float2 high[8], low[8];
  UNROLL for (uint n = 0; n < 8; n++) high[n] = low[n] = (float2)(0.0f);
  for (ulong i = begin + 2 * TEAM_ITEM; i + 2 <= end; i += 2 * TEAM) {
    float2 x = *(global const float2 *)(a + i), y[8];
    UNROLL for (uint n = 0; n < 8; n++) {
      y[n] = (float2)(0.0f);
      if (n < pairs) y[n] = *(global const float2 *)(b[n] + i);
    }
    UNROLL for (uint n = 0; n < 8; n++)
      if (n < pairs) accumulate_product2(&high[n], &low[n], x, y[n]);
  }
  if (TAIL_ITEM == 0 && (end - begin) % 2 != 0) UNROLL for (uint n = 0; n < 8; n++) {
    float high1 = high[n].x, low1 = low[n].x;
    if (n < pairs) accumulate_product(&high1, &low1, a[end - 1], b[n][end - 1]);
    high[n].x = high1, low[n].x = low1;
  }
  UNROLL for (uint n = 0; n < 8; n++) sums[n] = add_pairs((float2)(high[n].x, low[n].x), (float2)(high[n].y, low[n].y));
}

DEFINE_OVER_NEIGHBOURS(sum_of_32, 32, float2, add_pairs)

__attribute__((reqd_work_group_size(TEAM, 1, 1))) kernel void dots(ulong count, ulong weights, global float2 *partials,
                                                                    uint first EVERY_JOB(JOB_PARAMETER) EVERY_VECTOR(VECTOR_PARAMETER)) {
  local vector_pointer vectors[9]; // of the job: a, b_0, ...
  local float2 parts[8 * TEAM];
  NEIGHBOURS_SCRATCH(scratch, 2);
  ulong job = 0;
  switch ((uint)get_group_id(0)) { EVERY_JOB(JOB_CASE) }
  SHARE_ALONG(1, job >> 62 ? weights : count);
  if (TEAM_ITEM < 9) {
    global const float *found = v00;
    switch ((uint)(job >> 6 * TEAM_ITEM) & VECTOR_NONE) { EVERY_VECTOR(VECTOR_CASE) }
    vectors[TEAM_ITEM] = found;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  uint pairs = 0;
  while (pairs < 8 && JOB_VECTOR(job, pairs) != VECTOR_NONE) pairs++;
  float2 sums[8];
  dot_items(vectors[0], vectors + 1, pairs, begin, end, sums);
  UNROLL for (uint n = 0; n < 8; n++) parts[n * TEAM + TEAM_ITEM] = sums[n];
  barrier(CLK_LOCAL_MEM_FENCE);
  // Every 32 items have one of the eight pairs.
  uint n = TEAM_ITEM / 32;
  float2 sum = parts[n * TEAM + TEAM_ITEM % 32];
  UNROLL for (uint j = 32; j < TEAM; j += 32) sum = add_pairs(sum, parts[n * TEAM + j + TEAM_ITEM % 32]);
  sum = sum_of_32(sum, scratch);
  if (TEAM_ITEM % 32 == 0 && n < pairs)
    partials[first + ((uint)(job >> 54 & 255) + n) * (uint)get_num_groups(1) + (uint)get_group_id(1)] = sum;
}
#else
// The part of <a, b> in [begin, end). Out of line, since eight copies of it took PoCL 0.1 s to compile.
__attribute__((noinline)) static float2 dot_share(global const float *a, global const float *b, ulong begin, ulong end) {
  float8 high8 = 0.0f, low8 = 0.0f;
  for (ulong i = begin; i + 8 <= end; i += 8) accumulate_product8(&high8, &low8, vload8(0, a + i), vload8(0, b + i));
  float2 pair = accumulated_lanes(high8, low8);
  float high = pair.x, low = pair.y;
  for (ulong i = begin + (end - begin) / 8 * 8; i < end; i++) accumulate_product(&high, &low, a[i], b[i]);
  return (float2)(high, low);
}

kernel void dots(ulong count, ulong weights, global float2 *partials, uint first EVERY_JOB(JOB_PARAMETER) EVERY_VECTOR(VECTOR_PARAMETER)) {
  ulong job = 0;
  switch ((uint)get_group_id(0)) { EVERY_JOB(JOB_CASE) }
  SHARE_ALONG(1, job >> 62 ? weights : count);
  VECTOR_ARRAY
  global const float *a = vectors[(uint)job & VECTOR_NONE];
  global float2 *to = partials + first + ((uint)(job >> 54) & 255) * (uint)get_num_groups(1) + (uint)get_group_id(1);
  for (uint n = 0; n < 8 && JOB_VECTOR(job, n) != VECTOR_NONE; n++)
    to[n * (uint)get_num_groups(1)] = dot_share(a, vectors[JOB_VECTOR(job, n)], begin, end);
}
#endif

// out = a * b
kernel void multiply(global float *out, global const float *a, global const float *b, ulong count) {
  SHARE(count);
  FOR_VECTORS(i, begin, end) vstorev(vloadv(0, a + i) * vloadv(0, b + i), 0, out + i);
  FOR_TAIL(i, begin, end) out[i] = a[i] * b[i];
}

// out = a / (sqrt(b) + epsilon)
kernel void divide_sqrt(global float *out, global const float *a, global const float *b, float epsilon, ulong count) {
  SHARE(count);
  FOR_VECTORS(i, begin, end) vstorev(vloadv(0, a + i) / (sqrt(vloadv(0, b + i)) + epsilon), 0, out + i);
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

// Partials lie one behind the other, so that those of P elements begin at multiples of WIDTH only if P is one: else the GPU family takes them element by
// element, which neighbours read side by side all the same.
#if TEAM > 1
#define PARTIALS_END(begin, end, count) ((count) % WIDTH == 0 ? (end) : (begin))
#define FOR_PARTIALS_TAIL(i, begin, end, count) \
  for (ulong i = (begin) + ((count) % WIDTH == 0 ? ((end) - (begin)) / WIDTH * WIDTH : 0) + TAIL_ITEM; i < (end); i += TEAM)
#else
#define PARTIALS_END(begin, end, count) (end)
#define FOR_PARTIALS_TAIL(i, begin, end, count) FOR_TAIL(i, begin, end)
#endif

// Partials (partial_count, P) are those of shares first_share, ... of a pass, share_count of them to a shard. folded (shards, 2, P), highs and then
// lows of every shard, += its partials in order. Work size: groups x TEAM, shards that the partials touch.
kernel void fold_partials(global float *folded, global const float *partials, ulong first_share, uint partial_count, uint share_count, ulong count) {
  SHARE(count);
  ulong shard = first_share / share_count + get_group_id(1);
  ulong from = max(shard * share_count, first_share) - first_share;
  ulong to = min((shard + 1) * share_count - first_share, (ulong)partial_count);
  global float *highs = folded + shard * 2 * count, *lows = highs + count;
  FOR_VECTORS(i, begin, PARTIALS_END(begin, end, count)) {
    floatv high = vloadv(0, highs + i), low = vloadv(0, lows + i);
    for (ulong s = from; s < to; s++) accumulatev(&high, &low, vloadv(0, partials + s * count + i));
    vstorev(high, 0, highs + i);
    vstorev(low, 0, lows + i);
  }
  FOR_PARTIALS_TAIL(i, begin, end, count) {
    float high = highs[i], low = lows[i];
    for (ulong s = from; s < to; s++) accumulate(&high, &low, partials[s * count + i]);
    highs[i] = high;
    lows[i] = low;
  }
}

// Of one element of a gradient, the sum of its partials as a pair: what is stored, as finish_gradient says.
static inline float finish_element(float high, float low, ulong i, global const float *w, float l2, global const float *factors,
                                   global const float *linear, ulong weights, uint keep_bias) {
  float rest = low;
  low = 0.0f;
  accumulate(&high, &low, rest);
  if (factors != 0 || i < weights) accumulate_product(&high, &low, factors != 0 ? l2 * factors[i] : l2, w[i]);
  if (linear != 0) accumulate(&high, &low, linear[i]);
  return i < weights || keep_bias ? high + low : 0.0f;
}

// The norm of a group: (the largest component, 0 for finite numbers and NaN for others).
#if TEAM > 1
static inline float2 add_norms(float2 a, float2 b) { return (float2)(fmax(a.x, b.x), a.y + b.y); }
DEFINE_OVER_NEIGHBOURS(norm_of_team, 256, float2, add_norms)
#define NORM_SCRATCH NEIGHBOURS_SCRATCH(scratch, 2)
#define NORM_OF_TEAM(largest, poison) \
  float2 norm = norm_of_team((float2)(largest, poison), scratch);
#else
#define NORM_SCRATCH
#define NORM_OF_TEAM(largest, poison) float2 norm = (float2)(largest, poison);
#endif

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
  NORM_SCRATCH;
  floatv largestv = 0.0f, poisonv = 0.0f; // poison: 0 for finite numbers, NaN for the others
  FOR_VECTORS(i, begin, PARTIALS_END(begin, end, partial_count > 1 ? count : WIDTH)) {
    floatv high = vloadv(0, partials + i), low = 0.0f;
    for (uint s = 1; s < partial_count; s++) accumulatev(&high, &low, vloadv(0, partials + s * count + i));
    floatv rest = low;
    low = 0.0f;
    accumulatev(&high, &low, rest);
    intv penalised = element_numbers < (intv)(i < weights ? (int)min(weights - i, (ulong)WIDTH) : 0);
    floatv ridge = factors != 0 ? l2 * vloadv(0, factors + i) : select((floatv)(0.0f), (floatv)(l2), penalised);
    accumulate_productv(&high, &low, ridge, vloadv(0, w + i));
    if (linear != 0) accumulatev(&high, &low, vloadv(0, linear + i));
    floatv sum = high + low;
    if (!keep_bias) sum = select((floatv)(0.0f), sum, penalised);
    vstorev(sum, 0, gradient + i);
    largestv = fmax(largestv, fabs(sum));
    poisonv += sum * 0.0f;
  }
#if TEAM > 1
  float4 largest4 = largestv, poison4 = poisonv;
#else
  float4 largest4 = fmax(largestv.lo, largestv.hi), poison4 = poisonv.lo + poisonv.hi;
#endif
  float largest = fmax(fmax(largest4.s0, largest4.s1), fmax(largest4.s2, largest4.s3));
  float poison = (poison4.s0 + poison4.s1) + (poison4.s2 + poison4.s3);
  FOR_PARTIALS_TAIL(i, begin, end, partial_count > 1 ? count : WIDTH) {
    float high = partials[i], low = 0.0f;
    for (uint s = 1; s < partial_count; s++) accumulate(&high, &low, partials[s * count + i]);
    float sum = finish_element(high, low, i, w, l2, factors, linear, weights, keep_bias);
    gradient[i] = sum;
    largest = fmax(largest, fabs(sum));
    poison += sum * 0.0f;
  }
  NORM_OF_TEAM(largest, poison)
  if (norms != 0 && TEAM_ITEM == 0) norms[first_norm + (uint)get_group_id(0)] = (float2)(norm.x + norm.y, 0.0f);
}

#if TEAM > 1
// The same of few elements, which TEAM at a time would keep too few groups busy: `parts` work-items of a group (a power of two, at most 32) share the
// partials of an element, and what they have goes up a tree. columns = TEAM / parts elements a group; item part * columns + c has element c.
#define ADD_PARTS_OF(width)                                                                                             \
  if (part < width && width < parts) halves[TEAM_ITEM] = add_pairs(halves[TEAM_ITEM], halves[TEAM_ITEM + width * columns]); \
  barrier(CLK_LOCAL_MEM_FENCE);
static inline float2 sum_partials(global const float *partials, uint partial_count, ulong count, ulong i, uint parts, local float2 *halves) {
  uint columns = TEAM / parts, part = TEAM_ITEM / columns;
  float high = 0.0f, low = 0.0f;
  uint from = (uint)((ulong)partial_count * part / parts), to = i < count ? (uint)((ulong)partial_count * (part + 1) / parts) : 0;
  global const float *at = partials + from * count + i;
  for (uint s = from; s < to; s += 8) { // eight on their way at a time
    float v[8];
    UNROLL for (uint j = 0; j < 8; j++, at += count) {
      v[j] = 0.0f;
      if (s + j < to) v[j] = *at;
    }
    UNROLL for (uint j = 0; j < 8; j++) accumulate(&high, &low, v[j]);
  }
  halves[TEAM_ITEM] = (float2)(high, low);
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE); // one partial may be the gradient itself, which another work-item writes
  ADD_PARTS_OF(16) ADD_PARTS_OF(8) ADD_PARTS_OF(4) ADD_PARTS_OF(2) ADD_PARTS_OF(1)
  return halves[TEAM_ITEM % columns];
}

// As finish_gradient. Work size: ceil(count / columns) groups of TEAM.
__attribute__((reqd_work_group_size(TEAM, 1, 1))) kernel void finish_spread(
    global float *gradient, global const float *partials, uint partial_count, global const float *w, float l2, global const float *factors,
    global const float *linear, ulong weights, ulong count, uint keep_bias, global float2 *norms, uint first_norm, uint parts) {
  local float2 halves[TEAM];
  NORM_SCRATCH;
  uint columns = TEAM / parts;
  ulong i = (ulong)get_group_id(0) * columns + TEAM_ITEM % columns;
  float2 pair = sum_partials(partials, partial_count, count, i, parts, halves);
  float sum = 0.0f;
  if (TEAM_ITEM < columns && i < count) {
    sum = finish_element(pair.x, pair.y, i, w, l2, factors, linear, weights, keep_bias);
    gradient[i] = sum;
  }
  NORM_OF_TEAM(fabs(sum), sum * 0.0f)
  if (norms != 0 && TEAM_ITEM == 0) norms[first_norm + (uint)get_group_id(0)] = (float2)(norm.x + norm.y, 0.0f);
}

// folded (2, count) = highs and lows of the sums of partials (partial_count, count), as finish_spread makes them. Work size as there.
__attribute__((reqd_work_group_size(TEAM, 1, 1))) kernel void fold_spread(global float *folded, global const float *partials, uint partial_count,
                                                                           ulong count, uint parts) {
  local float2 halves[TEAM];
  uint columns = TEAM / parts;
  ulong i = (ulong)get_group_id(0) * columns + TEAM_ITEM % columns;
  float2 pair = sum_partials(partials, partial_count, count, i, parts, halves);
  if (TEAM_ITEM < columns && i < count) {
    folded[i] = pair.x;
    folded[count + i] = pair.y;
  }
}
#endif
