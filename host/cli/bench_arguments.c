/* `setosa bench`: flags that say nothing about what is measured are refused, since a time must be of what was asked for. */
#include "cli/bench.h"
#include "cli/inputs.h"

/* Whether a list of the command line names one of two values; an empty list is the default, which `otherwise` stands for. */
static bool names(const OptionList *list, int one, int other, bool otherwise) {
  for (size_t i = 0; i < list->count; i++)
    if (list->choice[i] == one || list->choice[i] == other) return true;
  return list->count == 0 && otherwise;
}

static Status check_data(const Options *options, Error *error) {
  static const char *const of_suite[] = {"suite", "work", "fashion"};
  static const char *const of_data[] = {"label", "labels", "features", "drop", "positive", "header", "no-header", "standardize", "scale"};
  bool data = options->argument_count > 0;
  if (!data && !options->suite && options->work == NULL && options->fashion == NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "name what to bench: --suite, DATA, or made-up data such as synthetic:rows=1e5,features=100,classes=10");
  for (size_t i = 0; data && i < sizeof of_suite / sizeof of_suite[0]; i++)
    if (options_given(options, of_suite[i]))
      return error_set(error, SETOSA_ERROR_USAGE, "--%s is about the suite, and %s is data of your own; leave one of them out", of_suite[i],
                       options->argument[0]);
  for (size_t i = 0; !data && i < sizeof of_data / sizeof of_data[0]; i++)
    if (options_given(options, of_data[i]))
      return error_set(error, SETOSA_ERROR_USAGE, "--%s is about data of your own, and the suite is always the same; leave it out",
                       of_data[i]);
  return SETOSA_OK;
}

Status bench_check_arguments(const Options *options, Error *error) {
  static const char train[] = "training; add --what train", native[] = "the native backend; add it to --backends",
                    device[] = "backends of a device; add native or clblast to --backends";
  bool trains = names(&options->what, SETOSA_BENCH_TRAIN, SETOSA_BENCH_TRAIN, false);
  bool has_native = names(&options->backends, SETOSA_BACKEND_NATIVE, SETOSA_BACKEND_NATIVE, true);
  bool has_device = names(&options->backends, SETOSA_BACKEND_NATIVE, SETOSA_BACKEND_CLBLAST, true);
  const struct {
    const char *option, *about;
    bool used;
  } table[] = {
      {"max-iterations", train, trains}, {"tolerance", train, trains},         {"storage", native, has_native},
      {"tune", native, has_native},      {"reproducible", native, has_native}, {"device", device, has_device},
      {"family", device, has_device},    {"force-device", device, has_device},
  };
  Status status = check_data(options, error);
  for (size_t i = 0; status == SETOSA_OK && i < sizeof table / sizeof table[0]; i++)
    if (!table[i].used && options_given(options, table[i].option))
      status =
          error_set(error, SETOSA_ERROR_USAGE, "--%s is about %s, or leave --%s out", table[i].option, table[i].about, table[i].option);
  return status;
}
