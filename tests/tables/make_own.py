#!/usr/bin/env python3
"""Makes the tables of own/: people, plants and machines that never were, each in one of the ways in which programs write tables.

    make_own.py FOLDER

The same bytes on every machine. What a table says is kept apart from how it is written (`Table`), so that optima.py knows the numbers
without reading a file.
"""
import gzip
import io
import math
import os
import random
import sys

MISSING = None


class Column:
    """role: number, name (a feature for each level), label, weights, or none (no feature)."""

    def __init__(self, name, role, cells):
        self.name, self.role, self.cells = name, role, list(cells)


class Table:
    def __init__(self, file, columns, options="", mean=False, **style):
        self.file, self.columns, self.options, self.mean, self.style = file, columns, options, mean, style

    def column(self, role):
        return next((column for column in self.columns if column.role == role), None)


def pick(rng, values, weights=None):
    weights = weights or [1] * len(values)
    place = rng.random() * sum(weights)
    for value, weight in zip(values, weights):
        place -= weight
        if place < 0:
            return value
    return values[-1]


def bell(rng):
    """About normal; from random() alone, whose numbers every version of Python agrees on."""
    return sum(rng.random() for _ in range(12)) - 6


def numbers(rng, rows, mean, spread, digits):
    return ["%.*f" % (digits, mean + spread * bell(rng)) for _ in range(rows)]


def names(rng, rows, levels, weights=None):
    return [pick(rng, levels, weights) for _ in range(rows)]


def labels(rng, columns, classes, strength=1.0):
    """Labels that depend on the columns, and on chance."""
    rows = len(columns[0].cells)
    scores = [[0.0] * len(classes) for _ in range(rows)]
    for column in columns:
        if column.role == "number":
            values = [float(cell) for cell in column.cells]
            mean = sum(values) / rows
            spread = math.sqrt(sum((value - mean) ** 2 for value in values) / rows) or 1.0
            slopes = [strength * bell(rng) for _ in classes]
            for score, value in zip(scores, values):
                for k, slope in enumerate(slopes):
                    score[k] += slope * (value - mean) / spread
        elif column.role == "name":
            effects = {level: [strength * bell(rng) for _ in classes] for level in sorted(set(column.cells))}
            for score, cell in zip(scores, column.cells):
                for k, effect in enumerate(effects[cell]):
                    score[k] += effect
    most = [max(score) for score in scores]
    return [pick(rng, classes, [math.exp(s - top) for s in score]) for score, top in zip(scores, most)]


def lose(rng, column, part, rows=()):
    """Takes cells away by chance, and those of `rows`."""
    column.cells = [MISSING if rng.random() < part or i in rows else cell for i, cell in enumerate(column.cells)]


# ---- what the tables say

def people(rng, rows):
    return [Column("age", "number", ["%d" % (18 + 60 * rng.random()) for _ in range(rows)]),
            Column("height", "number", numbers(rng, rows, 171, 9, 1)),
            Column("handed", "name", names(rng, rows, ["left", "right"], [1, 6])),
            Column("town", "name", names(rng, rows, ["Aldau", "Birkfeld", "Cumin", "Dorn"], [4, 3, 2, 1]))]


def plants(rng, rows):
    return [Column("leaf", "number", numbers(rng, rows, 5.5, 0.8, 1)), Column("stem", "number", numbers(rng, rows, 31, 6, 1)),
            Column("seeds", "number", ["%d" % (40 * rng.random()) for _ in range(rows)])]


def machines(rng, rows):
    """Units as they come: ohm in millions beside metres in thousandths."""
    return [Column("insulation_ohm", "number", numbers(rng, rows, 2.4e6, 3e5, 0)), Column("bore_m", "number", numbers(rng, rows, 0.0125, 0.0011, 5)),
            Column("speed_rpm", "number", numbers(rng, rows, 1480, 60, 0)), Column("load", "number", numbers(rng, rows, 0.6, 0.1, 2))]


def labelled(rng, columns, name, classes, strength=0.5):
    return columns + [Column(name, "label", labels(rng, columns, classes, strength))]


def count(rows, first=1):
    return [str(first + i) for i in range(rows)]


def dates(rng, rows):
    """A year, a day as one number, and milliseconds since 1970, whose digits f32 would lose."""
    days = [int(1200 * rng.random()) for _ in range(rows)]
    return [Column("year", "number", ["%d" % (1990 + day // 100) for day in days]),
            Column("day", "number", ["2021%02d%02d" % (1 + day % 12, 1 + day % 28) for day in days]),
            Column("sent_ms", "number", ["%d" % (1600000000000 + 86400 * day + int(1e6 * rng.random())) for day in days])]


def tables():
    made = []

    def table(file, rows, columns_of, label, classes, seed, strength=0.5, change=None, **kept):
        rng = random.Random(seed)
        columns = labelled(rng, columns_of(rng, rows), label, classes, strength)
        columns = change(rng, rows, columns) if change else columns
        made.append(Table(file, columns, **kept))

    def index(name, first=1):
        return lambda rng, rows, columns: [Column(name, "none", count(rows, first))] + columns

    # R, pandas
    table("rownames.csv", 180, people, "sport", ["none", "ball", "water"], 1, change=index(""), quote='"')
    table("row-names-of-text.csv", 120, plants, "kind", ["moss", "fern"], 2, quote='"', change=lambda rng, rows, columns: [
        Column("", "none", ["plant %s%d" % ("abcdefgh"[i % 8], i) for i in range(rows)])] + columns)
    table("write-table.txt", 150, people, "votes", ["yes", "no", "unsure"], 3, change=index(""), separator=" ", quote='"', short_header=True)
    table("pandas.csv", 200, plants, "kind", ["moss", "fern", "reed"], 4, change=index("", 0))
    table("pandas-unnamed.csv", 140, people, "sport", ["none", "ball"], 5, change=index("Unnamed: 0", 0))

    def numbered(rng, rows, columns):
        for i, column in enumerate(columns[:-1]):
            column.name = str(i)
        return columns
    table("numeric-names.csv", 160, plants, "species", ["moss", "fern", "reed"], 6, change=numbered)

    # Missing values and levels
    def holes(rng, rows, columns):
        for column in columns[:-1]:
            lose(rng, column, 0.04)
        lose(rng, columns[-1], 0.02)
        return columns
    words = ["", "NA", "N/A", "NaN", "null", "NULL", "None", "?", "#N/A", "."]
    table("missing-words.csv", 260, people, "sport", ["none", "ball", "water"], 7, change=holes, na=words)
    table("missing-own-words.csv", 220, people, "sport", ["none", "ball"], 8, change=holes, na=["unknown", "-9"], options="--na unknown,-9")
    table("missing-mean.csv", 240, people, "sport", ["none", "ball", "water"], 9, change=holes, na=["NA"], options="--missing mean", mean=True)

    def rare(rng, rows, columns):
        columns[3].cells[10] = "Eland"  # the row is left out, and nobody else lives there
        lose(rng, columns[0], 0, rows=(10, 50))
        return columns
    table("level-left-out.csv", 150, people, "sport", ["none", "ball"], 10, change=rare, na=["NA"])

    def odd(rng, rows, columns):
        renamed = {"Aldau": "Äldau, Ober-", "Birkfeld": 'the "Birk"', "Cumin": "a=b", "Dorn": "two\nlines"}
        columns[3].cells = [renamed[cell] for cell in columns[3].cells]
        return columns
    table("odd-levels.csv", 170, people, "sport", ["none", "ball"], 11, change=odd, quote='"')

    def codes(rng, rows):
        return [Column("ward", "name", names(rng, rows, ["1", "2", "3", "10"])), Column("shift", "name", names(rng, rows, ["0", "1"])),
                Column("stay", "number", ["%d" % (1 + 20 * rng.random()) for _ in range(rows)])]
    table("codes.csv", 300, codes, "outcome", ["home", "moved"], 12, options="--categorical ward,shift")

    def useless(rng, rows, columns):
        key = Column("customer", "none", ["K%05d" % (99999 * rng.random()) for _ in range(rows)])
        key.cells[3] = MISSING  # a column that is not used leaves no row out
        return [key, Column("batch", "number", ["7"] * rows), Column("remarks", "none", [MISSING] * rows)] + columns
    table("identifies-constant-empty.csv", 150, people, "sport", ["none", "ball"], 13, change=useless, na=[""])
    table("named-count.csv", 130, lambda rng, rows: [Column("no", "number", count(rows))] + plants(rng, rows), "kind", ["moss", "fern"], 14)
    table("booleans.csv", 160, lambda rng, rows: plants(rng, rows) + [Column("wild", "name", names(rng, rows, ["TRUE", "FALSE"]))], "edible",
          ["False", "True"], 15)

    # Digits and units
    table("dates.csv", 200, dates, "late", ["yes", "no"], 16)
    table("units.csv", 250, machines, "fault", ["none", "bearing", "coil"], 17)

    def lift(rng, rows, columns):
        for column in columns[:-1]:
            column.cells = ["%.1f" % (1e6 + float(cell)) for cell in column.cells]
        return columns
    table("million.csv", 180, plants, "kind", ["moss", "fern", "reed"], 18, change=lift)

    # Work for a solver
    def sizes(rng, rows):
        return [Column("bytes", "number", numbers(rng, rows, 4e9, 9e8, 0)), Column("files", "number", numbers(rng, rows, 5200, 700, 0)),
                Column("load", "number", numbers(rng, rows, 0.7, 0.2, 3)), Column("jitter_s", "number", numbers(rng, rows, 2e-5, 4e-6, 8))]
    table("sizes.csv", 240, sizes, "state", ["idle", "busy", "late"], 33, strength=1.0)

    def follows(rng, rows):
        """Levels that others say too, a sum, a multiple: the columns' rank is well below their number."""
        months = [int(12 * rng.random()) for _ in range(rows)]
        adults, children = (["%d" % (1 + 4 * rng.random()) for _ in range(rows)] for _ in range(2))
        return [Column("month", "name", ["m%02d" % (month + 1) for month in months]), Column("quarter", "name", ["q%d" % (1 + month // 3) for month in months]),
                Column("half", "name", ["first" if month < 6 else "second" for month in months]), Column("adults", "number", adults),
                Column("children", "number", children), Column("guests", "number", [str(int(a) + int(c)) for a, c in zip(adults, children)]),
                Column("towels", "number", [str(2 * (int(a) + int(c))) for a, c in zip(adults, children)])]
    table("follows.csv", 260, follows, "booked", ["early", "late", "never"], 34)
    table("nearly-separable.csv", 300, plants, "kind", ["moss", "fern", "reed", "sedge"], 35, strength=12)

    def apart(rng, rows, columns):
        columns[0].cells = ["%.2f" % (3 * ["moss", "fern", "reed"].index(kind) + 0.2 * bell(rng)) for kind in columns[-1].cells]
        return columns
    table("separable.csv", 150, plants, "kind", ["moss", "fern", "reed"], 36, change=apart)

    # Spreadsheets and other programs
    table("excel.csv", 140, people, "Verein", ["Fußball", "keiner"], 19, separator=";", decimal=",", encoding="utf-8-sig", end="\r\n",
          before="sep=;\r\n")
    table("comma-in-tabs.tsv", 120, plants, "kind", ["moss", "fern"], 20, separator="\t", decimal=",")
    table("unicode-text.txt", 130, people, "sport", ["none", "bąll"], 21, separator="\t", encoding="utf-16-le", end="\r\n", before="\ufeff")
    table("utf16-be.csv", 120, plants, "kind", ["moss", "fern"], 22, encoding="utf-16-be", before="\ufeff")
    table("single-quotes.csv", 210, people, "party", ["0", "1", "2"], 23, separator="\t", quote="'")
    table("blanks.dat", 140, plants, "kind", ["moss", "fern", "reed"], 24, separator=" ", width=9)
    table("pipes.txt", 150, people, "sport", ["none", "ball"], 25, separator="|")
    table("blanks-around.csv", 160, people, "sport", ["none", "ball"], 26, separator=", ", ragged=True)
    table("old-mac.csv", 110, plants, "kind", ["moss", "fern"], 27, end="\r")

    # Labels
    def label_first(rng, rows, columns):
        return [columns[-1]] + columns[:-1]
    table("label-first.csv", 150, people, "sport", ["none", "ball", "water"], 28, change=label_first)

    def spelled(rng, rows, columns):
        columns[-1].written = [pick(rng, [cell, cell + ".0", " " + cell]) for cell in columns[-1].cells]
        return columns
    table("integer-labels.csv", 170, plants, "grade", ["-1", "10", "50"], 29, change=spelled)

    def weighted(rng, rows, columns):
        return columns + [Column("w", "weights", ["%.2f" % (0.5 + 3 * rng.random()) for _ in range(rows)])]
    table("weights.csv", 200, people, "sport", ["none", "ball"], 30, change=weighted, options="--weights w")

    def unnamed(rng, rows, columns):
        for i, column in enumerate(columns):
            column.name = str(i + 1)
        return columns
    table("no-header.csv", 150, people, "sport", ["none", "ball"], 31, change=unnamed, header=False)
    table("members.csv.gz", 160, plants, "kind", ["moss", "fern"], 32, members=3)
    return made


def look_alikes():
    """Larger ones, like tables that many know; not kept, since they are made in no time."""
    rng = random.Random(100)

    def diamonds(rows):
        carat = [0.2 + 2 * rng.random() ** 2 for _ in range(rows)]
        columns = [Column("carat", "number", ["%.2f" % c for c in carat]),
                   Column("color", "name", names(rng, rows, "D E F G H I J".split(), [7, 10, 10, 11, 8, 5, 3])),
                   Column("clarity", "name", names(rng, rows, "I1 SI2 SI1 VS2 VS1 VVS2 VVS1 IF".split(), [1, 9, 13, 12, 8, 5, 4, 2])),
                   Column("depth", "number", numbers(rng, rows, 61.7, 1.4, 1)), Column("table", "number", numbers(rng, rows, 57, 2, 0)),
                   Column("price", "number", ["%d" % (300 + 7000 * c ** 1.7) for c in carat])]
        columns += [Column(side, "number", ["%.2f" % (6.5 * c ** (1 / 3) + 0.05 * bell(rng)) for c in carat]) for side in "xyz"]
        return labelled(rng, columns, "cut", ["Fair", "Good", "Very Good", "Premium", "Ideal"], 0.3)

    def titanic(rows):
        columns = [Column("class", "name", names(rng, rows, ["1st class", "2nd class", "3rd class"], [3, 3, 7])),
                   Column("age", "number", ["%.4g" % (80 * rng.random() ** 2) for _ in range(rows)]),
                   Column("sex", "name", names(rng, rows, ["man", "women"])), Column("embarked", "name", names(rng, rows, "CQS", [3, 1, 7]))]
        columns = labelled(rng, columns, "survived", ["no", "yes"])
        lose(rng, columns[1], 0.2)
        lose(rng, columns[3], 0.01)
        return [Column("", "none", count(rows))] + columns

    def voters(rows):
        columns = [Column("popul", "number", ["%d" % (7000 * rng.random() ** 5) for _ in range(rows)])]
        columns += [Column(name, "number", ["%d" % (most * rng.random()) for _ in range(rows)]) for name, most in (("TVnews", 8), ("age", 90))]
        return labelled(rng, columns, "PID", [str(k) for k in range(7)])

    return [Table("diamonds.csv", diamonds(2000)), Table("titanic.csv", titanic(1300), quote='"', na=["NA"]),
            Table("voters.csv", voters(944), separator="\t", quote="'")]


# ---- how they are written

def quoted(cell, quote, separator):
    """Text is quoted, as R does; without `quote` only what needs it, as spreadsheets do."""
    try:
        float(cell)
        number = True
    except ValueError:
        number = False
    if quote and not number:
        return quote + cell.replace(quote, quote * 2) + quote
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in separator + '"\n') else cell


def write(table, folder):
    style = table.style
    separator, quote, end = style.get("separator", ","), style.get("quote"), style.get("end", "\n")
    rng, words = random.Random(table.file), style.get("na", [""])
    out = io.StringIO()
    out.write(style.get("before", ""))

    def line(cells):
        if "width" in style:
            cells = [cell.rjust(style["width"]) for cell in cells]
        elif style.get("ragged"):
            cells = [cell + " " * int(3 * rng.random()) for cell in cells]
        out.write(separator.join(cells) + end)

    if style.get("header", True):
        line([quoted(column.name, quote, separator) if column.name or quote else "" for column in table.columns[style.get("short_header", False):]])
    for i in range(len(table.columns[0].cells)):
        cells = []
        for column in table.columns:
            cell = getattr(column, "written", column.cells)[i]
            if cell is MISSING:
                cells.append(pick(rng, words))
                continue
            if column.role in ("number", "weights") and "decimal" in style:
                cell = cell.replace(".", style["decimal"])
            row_name = column.name == "" and quote
            cells.append(quote + cell + quote if row_name else quoted(cell, quote, separator))
        line(cells)
    data = out.getvalue().encode(style.get("encoding", "utf-8"))
    if "members" in style:
        parts, step = [], -(-len(data) // style["members"])
        for begin in range(0, len(data), step):
            member = io.BytesIO()
            with gzip.GzipFile(fileobj=member, mode="wb", filename="", mtime=0) as file:
                file.write(data[begin:begin + step])
            parts.append(member.getvalue())
        data = b"".join(parts)
    with open(os.path.join(folder, table.file), "wb") as file:
        file.write(data)


if __name__ == "__main__":
    for one in tables():
        write(one, sys.argv[1])
