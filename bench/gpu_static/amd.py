"""AMD's GPUs without one: clang and libclc compile a program to assembly, whose end says what each kernel takes. Standard library only."""

import dataclasses
import pathlib
import re

import offline

ARCHITECTURES = {"gfx90a": 8, "gfx1030": 16, "gfx1100": 16}  # most waves of a SIMD unit
LEAST_FMA = 4  # of a hot loop; polynomials of exp have fewer in a loop, and kernels that only move data none


@dataclasses.dataclass
class Resources:
    """Of one kernel. spills: registers that were moved out; scratch: bytes of memory a work-item; local: bytes a group, without arguments."""

    kernel: str
    architecture: str
    vgprs: int
    sgprs: int
    vgpr_spills: int
    sgpr_spills: int
    scratch: int
    local: int
    wave: int
    occupancy: int  # waves of a SIMD unit that its registers and local memory allow
    occupancy_most: int
    instructions: int
    loops: list  # offline.Loop of the innermost loops with LEAST_FMA multiply-adds or more

    @property
    def clean(self):
        """Nothing that belongs into registers is in memory."""
        return self.scratch == 0 and self.vgpr_spills == 0


def find_clang(tools=offline.TOOLS):
    """(clang, libclc's file, triple, LD_LIBRARY_PATH), of the newest that has both."""
    for root in offline.roots(tools):
        for clang in sorted(root.glob("usr/lib/llvm-*/bin/clang"), key=lambda path: -offline.version_of(path.parents[1])):
            own = root / f"usr/lib/llvm-{offline.version_of(clang.parents[1])}/share/clc"
            for name, triple in (("amdgcn-amd-amdhsa", "amdgcn-amd-amdhsa"), ("amdgcn--amdhsa", "amdgcn--amdhsa")):
                for library in (own / f"{name}.bc", root / f"usr/lib/clc/{name}.bc"):
                    if library.exists():
                        return clang, library, triple, offline.libraries(root)
    raise offline.ToolMissing("clang with libclc for amdgcn")


def classify(line):
    """(class, multiply-adds) of an instruction."""
    op = line.split(None, 1)[0]
    if re.match(r"v_(pk_)?(fma_f32|fmac_f32|mac_f32|fmaak|fmamk)|v_dual_", op):
        fma = len(re.findall(r"v_(?:dual_)?(?:fma_f32|fmac_f32|mac_f32|fmaak_f32|fmamk_f32)", line)) + 2 * op.startswith("v_pk_fma")
        return ("dual" if op.startswith("v_dual") else "packed" if op.startswith("v_pk") else "fma"), fma
    if re.match(r"(ds|global|flat|buffer)_(read|load)", op):
        return ("local:" if op.startswith("ds") else "global:") + width(op), 0
    for pattern, name in (
        (r"ds_", "local store"),
        (r"(global|flat|buffer)_", "global store"),
        (r"scratch_", "scratch"),
        (r"s_(waitcnt|wait_|delay)", "wait"),
        (r"s_barrier", "barrier"),
        (r"s_(cbranch|branch)", "branch"),
        (r"s_(load|buffer_load)", "scalar load"),
        (r"s_", "scalar"),
        (r"v_(exp|log|rcp|rsq|sqrt|sin|cos)_", "special"),
        (r"v_.*_(f32|f16)", "float"),
        (r"v_", "integer"),
    ):
        if re.match(pattern, op):
            return name, 0
    return "other", 0


def width(op):
    """Bits of a load; 2x32 and 2x64 read two places."""
    pair = "2x" if re.search(r"(read|load)_?2|2addr", op) else ""
    found = re.search(r"dwordx(\d)|[bui](\d+)$|[bui](\d+)_|(dword)|(ubyte|sbyte)|(ushort|sshort|short)", op)
    if not found:
        return f"{pair}?"
    words, ending, inside, word, byte, _ = found.groups()
    return pair + str(32 * int(words) if words else ending or inside or (32 if word else 8 if byte else 16))


def _bodies(text):
    """{kernel: its lines} of an assembly text."""
    bodies, name = {}, None
    for line in text.splitlines():
        label = re.match(r"^(\w+):", line)
        if label:
            name = label.group(1)
            bodies[name] = []
        elif name is not None:
            bodies[name].append(line)
    return bodies


def _items(lines):
    """Labels and instructions as offline.inner_loops takes them."""
    items = []
    for line in lines:
        label = re.match(r"^(\.LBB\w+):", line)
        if label:
            items.append((label.group(1),))
        elif re.match(r"^\t[a-z]\w", line):
            code = line.strip().split(";")[0]
            items.append((code, re.findall(r"\.LBB\w+", code) if code.startswith(("s_cbranch", "s_branch")) else []))
        elif line.startswith(".Lfunc_end"):
            break
    return items


def read(text, arch):
    """[Resources] from the assembly of a program."""
    found, bodies = [], _bodies(text)
    metadata = text[text.find("amdhsa.kernels:") : text.find(".end_amdgpu_metadata")]
    for block in re.split(r"\n  - (?=\.\w+:)", metadata)[1:]:
        name = re.search(r"^    \.symbol:\s+'?(\w+)\.kd", block, re.M)
        if not name or name.group(1) not in bodies:
            raise offline.CompileError(f"{arch}: a kernel of the metadata has no code")
        number = lambda key: int((re.search(rf"\.{key}:\s+(\d+)", block) or [0, "0"])[1])  # noqa: E731
        items = _items(bodies[name.group(1)])
        occupancy = re.search(r"; Occupancy: (\d+)", "\n".join(bodies[name.group(1)]))
        found.append(
            Resources(
                name.group(1),
                arch,
                *map(number, ("vgpr_count", "sgpr_count", "vgpr_spill_count", "sgpr_spill_count", "private_segment_fixed_size")),
                number("group_segment_fixed_size"),
                number("wavefront_size"),
                int(occupancy.group(1)) if occupancy else 0,
                ARCHITECTURES.get(arch, 0),
                sum(len(item) == 2 for item in items),
                offline.inner_loops(items, classify, LEAST_FMA),
            )
        )
    return found


def compile(source_text, options, arch, folder, tools=offline.TOOLS, name="program"):  # pylint: disable=redefined-builtin
    """Compiles a program with the options that the host gives its driver. folder: for NAME.cl and NAME.ARCH.s, which stay. [Resources]"""
    clang, library, triple, libs = find_clang(tools)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source, out = folder / f"{name}.cl", folder / f"{name}.{arch}.s"
    source.write_text(source_text)
    command = [clang, "-target", triple, f"-mcpu={arch}", "-nogpulib", "-x", "cl", "-O3", "-w", *options.split()]
    if offline.version_of(clang.parents[1]) < 16:
        command += ["-Xclang", "-finclude-default-header"]
    offline.run([*command, "-Xclang", "-mlink-builtin-bitcode", "-Xclang", library, "-S", "-o", out, source], libs)
    return read(out.read_text(), arch)
