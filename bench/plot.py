#!/usr/bin/env python3
"""Draws what `setosa bench --json` measured: a roofline with a point for every row, and bars for every work beside its limit.

    setosa bench --suite --json > run.json
    bench/plot.py run.json run.svg                       # or .png, .pdf; needs matplotlib
"""
import itertools
import json
import math
import sys

from matplotlib import pyplot, ticker

PANELS_A_LINE = 3


def label(row):
    device = "" if row["device_index"] is None else " %d" % row["device_index"]
    return row["backend"] + device + ("" if row["storage"] == "f32" else " " + row["storage"])


def device_name(limit):
    return limit["device"] if limit["device_index"] is None else "[%d] %s" % (limit["device_index"], limit["device"])


def plain_numbers(axis):
    """60 and not 6 x 10^1."""
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: "%g" % value))
    axis.set_minor_formatter(ticker.NullFormatter())


def draw_roofline(axis, limits, rows, colours):
    """Roofs are the best that a device did in this run, at the start or between the samples."""
    intensity = [row["gflops"] / row["gbytes_per_s"] for row in rows]
    xs = [min(intensity) / 3 * (max(intensity) / min(intensity) * 9) ** (i / 200) for i in range(201)]
    for limit, dashes in zip(limits, itertools.cycle(("-", "--", "-.", ":"))):
        own = [row for row in rows if row["device_index"] == limit["device_index"]]
        peak, read = (max([limit[key], *(row[key] for row in own)]) for key in ("fma_gflops", "read_gbytes_per_s"))
        axis.plot(xs, [min(peak, read * x) for x in xs], dashes, color="0.4", label="limit of " + device_name(limit))
    for row, x in zip(rows, intensity):
        axis.plot(x, row["gflops"], "o", color=colours[label(row)])
        axis.annotate(row["work"] + ("" if row["what"] == "step" else " " + row["what"]), (x, row["gflops"]), fontsize=7,
                      xytext=(5, 0), textcoords="offset points")
    devices = {label(row): row["device"] for row in rows}
    for name, colour in colours.items():
        axis.plot([], [], "o", color=colour, label="%s on %s" % (name, devices[name]))
    axis.set(xscale="log", yscale="log", xlabel="flops per byte of X", ylabel="GFLOP/s",
             title="Roofline: what the machine can do at most (lines) and what was reached")
    plain_numbers(axis.xaxis)
    plain_numbers(axis.yaxis)
    axis.grid(True, which="both", alpha=0.3)
    axis.legend(fontsize=8)


def draw_bars(axis, title, rows, colours):
    for place, row in enumerate(rows):
        axis.bar(place, row["median_ms"], 0.7, color=colours[label(row)])
        number = "%.0f" if row["median_ms"] >= 100 else "%.3g"
        axis.annotate(number % row["median_ms"], (place, max(row["median_ms"], row["limit_ms"])), ha="center", va="bottom", fontsize=8,
                      xytext=(0, 2), textcoords="offset points")
        axis.hlines(row["limit_ms"], place - 0.35, place + 0.35, color="black", linestyle="--")
    axis.set_xticks(range(len(rows)), [label(row) for row in rows], fontsize=8)
    axis.set_title(title + ": ms; dashed: the limit", fontsize=9)
    axis.margins(y=0.15)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    rows = [row for row in document["results"] if row["status"] == "ok"]
    if not rows:
        sys.exit("%s: nothing was measured, so there is nothing to draw" % sys.argv[1])
    colours = {name: "C%d" % (i % 10) for i, name in enumerate(dict.fromkeys(label(row) for row in rows))}
    groups = [(title, list(group)) for title, group in itertools.groupby(rows, lambda row: "%s\n%s" % (row["work"], row["what"]))]
    lines = math.ceil(len(groups) / PANELS_A_LINE)
    figure = pyplot.figure(figsize=(12, 5.6 + 3 * lines), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(5.6, 3 * lines))
    figure.suptitle("setosa %s on %s" % (document["version"], ", ".join(map(device_name, document["limits"]))))
    draw_roofline(top.subplots(), document["limits"], rows, colours)
    axes = bottom.subplots(lines, PANELS_A_LINE, squeeze=False).flatten()
    for axis, (title, group) in zip(axes, groups):
        draw_bars(axis, title, group, colours)
    for axis in axes[len(groups):]:
        axis.axis("off")
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
