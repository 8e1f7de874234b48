"""Whether NVIDIA's machine would compute what it should: every kernel of the GPU family, as the host launches it over small data, run by the
interpreter on made-up numbers and compared with NumPy in double (references.py).

The host is asked what it would launch (record.c; nothing runs there). All that a launch may write is looked at, and that it writes nothing else."""

import collections
import dataclasses
import struct

import numpy as np

import interpreter
import made_launches
import ptx
import references
import simulate
import trace

TOLERANCE = 2e-6  # of norms: sums in f32 beside double
OTHER = {'limits', 'trial'}  # programs that are no part of a pass
# Work-items of a launch that is looked at: of kernels made for the shape, and of those that are the same for all.
MOST_ITEMS, MOST_SHAPELESS = 100000, 35000
# Rows, features, classes: sizes that no tile divides, and the shapes of the works.
DENSE = ((300, 784, 10), (700, 32, 3), (200, 256, 16), (70, 13, 7), (3, 5, 2), (150, 65, 32), (40, 901, 12), (140, 64, 100), (97, 65, 33), (70, 40, 1000), (30, 15, 5000))
STORED = ((120, 60, 5), (90, 65, 20), (70, 40, 100))
SPARSE = ((120, 500, 20, ',sparsity=0.97'), (120, 500, 2, ',sparsity=0.97'), (2000, 400, 3, ',fields=8'))
PLAIN = ('lbfgs', '--preconditioner', 'none', '--max-iterations', '1')
# On one small shape: what belongs to other solvers, and to rows that do not fit the device's memory.
TRAININGS = tuple(('auto', '--preconditioner', name, '--max-iterations', '2') for name in ('blocks', 'kron', 'diagonal')) + (
    ('adam', '--epochs', '1'), ('gd', '--l1', '0.01', '--max-iterations', '1'),
)  # fmt: skip

ALL_KERNELS = (' '.join(TRAININGS[0]), 'K 3, D 32', 'K 1000, D 40')  # records with whose programs made_launches.py goes


def questions(folder):
    """(name, arguments of the program) of each record."""
    for rows, features, classes in DENSE:
        yield f'K {classes}, D {features}', trace.train_arguments([made_up(rows, features, classes)], *PLAIN)
    for rows, features, classes in STORED:
        data, labels = trace.byte_rows(folder, rows, features, classes)
        yield f'K {classes}, D {features}, u8', trace.train_arguments([str(data), '--labels', str(labels)], *PLAIN, '--storage', 'u8')
        yield f'K {classes}, D {features}, f16', trace.train_arguments([made_up(rows, features, classes)], *PLAIN, '--storage', 'f16')
    for rows, features, classes, extra in SPARSE:
        yield f'sparse, K {classes}', trace.train_arguments([made_up(rows, features, classes, extra)], 'auto', '--preconditioner', 'diagonal', '--max-iterations', '1')
    for more in TRAININGS:
        yield ' '.join(more), trace.train_arguments([made_up(300, 60, 5)], *more)


def made_up(rows, features, classes, extra=''):
    return f'synthetic:rows={rows},features={features},classes={classes}{extra}'


def relative(found, wanted):
    """The norm of the difference over that of what is wanted; infinite where only one is finite."""
    both = np.isfinite(found) & np.isfinite(wanted)
    if not (both | (found == wanted)).all():
        return np.inf
    return float(np.linalg.norm(found[both] - wanted[both]) / max(np.linalg.norm(wanted[both]), 1e-30))


def sensible(launch):
    """The launch with numbers in the place of those that the host makes of what it read, which nothing has written."""

    def changed(argument):
        if argument.type != 'float' or argument.space != 'private' or argument.name == 'padding':
            return argument
        if np.isfinite(argument.number) and (argument.number != 0 or argument.name not in ('t', 'l2', 'scale', 'step')):
            return argument
        return dataclasses.replace(argument, value=struct.pack('<f', 0.375))

    return dataclasses.replace(launch, arguments=[changed(a) for a in launch.arguments])


def try_launch(module, launch, seed):
    """Runs a launch on made-up numbers. The largest relative error of what it writes, or words of what is wrong."""
    launch = sensible(launch)
    memory, addresses = simulate.place([launch])
    for at, size in memory.buffers:  # what nobody puts there is no number, and another one in each place, so that it is seen where it is copied
        words = np.arange(at // 4, (at + size + 3) // 4, dtype=np.uint32) % np.uint32(0x3fffff) | np.uint32(0xffc00000)
        memory.bytes[at:at + size] = words.view(np.uint8)[:size]
    case = references.Case(launch, memory, addresses, np.random.default_rng(seed))
    outputs = references.KERNELS[launch.kernel](case)
    before = memory.bytes[:memory.top].copy()
    interpreter.run(module, launch.kernel, launch.groups, launch.local_size, simulate.arguments_of(module.entries[launch.kernel], launch, addresses), memory)
    changed, worst = before != memory.bytes[:memory.top], 0.0
    for output in outputs:
        count = output.wanted.size if output.count is None else output.count
        at = case.address(output.argument) + 4 * output.start
        changed[at:at + 4 * count] = False
        found = case.read(output.argument, count, output.start)
        found = output.of(found) if output.of else found
        error = relative(found, output.wanted) if output.where is None else relative(found[output.where], output.wanted[output.where])
        if not error <= TOLERANCE:
            return f'{output.argument} is {error:.1e} off'
        worst = max(worst, error)
    if changed.any():
        return f'{np.flatnonzero(changed).size} bytes are written that are none of its results'
    return worst


def key_of(launch):
    """Launches of the same key do the same."""
    numbers = tuple((a.name, a.number) for a in launch.arguments if a.space == 'private' and a.type != 'float')
    return launch.kernel, launch.program.source, launch.program.options, launch.groups, numbers, tuple(a.buffer is None for a in launch.arguments)


def one(tools, setosa, folder, name, arguments, arch, more):
    """(name, [(kernel, error or words)], kernels that the programs have) of a record. more: launches that no record has, too."""
    try:
        record = trace.record(setosa, arguments, folder, dry=True)
    except trace.RecordError as error:
        return name, [('the program', str(error))], set()
    results, modules, keys, launches = [], {}, set(), record.launches
    for program in record.programs:
        if program.name not in OTHER:
            modules[program.number] = ptx.Module(tools.to_ptx(program.source, program.options, arch))
            if more:
                launches += made_launches.of_program(program, modules[program.number].entries.found)
    for launch in launches:
        key = key_of(launch)
        most = MOST_ITEMS if launch.kernel.startswith('fused_') or launch.kernel.endswith(('_rows', '_block')) else MOST_SHAPELESS
        if key in keys or launch.kernel not in references.KERNELS or launch.group_count * launch.items > most:
            continue
        keys.add(key)
        try:
            result = try_launch(modules[launch.program.number], launch, len(keys))
        except ptx.Refused as refusal:
            result = str(refusal)
        results.append((launch.kernel, result))
    return name, results, {kernel for module in modules.values() for kernel in module.entries.found}


def make(report, tools, setosa, folder, pool, arch='sm_90'):
    """Runs all questions' launches and adds them to the report."""
    if not tools.library:
        report.skip('numbers', "without NVIDIA's OpenCL compiler there is nothing to run (libnvidia-nvvm.so.4); bench/gpu_static/tools fetches it")
        return
    trace.build_recorder(folder)
    jobs = [pool.submit(one, tools, setosa, folder, name, arguments, arch, name in ALL_KERNELS) for name, arguments in questions(folder)]
    worst, launches, kernels = collections.defaultdict(float), 0, set()
    for job in jobs:
        name, results, known = job.result()
        kernels |= known
        for kernel, result in results:
            launches += 1
            if isinstance(result, str):
                report.fault(f'numbers of {kernel}, {name}: {result}')
                worst[kernel] = np.inf
            else:
                worst[kernel] = max(worst[kernel], result)
    report.heading('numbers: what NVIDIA\'s compiler made, run by the interpreter, beside double')
    print(f'{launches} launches; largest relative errors: ' + ', '.join(f'{kernel} {error:.1e}' for kernel, error in sorted(worst.items())), flush=True)
    if kernels - set(worst):
        report.fault('numbers: nobody launches ' + ', '.join(sorted(kernels - set(worst))))
