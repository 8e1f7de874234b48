"""What every kernel of the GPU family takes on cards of three vendors: registers, and whatever has no room in them.

Programs are those that the host builds for the shapes of the works, with its macros for a card of that vendor. A full look has X as f16 and
u8, too (W6 as f32 alone), and shapes between the works, where the host chooses other kernels or other tiles."""

import concurrent.futures
import os

import amd
import estimates
import intel
import nvidia
import offline
import trace

# Features and classes of the works (a program does not depend on rows), and more of the specification of made-up rows.
SHAPES = {work: (features, classes, '') for work, (_, features, classes) in estimates.WORKS.items()}
SHAPES.update({
    'S1': (20000, 20, ',sparsity=0.997'), 'S2': (50000, 50, ',sparsity=0.9985'), 'S3': (1 << 20, 2, ',fields=39'),
    'S4': (62000, 20, ',sparsity=0.9987'),
})  # fmt: skip
# Few features, no multiple of four or of a sub-group, D of one chunk and of several; K on both sides of
# the bounds of fused_shape.c, fused_tensor.c and shape.c.
BETWEEN = ('4x3', '13x3', '30x2', '54x7', '60x5', '64x10', '100x26', '784x2', '784x5', '784x7', '784x8', '3000x20', '100x33', '784x40', '101x64')
MOST_TRAINED = 1000  # classes
PRECONDITIONERS = ('blocks', 'kron')
LEFT_OUT = ('W6', 'S2', 'S3', 'S4')  # of a quick look: their programs are mostly those of other works
QUICK = ('sm_90', 'gfx90a', 'dg2')
# One of each vendor, and one of NVIDIA's without tensor cores for tf32.
DEVICES = {'h100': ('sm_80', 'sm_90'), 't4': ('sm_75',), 'mi250x': ('gfx90a', 'gfx1030', 'gfx1100'), 'a770': ('dg2', 'pvc')}


def dense(work):
    return work not in PRECONDITIONERS and not work.startswith('S')


def passes(shape, storage, folder):
    """The arguments of a bench of loss and gradient and of a Hessian product over few made-up rows."""
    features, classes = shape
    rows = max(classes, 300)
    data = [f'synthetic:rows={rows},features={features},classes={classes}']
    if storage == 'u8':
        bytes_, labels = trace.byte_rows(os.path.join(folder, 'bytes'), rows, features, classes)
        data = [str(bytes_), '--labels', str(labels)]
    return trace.bench_arguments(data, 'step,hessian', storage, 'gpu')


def questions(quick, between, folder):
    """(work, arguments of the program) of each record: both passes, and a short training of few rows, before which the program checks the shape."""
    for work, (features, classes, extra) in SHAPES.items():
        if quick and work in LEFT_OUT:
            continue
        if classes > MOST_TRAINED:  # vectors of a training would be gigabytes
            yield work, trace.bench_arguments(['--work', work], 'step,hessian', 'f32', 'gpu')
        else:
            if dense(work):
                yield work, passes((features, classes), 'f32', folder)
            data = [f'synthetic:rows={max(classes, 300)},features={features},classes={classes}{extra}']
            yield work, trace.train_arguments(data, 'lbfgs', '--preconditioner', 'none', '--max-iterations', '1')
    stored = {} if quick else {work: shape[:2] for work, shape in SHAPES.items() if dense(work) and shape[1] <= MOST_TRAINED}
    for shape in between:
        stored[shape] = tuple(map(int, shape.split('x')))
        yield shape, passes(stored[shape], 'f32', folder)
    for work, shape in stored.items():
        for storage in ('f16', 'u8'):
            yield f'{work} {storage}', passes(shape, storage, folder)
    for preconditioner in PRECONDITIONERS[:1] if quick else PRECONDITIONERS:  # metrics and Gram matrices
        data = ['synthetic:rows=20000,features=60,classes=5']
        yield preconditioner, trace.train_arguments(data, 'auto', '--preconditioner', preconditioner, '--max-iterations', '2')


def programs(setosa, folder, device, quick, between):
    """{(source, options): 'W1'...}: what the host builds for a device of this name, nothing of which runs."""
    found = {}
    trace.build_recorder(folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        jobs = [(work, threads.submit(trace.record, setosa, arguments, folder, device, dry=True)) for work, arguments in questions(quick, between, folder)]
        for work, job in jobs:
            for program in job.result().programs:
                if program.name != 'limits':
                    found.setdefault((program.source, program.options), work)
    return found


def look(tools, arch, source, options, folder):
    """[(kernel, {what: how much})] of one program on one arch; or the text of what went wrong. registers: of a work-item (Intel: of a thread); local:
    bytes of local memory of a group; spill, private, scratch: bytes that found no register, which stand in memory."""
    own = os.path.join(folder, f'{arch}-{os.getpid()}')
    os.makedirs(own, exist_ok=True)
    try:
        if arch in nvidia.ARCHS:
            machines = tools.to_machine(tools.to_ptx(source, options, arch), arch, own, options).values()
            return [(m.name, {'registers': m.registers, 'local': m.local, 'spill': m.spill, 'private': m.stack}) for m in machines]
        if arch in amd.ARCHITECTURES:
            kernels = amd.compile(source, options, arch, own, tools.folder or '')
            return [(k.kernel, {'registers': k.vgprs, 'local': k.local, 'spill': 4 * k.vgpr_spills, 'scratch': k.scratch}) for k in kernels]
        kernels = intel.compile(source, options, arch, own, tools.folder or '')
        return [(k.kernel, {'registers': k.grf, 'local': k.slm, 'spill': k.spill, 'private': k.private, 'scratch': k.scratch}) for k in kernels]
    except (nvidia.Missing, offline.ToolMissing) as missing:
        return f'missing: {missing}'
    except (RuntimeError, OSError) as error:
        return f'failed: {error}'


def make(report, tools, setosa, folder, pool, wanted, quick, between):
    """Adds every kernel on every wanted arch to the report; quick: of some works, X as f32. between: more shapes, DxK."""
    jobs = []
    for device, archs in DEVICES.items():
        archs = [arch for arch in archs if arch in wanted]
        for (source, options), work in (programs(setosa, os.path.join(folder, 'records'), device, quick, between) if archs else {}).items():
            jobs += [(work, arch, pool.submit(look, tools, arch, source, options, folder)) for arch in archs]
    missing = {}
    for work, arch, job in jobs:
        found = job.result()
        if not isinstance(found, str):
            for kernel, takes in found:
                report.resource(kernel, work, arch, takes)
        elif found.startswith('missing'):
            missing[arch] = found
        else:
            report.fault(f'{work} on {arch}: {found[:300]}')
    for arch, words in missing.items():
        report.skip(arch, words + '; bench/gpu_static/tools fetches it')
    report.resources([arch for archs in DEVICES.values() for arch in archs if arch in wanted and arch not in missing])
