"""Packages of another Debian in a folder, and how a program is run there: the machine's own sources with another suite. Standard library.

The folder gets its own C library and is entered by chroot, with this machine's /proc, /sys, /dev and the folders of Setosa mounted in a
namespace of their own. That takes root, or a kernel that lets users have namespaces.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess

PACKAGES = ("pocl-opencl-icd", "mesa-opencl-icd", "ocl-icd-libopencl1")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
APT = pathlib.Path("/etc/apt")

Root = collections.namedtuple("Root", "path prefix")


class Impossible(Exception):
    """Why there is no such folder."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def call(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Impossible(f"{command[0]}: {last_line(done.stderr or done.stdout)}")
    return done.stdout


def codename():
    try:
        words = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    except OSError:
        words = {}
    if words.get("ID") != "debian" or not shutil.which("apt-get"):
        raise Impossible("this machine is no Debian, whose sources would say where another one is")
    return words.get("VERSION_CODENAME", "")


def archive(release):
    """(URI, options in brackets) of the source that has this machine's own release."""
    for file in sorted(APT.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.M))
            if release in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split() and fields.get("URIs"):
                key = fields.get("Signed-By", "").strip()
                return fields["URIs"].split()[0], f"[signed-by={key}]" if key else ""
    for file in (APT / "sources.list", *sorted(APT.glob("sources.list.d/*.list"))):
        for line in file.read_text().splitlines() if file.exists() else ():
            match = re.match(r"deb\s+(\[[^]]*\])?\s*(\S+)\s+(\S+)\s+main\b", line)
            if match and match[3] == release:
                return match[2], match[1] or ""
    raise Impossible(f"no source of apt has {release} main")


def apt_options(folder, suite):
    """A state of apt of its own: nothing is installed there, and one source is known."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / "apt" / name).mkdir(parents=True, exist_ok=True)
    (folder / "apt/status").touch()
    uri, brackets = archive(codename())
    (folder / "apt/sources.list").write_text(f"deb {brackets} {uri} {suite} main\n")
    settings = {
        "Dir::Etc::sourcelist": folder / "apt/sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": folder / "apt/state",
        "Dir::State::status": folder / "apt/status",
        "Dir::Cache": folder / "apt/cache",
        "APT::Sandbox::User": "root",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def unpack(folder, suite, root):
    options = apt_options(folder, suite)
    call(["apt-get", *options, "-q", "update"])
    call(["apt-get", *options, "-q", "-y", "-d", "--no-install-recommends", "install", *PACKAGES])
    partly = folder / "root.part"
    shutil.rmtree(partly, ignore_errors=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (partly / "usr" / name).mkdir(parents=True)
        (partly / name).symlink_to(f"usr/{name}")
    for name in ("tmp", "proc", "sys", "dev"):
        (partly / name).mkdir()
    for package in sorted((folder / "apt/cache/archives").glob("*.deb")):
        call(["dpkg-deb", "-x", package, partly])
        package.unlink()
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
