"""Runs PTX, the assembly that NVIDIA's compiler makes, on the CPU: every work-item of every group of a launch is a lane of NumPy arrays.

Lanes step together from the lowest program counter on, so that those that branched apart meet again. Beside the results a run counts what an
NVIDIA GPU would be busy with (Counts): warp instructions, wavefronts of local memory and of the first-level cache, bytes beyond it, and the time
that one group would take alone. It is meant for the few kernels of this project: what it does not know it refuses.

OpenCL launches have %envreg0..2 = the offset of the first group, 6..8 = the number of
groups."""

import re

import numpy as np

from arithmetic import Arithmetic
from device_memory import PAGE, SECTOR, WARP, Counts, conflicts, lines_of
from ptx import DTYPES, Refused

# Cycles until what was asked for is there: from the first-level cache and local memory, the second-level cache, memory; of a barrier.
NEAR, L2, DRAM, BARRIER = 30, 300, 800, 30
CYCLES_PER_INSTRUCTION = 2  # of one warp: about half of its instructions wait for the one before, 4 cycles
SAMPLES = 48  # executions of an access that are looked at for its wavefronts; later ones count as their mean


class Run(Arithmetic):
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
        self.copying, self.committed = np.zeros(self.warps), []
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
        if i.name in ('bar', 'barrier') and i.parts[1] != 'warp':
            return 'wait', None, execute
        lanes = None if all_lanes else execute
        if i.name == 'bar' or lanes is not None and not execute.any():  # bar.warp.sync: lanes of a warp that meet step together here anyway
            return None
        if i.name in ('ld', 'st', 'ldu'):
            self.access(pc, i, execute, lanes, warps)
        elif i.name == 'cp':
            self.copy(pc, i, execute, warps)
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
        if space == 'param':
            value = self.arguments.get(re.match(r'\[\s*([\w$]+)', memory_operand).group(1))
            if value is None or i.name == 'st':
                raise Refused(f'{self.entry.name}: a call of a function')
            self.put(names[0], value.view(dtype) if value.dtype.itemsize == dtype.itemsize else value.astype(dtype), lanes)
            return
        size = dtype.itemsize * vector
        at = self.address(memory_operand, 'u64' if space == 'global' else 'u32')
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
            if done == 0:
                pairs, both = addresses.reshape(-1, 2), lanes.reshape(-1, 2).all(1)
                self.counts.uniform[pc] = bool((pairs[both, 0] == pairs[both, 1]).all())
            new = done + active
            mean = (mean * done + cycles) / new
            self.sampled[pc] = (new, mean)
        else:
            cycles = mean * active
        self.counts.wavefronts[pc] += cycles

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

    # ---- beyond OpenCL: what inline PTX brings

    def copy(self, pc, i, execute, warps):
        """cp.async from memory to local memory: done at once; what waits for it waits for its time."""
        if 'commit_group' in i.parts:
            self.committed.append(self.copying)
            self.copying = np.zeros(self.warps)
            return
        if 'wait_group' in i.parts or 'wait_all' in i.parts:
            left = int(i.operands[0]) if 'wait_group' in i.parts else 0
            for ready in self.committed[:len(self.committed) - left]:
                self.time = np.where(warps, np.maximum(self.time, ready), self.time)
            self.committed = self.committed[len(self.committed) - left:]
            return
        size = int(i.operands[2])
        target, source = self.address(i.operands[0], 'u32'), self.address(i.operands[1], 'u64')
        wanted, placed = source[execute], target[execute]
        if (wanted % size).any() or (placed % size).any():
            raise Refused(f'{self.entry.name}: {i.op} is not aligned')
        if not self.memory.inside(wanted, wanted + size) or (placed < 0).any() or (placed + size > self.entry.shared_bytes).any():
            raise Refused(f'{self.entry.name}: {i.op} outside of every buffer')
        delay = self.caches(i, source, execute, size)
        self.wavefronts(pc, i, source, execute, warps, size, 'global')
        self.copying = np.maximum(self.copying, np.where(warps, self.time + delay, 0))
        at = placed + self.local_base[execute]
        for byte in range(size):
            self.local[at + byte] = self.memory.bytes[wanted + byte]

    def address(self, operand, kind):
        match = re.match(r'\[\s*([%\w$.]+)\s*(?:\+\s*(-?\d+))?\s*\]$', operand)
        base, offset = match.group(1), int(match.group(2) or 0)
        if base in self.entry.shared:
            return np.full(self.n, self.entry.shared[base] + offset, np.int64)
        return np.broadcast_to(self.value(base, kind), (self.n,)).astype(np.int64) + offset


def run(module, name, groups, items, arguments, memory, **options):
    """Runs a launch (or of its groups those of `only`) and returns its Counts; see Run."""
    return Run(module, name, groups, items, arguments, memory, **options).go()
