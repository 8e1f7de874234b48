"""Launches of kernels that no short training on one device launches: of several devices, of rows that do not fit the device, of other backends."""

import struct

import trace

CODES = {'uint': '<I', 'ulong': '<Q', 'float': '<f', 'int': '<i'}


def launch(program, kernel, groups, items, *arguments):
    """arguments: (name, type, value), of a pointer its elements of four bytes, None for NULL."""
    given, number = [], 1
    for name, kind, value in arguments:
        if not kind.endswith('*'):
            given.append(trace.Argument(name, kind, 'private', False, value=struct.pack(CODES[kind], value)))
            continue
        buffer = None if value is None else trace.Buffer(number, 4 * value)
        given.append(trace.Argument(name, kind, 'global', True, buffer))
        number += 1
    size = tuple(g * n for g, n in zip(groups, (items, 1, 1)))
    return trace.Launch(kernel, program, 0, (0, 0, 0), size, (items, 1, 1), given, {}, {})


def of_program(program, kernels):
    """Launches of those of a program's kernels that are such ones."""
    return [made for made in vectors(program) + rows(program) + metrics(program) if made.kernel in kernels]


def vectors(program):
    made = []
    for count in (305, 300):  # no multiple of four, and one
        for first, partials, share_count in ((0, 7, 3), (4, 5, 3)):
            shards = (first + partials - 1) // share_count - first // share_count + 1
            made.append(launch(program, 'fold_partials', (2, shards, 1), 256, ('folded', 'float*', 2 * count * 5), ('partials', 'float*', partials * count),
                               ('first_share', 'ulong', first), ('partial_count', 'uint', partials), ('share_count', 'uint', share_count),
                               ('count', 'ulong', count)))  # fmt: skip
        for partials in (1, 6):
            made.append(launch(program, 'finish_gradient', (2, 1, 1), 256, ('gradient', 'float*', count), ('partials', 'float*', partials * count),
                               ('partial_count', 'uint', partials), ('w', 'float*', count), ('l2', 'float', 0.25), ('factors', 'float*', None),
                               ('linear', 'float*', count), ('weights', 'ulong', count - 7), ('count', 'ulong', count), ('keep_bias', 'uint', partials % 2),
                               ('norms', 'float2*', 8), ('first_norm', 'uint', 1)))  # fmt: skip
        for parts in (1, 8, 32):
            columns = 256 // parts
            made.append(launch(program, 'fold_spread', (-(-count // columns), 1, 1), 256, ('folded', 'float*', 2 * count), ('partials', 'float*', 70 * count),
                               ('partial_count', 'uint', 70), ('count', 'ulong', count), ('parts', 'uint', parts)))  # fmt: skip
    return made


def rows(program):
    stride, rows_there = 4 * int(program.macros.get('ROW_LANES', '2')), 37
    classes, features = stride - 3, 11
    return [launch(program, 'bias_rows', (3, 1, 1), 256, ('block', 'float*', (rows_there + 2) * stride), ('stride', 'uint', stride),
                   ('w', 'float*', classes * (features + 1)), ('features', 'ulong', features), ('classes', 'uint', classes), ('row_begin', 'ulong', 2),
                   ('rows', 'ulong', rows_there), ('padding', 'float', -1.0))]  # fmt: skip


def metrics(program):
    width, count, stride, matrices = 45, 70, 48, 3
    return [
        launch(program, 'scale_rows', (4, 1, 1), 256, ('panel', 'float*', count * width), ('weights', 'float*', count), ('width', 'ulong', width),
               ('rows', 'ulong', count), ('stride', 'uint', stride), ('to', 'float*', count * stride)),
        launch(program, 'weighted_squares', (2, 1, 1), 256, ('panel', 'float*', count * width), ('weights', 'float*', count * matrices),
               ('width', 'ulong', width), ('rows', 'uint', count), ('matrices', 'uint', matrices), ('squares', 'float*', width * matrices)),
    ]  # fmt: skip
