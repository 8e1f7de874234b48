// The products of sparse rows on the GPU family. Macros: TEAM (team.clh) and those of sparse.clh. Four classes (of two: both) to a work-item, a
// lane; LANES_OF(stride) lanes side by side have all classes of a row or column, so that what an entry meets is read in one piece.
#include "constants.clh"
#include "sparse.clh"
#include "team.clh"

#if TILE_CLASSES == 2
typedef float2 lane_classes;
#define LANE 2
#define load_lane(from) vload2(0, from)
#define store_lane(value, to) vstore2(value, 0, to)
#else
typedef float4 lane_classes;
#define LANE 4
#define load_lane(from) vload4(0, from)
#define store_lane(value, to) vstore4(value, 0, to)
#endif
#define LANES_OF(stride) ((stride) / LANE)

// Z (rows, block_stride) = X W' + b, its columns from `classes` on set to padding. begin, columns, values: of rows from row_begin on; w
// (D + 1, stride). Work size: at least rows * LANES_OF(stride) work-items.
kernel void sparse_logits(global const ulong *begin, global const uint *columns, global const entry *values, global const float *w,
                          ulong features, uint classes, uint stride, ulong row_begin, ulong rows, global float *block, uint block_stride,
                          float padding) {
  ulong item = get_global_id(0), row = item / LANES_OF(stride);
  uint lane = (uint)(item % LANES_OF(stride)) * LANE;
  if (row >= rows) return;
  lane_classes sum = load_lane(w + features * stride + lane);
  for (ulong j = begin[row_begin + row], last = begin[row_begin + row + 1]; j < last; j++)
    sum = fma((lane_classes)(entry_value(values, j)), load_lane(w + (ulong)columns[j] * stride + lane), sum);
  float z[LANE];
  store_lane(sum, z);
  global float *to = block + row * block_stride;
  for (uint k = 0; k < LANE; k++)
    if (lane + k < block_stride) to[lane + k] = lane + k < classes ? z[k] : padding;
  if (lane + LANE == stride)
    for (uint k = stride; k < block_stride; k++) to[k] = padding;
}

// gradient (D, stride) += R' X of a block of rows: as sparse_gradient of the CPU family, with residuals block_stride apart, for columns of at most
// SPARSE_SEGMENT entries; with `squares` their values are squared. Work size: at least columns * LANES_OF(stride) work-items.
kernel void sparse_gradient(global const float *residuals, uint block_stride, global const ushort *rows, global const entry *values,
                            global const uint *index, uint columns, uint stride, global float *gradient, uint squares) {
  ulong item = get_global_id(0), c = item / LANES_OF(stride);
  uint lane = (uint)(item % LANES_OF(stride)) * LANE;
  if (c >= columns) return;
  uint first = c > 0 ? index[columns + c - 1] : 0, last = index[columns + c];
  if (last - first > SPARSE_SEGMENT) return;
  global float *to = gradient + (ulong)index[c] * stride + lane;
  lane_classes sum = load_lane(to);
  for (uint j = first; j < last; j++)
    sum = fma((lane_classes)(squares ? entry_square(values, j) : entry_value(values, j)), load_lane(residuals + (ulong)rows[j] * block_stride + lane), sum);
  store_lane(sum, to);
}

// The same for longer columns, whose places among the columns are `longs`: the work-items of a group share one, and their sums are added in order.
// Work size: long columns x TEAM.
kernel __attribute__((reqd_work_group_size(TEAM, 1, 1))) void sparse_gradient_long(global const float *residuals, uint block_stride,
                                                                                    global const ushort *rows, global const entry *values,
                                                                                    global const uint *index, uint columns, uint longs,
                                                                                    uint stride, global float *gradient, uint squares) {
  local float sums[TEAM * LANE];
  uint c = index[longs + (uint)get_group_id(0)], item = (uint)get_local_id(0);
  uint first = c > 0 ? index[columns + c - 1] : 0, last = index[columns + c];
  global float *to = gradient + (ulong)index[c] * stride;
  uint begin = 0;
  do { // do-while: there are barriers within
    uint lanes = min((stride - begin) / LANE, (uint)TEAM), slots = TEAM / lanes, slot = item / lanes, lane = begin + item % lanes * LANE;
    lane_classes sum = 0.0f;
    if (slot < slots)
      for (uint j = first + slot; j < last; j += slots)
        sum = fma((lane_classes)(squares ? entry_square(values, j) : entry_value(values, j)), load_lane(residuals + (ulong)rows[j] * block_stride + lane), sum);
    store_lane(sum, sums + item * LANE);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (slot == 0) {
      lane_classes total = load_lane(to + lane);
      for (uint s = 0; s < slots; s++) total += load_lane(sums + (s * lanes + item) * LANE);
      store_lane(total, to + lane);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    begin += lanes * LANE;
  } while (begin < stride);
}
