"""What amd.py and intel.py share: compilers that were unpacked somewhere (tools), and the loops of what they make. Standard library only."""

import collections
import dataclasses
import os
import pathlib
import re
import subprocess

TOOLS = "build/gpu_tools"  # the default of tools


class ToolMissing(RuntimeError):
    """A compiler is not there; the message says which."""


class CompileError(RuntimeError):
    """A compiler refused a program, or what it made could not be read."""


@dataclasses.dataclass
class Loop:
    """An innermost loop. counts: instructions by class; fma: multiply-adds of a lane in one turn (two of a dual or packed one)."""

    label: str
    instructions: int
    fma: int
    fma_instructions: int
    counts: collections.Counter

    @property
    def share(self):
        """Part of the instructions that multiply and add."""
        return self.fma_instructions / max(1, self.instructions)

    def loads(self, kind):
        """{width in bits, as text: how many} of the loads of local or global memory."""
        return {name.split(":")[1]: count for name, count in self.counts.items() if name.startswith(f"{kind}:")}


def version_of(path):
    """The last number in a name, for the newest of several."""
    return int((re.findall(r"\d+", pathlib.Path(path).name) or ["0"])[-1])


def roots(tools):
    """Where packages may lie: unpacked below tools, or installed."""
    return [pathlib.Path(tools).resolve() / "root", pathlib.Path("/")]


def libraries(root):
    """LD_LIBRARY_PATH for programs of a root; empty for the system's own."""
    if root == pathlib.Path("/"):
        return ""
    found = [*sorted(root.glob("usr/lib/*-linux-gnu")), *sorted(root.glob("usr/lib/llvm-*/lib"))]
    return ":".join(map(str, found))


def run(command, libs="", seconds=300, may_fail=False):
    """Runs a compiler. Returns what it printed; CompileError with the first lines of that when it fails and may not."""
    paths = ":".join(filter(None, [libs, os.environ.get("LD_LIBRARY_PATH")]))
    environment = {**os.environ, **({"LD_LIBRARY_PATH": paths} if paths else {})}
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds, env=environment, check=False)
    except OSError as error:
        raise ToolMissing(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise CompileError(f"{pathlib.Path(command[0]).name}: not done after {seconds} s") from error
    said = done.stdout + done.stderr
    if done.returncode != 0 and not may_fail:
        lines = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()
        raise CompileError(f"{pathlib.Path(command[0]).name}: " + " | ".join(lines[:3] or [f"exit code {done.returncode}"]))
    return said


def inner_loops(items, classify, least_fma=1):
    """Loops with at least so many multiply-adds that hold no other such loop, in the order of the code.

    items: (label,) or (instruction, [labels it may go to]) in order. classify(instruction) gives (class, multiply-adds)."""
    place = {item[0]: index for index, item in enumerate(items) if len(item) == 1}
    ends = {}
    for index, item in enumerate(items):
        for target in item[1] if len(item) == 2 else ():
            begin = place.get(target, len(items))
            if begin <= index:
                ends[begin] = max(ends.get(begin, 0), index)
    classes = [classify(item[0]) if len(item) == 2 else None for item in items]
    loops = []
    for begin, end in sorted(ends.items(), key=lambda loop: loop[1] - loop[0]):
        inside = [one for one in classes[begin : end + 1] if one]
        fma = sum(count for _, count in inside)
        if fma >= least_fma and not any(begin <= first and last <= end for first, last, _ in loops):
            made = collections.Counter(name for name, _ in inside)
            loops.append((begin, end, Loop(items[begin][0], len(inside), fma, sum(count > 0 for _, count in inside), made)))
    return [loop for _, _, loop in sorted(loops, key=lambda one: one[0])]
