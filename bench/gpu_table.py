#!/usr/bin/env python3
"""What bench/gpu.sh measured beside what bench/gpu_static had estimated: a table, which also goes into the results. Standard library.

usage: gpu_table.py RESULTS.json [BASELINE.json]

part: of the limit. The estimated one is of the nominal peaks of the card that was estimated, the measured one of the peaks measured beside it.
"""

import json
import os
import sys

# The objective of Fashion-MNIST with the penalty of gpu.sh, 1/60000, computed in double precision (norm of the gradient 2e-10).
FASHION_OPTIMUM = 0.3498928046


def read(path):
    with open(path) as file:
        return json.load(file)


def estimates_of(baseline, arch):
    """(work, operation, storage) -> {"seconds", "part"}."""
    found = {}
    for work, entries in baseline.get(arch, {}).get("works", {}).items():
        for name, values in entries.items():
            *what, storage = name.split()
            found[work, what[0] if what else "step", storage] = values
    return found


def measured_rows(outputs):
    """Rows of the suite, the first measurement of each; with --tune full as another one."""
    for step in ("bench-gpu", "bench-gpu-sparse", "bench-gpu-small", "bench-gpu-full"):
        for row in outputs.get(step, {}).get("results", []):
            yield step, row


def torch_ms(outputs, work):
    return outputs.get(f"torch-{work}", {}).get("median_ms")


def compare(results, baseline, arch):
    estimates, rows = estimates_of(baseline, arch), []
    for step, row in measured_rows(results["outputs"]):
        expected = estimates.get((row["work"], row["what"], row["storage"]), {})
        measured = row["status"] == "ok"
        rows.append(
            {
                "step": step,
                "work": row["work"],
                "what": row["what"],
                "storage": row["storage"],
                "status": row["status"],
                "reason": row.get("reason", ""),
                "estimated_ms": 1e3 * expected["seconds"] if "seconds" in expected else None,
                "estimated_part": expected.get("part"),
                "ms": row["median_ms"] if measured else None,
                "part": row["part_of_limit"] if measured else None,
                "torch_ms": torch_ms(results["outputs"], row["work"]) if row["what"] == "step" else None,
            }
        )
    return rows


def number(value, form):
    return "-" if value is None else format(value, form)


def ratio(above, below):
    return above / below if above is not None and below else None


def table(rows):
    yield ("work", "operation", "storage", "estimated ms", "ms", "estimated part", "part", "ratio", "PyTorch ms", "x", "")
    for row in rows:
        yield (
            row["work"],
            row["what"],
            row["storage"],
            number(row["estimated_ms"], ".3f"),
            number(row["ms"], ".3f"),
            number(row["estimated_part"], ".2f"),
            number(row["part"], ".2f"),
            number(ratio(row["part"], row["estimated_part"]), ".2f"),
            number(row["torch_ms"], ".3f"),
            number(ratio(row["torch_ms"], row["ms"]), ".2f"),
            " ".join(word for word in ("tuned in full" if row["step"] == "bench-gpu-full" else "", row["reason"]) if word),
        )


def aligned(lines):
    lines = list(lines)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(cell.ljust(width) if i < 3 or i > 9 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))).rstrip()


def fashion(outputs):
    """How near the optimum the training came, in words; "" where there was none."""
    trained = outputs.get("train-fashion")
    if not trained:
        return ""
    above = trained["objective"] / FASHION_OPTIMUM - 1
    return (
        f"Fashion-MNIST: objective {trained['objective']:.9g}, {above:.1e} of itself above the optimum "
        f"({'within' if above <= 1e-6 else 'NOT within'} 1e-6), {trained['iterations']} iterations in {trained['seconds']['train']:.2f} s"
    )


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    results = read(sys.argv[1])
    baseline, arch = {}, "sm_90"
    if len(sys.argv) == 3 and os.path.exists(sys.argv[2]):
        baseline = read(sys.argv[2])
    else:
        print(f"no estimates: {sys.argv[2] if len(sys.argv) == 3 else 'a baseline'} is not there; bench/gpu_static/run --update writes it")
    rows = compare(results, baseline, arch)
    print("\n".join(aligned(table(rows))))
    print(fashion(results["outputs"]))
    results["compared"] = {"estimated_for": arch, "rows": rows}
    with open(sys.argv[1] + ".part", "w") as file:
        json.dump(results, file)
    os.replace(sys.argv[1] + ".part", sys.argv[1])


if __name__ == "__main__":
    main()
