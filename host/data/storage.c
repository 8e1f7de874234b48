/* Conversion of values to halves and bytes, with the proof that bytes lose nothing and the measure of what halves lose. */
#include "data/storage.h"

#include <math.h>
#include <string.h>

#include "data/half.h"

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

/* All values: of rows that are gathered, as they lie, since what is asked of all does not depend on their order. */
static const float *all_values(const Dataset *dataset) { return dataset->values != NULL ? dataset->values : dataset->unordered; }

static Status not_bytes(const Dataset *dataset, size_t at, float scale, Error *error) {
  return error_set(
      error, SETOSA_ERROR_DATA,
      "%s: row %zu, feature %zu: %.9g is not a whole number 0..255 times %.9g, so u8 would change it; use --storage f16 or f32",
      dataset->source != NULL ? dataset->source : "data", at / dataset->features + 1, at % dataset->features + 1,
      (double)all_values(dataset)[at], (double)scale);
}

/* A factor that makes every value a byte: each candidate is tried on all values, and the one that got furthest is named on failure. */
static Status find_scale(float *scale, const Dataset *dataset, Error *error) {
  size_t count = dataset->rows * dataset->features, furthest = 0;
  float largest = 0, smallest = INFINITY;
  *scale = dataset->byte_scale;
  if (isnormal(*scale)) return SETOSA_OK; /* known; proved once more as every value is converted */
  for (size_t i = 0; i < count; i++) {
    float value = all_values(dataset)[i];
    largest = fmaxf(largest, value);
    if (value > 0) smallest = fminf(smallest, value);
  }
  const float candidates[] = {1, 1.0f / 255, largest / 255, smallest};
  *scale = 1;
  for (size_t c = 0; c < sizeof candidates / sizeof *candidates; c++) {
    if (!isnormal(candidates[c])) continue; /* a device may flush a subnormal to zero */
    size_t fits = bytes_of(NULL, all_values(dataset), count, candidates[c]);
    if (fits > furthest) {
      furthest = fits;
      *scale = candidates[c];
    }
    if (fits == count) return SETOSA_OK;
  }
  return not_bytes(dataset, furthest, *scale, error);
}

/* ---- halves ------------------------------------------------------------------------------------------------------ */

/* Of the part that is this process's to check: the others check theirs. */
static Status check_half_range(const Dataset *dataset, Error *error) {
  size_t begin = 0, rows = 0, features = dataset->features;
  dataset_own_part(dataset, &begin, &rows);
  const float *values = all_values(dataset);
  size_t at = begin * features, end = at + rows * features;
  float largest = 0;
  for (size_t i = at; i < end; i++) largest = fmaxf(largest, fabsf(values[i]));
  if (largest < HALF_OVERFLOW) return SETOSA_OK;
  while (fabsf(values[at]) != largest) at++;
  return error_set(
      error, SETOSA_ERROR_DATA,
      "%s: row %zu, feature %zu: %.9g is the largest value, and f16 ends at 65504; use --standardize, --scale or --storage f32",
      dataset->source != NULL ? dataset->source : "data", at / dataset->features + 1, at % dataset->features + 1, (double)values[at]);
}

static void halves_of(uint16_t *restrict out, const float *restrict values, size_t count, StorageRounding *rounding) {
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

/* Values that lie together, from `at` of all_values on. */
static Status convert_run(void *out, const StoragePlan *plan, const Dataset *dataset, size_t at, size_t count, StorageRounding *rounding,
                          Error *error) {
  const float *values = all_values(dataset) + at;
  size_t fits = count;
  if (plan->storage == SETOSA_STORAGE_F16)
    halves_of(out, values, count, rounding);
  else if (plan->storage == SETOSA_STORAGE_U8)
    fits = bytes_of(out, values, count, plan->scale);
  else
    memcpy(out, values, count * sizeof *values);
  return fits == count ? SETOSA_OK : not_bytes(dataset, at + fits, plan->scale, error);
}

Status storage_convert(void *out, const StoragePlan *plan, const Dataset *dataset, size_t first, size_t count, StorageRounding *rounding,
                       Error *error) {
  size_t features = dataset->features, bytes = storage_element_bytes(plan), now = 0;
  if (dataset->values != NULL) return convert_run(out, plan, dataset, first, count, rounding, error);
  for (size_t done = 0; done < count; done += now) { /* row by row, each from its place */
    size_t row = (first + done) / features, d = (first + done) % features;
    now = features - d < count - done ? features - d : count - done;
    Status status =
        convert_run((char *)out + done * bytes, plan, dataset, row_order_at(&dataset->order, row) * features + d, now, rounding, error);
    if (status != SETOSA_OK) return status;
  }
  return SETOSA_OK;
}

void storage_round(float *out, const StoragePlan *plan, const float *values, size_t count) {
  for (size_t i = 0; i < count; i++) switch (plan->storage) {
      case SETOSA_STORAGE_F16:
        out[i] = half_to_float(half_from_float(values[i]));
        break;
      case SETOSA_STORAGE_U8:
        out[i] = (float)nearest_byte(values[i], 1 / plan->scale) * plan->scale;
        break;
      default:
        out[i] = values[i];
    }
}
