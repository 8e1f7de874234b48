// Operations on parameter vectors (P numbers): linear combinations, batched inner products, element-wise steps, and the end of a gradient.
// One team a group, each with a contiguous share of the elements. Work size: groups x TEAM.
// Macros: TEAM (team.clh).
#include "compiler.clh"
#include "team.clh"

#define FOR_EIGHTS(i, begin, end) for (ulong i = (begin) + 8 * TEAM_ITEM; i + 8 <= (end); i += 8 * TEAM)
#define FOR_TAIL(i, begin, end) SHORT_LOOP for (ulong i = (begin) + ((end) - (begin)) / 8 * 8 + TEAM_ITEM; i < (end); i += TEAM)

#define SHARE(count) \
  ulong begin, end;  \
  group_share(count, (uint)get_group_id(0), (uint)get_num_groups(0), &begin, &end)

// out = keep * out + c0 v0 + ... + c7 v7, the first `sources` of them; unused ones may be any buffer. keep is 0 or 1: with 0 the old
// value is not read, so a NaN in it does no harm.
kernel void combine(global float *out, ulong count, uint sources, uint keep, float c0, global const float *v0, float c1, global const float *v1,
                    float c2, global const float *v2, float c3, global const float *v3, float c4, global const float *v4, float c5,
                    global const float *v5, float c6, global const float *v6, float c7, global const float *v7) {
  SHARE(count);
#define TERM8(n) \
  if (sources > n) sum = fma((float8)(c##n), vload8(0, v##n + i), sum)
  FOR_EIGHTS(i, begin, end) {
    float8 sum = keep ? vload8(0, out + i) : (float8)(0.0f);
    TERM8(0); TERM8(1); TERM8(2); TERM8(3); TERM8(4); TERM8(5); TERM8(6); TERM8(7);
    vstore8(sum, 0, out + i);
  }
#define TERM(n) \
  if (sources > n) sum = fma(c##n, v##n[i], sum)
  FOR_TAIL(i, begin, end) {
    float sum = keep ? out[i] : 0.0f;
    TERM(0); TERM(1); TERM(2); TERM(3); TERM(4); TERM(5); TERM(6); TERM(7);
    out[i] = sum;
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

// partials[first + n * groups + group] = (high, low) of the group's part of <a, b_n>, n < sources <= 8. The eight sums go up one tree together.
kernel void dots(global const float *a, ulong count, uint sources, global const float *b0, global const float *b1, global const float *b2,
                 global const float *b3, global const float *b4, global const float *b5, global const float *b6, global const float *b7,
                 global float2 *partials, uint first) {
  SHARE(count);
  float2 pairs[8];
#define DOT(n) pairs[n] = sources > n ? dot_share(a, b##n, begin, end, TEAM_ITEM) : (float2)(0.0f)
  DOT(0); DOT(1); DOT(2); DOT(3); DOT(4); DOT(5); DOT(6); DOT(7);
#if TEAM > 1
  local float highs[8 * TEAM], lows[8 * TEAM];
  for (uint n = 0; n < 8; n++) {
    highs[n * TEAM + TEAM_ITEM] = pairs[n].x;
    lows[n * TEAM + TEAM_ITEM] = pairs[n].y;
  }
#define COMBINE_EIGHT(width) \
  for (uint n = 0; n < 8; n++) combine_pairs(highs + n * TEAM, lows + n * TEAM, width)
  TEAM_TREE(COMBINE_EIGHT)
  for (uint n = 0; n < 8; n++) pairs[n] = (float2)(highs[n * TEAM], lows[n * TEAM]);
#endif
  if (TEAM_ITEM == 0)
    for (uint n = 0; n < sources; n++) partials[first + n * (uint)get_num_groups(0) + (uint)get_group_id(0)] = pairs[n];
}

// partials[first + group] = (max |a|, 0) over the group's share. A NaN anywhere gives NaN: it must stop an optimizer, not hide.
kernel void max_abs(global const float *a, ulong count, global float2 *partials, uint first) {
  SHARE(count);
  TEAM_SCRATCH(scratch);
  float8 largest8 = 0.0f, poison8 = 0.0f;
  FOR_EIGHTS(i, begin, end) {
    float8 value = vload8(0, a + i);
    largest8 = fmax(largest8, fabs(value));
    poison8 += value * 0.0f; // 0 for a finite number, NaN for the others
  }
  float4 largest4 = fmax(largest8.lo, largest8.hi), poison4 = poison8.lo + poison8.hi;
  float largest = fmax(fmax(largest4.s0, largest4.s1), fmax(largest4.s2, largest4.s3));
  float poison = (poison4.s0 + poison4.s1) + (poison4.s2 + poison4.s3);
  FOR_TAIL(i, begin, end) {
    largest = fmax(largest, fabs(a[i]));
    poison += a[i] * 0.0f;
  }
  largest = team_max(largest, scratch);
  poison = team_sum((float2)(poison, 0.0f), scratch).x;
  if (TEAM_ITEM == 0) partials[first + (uint)get_group_id(0)] = (float2)(largest + poison, 0.0f);
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
kernel void finish_gradient(global float *gradient, global const float *partials, uint partial_count,
                            global const float *w, float l2, global const float *factors, global const float *linear,
                            ulong weights, ulong count, uint keep_bias) {
  SHARE(count);
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
  }
  FOR_TAIL(i, begin, end) {
    float high = partials[i], low = 0.0f;
    for (uint s = 1; s < partial_count; s++) accumulate(&high, &low, partials[s * count + i]);
    float rest = low;
    low = 0.0f;
    accumulate(&high, &low, rest);
    if (factors != 0 || i < weights) accumulate_product(&high, &low, factors != 0 ? l2 * factors[i] : l2, w[i]);
    if (linear != 0) accumulate(&high, &low, linear[i]);
    gradient[i] = i < weights || keep_bias ? high + low : 0.0f;
  }
}
