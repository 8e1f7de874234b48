/* The names of choices. */
#include "base/names.h"

#include "setosa_bench.h"

const char *const solver_names[] = {[SETOSA_SOLVER_AUTO] = "auto",
                                    [SETOSA_SOLVER_NEWTON] = "newton",
                                    [SETOSA_SOLVER_LBFGS] = "lbfgs",
                                    [SETOSA_SOLVER_GD] = "gd",
                                    [SETOSA_SOLVER_SGD] = "sgd",
                                    [SETOSA_SOLVER_ADAM] = "adam",
                                    NULL};
const char *const preconditioner_names[] = {
    [SETOSA_PRECONDITIONER_AUTO] = "auto", [SETOSA_PRECONDITIONER_NONE] = "none",     [SETOSA_PRECONDITIONER_DIAGONAL] = "diagonal",
    [SETOSA_PRECONDITIONER_KRON] = "kron", [SETOSA_PRECONDITIONER_BLOCKS] = "blocks", NULL};
const char *const schedule_names[] = {[SETOSA_SCHEDULE_CONSTANT] = "constant",
                                      [SETOSA_SCHEDULE_INVERSE] = "inverse",
                                      [SETOSA_SCHEDULE_COSINE] = "cosine",
                                      [SETOSA_SCHEDULE_STEP] = "step",
                                      NULL};
const char *const backend_names[] = {[SETOSA_BACKEND_NATIVE] = "native",
                                     [SETOSA_BACKEND_REFERENCE] = "reference",
                                     [SETOSA_BACKEND_CLBLAST] = "clblast",
                                     [SETOSA_BACKEND_BLAS] = "blas",
                                     NULL};
const char *const family_names[] = {[SETOSA_FAMILY_AUTO] = "auto", [SETOSA_FAMILY_CPU] = "cpu", [SETOSA_FAMILY_GPU] = "gpu", NULL};
const char *const storage_names[] = {
    [SETOSA_STORAGE_AUTO] = "auto", [SETOSA_STORAGE_F32] = "f32", [SETOSA_STORAGE_F16] = "f16", [SETOSA_STORAGE_U8] = "u8", NULL};
const char *const tuning_names[] = {[SETOSA_TUNING_QUICK] = "quick", [SETOSA_TUNING_OFF] = "off", [SETOSA_TUNING_FULL] = "full", NULL};
const char *const missing_names[] = {
    [SETOSA_MISSING_DROP] = "drop", [SETOSA_MISSING_MEAN] = "mean", [SETOSA_MISSING_ERROR] = "error", NULL};
const char *const unseen_names[] = {[SETOSA_UNSEEN_ZERO] = "zero", [SETOSA_UNSEEN_ERROR] = "error", NULL};
const char *const sparse_names[] = {
    [SETOSA_SPARSE_AUTO] = "auto", [SETOSA_SPARSE_ALWAYS] = "always", [SETOSA_SPARSE_NEVER] = "never", NULL};
const char *const device_type_names[] = {[SETOSA_DEVICE_CPU] = "cpu", [SETOSA_DEVICE_GPU] = "gpu", [SETOSA_DEVICE_OTHER] = "other", NULL};
const char *const bench_what_names[] = {[SETOSA_BENCH_STEP] = "step",   [SETOSA_BENCH_HESSIAN] = "hessian", [SETOSA_BENCH_EPOCH] = "epoch",
                                        [SETOSA_BENCH_TRAIN] = "train", [SETOSA_BENCH_PREDICT] = "predict", NULL};

const char *const cv_choice_names[] = {[SETOSA_CV_MIN] = "min", [SETOSA_CV_1SE] = "1se", NULL};
const char *const export_form_names[] = {[SETOSA_EXPORT_BY_NAME] = "auto", [SETOSA_EXPORT_ONNX] = "onnx", [SETOSA_EXPORT_C] = "c",
                                         [SETOSA_EXPORT_JSON] = "json",    [SETOSA_EXPORT_CSV] = "csv",   NULL};
const char *const weights_are_names[] = {[SETOSA_WEIGHTS_COUNT] = "count", [SETOSA_WEIGHTS_SAMPLING] = "sampling", NULL};

const char *const quantize_names[] = {[SETOSA_QUANTIZE_NONE] = "none", [SETOSA_QUANTIZE_INT8] = "int8", NULL};

const char *setosa_version(void) { return SETOSA_VERSION; }

size_t names_count(const char *const *names) {
  size_t count = 0;
  while (names[count] != NULL) count++;
  return count;
}

const char *names_get(const char *const *names, size_t index) { return index < names_count(names) ? names[index] : "unknown"; }

const char *setosa_solver_name(SetosaSolver solver) { return names_get(solver_names, (size_t)solver); }
const char *setosa_preconditioner_name(SetosaPreconditioner preconditioner) {
  return names_get(preconditioner_names, (size_t)preconditioner);
}
const char *setosa_schedule_name(SetosaSchedule schedule) { return names_get(schedule_names, (size_t)schedule); }
const char *setosa_backend_name(SetosaBackend backend) { return names_get(backend_names, (size_t)backend); }
const char *setosa_family_name(SetosaFamily family) { return names_get(family_names, (size_t)family); }
const char *setosa_storage_name(SetosaStorage storage) { return names_get(storage_names, (size_t)storage); }
const char *setosa_tuning_name(SetosaTuning tuning) { return names_get(tuning_names, (size_t)tuning); }
const char *setosa_missing_name(SetosaMissing missing) { return names_get(missing_names, (size_t)missing); }
const char *setosa_unseen_name(SetosaUnseen unseen) { return names_get(unseen_names, (size_t)unseen); }
const char *setosa_sparse_name(SetosaSparse sparse) { return names_get(sparse_names, (size_t)sparse); }
const char *setosa_device_type_name(SetosaDeviceType type) { return names_get(device_type_names, (size_t)type); }
const char *setosa_bench_what_name(SetosaBenchWhat what) { return names_get(bench_what_names, (size_t)what); }
const char *setosa_quantize_name(SetosaQuantize quantize) { return names_get(quantize_names, (size_t)quantize); }
const char *setosa_export_form_name(SetosaExportForm form) { return names_get(export_form_names, (size_t)form); }
const char *setosa_weights_are_name(SetosaWeightsAre weights_are) { return names_get(weights_are_names, (size_t)weights_are); }
