"""."""


def make(report, *rest):
    report.skip("resources", "not written yet")
