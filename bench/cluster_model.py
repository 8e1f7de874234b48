#!/usr/bin/env python3
"""What a cluster would give, on paper: time of one loss and gradient = bytes over bandwidths, no overlap anywhere.

Each number's source is beside it; nothing here was measured on a cluster. python3 bench/cluster_model.py prints the table of bench/LOG.md.
"""
import math

READ = 0.8 * 3.35e12  # B/s of an H100 SXM5 (3.35 TB/s, its data sheet), of which 0.8 is our goal for the fused pass (not measured yet)
FMA = 0.8 * 66.9e12  # flop/s in f32, the same
PCIE = 0.8 * 64e9  # B/s, PCIe 5.0 x16 one way; 0.8: what transfers usually reach
NIC = 0.8 * 50e9  # B/s, one 400 Gb/s port a GPU, as in nodes of 8 GPUs and 8 ConnectX-7
HOP = 3e-6  # s of a small message with MPI over such a network; a collective takes log2(ranks) of them
LAUNCH = 10e-6  # s between enqueueing a kernel or a small transfer and its end; about ten of them follow each other in a pass
SHARDS = 256  # of the GPU family (kernels/README.md); a long pass leaves two partials a shard, its highs and lows


def exchange(parameters, ranks, way):
    """Seconds in which the partials of all ranks become one gradient on every rank."""
    if ranks == 1:
        return 0.0
    vector, hops = 4.0 * parameters, math.ceil(math.log2(ranks))
    every = SHARDS * 2 * vector
    own = every / ranks
    if way == "all partials to all":
        return own / PCIE + every / NIC + every / PCIE + 3 * hops * HOP
    if way == "slices":
        return 2 * own / PCIE + own / PCIE + own / NIC + 2 * vector / NIC + 2 * vector / PCIE + (ranks + 5 * hops) * HOP
    return own / PCIE + 2 * 2 * 8 * parameters / NIC + 2 * vector / PCIE + 5 * hops * HOP  # --fast-reduce: a ring of doubles


def pass_seconds(rows, features, classes, ranks, way):
    values = float(rows) * features
    compute = max(4 * values / READ, 4 * values * classes / FMA) * math.ceil(SHARDS / ranks) / SHARDS
    parameters = classes * (features + 1)
    if way != "--fast-reduce":  # as host/compute/sharded/reduce.c chooses
        small = 4.0 * parameters * SHARDS * 2 <= 1 << 20
        way = "all partials to all" if small else way
    return compute, exchange(parameters, ranks, way) + 10 * LAUNCH


def main():
    works = [(1e9, 784, 10), (1e10, 32, 3), (1e8, 1024, 100)]
    print("| rows x features, classes | GPUs | kernels ms | rest ms | speed-up | with all partials to all | with --fast-reduce |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for work in works:
        alone = sum(pass_seconds(*work, 1, "slices"))
        for ranks in (1, 8, 32, 128):
            compute, rest = pass_seconds(*work, ranks, "slices")
            others = [alone / sum(pass_seconds(*work, ranks, way)) for way in ("all partials to all", "--fast-reduce")]
            print("| %.0e x %d, %d | %d | %.2f | %.2f | %.1f | %.1f | %.1f |" % (*work, ranks, 1e3 * compute, 1e3 * rest,
                                                                              alone / (compute + rest), *others))


if __name__ == "__main__":
    main()
