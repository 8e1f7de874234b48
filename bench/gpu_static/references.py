"""What each kernel of the GPU family must compute, in NumPy and double: one function a kernel, by the kernel's name.

A function gets a Case, puts made-up numbers where the kernel reads, and returns a list of Output, all that the kernel may write. Formulas are
those of kernels/README.md and of the comments above the kernels."""

import dataclasses
import re
import typing

import numpy as np

KERNELS = {}
STORED = (np.float32, np.float16, np.uint8)
ENTRIES = (None, np.float32, np.float16)  # of sparse rows: all are 1, float, half
SEGMENT = 512  # SPARSE_SEGMENT of kernels/constants.clh
TURN_FULL, TURN_LOWER, TURN_UPPER = range(3)
VECTOR_NONE = 63


@dataclasses.dataclass
class Output:
    """What an argument must hold afterwards, from element `start` of it on. of: makes what is compared of what is there, such as the sums of pairs;
    count: elements that are there, where they are others than those that are compared. where: which are compared; None: all."""

    argument: str
    wanted: np.ndarray
    start: int = 0
    count: typing.Optional[int] = None
    of: typing.Callable = None
    where: typing.Optional[np.ndarray] = None


def pairs(argument, wanted, start=0, of=None):
    """Sums as (high, low), `start` in pairs. of: makes what is compared of the sums."""
    count = int(2 * (np.size(wanted) if of is None else of[0]))
    return Output(argument, np.asarray(wanted, np.float64).ravel(), 2 * start, count, lambda v: (v.reshape(-1, 2).sum(1) if of is None else of[1](v.reshape(-1, 2).sum(1))))


class Case:
    """One launch: its arguments by name, in a memory of its own. random: numpy.random.Generator."""

    def __init__(self, launch, memory, addresses, random):
        self.launch, self.memory, self.addresses, self.random = launch, memory, addresses, random
        self.macros, self.groups, self.items = launch.program.macros, launch.groups, launch.items

    def __getitem__(self, name):
        """The value of a number."""
        return self.launch.argument(name).number

    def has(self, name):
        """Whether a pointer is not NULL."""
        return self.launch.argument(name).buffer is not None

    def address(self, name):
        buffer = self.launch.argument(name).buffer
        return self.addresses[buffer.root.number] + buffer.offset

    def capacity(self, name, dtype):
        """Elements that a buffer has room for."""
        return self.launch.argument(name).buffer.bytes // np.dtype(dtype).itemsize

    def put(self, name, array, start=0):
        data = np.ascontiguousarray(array)
        self.memory.write(self.address(name) + start * data.itemsize, data)

    def read(self, name, count, start=0, dtype=np.float32):
        """What is there, as doubles."""
        return self.memory.get(self.address(name) + start * np.dtype(dtype).itemsize, count, dtype).astype(np.float64)

    def floats(self, name, count, scale=1.0, start=0):
        """Puts normal random numbers; returns them as doubles."""
        values = (scale * self.random.standard_normal(int(count))).astype(np.float32)
        self.put(name, values, start)
        return values.astype(np.float64)

    def matrix(self, name, rows, columns, scale=1.0):
        return self.floats(name, rows * columns, scale).reshape(rows, columns)

    def rows(self, name, first, count, features):
        """Puts rows of X as they are stored; returns those from `first` on (count, features) as doubles."""
        storage = int(self.macros.get('STORAGE', '0'))
        size = (first + count, features)
        if storage == 2:
            values, scale = self.random.integers(0, 256, size).astype(np.uint8), float.fromhex(self.macros['X_SCALE'].rstrip('f'))
        else:
            values, scale = self.random.standard_normal(size).astype(STORED[storage]), 1.0
        self.put(name, values)
        return scale * values[first:].astype(np.float64)

    def labels(self, name, first, count, classes):
        values = self.random.integers(0, classes, first + count).astype(np.int32)
        self.put(name, values)
        return values[first:]

    def weights_of_rows(self, first, count):
        """The weight of each row; 1 where the kernel gets none."""
        if not self.has('row_weights'):
            return np.ones(count)
        values = self.random.uniform(0.5, 2.0, first + count).astype(np.float32)
        self.put('row_weights', values)
        return values[first:].astype(np.float64)

    def logits(self, name, rows, stride, classes, padding=-np.inf, scale=2.0):
        """Puts (rows, stride) with padding past the classes; returns (rows, classes)."""
        values = (scale * self.random.standard_normal((rows, stride))).astype(np.float32)
        values[:, classes:] = padding
        self.put(name, values)
        return values[:, :classes].astype(np.float64)


def kernel(function):
    KERNELS[function.__name__] = function
    return function


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def losses_of(z, y):
    largest = z.max(1)
    return np.log(np.exp(z - largest[:, None]).sum(1)) + largest - z[np.arange(len(z)), y]


def residuals_of(z, y):
    a = softmax(z)
    a[np.arange(len(z)), y] -= 1
    return a


def hessian_terms(z, q):
    a = softmax(z)
    return a * (q - (a * q).sum(1, keepdims=True))


def product(x, w, classes):
    """X W' + b of a vector of parameters."""
    return x @ w[:-classes].reshape(classes, -1).T + w[-classes:]


def transposed(r, x):
    """R' X and the column sums of R as a vector of parameters."""
    return np.concatenate([(r.T @ x).ravel(), r.sum(0)])


def whole_row(values, stride, padding):
    """(rows, classes) with padding up to the stride."""
    full = np.full((len(values), stride), padding, np.float64)
    full[:, :values.shape[1]] = values
    return full.ravel()


# ---- the fused pass ---------------------------------------------------------------------------------------------------------


def fused(case):
    """(x, rows' weights, classes, features, first row, rows) of a fused kernel."""
    classes, features = int(case.macros['CLASSES']), int(case.macros['FEATURES'])
    first, count = case['row_begin'], case['row_count']
    return case.rows('x', first, count, features), case.weights_of_rows(first, count), classes, features, first, count


def all_partials(case, gradient):
    """The partials of all groups, whose sum is looked at: how rows are cut into them is the kernel's own affair."""
    groups, size = case.groups[0], gradient.size
    return Output('partials', gradient, case['first_partial'] * size, groups * size, lambda v: v.reshape(groups, size).sum(0))


@kernel
def fused_gradient(case):
    x, weights, classes, features, first, count = fused(case)
    y = case.labels('labels', first, count, classes)
    z = product(x, case.floats('w', classes * (features + 1), 1 / np.sqrt(features)), classes)
    made = [pairs('losses', [(weights * losses_of(z, y)).sum()], case['first_share'], of=(case.groups[0], lambda v: v.sum(keepdims=True)))]
    if case['want_gradient']:
        made.append(all_partials(case, transposed(case['scale'] * weights[:, None] * residuals_of(z, y), x)))
    return made


@kernel
def fused_hessian(case):
    x, weights, classes, features, _, _ = fused(case)
    z, q = (product(x, case.floats(name, classes * (features + 1), 1 / np.sqrt(features)), classes) for name in ('w', 'v'))
    return [all_partials(case, transposed(case['scale'] * weights[:, None] * hessian_terms(z, q), x))]


# ---- the two products -------------------------------------------------------------------------------------------------------


@kernel
def logits_block(case):
    features, classes, rows = case['features'], case['classes'], case['rows']
    x = case.rows('x', case['row_begin'], rows, features)
    z = product(x, case.floats('w', classes * (features + 1), 1 / np.sqrt(features)), classes)
    return [Output('block', whole_row(z, case['stride'], case['padding']))]


@kernel
def gradient_block(case):
    features, classes, rows, stride = case['features'], case['classes'], case['rows'], case['stride']
    size, parts, part_rows, offset = classes * (features + 1), case.groups[2], case['part_rows'], case['offset']
    x = case.rows('x', case['row_begin'], rows, features)
    r = case.matrix('r', rows, stride, 1 / np.sqrt(rows))[:, :classes]
    sums = np.zeros((parts, size))
    if offset > 0:
        sums[0] += case.floats('partials', size, 1.0, case['first_partial'] * size)
    part = (np.arange(rows) + offset) // part_rows
    for number in range(parts):
        sums[number] += transposed(r[part == number], x[part == number])
    where = None
    if 'LOWER_ONLY' in case.macros:  # of a symmetric product the part below the diagonal
        where = np.concatenate([np.tril(np.ones((classes, features), bool)).ravel(), np.zeros(classes, bool)])
        where = np.tile(where, parts)
    return [Output('partials', sums.ravel(), case['first_partial'] * size, where=where)]


@kernel
def accurate_logits(case):
    features, classes, rows = case['features'], case['classes'], case['rows']
    x = case.rows('x', case['row_begin'], rows, features)
    z = product(x, case.floats('w', classes * (features + 1)), classes)
    return [Output('block', whole_row(z, case['stride'], -np.inf))]


# ---- rows of logits ---------------------------------------------------------------------------------------------------------


def classes_of(case):
    """Kernels on rows do not know K: padding of -INFINITY says where it ends. Some are there, unless the stride is the least."""
    stride = case['stride']
    return stride - 3 if stride > 8 else stride


@kernel
def residual_rows(case):
    stride, rows, first = case['stride'], case['rows'], case['first_row']
    classes, groups = classes_of(case), case.groups[0]
    z, y, weights = case.logits('block', rows, stride, classes), case.labels('labels', first, rows, classes), case.weights_of_rows(first, rows)
    losses = np.zeros(groups)
    if case['add']:
        losses += case.floats('losses', 2 * groups, 1.0, 2 * case['first_loss']).reshape(-1, 2).sum(1)
    np.add.at(losses, np.minimum(np.arange(rows) // case['group_rows'], groups - 1), weights * losses_of(z, y))
    residuals = case['scale'] * weights[:, None] * residuals_of(z, y)
    return [Output('block', whole_row(residuals, stride, 0.0)), pairs('losses', losses, case['first_loss'])]


@kernel
def probability_rows(case):
    stride, rows = case['stride'], case['rows']
    return [Output('block', whole_row(softmax(case.logits('block', rows, stride, classes_of(case))), stride, 0.0))]


@kernel
def spread_rows(case):
    stride, rows, classes = case['stride'], case['rows'], classes_of(case)
    a = softmax(case.logits('block', rows, stride, classes, scale=6.0)).astype(np.float32)
    case.put('block', whole_row(a, stride, 0.0).astype(np.float32))
    weights, a = case.weights_of_rows(case['first_row'], rows), a.astype(np.float64)
    others = np.where(a <= 0.5, a, 0).sum(1, keepdims=True)
    spread = case['scale'] * weights[:, None] * a * np.where(a <= 0.5, 1 - a, others)
    return [Output('block', whole_row(spread, stride, 0.0))]


@kernel
def hessian_rows(case):
    stride, rows, classes = case['stride'], case['rows'], classes_of(case)
    z, q = case.logits('block', rows, stride, classes), case.logits('directions', rows, stride, classes, 0.0)
    weights = case.weights_of_rows(case['first_row'], rows)
    return [Output('directions', whole_row(case['scale'] * weights[:, None] * hessian_terms(z, q), stride, 0.0))]


@kernel
def line_rows(case):
    stride, rows, first, groups = case['stride'], case['all_rows'], case['first_row'], case['groups']
    classes, shares = classes_of(case), case.groups[0] // case['groups']
    z, s = case.logits('logits', rows, stride, classes), case.logits('directions', rows, stride, classes, 0.0)
    y, weights = case.labels('labels', first, rows, classes), case.weights_of_rows(first, rows)
    z = z + case['t'] * s
    slopes = (softmax(z) * (s - s[np.arange(rows), y][:, None])).sum(1)
    share, made = np.arange(rows) // case['share_rows'], []
    for name, values in (('losses', losses_of(z, y)), ('slopes', slopes)):
        sums = np.bincount(share, weights * values, shares)
        made.append(pairs(name, sums, of=(case.groups[0], lambda v: v.reshape(shares, groups).sum(1))))
    return made


@kernel
def bias_rows(case):
    stride, rows, classes, features = case['stride'], case['rows'], case['classes'], case['features']
    bias = case.floats('w', classes, 1.0, classes * features)
    return [Output('block', whole_row(np.tile(bias, (rows, 1)), stride, case['padding']), case['row_begin'] * stride)]


@kernel
def column_sums(case):
    classes, rows = case['classes'], case['rows']
    sums = case.matrix('block', rows, case['stride'])[:, :classes].sum(0)
    if case['add']:
        sums = sums + case.floats('sums', classes, 1.0, case['at'])
    return [Output('sums', sums, case['at'])]


# ---- vectors ----------------------------------------------------------------------------------------------------------------


def vectors_of(case, count):
    """Numbers of the vectors that are there; each gets `count` random numbers."""
    names = [a.name for a in case.launch.arguments if re.fullmatch(r'v\d\d', a.name) and a.buffer is not None]
    for name in names:
        case.floats(name, count)
    return names


def number_of(name):
    """Of v12 or c12 or j12: eight of them have the same first digit."""
    return 8 * int(name[1]) + int(name[2])


def name_of(letter, number):
    return f'{letter}{number // 8}{number % 8}'


@kernel
def combine(case):
    count = case['count']
    vectors_of(case, count)
    out = case.floats('out', count) if case['keep'] else np.zeros(count)
    for number in range(case['sources']):
        out = out + case[name_of('c', number)] * case.read(name_of('v', number), count)
    return [Output('out', out)]


@kernel
def dots(case):
    count, weights, parts, made = case['count'], case['weights'], case.groups[1], []
    vectors_of(case, count)
    for job in (case[name_of('j', number)] for number in range(case.groups[0])):
        place, length = job >> 54 & 255, weights if job >> 62 else count
        a = case.read(name_of('v', job & 63), length)
        chosen = [job >> 6 * (n + 1) & 63 for n in range(8)]
        for n, b in enumerate(chosen[:chosen.index(VECTOR_NONE)] if VECTOR_NONE in chosen else chosen):
            wanted = [a @ case.read(name_of('v', b), length)]
            made.append(pairs('partials', wanted, case['first'] + (place + n) * parts, of=(parts, lambda v: v.sum(keepdims=True))))
    return made


@kernel
def multiply(case):
    count = case['count']
    case.floats('a', count)  # the two may be the same
    return [Output('out', case.floats('b', count) * case.read('a', count))]


@kernel
def divide_sqrt(case):
    count = case['count']
    b = case.random.uniform(0.0, 2.0, count).astype(np.float32)
    case.put('b', b)
    return [Output('out', case.floats('a', count) / (np.sqrt(b.astype(np.float64)) + case['epsilon']))]


@kernel
def prox(case):
    count, weights = case['count'], case['weights']
    a, t = case.floats('a', count), np.full(count, case['step'])
    if case.has('steps'):
        steps = case.random.uniform(0.5, 2.0, count).astype(np.float32)
        case.put('steps', steps)
        t = t * steps
    out = np.copysign(np.maximum(np.abs(a) - t * case['l1'], 0), a) / (1 + t * case['l2'])
    return [Output('out', np.where(np.arange(count) < weights, out, a))]


@kernel
def fold_partials(case):
    count, share_count, first = case['count'], case['share_count'], case['first_share']
    shard, shards = first // share_count, case.groups[1]
    sums = case.floats('folded', 2 * shards * count, 1.0, 2 * shard * count).reshape(shards, 2, count).sum(1)
    partials = case.matrix('partials', case['partial_count'], count)
    for number, partial in enumerate(partials):
        sums[(first + number) // share_count - shard] += partial
    return [Output('folded', sums.ravel(), 2 * shard * count, 2 * shards * count, lambda v: v.reshape(shards, 2, count).sum(1).ravel())]


@kernel
def fold_spread(case):
    count = case['count']
    return [Output('folded', case.matrix('partials', case['partial_count'], count).sum(0), 0, 2 * count, lambda v: v.reshape(2, count).sum(0))]


@kernel
def finish_gradient(case):
    count, weights = case['count'], case['weights']
    w = case.floats('w', count)
    gradient = case.matrix('partials', case['partial_count'], count).sum(0)
    ridge = np.where(np.arange(count) < weights, case['l2'], 0.0)
    if case.has('factors'):
        ridge = case['l2'] * case.floats('factors', count)
    gradient = gradient + ridge * w
    if case.has('linear'):
        gradient = gradient + case.floats('linear', count)
    if not case['keep_bias']:
        gradient[weights:] = 0
    made = [Output('gradient', gradient)]
    if case.has('norms'):
        groups = case.groups[0]
        made.append(pairs('norms', [np.abs(gradient).max()], case['first_norm'], of=(groups, lambda v: v.max(keepdims=True))))
    return made


KERNELS['finish_spread'] = finish_gradient

# ---- metrics and Gram matrices ----------------------------------------------------------------------------------------------


def with_bias(vector, features, classes):
    """A vector of parameters as (K, D + 1), and the way back."""
    return np.concatenate([vector[:classes * features].reshape(classes, features), vector[classes * features:].reshape(classes, 1)], 1)


def as_vector(matrix):
    return np.concatenate([matrix[:, :-1].ravel(), matrix[:, -1]])


@kernel
def metric_classes(case):
    features, classes = case['features'], case['classes']
    m = case.matrix('m', classes, classes)
    return [Output('to', as_vector(m @ with_bias(case.floats('from', classes * (features + 1)), features, classes)))]


@kernel
def metric_mean_off(case):
    features, classes = case['features'], case['classes']
    v = with_bias(case.floats('from', classes * (features + 1)), features, classes)
    return [Output('to', as_vector(v - v.mean(0)))]


@kernel
def metric_turn(case):
    features, classes, stride, shape = case['features'], case['classes'], case['stride'], case['shape']
    several = classes if case['class_stride'] else 1
    m = np.zeros((several, features + 1, stride), np.float32)
    m[:, :, :features + 1] = case.random.standard_normal((several, features + 1, features + 1))
    column, row = np.arange(stride), np.arange(features + 1)[:, None]
    if shape == TURN_LOWER:
        m *= (column <= row) | (column == features)
    elif shape == TURN_UPPER:
        m *= (column >= row) | (row == features)
    for number in range(several):
        case.put('m', m[number], number * case['class_stride'])
    v = with_bias(case.floats('from', classes * (features + 1)), features, classes)
    to = np.stack([v[k] @ m[k % several, :, :features + 1].astype(np.float64) for k in range(classes)])
    scale = case.floats('scale', classes * (features + 1)) if case.has('scale') else 1.0
    return [Output('to', as_vector(to) * scale)]


@kernel
def metric_center(case):
    features, classes = case['features'], case['classes']
    v = with_bias(case.floats('from', classes * (features + 1)), features, classes)
    if case.has('center'):
        v[:, :-1] -= np.outer(v[:, -1], case.floats('center', features))
    scale = case.floats('scale', classes * (features + 1)) if case.has('scale') else 1.0
    return [Output('to', as_vector(v) * scale)]


@kernel
def metric_uncenter(case):
    features, classes = case['features'], case['classes']
    v = with_bias(case.floats('from', classes * (features + 1)), features, classes)
    if case.has('center'):
        v[:, -1] -= v[:, :-1] @ case.floats('center', features)
    return [Output('to', as_vector(v))]


@kernel
def weighted_squares(case):
    width, rows, matrices = case['width'], case['rows'], case['matrices']
    squares = case.matrix('panel', rows, width) ** 2
    return [Output('squares', (case.matrix('weights', matrices, rows) @ squares).ravel())]


@kernel
def scale_rows(case):
    width, rows = case['width'], case['rows']
    scaled = case.matrix('panel', rows, width) * case.floats('weights', rows)[:, None]
    return [Output('to', whole_row(scaled, case['stride'], 0.0))]


# ---- sparse rows ------------------------------------------------------------------------------------------------------------


def entries_of(case, count):
    """Values of entries, as doubles; 1 where there are none."""
    dtype = ENTRIES[int(case.macros.get('VALUES', '1'))]
    if dtype is None:
        return np.ones(count)
    values = case.random.standard_normal(count).astype(dtype)
    case.put('values', values)
    return values.astype(np.float64)


def sparse_rows(case, features):
    """Puts made-up rows (CSR); returns X (rows, features)."""
    begin, rows = case['row_begin'], case['rows']
    most = min(case.capacity('columns', np.uint32) // (begin + rows), features)
    lengths = case.random.integers(0, most + 1, begin + rows)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    columns = np.concatenate([np.sort(case.random.permutation(features)[:length]) for length in lengths]).astype(np.uint32)
    case.put('begin', ends)
    case.put('columns', columns)
    values, x = entries_of(case, columns.size), np.zeros((begin + rows, features))
    x[np.repeat(np.arange(begin + rows), lengths), columns] = values
    return x[begin:]


def turned_weights(case, features, classes, stride):
    """w (D + 1, stride), the bias last; columns past the classes are 0."""
    w = case.random.standard_normal((features + 1, stride)).astype(np.float32)
    w[:, classes:] = 0
    case.put('w', w)
    return w[:, :classes].astype(np.float64)


def gathered_logits(case, padding):
    features, classes = case['features'], case['classes']
    w = turned_weights(case, features, classes, case['stride'])
    return [Output('block', whole_row(sparse_rows(case, features) @ w[:-1] + w[-1], case['block_stride'], padding))]


@kernel
def sparse_logits(case):
    return gathered_logits(case, case['padding'])


@kernel
def sparse_accurate_logits(case):
    return gathered_logits(case, -np.inf)


def gathered_gradient(case, long_ones):
    """gradient (D, stride) += R' X of the entries of a block by columns."""
    columns, stride, room = case['columns'], case['stride'], case.capacity('rows', np.uint16)
    block_rows = case.capacity('residuals', np.float32) // case['block_stride']
    residuals = case.matrix('residuals', block_rows, case['block_stride'])[:, :stride]
    features = case.capacity('gradient', np.float32) // stride - (case.capacity('gradient', np.float32) % stride > 0)
    features = max(min(features, columns + 5), columns)
    chosen = np.sort(case.random.permutation(features)[:columns]).astype(np.uint32)
    lengths = case.random.integers(1, max(min(room // columns, SEGMENT), 1) + 1, columns)
    if not long_ones and room - lengths.sum() > SEGMENT:
        lengths[columns // 2] += SEGMENT  # left to the other kernel
    ends = np.cumsum(lengths)
    case.put('index', np.concatenate([chosen, ends]).astype(np.uint32))
    mine = lengths <= SEGMENT
    if long_ones:
        longs = case.random.permutation(columns)[:case.groups[0]].astype(np.uint32)
        case.put('index', longs, case['longs'])
        mine = np.isin(np.arange(columns), longs)
    rows = case.random.integers(0, block_rows, ends[-1]).astype(np.uint16)
    case.put('rows', rows)
    values = entries_of(case, rows.size)
    values = values**2 if case['squares'] else values
    gradient = case.matrix('gradient', features, stride)
    of = np.repeat(np.arange(columns), lengths)
    keep = mine[of]
    np.add.at(gradient, chosen[of[keep]], values[keep, None] * residuals[rows[keep]])
    return [Output('gradient', gradient.ravel())]


@kernel
def sparse_gradient(case):
    return gathered_gradient(case, False)


@kernel
def sparse_gradient_long(case):
    return gathered_gradient(case, True)


def places_of(case, features):
    if not case.has('places'):
        return np.arange(features)
    places = case.random.permutation(features).astype(np.uint32)
    case.put('places', places)
    return places


@kernel
def sparse_turn(case):
    features, classes, stride = case['features'], case['classes'], case['stride']
    w = with_bias(case.floats('w', classes * (features + 1)), features, classes)
    to = np.zeros((features + 1, stride))
    to[np.append(places_of(case, features), features), :classes] = w.T
    return [Output('to', to.ravel())]


@kernel
def sparse_turn_back(case):
    features, classes, stride, items = case['features'], case['classes'], case['stride'], case['items']
    sums = case.matrix('from', features, stride)
    bias = case.matrix('sums', items, stride)[:, :classes].sum(0)
    vector = np.concatenate([sums[places_of(case, features)][:, :classes].T.ravel(), bias])
    return [Output('partials', vector, case['partial'] * vector.size), Output('from', np.zeros(features * stride))]
