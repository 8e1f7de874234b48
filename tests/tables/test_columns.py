#!/usr/bin/env python3
"""What `setosa inspect` says of columns is what Python's csv module and statistics say (check_columns.py). test_columns.py PROGRAM

Kinds, levels with their counts, and means: of the tables of own/ that the csv module can read, and of larger ones like diamonds, titanic and
anes96. Also: make_own.py still makes the files of own/.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import check_columns  # noqa: E402
import make_own  # noqa: E402

OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "own")


def inspect(program, path, label):
    """The same form as check_columns.check."""
    done = subprocess.run([program, "inspect", path, "--label", label, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    document = json.loads(done.stdout.decode("utf-8"))
    columns = {}
    for column in document["columns"]:
        if column["use"] == "label" or (column["use"] == "feature" and column["kind"] == "categorical"):
            columns[column["name"]] = {"levels": {level["name"]: level["rows"] for level in column["names"]}}
        elif column["use"] == "feature":
            columns[column["name"]] = {"mean": column["mean"]}
    return {"rows": document["data"]["source_rows"], "left_out": document["data"]["left_out"], "columns": columns}


def same(one, other):
    """Equal, means but for the order of their sums."""
    if one["rows"] != other["rows"] or one["left_out"] != other["left_out"] or list(one["columns"]) != list(other["columns"]):
        return False
    for name, column in one["columns"].items():
        got = other["columns"][name]
        if "mean" in column and not ("mean" in got and abs(column["mean"] - got["mean"]) <= 1e-12 * max(1, abs(column["mean"]))):
            return False
        if "levels" in column and dict(column["levels"]) != got.get("levels"):
            return False
    return True


def is_plain(table):
    """Read by the csv module as by Setosa, and no option is needed."""
    other = {"header", "short_header", "width", "members", "before"}
    return not table.options and not other & set(table.style) and not any(hasattr(column, "written") for column in table.columns)


def check(program, path, table):
    label, style = table.column("label").name, table.style
    expected = check_columns.check(path, label, style.get("separator", ",")[0], style.get("quote") or '"', style.get("encoding", "utf-8-sig"),
                                   style.get("decimal", "."))
    got = inspect(program, path, label)
    if not same(expected, got):
        print("WRONG: %s\n  csv and statistics: %s\n  inspect: %s" % (path, expected, got))
        return False
    print("ok: %s, %d columns, %d rows" % (os.path.basename(path), len(expected["columns"]), expected["rows"]))
    return True


def content(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return file.read()


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        good = []
        for table in make_own.tables():
            made, kept = os.path.join(folder, table.file), os.path.join(OWN, table.file)
            make_own.write(table, folder)
            good.append(content(made) == content(kept))
            if not good[-1]:
                print("WRONG: %s is not what make_own.py makes" % kept)
            if is_plain(table):
                good.append(check(program, kept, table))
        for table in make_own.look_alikes():
            make_own.write(table, folder)
            good.append(check(program, os.path.join(folder, table.file), table))
    print("%d passed, %d failed" % (sum(good), len(good) - sum(good)))
    return 0 if all(good) and len(good) > 40 else 1


if __name__ == "__main__":
    sys.exit(main())
