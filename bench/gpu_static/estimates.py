"""Estimated parts of the limit: the works of the suite at their full size on the H100 of model.py."""

import tempfile

import model
import nvidia
import ptx
import simulate
import trace

# Rows, features and classes of the works of `setosa bench --suite` (host/bench/suite.c).
WORKS = {
    'W1': (60000, 784, 10), 'W2': (1000000, 32, 3), 'W3': (200000, 256, 16), 'W4': (50000, 1024, 100), 'W5': (16384, 512, 1000),
    'W6': (4096, 1024, 32000),
}  # fmt: skip
FLOPS = {'step': 4, 'hessian': 6}  # N D K times
BYTES = {'f32': 4, 'f16': 2, 'u8': 1}
UNKNOWN = 3e-6  # seconds of a launch that the interpreter refuses


def estimate_pass(tools, launches, arch):
    """Of one pass: a list of (Estimate or None, instructions by class or the refusal, how often it is launched)."""
    gpu, programs, found = model.GPUS[arch], {}, {}
    for launch in launches:
        key = (launch.kernel, launch.groups, launch.program.number)
        if key in found:
            found[key][2] += 1
            continue
        number = launch.program.number
        if number not in programs:
            with tempfile.TemporaryDirectory() as folder:
                text = tools.to_ptx(launch.program.source, launch.program.options, arch)
                programs[number] = ptx.Module(text), tools.to_machine(text, arch, folder, launch.program.options)
        module, machines = programs[number]
        try:
            estimate, executed = simulate.look_at(gpu, machines[launch.kernel], module, launch)
            found[key] = [estimate, executed, 1]
        except ptx.Refused as refusal:
            found[key] = [None, str(refusal), 1]
    return list(found.values())


def one(tools, launches, work, what, storage, arch):
    rows, features, classes = WORKS[work]
    launched = estimate_pass(tools, launches, arch)
    seconds = sum((e.seconds if e else UNKNOWN) * times for e, _, times in launched)
    least = sum((e.least if e else UNKNOWN) * times for e, _, times in launched)
    limit = model.limit(model.GPUS[arch], FLOPS[what] * rows * features * classes, rows * features * BYTES[storage])
    return {'work': work, 'what': what, 'storage': storage, 'arch': arch, 'seconds': seconds, 'part': limit / seconds, 'most': limit / least, 'limit': limit,
            'launched': launched}


def make(report, tools, setosa, folder, pool, works, whats, arch='sm_90'):
    """Adds a row for each work and operation to the report."""
    if not tools.compiler or not tools.ptxas or not tools.nvdisasm:
        report.skip('estimates', 'no compiler for NVIDIA: ' + missing(tools))
        return
    jobs = []
    for work in works:
        for what in whats:
            launches = trace.steps(trace.record_work(setosa, work, what, folder=folder))[0]
            jobs.append(pool.submit(one, tools, launches, work, what, 'f32', arch))
    found = [job.result() for job in jobs]
    for row in found:
        report.estimate(row)
    for row in found:
        report.launches_of(row, WORKS[row['work']][0])


def missing(tools):
    words = [name for name, there in (('a compiler (libnvidia-nvvm.so.4, or clang-14 to 16 with libclc)', tools.compiler), ('ptxas', tools.ptxas),
                                      ('nvdisasm', tools.nvdisasm)) if not there]
    return ', '.join(words) + '; bench/gpu_static/tools fetches what can be had'
