#!/usr/bin/env python3
"""The error of products on tensor cores beside those by fma: logits of one tile, from what NVIDIA's compiler makes of kernels/block_gpu.cl, run by
the interpreter.

    bench/gpu_static/tensor_error.py [--tools FOLDER]

Errors are the worst of 128 x 128 sums, in units of eps = 2^-24 times the sum of the |products|. Exit code 1 where tensor cores err more than the
self-test allows f32 to (n eps for n products)."""

import argparse
import os
import re
import sys

import numpy as np

import interpreter
import nvidia
import ptx
from device_memory import Memory

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROWS = CLASSES = 128
FORMS = {
    'fma': '-DTILE_ROWS=128 -DTILE_CLASSES=128 -DITEM_ROWS=8 -DITEM_CLASSES=8',
    'tensor cores': '-DTENSOR -DTILE_ROWS=128 -DTILE_CLASSES=128 -DITEM_ROWS=64 -DITEM_CLASSES=32',
}  # fmt: skip


def source_of(name, seen):
    """A kernel file with its includes in place, each once."""
    lines = []
    with open(os.path.join(ROOT, 'kernels', name)) as file:
        for line in file:
            found = re.match(r'#include "(.*)"', line)
            if not found:
                lines.append(line)
            elif found.group(1) not in seen:
                seen.add(found.group(1))
                lines.append(source_of(found.group(1), seen))
    return ''.join(lines)


def inputs():
    """(what, X, W) in f32."""
    random = np.random.default_rng(15)
    for depth in (64, 1024):
        yield f'random, {depth} products', random.standard_normal((ROWS, depth)), random.standard_normal((CLASSES, depth))
    yield 'of one sign, 1024 products', random.random((ROWS, 1024)) + 0.5, random.random((CLASSES, 1024)) + 0.5
    for depth in (64, 1024):
        scale = 10.0 ** random.uniform(-10, 10, (2, ROWS, depth))
        yield f'over 20 decades, {depth} products', random.standard_normal((ROWS, depth)) * scale[0], random.standard_normal((CLASSES, depth)) * scale[1]


def error_of(module, x, w):
    """The worst error of the logits of one tile."""
    depth = x.shape[1]
    memory = Memory((x.size + w.size + 4 * ROWS * CLASSES) * 4 + (1 << 21))
    at = [memory.reserve(4 * size) for size in (x.size, w.size + CLASSES, ROWS * CLASSES)]
    floats = memory.bytes.view(np.float32)
    floats[at[0] // 4:at[0] // 4 + x.size] = x.ravel()
    floats[at[1] // 4:at[1] // 4 + w.size] = w.ravel()
    group = module.entries['logits_block'].group[0]
    arguments = [at[0], at[1], depth, CLASSES, 0, ROWS, at[2], CLASSES, np.float32(0)]
    interpreter.run(module, 'logits_block', (1, 1, 1), (group, 1, 1), arguments, memory)
    result = floats[at[2] // 4:at[2] // 4 + ROWS * CLASSES].reshape(ROWS, CLASSES).astype(np.float64)
    x, w = x.astype(np.float64), w.astype(np.float64)
    return float((np.abs(result - x @ w.T) / (np.abs(x) @ np.abs(w).T)).max() * 2**24)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tools', default=os.path.join(ROOT, 'build/gpu_tools'), help='the folder that tools.sh filled (build/gpu_tools)')
    tools = nvidia.Tools(parser.parse_args().tools)
    if not tools.compiler:
        sys.exit("NVIDIA's OpenCL compiler is not there; bench/gpu_static/tools.sh fetches it")
    modules = {form: ptx.Module(tools.to_ptx(source_of('block_gpu.cl', set()), macros + ' -DFOURS=2', 'sm_90')) for form, macros in FORMS.items()}
    print(f'{"error of sums, in eps of the sum of |products|":<48}' + ''.join(f'{form:>14}' for form in modules))
    wrong = False
    for what, x, w in inputs():
        x, w = x.astype(np.float32), w.astype(np.float32)
        errors = {form: error_of(module, x, w) for form, module in modules.items()}
        print(f'{what:<48}' + ''.join(f'{error:>14.2f}' for error in errors.values()), flush=True)
        wrong = wrong or not errors['tensor cores'] <= x.shape[1]
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
