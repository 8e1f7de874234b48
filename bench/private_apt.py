"""An apt of its own below a folder: the system's index and its list of what is installed are neither read nor changed. Standard library."""

import pathlib
import re
import shutil
import subprocess

APT = pathlib.Path("/etc/apt")


class Impossible(Exception):
    """Why packages cannot be had."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def call(command, **more):
    """What a command prints; Impossible with its last line where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Impossible(f"{command[0]}: {last_line(done.stderr or done.stdout)}")
    return done.stdout


def release():
    """Of /etc/os-release: {name: value}."""
    try:
        lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    return {name: value.strip('"') for name, value in (line.split("=", 1) for line in lines if "=" in line)}


def stanzas():
    """(file, text) of each stanza of the system's .sources files."""
    for file in sorted(APT.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            yield file, stanza


def lines():
    """(file, line) of each line of the system's .list files that names packages."""
    for file in (APT / "sources.list", *sorted(APT.glob("sources.list.d/*.list"))):
        for line in file.read_text().splitlines() if file.exists() else ():
            if line.startswith("deb "):
                yield file, line


def archive(suite):
    """(URI, options in brackets) of the source that has a suite's main packages."""
    for _, stanza in stanzas():
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.M))
        if suite in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split() and fields.get("URIs"):
            key = fields.get("Signed-By", "").strip()
            return fields["URIs"].split()[0], f"[signed-by={key}]" if key else ""
    for _, line in lines():
        match = re.match(r"deb\s+(\[[^]]*\])?\s*(\S+)\s+(\S+)\s+main\b", line)
        if match and match[3] == suite:
            return match[2], match[1] or ""
    raise Impossible(f"no source of apt has {suite} main")


def system_sources(component):
    """{name of a file: its text}: the system's sources, those that have main with another component, too."""
    found = {}
    for file, stanza in stanzas():
        wider = re.sub(r"^(Components:(?=.*\bmain\b)(?!.*\s%s\b).*)$" % component, rf"\1 {component}", stanza, flags=re.M | re.I)
        found[file.name] = found.get(file.name, "") + wider + "\n\n"
    for file, line in lines():
        wider = f"{line} {component}" if re.search(r"\smain\b", line) and not re.search(rf"\s{component}(\s|$)", line) else line
        found[file.name] = found.get(file.name, "") + wider + "\n"
    return found


class Apt:
    """sources: {name of a file: its text}."""

    def __init__(self, folder, sources):
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise Impossible(f"this system has no {tool}")
        self.folder = pathlib.Path(folder)
        for name in ("state/lists/partial", "cache/archives/partial", "sources"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        for name, text in sources.items():
            (self.folder / "sources" / name).write_text(text)
        settings = {
            "Dir::Etc::sourcelist": "-",
            "Dir::Etc::sourceparts": self.folder / "sources",
            "Dir::State": self.folder / "state",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "APT::Sandbox::User": "root",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
            "Acquire::Languages": "none",
            "APT::Update::Error-Mode": "any",
        }
        self.options = [f"-o{name}={value}" for name, value in settings.items()]

    def get(self, *words, **more):
        return call(["apt-get", *self.options, "-q", *words], **more)

    def cache(self, *words):
        return call(["apt-cache", *self.options, *words])

    def knows(self, package):
        try:
            return bool(self.cache("show", package))
        except Impossible:
            return False

    def closure(self, packages, wanted):
        """The packages, and what they need whose names a pattern matches."""
        listed = self.cache("depends", "--recurse", *(f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")), *packages)
        names = {line.strip() for line in listed.splitlines() if re.match(r"[a-z0-9]", line)}
        return sorted(name for name in names if name in packages or re.fullmatch(wanted, name))


def unpack(folder, root):
    """All packages of a folder; they are deleted there."""
    for package in sorted(pathlib.Path(folder).glob("*.deb")):
        call(["dpkg-deb", "-x", package, root])
        package.unlink()
