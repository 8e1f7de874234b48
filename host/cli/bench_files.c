/* The results of `setosa bench` as JSON and CSV. */
#include <math.h>

#include "base/file.h"
#include "cli/bench.h"

static const char *status_name(SetosaBenchStatus status) {
  static const char *const names[] = {"ok", "failed", "skipped"}; /* as SetosaBenchStatus */
  return names[status];
}

static json_t *index_json(int index) { return index == SETOSA_BENCH_HOST ? json_null() : json_integer(index); }

static json_t *limits_json(const SetosaBenchLimits *l) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device", json_text(l->device), "device_index", index_json(l->device_index),
                   "fma_gflops", json_number(l->fma_gflops), "read_gbytes_per_s", json_number(l->read_gbytes_per_s), "upload_gbytes_per_s",
                   json_number(l->upload_gbytes_per_s), "download_gbytes_per_s", json_number(l->download_gbytes_per_s), "launch_us",
                   json_number(l->launch_us));
}

/* Time over that of every other row of the same work: {"blas": 0.24, ...}. */
static json_t *ratios_json(const BenchReport *report, const SetosaBenchResult *r) {
  json_t *ratios = json_object();
  for (size_t i = 0; i < report->result_count; i++) {
    const SetosaBenchResult *other = &report->results[i];
    char label[BENCH_LABEL];
    if (other == r || !bench_same_group(r, other) || r->status != SETOSA_BENCH_OK || other->status != SETOSA_BENCH_OK) continue;
    json_put(&ratios, bench_label(label, other), json_number(r->median_ms / other->median_ms));
  }
  return ratios;
}

/* With --compare: the earlier median, the change of it, and whether that is more than the noise of both. */
static void add_change(json_t **entry, const BenchReport *report, const SetosaBenchResult *r) {
  const BaselineRow *before = bench_baseline(report, r);
  if (before == NULL) return;
  json_take(entry, json_pack("{s:o, s:o, s:b}", "baseline_median_ms", json_number(before->median_ms), "change",
                             json_number(r->median_ms / before->median_ms - 1), "significant", bench_change_matters(r, before)));
}

static json_t *result_json(const BenchReport *report, const SetosaBenchResult *r) {
  bool ok = r->status == SETOSA_BENCH_OK;
  json_t *entry =
      json_pack("{s:o, s:I, s:I, s:I, s:s, s:s, s:o, s:o, s:s, s:s}", "work", json_text(r->work), "rows", (json_int_t)r->rows, "features",
                (json_int_t)r->features, "classes", (json_int_t)r->classes, "what", setosa_bench_what_name(r->what), "backend", r->backend,
                "device", json_text(r->device), "device_index", index_json(r->device_index), "storage", r->storage, "family", r->family);
  json_t *times = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "median_ms", json_number(r->median_ms),
                            "min_ms", json_number(r->min_ms), "max_ms", json_number(r->max_ms), "spread", json_number(r->spread), "samples",
                            (json_int_t)r->samples, "gflops", json_number(r->gflops), "gbytes_per_s", json_number(r->gbytes_per_s),
                            "fma_gflops", json_number(r->fma_gflops), "read_gbytes_per_s", json_number(r->read_gbytes_per_s), "limit_ms",
                            json_number(r->limit_ms), "part_of_limit", json_number(r->part_of_limit), "gather_ms",
                            json_number(r->gather_ms), "first_call_ms", json_number(r->first_call_ms));
  json_t *rest = json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "entries", (json_int_t)r->entries, "device_bytes",
                           ok ? json_integer((json_int_t)r->device_bytes) : json_null(), "workspace_bytes",
                           ok ? json_integer((json_int_t)r->workspace_bytes) : json_null(), "error", json_number(r->error), "tolerance",
                           json_number(r->tolerance), "status", status_name(r->status), "reason", json_text(r->reason), "ratios",
                           ratios_json(report, r));
  json_take(&entry, times);
  json_take(&entry, rest);
  add_change(&entry, report, r);
  if (r->what == SETOSA_BENCH_TRAIN) json_put(&entry, "iterations", json_integer((json_int_t)r->iterations));
  return entry;
}

json_t *bench_json(const BenchReport *report) {
  json_t *limits = json_array(), *results = json_array();
  for (size_t i = 0; i < report->limit_count; i++) json_add(&limits, limits_json(&report->limits[i]));
  for (size_t i = 0; i < report->result_count; i++) json_add(&results, result_json(report, &report->results[i]));
  return json_pack("{s:s, s:s, s:b, s:o, s:o}", "command", "bench", "version", SETOSA_VERSION, "interrupted", report->interrupted, "limits",
                   limits, "results", results);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

/* Quoted as RFC 4180 has it. */
static void csv_text(FILE *stream, const char *text) {
  fputc('"', stream);
  for (; *text != '\0'; text++) {
    if (*text == '"') fputc('"', stream);
    fputc(*text, stream);
  }
  fputs("\",", stream);
}

/* Nothing between the commas where there is no number. */
static void csv_number(FILE *stream, double value) {
  if (isfinite(value)) fprintf(stream, "%.9g", value);
  fputc(',', stream);
}

static void csv_row(FILE *stream, const SetosaBenchResult *r) {
  bool ok = r->status == SETOSA_BENCH_OK;
  csv_text(stream, r->work);
  fprintf(stream, "%llu,%llu,%llu,%s,%s,", (unsigned long long)r->rows, (unsigned long long)r->features, (unsigned long long)r->classes,
          setosa_bench_what_name(r->what), r->backend);
  csv_text(stream, r->device);
  fprintf(stream, "%s,%s,", r->storage, r->family);
  const double numbers[] = {r->median_ms,         r->min_ms,   r->max_ms,        r->spread,       r->gflops, r->gbytes_per_s, r->fma_gflops,
                            r->read_gbytes_per_s, r->limit_ms, r->part_of_limit, r->first_call_ms};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) csv_number(stream, numbers[i]);
  csv_number(stream, ok ? (double)r->device_bytes : NAN);
  csv_number(stream, ok ? (double)r->workspace_bytes : NAN);
  csv_number(stream, r->error);
  csv_number(stream, r->tolerance);
  fprintf(stream, "%s,", status_name(r->status));
  csv_text(stream, r->reason);
  fprintf(stream, "%zu,%llu,", r->samples, (unsigned long long)r->entries);
  if (isfinite(r->gather_ms)) fprintf(stream, "%.9g", r->gather_ms);
  fputc('\n', stream);
}

Status bench_write_csv(const BenchReport *report, const char *path, Error *error) {
  Status status = SETOSA_OK;
  AtomicFile file = {0};
  TRY(atomic_file_open(&file, path, error));
  fputs(
      "work,rows,features,classes,what,backend,device,storage,family,median_ms,min_ms,max_ms,spread,gflops,gbytes_per_s,fma_gflops,"
      "read_gbytes_per_s,limit_ms,part_of_limit,first_call_ms,device_bytes,workspace_bytes,error,tolerance,status,reason,samples,entries,"
      "gather_ms\n",
      file.stream);
  for (size_t i = 0; i < report->result_count; i++) csv_row(file.stream, &report->results[i]);
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  return status;
}
