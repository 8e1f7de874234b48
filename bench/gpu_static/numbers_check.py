"""Whether NVIDIA's machine would compute what it should: whole passes over small data, launch by launch in the interpreter.

Every launch is compared with what PoCL made of the same one, and the gradient or Hessian product at the end with NumPy in double."""

import tempfile

import numpy as np

import interpreter
import ptx
import simulate
import trace

# Rows, features, classes, more of the specification: every kernel of a pass, sizes that no tile divides, and the shapes of the works.
SHAPES = (
    (300, 784, 10, ''), (700, 32, 3, ''), (200, 256, 16, ''), (70, 13, 7, ''), (1, 5, 2, ''), (150, 65, 32, ''), (140, 64, 100, ''), (97, 65, 33, ''),
    (70, 40, 1000, ''), (120, 500, 20, ',sparsity=0.97'), (120, 500, 2, ',sparsity=0.97'),
)  # fmt: skip
WHATS = ('step', 'hessian')
STORAGES = {'f32': SHAPES, 'f16': SHAPES[:8], 'u8': SHAPES[:8]}
LAUNCH_TOLERANCE, PASS_TOLERANCE = 2e-5, 2e-6  # of norms: against PoCL's f32 with another exp; against double


def relative(found, wanted):
    """The norm of the difference over that of what is wanted; infinite where only one is finite."""
    both = np.isfinite(found) & np.isfinite(wanted)
    if not (both | (found == wanted) | (np.isnan(found) & np.isnan(wanted))).all():
        return np.inf
    a, b = found[both].astype(np.float64), wanted[both].astype(np.float64)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))


class Pass:
    """The launches of one pass, run in order on a memory of their own."""

    def __init__(self, tools, record, arch):
        self.tools, self.record, self.arch = tools, record, arch
        self.launches = trace.steps(record)[0]
        self.memory, self.addresses = simulate.place(self.launches)
        self.modules, self.left = {}, {}  # left: {buffer: file that PoCL had left there}
        self.worst = {}

    def module(self, program):
        if program.number not in self.modules:
            self.modules[program.number] = ptx.Module(self.tools.to_ptx(program.source, program.options, self.arch))
        return self.modules[program.number]

    def run(self):
        """Every launch; {kernel: largest difference from PoCL}."""
        for launch in self.launches:
            for number, file in launch.before.items():
                if self.left.get(number) != file:  # the host has written there
                    data = self.record.contents(file)
                    self.memory.bytes[self.addresses[number]:self.addresses[number] + data.size] = data
            module = self.module(launch.program)
            arguments = simulate.arguments_of(module.entries[launch.kernel], launch, self.addresses)
            interpreter.run(module, launch.kernel, launch.groups, launch.local_size, arguments, self.memory)
            for number, file in launch.after.items():
                self.left[number] = file
                wanted = self.record.contents(file)
                wanted = wanted[:wanted.size // 4 * 4].view(np.float32)
                found = self.memory.get(self.addresses[number], wanted.size, np.float32)
                self.worst[launch.kernel] = max(self.worst.get(launch.kernel, 0.0), relative(found, wanted))
        return self.worst

    def read(self, argument, count, dtype):
        at = self.addresses[argument.buffer.root.number] + argument.buffer.offset
        return self.memory.get(at, count, dtype)

    def against_double(self, rows, features, classes, what):
        """The relative error of the result of a pass over dense rows; None where its launches do not say it."""
        product = next((l for l in self.launches if l.kernel in ('fused_gradient', 'fused_hessian') or l.kernel.startswith('logits_')), None)
        if product is None:
            return None
        finish = next(l for l in self.launches if l.kernel in ('finish_gradient', 'finish_spread'))
        by_name = {a.name: a for l in self.launches for a in l.arguments if a.buffer is not None}
        storage = int(product.program.macros.get('STORAGE', '0'))
        kind = (np.float32, np.float16, np.uint8)[storage]
        x = self.read(product.argument('x'), rows * features, kind).astype(np.float64).reshape(rows, features)
        if storage == 2:
            x *= float.fromhex(product.program.macros['X_SCALE'].rstrip('f'))
        parameters = classes * features + classes
        logits = [l for l in self.launches if l.kernel == product.kernel]
        w = self.read(product.argument('w'), parameters, np.float32).astype(np.float64)
        z = x @ w[:-classes].reshape(classes, features).T + w[-classes:]
        z -= z.max(1, keepdims=True)
        a = np.exp(z)
        a /= a.sum(1, keepdims=True)
        of = w
        if what == 'step':
            labels = self.read(by_name['labels'], rows, np.int32)
            a[np.arange(rows), labels] -= 1
            r = a / rows
        else:
            v = product.argument('v') if product.kernel == 'fused_hessian' else next(
                (l.argument('w') for l in logits if l.argument('w').buffer.root.number != product.argument('w').buffer.root.number))
            of = self.read(v, parameters, np.float32).astype(np.float64)
            q = x @ of[:-classes].reshape(classes, features).T + of[-classes:]
            r = a * (q - (a * q).sum(1, keepdims=True)) / rows
        wanted = np.concatenate([(r.T @ x).ravel(), r.sum(0)])
        wanted[:-classes] += finish.argument('l2').number * of[:-classes]
        return relative(self.read(finish.argument('gradient'), parameters, np.float32), wanted)


def one(tools, setosa, folder, shape, storage, what, arch):
    """(name, {kernel: difference}, error of the pass or None, or words of what went wrong)."""
    rows, features, classes, extra = shape
    name = f'{rows} x {features}, K {classes}{extra.replace(",", " ")}, {storage}, {what}'
    try:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            done = Pass(tools, trace.record_small(setosa, rows, features, classes, storage, what, extra=extra, folder=own), arch)
            return name, done.run(), done.against_double(rows, features, classes, what), None
    except (ptx.Refused, trace.RecordError, RuntimeError) as error:
        return name, {}, None, str(error)


def make(report, tools, setosa, folder, pool, arch='sm_90'):
    """Runs all shapes and adds them to the report."""
    if not tools.library:
        report.skip('numbers', "without NVIDIA's OpenCL compiler there is nothing to run (libnvidia-nvvm.so.4); bench/gpu_static/tools.sh fetches it")
        return
    jobs = [pool.submit(one, tools, setosa, folder, shape, storage, what, arch) for storage, shapes in STORAGES.items() for shape in shapes
            for what in WHATS if not (what == 'hessian' and storage != 'f32')]  # fmt: skip
    worst, passes, largest = {}, 0, 0.0
    for job in jobs:
        name, kernels, error, words = job.result()
        if words:
            report.fault(f'numbers of {name}: {words}')
            continue
        passes += 1
        for kernel, difference in kernels.items():
            worst[kernel] = max(worst.get(kernel, 0.0), difference)
            if not difference <= LAUNCH_TOLERANCE:
                report.fault(f'numbers of {name}: {kernel} is {difference:.1e} off PoCL')
        if error is not None:
            largest = max(largest, error)
            if not error <= PASS_TOLERANCE:
                report.fault(f'numbers of {name}: {error:.1e} off double')
    report.heading('numbers: what NVIDIA\'s compiler made, run in the interpreter')
    print(f'{passes} passes; largest error against double {largest:.1e}; largest difference from PoCL of a launch: '
          + ', '.join(f'{kernel} {difference:.1e}' for kernel, difference in sorted(worst.items())), flush=True)
