#!/usr/bin/env python3
"""How far from the optimum after how many passes over the data: one training by each solver's work, beside its bound.

    bench/solvers.py FOLDER                        # makes data in FOLDER (about 350 MB, kept), trains by the defaults
    bench/solvers.py FOLDER --works P4,P5 --json run.json
    bench/solvers.py FOLDER -- --solver lbfgs --preconditioner kron     # what follows -- is given to every training

A row is reached when F came as near as its bounds say within them, and F of the last weights, in double, is within 1e-6. Exits with 1 when a row was missed. Needs NumPy.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here / "peers"))
NEAR = (1e-3, 1e-4, 1e-6, 1e-8)  # relative distances from the optimum
JUDGED = 1e-6
COUNTS = ("iterations", "passes", "seconds")
DIGITS = 3e-9  # an optimum is known to so much of itself: the data is f32, and F in the log a sum of f32


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    data: str  # a key of data_of
    options: tuple
    optimum: float
    bounds: tuple  # (distance, count, at most)


# Optima: in double, by solvers that share nothing with the program. The bounds are those of the design, or 1.5 times what its trials took.
WORKS = (
    Work("P1", "Fashion-MNIST, 1/60000", "fashion", ("--l2", "1.6666666666666667e-5"), 0.3498928046,
         ((1e-6, "passes", 90), (1e-6, "seconds", 4), (1e-8, "passes", 110))),
    Work("P1b", "Fashion-MNIST, 1e-4", "fashion", ("--l2", "1e-4"), 0.3794770769, ((1e-6, "passes", 60),)),
    Work("P2", "wine as it is, 0.01", "wine", ("--l2", "0.01"), 0.07895255326325702, ((1e-6, "iterations", 40),)),
    Work("P3", "iris, columns from 1e6 to 1e-3", "iris", ("--l2", "1e-4"), 0.08315620323457205, ((1e-6, "iterations", 80),)),
    Work("P4", "forest-cover-like, 1e-6", "forest", ("--l2", "1e-6"), 0.6380800209073004, ((1e-6, "passes", 36),)),
    Work("P5", "many classes, 1e-5", "many", ("--l2", "1e-5"), 0.08920872254374483, ((1e-6, "passes", 84),)),
    Work("P6", "text-like, dense, 1e-5", "text", ("--l2", "1e-5"), 0.6898298198439955, ((1e-6, "passes", 15),)),
    Work("L1", "20000 of Fashion-MNIST, l1 1e-4", "fashion-20000", ("--l1", "1e-4", "--l2", "0"), 0.41091640679960334,
         ((1e-6, "passes", 180),)),
)  # fmt: skip


def data_of(name, folder, fashion):
    """The words of a command line that name the data, which is made where it is not there."""
    import solver_data

    arrays = {
        "forest": (solver_data.forest_cover_like,),
        "many": (solver_data.many_classes,),
        "text": (solver_data.text_like,),
        "fashion-20000": (solver_data.fashion_sample, fashion),
    }
    if name in arrays:
        return [str(solver_data.write_arrays(folder / name, *arrays[name]))]
    if name == "iris":
        return [str(solver_data.write_scaled_iris(folder / "iris-scaled.csv", here.parent / "data/iris.csv"))]
    if name == "wine":
        return [str(here.parent / "data/wine.csv")]
    path = fashion / "train-images-idx3-ubyte"
    return [str(path if path.exists() else path.with_name(path.name + ".gz"))]


def rows_of(path):
    """(X, y) in double of the data that a command line names."""
    import numpy as np
    from data import read_idx

    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r"), np.load(path.with_name(path.stem + "-labels.npy"))
    if path.suffix == ".csv":
        lines = [line.split(",") for line in path.read_text(encoding="utf-8").split()[1:]]
        return np.array([line[:-1] for line in lines], float), np.unique([line[-1] for line in lines], return_inverse=True)[1]
    name = path.name.removesuffix(".gz")
    images, labels = (read_idx(path.with_name(file)) for file in (name, name.replace("images-idx3", "labels-idx1")))
    return images.reshape(len(labels), -1) / 255.0, labels


def exact_objective(path, model, penalties):
    """F in double of a model on its rows: that of the log is made of sums in f32, and cannot judge its last digits."""
    import numpy as np
    import truth
    from model_file import read_safetensors

    tensors = read_safetensors(model)
    X, y = rows_of(path)
    value, _, _ = truth.objective(X, y, tensors["weights"], tensors["bias"], float(penalties.get("--l2", 0)))
    return float(value + float(penalties.get("--l1", 0)) * np.abs(tensors["weights"].astype(float)).sum())


def train(program, words, log, seconds):
    """(document of --json, lines of the log); raises RuntimeError with the reason."""
    command = [program, "train", *words, "--json", "--quiet", "--log", str(log)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError("not done after %g s (--timeout)" % seconds) from None
    if done.returncode != 0:
        raise RuntimeError("exit %d: %s" % (done.returncode, (done.stderr.strip().splitlines() or ["nothing said"])[0]))
    with open(log, encoding="utf-8") as file:
        return json.loads(done.stdout), [json.loads(line) for line in file]


def reached_at(lines, optimum):
    """{distance: {iterations, passes, seconds} of the first line that near, or None}"""
    found = {}
    for near in NEAR:
        line = next((line for line in lines if line["objective"] is not None and line["objective"] <= optimum * (1 + near + DIGITS)), None)
        found[near] = line and {"iterations": line["iteration"], "passes": line["passes"], "seconds": line["seconds"]}
    return found


def median_of(runs):
    """Medians of what the repetitions took; None where one of them did not get there."""
    return {
        near: None if any(run[near] is None for run in runs) else {count: statistics.median(run[near][count] for run in runs) for count in COUNTS}
        for near in NEAR
    }


def judge(bounds, at):
    """[(sentence, held)]"""
    verdicts = []
    for near, count, most in bounds:
        got = at[near] and at[near][count]
        verdicts.append(("%g %s to %g, at most %g" % (got, count, near, most) if at[near] else "%g not reached" % near, bool(at[near]) and got <= most))
    return verdicts


def measure(work, options):
    """A row of the result, whatever happens."""
    row = {"work": work.name, "title": work.title, "optimum": work.optimum, "reached": False}
    log, model = options.scratch / "log.jsonl", options.scratch / "model.safetensors"
    try:
        words = data_of(work.data, options.folder, options.fashion) + [*work.options, *options.more]
        train(options.setosa, [*words, "--max-iterations", "1"], log, options.timeout)  # builds and tunes kernels, which are kept
        done = [train(options.setosa, [*words, "--model", str(model)], log, options.timeout) for _ in range(options.repeat)]
        exact = exact_objective(pathlib.Path(words[0]), model, dict(zip(work.options[::2], work.options[1::2])))
    except (RuntimeError, OSError, ValueError) as error:
        return {**row, "reason": str(error)}
    document = done[-1][0]
    at = median_of([reached_at(lines, work.optimum) for _, lines in done])
    verdicts = judge(work.bounds, at)
    verdicts.append(("F in double %.1e above the optimum at the end, at most %g" % (exact / work.optimum - 1, JUDGED), exact <= work.optimum * (1 + JUDGED)))
    row.update({key: document.get(key) for key in ("solver", "preconditioner", "choice", "stop_reason", "objective", "gap", "gap_kind", "nonzeros")})
    row.update(end={count: document[count] for count in ("iterations", "passes")}, above=exact / work.optimum - 1)
    row.update(at={"%g" % near: value for near, value in at.items()}, bounds=verdicts, reached=all(held for _, held in verdicts))
    row["hashes"] = sorted({document["weights_hash"] for document, _ in done})
    return row


def cell(at):
    return "-" if at is None else "%d / %.1f / %.2f" % (at["iterations"], at["passes"], at["seconds"])


def show(row):
    """The lines of a work, printed as soon as it is done."""
    print("%-4s %-34s %s" % (row["work"], row["title"], "reached" if row["reached"] else "MISSED"))
    if "reason" in row:
        return print("     %s" % row["reason"])
    print("     %s" % "   ".join("%s: %s" % (near, cell(at)) for near, at in row["at"].items()))
    print("     %s" % "; ".join(sentence + ("" if held else " (missed)") for sentence, held in row["bounds"]))
    solver = row["solver"] + (" + " + row["preconditioner"] if row["preconditioner"] not in (None, "none") else "")
    print("     %s, %s after %d iterations" % (solver, row["stop_reason"], row["end"]["iterations"]))
    return None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="for the data that is made")
    parser.add_argument("--works", help="comma-separated, of %s (default: all)" % ", ".join(work.name for work in WORKS))
    parser.add_argument("--repeat", type=int, default=1, help="trainings of each, of which medians are taken (default 1)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one training (default 120)")
    parser.add_argument("--setosa", default=str(here.parent / "build/release/setosa"), help="the program")
    parser.add_argument("--fashion", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"), help="folder of its IDX files")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes all of it to FILE")
    arguments = sys.argv[1:]
    more = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    options = parser.parse_args(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    options.more = more
    known = {work.name: work for work in WORKS}
    names = options.works.split(",") if options.works else list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error("no work is called '%s'; choose from %s" % (unknown[0], ", ".join(known)))
    options.chosen = [known[name] for name in names]
    return options


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("iterations / passes / seconds until F is within 1e-3, 1e-4, 1e-6 and 1e-8 of its optimum")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        options.scratch = pathlib.Path(scratch)
        for work in options.chosen:
            rows.append(measure(work, options))
            show(rows[-1])
            sys.stdout.flush()
    missed = [row["work"] for row in rows if not row["reached"]]
    print("%d of %d reached%s" % (len(rows) - len(missed), len(rows), "; missed: " + ", ".join(missed) if missed else ""))
    if options.json:
        about = {"date": time.strftime("%Y-%m-%d"), "options": options.more, "results": rows}
        options.json.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
