/* How X is held on a device in fewer bytes than f32: as halves (rounded to nearest even) or as bytes with one factor (exact). This file
 * decides and converts; host/compute uploads. */
#ifndef SETOSA_DATA_STORAGE_H
#define SETOSA_DATA_STORAGE_H

#include "data/dataset.h"

typedef struct StoragePlan {
  SetosaStorage storage; /* F32, F16 or U8; never AUTO */
  float scale;           /* U8: x = (float)q * scale, q in 0..255; else 1 */
} StoragePlan;

/* What rounding did to the values converted so far. Zero-initialise. */
typedef struct StorageRounding {
  double squares, differences; /* sums of x^2 and of (x' - x)^2 */
  double largest;              /* max |x' - x| / |x|: 2^-11 at most, more only below 6.1e-5, where halves have fewer digits */
} StorageRounding;

/* ||X' - X|| / ||X||, Frobenius; 0 when nothing was rounded. */
double storage_rounding_rms(const StorageRounding *rounding);

size_t storage_element_bytes(const StoragePlan *plan);

/* AUTO: U8 when the data set says that its values were bytes with one factor and they have to be copied to the device anyway, else F32
 * (in_place: the device reads the host's f32 where it lies; on a CPU bytes beside it took 15 % longer and more memory). SETOSA_ERROR_DATA
 * when the values do not fit what was asked for: beyond f16's range, or not bytes with one factor (the data set's own, or else 1, 1/255,
 * largest/255 and the smallest are tried). Entries of sparse rows are F32 or F16. With several processes each looks at f16's range of its
 * part. Rows are not made. */
Status storage_choose(StoragePlan *plan, const Dataset *dataset, SetosaStorage wanted, bool in_place, Error *error);

/* Values [first, first + count) of the data set (held or gathered, not made) as the plan stores them: out (count) elements. F16 adds to
 * *rounding. SETOSA_ERROR_DATA names the first value that U8 would change. */
Status storage_convert(void *out, const StoragePlan *plan, const Dataset *dataset, size_t first, size_t count, StorageRounding *rounding,
                       Error *error);

/* Entries of sparse rows, f32, as halves: out (count). Adds to *rounding. */
void storage_halves(uint16_t *out, const float *values, size_t count, StorageRounding *rounding);
/* Every value becomes what a device sees under the plan. */
Status storage_round(Dataset *dataset, const StoragePlan *plan, Error *error);
/* Every value becomes scale * q, q the whole number of 0..255 nearest to zero + gain * x: data that u8 can hold, for checks of it. */
Status storage_make_bytes(Dataset *dataset, float gain, float zero, float scale, Error *error);

#endif
