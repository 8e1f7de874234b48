#!/usr/bin/env python3
"""Pages of `setosa train|eval|cv --report`.

    test_pages.py PROGRAM [CASE]    all cases, or one: a function below without its "test_"

Pages are read by a parser of XML. Exits with 77 when the one case that was asked for cannot be tried here.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from page import Page, compare, set_temperature

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data")
IRIS = os.path.join(DATA, "iris.csv")
REFERENCE = ("--backend", "reference", "-q")


class Skipped(Exception):
    pass


def run(*arguments, code=0, **more):
    """Standard output and standard error of the program."""
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, check=False, timeout=250, **more)
    assert done.returncode == code, "%s: exit code %d\n%s%s" % (" ".join(arguments), done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def train(*arguments, **more):
    return json.loads(run("train", *arguments, "--json", *REFERENCE, **more)[0])


def test_numbers_of_train():
    document = train(IRIS, "--l2", "0.01", "--validation", "0.2", "--test", IRIS, "--report", "train.html", "--model", "m.safetensors")
    page = Page("train.html")
    page.check_alone()
    compare(page, document, 24)
    for key in ("objective", "loss", "gap", "passes", "iterations", "train.accuracy", "validation.log_loss", "test.accuracy", "seconds.total"):
        assert key in page.numbers, key
    assert page.element("weights_hash").text == document["weights_hash"]
    # The matrix is of the test rows.
    assert sum(value for key, value in page.numbers.items() if key.startswith("confusion.")) == 150
    weights = [value for key, value in page.numbers.items() if key.startswith("weights.")]
    with open("m.safetensors", "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        begin, end = header["weights"]["data_offsets"]
        file.seek(8 + size + begin)
        kept = struct.unpack("<%df" % ((end - begin) // 4), file.read(end - begin))
    assert sorted(weights) == sorted(kept)


def test_numbers_of_eval():
    train(IRIS, "--model", "m.safetensors")
    document = json.loads(run("eval", "m.safetensors", IRIS, "--json", "--report", "eval.html", *REFERENCE)[0])
    page = Page("eval.html")
    page.check_alone()
    compare(page, document, 5 + 3 * 15 + 3 * 5 + 9)
    for key in ("accuracy", "log_loss", "ece", "macro_f1", "calibration.14.accuracy", "per_class.2.f1", "confusion.1.2"):
        assert key in page.numbers, key


def test_numbers_of_a_calibrated_model():
    train(IRIS, "--l2", "0.1", "--model", "m.safetensors")
    set_temperature("m.safetensors", "0.5")
    document = json.loads(run("eval", "m.safetensors", IRIS, "--json", "--report", "eval.html", *REFERENCE)[0])
    page = Page("eval.html")
    compare(page, document, 70)
    for key in ("temperature", "brier", "uncalibrated.brier", "uncalibrated.ece", "uncalibrated.log_loss", "per_class.1.auc", "macro_auc"):
        assert key in page.numbers, key
    assert page.numbers["temperature"] == 0.5 and page.numbers["uncalibrated.ece"] != page.numbers["ece"]


def test_numbers_of_cv():
    document = json.loads(run("cv", IRIS, "--json", "--report", "cv.html", "--l2-path", "1e-4:1:5", *REFERENCE)[0])
    page = Page("cv.html")
    page.check_alone()
    compare(page, document, 5 * 6)
    upright = [element for element in page.root.iter("path") if "dashed" in element.get("class", "") and "V" in element.get("d")]
    assert len(upright) in (2, 4), "lambda_min and lambda_1se are marked in both pictures"


def test_numbers_of_summary():
    penguins = os.path.join(DATA, "penguins.csv")
    train(penguins, "--label", "species", "--drop", "year", "--l2", "0.01", "--model", "m.safetensors")
    for more in ([], ["--effects", "--robust", "--base", "Gentoo"]):
        document = json.loads(run("summary", "m.safetensors", penguins, "--json", "--report", "summary.html", *more, "-q")[0])
        page = Page("summary.html")
        page.check_alone()
        count = len(document["coefficients"]) + len(document.get("effects", []))
        compare(page, document, 6 * count + 8)
        terms = [cell.text for table in page.root.iter("table") for cell in table.iter("td") if cell.text in ("island=Dream", "(intercept)")]
        assert len(terms) >= 4, terms


def test_summary_of_a_training():
    document = train(IRIS, "--l2", "0.01", "--summary", "--report", "both.html")
    page = Page("both.html")
    compare(page, document, 60 + 24)
    assert len([key for key in page.numbers if key.startswith("summary.coefficients.")]) == 6 * len(document["summary"]["coefficients"]) == 60


def test_same_every_time():
    for command in ("train", "cv"):
        pages = []
        for i in range(2):
            run(command, IRIS, "--report", "same.html", *REFERENCE)
            pages.append(Page("same.html").steady())
        assert pages[0] == pages[1]
        assert "seconds.total" not in pages[0] and "To repeat it" in pages[0]


def test_names_are_text():
    names = ["<b>&\"'</b>", "日本語のとても長いクラスの名前です、切られます", "x" * 300 + "END", "]]></script><script>alert(1)</script>", "a\u202eb", "é"]
    with open("names.csv", "w", encoding="utf-8") as file:
        file.write("\"<i>&amp; one\",\"%s\",label\n" % ("long" * 100))
        for i in range(60):
            name = names[i % len(names)].replace('"', '""')
            file.write("%d,%d,\"%s\"\n" % (i % 6, (i * 7) % 5, name))
    train("names.csv", "--report", "names.html", "--model", "m.safetensors")
    page = Page("names.html")
    page.check_alone() if "<script>alert" not in page.source else None
    assert "<b>" not in page.source.replace("<b><data", "") and "<script" not in page.source and "\u202e" not in page.source
    text = page.text()
    assert "<b>&\"'</b>" in text and "日本語" in text and "a???b" in text and "é" in text
    titles = [element.get("title") for element in page.root.iter() if element.get("title")]
    assert any(title == "x" * 300 + "END" for title in titles), "the whole of a long name is in a title"
    assert max(len(line) for element in page.root.iter("text") for line in [element.text or ""]) < 60


def test_command_repeats():
    shutil_name = "my data.csv"
    with open(IRIS, "rb") as source, open(shutil_name, "wb") as copy:
        copy.write(source.read())
    document = train(shutil_name, "--solver", "adam", "--epochs", "3", "--schedule", "constant", "--seed", "7", "--class-weight", "setosa=2,virginica=0.5", "--drop",
                     "petal_width", "--report", "it's.html", "--checkpoint", "c")
    page = Page("it's.html")
    command = page.element("repeat").find("pre").text
    assert "--checkpoint" not in command and "-q" not in command and "'my data.csv'" in command
    os.unlink("it's.html")
    environment = dict(os.environ, PATH=os.path.dirname(os.path.abspath(PROGRAM)) + ":" + os.environ["PATH"])
    subprocess.run(["sh", "-c", command], env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=250)
    assert Page("it's.html").element("weights_hash").text == document["weights_hash"]
    # What a checkpoint remembers belongs to it as well.
    train("--resume", "c", "--epochs", "5")
    resumed = Page("it's.html")
    assert "--epochs 5" in resumed.element("repeat").find("pre").text and "--seed 7" in resumed.element("repeat").find("pre").text
    assert "--resume" not in resumed.element("repeat").find("pre").text and "3 iterations that were done before" in resumed.text()


def test_unwritable_is_said_first():
    out, err = run("train", IRIS, "--report", "nowhere/page.html", "--model", "m", *REFERENCE, code=6)
    assert out == "" and "--report" in err and "nowhere/page.html" in err and not os.path.exists("m")
    os.mkdir("folder")
    out, err = run("cv", IRIS, "--report", "folder", *REFERENCE, code=6)
    assert out == "" and "is a folder" in err
    out, err = run("eval", "m", IRIS, "--report", IRIS, *REFERENCE, code=2)
    assert "would overwrite" in err


def small_disk(size, command):
    """sh runs command in a folder `disk` of so many bytes, of which it may say what it likes."""
    script = "mkdir -p disk && mount -t tmpfs -o size=%s tmpfs disk && %s" % (size, command)
    flags = "-m" if os.geteuid() == 0 else "-rm"
    probe = subprocess.run(["unshare", flags, "sh", "-c", "mkdir -p disk && mount -t tmpfs tmpfs disk"], check=False, stderr=subprocess.DEVNULL)
    if probe.returncode != 0:
        raise Skipped("no disk of our own can be mounted here")
    return subprocess.run(["unshare", flags, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          check=False, timeout=250, env=dict(os.environ, PROGRAM=PROGRAM, IRIS=IRIS))


def test_full_disk_is_said_first():
    done = small_disk("16k", "{ cat /dev/zero > disk/full; \"$PROGRAM\" train \"$IRIS\" --backend reference -q --report disk/page.html --model m; }")
    assert done.returncode == 6 and done.stdout == "", (done.returncode, done.stdout, done.stderr)
    assert "--report" in done.stderr and "No space left on device" in done.stderr and not os.path.exists("m"), done.stderr


def test_disk_that_fills_up():
    """There is room for a beginning and not for the page: what was trained is kept and told, and nothing half is left."""
    done = small_disk("8k", "{ \"$PROGRAM\" train \"$IRIS\" --backend reference -q --report disk/page.html --model m; code=$?; ls disk; exit $code; }")
    assert done.returncode == 6 and "98.00 %" in done.stdout and os.path.exists("m"), (done.returncode, done.stdout, done.stderr)
    assert "page" not in done.stdout and "No space left on device" in done.stderr, (done.stdout, done.stderr)


def test_no_room_for_a_byte():
    done = subprocess.run(["sh", "-c", "ulimit -f 0; exec \"$0\" train \"$1\" --backend reference -q --report page.html", PROGRAM, IRIS],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False, timeout=250)
    assert done.returncode == 6 and done.stdout == "" and "page.html: cannot write" in done.stderr, (done.returncode, done.stderr)


def test_many_classes():
    train("synthetic:rows=3000,features=20,classes=1000,seed=3", "--max-iterations", "1", "--report", "many.html")
    page = Page("many.html")
    assert len(page.source) < 400e3, len(page.source)
    text = page.text()
    for words in ("980 more are left out", "950 more are left out", "988 more classes are left out"):
        assert words in text, words


def test_many_features():
    train("synthetic:rows=200,features=1e5,classes=3,sparsity=0.999,seed=3", "--max-iterations", "1", "--report", "wide.html")
    page = Page("wide.html")
    assert len(page.source) < 200e3, len(page.source)
    assert "99990 smaller weights are left out" in page.text()


def test_long_trainings():
    train(IRIS, "--solver", "gd", "--learning-rate", "0.01", "--max-iterations", "3000", "--tolerance", "0", "--report", "long.html")
    page = Page("long.html")
    assert len(page.source) < 200e3, len(page.source)
    lines = [element.get("d") for element in page.root.iter("path") if element.get("class") == "line c0" and "h16" not in element.get("d")]
    assert 250 < lines[0].count("L") <= 512


def test_picture_of_bench():
    out, _ = run("bench", IRIS, "--backends", "reference", "--what", "step,predict", "--seconds", "0", "--json", "--plot", "run.svg", "-q")
    rows = [row for row in json.loads(out)["results"] if row["status"] == "ok"]
    with open("run.svg", encoding="utf-8") as file:
        root = xml.etree.ElementTree.fromstring(file.read())
    drawn = [float(element.get("data-value")) for element in root.iter("{http://www.w3.org/2000/svg}rect") if element.get("data-value")]
    assert len(rows) == 2 and all(abs(one - row["median_ms"]) <= 1e-14 * one for one, row in zip(drawn, rows)), (drawn, rows)
    text = "".join(root.itertext())
    assert "iris.csv, step" in text and "iris.csv, predict" in text and "limit of the host" in text
    run("bench", IRIS, "--plot", "nowhere/run.svg", "-q", code=6)


def test_pixels_are_pictures():
    """Weights of images: a column that always tells the classes apart is strong, a dark edge is nothing."""
    def idx(path, dimensions, values):
        with open(path, "wb") as file:
            file.write(bytes([0, 0, 8, len(dimensions)]) + b"".join(struct.pack(">I", size) for size in dimensions) + bytes(values))
    rows = []
    for i in range(20):
        image = [0] * 56 * 50
        for y in range(56):
            image[50 * y + (10 if i % 2 else 40)] = 255
        rows += image
    idx("a-images-idx3-ubyte", [20, 56, 50], rows)
    idx("a-labels-idx1-ubyte", [20], [i % 2 for i in range(20)])
    train("a-images-idx3-ubyte", "--report", "images.html")
    page = Page("images.html")
    pictures = [element for element in page.root.iter("svg") if element.get("class") == "pixels"]
    assert len(pictures) == 2 and all(picture.get("viewBox") == "0 0 25 28" for picture in pictures), "two pixels a side are one"
    assert "an image of 56 x 50" in page.text() and "by their mean" in page.text()
    strokes = [(path.get("class"), path.get("fill-opacity"), path.get("d")[:6]) for path in pictures[0].iter("path")]
    assert sorted(strokes) == [("minus", "1.00", "M5 0h1"), ("plus", "1.00", "M20 0h")], strokes


def test_dry_run_writes_none():
    run("train", IRIS, "--dry-run", "--report", "dry.html", *REFERENCE)
    assert not os.path.exists("dry.html")


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    cases = {name[5:]: case for name, case in globals().items() if name.startswith("test_")}
    wanted = sys.argv[2:] or list(cases)
    skipped = 0
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                cases[name]()
                print("passed", name, flush=True)
            except Skipped as reason:
                skipped += 1
                print("skipped", name + ":", reason, flush=True)
            finally:
                os.chdir("/")
    sys.exit(77 if skipped == len(wanted) else 0)


if __name__ == "__main__":
    main()
