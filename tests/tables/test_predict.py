#!/usr/bin/env python3
"""What a model predicts does not depend on how the table is written. test_predict.py PROGRAM [BACKEND]

For every table of own/: a line for each row, in their order; empty fields where the row lacks a value; and the same probabilities, digit by
digit, when the columns stand in another order, with columns that the model does not use between them, and with ids carried along.
"""
import csv
import io
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import make_own  # noqa: E402

OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "own")


def setosa(arguments):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise AssertionError("%s: exit %d: %s" % (" ".join(arguments), done.returncode, done.stderr.decode("utf-8", "replace")))
    return list(csv.reader(io.StringIO(done.stdout.decode("utf-8"), newline="")))


def lacks_a_value(table, row):
    """--missing drop: no prediction. A label that is missing does not matter."""
    return not table.mean and any(column.cells[row] is make_own.MISSING for column in table.columns if column.role in ("number", "name"))


def rewritten(table, path):
    """The same rows as a plain CSV: columns from last to first, without the label, and others beside them."""
    missing = table.style.get("na", ["NA"])[0]
    kept = [column for column in reversed(table.columns) if column.role in ("number", "name")]
    rows = len(kept[0].cells)
    columns = [("key", ["k%d" % (i * 7 % 1009) for i in range(rows)]), *((c.name, [missing if v is make_own.MISSING else v for v in c.cells]) for c in kept),
               ("notes", ["" if i % 3 else "1.x, or \"so\"" for i in range(rows)]), ("counted", [str(i + 1) for i in range(rows)])]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[name for name, _ in columns], *zip(*(cells for _, cells in columns))])
    return [list(ids) for ids in zip(columns[0][1], columns[-1][1])]


def check(table, program, backend, folder):
    data, model, other = (os.path.join(*parts) for parts in ((OWN, table.file), (folder, "model.safetensors"), (folder, "other.csv")))
    label = table.column("label")
    setosa([program, "train", data, "--label", label.name, "--backend", backend, "--quiet", "--model", model, *table.options.split()])
    header, *rows = setosa([program, "predict", model, data, "--backend", backend, "--quiet"])
    classes = sorted({cell.strip() for cell in label.cells if cell is not make_own.MISSING})
    assert header[:2] == ["row", "predicted"] and sorted(header[2:]) == classes, header
    assert [row[0] for row in rows] == [str(i + 1) for i in range(len(label.cells))], "%d lines for %d rows" % (len(rows), len(label.cells))
    for i, row in enumerate(rows):
        empty = [not field for field in row[1:]]
        assert all(empty) if lacks_a_value(table, i) else not any(empty), row
    if not table.style.get("header", True):  # columns have no names to be found by
        return len(rows)
    ids = rewritten(table, other)
    other_header, *again = setosa([program, "predict", model, other, "--backend", backend, "--quiet", "--id", "key", "--id", "counted"])
    assert other_header == ["row", "key", "counted", *header[1:]], other_header
    assert [row[1:3] for row in again] == ids, "ids are not those of the rows"
    for row, same in zip(rows, again):
        assert row == same[:1] + same[3:], "%s: %s" % (row, same)
    return len(rows)


def main():
    program, backend = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "reference"
    failed, tables = 0, make_own.tables()
    for table in tables:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print("ok: %s, %d rows" % (table.file, check(table, program, backend, folder)))
            except AssertionError as error:
                failed += 1
                print("WRONG: %s: %s" % (table.file, error))
    print("%d passed, %d failed" % (len(tables) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
