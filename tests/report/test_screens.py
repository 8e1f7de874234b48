#!/usr/bin/env python3
"""Pages of --report as a browser shows them: no error, nothing asked for, no text over another or cut off, enough contrast, nothing that scrolls
sideways.

    test_screens.py PROGRAM [--all] [--keep FOLDER]    two pages, or every kind; pictures of the screens into FOLDER

Exits with 77 where there is no Chromium.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import browser
from page import set_temperature

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "..", "data")
FASHION = "/usr/share/datasets/fashion-mnist/"
WIDTHS = (1280, 400)


def odd_names():
    """A table whose names are long, wide, and no ordinary words."""
    names = ["<b>&\"'</b>", "日本語のとても長いクラスの名前です、切られます", "W" * 200 + "END", "ffi fi fl jjjj", "🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂", "é"]
    with open("names.csv", "w", encoding="utf-8") as file:
        file.write("\"<i>&amp; one\",\"%s\",WWWWWWWWWWWWWWWWWWWWWWWWWWWW,label\n" % ("long" * 100))
        for i in range(60):
            file.write("%d,%d,%g,\"%s\"\n" % (i % 6, (i * 7) % 5, 1e-7 * i, names[i % len(names)].replace('"', '""')))


def pages(everything):
    """{file: command line that writes it}."""
    iris, penguins = os.path.join(DATA, "iris.csv"), os.path.join(DATA, "penguins.csv")
    odd_names()
    some = {"iris.html": ["train", iris, "--l2", "0.01", "--model", "iris.safetensors"], "names.html": ["train", "names.csv"]}
    if not everything:
        return some
    some.update({
        "uncalibrated.html": ["train", iris, "--l2", "0.1", "--model", "calibrated.safetensors"],
        "eval.html": ["eval", "iris.safetensors", iris],
        "cv.html": ["cv", iris],
        "sparse-cv.html": ["cv", iris, "--l1-ratio", "0.5", "--standardize"],
        "calibrated.html": ["eval", "calibrated.safetensors", iris],
        "summary.html": ["summary", "iris.safetensors", iris, "--effects"],
        "penguins.html": ["train", penguins, "--label", "species", "--drop", "year", "--validation", "0.3", "--summary"],
        "adam.html": ["train", iris, "--solver", "adam", "--epochs", "40", "--validation", "0.3"],
        "separable.html": ["train", iris, "--l2", "0", "--positive", "setosa"],
        "zero.html": ["train", iris, "--max-iterations", "0"],
        "many.html": ["train", "synthetic:rows=3000,features=20,classes=1000,seed=3", "--max-iterations", "1"],
        "twenty.html": ["train", "synthetic:rows=100000,features=20,classes=20,seed=3", "--max-iterations", "5"],
        "run.svg": ["bench", iris, "--backends", "reference,blas", "--what", "step,hessian,predict", "--seconds", "0"],
    })
    if os.path.exists(FASHION):
        some["fashion.html"] = ["train", FASHION + "t10k-images-idx3-ubyte.gz", "--max-iterations", "5"]
    return some


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    program, keep = os.path.abspath(arguments.program), arguments.keep and os.path.abspath(arguments.keep)
    if browser.find() is None:
        print("no Chromium (the package chromium brings it)")
        return 77
    with open(os.path.join(HERE, "look.js"), encoding="utf-8") as file:
        look = file.read()
    bad = views = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) if sys.version_info >= (3, 10) else tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        made = pages(arguments.all)
        for name, command in made.items():
            how = ["--plot" if name.endswith(".svg") else "--report", name, "-q"]
            if command[0] not in ("bench", "summary"):
                how += ["--backend", "reference"]
            if name == "calibrated.html":
                set_temperature("calibrated.safetensors", "0.5")
            subprocess.run([program, *command, *how], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=250)
        with browser.Browser(folder) as shown:
            for name in made:
                for width in WIDTHS:
                    for dark in (False, True):
                        if name.endswith(".svg") and width < 1000:
                            continue  # a picture alone is as wide as it is
                        problems = shown.open("file://%s/%s" % (folder, name), width, dark) + shown.evaluate(look)
                        views += 1
                        bad += len(problems)
                        for problem in problems:
                            print("%s, %d pixels, %s: %s" % (name, width, "dark" if dark else "light", problem))
                        if keep:
                            os.makedirs(keep, exist_ok=True)
                            shown.picture(os.path.join(keep, "%s-%d-%s.png" % (name.rsplit(".", 1)[0], width, "dark" if dark else "light")))
        os.chdir("/")
    print("%d views, %d problems" % (views, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
