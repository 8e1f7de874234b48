/* The table of the program's own options. */
#include <math.h>

#include "base/names.h"
#include "cli/options/options.h"

#define PLACE(member) .field = #member, .offset = offsetof(Options, member)
#define FLAG(member) .kind = OPTION_FLAG, PLACE(member)
#define TEXT(member) .kind = OPTION_TEXT, PLACE(member)
#define FILE_OPTION(how, member) .kind = OPTION_TEXT, PLACE(member), .path = how
#define COUNT_FROM(low, member) .kind = OPTION_COUNT, PLACE(member), .least = low, .most = INFINITY
#define REAL(member, low, high) .kind = OPTION_REAL, PLACE(member), .least = low, .most = high
#define SUMMARY_OPTION .class = OPTION_AROUND, .commands = FOR_SUMMARY | FOR_TRAIN, .heading = HEADING_SUMMARY
#define LIST(member, names) .kind = OPTION_LIST, PLACE(member), .choices = names

static const char *const colors[] = {"auto", "always", "never", NULL}; /* as ColorMode */

static const OptionRow rows[] = {
    /* data */
    {"test", 0, "DATA", "evaluate on DATA after training, scaled and named like the training data", FILE_OPTION(PATH_DATA, test),
     .class = OPTION_AROUND, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"test-labels", 0, "FILE", "file with the labels of the test data, as --labels", FILE_OPTION(PATH_READ, test_labels),
     .class = OPTION_AROUND, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"calibrate", 0, "DATA",
     "find the temperature at which the probabilities of DATA, which are not trained on, are right; the model keeps it",
     FILE_OPTION(PATH_DATA, calibrate), .class = OPTION_AROUND, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"calibrate-validation", 0, NULL, "find it with the rows that --validation holds out", FLAG(calibrate_validation),
     .class = OPTION_AROUND, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"missing", 0, "HOW",
     "rows that lack a value: drop leaves them out (of predict: without prediction), mean puts in the mean of the training rows (of names: "
     "none), error stops (default: as in the training)",
     DATA_OPTION(OPTION_CHOICE, missing), .choices = missing_names, .commands = FOR_MODEL_USE, .heading = HEADING_DATA},
    {"unseen", 0, "HOW", "a name that the training rows did not have: zero (none of the names), or error (default: as in the training)",
     DATA_OPTION(OPTION_CHOICE, unseen), .choices = unseen_names, .commands = FOR_MODEL_USE, .heading = HEADING_DATA},
    {"validation", 0, "FRACTION", "hold this part of the rows out of the training, chosen by --seed, and report on it",
     REAL(validation, 0, 1), .may_be_unset = true, .open_least = true, .open_most = true, .commands = FOR_TRAIN, .heading = HEADING_DATA},
    {"standardize", 0, NULL, "shift and scale every feature to mean 0, deviation 1; the model remembers how", FLAG(standardize),
     .commands = FOR_FIT | FOR_BENCH, .heading = HEADING_DATA},
    /* training */
    {"start", 0, "MODEL", "begin with the weights of this model; features and classes are found by name, what it lacks starts at 0",
     FILE_OPTION(PATH_READ, start), .class = OPTION_RUN, .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"strict", 0, NULL, "exit with 5 when the training has not converged", FLAG(strict), .class = OPTION_AROUND, .commands = FOR_FIT,
     .heading = HEADING_RESULT},
    /* cross-validation */
    {"folds", 0, "N", "hold out each of N parts of the rows in turn, every one with its share of each class", .kind = OPTION_COUNT,
     PLACE(folds), .least = 2, .most = 1000, .commands = FOR_CV, .heading = HEADING_TRAINING, .show_default = true},
    {"l2-path", 0, "LEAST:MOST:COUNT",
     "penalties to compare: COUNT values from LEAST to MOST, evenly spaced by their logarithms, or one alone (default 1e-6:1:20; with "
     "--l1-ratio 20 below the one that leaves no weights)",
     TEXT(l2_path), .commands = FOR_CV, .heading = HEADING_TRAINING},
    {"l1-ratio", 0, "R", "elastic net: of each penalty LAMBDA, R goes to L1 and the rest to L2", REAL(l1_ratio, 0, 1), .commands = FOR_CV,
     .heading = HEADING_TRAINING, .show_default = true},
    {"gap", 0, "E", "newton, lbfgs: a model is done only when F is about E times itself above its optimum (default 1e-9)",
     TRAIN_OPTION(OPTION_REAL, gap), .least = 0, .most = INFINITY, .class = OPTION_STOPS, .solvers = WITH_CURVATURE, .commands = FOR_CV,
     .heading = HEADING_TRAINING},
    {"choose", 0, "WHICH", "which penalty --model has: min, of the least loss, or 1se, the largest within one standard error of it",
     .kind = OPTION_CHOICE, PLACE(choose), .choices = cv_choice_names, .class = OPTION_AROUND, .commands = FOR_CV,
     .heading = HEADING_RESULT, .show_default = true},
    /* summary */
    {"summary", 0, NULL, "standard errors, tests and intervals of the coefficients, too: what setosa summary prints", FLAG(summarize),
     .class = OPTION_AROUND, .commands = FOR_TRAIN, .heading = HEADING_SUMMARY},
    {"base", 0, "CLASS", "compare the other classes with this one (default: the first)", TEXT(summary.base), SUMMARY_OPTION},
    {"base-level", 0, "COLUMN=LEVEL",
     "compare the other levels of a column of names with this one; repeatable (default: the first of each)", TEXT(summary.base_levels),
     .joins = true, SUMMARY_OPTION},
    {"confidence", 0, "C", "of the intervals", REAL(summary.confidence, 0, 1), .open_least = true, .open_most = true, .show_default = true,
     SUMMARY_OPTION},
    {"odds", 0, NULL, "show exp(coefficient), the relative risk ratios, and their intervals", FLAG(odds), SUMMARY_OPTION},
    {"robust", 0, NULL, "standard errors that hold although the model is wrong (the sandwich, HC0)", FLAG(summary.robust), SUMMARY_OPTION},
    {"effects", 0, NULL, "average marginal effects on the probability of each class, too", FLAG(summary.effects), SUMMARY_OPTION},
    {"weights-are", 0, "WHAT",
     "count (a row of weight 3 is three rows) or sampling (it stands for others; standard errors are then robust)", .kind = OPTION_CHOICE,
     PLACE(summary.weights_are), .choices = weights_are_names, .show_default = true, SUMMARY_OPTION},
    /* where */
    {"device", 0, "SEL",
     "number from `setosa devices`, part of a name, cpu, gpu or all; SEL/N cuts a device into N; repeatable, the rows are shared "
     "(default: a GPU before a CPU)",
     LIST(devices, NULL), .class = OPTION_AROUND, .backends = WITH_DEVICE, .commands = FOR_FIT, .heading = HEADING_DEVICE},
    {"device", 0, "SEL", "number from `setosa devices`, part of a name, cpu or gpu (default: a GPU before a CPU)", LIST(devices, NULL),
     .class = OPTION_AROUND, .backends = WITH_DEVICE, .commands = FOR_EVAL | FOR_PREDICT | FOR_CHECK, .heading = HEADING_DEVICE},
    {"backend", 0, "NAME", "what is checked: native (the default), clblast, blas, or reference, against finite differences",
     COMPUTE_OPTION(OPTION_CHOICE, backend), .choices = backend_names, .commands = FOR_CHECK, .heading = HEADING_DEVICE},
    {"force-device", 0, NULL, "use a device that was refused, at your own risk", FLAG(force_device), .class = OPTION_AROUND,
     .backends = WITH_DEVICE, .commands = FOR_COMPUTE | FOR_CHECK | FOR_BENCH, .heading = HEADING_DEVICE},
    {"wait-limit", 0, "SECONDS",
     "with mpirun: end the job when a process has been waited for so long (default: 60 for one that is stopped, else never)",
     REAL(wait_limit, 0, INFINITY), .open_least = true, .class = OPTION_RUN, .commands = FOR_FIT | FOR_SUMMARY, .heading = HEADING_DEVICE},
    {"check", 0, NULL, "run the self-test on every device and report", FLAG(check), .commands = FOR_DEVICES, .heading = HEADING_DEVICE},
    {"diagnose", 0, NULL, "explain what OpenCL finds here and how to repair what is missing", FLAG(diagnose), .commands = FOR_DEVICES,
     .heading = HEADING_DEVICE},
    /* bench */
    {"suite", 0, NULL, "the ten works W1 to W6 and S1 to S4 (above) instead of DATA", FLAG(suite), .commands = FOR_BENCH,
     .heading = HEADING_DATA},
    {"work", 0, "W1,S4,...", "only these works of the suite", TEXT(work), .commands = FOR_BENCH, .heading = HEADING_DATA},
    {"fashion", 0, "PATH", "folder or images file of Fashion-MNIST for W1 (default: Debian's, else made-up data)",
     FILE_OPTION(PATH_DATA, fashion), .commands = FOR_BENCH, .heading = HEADING_DATA},
    {"what", 0, "A,B,...", "step (loss and gradient; the default), hessian, epoch, train, predict", LIST(what, bench_what_names),
     .commands = FOR_BENCH, .heading = HEADING_BENCH},
    {"repeat", 0, "N", "samples of each row (default: as --seconds says)", .kind = OPTION_COUNT, PLACE(repeat), .least = 1, .most = 1000,
     .commands = FOR_BENCH, .heading = HEADING_BENCH},
    {"seconds", 0, "S", "take samples of each row for S seconds, five at least", REAL(seconds, 0, 3600), .commands = FOR_BENCH,
     .heading = HEADING_BENCH, .show_default = true},
    {"device", 0, "SEL", "number from `setosa devices`, part of a name, cpu or gpu; repeatable (default: all)", LIST(devices, NULL),
     .class = OPTION_AROUND, .backends = WITH_DEVICE, .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"backends", 0, "A,B,...", "native, clblast, blas, reference (default: all; reference only where it is quick)",
     LIST(backends, backend_names), .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"storage", 0, "A,B,...", "native with the features held as f32 (the default), f16, u8", LIST(storages, storage_names),
     .commands = FOR_BENCH, .heading = HEADING_DEVICE},
    {"csv", 0, "FILE", "write the rows here too", FILE_OPTION(PATH_WRITTEN, csv), .commands = FOR_BENCH, .heading = HEADING_RESULT},
    {"csv", 0, NULL, "a CSV on stdout: what, class, term, value, standard_error, z, p, low, high", FLAG(as_csv), .commands = FOR_SUMMARY,
     .heading = HEADING_RESULT},
    {"plot", 0, "FILE.svg", "draw a picture: a roofline with the rows, and each work beside its limit", FILE_OPTION(PATH_WRITTEN, plot),
     .commands = FOR_BENCH, .heading = HEADING_RESULT},
    {"compare", 0, "BASELINE", "print the change since BASELINE, kept from --json", FILE_OPTION(PATH_READ, compare), .commands = FOR_BENCH,
     .heading = HEADING_RESULT},
    /* one example */
    {"x", 0, "X1,X2,...", "the features of the example", TEXT(x), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"classes", 0, "A,B,...", "names of the classes", TEXT(classes), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"label", 0, "CLASS", "with --x: the true class, by name or number; with MODEL DATA: the label column", DATA_OPTION(OPTION_TEXT, label),
     .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"weights", 0, "W;W;...", "one group of weights per class, as in 0.1,0.1;0.5,0.5", TEXT(weights), .commands = FOR_EXPLAIN,
     .heading = HEADING_EXAMPLE},
    {"bias", 0, "B1,B2,...", "one bias per class (default: none)", TEXT(bias), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    {"row", 0, "N", "with MODEL DATA: the row to explain, from 1", COUNT_FROM(1, row), .commands = FOR_EXPLAIN, .heading = HEADING_EXAMPLE},
    /* results */
    {"model", 'm', "FILE", "write the model here (safetensors)", FILE_OPTION(PATH_WRITTEN, model), .class = OPTION_AROUND,
     .continues = "start", .commands = FOR_FIT, .heading = HEADING_RESULT},
    {"report", 0, "FILE.html", "write a page about it here, with pictures: one file that any browser shows",
     FILE_OPTION(PATH_WRITTEN, report), .class = OPTION_AROUND, .commands = FOR_FIT | FOR_EVAL | FOR_SUMMARY, .heading = HEADING_RESULT},
    {"log", 0, "FILE", "write one JSON line per iteration", FILE_OPTION(PATH_APPENDED, log), .class = OPTION_AROUND, .commands = FOR_FIT,
     .heading = HEADING_RESULT},
    {"every", 0, "SECONDS|Nit",
     "how often the checkpoint is written: seconds, or as in 10it iterations (sgd, adam: mini-batches) (default 60)", TEXT(every),
     .class = OPTION_AROUND, .commands = FOR_FIT, .heading = HEADING_RESULT},
    {"resume", 0, "FILE", "go on from this checkpoint, with its DATA and options, to the weights of an unbroken run",
     FILE_OPTION(PATH_READ, resume), .beside = ".previous", .class = OPTION_RUN, .commands = FOR_FIT, .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the CSV here, whole or not at all (default: stdout)", FILE_OPTION(PATH_WRITTEN, output),
     .commands = FOR_PREDICT, .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the data here: .npy, .csv or .tsv, each also .gz", FILE_OPTION(PATH_WRITTEN, output),
     .commands = FOR_GENERATE, .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the model here: .onnx, .h, .json or .csv", FILE_OPTION(PATH_WRITTEN, output), .commands = FOR_EXPORT,
     .heading = HEADING_RESULT},
    {"quantize", 0, "HOW", ".h: int8 keeps weights in 8 bits, and tells what that costs", .kind = OPTION_CHOICE, PLACE(quantize),
     .choices = quantize_names, .commands = FOR_EXPORT, .heading = HEADING_RESULT, .show_default = true},
    {"data", 0, "DATA", ".h: take test vectors from DATA, and measure int8 on it (default: made-up rows)", FILE_OPTION(PATH_DATA, sample),
     .commands = FOR_EXPORT, .heading = HEADING_DATA},
    {"name", 0, "NAME", ".h: what its names begin with (default: the name of FILE)", TEXT(name), .commands = FOR_EXPORT,
     .heading = HEADING_RESULT},
    {"single", 0, NULL, ".onnx: add up in 32 bits, for runtimes without 64; half the size, and probabilities are less exact", FLAG(single),
     .commands = FOR_EXPORT, .heading = HEADING_RESULT},
    {"output", 'o', "FILE", "write the model here (safetensors)", FILE_OPTION(PATH_WRITTEN, output), .commands = FOR_IMPORT,
     .heading = HEADING_RESULT},
    {"labels", 0, "FILE", "with .npy: write the labels here (default: X.npy has X-labels.npy)", DATA_OPTION(OPTION_TEXT, labels_path),
     .path = PATH_WRITTEN, .commands = FOR_GENERATE, .heading = HEADING_RESULT},
    {"top-k", 0, "N", "only the N most probable classes of each row: class_1,probability_1,...", COUNT_FROM(1, top_k),
     .commands = FOR_PREDICT, .heading = HEADING_RESULT},
    {"dry-run", 0, NULL, "say what would lie where and how long it would take, and stop there", FLAG(dry_run), .class = OPTION_RUN,
     .commands = FOR_COMPUTE & ~FOR_CV, .heading = HEADING_RESULT},
    {"json", 0, NULL, "one JSON document on stdout instead of text", FLAG(json), .class = OPTION_RUN,
     .commands = FOR_ALL & ~(FOR_PREDICT | FOR_CACHE), .heading = HEADING_RESULT},
    {"quiet", 'q', NULL, "no progress, warnings or hints", FLAG(quiet), .class = OPTION_RUN, .commands = FOR_ALL,
     .heading = HEADING_RESULT},
    {"verbose", 'v', NULL, "say more on stderr: device, loading speed, build time", FLAG(verbose), .class = OPTION_RUN, .commands = FOR_ALL,
     .heading = HEADING_RESULT},
    {"color", 0, "WHEN", "colours: auto, always or never; auto heeds NO_COLOR", .kind = OPTION_CHOICE, PLACE(color), .choices = colors,
     .class = OPTION_RUN, .commands = FOR_ALL, .heading = HEADING_RESULT, .show_default = true},
    {"help", 'h', NULL, "this text", FLAG(help), .class = OPTION_RUN, .commands = FOR_ALL, .heading = HEADING_RESULT},
};

const OptionRow *option_program_table(size_t *count) {
  *count = sizeof rows / sizeof *rows;
  return rows;
}
