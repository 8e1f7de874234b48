"""How long a launch would take on a GPU that is not here: an estimate from counts, with the formula in one place.

For one launch of G groups, of which r are resident on a multiprocessor at a time (registers, local memory, warps), and n = ceil(G / S) run on
the busiest of the S:

    instructions    n x the larger of warp instructions / 4 schedulers and (multiply-adds + other f32 arithmetic) x 32 / lanes
    int             n x integer instructions / 2
    special         n x exp, log, division, conversions x 2
    matrix          n x mma.sync x matrix_cycles of the GPU
    near            n x wavefronts of local memory and of the first-level cache, 128 bytes a cycle
    memory          bytes of memory, each counted once for all groups, / bandwidth
    second level    bytes beyond the first-level caches, / its bandwidth
    alone           ceil(n / r) x the time of one group by itself: latencies of loads, barriers, dependences

    seconds = (sum of t^4)^(1/4) + LAUNCH           over these times t

The root of fourth powers is the largest where one stands out, and a fifth more where two are equal, since they get into each other's way. It has
not been held against a GPU yet: bench/gpu.sh writes measured parts beside these."""

import math

POWER = 4
LAUNCH = 2e-6  # seconds between two launches of a queue that follow each other


class Gpu:
    """What a GPU has. Numbers from the vendors' data sheets and tuning guides; bandwidths are what programs reach."""

    def __init__(self, name, arch, units, hertz, dram, l2, l2_bytes, lanes, local_unit, warps, groups, near_bytes,
                 matrix_cycles=math.inf):
        self.name, self.arch, self.units, self.hertz = name, arch, units, hertz
        self.dram, self.l2, self.l2_bytes = dram, l2, l2_bytes  # bytes a second; effective size
        self.lanes = lanes  # f32 multiply-adds a cycle of a multiprocessor
        self.local_unit, self.warps, self.groups, self.near_bytes = local_unit, warps, groups, near_bytes
        self.matrix_cycles = matrix_cycles  # of a multiprocessor, for an mma.sync m16n8k8 of tf32

    @property
    def flops(self):
        return 2.0 * self.lanes * self.units * self.hertz

    def resident(self, machine, items):
        """Groups of so many work-items on a multiprocessor at a time."""
        warps = items // 32
        registers = -(-max(machine.registers, 16) // 8) * 8 * 32 * warps
        most = [65536 // registers, self.warps // warps, self.groups]
        most.append(self.local_unit // (machine.local + 1024))
        return max(min(most), 1)


# Tensor cores, from the dense tf32 that data sheets promise (an m16n8k8 is 2048 operations): A100 156 TFLOP/s on 108 multiprocessors at 1.41 GHz
# are 1024 a cycle, so 2 cycles; H100 SXM 494.7 TFLOP/s on 132 at 1.83 GHz are 2048, so 1 cycle, but only for wgmma, which reads local memory by
# itself. That mma.sync reaches 0.63 of it, so 1.6 cycles, is assumed: the figure is remembered from Luo et al., "Benchmarking and Dissecting the
# Nvidia Hopper GPU Architecture" (arXiv 2402.13499), was not found there again, and no card was at hand. The estimates of W4 to W6 rest on it.
# H100 SXM: 132 multiprocessors at 1.75 GHz under load; 3.35 TB/s, of which programs get 3.0; second-level cache 50 MB.
H100 = Gpu('H100', 'sm_90', 132, 1.75e9, 3.0e12, 5.5e12, 40 << 20, 128, 228 << 10, 64, 32, 256 << 10, 1.6)
A100 = Gpu('A100', 'sm_80', 108, 1.41e9, 1.4e12, 4.0e12, 30 << 20, 64, 164 << 10, 64, 32, 192 << 10, 2.0)
T4 = Gpu('T4', 'sm_75', 40, 1.35e9, 0.26e12, 1.0e12, 3 << 20, 64, 64 << 10, 32, 16, 96 << 10)
GPUS = {gpu.arch: gpu for gpu in (H100, A100, T4)}


class Estimate:
    """Seconds of a launch, by what takes them. simulate.look_at adds: warp_instructions of all groups; in_flight, bytes that a multiprocessor has asked
    for beyond its first-level cache; mix {class: machine instructions} of the innermost loop with the largest part of multiply-adds."""

    warp_instructions, in_flight, mix = 0, 0, {}

    def __init__(self, name, groups, resident, times):
        self.name, self.groups, self.resident, self.times = name, groups, resident, times
        self.seconds = sum(t**POWER for t in times.values()) ** (1 / POWER) + LAUNCH

    @property
    def least(self):
        """Seconds if nothing but the longest of the times counted."""
        return max(self.times.values()) + LAUNCH

    @property
    def bound(self):
        return max(self.times, key=self.times.get)


def estimate(gpu, machine, executed, counts, groups, items, extents):
    """The Estimate of a launch of `groups` groups of `items` work-items.

    executed: machine instructions by class of counts.groups of them (nvidia.executed); counts: of the same run; extents: {buffer: bytes} that
    the whole launch can reach."""
    each = 1.0 / counts.groups
    resident = gpu.resident(machine, items)
    busiest = math.ceil(groups / gpu.units)
    arithmetic = executed['fma'] + executed['float']
    cycles = {
        'instructions': max(sum(v for k, v in executed.items() if k != 'near') / 4, arithmetic * 32 / gpu.lanes),
        'int': executed['int'] / 2,
        'special': executed['special'] * 2,
        'near': executed['near'],
    }
    if executed['matrix']:
        cycles['matrix'] = executed['matrix'] * gpu.matrix_cycles
    times = {name: value * each * busiest / gpu.hertz for name, value in cycles.items()}
    dram = sum(min(size * groups, extents.get(buffer, 1 << 62)) for buffer, size in counts.touched.items())
    times['memory'] = (dram + counts.far * each * groups) / gpu.dram
    times['second level'] = sum(counts.requested.values()) * each * groups / gpu.l2
    times['alone'] = math.ceil(busiest / resident) * counts.serial / gpu.hertz
    return Estimate(machine.name, groups, resident, times)


def limit(gpu, flops, data_bytes):
    """Seconds that no program can go below: all multiply-adds, or one read of the data."""
    return max(flops / gpu.flops, data_bytes / gpu.dram)
