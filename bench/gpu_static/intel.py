"""Intel's GPUs without one: ocloc compiles a program to the vendor's binary and takes it apart again. Standard library only."""

import dataclasses
import pathlib
import re
import shutil

import offline

ARCHITECTURES = ("dg2", "pvc")
LEAST_FMA = 4  # of a hot loop; polynomials of exp have fewer in a loop, and kernels that only move data none


@dataclasses.dataclass
class Resources:
    """Of one kernel. scratch: bytes of memory that a hardware thread (simd work-items) needs for variables that found no register: those of
    the program (private) and spilled ones (spill), where the compiler tells them apart."""

    kernel: str
    architecture: str
    simd: int
    grf: int
    slm: int
    private: int
    spill: int
    scratch: int
    instructions: int
    loops: list  # offline.Loop of the innermost loops with LEAST_FMA multiply-adds or more

    @property
    def clean(self):
        """Nothing that belongs into registers is in memory."""
        return self.scratch == 0 and self.private == 0 and self.spill == 0


def find_ocloc(tools=offline.TOOLS):
    """(ocloc, LD_LIBRARY_PATH), of the newest."""
    for root in offline.roots(tools):
        for ocloc in sorted(root.glob("usr/bin/ocloc*"), key=lambda path: path.name, reverse=True):
            return ocloc, offline.libraries(root)
    raise offline.ToolMissing("ocloc")


def _link_disassembler(folder, libs):
    """ocloc loads its disassembler by the name that packages for developers alone have. A folder with that name, or "" where it is there."""
    for place in libs.split(":") if libs else sorted(map(str, pathlib.Path("/usr/lib").glob("*-linux-gnu"))):
        found = sorted(pathlib.Path(place).glob("libiga64.so.*"))
        if pathlib.Path(place, "libiga64.so").exists() or not found:
            continue
        link = folder / "lib/libiga64.so"
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(found[0])
        return str(link.parent.resolve())
    return ""


def message(line):
    """The class of a send, from what the disassembler says about it: as load.slm.d32x4.a32 (pvc), or in words with 0xFE as the last byte of
    the descriptor for local memory (dg2)."""
    new = re.search(r"\b(load|store)(?:_\w+)?\.(slm|ugm|tgm|urb)\.d(\d+)\w*?(?:x(\d+))?t?(?=[.\s]|$)", line)
    old = re.search(r"; (?:a64 )?(?:(untyped surface)|(oword)|(?:byte|dword) \w+|aligned oword)(?: aligned)?(?: block)? (read|write)(.*)", line)
    if "scratch block" in line:
        return "scratch"
    if new:
        reads, local, bits = new.group(1) == "load", new.group(2) == "slm", int(new.group(3)) * int(new.group(4) or 1)
    elif old:
        reads, local = old.group(3) == "read", re.search(r"0x[0-9A-F]{6}FE\b", line) is not None
        last = (old.group(4).split() or ["?"])[-1]
        owords = 128 * int(last[1:]) if re.fullmatch(r"x\d+", last) else 0
        bits = 32 * len(last) if old.group(1) else owords or int((re.findall(r"(\d+)b", last) or ["32"])[0])
    else:
        return "barrier" if "barrier" in line else "send"
    place = "local" if local else "global"
    return f"{place}:{bits}" if reads else f"{place} store"


def classify(line):
    """(class, multiply-adds) of an instruction of the disassembly."""
    words = line.split()
    op = words[0]
    if op in ("mad", "madm", "mac"):
        return ("fma", 1) if re.search(r">:f\b", line) else ("integer", 0)
    if op.startswith("dpas"):
        return "matrix", 0
    if op.startswith("send"):
        return message(line), 0
    if op.startswith("sync"):
        return "wait", 0
    if op in ("jmpi", "goto", "join", "while", "if", "else", "endif", "brd", "brc", "break", "cont", "call", "calla", "ret"):
        return "branch", 0
    if op.startswith("math"):
        return "special", 0
    return ("float" if re.search(r">:(f|hf)\b", line) else "integer"), 0


def _items(text):
    """Labels and instructions as offline.inner_loops takes them."""
    items = []
    for line in text.splitlines():
        label = re.match(r"^(L\d+):", line)
        code = re.sub(r"^\([^)]*\)", "", line.strip()).strip()
        if label:
            items.append((label.group(1),))
        elif re.match(r"[a-z]", code) and not code.startswith("illegal"):
            targets = re.findall(r"\bL\d+\b", code) if re.match(r"(jmpi|goto|while|brd|brc|call)\b", code) else []
            items.append((code, targets))
    return items


def _blocks(block):
    """{usage: bytes} of the memory of a hardware thread."""
    found = re.search(r"\n    per_thread_memory_buffers:(.*?)(?=\n    \w|\Z)", block, re.S)
    entries = re.split(r"\n      - ", found.group(1))[1:] if found else []
    sizes = {}
    for entry in entries:
        usage, size = re.search(r"usage:\s+(\w+)", entry), re.search(r"size:\s+(\d+)", entry)
        sizes[usage.group(1) if usage else "?"] = int(size.group(1)) if size else 0
    return sizes


def read(folder, arch):
    """[Resources] from what ocloc took apart into a folder."""
    information = pathlib.Path(folder) / ".ze_info"
    if not information.exists():
        raise offline.CompileError("ocloc made no zebin that it can take apart")
    found = []
    listed = re.split(r"\nkernels_misc_info:", information.read_text())[0]
    for block in re.split(r"\n  - name:", listed)[1:]:
        name = block.split("\n")[0].strip().strip("'\"")
        if "Symbol_Table" in name or "\n    execution_env:" not in block:
            continue
        number = lambda key: int((re.search(rf"\n\s+{key}:\s+(\d+)", block) or [0, "0"])[1])  # noqa: E731
        code = pathlib.Path(folder) / f".text.{name}.asm"
        items = _items(code.read_text()) if code.exists() else []
        sizes = _blocks(block)
        private = max(number("private_size"), sizes.get("private_space", 0))
        spill = max(number("spill_size"), sizes.get("spill_fill_space", 0))
        found.append(
            Resources(
                name,
                arch,
                number("simd_size"),
                number("grf_count"),
                number("slm_size"),
                private,
                spill,
                max(private + spill, sum(sizes.values())),
                sum(len(item) == 2 for item in items),
                offline.inner_loops(items, classify, LEAST_FMA),
            )
        )
    return found


def _newer_format(ocloc, libs):
    """The option by which an old ocloc makes the format of new ones, which have no need of it."""
    return ["--format", "zebin"] if "--format zebin" in offline.run([ocloc, "compile", "--help"], libs, may_fail=True) else []


def compile(source_text, options, arch, folder, tools=offline.TOOLS, name="program"):  # pylint: disable=redefined-builtin
    """Compiles a program with the options that the host gives its driver. folder: for NAME.cl, the binary and NAME.ARCH/ with its parts,
    which stay. [Resources]"""
    ocloc, libs = find_ocloc(tools)
    folder = pathlib.Path(folder).resolve()
    parts = folder / f"{name}.{arch}"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    source = folder / f"{name}.cl"
    source.write_text(source_text)
    made = ["-file", source, "-output", "binary", "-out_dir", parts, "-options", options]
    offline.run([ocloc, "compile", *_newer_format(ocloc, libs), "-device", arch, *made], libs)
    binary = next(parts.glob("*.bin"), None)
    if binary is None:
        raise offline.CompileError("ocloc made no binary")
    dump = parts / "parts"
    dump.mkdir()  # an old ocloc does not make it
    every = ":".join(filter(None, [libs, _link_disassembler(folder, libs)]))
    offline.run([ocloc, "disasm", "-file", binary, "-dump", dump, "-device", arch], every)
    return read(dump, arch)
