#!/usr/bin/env python3
"""How time and memory grow with the work: runs setosa on sizes that double, and fits time ~ size^exponent.

    bench/scaling.py rows --to 1600000
    bench/scaling.py classes --from 4 --to 1024 --what step,predict --json growth.json --plot growth.svg
    bench/scaling.py devices --device 0 --device 1       # trains on the first, then on both
    bench/scaling.py ranks --to 4 --mpirun "mpirun --bind-to core"

rows, features, classes: one dimension of made-up data doubles, and `setosa bench` times each size, verified. devices, ranks: the work stays,
and `setosa train` shares it among one, two, three, ... of them. Python 3.8; --plot needs matplotlib.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys

SHAPES = {  # the other dimensions, and the first and last size: small enough to be quick, large enough not to time launches alone
    "rows": ({"features": 32, "classes": 4}, 12500, 1600000),
    "features": ({"rows": 20000, "classes": 10}, 16, 1024),
    "classes": ({"rows": 8192, "features": 256}, 4, 1024),
    "devices": ({"rows": 400000, "features": 100, "classes": 10}, 1, 64),
    "ranks": ({"rows": 400000, "features": 100, "classes": 10}, 1, 2),
}
LAUNCHES = 10  # a time counts for the exponent when it is at least so many empty launches; what is shorter measures launches
HOST_LAUNCH_US = 20  # what backends of the host have instead: waking their threads


def fit(sizes, values):
    """Slope of log(value) over log(size) by least squares, and its standard error; None with less than 2 (3) sizes."""
    if len(set(sizes)) < 2:
        return None, None
    x, y = [math.log(s) for s in sizes], [math.log(v) for v in values]
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    xx = sum((a - mean_x) ** 2 for a in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / xx
    if len(sizes) < 3:
        return slope, None
    residuals = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y))
    return slope, math.sqrt(residuals / (len(sizes) - 2) / xx)


def run(program, arguments):
    """The JSON document of one call; its warnings and errors go to the terminal."""
    done = subprocess.run([*program, *arguments, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 130 or not done.stdout:
        sys.exit(done.returncode or 1)
    return json.loads(done.stdout)  # rows that failed are in it


def spec(shape):
    return "synthetic:" + ",".join("%s=%d" % item for item in shape.items())


def grow(options, shape, first, last, rest):
    """[(label, launch_us, [point])]: a line for each row of `setosa bench`."""
    lines, size = {}, first
    while size <= last:
        document = run([options.setosa], ["bench", spec({**shape, options.grows: size}), *rest])
        launches = {limit["device_index"]: limit["launch_us"] or HOST_LAUNCH_US for limit in document["limits"]}
        for result in document["results"]:
            words = [result["backend"], result["what"], "" if result["storage"] == "f32" else result["storage"], "on " + result["device"]]
            if result["device_index"] is not None:
                words[-1] += " [%d]" % result["device_index"]
            _, points = lines.setdefault(" ".join(w for w in words if w), (launches.get(result["device_index"], HOST_LAUNCH_US), []))
            keys = ("status", "reason", "median_ms", "min_ms", "max_ms", "device_bytes", "part_of_limit")
            points.append({"size": size, **{key: result[key] for key in keys}})
        print("%s %d: done" % (options.grows, size), file=sys.stderr)
        size *= 2
    return [(label, launch, points) for label, (launch, points) in lines.items()]


def share(options, shape, first, last, rest):
    """One line: the time of an iteration of L-BFGS on 1, 2, ... devices or ranks. The weights must not depend on how many there are."""
    points, hashes = [], set()
    if options.grows == "devices":
        last = min(last, len(options.device))
    if last <= first:
        sys.exit("scaling.py: growth by %s needs two; give --to N, or --device SEL twice and more" % options.grows)
    for size in [n for n in range(first, last + 1) if n <= 8 or n & (n - 1) == 0 or n == last]:
        command = ["train", spec(shape), "--max-iterations", "20", "--tolerance", "1e-30", "--quiet", *rest]
        prefix = [*options.mpirun.split(), "-n", str(size)] if options.grows == "ranks" else []
        for device in options.device[:size] if options.grows == "devices" else options.device:
            command += ["--device", device]
        runs = [run([*prefix, options.setosa], command) for _ in range(options.repeat or 3)]
        times = [1e3 * trained["seconds"]["train"] / max(1, trained["iterations"]) for trained in runs]
        hashes.update(trained["weights_hash"] for trained in runs)
        points.append({"size": size, "status": "ok", "reason": "", "median_ms": statistics.median(times), "min_ms": min(times),
                       "max_ms": max(times), "device_bytes": runs[0]["device_bytes"], "part_of_limit": None})
        print("%s %d: done" % (options.grows, size), file=sys.stderr)
    if len(hashes) > 1:
        print("scaling.py: the weights differ with the number of %s, which devices of one kind do not do" % options.grows, file=sys.stderr)
    return [("native train", 0, points)]


def finish(label, launch_us, points):
    """The line as it is printed and kept: its points, which of them count, and the exponents of those."""
    used = [p for p in points if p["status"] == "ok" and p["median_ms"] >= LAUNCHES * launch_us / 1e3]
    line = {"label": label, "least_ms": LAUNCHES * launch_us / 1e3, "used": [p["size"] for p in used], "points": points}
    for name, key in (("exponent", "median_ms"), ("best_exponent", "min_ms"), ("memory_exponent", "device_bytes")):
        line[name], line[name + "_error"] = fit([p["size"] for p in used], [max(p[key], 1e-9) for p in used])
    return line


def show(line, grows):
    print("\n%s: %s grow\n\n%10s %10s %10s %7s %6s %9s  %s" % (line["label"], grows, grows, "ms", "best", "growth", "limit", "MB", "fit"))
    before = None
    for p in line["points"]:
        if p["status"] != "ok":
            print("%10d %s: %s" % (p["size"], p["status"], p["reason"]))
            continue
        growth = "%.2f" % (p["median_ms"] / before) if before else ""
        limit = "" if p["part_of_limit"] is None else "%.0f%%" % (100 * p["part_of_limit"])
        print("%10d %10.4g %10.4g %7s %6s %9.3g  %s" % (p["size"], p["median_ms"], p["min_ms"], growth, limit, 1e-6 * p["device_bytes"],
                                                        "*" if p["size"] in line["used"] else ""))
        before = p["median_ms"]
    for name, what in (("exponent", "time, medians"), ("best_exponent", "time, quickest samples"), ("memory_exponent", "memory")):
        if line[name] is not None:
            error = "" if line[name + "_error"] is None else " +- %.3f" % line[name + "_error"]
            print("%s ~ %s^(%.3f%s)" % (what, grows, line[name], error))


def legend(line, grows):
    if line["exponent"] is None:
        return line["label"]
    return "%s: time ~ %s^%.2f, memory ~ %s^%.2f" % (line["label"], grows, line["exponent"], grows, line["memory_exponent"])


def draw(lines, grows, shape, path):
    """Time and memory over size on logarithmic axes; what the exponents count is filled, a bar goes from the quickest to the slowest."""
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(1, 2, figsize=(13, 5 + 0.25 * len(lines)), sharex=True)
    for axis, key, unit in ((axes[0], "median_ms", 1), (axes[1], "device_bytes", 1e-6)):
        for number, line in enumerate(lines):
            points, colour = [p for p in line["points"] if p["status"] == "ok"], "C%d" % (number % 10)
            axis.plot([p["size"] for p in points], [unit * p[key] for p in points], color=colour)
            for p in points:
                axis.plot(p["size"], unit * p[key], "o", color=colour, fillstyle="full" if p["size"] in line["used"] else "none")
                if key == "median_ms":
                    axis.vlines(p["size"], p["min_ms"], p["max_ms"], color=colour, linewidth=1)
        axis.set(xscale="log", yscale="log", xlabel=grows, ylabel="ms" if key == "median_ms" else "MB",
                 title="time" if key == "median_ms" else "memory")
        sizes = sorted({p["size"] for line in lines for p in line["points"]})
        axis.set_xticks(sizes[::-(-len(sizes) // 8)][::-1], minor=False)
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        for ticks in (axis.xaxis, axis.yaxis):
            ticks.set_major_formatter(ticker.FuncFormatter(lambda value, _: "%d" % value if value >= 1 else "%g" % value))
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_formatter(ticker.NullFormatter())
        axis.grid(True, which="both", alpha=0.3)
    handles = [axes[0].plot([], [], "o-", color="C%d" % (number % 10))[0] for number in range(len(lines))]
    figure.suptitle("%s grow; %s" % (grows, ", ".join("%s = %d" % item for item in shape.items() if item[0] != grows)))
    figure.legend(handles, [legend(line, grows) for line in lines], loc="lower center", fontsize=8)
    figure.tight_layout(rect=(0, (0.2 + 0.18 * len(lines)) / figure.get_figheight(), 1, 1))
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], epilog="Other options go to setosa as they are.")
    parser.add_argument("grows", choices=list(SHAPES))
    parser.add_argument("--from", dest="first", type=int, help="the first size")
    parser.add_argument("--to", dest="last", type=int, help="none is larger")
    parser.add_argument("--shape", help="the other sizes, as in rows=20000,classes=10")
    parser.add_argument("--repeat", type=int, help="samples of a size (default: as setosa bench; trainings: 3)")
    parser.add_argument("--device", action="append", default=[], metavar="SEL")
    parser.add_argument("--setosa", default="build/release/setosa", help="the program (default: %(default)s)")
    parser.add_argument("--mpirun", default="mpirun", help="how ranks are started, without -n (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write points and exponents here")
    parser.add_argument("--plot", metavar="FILE", help="draw the lines here: .svg, .png, .pdf")
    options, rest = parser.parse_known_args()
    shape, first, last = SHAPES[options.grows]
    if options.shape:
        shape = {**shape, **{name: int(float(value)) for name, value in (item.split("=") for item in options.shape.split(","))}}
    first, last = options.first or first, options.last or last
    if options.grows in ("devices", "ranks"):
        lines = share(options, shape, first, last, rest)
    else:
        rest += [word for device in options.device for word in ("--device", device)]
        rest += ["--repeat", str(options.repeat)] if options.repeat else []
        lines = grow(options, shape, first, last, rest)
    lines = [finish(*line) for line in lines]
    for line in lines:
        show(line, options.grows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"what_grows": options.grows, "shape": shape, "scaling": lines}, file, indent=1)
    if options.plot:
        draw(lines, options.grows, shape, options.plot)
    if any(p["status"] == "failed" for line in lines for p in line["points"]):
        sys.exit(4)


if __name__ == "__main__":
    main()
