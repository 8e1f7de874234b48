"""Runs PTX, the assembly that NVIDIA's compiler makes, on the CPU: every work-item of every group of a launch is a lane of NumPy arrays.

Lanes step together from the lowest program counter on, so that those that branched apart meet again. Beside the results a run counts what an
NVIDIA GPU would be busy with (Counts): warp instructions, wavefronts of local memory and of the first-level cache, bytes beyond it, and the time
that one group would take alone. It is meant for the few kernels of this project: what it does not know it refuses.

The PTX ISA manual of NVIDIA says what instructions mean. OpenCL launches have %envreg0..2 = the offset of the first group, 6..8 = the number of
groups."""

import re

import numpy as np

WARP = 32
SECTOR = 32  # bytes of memory that caches move at a time
# Cycles until what was asked for is there: from the first-level cache and local memory, the second-level cache, memory; of a barrier.
NEAR, L2, DRAM, BARRIER = 30, 500, 1200, 30
CYCLES_PER_INSTRUCTION = 2  # of one warp: about half of its instructions wait for the one before, 4 cycles
PAGE = 1 << 16  # bytes of memory whose sectors are kept track of together
SAMPLES = 48  # executions of an access that are looked at for its wavefronts; later ones count as their mean

DTYPES = {
    'f16': np.float16, 'f32': np.float32, 'f64': np.float64, 'u8': np.uint8, 's8': np.int8, 'b8': np.uint8, 'u16': np.uint16, 's16': np.int16,
    'b16': np.uint16, 'u32': np.uint32, 's32': np.int32, 'b32': np.uint32, 'u64': np.uint64, 's64': np.int64, 'b64': np.uint64,
}
COMPARE = {
    'eq': np.equal, 'ne': np.not_equal, 'lt': np.less, 'le': np.less_equal, 'gt': np.greater, 'ge': np.greater_equal, 'lo': np.less,
    'ls': np.less_equal, 'hi': np.greater, 'hs': np.greater_equal, 'neu': np.not_equal, 'ltu': lambda a, b: ~(a >= b),
    'leu': lambda a, b: ~(a > b), 'gtu': lambda a, b: ~(a <= b), 'geu': lambda a, b: ~(a < b), 'equ': lambda a, b: ~((a < b) | (a > b)),
}  # fmt: skip
BINARY = {
    'add': np.add, 'sub': np.subtract, 'and': np.bitwise_and, 'or': np.bitwise_or, 'xor': np.bitwise_xor,
}  # fmt: skip


class Refused(Exception):
    """PTX, or an access to memory, that this interpreter does not take."""


class Instruction:
    """One instruction: op 'ld.global.f32' as parts, its type, operands as text, and what running it needs."""

    def __init__(self, predicate, negated, op, operands, line):
        self.predicate, self.negated, self.op, self.operands, self.line = predicate, negated, op, operands, line
        self.parts = op.split('.')
        self.name, self.type = self.parts[0], self.parts[-1]
        self.registers = re.findall(r'%(?:f|r|rd|rs|p|fd|h|hh)\d+', ' '.join(operands))
        if predicate:
            self.registers.append(predicate)
        self.waits = ()  # load destinations among the registers

    @property
    def space(self):
        return next((p for p in self.parts[1:] if p in ('global', 'shared', 'local', 'param', 'const')), 'generic')

    @property
    def vector(self):
        return next((int(p[1]) for p in self.parts if p in ('v2', 'v4')), 1)


class Entry:
    """A kernel (or a function it calls): parameters as (name, type), local memory by name, code, labels."""

    def __init__(self, name, parameters, body, statements, first_line):
        self.name, self.parameters = name, parameters
        self.shared, self.shared_bytes = {}, 0
        self.private_bytes = sum(int(n) for n in re.findall(r'\.local\s+\.align\s+\d+\s+\.b8\s+[\w$]+\[(\d+)\]', body))
        for align, symbol, size in re.findall(r'\.shared\s+\.align\s+(\d+)\s+\.b8\s+([\w$]+)\[(\d+)\]', body):
            self.shared_bytes = -(-self.shared_bytes // int(align)) * int(align)
            self.shared[symbol] = self.shared_bytes
            self.shared_bytes += int(size)
        for symbol, kind in re.findall(r'\.shared\s+\.align\s+\d+\s+\.(?:[bufs](\d+))\s+([\w$]+)\s*;', body):
            raise Refused(f'{name}: a single number in local memory ({kind})')
        self.code, self.labels = [], {}
        for text, line in statements:
            self.add(text, first_line + line)
        self.blocks()

    def add(self, text, line):
        while True:
            label = re.match(r'([$\w]+):\s*', text)
            if not label:
                break
            self.labels[label.group(1)] = len(self.code)
            line += label.group(0).count('\n')
            text = text[label.end():]
        if not text or text.startswith(('.reg', '.shared', '.local', '.loc', '.pragma', '.file', '.param', '{', '}')):
            return
        match = re.match(r'(?:@(!?)(%p\d+)\s+)?([\w.:]+)\s*(.*)$', text, re.S)
        if not match:
            raise Refused(f'{self.name}: {text}')
        negated, predicate, op, rest = match.groups()
        operands, depth, current = [], 0, ''
        for char in rest:
            depth += char in '{[('
            depth -= char in '}])'
            if char == ',' and depth == 0:
                operands.append(current.strip())
                current = ''
            else:
                current += char
        if current.strip():
            operands.append(current.strip())
        self.code.append(Instruction(predicate, negated == '!', op, operands, line))

    def blocks(self):
        """Marks where basic blocks begin, and which instructions may wait for a load."""
        leaders = set(self.labels.values()) | {0}
        loaded = set()
        for pc, instruction in enumerate(self.code):
            if instruction.name in ('bra', 'bar', 'ret', 'exit', 'barrier', 'call'):
                leaders.add(pc + 1)
            if instruction.name == 'ld' and instruction.space in ('global', 'shared'):
                loaded.update(re.findall(r'%\w+', instruction.operands[0]))
        block = 0
        self.leaders = leaders
        self.block_of = []
        for pc, instruction in enumerate(self.code):
            block = pc if pc in leaders else block
            self.block_of.append(block)
            sources = instruction.registers if instruction.name == 'st' else instruction.registers[1:] + instruction.registers[:0]
            instruction.waits = tuple({r for r in sources if r in loaded})


def statements_of(body):
    """(text, line within the body) of each statement; labels stay with what follows."""
    line, start, text = 0, 0, ''
    for char in body:
        if not text.strip():
            start = line
        if char == '\n':
            line += 1
        if char == ';':
            yield text.strip(), start
            text = ''
        else:
            text += char
    if text.strip():
        yield text.strip(), start


class Module:
    """The kernels of a PTX text by name. numbered: the text with a source line for each of its own lines, which ptxas hands on."""

    def __init__(self, text):
        text = re.sub(r'//[^\n]*', '', text)
        self.entries, self.functions = {}, {}
        for match in re.finditer(r'\.(entry|func)\s+(?:\(([^)]*)\)\s*)?([\w$]+)\s*\(([^)]*)\)([^{;]*)\{(.*?)\n\}', text, re.S):
            kind, _, name, parameters, attributes, body = match.groups()
            first_line = text.count('\n', 0, match.start(6))
            entry = Entry(name, self.parameters(parameters), body, statements_of(body), first_line)
            entry.group = tuple(int(n) for n in re.findall(r'\d+', (re.search(r'\.reqntid ([\d, ]+)', attributes) or [0, ''])[1]))
            (self.entries if kind == 'entry' else self.functions)[name] = entry

    @staticmethod
    def parameters(text):
        found = []
        for parameter in text.split(','):
            if parameter.strip():
                name = re.match(r'[\w$]+', parameter.split()[-1]).group(0)
                found.append((name, re.search(r'\.param(?:\s+\.align\s+\d+)?\s+\.(\w+)', parameter).group(1)))
        return found


def with_lines(text):
    """The same PTX with a .loc for each line that has an instruction, numbered as Instruction.line + 1 is."""
    out, inside = [], False
    for number, line in enumerate(text.split('\n')):
        if line.startswith('.address_size'):
            out += [line, '.file 1 "kernel.ptx"']
            continue
        if line.startswith('{'):
            inside = True
        if line.startswith('}'):
            inside = False
        if inside and re.match(r'\s+(@|[a-z])', line) and not re.match(r'\s+(param|\)|dot_)', line) and ';' in line:
            out.append(f'\t.loc 1 {number + 1} 0')
        out.append(line)
    return '\n'.join(out)


class Memory:
    """The device's memory: buffers on pages of their own."""

    def __init__(self, capacity):
        self.bytes = np.zeros(capacity // PAGE * PAGE + 2 * PAGE, np.uint8)  # the system gives what is touched alone
        self.top = PAGE
        self.buffers = []  # (address, bytes)

    def reserve(self, size):
        at = self.top
        self.top = at + (max(size, 1) // PAGE + 2) * PAGE  # a page between neighbours, that no access beyond an end is missed
        if self.top > self.bytes.size:
            raise Refused('the memory of the interpreter is too small')
        self.buffers.append((at, size))
        return at

    def put(self, array):
        data = np.ascontiguousarray(array).view(np.uint8).ravel()
        at = self.reserve(data.size)
        self.bytes[at:at + data.size] = data
        return at

    def get(self, at, count, dtype):
        size = int(count) * np.dtype(dtype).itemsize
        return self.bytes[at:at + size].view(dtype).copy()

    def inside(self, first, last):
        """Whether all accesses [first, last) lie within buffers."""
        starts = np.array([b[0] for b in self.buffers], np.int64)
        ends = np.array([b[0] + b[1] for b in self.buffers], np.int64)
        index = np.searchsorted(starts, first, side='right') - 1
        return bool((index >= 0).all() and (last <= ends[np.maximum(index, 0)]).all())


class Counts:
    """What the groups of a launch kept busy, in all of them together."""

    def __init__(self, entry, groups, warps):
        self.entry, self.groups, self.warps = entry, groups, warps
        self.executed = np.zeros(len(entry.code), np.int64)  # warps that executed each instruction
        self.wavefronts = {'shared': 0.0, 'global': 0.0}  # cycles of the first-level data path: local memory, memory
        self.requested = {}  # by buffer: bytes beyond the first-level cache
        self.touched = {}  # by buffer: distinct bytes of one group
        self.far = 0  # bytes asked for again after more than the second-level cache holds
        self.serial = 0.0  # cycles of the longest group alone

    def by_name(self):
        found = {}
        for instruction, count in zip(self.entry.code, self.executed):
            found[instruction.op] = found.get(instruction.op, 0) + int(count)
        return found


def conflicts(addresses, active, words):
    """Cycles of local memory for one access of each warp: addresses (warps, 32) in bytes, words of 4 bytes a lane."""
    total = 0
    for lane_addresses, lane_active in zip(addresses, active):
        if not lane_active.any():
            continue
        phases = words
        if words > 1:  # half as many where neighbours read the same
            pairs, both = lane_addresses.reshape(-1, 2), lane_active.reshape(-1, 2)
            if ((pairs[:, 0] == pairs[:, 1]) | ~both.all(1)).all():
                phases = words // 2
        worst = 0
        for part in np.split(np.arange(WARP), words if words > 1 else 1):  # the lanes of a phase
            at = lane_addresses[part][lane_active[part]]
            if at.size == 0:
                continue
            word = np.unique((at[:, None] // 4 + np.arange(words)).ravel())
            worst = max(worst, np.bincount(word % 32).max())
        total += max(phases * worst, 1) if words > 1 else worst
    return total


def lines_of(addresses, active, size):
    """Cycles of the first-level cache for one access of each warp: 128 bytes of one line at a time."""
    total = 0
    for lane_addresses, lane_active in zip(addresses, active):
        if lane_active.any():
            at = lane_addresses[lane_active]
            total += max(len(np.unique(at // 128)), -(-len(np.unique(at // 4)) * max(size // 4, 1) // WARP))
    return total


class Run:
    """One launch on its way. entry, memory; groups and items as (x, y, z); arguments as the parameters ask, buffers by address."""

    def __init__(self, module, name, groups, items, arguments, memory, only=None, near_bytes=64 << 10, far_bytes=150 << 10):
        entry = module.entries[name]
        self.module, self.entry, self.memory = module, entry, memory
        chosen = list(only) if only is not None else list(range(int(np.prod(groups))))
        self.per_group = int(np.prod(items))
        if self.per_group % WARP:
            raise Refused(f'{name}: groups of {self.per_group}, not a multiple of {WARP}')
        self.n, self.group_count = self.per_group * len(chosen), len(chosen)
        self.lane_group = np.repeat(np.arange(len(chosen)), self.per_group)
        self.warps = self.n // WARP
        self.warp_group = np.repeat(np.arange(len(chosen)), self.per_group // WARP)
        self.special = self.special_registers(groups, items, chosen)
        self.arguments = {}
        for (parameter, kind), value in zip(entry.parameters, arguments):
            self.arguments[parameter] = np.array(value, dtype=DTYPES[kind]) if not isinstance(value, np.ndarray) else value
        if len(arguments) != len(entry.parameters):
            raise Refused(f'{name} takes {len(entry.parameters)} arguments, not {len(arguments)}')
        self.local = np.zeros((len(chosen), entry.shared_bytes + 16), np.uint8) if entry.shared_bytes else np.zeros((len(chosen), 16), np.uint8)
        self.local_stride = -(-self.local.shape[1] // 16) * 16
        self.local = np.zeros(len(chosen) * self.local_stride, np.uint8)
        self.local_base = (self.lane_group * self.local_stride).astype(np.int64)
        self.registers, self.ready = {}, {}
        self.counts = Counts(entry, len(chosen), self.warps)
        self.near_bytes, self.far_bytes = near_bytes, far_bytes
        self.time = np.zeros(self.warps)
        self.entered = np.zeros(self.warps)  # the basic block
        self.sampled = {}
        self.pages = np.full(memory.bytes.size // PAGE + 2, -1, np.int64)  # where the sectors of a page are in `last`
        self.last = np.zeros((len(chosen), 0), np.int64)  # missed bytes of the group when it last asked for a sector; -1: never
        self.missed = np.zeros(len(chosen), np.int64)
        self.starts = np.array([b[0] for b in memory.buffers], np.int64)

    def special_registers(self, groups, items, chosen):
        lane = np.tile(np.arange(self.per_group, dtype=np.uint32), len(chosen))
        group = np.repeat(np.array(chosen, np.uint32), self.per_group)
        sizes, values = np.array(items, np.uint32), {}
        counts = np.array(groups, np.uint32)
        for axis, letter in enumerate('xyz'):
            below = int(np.prod(sizes[:axis])) if axis else 1
            under = int(np.prod(counts[:axis])) if axis else 1
            values['%tid.' + letter] = (lane // below % sizes[axis]).astype(np.uint32)
            values['%ctaid.' + letter] = (group // under % counts[axis]).astype(np.uint32)
            values['%ntid.' + letter] = np.full(self.n, sizes[axis], np.uint32)
            values['%nctaid.' + letter] = np.full(self.n, counts[axis], np.uint32)
            values[f'%envreg{6 + axis}'] = np.full(self.n, counts[axis], np.uint32)
            values[f'%envreg{axis}'] = np.zeros(self.n, np.uint32)
        for number in (3, 4, 5, 9):
            values[f'%envreg{number}'] = np.zeros(self.n, np.uint32)
        values['%laneid'] = (lane % WARP).astype(np.uint32)
        return values

    # ---- operands

    def value(self, operand, kind):
        """The operand for every lane (or one number), as `kind`."""
        dtype = np.bool_ if kind == 'pred' else DTYPES[kind]
        if operand[0] == '%':
            value = self.special.get(operand)
            if value is None:
                value = self.registers.get(operand)
                if value is None:
                    value = np.zeros(self.n, dtype)  # read where no lane needs it
            if value.dtype == dtype:
                return value
            if value.dtype.itemsize == np.dtype(dtype).itemsize:
                return value.view(dtype)
            return value.astype(dtype)
        if operand in self.entry.shared:
            return np.asarray(self.entry.shared[operand]).astype(dtype)
        if operand[:2] in ('0f', '0F'):
            return np.array(int(operand[2:], 16), np.uint32).view(np.float32).view(dtype)
        if operand[:2] in ('0d', '0D'):
            return np.array(int(operand[2:], 16), np.uint64).view(np.float64).view(dtype)
        bits = 8 * np.dtype(dtype).itemsize
        return np.array(int(operand.rstrip('U'), 0) & ((1 << bits) - 1), f'u{bits // 8}').view(dtype)

    def put(self, register, value, mask):
        if value.shape != (self.n,):
            value = np.broadcast_to(value, (self.n,))
        if mask is None:
            self.registers[register] = value.copy() if value.base is not None or not value.flags.owndata else value
            return
        old = self.registers.get(register)
        if old is None:
            old = np.zeros(self.n, value.dtype)
        elif old.dtype != value.dtype:
            old = old.view(value.dtype) if old.dtype.itemsize == value.dtype.itemsize else old.astype(value.dtype)
        self.registers[register] = np.where(mask, value, old)

    # ---- running

    def go(self):
        """Runs all lanes to their end; returns the Counts."""
        fronts = {0: np.ones(self.n, bool)}
        waiting = {}
        code = self.entry.code
        with np.errstate(all='ignore'):
            while fronts or waiting:
                if not fronts:
                    self.meet(waiting)
                    fronts, waiting = waiting, {}
                pc = min(fronts)
                mask = fronts.pop(pc)
                full = bool(mask.all())
                # Straight on, until lanes part or others may be met.
                while True:
                    if pc >= len(code):
                        break
                    if pc in fronts:
                        mask = mask | fronts.pop(pc)
                        full = bool(mask.all())
                    instruction = code[pc]
                    step = self.step(pc, instruction, mask, full)
                    if step is None:
                        pc += 1
                        if fronts and min(fronts) < pc:
                            fronts[pc] = fronts[pc] | mask if pc in fronts else mask
                            break
                        continue
                    kind, target, taken = step
                    rest = mask & ~taken
                    if kind == 'wait':
                        waiting[pc + 1] = waiting[pc + 1] | taken if pc + 1 in waiting else taken
                    elif kind == 'jump' and taken.any():
                        fronts[target] = fronts[target] | taken if target in fronts else taken
                    if rest.any():
                        fronts[pc + 1] = fronts[pc + 1] | rest if pc + 1 in fronts else rest
                    break
        self.counts.serial = float(self.time.max())
        self.counts.touched = self.touched()
        return self.counts

    def meet(self, waiting):
        """The barrier: all warps of a group go on when its last one is there."""
        latest = np.zeros(self.group_count)
        np.maximum.at(latest, self.warp_group, self.time)
        there = np.zeros(self.n, bool)
        for mask in waiting.values():
            there |= mask
        warps = there.reshape(-1, WARP).any(1)
        self.time = np.where(warps, latest[self.warp_group] + BARRIER, self.time)
        self.entered = np.where(warps, self.time, self.entered)

    def touched(self):
        """By buffer: bytes that a group asks for, in the mean."""
        found = {}
        per_page = (self.last >= 0).reshape(self.group_count, -1, PAGE // SECTOR).sum((0, 2)) * SECTOR / self.group_count
        for page in np.flatnonzero(self.pages >= 0):
            owner = self.owner_of(np.array([page * PAGE + PAGE // 2]))[0]
            found[owner] = found.get(owner, 0) + float(per_page[self.pages[page]])
        return found

    def owner_of(self, addresses):
        """The buffer that holds each address; buffers begin and end on pages of their own."""
        return np.maximum(np.searchsorted(self.starts, addresses, side='right') - 1, 0)

    def sectors_of(self, addresses):
        """Where in `last` the sectors of some addresses are."""
        page = addresses // PAGE
        fresh = np.unique(page[self.pages[page] < 0])
        if fresh.size:
            per_page = PAGE // SECTOR
            self.pages[fresh] = self.last.shape[1] // per_page + np.arange(fresh.size)
            self.last = np.concatenate([self.last, np.full((self.group_count, fresh.size * per_page), -1, np.int64)], 1)
        return self.pages[page] * (PAGE // SECTOR) + addresses % PAGE // SECTOR

    def step(self, pc, i, mask, full):
        """Executes one instruction for the lanes of mask. None: goes on; else ('jump'|'wait'|'end', target, lanes)."""
        execute = mask
        if pc in self.entry.leaders:
            warps = self.warps_of(mask, full)
            self.entered = np.where(warps, self.time, self.entered)
        if i.predicate is not None:
            predicate = self.registers[i.predicate]
            execute = mask & (~predicate if i.negated else predicate)
        all_lanes = full and (execute is mask or bool(execute.all()))
        warps = self.warps_of(mask if i.name == 'bra' else execute, full if i.name == 'bra' else all_lanes)
        self.counts.executed[pc] += int(warps.sum())
        for register in i.waits:
            ready = self.ready.get(register)
            if ready is not None:
                self.time = np.where(warps, np.maximum(self.time, ready), self.time)
        if i.name not in ('mov', 'cvta') and i.space != 'param':
            self.time = self.time + warps * float(CYCLES_PER_INSTRUCTION)
        if i.name == 'bra':
            return 'jump', self.entry.labels[i.operands[0]], execute
        if i.name in ('ret', 'exit'):
            return 'end', None, execute
        if i.name in ('bar', 'barrier'):
            return 'wait', None, execute
        lanes = None if all_lanes else execute
        if lanes is not None and not execute.any():
            return None
        if i.name in ('ld', 'st', 'ldu'):
            self.access(pc, i, execute, lanes, warps)
        else:
            self.compute(i, lanes)
        return None

    def warps_of(self, mask, full):
        return np.ones(self.warps, bool) if full else mask.reshape(-1, WARP).any(1)

    # ---- memory

    def access(self, pc, i, execute, lanes, warps):
        dtype, vector, space = np.dtype(DTYPES[i.type]), i.vector, i.space
        memory_operand, values = (i.operands[1], i.operands[0]) if i.name != 'st' else (i.operands[0], i.operands[1])
        names = [v.strip() for v in values.strip('{}').split(',')]
        match = re.match(r'\[\s*([%\w$.]+)\s*(?:\+\s*(-?\d+))?\s*\]$', memory_operand)
        base, offset = match.group(1), int(match.group(2) or 0)
        if space == 'param':
            value = self.arguments[base]
            self.put(names[0], value.view(dtype) if value.dtype.itemsize == dtype.itemsize else value.astype(dtype), lanes)
            return
        size = dtype.itemsize * vector
        if base in self.entry.shared:
            at = np.full(self.n, self.entry.shared[base] + offset, np.int64)
        else:
            at = np.broadcast_to(self.value(base, 'u64' if space == 'global' else 'u32' if not base.startswith('%rd') else 'u64'), (self.n,))
            at = at.astype(np.int64) + offset
        wanted = at[execute]
        if (wanted % size).any():
            raise Refused(f'{self.entry.name}: {i.op} at {wanted[wanted % size != 0][0]} is not aligned')
        if space == 'global':
            if not self.memory.inside(wanted, wanted + size):
                raise Refused(f'{self.entry.name}: line {i.line}: {i.op} {i.operands} outside of every buffer')
            buffer, flat = self.memory.bytes, at
            delay = self.caches(i, at, execute, size)
        elif space == 'shared':
            if (wanted < 0).any() or (wanted + size > self.entry.shared_bytes).any():
                raise Refused(f'{self.entry.name}: {i.op} outside of local memory')
            buffer, flat = self.local, at + self.local_base
            delay = NEAR
        else:
            raise Refused(f'{self.entry.name}: {i.op}: private memory')
        self.wavefronts(pc, i, at, execute, warps, size, space)
        view = buffer[:buffer.size // dtype.itemsize * dtype.itemsize].view(dtype)
        index = flat // dtype.itemsize
        if i.name == 'st':
            for k, name in enumerate(names):
                value = np.broadcast_to(self.value(name, i.type), (self.n,))
                view[index[execute] + k] = value[execute]
            return
        safe = np.where(execute, index, index[execute][0]) if lanes is not None else index
        ready = np.where(warps, self.entered + delay, 0)
        for k, name in enumerate(names):
            self.put(name, view[safe + k], lanes)
            self.ready[name] = np.where(warps, ready, self.ready[name]) if name in self.ready else ready

    def wavefronts(self, pc, i, at, execute, warps, size, space):
        done, mean = self.sampled.get(pc, (0, 0.0))
        active = int(warps.sum())
        if done < SAMPLES:
            addresses, lanes = at.reshape(-1, WARP)[warps], execute.reshape(-1, WARP)[warps]
            cycles = conflicts(addresses, lanes, max(size // 4, 1)) if space == 'shared' else lines_of(addresses, lanes, size)
            new = done + active
            mean = (mean * done + cycles) / new
            self.sampled[pc] = (new, mean)
        else:
            cycles = mean * active
        self.counts.wavefronts[space] += cycles

    def caches(self, i, at, execute, size):
        """Notes what lanes ask for, in sectors; returns the cycles that each warp waits for it."""
        group, addresses = self.lane_group[execute], at[execute]
        first, count = self.sectors_of(addresses), max(size // SECTOR, 1)
        last = self.last[group, first]
        age = np.where(last >= 0, self.missed[group] - last, 1 << 60)
        hit = age < self.near_bytes
        delay = np.where(hit, NEAR, np.where(age < self.far_bytes, L2, DRAM))
        if i.name == 'st':
            hit = age < 0  # goes through
        width = self.last.shape[1]
        pairs, index = np.unique(group[~hit].astype(np.int64) * width + first[~hit], return_index=True)
        miss_group, miss_sector = pairs // width, pairs % width
        owners = self.owner_of(addresses[~hit][index])
        np.add.at(self.missed, miss_group, SECTOR * count)
        for owner, number in zip(*np.unique(owners, return_counts=True)):
            self.counts.requested[int(owner)] = self.counts.requested.get(int(owner), 0) + int(number) * SECTOR * count
        old = self.last[miss_group, miss_sector]
        again = (old >= 0) & (self.missed[miss_group] - old >= self.far_bytes)
        self.counts.far += int(again.sum()) * SECTOR * count
        for part in range(count):
            self.last[group, first + part] = self.missed[group]
        waits = np.zeros(self.n)
        waits[execute] = delay
        return waits.reshape(-1, WARP).max(1)

    # ---- arithmetic

    def compute(self, i, lanes):
        operands, kind, name = i.operands, i.type, i.name

        def value(index, type_=kind):
            return self.value(operands[index], type_)

        if name == 'mov':
            if operands[1].startswith('{'):
                return self.join(i, lanes)
            if operands[0].startswith('{'):
                return self.split(i, lanes)
            result = value(1, 'pred' if kind == 'pred' else kind)
        elif name == 'cvta':
            result = value(1)
        elif name == 'cvt':
            result = self.convert(i)
        elif name == 'setp':
            result = COMPARE[i.parts[1]](value(1), value(2))
        elif name == 'selp':
            result = np.where(value(3, 'pred'), value(1), value(2))
        elif name in BINARY:
            result = BINARY[name](value(1), value(2))
        elif name in ('min', 'max'):
            pick = {'min': (np.fmin, np.minimum), 'max': (np.fmax, np.maximum)}[name][kind[0] != 'f']
            result = pick(value(1), value(2))
        elif name == 'not':
            result = ~value(1)
        elif name == 'neg':
            result = -value(1)
        elif name == 'abs':
            result = np.abs(value(1))
        elif name in ('mul', 'mad'):
            result = self.multiply(i, value)
        elif name == 'fma':
            result = self.fused(i, value)
        elif name == 'shl':
            amount = self.value(operands[2], 'u32')
            bits = 8 * np.dtype(DTYPES[kind]).itemsize
            result = np.where(amount >= bits, 0, value(1) << np.minimum(amount, bits - 1).astype(DTYPES[kind])).astype(DTYPES[kind])
        elif name == 'shr':
            amount = self.value(operands[2], 'u32')
            x = value(1, kind if kind[0] in 'us' else 'u' + kind[1:])
            bits = 8 * x.dtype.itemsize
            shifted = x >> np.minimum(amount, bits - 1).astype(x.dtype)
            result = shifted if kind[0] == 's' else np.where(amount >= bits, 0, shifted).astype(x.dtype)
        elif name in ('div', 'rem'):
            result = self.divide(name, kind, value(1), value(2))
        elif name in ('ex2', 'lg2', 'rcp', 'sqrt', 'rsqrt'):
            x = value(1).astype(np.float64)
            functions = {'ex2': np.exp2, 'lg2': np.log2, 'rcp': lambda v: 1 / v, 'sqrt': np.sqrt, 'rsqrt': lambda v: 1 / np.sqrt(v)}
            result = functions[name](x).astype(np.float32)
        elif name == 'copysign':
            result = np.copysign(value(2), value(1))
        elif name == 'bfi':
            at, length = self.value(operands[3], 'u32').astype(np.uint64), self.value(operands[4], 'u32').astype(np.uint64)
            field = ((np.uint64(1) << length) - np.uint64(1)) << at
            a, b = value(1).astype(np.uint64), value(2).astype(np.uint64)
            result = ((b & ~field) | ((a << at) & field)).astype(DTYPES[kind])
        elif name == 'shfl':
            return self.shuffle(i, lanes)
        else:
            raise Refused(f'{self.entry.name}: {i.op} {operands}')
        self.put(operands[0].split('|')[0], np.asarray(result), lanes)
        return None

    def join(self, i, lanes):
        parts = [p.strip() for p in i.operands[1].strip('{}').split(',')]
        bits = 8 * np.dtype(DTYPES[i.type]).itemsize
        each, result = bits // len(parts), np.zeros(self.n, DTYPES['u%d' % bits])
        for number, part in enumerate(parts):
            result |= np.broadcast_to(self.value(part, 'u%d' % each), (self.n,)).astype(result.dtype) << result.dtype.type(each * number)
        self.put(i.operands[0], result, lanes)

    def split(self, i, lanes):
        parts = [p.strip() for p in i.operands[0].strip('{}').split(',')]
        bits = 8 * np.dtype(DTYPES[i.type]).itemsize
        each, whole = bits // len(parts), self.value(i.operands[1], 'u%d' % bits)
        for number, part in enumerate(parts):
            self.put(part, (whole >> whole.dtype.type(each * number)).astype(DTYPES['u%d' % each]), lanes)

    def convert(self, i):
        source = self.value(i.operands[1], i.type)
        target = DTYPES[i.parts[-2]]
        if i.parts[-2] == 'tf32' or 'tf32' in i.parts:
            raise Refused('tf32')
        if 'sat' in i.parts and np.dtype(target).kind == 'f':
            return np.clip(np.nan_to_num(source, nan=0.0), 0, 1).astype(target)
        if np.dtype(target).kind != 'f' and source.dtype.kind == 'f':
            rounding = next((p for p in i.parts if p in ('rni', 'rzi', 'rmi', 'rpi')), 'rzi')
            rounded = {'rni': np.rint, 'rzi': np.trunc, 'rmi': np.floor, 'rpi': np.ceil}[rounding](source.astype(np.float64))
            limits = np.iinfo(target)
            return np.clip(np.nan_to_num(rounded, nan=0.0), limits.min, limits.max).astype(target)
        if np.dtype(target).kind == 'f' and source.dtype.kind == 'f':
            rounding = next((p for p in i.parts if p in ('rni', 'rzi', 'rmi', 'rpi')), None)
            if rounding:
                source = {'rni': np.rint, 'rzi': np.trunc, 'rmi': np.floor, 'rpi': np.ceil}[rounding](source)
        return source.astype(target)

    @staticmethod
    def multiply(i, value):
        kind = i.type
        if 'wide' in i.parts:
            wide = DTYPES[kind[0] + str(2 * int(kind[1:]))]
            product = value(1).astype(wide) * value(2).astype(wide)
            if i.name == 'mad':
                product = product + value(3, kind[0] + str(2 * int(kind[1:])))
            return product
        if 'hi' in i.parts:
            if kind in ('u32', 's32'):
                wide = np.uint64 if kind == 'u32' else np.int64
                return ((value(1).astype(wide) * value(2).astype(wide)) >> wide(32)).astype(DTYPES[kind])
            raise Refused(i.op)
        product = value(1) * value(2)
        return product + value(3) if i.name == 'mad' else product

    @staticmethod
    def fused(i, value):
        exact = value(1).astype(np.float64) * value(2).astype(np.float64) + value(3).astype(np.float64)
        result = exact.astype(np.float32)
        if 'rm' in i.parts:
            result = np.where(result.astype(np.float64) > exact, np.nextafter(result, np.float32(-np.inf)), result).astype(np.float32)
        return result

    @staticmethod
    def divide(name, kind, x, y):
        if kind[0] == 'f':
            return (x / y).astype(DTYPES[kind])
        y = np.where(y == 0, 1, y).astype(x.dtype)
        return x // y if name == 'div' else x % y

    def shuffle(self, i, lanes):
        """shfl.sync.mode.b32 d, a, b, c, mask: b and c as the manual says, for all lanes of a warp together."""
        mode = i.parts[2] if i.parts[1] == 'sync' else i.parts[1]
        a = np.broadcast_to(self.value(i.operands[1], 'b32'), (self.n,)).reshape(-1, WARP)
        b = np.broadcast_to(self.value(i.operands[2], 'u32'), (self.n,)).reshape(-1, WARP).astype(np.int64) & 31
        c = np.broadcast_to(self.value(i.operands[3], 'u32'), (self.n,)).reshape(-1, WARP).astype(np.int64)
        lane, segment, clamp = np.arange(WARP)[None, :], (c >> 8) & 31, c & 31
        lowest = lane & segment
        highest = lowest | (clamp & ~segment)
        source = {'up': lane - b, 'down': lane + b, 'bfly': lane ^ b, 'idx': lowest | (b & ~segment)}[mode]
        inside = source >= highest if mode == 'up' else source <= highest
        source = np.where(inside, source, lane) % WARP
        result = np.take_along_axis(a, source, 1).ravel()
        destination = i.operands[0].split('|')
        self.put(destination[0], result, lanes)
        if len(destination) > 1:
            self.put(destination[1], inside.ravel(), lanes)


def run(module, name, groups, items, arguments, memory, **options):
    """Runs a launch (or of its groups those of `only`) and returns its Counts; see Run."""
    return Run(module, name, groups, items, arguments, memory, **options).go()
