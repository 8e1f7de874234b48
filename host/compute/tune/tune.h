/* What tuning found, and where it is kept: <cache>/tuning/<hash of the class>.txt, one small text file for each class of shapes on a
 * device. A file is a hint: one that does not read back exactly as it would be written, or names a shape that is no candidate, does not
 * exist. */
#ifndef SETOSA_COMPUTE_TUNE_H
#define SETOSA_COMPUTE_TUNE_H

#include "compute/native/native.h"

enum { TUNE_CANDIDATES = 16 };

/* Problems that share a verdict: K exact where the fused pass is built for it and on the GPU family, whose tiles it cuts, else rounded up
 * to a power of two; D exact in the fused pass of the GPU family, whose groups it shapes, else rounded up. */
typedef struct TuneClass {
  char fingerprint[33]; /* of device, driver, version and kernel sources; never "" */
  SetosaFamily family;  /* CPU or GPU */
  bool fused;
  bool tensor; /* tensor cores may be used */
  size_t classes, features;
  SetosaStorage storage;
  uint32_t compute_units;
} TuneClass;

typedef struct TuneRecord {
  SetosaTuning how; /* QUICK or FULL: a quick verdict does not serve who asks for a full one */
  NativeShape shape;
  uint64_t default_ns, shape_ns; /* of one pass over the same rows */
} TuneRecord;

/* tensor: whether tensor cores may be used, where there are any. False when nothing may be remembered about this device (SETOSA_KERNEL_DIR
 * is set). */
bool tune_class_make(TuneClass *class, const Context *context, SetosaFamily family, size_t classes, size_t features, SetosaStorage storage,
                     bool tensor);
/* "fused pass of 10 classes, up to 1024 features as f32", for people. */
void tune_class_describe(char *text, size_t size, const TuneClass *class);

/* All shapes that make sense for a class on a device, the default first. Returns how many. */
size_t tune_candidates(NativeShape shapes[TUNE_CANDIDATES], const TuneClass *class, const DeviceTraits *traits);
/* "16 lanes, dot tiles of 5 classes, ...": the numbers that matter for the class. */
void tune_shape_describe(char *text, size_t size, const NativeShape *shape, const TuneClass *class, size_t features);

/* False when there is no record, or none that can be trusted. */
bool tune_load(TuneRecord *record, const TuneClass *class, const DeviceTraits *traits);
/* Silent when it cannot be written: then the next run searches again. */
void tune_save(const TuneClass *class, const TuneRecord *record);

/* ---- apply.c, search.c: the search ------------------------------------------------------------------------------------- */

/* Whether one loss and gradient of such data is work enough for a search to pay off: 4e8 flops, or 64 MB of X. */
bool tune_is_worth_it(size_t rows, size_t features, size_t classes);
/* Looks native's class up and, when settings->tunes and nothing is found, searches and keeps the verdict. Sets native->shape and
 * native->tuning. To be called once X is on the device. */
Status native_tune(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* The search alone, over shapes of which the first is the default (native's own), verified against it: record gets the winner. `how` QUICK
 * stops after about 1.5 s beyond building the default, but tries one. shapes may hold what does not build or computes wrong results; those
 * never win. seconds (count), may be NULL: what each of the others took; INFINITY: not tried, does not build, or wrong. */
Status tune_search(Native *native, const Dataset *dataset, const NativeShape *shapes, size_t count, SetosaTuning how, TuneRecord *record,
                   double *seconds, Error *error);

#endif
