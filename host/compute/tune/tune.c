/* Tuning verdicts: classes, candidates, files. The search is in search.c. */
#include "compute/tune/tune.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/names.h"
#include "compute/native/fused_shape.h"

enum { RECORD_BYTES = 1024 };

static size_t power_of_two(size_t value) {
  size_t power = 1;
  while (power < value && power <= SIZE_MAX / 2) power *= 2;
  return power;
}

bool tune_class_make(TuneClass *class, const Context *context, SetosaFamily family, size_t classes, size_t features, SetosaStorage storage,
                     bool tensor) {
  const DeviceTraits *traits = context_traits(context);
  *class = (TuneClass){.family = family == SETOSA_FAMILY_AUTO ? traits->family : family,
                       .tensor = tensor && traits->tensor_cores,
                       .storage = storage,
                       .compute_units = traits->compute_units};
  NativeShape usual = native_default_shape(class->family, classes, features, traits, class->tensor);
  class->fused = native_fuses(class->family, &usual, features, classes);
  class->features = class->fused && class->family == SETOSA_FAMILY_GPU ? features : power_of_two(features);
  class->classes = class->fused || class->family == SETOSA_FAMILY_GPU ? classes : power_of_two(classes);
  context_fingerprint(context, class->fingerprint);
  return class->fingerprint[0] != '\0';
}

void tune_class_describe(char *text, size_t size, const TuneClass *class) {
  snprintf(text, size, "%s pass, %s%zu classes, up to %zu features as %s", class->fused ? "fused" : "blocked", class->fused ? "" : "up to ",
           class->classes, class->features, setosa_storage_name(class->storage));
}

/* ---- candidates ------------------------------------------------------------------------------------------------- */

static void add_candidate(NativeShape shapes[TUNE_CANDIDATES], size_t *count, NativeShape shape) {
  for (size_t i = 0; i < *count; i++)
    if (native_shape_equal(&shapes[i], &shape)) return;
  shapes[(*count)++] = shape;
}

size_t tune_candidates(NativeShape shapes[TUNE_CANDIDATES], const TuneClass *class, const DeviceTraits *traits) {
  /* The most promising first, since a quick search may not come to the last: lanes, dot and outer classes, vectors of sums. */
  static const uint32_t fused_cpu[][4] = {{16, 5, 16, 24}, {16, 4, 8, 24}, {8, 5, 10, 24}, {8, 3, 6, 12}, {8, 5, 5, 12}, {8, 3, 5, 12}};
  static const uint32_t strips[] = {8, 12, 6}, shares[] = {528, 264, 2112, 132};
  static const uint32_t fused_bytes[] = {32768, 49152, 24576};
  static const uint32_t items[][2] = {{8, 8}, {8, 4}, {4, 8}, {4, 4}, {8, 6}}; /* rows and most classes of a work-item, GPU */
  /* Warps of a group by rows and by classes, rows and most classes of a warp. */
  static const uint32_t warps[][4] = {{2, 2, 32, 64}, {2, 4, 64, 32}, {4, 1, 16, 104}, {4, 2, 32, 64}, {2, 2, 32, 32}, {4, 2, 32, 32}};
  size_t count = 0;
  NativeShape usual = native_default_shape(class->family, class->classes, class->features, traits, class->tensor), shape = usual;
  add_candidate(shapes, &count, usual);
  if (class->family == SETOSA_FAMILY_CPU && class->classes >= PANEL_LEAST_REST) { /* without panels */
    shape.panel_rows = 0;
    add_candidate(shapes, &count, shape);
    shape = usual;
  }
  if (class->fused && class->family == SETOSA_FAMILY_CPU) {
    for (size_t i = 0; i < sizeof fused_cpu / sizeof *fused_cpu; i++) {
      if (fused_cpu[i][0] > 8 && traits->preferred_float_width < fused_cpu[i][0]) continue;
      shape.lanes = fused_cpu[i][0];
      shape.dot_classes = fused_cpu[i][1];
      shape.outer_classes = fused_cpu[i][2];
      shape.outer_registers = fused_cpu[i][3];
      add_candidate(shapes, &count, shape);
    }
  } else if (class->fused) {
    if (usual.fused_tensor > 0) { /* not on tensor cores */
      shape.fused_tensor = 0;
      if (native_fused_fits(&shape, class->features, class->classes)) add_candidate(shapes, &count, shape);
      shape = usual;
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
      shape.shares = shares[i];
      add_candidate(shapes, &count, shape);
    }
    shape = usual;
    shape.fused_tensor = 0; /* whose groups have the local memory that they need */
    for (size_t i = 0; i < sizeof fused_bytes / sizeof *fused_bytes; i++) {
      shape.fused_bytes = fused_bytes[i];
      if (fused_bytes[i] > traits->local_memory_bytes || !native_fused_fits(&shape, class->features, class->classes)) continue;
      add_candidate(shapes, &count, shape);
    }
  } else {
    for (size_t i = 0; i < sizeof warps / sizeof *warps && class->tensor && class->family == SETOSA_FAMILY_GPU; i++) {
      native_shape_warps(&shape, class->classes, warps[i][0], warps[i][1], warps[i][2], warps[i][3]);
      add_candidate(shapes, &count, shape);
    }
    for (size_t i = 0; i < (class->family == SETOSA_FAMILY_CPU ? 3 : sizeof items / sizeof *items); i++) {
      if (class->family == SETOSA_FAMILY_CPU)
        shape.strip_classes = strips[i];
      else
        native_shape_tiles(&shape, class->classes, class->features, items[i][0], items[i][1]);
      add_candidate(shapes, &count, shape);
    }
  }
  return count;
}

void tune_shape_describe(char *text, size_t size, const NativeShape *shape, const TuneClass *class, size_t features) {
  if (class->fused && class->family == SETOSA_FAMILY_CPU)
    snprintf(text, size, "%u lanes, dot tiles of %u classes, outer tiles of %u classes and %u vectors, panels of %u rows", shape->lanes,
             shape->dot_classes, shape->outer_classes, shape->outer_registers, shape->panel_rows);
  else if (class->fused && native_fused_shape(shape, features, class->classes, false).slabs > 0)
    snprintf(text, size, "at most %u shares of the rows, on tensor cores", shape->shares);
  else if (class->fused)
    snprintf(text, size, "at most %u shares of the rows, groups of up to %u bytes", shape->shares, shape->fused_bytes);
  else if (class->family == SETOSA_FAMILY_CPU)
    snprintf(text, size, "tiles of %u classes, panels of %u rows", shape->strip_classes, shape->panel_rows);
  else
    snprintf(text, size, "tiles of %u rows and %u classes, %u x %u a %s", shape->tile_rows, shape->tile_classes, shape->item_rows,
             shape->item_classes, shape->tensor > 0 ? "warp on tensor cores" : "work-item");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void write_class(char *text, size_t size, const TuneClass *class) {
  snprintf(text, size, "%s %s %s classes %zu features %zu %s units %u tensor %d", class->fingerprint, setosa_family_name(class->family),
           class->fused ? "fused" : "blocks", class->classes, class->features, setosa_storage_name(class->storage), class->compute_units,
           class->tensor);
}

static void write_record(char text[RECORD_BYTES], const TuneClass *class, const TuneRecord *record) {
  char class_text[192];
  const NativeShape *s = &record->shape;
  write_class(class_text, sizeof class_text, class);
  snprintf(
      text, RECORD_BYTES,
      "setosa tuning 9\nclass %s\nhow %s\nshape lanes %u dot %u outer %u %u strip %u panel %u tile %u %u item %u %u shares %u fused %u "
      "%u registers %u tensor %u\n"
      "pass_ns default %" PRIu64 " shape %" PRIu64 "\n",
      class_text, setosa_tuning_name(record->how), s->lanes, s->dot_classes, s->outer_classes, s->outer_registers, s->strip_classes,
      s->panel_rows, s->tile_rows, s->tile_classes, s->item_rows, s->item_classes, s->shares, s->fused_bytes, s->fused_tensor,
      s->fused_registers, s->tensor, record->default_ns, record->shape_ns);
}

/* The index of word among the names, or count. */
static size_t find_name(const char *word, const char *const *names, size_t count) {
  size_t i = 0;
  while (i < count && strcmp(word, names[i]) != 0) i++;
  return i;
}

/* What was read must come out the same when it is written again: then nothing is missing, nothing added, and the class is this one. */
static bool read_record(TuneRecord *record, const TuneClass *class, const char *text) {
  char how[8], again[RECORD_BYTES];
  NativeShape *s = &record->shape;
  *record = (TuneRecord){.how = SETOSA_TUNING_QUICK};
  const char *rest = strstr(text, "\nhow ");
  if (rest == NULL ||
      sscanf(rest,
             "\nhow %7s shape lanes %" SCNu32 " dot %" SCNu32 " outer %" SCNu32 " %" SCNu32 " strip %" SCNu32 " panel %" SCNu32
             " tile %" SCNu32 " %" SCNu32 " item %" SCNu32 " %" SCNu32 " shares %" SCNu32 " fused %" SCNu32 " %" SCNu32
             " registers %" SCNu32 " tensor %" SCNu32 " pass_ns default %" SCNu64 " shape %" SCNu64,
             how, &s->lanes, &s->dot_classes, &s->outer_classes, &s->outer_registers, &s->strip_classes, &s->panel_rows, &s->tile_rows,
             &s->tile_classes, &s->item_rows, &s->item_classes, &s->shares, &s->fused_bytes, &s->fused_tensor, &s->fused_registers,
             &s->tensor, &record->default_ns, &record->shape_ns) != 18)
    return false;
  size_t how_index = find_name(how, tuning_names, names_count(tuning_names));
  if (how_index > 2 || how_index == SETOSA_TUNING_OFF) return false;
  record->how = (SetosaTuning)how_index;
  write_record(again, class, record);
  return strcmp(text, again) == 0;
}

static bool class_path(char *path, size_t size, const TuneClass *class) {
  char folder[PATH_MAX - 64], text[192], hex[HASH_HEX_SIZE];
  Hash *hash = NULL;
  write_class(text, sizeof text, class);
  if (cache_folder_find(folder, sizeof folder, "tuning", NULL) != SETOSA_OK || hash_create(&hash, NULL) != SETOSA_OK) return false;
  hash_add_text(hash, text);
  hash_hex(hash, hex);
  hash_destroy(hash);
  int length = snprintf(path, size, "%s/%s.txt", folder, hex);
  return length > 0 && (size_t)length < size;
}

bool tune_load(TuneRecord *record, const TuneClass *class, const DeviceTraits *traits) {
  char path[PATH_MAX];
  unsigned char *bytes = NULL;
  size_t length = 0;
  NativeShape shapes[TUNE_CANDIDATES];
  bool known = false;
  if (!class_path(path, sizeof path, class) || cache_file_read(&bytes, &length, path, RECORD_BYTES, NULL) != SETOSA_OK) return false;
  if (strlen((const char *)bytes) == length && read_record(record, class, (const char *)bytes)) {
    size_t count = tune_candidates(shapes, class, traits);
    for (size_t i = 0; i < count && !known; i++) known = native_shape_equal(&record->shape, &shapes[i]);
  }
  free(bytes);
  return known;
}

void tune_save(const TuneClass *class, const TuneRecord *record) {
  char path[PATH_MAX], text[RECORD_BYTES];
  AtomicFile file = {0};
  write_record(text, class, record);
  if (!class_path(path, sizeof path, class) || cache_file_begin(&file, path, NULL) != SETOSA_OK) return;
  fputs(text, file.stream);
  if (atomic_file_commit(&file, NULL) != SETOSA_OK) atomic_file_abandon(&file);
}
