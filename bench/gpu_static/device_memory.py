"""The memory of the GPU that interpreter.py plays, and what a run of a kernel counts."""

import numpy as np

from ptx import Refused

WARP = 32
SECTOR = 32  # bytes of memory that caches move at a time
PAGE = 1 << 16  # bytes of memory whose sectors are kept track of together


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

    def write(self, at, array):
        data = array.view(np.uint8).ravel()
        self.bytes[at:at + data.size] = data

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
        self.wavefronts = np.zeros(len(entry.code))  # cycles of the first-level data path that each access took
        self.uniform = np.zeros(len(entry.code), bool)  # neighbouring lanes read the same there
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
