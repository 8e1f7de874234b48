"""Recorded launches (trace.py), run by the interpreter: two groups of a launch of full size for an estimate, or all of one of small size for its
numbers."""

import numpy as np

import interpreter
import model
import nvidia
from device_memory import Memory
from ptx import DTYPES

LOOKED_AT = 2  # groups of a launch that are run; all of them do the same


def arguments_of(entry, launch, addresses):
    """What the interpreter wants for a launch's arguments. addresses: {number of a whole buffer: address}."""
    values = []
    for (_, kind), argument in zip(entry.parameters, launch.arguments):
        if argument.buffer is not None:
            values.append(addresses[argument.buffer.root.number] + argument.buffer.offset)
        elif argument.space == 'private':
            values.append(np.frombuffer(argument.value, DTYPES[kind])[0])
        else:
            values.append(0)
    return values


def place(launches):
    """A Memory that has the whole buffers of launches, zeros yet; returns it and {number: address}."""
    sizes = {a.buffer.root.number: a.buffer.root.bytes for launch in launches for a in launch.arguments if a.buffer is not None}
    memory = Memory(sum(sizes.values()) + (len(sizes) + 1) * (1 << 18))
    return memory, {number: memory.reserve(size) for number, size in sizes.items()}


def look_at(gpu, machine, module, launch):
    """The model.Estimate of a launch of full size, and the machine instructions of one of its groups by class."""
    entry = module.entries[launch.kernel]
    nvidia.follow_branches(machine, entry)
    memory, addresses = place([launch])
    groups, items = launch.group_count, launch.items
    resident = gpu.resident(machine, items)
    together = min(groups, resident * gpu.units)
    chosen = sorted({0, groups // 2}) if groups > LOOKED_AT else list(range(groups))
    near = max(gpu.near_bytes - resident * machine.local, 32 << 10) // resident
    counts = interpreter.run(module, launch.kernel, launch.groups, launch.local_size, arguments_of(entry, launch, addresses), memory, only=chosen,
                             near_bytes=near, far_bytes=gpu.l2_bytes // together)
    executed = nvidia.executed(machine, counts)
    extents = {index: size for index, (_, size) in enumerate(memory.buffers)}
    estimate = model.estimate(gpu, machine, executed, counts, groups, items, extents)
    each = 1.0 / len(chosen)
    estimate.warp_instructions = groups * each * sum(v for k, v in executed.items() if k != 'near')
    # By Little's law, and as if each resident group were as quick as one alone.
    estimate.in_flight = resident * each * sum(counts.requested.values()) * interpreter.DRAM / max(counts.serial, 1)
    _, estimate.mix = machine.share_of_fma()
    return estimate, {k: v * each for k, v in executed.items()}
