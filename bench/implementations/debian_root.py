"""Packages of another Debian in a folder, and how a program is run there: the machine's own sources with another suite. Standard library.

The folder gets its own C library and is entered by chroot, with this machine's /proc, /sys, /dev and the folders of Setosa mounted in a
namespace of their own. That takes root, or a kernel that lets users have namespaces.
"""

import collections
import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import private_apt  # noqa: E402
from private_apt import Impossible, call, last_line  # noqa: E402,F401 (obtain.py and runs.py take them from here)

PACKAGES = ("pocl-opencl-icd", "mesa-opencl-icd", "ocl-icd-libopencl1")
LIBRARIES = "usr/lib/x86_64-linux-gnu"

Root = collections.namedtuple("Root", "path prefix")


def unpack(folder, suite, root):
    about = private_apt.release()
    if about.get("ID") != "debian":
        raise Impossible("this machine is no Debian, whose sources would say where another one is")
    uri, brackets = private_apt.archive(about.get("VERSION_CODENAME", ""))
    apt = private_apt.Apt(folder / "apt", {"chosen.list": f"deb {brackets} {uri} {suite} main\n"})
    apt.get("update")
    apt.get("-y", "-d", "--no-install-recommends", "install", *PACKAGES)
    partly = folder / "root.part"
    shutil.rmtree(partly, ignore_errors=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (partly / "usr" / name).mkdir(parents=True)
        (partly / name).symlink_to(f"usr/{name}")
    for name in ("tmp", "proc", "sys", "dev"):
        (partly / name).mkdir()
    private_apt.unpack(folder / "apt/cache/archives", partly)
    partly.rename(root)


def add_libraries(root, programs):
    """What Setosa's programs need and the folder has not; newer libraries there stay."""
    for program in programs:
        for library in re.findall(r"=> (/\S+)", call(["ldd", program])):
            place = root / LIBRARIES / os.path.basename(library)
            if not place.exists():
                shutil.copy(library, place)


def make(folder, suite, options):
    """The folder, made or found, and the words that run a program in it."""
    root = folder / "root"
    folder.mkdir(parents=True, exist_ok=True)
    for tool in ("unshare", "chroot", "apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Impossible(f"{tool} is not there")
    alone = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
    try:
        call([*alone, "mount", "--bind", "/proc", folder])
    except Impossible as reason:
        raise Impossible(f"it takes root, or namespaces for users: {reason}") from None
    if not root.exists():
        unpack(folder, suite, root)
    add_libraries(root, [options.setosa, *(options.build.glob("tests/kernels_*") if options.kernels else ())])
    places = [pathlib.Path(name) for name in ("/proc", "/sys", "/dev")] + sorted({options.source, options.build, options.folder})
    mounts = ""
    for number, place in enumerate(places, 2):
        (root / place.relative_to("/")).mkdir(parents=True, exist_ok=True)
        mounts += f'mount --{"rbind" if number < 5 else "bind"} "${number}" "$1${number}"\n'
    script = f'set -e\n{mounts}root=$1\nshift {len(places) + 1}\nexec chroot "$root" "$@"'
    return Root(root, (*alone, "sh", "-c", script, "sh", str(root), *map(str, places)))
