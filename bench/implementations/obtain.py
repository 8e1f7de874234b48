"""Where each implementation comes from. Standard library only."""

import collections
import pathlib
import shutil
import subprocess
import sys
import zipfile

import debian_root

VENDORS = pathlib.Path("/etc/OpenCL/vendors")
# Intel's runtime, and what its libraries ask for.
INTEL_WHEELS = ("intel-opencl-rt", "intel-cmplr-lib-rt", "tbb", "tcmlib", "umf")

# obtain(folder, options): a Found, or Skip with the reason.
Implementation = collections.namedtuple("Implementation", "about obtain")
# prefix: before every command line; data: of `setosa check`; slow: a simulator, which gets little to do
Found = collections.namedtuple("Found", "environment prefix data slow", defaults=({}, (), (), False))


class Skip(Exception):
    """It cannot be had, and why."""


def only_driver(folder, library):
    """The environment in which the loader sees this driver alone. A name without a folder is found as any library is."""
    vendors = folder / "vendors"
    shutil.rmtree(vendors, ignore_errors=True)
    vendors.mkdir(parents=True)
    (vendors / "chosen.icd").write_text(f"{library}\n")
    return {"OCL_ICD_VENDORS": str(vendors)}


def installed(icd, package, **environment):
    def obtain(folder, _options):
        file = VENDORS / icd
        if not file.exists():
            raise Skip(f"{file} is not there; {package} brings it")
        return Found({**only_driver(folder, file.read_text().split()[0]), **environment})

    return Implementation(f"what is installed ({package})", obtain)


def fetch_wheels(folder):
    wheels = folder / "wheels"
    if all(list(wheels.glob(f"{name.replace('-', '_')}-*.whl")) for name in INTEL_WHEELS):
        return wheels
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(wheels), *INTEL_WHEELS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"pip cannot download it: {debian_root.last_line(done.stderr)}")
    return wheels


def intel(folder, _options):
    wheels, unpacked = fetch_wheels(folder), folder / "unpacked"
    if not unpacked.exists():
        partly = folder / "unpacked.part"
        shutil.rmtree(partly, ignore_errors=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(partly)
        for loader in partly.rglob("libOpenCL.so*"):  # the program has a loader
            loader.unlink()
        partly.rename(unpacked)
    drivers = list(unpacked.rglob("libintelocl.so"))
    if not drivers:
        raise Skip("its wheels hold no libintelocl.so")
    libraries = ":".join(sorted(str(path) for path in unpacked.glob("*/data/lib")))
    return Found({**only_driver(folder, drivers[0]), "LD_LIBRARY_PATH": libraries})


def of_debian(suite, package, icd, **environment):
    def obtain(folder, options):
        try:
            root = debian_root.make(folder.parent / suite, suite, options)
        except debian_root.Impossible as reason:
            raise Skip(reason) from None
        file = root.path / VENDORS.relative_to("/") / icd
        if not file.exists():
            raise Skip(f"Debian's {suite} has no {icd} in {package}")
        driver = only_driver(folder, file.read_text().split()[0])
        return Found({**driver, **environment}, root.prefix)

    return Implementation(f"Debian's {suite} ({package}), with its C library, in a folder", obtain)


def oclgrind(_folder, _options):
    if shutil.which("oclgrind") is None:
        raise Skip("oclgrind is not there; the package of that name brings it")
    # Without the optimiser, and on as little as tests/oclgrind/run.sh gives it: it is a simulator.
    return Found(
        prefix=("oclgrind", "--build-options", "-cl-opt-disable"),
        data=("synthetic:rows=21,features=5,classes=3,seed=1", "--force-device"),
        slow=True,
    )


RUSTICL = {"RUSTICL_ENABLE": "llvmpipe"}
IMPLEMENTATIONS = {
    "pocl": installed("pocl.icd", "pocl-opencl-icd"),
    "pocl-trixie": of_debian("trixie", "pocl-opencl-icd", "pocl.icd"),
    "pocl-sid": of_debian("sid", "pocl-opencl-icd", "pocl.icd"),
    "intel": Implementation(f"Intel's runtime for CPUs, by pip ({', '.join(INTEL_WHEELS)})", intel),
    "oclgrind": Implementation("what is installed (oclgrind), on tiny data", oclgrind),
    "rusticl": installed("rusticl.icd", "mesa-opencl-icd", **RUSTICL),
    "rusticl-trixie": of_debian("trixie", "mesa-opencl-icd", "rusticl.icd", **RUSTICL),
    "rusticl-sid": of_debian("sid", "mesa-opencl-icd", "rusticl.icd", **RUSTICL),
}
