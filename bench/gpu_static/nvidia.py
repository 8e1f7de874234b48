"""NVIDIA's compilers without a GPU: OpenCL C to PTX by the library of the driver (or by clang and libclc), PTX to machine code by ptxas.

What ptxas says of registers and spills is kept, and the machine code is read back with the PTX line that each instruction comes from, so that
counts of executed PTX (ptx.py) become counts of executed machine instructions."""

import collections
import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import subprocess

import ptx

ARCHS = ('sm_75', 'sm_80', 'sm_90')
CLASS_OF = {
    'fma': ('FFMA', 'FFMA2'),
    'matrix': ('HMMA', 'IMMA', 'DMMA'),
    'float': ('FADD', 'FMUL', 'FSEL', 'FMNMX', 'FSETP', 'FCHK', 'FSET', 'FSWZADD', 'HADD2', 'HFMA2', 'HMUL2'),
    'special': ('MUFU', 'I2F', 'F2I', 'F2F', 'FRND', 'I2FP', 'F2FP', 'POPC', 'FLO', 'BREV'),
    'local': ('LDS', 'STS', 'ATOMS', 'LDSM', 'SHFL'),
    'global': ('LDG', 'STG', 'LD', 'ST', 'ATOMG', 'RED', 'LDGSTS', 'CCTL'),
    'private': ('LDL', 'STL'),
    'constant': ('LDC', 'ULDC', 'LDCU'),
    'control': ('BRA', 'BSSY', 'BSYNC', 'BREAK', 'EXIT', 'RET', 'CALL', 'BAR', 'NOP', 'WARPSYNC', 'YIELD', 'NANOSLEEP', 'DEPBAR', 'LDGDEPBAR', 'BMOV',
                'MEMBAR', 'ERRBAR', 'BRX', 'JMP'),
}  # fmt: skip
UNIFORM = re.compile(r'^(U[A-Z]|R2UR|S2UR)')


class Missing(Exception):
    """A tool is not there; the text says which."""


def class_of(opcode):
    """The unit that an opcode keeps busy: a key of CLASS_OF, 'uniform' or 'int' for what is left."""
    stem = opcode.split('.')[0]
    for name, opcodes in CLASS_OF.items():
        if stem in opcodes:
            return name
    return 'uniform' if UNIFORM.match(stem) else 'int'


@contextlib.contextmanager
def silence():
    """What is written to stderr goes nowhere."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Machine:
    """One kernel in machine code: registers, spill bytes, private and local memory, and instructions as (opcode, PTX line)."""

    def __init__(self, name):
        self.name = name
        self.registers = self.spill = self.stack = self.local = 0
        self.code = []
        self.loops = []

    def share_of_fma(self):
        """The largest part of multiply-adds in a loop that has at least 8, and its mix."""
        best, mix = 0.0, collections.Counter()
        for first, last in self.loops:
            if any((f, l) != (first, last) and f >= first and l <= last for f, l in self.loops):
                continue  # not an innermost one
            found = collections.Counter(class_of(op) for op, _ in self.code[first:last + 1])
            part = (found['fma'] + found['matrix']) / (last + 1 - first)
            if found['fma'] + found['matrix'] >= 8 and part > best:
                best, mix = part, found
        return best, mix


class Tools:
    """Where the compilers are. folder: what tools brought, or None. kept: a folder for PTX that is asked for again; None: nowhere."""

    def __init__(self, folder=None, kept=None):
        self.folder, self.kept = folder, kept
        paths = [os.environ.get('PATH', '')]
        if folder:
            paths[:0] = [os.path.join(folder, 'cuda', 'nvidia', d, 'bin') for d in ('cu13', 'cu12')]
        self.path = os.pathsep.join(paths)
        self.ptxas = shutil.which('ptxas', path=self.path)
        self.nvdisasm = shutil.which('nvdisasm', path=self.path)
        self.library = self.find_library()
        self.clang, self.libclc = self.find_clang()

    @property
    def compiler(self):
        """Who makes PTX, for people; None: nobody."""
        if self.library:
            return "NVIDIA's OpenCL compiler"
        return f'{os.path.basename(self.clang)} with libclc' if self.clang else None

    def find_clang(self):
        """A clang that makes PTX, 14 to 16, and the built-in functions of libclc."""
        library = '/usr/lib/clc/nvptx64--nvidiacl.bc'
        for version in (16, 15, 14):
            found = shutil.which(f'clang-{version}')
            if found and os.path.exists(library):
                return found, library
        return None, None

    def find_library(self):
        """NVIDIA's OpenCL compiler: $SETOSA_NVVM, the folder's, the driver's."""
        places = [os.environ.get('SETOSA_NVVM', '')]
        roots = [os.path.join(self.folder, 'root') if self.folder else '', '/']
        for root in roots:
            if root:
                for below in ('usr/lib/x86_64-linux-gnu/nvidia/current', 'usr/lib/x86_64-linux-gnu', 'usr/lib64'):
                    places.append(os.path.join(root, below, 'libnvidia-nvvm.so.4'))
        return next((p for p in places if p and os.path.exists(p)), None)

    def to_ptx(self, source, options, arch):
        """PTX of an OpenCL source without includes. options: those of the host, as -DNAME=VALUE and the like."""
        if not self.library and self.clang:
            return self.clang_ptx(source, options, arch)
        if not self.library:
            raise Missing("NVIDIA's OpenCL compiler (libnvidia-nvvm.so.4), or clang-14 to 16 with libclc")
        if not self.kept:
            return self.library_ptx(source, options, arch)
        file = os.path.join(self.kept, hashlib.sha256(repr((source, options, arch)).encode()).hexdigest() + '.ptx')
        if not os.path.exists(file):
            os.makedirs(self.kept, exist_ok=True)
            fresh = f'{file}.{os.getpid()}'
            with open(fresh, 'w') as out:
                out.write(self.library_ptx(source, options, arch))
            os.replace(fresh, file)
        with open(file) as text:
            return text.read()

    def library_ptx(self, source, options, arch):
        """The same by NVIDIA's compiler, which counts its warnings on stderr, asked or not."""
        library = ctypes.CDLL(self.library)
        library.NvCliCompileProgram.restype = ctypes.c_int
        defines = [o for o in options.split() if o.startswith(('-D', '-U'))]
        number = arch[3:]
        text = ' '.join(['-nv-m64', f'-cl-nv-arch {arch}', '-cl-nv-cstd=CL1.2', '-w', f'-D__CUDA_ARCH__={number}0', *defines]).encode()
        data = source.encode()
        strings, lengths = (ctypes.c_char_p * 1)(data), (ctypes.c_size_t * 1)(len(data))
        log, program = ctypes.c_void_p(), ctypes.c_void_p()
        with silence():
            code = library.NvCliCompileProgram(strings, ctypes.c_uint(1), lengths, text, ctypes.byref(log), ctypes.byref(program))
        if code != 0:
            words = ctypes.string_at(log.value).decode(errors='replace') if log.value else ''
            raise RuntimeError(f'{arch}: does not compile with {options}:\n{words}')
        return ctypes.string_at(program.value).decode()

    def clang_ptx(self, source, options, arch):
        """The same by clang. It knows cards up to sm_86; ptxas takes that for later ones."""
        defines = [o for o in options.split() if o.startswith(('-D', '-U'))]
        card = arch if int(arch[3:]) <= 86 else 'sm_86'
        command = [self.clang, '-target', 'nvptx64--nvidiacl', '-x', 'cl', '-cl-std=CL1.2', '-Xclang', '-finclude-default-header', '-Xclang',
                   '-target-cpu', '-Xclang', card, '-O3', '-w', '-Xclang', '-mlink-builtin-bitcode', '-Xclang', self.libclc, *defines, '-S', '-o', '-', '-']
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'{arch}: {self.clang} does not take it:\n{done.stderr[:600]}')
        return done.stdout

    def to_machine(self, text, arch, folder, options=''):
        """{kernel: Machine} of a PTX text. options: those of the host, of which ptxas heeds a bound of registers."""
        if not self.ptxas or not self.nvdisasm:
            raise Missing('ptxas' if not self.ptxas else 'nvdisasm')
        source, binary = os.path.join(folder, 'kernel.ptx'), os.path.join(folder, 'kernel.cubin')
        with open(source, 'w') as file:
            file.write(ptx.with_lines(text))
        bound = [o.replace('-cl-nv-maxrregcount', '-maxrregcount') for o in options.split() if o.startswith('-cl-nv-maxrregcount=')]
        done = subprocess.run([self.ptxas, '-v', '-lineinfo', f'-arch={arch}', *bound, '-o', binary, source], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'{arch}: ptxas: {done.stderr.strip()[:400]}')
        machines = resources(done.stderr)
        listing = subprocess.run([self.nvdisasm, '-g', '-c', binary], capture_output=True, text=True, check=True).stdout
        read_listing(machines, listing)
        return machines


def resources(words):
    """{kernel: Machine} of what `ptxas -v` says."""
    machines, current = {}, None
    for line in words.split('\n'):
        match = re.search(r"Compiling entry function '([\w$]+)'|Function properties for ([\w$]+)", line)
        if match:
            name = match.group(1) or match.group(2)
            current = machines.setdefault(name, Machine(name)) if match.group(1) or name in machines else None
        if current is None:
            continue
        match = re.search(r'(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads', line)
        if match:
            current.stack, current.spill = int(match.group(1)), int(match.group(2)) + int(match.group(3))
        match = re.search(r'Used (\d+) registers', line)
        if match:
            current.registers = int(match.group(1))
            current.local = int((re.search(r'(\d+) bytes smem', line) or [0, 0])[1])
    return machines


def read_listing(machines, listing):
    """Fills code and loops of each Machine from nvdisasm's output with line information."""
    current, line, labels, branches = None, 0, {}, []
    for text in listing.split('\n'):
        match = re.match(r'\s*\.section\s+\.text\.([\w$]+)', text)
        if match:
            close(current, labels, branches)
            current, line, labels, branches = machines.get(match.group(1)), 0, {}, []
            continue
        if current is None:
            continue
        match = re.match(r'\s*//## File .*, line (\d+)', text)
        if match:
            line = int(match.group(1))
            continue
        match = re.match(r'(\.L_[\w$]+):', text)
        if match:
            labels[match.group(1)] = len(current.code)
            continue
        match = re.match(r'\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);', text)
        if match:
            target = re.search(r'`\((\.L_[\w$]+)\)', match.group(2))
            if match.group(1).startswith('BRA') and target:
                branches.append((len(current.code), target.group(1)))
            current.code.append((match.group(1), line))
    close(current, labels, branches)


def close(machine, labels, branches):
    if machine is not None:
        found = {}
        for at, label in branches:
            if label in labels and labels[label] <= at:
                found[labels[label]] = max(found.get(labels[label], 0), at)
        machine.loops = sorted(found.items())


def follow_branches(machine, entry):
    """Gives the PTX of a kernel the basic blocks of its machine code."""
    entry.blocks({line for opcode, line in machine.code if opcode.split('.')[0] in ('BRA', 'BRX', 'EXIT')})


def executed(machine, counts):
    """Machine instructions by class that warps executed, from the counts of a run (ptx.Counts) of the same PTX.

    A PTX instruction becomes machine instructions of the same line. Where ptxas unrolled a loop there are several copies of each, which share
    its executions: so many as there are of the multiply-adds, loads and stores of its basic block."""
    entry = counts.entry
    of_line, width = collections.defaultdict(list), {}
    for opcode, line in machine.code:
        of_line[line].append(class_of(opcode))
        if class_of(opcode) in ('local', 'global'):
            width[line] = 4 if '.128' in opcode else 2 if '.64' in opcode else 1
    copies = collections.defaultdict(list)
    for pc, instruction in enumerate(entry.code):
        here = of_line[instruction.line + 1]
        wanted = {'fma': 'fma', 'ld': {'shared': 'local', 'global': 'global'}.get(instruction.space), 'st': {'shared': 'local', 'global': 'global'}.get(instruction.space)}.get(instruction.name)
        if wanted and wanted in here and instruction.space != 'param':
            copies[entry.block_of[pc]].append(here.count(wanted))
    total = collections.Counter()
    for pc, instruction in enumerate(entry.code):
        several = copies.get(entry.block_of[pc])
        share = max(sorted(several)[len(several) // 2], 1) if several else 1
        for name in of_line[instruction.line + 1]:
            total[name] += counts.executed[pc] / share
        if counts.wavefronts[pc]:  # for all bytes of the access; ptxas joins narrow ones, and then one line has all of them
            wider = width.get(instruction.line + 1, 0) / max(instruction.bytes // 4, 1)
            total['near'] += counts.wavefronts[pc] * wider * (0.5 if wider > 1 and counts.uniform[pc] else 1)
    return total
