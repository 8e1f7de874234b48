"""The table, the JSON and the CSV of a run. Standard library only."""

import csv
import json

COLUMNS = (
    "work", "peer", "version", "status", "median_ms", "min_ms", "max_ms", "repeats", "first_call_ms", "gflops", "part_of_limit",
    "seconds", "iterations", "objective", "gradient_max", "loss_error", "gradient_error", "tolerance", "peak_bytes", "solver", "device", "reason",
)  # fmt: skip


def mark_disagreement(rows):
    """At full size nobody recomputes in float64, but all peers saw the same data: a loss away from the middle one is wrong."""
    for work in {row["work"] for row in rows}:
        same = [row for row in rows if row["work"] == work and row["status"] == "ok" and "loss" in row]
        if len(same) < 3:
            continue
        middle = sorted(row["loss"] for row in same)[len(same) // 2]
        for row in same:
            if not abs(row["loss"] - middle) <= 1e-4 * abs(middle):
                row.update(status="failed", reason=f"wrong: loss {row['loss']:.6g} on all rows, the others have {middle:.6g}")


def aligned(lines, right):
    """Columns of equal width; the columns in `right` are numbers."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(cell.rjust(width) if i in right else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths))).rstrip()


def step_table(work, rows):
    timed = sorted((row for row in rows if row["status"] == "ok"), key=lambda row: row["median_ms"])
    lines = [("", "median ms", "min", "max", "GFLOP/s", "times the fastest", "error")]
    for row in timed:
        lines.append(
            (
                row["version"],
                f"{row['median_ms']:.2f}",
                f"{row['min_ms']:.2f}",
                f"{row['max_ms']:.2f}",
                f"{work.flops() / row['median_ms'] / 1e6:.1f}",
                f"{row['median_ms'] / timed[0]['median_ms']:.2f}",
                f"{row['gradient_error']:.0e}" if isinstance(row.get("gradient_error"), float) else "-",
            )
        )
    return lines


def fit_table(rows):
    done = sorted((row for row in rows if row["status"] == "ok"), key=lambda row: row["seconds"])
    best = min((row["objective"] for row in done), default=0.0)
    lines = [("", "seconds", "iterations", "objective", "above the best", "|gradient|", "times the fastest")]
    for row in done:
        lines.append(
            (
                row["version"] + (" + SciPy" if row.get("solver", "").startswith("SciPy") else ""),
                f"{row['seconds']:.2f}",
                str(row["iterations"]) if row["iterations"] >= 0 else "-",
                f"{row['objective']:.8f}",
                f"{row['objective'] - best:.1e}",
                f"{row['gradient_max']:.0e}",
                f"{row['seconds'] / done[0]['seconds']:.2f}",
            )
        )
    return lines


def table(works, rows):
    """The whole report as text."""
    text = []
    for work in works:
        mine = [row for row in rows if row["work"] == work.name]
        text += ["", f"{work.name} {work.title}: {work.rows} x {work.features}, K = {work.classes}"]
        lines = step_table(work, mine) if work.kind == "step" else fit_table(mine)
        text += [f"  {line}" for line in aligned(lines, range(1, len(lines[0])))]
        text += [f"  {row['status'].upper():8}{row['peer']}: {row.get('reason', 'no reason given')}" for row in mine if row["status"] != "ok"]
    return "\n".join(text).lstrip("\n")


def write(path, about, rows):
    """path.json and path.csv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps({**about, "results": rows}, indent=1) + "\n")
    with open(path.with_suffix(".csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
