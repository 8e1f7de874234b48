"""bench/scaling.py: the fit against powers that are known, and a whole growth by the program. test_scaling.py SOURCE_FOLDER PROGRAM"""
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile

source, program = sys.argv[1:]
script = os.path.join(source, "bench", "scaling.py")
spec = importlib.util.spec_from_file_location("scaling", script)
scaling = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(scaling)

sizes = [1, 2, 4, 8]
for power in (-1, 0, 0.5, 1, 2):
    slope, error = scaling.fit(sizes, [3.0 * s**power for s in sizes])
    assert abs(slope - power) < 1e-12 and error < 1e-12, (power, slope, error)
# log2 of the values is 0, 1, 2, 4: slope = (-0.5 * 1 + 0.5 * 2 + 1.5 * 4) / 5, mean 1.75.
slope, error = scaling.fit(sizes, [1, 2, 4, 16])
residuals = [y - (1.75 + slope * (x - 1.5)) for x, y in zip(range(4), (0, 1, 2, 4))]
assert abs(slope - 1.3) < 1e-12, slope
assert abs(error - math.sqrt(sum(r * r for r in residuals) / 2 / 5)) < 1e-12, error
assert scaling.fit([1], [1]) == (None, None) and scaling.fit([1, 2], [1, 2])[1] is None

# A size that is no longer than launches does not count.
points = [{"size": s, "status": "ok", "median_ms": ms, "min_ms": ms, "device_bytes": s} for s, ms in zip(sizes, (0.05, 0.11, 0.22, 0.44))]
points.append({"size": 16, "status": "skipped"})
line = scaling.finish("a line", 10, points)
assert line["used"] == [2, 4, 8] and abs(line["exponent"] - 1) < 1e-12 and abs(line["memory_exponent"] - 1) < 1e-12, line

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "growth.json")
    done = subprocess.run([sys.executable, script, "rows", "--from", "1000", "--to", "4000", "--repeat", "2", "--backends", "reference",
                           "--what", "step,predict", "--setosa", program, "--json", path], stdout=subprocess.PIPE, text=True, check=True)
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
assert [line["label"] for line in document["scaling"]] == ["reference step on host", "reference predict on host"], document
for line in document["scaling"]:
    assert [p["size"] for p in line["points"]] == [1000, 2000, 4000] and all(p["status"] == "ok" for p in line["points"]), line
assert 0.9 < document["scaling"][0]["memory_exponent"] < 1.1, document
assert "reference step on host: rows grow" in done.stdout, done.stdout
