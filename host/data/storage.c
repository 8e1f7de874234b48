/* Conversion of values to halves and bytes, with the proof that bytes lose nothing and the measure of what halves lose. */
#include "data/storage.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/half.h"
#include "data/rows.h"

enum { BLOCK = 4096 }; /* values between two looks at whether all were exact: loops without an exit are vectorised */

size_t storage_element_bytes(const StoragePlan *plan) {
  return plan->storage == SETOSA_STORAGE_U8 ? sizeof(uint8_t) : plan->storage == SETOSA_STORAGE_F16 ? sizeof(uint16_t) : sizeof(float);
}

double storage_rounding_rms(const StorageRounding *rounding) {
  return rounding->differences > 0 ? sqrt(rounding->differences / rounding->squares) : 0;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* The byte nearest to value / scale: 2^23 is where the last place of a float is 1, so the addition rounds, and leaves the byte in the last
 * bits. inverse = 1 / scale is off by far less than the half that decides. Any other value gives some byte, which the caller finds out. */
static inline uint8_t nearest_byte(float value, float inverse) { return half_bits_of_float(value * inverse + 0x1p23f) & 255u; }

/* out (count, at most BLOCK) = values / scale; whether (float)q * scale gives back every value. */
static bool bytes_of_block(uint8_t *restrict out, const float *restrict values, size_t count, float scale) {
  float inverse = 1 / scale;
  int changed = 0;
  for (size_t i = 0; i < count; i++) {
    out[i] = nearest_byte(values[i], inverse);
    changed |= (float)out[i] * scale != values[i];
  }
  return changed == 0;
}

/* Index of the first value that is not a byte times scale; count when all are. out (count), or NULL to look only. */
static size_t bytes_of(uint8_t *out, const float *values, size_t count, float scale) {
  uint8_t unused[BLOCK];
  for (size_t i = 0; i < count; i += BLOCK) {
    size_t part = count - i < BLOCK ? count - i : BLOCK;
    if (bytes_of_block(out != NULL ? out + i : unused, values + i, part, scale)) continue;
    while ((float)nearest_byte(values[i], 1 / scale) * scale == values[i]) i++;
    return i;
  }
  return count;
}

/* Values from `at` on in the order of the rows, as many of *count as lie together. */
static const float *ordered_at(const Dataset *dataset, size_t at, size_t *count) {
  size_t features = dataset->features;
  assert(features > 0);
  if (dataset->held->values != NULL) return rows_values(dataset) + at;
  size_t row = at / features, d = at % features;
  if (features - d < *count) *count = features - d;
  return dataset->held->unordered + row_order_at(&dataset->held->order, dataset->first + row) * features + d;
}

/* The same of values that are looked at all together: of rows that are gathered, as they lie, since what is asked of all does not depend on
 * their order. */
static const float *values_at(const Dataset *dataset, size_t at, size_t *count) {
  bool all = dataset->held->unordered != NULL && dataset->held->order.count == dataset->rows;
  return all ? dataset->held->unordered + at : ordered_at(dataset, at, count);
}

/* A value that lies in a row, by its place in what was read. */
static Status refuse_value(const Dataset *dataset, const float *value, const char *why, Error *error) {
  const Rows *held = dataset->held;
  size_t at = (size_t)(value - (held->values != NULL ? held->values : held->unordered));
  return error_set(error, SETOSA_ERROR_DATA, "%s: row %zu, feature %zu: %.9g is %s", dataset_source(dataset), at / dataset->features + 1,
                   at % dataset->features + 1, (double)*value, why);
}

static Status not_bytes(const Dataset *dataset, const float *value, float scale, Error *error) {
  char why[128];
  snprintf(why, sizeof why, "not a whole number 0..255 times %.9g, so u8 would change it; use --storage f16 or f32", (double)scale);
  return refuse_value(dataset, value, why, error);
}

/* How many values are bytes times scale before the first that is not, which is *wrong; the count of all when all are. */
static size_t count_bytes(const Dataset *dataset, float scale, const float **wrong) {
  size_t count = dataset->rows * dataset->features, now = 0;
  for (size_t at = 0; at < count; at += now) {
    now = count - at;
    const float *values = values_at(dataset, at, &now);
    size_t fits = bytes_of(NULL, values, now, scale);
    if (fits == now) continue;
    *wrong = values + fits;
    return at + fits;
  }
  return count;
}

/* A factor that makes every value a byte: each candidate is tried on all values, and the one that got furthest is named on failure. */
static Status find_scale(float *scale, const Dataset *dataset, Error *error) {
  size_t count = dataset->rows * dataset->features, furthest = 0, now = 0;
  float largest = 0, smallest = INFINITY;
  const float *here = NULL, *wrong = NULL;
  *scale = dataset->byte_scale;
  if (isnormal(*scale)) return SETOSA_OK; /* known; proved once more as every value is converted */
  for (size_t at = 0; at < count; at += now) {
    now = count - at;
    const float *values = values_at(dataset, at, &now);
    for (size_t i = 0; i < now; i++) {
      largest = fmaxf(largest, values[i]);
      if (values[i] > 0) smallest = fminf(smallest, values[i]);
    }
  }
  const float candidates[] = {1, 1.0f / 255, largest / 255, smallest};
  *scale = 1;
  for (size_t c = 0; c < sizeof candidates / sizeof *candidates; c++) {
    if (!isnormal(candidates[c])) continue; /* a device may flush a subnormal to zero */
    size_t fits = count_bytes(dataset, candidates[c], &here);
    if (fits > furthest || wrong == NULL) {
      furthest = fits;
      wrong = here;
      *scale = candidates[c];
    }
    if (fits == count) return SETOSA_OK;
  }
  return not_bytes(dataset, wrong, *scale, error);
}

/* ---- halves ------------------------------------------------------------------------------------------------------ */

static Status check_half_entries(const Dataset *dataset, Error *error) {
  const SparseArrays *sparse = &dataset->held->sparse;
  for (size_t i = 0; sparse->values != NULL && i < dataset->rows; i++) /* rows in another order are those of the whole */
    for (uint64_t j = sparse->begin[dataset->first + i]; j < sparse->begin[dataset->first + i + 1]; j++)
      if (fabsf(sparse->values[j]) >= HALF_OVERFLOW)
        return error_set(error, SETOSA_ERROR_DATA,
                         "%s: row %zu, feature %u: %.9g, and f16 ends at 65504; use --standardize, --scale or --storage f32",
                         dataset_source(dataset), i + 1, sparse->columns[j] + 1, (double)sparse->values[j]);
  return SETOSA_OK;
}

/* Of the part that is this process's to check: the others check theirs. */
static Status check_half_range(const Dataset *dataset, Error *error) {
  RowRange own = rows_of_part(dataset);
  size_t end = (own.begin + own.count) * dataset->features, now = 0;
  float largest = 0;
  const float *where = NULL;
  for (size_t at = own.begin * dataset->features; at < end; at += now) {
    float most = 0;
    now = end - at;
    const float *values = values_at(dataset, at, &now);
    for (size_t i = 0; i < now; i++) most = fmaxf(most, fabsf(values[i]));
    if (most <= largest) continue;
    largest = most;
    where = values;
  }
  if (where == NULL || largest < HALF_OVERFLOW) return SETOSA_OK;
  while (fabsf(*where) != largest) where++;
  return refuse_value(dataset, where, "the largest value, and f16 ends at 65504; use --standardize, --scale or --storage f32", error);
}

void storage_halves(uint16_t *restrict out, const float *restrict values, size_t count, StorageRounding *rounding) {
  double squares = 0, differences = 0;
  float largest = 0;
  for (size_t i = 0; i < count; i++) out[i] = half_from_float(values[i]);
  for (size_t i = 0; i < count; i++) {
    float value = values[i], difference = fabsf(half_to_float(out[i]) - value); /* exact: the two are close, or one is 0 */
    float relative = difference / (fabsf(value) + 0x1p-149f);                   /* never 0 / 0 */
    squares += (double)value * value;
    differences += (double)difference * difference;
    largest = relative > largest ? relative : largest;
  }
  rounding->squares += squares;
  rounding->differences += differences;
  rounding->largest = fmax(rounding->largest, (double)largest);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

Status storage_choose(StoragePlan *plan, const Dataset *dataset, SetosaStorage wanted, bool in_place, Error *error) {
  Status status = SETOSA_OK;
  *plan = (StoragePlan){.storage = wanted, .scale = 1};
  if (rows_are_sparse(dataset)) {
    if (wanted == SETOSA_STORAGE_AUTO) plan->storage = SETOSA_STORAGE_F32;
    if (wanted == SETOSA_STORAGE_U8)
      return error_set(error, SETOSA_ERROR_USAGE,
                       "%s: the entries of sparse rows are held as f32 or f16 (or not at all where all are 1); leave --storage out",
                       dataset_source(dataset));
    return wanted == SETOSA_STORAGE_F16 ? check_half_entries(dataset, error) : SETOSA_OK;
  }
  switch (wanted) {
    case SETOSA_STORAGE_AUTO:
      plan->storage = !in_place && isnormal(dataset->byte_scale) ? SETOSA_STORAGE_U8 : SETOSA_STORAGE_F32;
      if (plan->storage == SETOSA_STORAGE_U8) plan->scale = dataset->byte_scale;
      break;
    case SETOSA_STORAGE_F32:
      break;
    case SETOSA_STORAGE_F16:
      TRY(check_half_range(dataset, error));
      break;
    case SETOSA_STORAGE_U8:
      TRY(find_scale(&plan->scale, dataset, error));
      break;
  }
cleanup:
  return status;
}

Status storage_convert(void *out, const StoragePlan *plan, const Dataset *dataset, size_t first, size_t count, StorageRounding *rounding,
                       Error *error) {
  size_t bytes = storage_element_bytes(plan), now = 0;
  for (size_t done = 0; done < count; done += now) {
    now = count - done;
    const float *values = ordered_at(dataset, first + done, &now);
    void *to = (char *)out + done * bytes;
    size_t fits = now;
    if (plan->storage == SETOSA_STORAGE_F16)
      storage_halves(to, values, now, rounding);
    else if (plan->storage == SETOSA_STORAGE_U8)
      fits = bytes_of(to, values, now, plan->scale);
    else
      memcpy(to, values, now * sizeof *values);
    if (fits < now) return not_bytes(dataset, values + fits, plan->scale, error);
  }
  return SETOSA_OK;
}

Status storage_round(Dataset *dataset, const StoragePlan *plan, Error *error) {
  size_t count = dataset->rows * dataset->features;
  if (plan->storage == SETOSA_STORAGE_F32) return SETOSA_OK;
  Status status = rows_own(dataset, error);
  if (status != SETOSA_OK) return status;
  bool halves = plan->storage == SETOSA_STORAGE_F16, sparse = rows_are_sparse(dataset);
  float *values = sparse ? dataset->held->sparse.values : rows_values(dataset);
  if (sparse) count = values != NULL ? (size_t)dataset->held->sparse.begin[dataset->rows] : 0;
  for (size_t i = 0; i < count; i++)
    values[i] = halves ? half_to_float(half_from_float(values[i])) : (float)nearest_byte(values[i], 1 / plan->scale) * plan->scale;
  dataset->byte_scale = halves ? 0 : plan->scale;
  return SETOSA_OK;
}

Status storage_make_bytes(Dataset *dataset, float gain, float zero, float scale, Error *error) {
  Status status = rows_own(dataset, error);
  if (status != SETOSA_OK) return status;
  float *values = rows_values(dataset);
  for (size_t i = 0; i < dataset->rows * dataset->features; i++) values[i] = scale * roundf(fminf(fmaxf(zero + gain * values[i], 0), 255));
  dataset->byte_scale = scale;
  return SETOSA_OK;
}
