/* How the blocked pass (blocks.c) cuts its rows: into shares, each with a partial gradient or a few, and shards of these. */
#include "compute/native/logits.h"
#include "compute/native/pass.h"

enum {
  SPAN_ROWS = 16384,       /* of a share at most, unless a block has more: they are added up in f32, shares in twice the precision, */
  FOLDED_BYTES = 32 << 20, /* for gradients of at most this; larger ones are one share */
  PARTIALS_PART = 8,       /* the partial gradients of few rows are at most this part of their X, */
  LEAST_SHARES = 16,       /* but there are so many shares, as long as there are blocks */
  SMALL_PARTIAL = 1 << 16, /* floats of a partial gradient that costs nothing */
  ROWS_CACHED = 32 << 20,  /* bytes of the rows of logits that the gpu family works on at a time */
  SHARE_ENTRIES = 128,     /* of sparse rows: a share has so many for each feature */
  /* Of dense padded rows: */
  TILE = 128,         /* features and classes of a tile in the mean; which tile it is must not change a bit */
  GROUPS = 512,       /* of a gradient: two on each unit of a large device, twice */
  MOST_SHARDS = 1024, /* whose partials one kernel adds up */
  TILE_STEP = 64,     /* shares of few rows are multiples of this */
  LOSS_ROWS = 16,     /* of a partial loss at least, and as many as a group works on at a time; */
  LOSSES = 2048,      /* so many of those, unless they have more rows than */
  LOSS_MOST_ROWS = 256
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t at_least_one(size_t value) { return value > 0 ? value : 1; }
static size_t divide_up(size_t count, size_t size) { return (count + size - 1) / size; }

static size_t strips_of(size_t rows) { return divide_up(rows, STRIP); }

/* Groups of a kernel that sums over the rows of a block: by the family and the shape alone, as far as there are rows for them. Of long rows
 * of logits, which are read twice, fewer are worked on at a time, so that the second read finds them in a cache. */
static uint32_t loss_groups(const Native *native, size_t rows) {
  size_t block_rows = smaller(rows, native->block_rows), most = 512;
  if (native_uses_strips(native)) return (uint32_t)at_least_one(smaller(strips_of(block_rows), 64));
  if (native->family == SETOSA_FAMILY_CPU) return (uint32_t)at_least_one(smaller(block_rows, most));
  if (most * native->stride * sizeof(float) > ROWS_CACHED) most = 256;
  return (uint32_t)at_least_one(smaller(divide_up(block_rows, native->team / native_row_lanes(native->stride)), most));
}

/* Partial gradients of a share: one, unless features and classes alone give too few groups to share a block out. Each has at least a strip
 * of rows. */
static uint32_t share_partials(const Native *native, size_t rows) {
  if (!native_uses_strips(native)) return 1;
  size_t tiles = divide_up(native->head.features, STRIP * COLUMN_STRIPS) * divide_up(native->head.classes, 8);
  size_t most = strips_of(smaller(rows, native->block_rows));
  return (uint32_t)at_least_one(smaller(smaller(16 / tiles, most), native_most_partials(native, 0)));
}

/* Shares that are worth their partial gradients. A sparse one is cleared and turned besides, however few entries it has. */
static size_t wanted_shares(const Native *native, size_t rows, size_t partials) {
  size_t parameters = native->head.parameters, values = (size_t)native_values(native, rows);
  if (native->sparse != NULL && parameters > SMALL_PARTIAL) return at_least_one(values / native->head.features / SHARE_ENTRIES);
  size_t wanted = values / parameters / PARTIALS_PART / partials;
  return wanted > LEAST_SHARES ? wanted : LEAST_SHARES;
}

/* The cut with its shares in at most so many shards. */
static Cut in_shards(Cut cut, size_t most) {
  if (cut.shares > most) most = at_least_one(most / 2); /* of which a folded one takes two partials */
  cut.per_shard = at_least_one(divide_up(cut.shares, most));
  cut.shards = divide_up(cut.shares, cut.per_shard);
  return cut;
}

static size_t round_up(size_t value, size_t multiple) { return divide_up(value, multiple) * multiple; }

/* Of dense padded rows: as many shares as give a gradient enough groups, if they are worth it. Sums go over chains of span_rows rows, then
 * in order over the chains of a share, then, compensated, over shares; losses over fixed rows of a share. So how many rows a launch has,
 * and with that the device's memory, changes no bit. */
static Cut many_shares_cut(const Native *native, size_t rows) {
  size_t tiles = divide_up(native->head.features, TILE) * divide_up(native->head.classes, TILE), loss_rows = LOSS_ROWS;
  size_t wanted = smaller(divide_up(GROUPS, tiles), wanted_shares(native, rows, 1));
  if (wanted < LEAST_SHARES) wanted = LEAST_SHARES;
  size_t share_rows = smaller(divide_up(rows, wanted), SPAN_ROWS);
  if (native->head.parameters * sizeof(float) > FOLDED_BYTES) share_rows = rows;
  share_rows = round_up(share_rows, share_rows < native->span_rows ? TILE_STEP : native->span_rows);
  size_t most_rows = smaller(smaller(share_rows, native->span_rows), LOSS_MOST_ROWS);
  size_t at_once = native->team / native_row_lanes(native->stride); /* of a group of rows_gpu.cl */
  while ((rows / loss_rows > LOSSES || loss_rows < at_once) && loss_rows < most_rows && most_rows % (2 * loss_rows) == 0) loss_rows *= 2;
  Cut cut = {.rows = rows, .share_rows = share_rows, .partials = 1, .losses = (uint32_t)(share_rows / loss_rows)};
  cut.shares = divide_up(rows, share_rows);
  size_t most = at_least_one(smaller(native_most_partials(native, rows), MOST_SHARDS));
  return in_shards(cut, most);
}

size_t native_block_unit(const Native *native, const Cut *cut) {
  return native_takes_shares(native) ? smaller(cut->share_rows, native->span_rows) : native->block_rows;
}

Cut native_block_cut(const Native *native, size_t rows) {
  if (native_takes_shares(native)) return many_shares_cut(native, rows);
  size_t blocks = divide_up(rows, native->block_rows);
  Cut cut = {.rows = rows, .partials = share_partials(native, rows), .losses = loss_groups(native, rows)};
  size_t most = at_least_one(smaller(native_most_partials(native, rows) / cut.partials, native->shape.shares));
  size_t share_blocks = divide_up(blocks, smaller(wanted_shares(native, rows, cut.partials), most));
  if (native->sparse == NULL) share_blocks = smaller(share_blocks, at_least_one(SPAN_ROWS / native->block_rows));
  if (native->head.parameters * sizeof(float) > FOLDED_BYTES) share_blocks = blocks;
  share_blocks = at_least_one(share_blocks);
  cut.share_rows = share_blocks * native->block_rows;
  cut.shares = divide_up(blocks, share_blocks);
  return in_shards(cut, most);
}
