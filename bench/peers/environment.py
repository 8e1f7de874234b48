"""Sets up what the peers need in a virtual environment, each by itself: what cannot be had is reported with the reason. Standard library.

PyTorch's wheel for Linux is built for CUDA and asks for gigabytes of libraries that a CPU never calls. It is installed without them; stand-ins
with the same names, whose functions only trap, satisfy the linker. Where that fails, a PyTorch of the system's Python is looked for.
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# peer -> (what it imports, groups of pip arguments)
PEERS = {
    "numpy": ("numpy", [["numpy", "scipy"]]),
    "scipy": ("scipy", [["numpy", "scipy"]]),
    "torch": ("torch", [["numpy"], ["--no-deps", "torch"], ["typing-extensions", "sympy", "networkx", "jinja2", "fsspec", "filelock"]]),
    "jax": ("jax", [["numpy", "scipy", "jax"]]),
    "sklearn": ("sklearn", [["scikit-learn"]]),
    "sklearn_saga": ("sklearn", [["scikit-learn"]]),
    "sklearn_liblinear": ("sklearn", [["scikit-learn"]]),
    "sklearnex": ("sklearnex", [["scikit-learn-intelex"]]),
    "tinygrad": ("tinygrad", [["numpy", "scipy", "tinygrad"]]),
    "mlpack": ("mlpack", [["mlpack"]]),
    "liblinear": ("liblinear", [["numpy", "scipy", "scikit-learn", "liblinear-official"]]),
}


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def attempt(command, seconds, **more):
    """Runs a command; returns "" or the last line of what it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else last_line(done.stderr or done.stdout)


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, str(path)], capture_output=True, text=True, check=True).stdout


def undefined_symbols(libraries):
    """(names of needed libraries, {library: {version: symbols}}, undefined symbols without a version) of some shared libraries."""
    needed, owner, undefined = set(), {}, set()
    for path in libraries:
        needed |= set(re.findall(r"NEEDED.*\[(.*)\]", readelf("-d", path)))
        file = ""
        for match in re.finditer(r"File: (\S+)|Name: (\S+)", readelf("-V", path)):
            if match[1]:
                file = match[1]
            else:
                owner[match[2]] = file
        for line in readelf("--dyn-syms", path).splitlines():
            fields = line.split()
            if len(fields) >= 8 and fields[6] == "UND":
                undefined.add(fields[7].replace("@@", "@"))
    versioned, plain = collections.defaultdict(lambda: collections.defaultdict(set)), set()
    for symbol in undefined:
        name, _, version = symbol.partition("@")
        if version:
            versioned[owner.get(version, "")][version].add(name)
        else:
            plain.add(name)
    return needed, versioned, plain


def make_stand_ins(libraries, present, folder):
    """A shared library for every needed CUDA library that is not there; each function in it traps."""
    needed, versioned, plain = undefined_symbols(libraries)
    missing = sorted(name for name in needed if re.match(r"lib(cu|nccl|nv)", name) and name not in present)
    # Symbols without a version may come from any library: all go into one.
    loose = sorted(name for name in plain if re.match(r"(cu[A-Zdbsf]|nccl|nvrtc|nvshmem|nvJit)", name))
    folder.mkdir(exist_ok=True)
    for count, library in enumerate(missing):
        symbols = versioned.get(library, {})
        names = sorted(set().union(*symbols.values())) + (loose if count == 0 else [])
        source = "typedef int nothing;\n" + "".join(f"void {name}(void) {{ __builtin_trap(); }}\n" for name in dict.fromkeys(names))
        script = "".join(f"{version} {{ global: {' '.join(name + ';' for name in sorted(some))} }};\n" for version, some in symbols.items())
        with tempfile.NamedTemporaryFile("w", suffix=".map") as exports:
            exports.write(script or "{ global: *; };\n")
            exports.flush()
            link = ["-Wl,-soname," + library, "-Wl,--version-script=" + exports.name, "-o", str(folder / library)]
            subprocess.run(["cc", "-w", "-shared", "-fPIC", "-x", "c", "-", *link], input=source, text=True, check=True)


def torch_without_cuda(venv):
    """Makes an installed PyTorch importable without CUDA's libraries. Returns the folders for LD_LIBRARY_PATH."""
    libraries = next(iter(venv.glob("lib/python*/site-packages/torch/lib")))
    # CUDA's runtime is small and called while the libraries load, so it is the real one, of the version that PyTorch names.
    needed = set().union(*(set(re.findall(r"libcudart\.so\.(\d+)", readelf("-d", path))) for path in libraries.glob("*.so*")))
    for major in needed:
        package = "nvidia-cuda-runtime" if int(major) >= 13 else f"nvidia-cuda-runtime-cu{major}"
        reason = attempt([venv / "bin/pip", "install", "-q", "--no-deps", f"{package}=={major}.*"], 600)
        if reason:
            raise RuntimeError(reason)
    runtime = sorted({str(path.parent) for path in venv.glob("lib/python*/site-packages/nvidia/**/libcudart.so.*")})
    present = {path.name for path in libraries.glob("*.so*")} | {f"libcudart.so.{major}" for major in needed}
    stand_ins = venv / "stand-ins"
    make_stand_ins(sorted(libraries.glob("*.so*")), present, stand_ins)
    return [str(stand_ins), *runtime]


def importable(python, module, library_path=()):
    environment = {"LD_LIBRARY_PATH": ":".join(library_path), "PATH": "/usr/bin:/bin"}
    return attempt([python, "-c", f"import {module}"], 120, env=environment)


def prepare_torch(venv, entry):
    """PyTorch has three ways to be there: as installed, with stand-ins, or in the system's Python."""
    reason = importable(entry["python"], "torch")
    if reason and not entry.get("reason"):
        try:
            entry["library_path"] = torch_without_cuda(venv)
            reason = importable(entry["python"], "torch", entry["library_path"])
        except (OSError, RuntimeError, StopIteration, subprocess.CalledProcessError) as error:
            reason = str(error)
    if reason:
        system = shutil.which("python3", path="/usr/bin")
        if system and not importable(system, "torch, numpy, scipy"):
            return {"python": system}
        entry.setdefault("reason", reason)
    else:
        entry.pop("reason", None)
    return entry


def install(venv, peer, say):
    """Returns {"python", "library_path", "reason"}: how to run the peer, or why it cannot be."""
    module, groups = PEERS[peer]
    entry = {"python": str(venv / "bin/python")}
    if peer != "torch" and not importable(entry["python"], module):
        return entry
    if peer == "torch" and list(venv.glob("lib/python*/site-packages/torch/lib")):
        groups = []
    for group in groups:
        say(f"installing {' '.join(word for word in group if not word.startswith('-'))}")
        reason = attempt([venv / "bin/pip", "install", "-q", "--disable-pip-version-check", *group], 1800)
        if reason:
            entry["reason"] = f"pip: {reason}"
            break
    if peer == "torch":
        return prepare_torch(venv, entry)
    entry.setdefault("reason", importable(entry["python"], module) or None)
    return entry


def prepare(venv, peers, say):
    """Makes the environment and every peer in it; {peer: entry}. What was set up before is asked for again only if it had failed."""
    note = venv / "peers.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    if not (venv / "bin/python").exists():
        reason = attempt([sys.executable, "-m", "venv", str(venv)], 300)
        if reason:
            raise SystemExit(f"run: no virtual environment in {venv}: {reason}; install python3-venv, then run this again")
    for peer in dict.fromkeys(["numpy", *peers]):  # the data is written with numpy
        if peer not in known or known[peer].get("reason"):
            known[peer] = install(venv, peer, say)
            note.write_text(json.dumps(known, indent=1))
    return known
