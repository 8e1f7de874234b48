"""What Setosa has a device do, as record.c writes it down: programs, buffers, launches. And recording: works of full size, where nothing
runs, and small data with all contents, so that launches can be replayed. Python 3.8, NumPy."""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import typing

import numpy as np

here = pathlib.Path(__file__).resolve().parent

WORKS = ("W1", "W2", "W3", "W4", "W5", "W6", "S1", "S2", "S3", "S4")
SIZES = {"char": 1, "uchar": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4, "float": 4, "long": 8, "ulong": 8, "double": 8}
NUMBERS = {"char": "<b", "uchar": "<B", "short": "<h", "ushort": "<H", "int": "<i", "uint": "<I", "long": "<q", "ulong": "<Q", "float": "<f"}


class RecordError(RuntimeError):
    """The program did not come as far as the launches that were wanted."""


# ---- what a record holds ------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Program:
    """One build: the source with its includes resolved, as a driver gets it, and the options."""

    number: int
    source: str
    options: str

    @property
    def macros(self):
        """{name: text} of the -D options."""
        return dict((word[2:].split("=", 1) + ["1"])[:2] for word in self.options.split() if word.startswith("-D"))

    @property
    def name(self):
        """The kernel file that it was made from, without .cl."""
        found = re.match(r'#line 1 "kernels/(\w+)\.cl"', self.source)
        return found.group(1) if found else f"program {self.number}"

    def element(self, kind):
        """Bytes of an element of a pointer type such as float*, float2* or stored*."""
        kind = kind.rstrip("* ")
        if kind == "stored":
            return {"0": 4, "1": 2}.get(self.macros.get("STORAGE", "0"), 1)
        found = re.match(r"([a-z]+?)(\d*)$", kind)
        return SIZES[found.group(1)] * int(found.group(2) or 1)


@dataclasses.dataclass
class Buffer:
    """Memory of the device; offset is where it begins in its root, the whole buffer that it is a part of (or itself)."""

    number: int
    bytes: int
    offset: int = 0
    parent: typing.Optional["Buffer"] = None

    @property
    def root(self):
        return self if self.parent is None else self.parent


@dataclasses.dataclass
class Argument:
    """Of a launch. space: global (then buffer, None for NULL), local (then local_bytes) or private (then value, the bytes)."""

    name: str
    type: str
    space: str
    writable: bool
    buffer: typing.Optional[Buffer] = None
    local_bytes: int = 0
    value: bytes = b""

    @property
    def number(self):
        """The value of a scalar; None for other arguments."""
        return struct.unpack(NUMBERS[self.type], self.value)[0] if self.space == "private" else None


@dataclasses.dataclass
class Launch:
    """before and after: {number of a root buffer: file with its bytes}, where contents were recorded; after, those that it may write."""

    kernel: str
    program: Program
    context: int
    offset: tuple
    global_size: tuple  # three numbers each
    local_size: tuple
    arguments: list
    before: dict
    after: dict

    @property
    def groups(self):
        """Work-groups in each dimension."""
        return tuple(-(-g // l) for g, l in zip(self.global_size, self.local_size))

    @property
    def group_count(self):
        return int(np.prod(self.groups))

    @property
    def items(self):
        """Work-items of a group."""
        return int(np.prod(self.local_size))

    def argument(self, name):
        """The argument of that name."""
        return next(one for one in self.arguments if one.name == name)


@dataclasses.dataclass
class Transfer:
    """kind: write, fill, copy or read; bytes at an offset of a buffer. waits: the host waits for it. source: of a copy."""

    kind: str
    context: int
    buffer: Buffer
    offset: int
    bytes: int
    waits: bool = False
    source: typing.Optional[Buffer] = None
    source_offset: int = 0


@dataclasses.dataclass
class Finish:
    """The host waits for a queue of the context."""

    context: int


class Trace:
    """One record. events: Launch, Transfer and Finish in order; programs; buffers {number: Buffer}."""

    def __init__(self, path):
        self.path, self.folder = pathlib.Path(path), pathlib.Path(f"{path}.d")
        self.events, self.programs, self.buffers, self.device, self.dry = [], [], {}, "", False
        self._programs, self._kernels = {}, {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                what = json.loads(line)
                getattr(self, f"_on_{what.pop('event')}")(**what)

    @property
    def launches(self):
        return [event for event in self.events if isinstance(event, Launch)]

    def contents(self, name):
        """The bytes of a file of before or after."""
        return np.fromfile(self.folder / name, np.uint8)

    def _on_begin(self, dry, device):
        self.dry, self.device = dry, device

    def _on_context(self, id):
        pass

    def _on_queue(self, id, context):
        pass

    def _on_program(self, id, context, source, options):
        self._programs[id] = Program(id, (self.folder / source).read_text(), options)
        self.programs.append(self._programs[id])

    def _on_kernel(self, id, program, name, arguments):
        for argument in arguments:  # PoCL has names that are macros there, as step, with a prefix
            argument["name"] = re.sub("^_cl_", "", argument["name"])
        self._kernels[id] = (name, self._programs[program], arguments)

    def _on_buffer(self, id, bytes, context=0, parent=0, offset=0):
        self.buffers[id] = Buffer(id, bytes, offset, self.buffers.get(parent))

    def _on_launch(self, kernel, context, arguments, offset=(0, 0, 0), before=None, after=None, local=(1,), **sizes):
        name, program, declared = self._kernels[kernel]
        given = [
            Argument(**known, buffer=self.buffers.get(one.get("buffer")), local_bytes=one.get("local", 0), value=bytes.fromhex(one.get("value", "")))
            for known, one in zip(declared, arguments)
        ]
        start, whole, group = (tuple(size) + (fill,) * (3 - len(size)) for size, fill in ((offset, 0), (sizes["global"], 1), (local, 1)))
        numbered = [{int(key): file for key, file in (contents or {}).items()} for contents in (before, after)]
        self.events.append(Launch(name, program, context, start, whole, group, given, *numbered))

    def _on_copy(self, context, buffer, offset, bytes, **source):
        self.events.append(
            Transfer("copy", context, self.buffers.get(buffer), offset, bytes, False, self.buffers.get(source["from"]), source["from_offset"])
        )

    def _transfer(self, kind, context, buffer, offset, bytes, waits):
        self.events.append(Transfer(kind, context, self.buffers.get(buffer), offset, bytes, waits))

    def _on_write(self, **what):
        self._transfer("write", **what)

    def _on_fill(self, **what):
        self._transfer("fill", **what)

    def _on_read(self, **what):
        self._transfer("read", **what)

    def _on_finish(self, context):
        self.events.append(Finish(context))


def parts(trace):
    """{context: [events between two waits of the host for that context's queue, ...]}, contexts in the order of their first event."""
    found = {}
    for event in trace.events:
        lists = found.setdefault(event.context, [[]])
        if isinstance(event, Finish):
            lists.append([])
        else:
            lists[-1].append(event)
    return found


def steps(trace):
    """For each row of a bench (a work, operation and storage) in order: the launches of its first pass, as a list.

    Every row opens a context of its own, which `setosa bench` waits for before and after the first pass over all rows; what follows is judged
    and timed. Opening a backend copies, but launches nothing."""
    passes = []
    for lists in parts(trace).values():
        launches = [[event for event in events if isinstance(event, Launch)] for events in lists]
        passes += [some for some in launches if some][:1]
    return passes


# ---- recording ----------------------------------------------------------------------------------------------------------


def build_recorder(folder, compiler="cc"):
    """The module, built again when its source is newer."""
    source, module = here / "record.c", pathlib.Path(folder) / "record.so"
    module.parent.mkdir(parents=True, exist_ok=True)
    if not module.exists() or module.stat().st_mtime < source.stat().st_mtime:
        fresh = module.with_name(f"record.{os.getpid()}.so")
        subprocess.run([compiler, "-std=c11", "-shared", "-fPIC", "-O1", "-o", fresh, source, "-ldl"], check=True)
        fresh.replace(module)
    return module


def _key(setosa, arguments, settings, kernels):
    """A name for a record: the same while the program, its kernels and the question are the same."""
    known = hashlib.sha256(repr((arguments, sorted(settings.items()))).encode())
    files = [pathlib.Path(setosa).resolve(), here / "record.c", *(sorted(pathlib.Path(kernels).glob("*.cl*")) if kernels else [])]
    for file in files:
        stat = file.stat()
        known.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return known.hexdigest()[:16]


def record(setosa, arguments, folder, device="h100", dry=False, data=False, parts_most=0, kernels=None, seconds=600):
    """Runs setosa with these arguments and the module, and loads what it recorded. folder keeps records (the same question is answered
    from there), the module and a cache folder of its own. kernels: SETOSA_KERNEL_DIR."""
    folder = pathlib.Path(folder).resolve()
    settings = {"SETOSA_RECORD_DEVICE": device, "SETOSA_RECORD_DRY": str(int(dry)), "SETOSA_RECORD_DATA": str(int(data))}
    if device in ("h100", "a100"):  # PoCL, which plays their part, knows no compute capability
        settings["SETOSA_TENSOR_CORES"] = os.environ.get("SETOSA_TENSOR_CORES", "1")
    if parts_most:
        settings["SETOSA_RECORD_PARTS"] = str(parts_most)
    if kernels:
        settings["SETOSA_KERNEL_DIR"] = str(pathlib.Path(kernels).resolve())
    path = folder / f"{_key(setosa, arguments, settings, kernels)}.jsonl"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}.new")
        # With a cache of its own the program checks its kernels each time, and on the shape of its data.
        paths = {"SETOSA_RECORD": str(fresh), "LD_PRELOAD": str(build_recorder(folder)), "XDG_CACHE_HOME": f"{fresh}.cache"}
        paths["POCL_CACHE_DIR"] = os.environ.get("POCL_CACHE_DIR", str(folder / "pocl"))
        try:
            done = subprocess.run(
                [setosa, *arguments], capture_output=True, text=True, timeout=seconds, check=False, env={**os.environ, **settings, **paths}
            )
        except subprocess.TimeoutExpired as error:
            raise RecordError(f"setosa {' '.join(arguments)}: not done after {seconds} s") from error
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if not fresh.exists() or '"event":"launch"' not in fresh.read_text():
            raise RecordError(f"setosa {' '.join(arguments)}: nothing was launched: {said}")
        if not dry and done.returncode != 0:
            raise RecordError(f"setosa {' '.join(arguments)}: {said}")
        old = pathlib.Path(f"{path}.d")
        if old.exists():  # of a run that was interrupted between the two
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        pathlib.Path(f"{fresh}.d").rename(old)
        fresh.rename(path)
    return Trace(path)


def bench_arguments(source, what, storage, family=None):
    """Of a bench that only the first pass of matters."""
    device = ["--backends", "native", "--tune", "off", "--force-device", "--storage", storage, *(["--family", family] if family else [])]
    return ["bench", *source, "--what", what, *device, "--repeat", "1", "--quiet", "--json"]


def train_arguments(source, solver, *more):
    """Of a short training, before which the program checks every operation of the shape on the device."""
    return ["train", *source, "--backend", "native", "--family", "gpu", "--tune", "off", "--force-device", "--solver", solver, *more]


def record_work(setosa, work, what="step", device="h100", storage="f32", folder="build/gpu_static", kernels=None):
    """The launches of one work of the suite (W1 to W6, S1 to S4) at full size; nothing runs. what: step, hessian or predict."""
    return record(setosa, bench_arguments(["--work", work], what, storage), folder, device, dry=True, kernels=kernels)


def record_suite(setosa, works=WORKS, whats=("step",), device="h100", storage="f32", folder="build/gpu_static", kernels=None):
    """{(work, what): Trace} by record_work, as many at a time as there are processors."""
    build_recorder(folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {
            (work, what): pool.submit(record_work, setosa, work, what, device, storage, folder, kernels) for work in works for what in whats
        }
        return {key: job.result() for key, job in jobs.items()}


def byte_rows(folder, rows, features, classes):
    """Files with made-up rows of whole numbers 0 to 255 and labels, for storage u8. Their paths."""
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data, labels = (folder / f"bytes-{rows}-{features}-{classes}-{name}.npy" for name in ("rows", "labels"))
    if not labels.exists():
        random = np.random.default_rng(rows + features + classes)
        np.save(data, random.integers(0, 256, (rows, features), np.uint8))
        np.save(labels, np.append(np.arange(classes), random.integers(0, classes, rows))[:rows].astype(np.int32))
    return data, labels


def record_small(
    setosa, rows, features, classes, storage="f32", what="step", device="h100", extra="", folder="build/gpu_static", kernels=None, family=None
):
    """The first pass over made-up rows, with the contents of all buffers. extra: more of the specification, as in ",sparsity=0.98"."""
    source = [f"synthetic:rows={rows},features={features},classes={classes}{extra}"]
    if storage == "u8":
        data, labels = byte_rows(folder, rows, features, classes)
        source = [str(data), "--labels", str(labels)]
    arguments = bench_arguments(source, what, storage, family)
    return record(setosa, arguments, folder, device, data=True, parts_most=1, kernels=kernels)
