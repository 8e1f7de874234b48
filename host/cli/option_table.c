/* The table of all options. */
#include <math.h>

#include "cli/color.h"
#include "cli/options.h"

#define AT(field) offsetof(Options, field)
#define FLAG(field) .kind = OPTION_FLAG, .offset = AT(field)
#define SET(field, value) .kind = OPTION_SET, .offset = AT(field), .least = value
#define TEXT(field) .kind = OPTION_TEXT, .offset = AT(field)
#define COUNT(field, low, high) .kind = OPTION_COUNT, .offset = AT(field), .least = low, .most = high
#define REAL(field, low, high) .kind = OPTION_REAL, .offset = AT(field), .least = low, .most = high
#define LIST(field, names) .kind = OPTION_LIST, .offset = AT(field), .choices = names
#define CHOICE(field, names) .kind = OPTION_CHOICE, .offset = AT(field), .choices = names

static const char *const solvers[] = {"lbfgs", "gd", "sgd", "adam", NULL};                      /* as SetosaSolver */
static const char *const schedules[] = {"constant", "inverse", "cosine", "step", NULL};         /* as SetosaSchedule */
static const char *const backends[] = {"native", "reference", "clblast", "blas", NULL};         /* as SetosaBackend */
static const char *const contenders[] = {"native", "reference", "clblast", "blas", NULL};       /* likewise, without a choice */
static const char *const families[] = {"auto", "cpu", "gpu", NULL};                             /* as SetosaFamily */
static const char *const storages[] = {"auto", "f32", "f16", "u8", NULL};                       /* as SetosaStorage */
static const char *const tunings[] = {"quick", "off", "full", NULL};                            /* as SetosaTuning */
static const char *const operations[] = {"step", "hessian", "epoch", "train", "predict", NULL}; /* as SetosaBenchWhat */
static const char *const colors[] = {"auto", "always", "never", NULL};                          /* as ColorMode */

static const double any_count = 9e15; /* exact in a double */

static const OptionSpec specs[] = {
    /* data */
    {"test", 0, "DATA", "evaluate on DATA after training, scaled and named like the training data", TEXT(test), .commands = FOR_TRAIN,
     .heading = HEADING_DATA},
    {"test-labels", 0, "FILE", "file with the labels of the test data, as --labels", TEXT(test_labels), .commands = FOR_TRAIN,
     .heading = HEADING_DATA},
    {"validation", 0, "FRACTION", "hold this part of the rows out of the training, chosen by --seed, and report on it",
     REAL(validation, 0, 1), .open_least = true, .open_most = true, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"label", 0, "COLUMN", "label column of a CSV: its name or its number from 1 (default: the last)", TEXT(label),
     .commands = FOR_DATA & ~FOR_EXPLAIN, .heading = HEADING_DATA},
    {"labels", 0, "FILE", "file with the labels of IDX or NPY data (default: found by its usual name, X-labels.npy beside X.npy)",
     TEXT(labels), .commands = FOR_DATA, .heading = HEADING_DATA},
    {"features", 0, "A,B,...", "use these columns only, in this order: names or numbers from 1", TEXT(features), .commands = FOR_DATA,
     .heading = HEADING_DATA},
    {"drop", 0, "A,B,...", "leave these columns out", TEXT(drop), .commands = FOR_DATA, .heading = HEADING_DATA},
    {"positive", 0, "CLASS", "make the task CLASS against all the rest (two classes: CLASS and non-CLASS)", TEXT(positive),
     .commands = FOR_TRAIN | FOR_CHECK | FOR_BENCH, .heading = HEADING_DATA},
    {"header", 0, NULL, "the first line of a CSV holds the column names (default: detected)", SET(header, 1), .commands = FOR_DATA,
     .heading = HEADING_DATA},
    {"no-header", 0, NULL, "the first line of a CSV is data already", SET(header, 0), .commands = FOR_DATA, .heading = HEADING_DATA},
    {"cache", 0, "DIR",
     "keep what is converted from a large CSV or .gz here, to be mapped the next time (default: see `setosa cache path`)", TEXT(cache),
     .commands = FOR_DATA, .heading = HEADING_DATA},
    {"no-cache", 0, NULL, "read the data themselves, and keep no conversion of them", FLAG(no_cache), .commands = FOR_DATA,
     .heading = HEADING_DATA},
    {"standardize", 0, NULL, "shift and scale every feature to mean 0, deviation 1; the model remembers how", FLAG(standardize),
     .commands = FOR_TRAIN | FOR_BENCH, .heading = HEADING_DATA},
    {"scale", 0, "X", "multiply every feature by X (default: 1/255 for u8 images, else 1)", REAL(scale, -INFINITY, INFINITY),
     .not_zero = true, .commands = FOR_TRAIN | FOR_CHECK | FOR_BENCH, .heading = HEADING_DATA},
    /* training */
    {"solver", 0, "NAME", "lbfgs (best for most), gd, sgd or adam", CHOICE(solver, solvers), .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING, .show_default = true},
    {"l2", 0, "LAMBDA", "strength of the L2 penalty on the weights; the bias is free", REAL(l2, 0, INFINITY),
     .commands = FOR_TRAIN | FOR_CHECK, .heading = HEADING_TRAINING, .show_default = true},
    {"max-iterations", 0, "N", "lbfgs, gd: stop after N iterations", COUNT(max_iterations, 0, any_count), .commands = FOR_TRAIN | FOR_BENCH,
     .heading = HEADING_TRAINING, .show_default = true},
    {"tolerance", 0, "T", "converged when no component of the gradient is larger than T", REAL(tolerance, 0, INFINITY), .open_least = true,
     .commands = FOR_TRAIN | FOR_BENCH, .heading = HEADING_TRAINING, .show_default = true},
    {"history", 0, "N", "lbfgs: past steps remembered", COUNT(history, 1, 1000), .commands = FOR_TRAIN, .heading = HEADING_TRAINING,
     .show_default = true},
    {"learning-rate", 0, "X", "gd: fixed step (default: found by backtracking); sgd, adam: initial rate", REAL(learning_rate, 0, INFINITY),
     .open_least = true, .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"momentum", 0, "X", "sgd: part of the last step that is kept", REAL(momentum, 0, 1), .open_most = true, .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING, .show_default = true},
    {"nesterov", 0, NULL, "sgd: look ahead along the momentum", FLAG(nesterov), .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"batch-size", 0, "N", "sgd, adam: rows in a mini-batch", COUNT(batch_size, 1, any_count), .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING, .show_default = true},
    {"epochs", 0, "N", "sgd, adam: passes over the data", COUNT(epochs, 1, any_count), .commands = FOR_TRAIN, .heading = HEADING_TRAINING,
     .show_default = true},
    {"schedule", 0, "NAME", "sgd, adam: how the learning rate falls: constant, inverse, cosine or step", CHOICE(schedule, schedules),
     .commands = FOR_TRAIN, .heading = HEADING_TRAINING, .show_default = true},
    {"seed", 0, "N", "order of rows and batches; the same seed gives the same model", COUNT(seed, 0, any_count), .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING, .show_default = true},
    {"no-intercept", 0, NULL, "fit weights only, no bias", FLAG(no_intercept), .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"strict", 0, NULL, "exit with 5 when the training has not converged", FLAG(strict), .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING},
    /* where */
    {"device", 0, "SEL",
     "number from `setosa devices`, part of a name, cpu, gpu or all; SEL/N cuts a device into N; repeatable, the rows are shared "
     "(default: a GPU before a CPU)",
     LIST(devices, NULL), .commands = FOR_TRAIN, .heading = HEADING_DEVICE},
    {"device", 0, "SEL", "number from `setosa devices`, part of a name, cpu or gpu (default: a GPU before a CPU)", LIST(devices, NULL),
     .commands = FOR_EVAL | FOR_PREDICT | FOR_CHECK, .heading = HEADING_DEVICE},
    {"backend", 0, "NAME", "native (our OpenCL kernels), clblast, blas (OpenBLAS on the host) or reference (plain C, double, slow)",
     CHOICE(backend, backends), .commands = FOR_COMPUTE, .heading = HEADING_DEVICE, .show_default = true},
    {"family", 0, "NAME", "kernels to use: auto (by device), cpu or gpu", CHOICE(family, families),
     .commands = FOR_COMPUTE | FOR_CHECK | FOR_BENCH, .heading = HEADING_DEVICE, .show_default = true},
    {"storage", 0, "TYPE",
     "how the device holds the features: f32, f16 or u8 (default: f32; on a device with its own memory u8 for images of bytes)",
     CHOICE(storage, storages), .commands = FOR_COMPUTE | FOR_CHECK, .heading = HEADING_DEVICE},
    {"device-memory", 0, "SIZE",
     "use at most so much of the device's memory, as in 512M or 4G; data beyond it streams in chunks (default: what the device has)",
     .kind = OPTION_BYTES, .offset = AT(device_memory), .commands = FOR_COMPUTE, .heading = HEADING_DEVICE},
    {"tune", 0, "HOW", "search for the fastest kernel shapes at first use: quick (about 2 s), off or full", CHOICE(tuning, tunings),
     .commands = FOR_COMPUTE | FOR_BENCH, .heading = HEADING_DEVICE, .show_default = true},
    {"reproducible", 0, NULL, "fixed kernel shapes, so that results do not depend on what tuning found", FLAG(reproducible),
     .commands = FOR_COMPUTE | FOR_BENCH, .heading = HEADING_DEVICE},
    {"fast-reduce", 0, NULL,
     "with mpirun: add up by MPI_Allreduce, quicker over a network, but with other last digits for another number of processes",
     FLAG(fast_reduce), .commands = FOR_TRAIN, .heading = HEADING_DEVICE},
    {"force-device", 0, NULL, "use a device that was refused, at your own risk", FLAG(force_device),
     .commands = FOR_COMPUTE | FOR_CHECK | FOR_BENCH, .heading = HEADING_DEVICE},
    {"check", 0, NULL, "run the self-test on every device and report", FLAG(check), .commands = FOR_DEVICES, .heading = HEADING_DEVICE},
    {"diagnose", 0, NULL, "explain what OpenCL finds here and how to repair what is missing", FLAG(diagnose), .commands = FOR_DEVICES,
     .heading = HEADING_DEVICE},
    /* bench */
    {"suite", 0, NULL, "the six works W1 to W6 instead of DATA: small, tall, medium, wide, many classes, vocabulary", FLAG(suite),
     .commands = FOR_BENCH, .heading = HEADING_DATA},
    {"work", 0, "W1,W4,...", "only these works of the suite", TEXT(work), .commands = FOR_BENCH, .heading = HEADING_DATA},
    {"fashion", 0, "PATH", "folder or images file of Fashion-MNIST for W1 (default: Debian's, else made-up data)", TEXT(fashion),
     .commands = FOR_BENCH, .heading = HEADING_DATA},
    {"what", 0, "A,B,...", "step (loss and gradient; the default), hessian, epoch, train, predict", LIST(what, operations),
     .commands = FOR_BENCH, .heading = HEADING_BENCH},
    {"repeat", 0, "N", "samples of each row (default: as --seconds says)", COUNT(repeat, 1, 1000), .commands = FOR_BENCH,
     .heading = HEADING_BENCH},
    {"seconds", 0, "S", "take samples of each row for S seconds, five at least", REAL(seconds, 0, 3600), .commands = FOR_BENCH,
     .heading = HEADING_BENCH, .show_default = true},
    {"device", 0, "SEL", "number from `setosa devices`, part of a name, cpu or gpu; repeatable (default: all)", LIST(devices, NULL),
     .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"backends", 0, "A,B,...", "native, clblast, blas, reference (default: all; reference only where it is quick)",
     LIST(backends, contenders), .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"storage", 0, "A,B,...", "native with the features held as f32 (the default), f16, u8", LIST(storages, storages),
     .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"csv", 0, "FILE", "write the rows here too", TEXT(csv), .commands = FOR_BENCH, .heading = HEADING_RESULT},
    {"compare", 0, "BASELINE", "print the change since BASELINE, kept from --json", TEXT(compare), .commands = FOR_BENCH,
     .heading = HEADING_RESULT},
    /* one example */
    {"x", 0, "X1,X2,...", "the features of the example", TEXT(x), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"classes", 0, "A,B,...", "names of the classes", TEXT(classes), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"label", 0, "CLASS", "with --x: the true class, by name or number; with MODEL DATA: the label column", TEXT(label),
     .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"weights", 0, "W;W;...", "one group of weights per class, as in 0.1,0.1;0.5,0.5", TEXT(weights), .commands = FOR_EXPLAIN,
     .heading = HEADING_EXAMPLE},
    {"bias", 0, "B1,B2,...", "one bias per class (default: none)", TEXT(bias), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"row", 0, "N", "with MODEL DATA: the row to explain, from 1", COUNT(row, 1, any_count), .commands = FOR_EXPLAIN,
     .heading = HEADING_EXAMPLE},
    /* results */
    {"model", 'm', "FILE", "write the model here (safetensors)", TEXT(model), .commands = FOR_TRAIN, .heading = HEADING_RESULT},
    {"log", 0, "FILE", "write one JSON line per iteration", TEXT(log), .commands = FOR_TRAIN, .heading = HEADING_RESULT},
    {"checkpoint", 0, "FILE", "keep the state of the training here, so that nothing is lost; the one before it stays as FILE.previous",
     TEXT(checkpoint), .commands = FOR_TRAIN, .heading = HEADING_RESULT},
    {"every", 0, "SECONDS|Nit",
     "how often the checkpoint is written: seconds, or as in 10it iterations (sgd, adam: mini-batches) (default 60)", TEXT(every),
     .commands = FOR_TRAIN, .heading = HEADING_RESULT},
    {"resume", 0, "FILE", "go on from this checkpoint, with its DATA and options, to the weights of an unbroken run", TEXT(resume),
     .commands = FOR_TRAIN, .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the CSV here, whole or not at all (default: stdout)", TEXT(output), .commands = FOR_PREDICT,
     .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the data here: .npy, .csv or .tsv, each also .gz", TEXT(output), .commands = FOR_GENERATE,
     .heading = HEADING_RESULT},
    {"labels", 0, "FILE", "with .npy: write the labels here (default: X.npy has X-labels.npy)", TEXT(labels), .commands = FOR_GENERATE,
     .heading = HEADING_RESULT},
    {"top-k", 0, "N", "only the N most probable classes of each row: class_1,probability_1,...", COUNT(top_k, 1, any_count),
     .commands = FOR_PREDICT, .heading = HEADING_RESULT},
    {"dry-run", 0, NULL, "say what would lie where and how long it would take, and stop there", FLAG(dry_run), .commands = FOR_COMPUTE,
     .heading = HEADING_RESULT},
    {"json", 0, NULL, "one JSON document on stdout instead of text", FLAG(json), .commands = FOR_ALL & ~(FOR_PREDICT | FOR_CACHE),
     .heading = HEADING_RESULT},
    {"quiet", 'q', NULL, "no progress, warnings or hints", FLAG(quiet), .commands = FOR_ALL, .heading = HEADING_RESULT},
    {"verbose", 'v', NULL, "say more on stderr: device, loading speed, build time", FLAG(verbose), .commands = FOR_ALL,
     .heading = HEADING_RESULT},
    {"color", 0, "WHEN", "colours: auto, always or never; auto heeds NO_COLOR", CHOICE(color, colors), .commands = FOR_ALL,
     .heading = HEADING_RESULT, .show_default = true},
    {"help", 'h', NULL, "this text", FLAG(help), .commands = FOR_ALL, .heading = HEADING_RESULT},
    /* named in the interface, not part of this version */
    {"l1", 0, "LAMBDA", NULL, .kind = OPTION_LATER, .commands = FOR_TRAIN | FOR_CHECK},
};

_Static_assert(sizeof specs / sizeof specs[0] <= OPTIONS_SPECS, "raise OPTIONS_SPECS");

const OptionSpec *option_specs(size_t *count) {
  *count = sizeof specs / sizeof specs[0];
  return specs;
}
