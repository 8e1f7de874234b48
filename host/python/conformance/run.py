#!/usr/bin/env python3
"""scikit-learn's own tests of LogisticRegression, those of the installed scikit-learn, with SoftmaxClassifier in its place.

    run.py                  a table: each test, how many of its cases passed, and why others do not apply; exit 1 when one fails
    run.py --write README   the same, put between the marks of that page

A case does not apply when it is about another class or function, or a parameter or solver that SoftmaxClassifier does not have. Which these
are is found by the case itself where it asks for them (adapter.py), or named in not_applicable.py; all other cases must pass.
"""

import argparse
import collections
import contextlib
import importlib.util
import inspect
import io
import os
import sys
import warnings

import pytest
import setosa
import sklearn
from adapter import NOT_HERE, LogisticRegression, elsewhere
from not_applicable import ELSEWHERE, NOT_APPLICABLE, NOT_APPLICABLE_WITH

BEGIN, END = "<!-- conformance: by conformance/run.py -->", "<!-- end of conformance -->"


class Substitution:
    """A plugin of pytest: puts the adapter in place of LogisticRegression and counts what becomes of each case."""

    def __init__(self):
        self.cases = collections.OrderedDict()  # test -> Counter of outcomes and reasons
        self.failures = []

    def pytest_collection_modifyitems(self, items):
        for item in items:
            plain = vars(item.module).get("LogisticRegression")
            item.module.LogisticRegression = LogisticRegression
            for name, reason in ELSEWHERE.items():
                if name in vars(item.module):
                    setattr(item.module, name, elsewhere(reason))
            parameters = item.callspec.params if hasattr(item, "callspec") else {}
            for name, value in parameters.items():
                if inspect.isclass(value) and value.__name__ == "LogisticRegression":
                    parameters[name] = LogisticRegression
                elif type(value) is plain and plain is not LogisticRegression:
                    parameters[name] = LogisticRegression(**value.get_params())
            reason = self.reason(item, parameters)
            if reason:
                item.add_marker(pytest.mark.skip(reason=NOT_HERE + reason))

    @staticmethod
    def reason(item, parameters):
        """Why the case does not apply, where that is known before it runs."""
        name, text = item.function.__name__, inspect.getsource(item.function)
        if name in NOT_APPLICABLE:
            return NOT_APPLICABLE[name]
        if (name, parameters.get("solver")) in NOT_APPLICABLE_WITH:
            return NOT_APPLICABLE_WITH[name, parameters["solver"]]
        for value in parameters.values():
            if inspect.isclass(value) and value.__name__ in ELSEWHERE:
                return ELSEWHERE[value.__name__]
            if type(value).__name__ in ELSEWHERE:
                return ELSEWHERE[type(value).__name__]
        return None if "LogisticRegression" in text or LogisticRegression in parameters.values() else "does not use LogisticRegression"

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::")[-1].split("[")[0]
        counts = self.cases.setdefault(name, collections.Counter())
        if report.when == "call" and report.passed:
            counts["passed"] += 1
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            reason = reason.replace("Skipped: ", "")
            kind = "not applicable" if reason.startswith(NOT_HERE) else "skipped"
            counts[kind] += 1
            counts[(kind, reason.replace(NOT_HERE, "").split("\n")[0])] += 1
        elif report.failed:
            counts["failed"] += 1
            self.failures.append((report.nodeid.split("::")[-1], str(report.longrepr)))


def run(only):
    path = importlib.util.find_spec("sklearn.linear_model.tests.test_logistic").origin
    plugin = Substitution()
    arguments = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", os.path.dirname(path), "-W", "ignore", path]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(arguments + (["-k", only] if only else []), plugins=[plugin])
    return plugin


def table(plugin):
    totals = collections.Counter()
    lines = ["| scikit-learn's test | passed | not applicable | why |", "|---|---|---|---|"]
    for name, counts in plugin.cases.items():
        for kind in ("passed", "not applicable", "skipped", "failed"):
            totals[kind] += counts[kind]
        reasons = "; ".join(reason for kind, reason in (key for key in counts if isinstance(key, tuple)))
        failed = f"**{counts['failed']} FAILED** " if counts["failed"] else ""
        skipped = f"{counts['skipped']} skipped by scikit-learn: " if counts["skipped"] else ""
        lines.append(f"| `{name}` | {counts['passed'] or ''} | {counts['not applicable'] or ''} | {failed}{skipped}{reasons} |")
    summary = (
        f"scikit-learn {sklearn.__version__}: {totals['passed']} cases passed, {totals['failed']} failed, "
        f"{totals['not applicable']} do not apply, {totals['skipped']} were skipped by scikit-learn itself."
    )
    return summary, lines, totals


def write(path, text):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(BEGIN)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", metavar="README")
    parser.add_argument("--only", metavar="WORDS", help="tests of this name, as pytest -k")
    parser.add_argument("--failures", action="store_true", help="print what failed in full")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    plugin = run(options.only)
    summary, lines, totals = table(plugin)
    print(f"setosa {setosa.__version__}", "\n".join(lines), summary, sep="\n")
    for name, text in plugin.failures if options.failures else []:
        print(f"\n==== {name}\n{text}")
    if options.write:
        write(options.write, "\n".join([summary, "", *lines]))
    return 1 if totals["failed"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
