"""What PTX instructions compute, for all lanes at once: the part of interpreter.Run that touches registers alone."""

import re

import numpy as np

from device_memory import WARP
from ptx import DTYPES, Refused

COMPARE = {
    'eq': np.equal, 'ne': np.not_equal, 'lt': np.less, 'le': np.less_equal, 'gt': np.greater, 'ge': np.greater_equal, 'lo': np.less,
    'ls': np.less_equal, 'hi': np.greater, 'hs': np.greater_equal, 'neu': np.not_equal, 'ltu': lambda a, b: ~(a >= b),
    'leu': lambda a, b: ~(a > b), 'gtu': lambda a, b: ~(a <= b), 'geu': lambda a, b: ~(a < b), 'equ': lambda a, b: ~((a < b) | (a > b)),
    'num': lambda a, b: ~(np.isnan(a) | np.isnan(b)), 'nan': lambda a, b: np.isnan(a) | np.isnan(b),
}  # fmt: skip
BINARY = {
    'add': np.add, 'sub': np.subtract, 'and': np.bitwise_and, 'or': np.bitwise_or, 'xor': np.bitwise_xor,
}  # fmt: skip


class Arithmetic:
    """Registers of n lanes by name, and instructions on them."""

    def value(self, operand, kind):
        """The operand for every lane (or one number), as `kind`."""
        dtype = np.bool_ if kind == 'pred' else DTYPES[kind]
        if operand[0] == '%' or operand in self.registers:  # or a name that inline PTX declares
            value = self.special.get(operand)
            if value is None:
                value = self.registers.get(operand)
                if value is None:
                    value = np.zeros(self.n, dtype)  # read where no lane needs it
            if value.dtype == dtype:
                return value
            if value.dtype.itemsize == np.dtype(dtype).itemsize:
                return value.view(dtype)
            return value.astype(dtype)
        if operand in self.entry.shared:
            return np.asarray(self.entry.shared[operand]).astype(dtype)
        if operand.startswith('__local_depot'):
            raise Refused(f'{self.entry.name}: private memory')
        if operand[:2] in ('0f', '0F'):
            return np.array(int(operand[2:], 16), np.uint32).view(np.float32).view(dtype)
        if operand[:2] in ('0d', '0D'):
            return np.array(int(operand[2:], 16), np.uint64).view(np.float64).view(dtype)
        bits = 8 * np.dtype(dtype).itemsize
        return np.array(int(operand.rstrip('U'), 0) & ((1 << bits) - 1), f'u{bits // 8}').view(dtype)

    def put(self, register, value, mask):
        if value.shape != (self.n,):
            value = np.broadcast_to(value, (self.n,))
        if mask is None:
            self.registers[register] = value.copy() if value.base is not None or not value.flags.owndata else value
            return
        old = self.registers.get(register)
        if old is None:
            old = np.zeros(self.n, value.dtype)
        elif old.dtype != value.dtype:
            old = old.view(value.dtype) if old.dtype.itemsize == value.dtype.itemsize else old.astype(value.dtype)
        self.registers[register] = np.where(mask, value, old)

    def compute(self, i, lanes):
        operands, kind, name = i.operands, i.type, i.name

        def value(index, type_=kind):
            return self.value(operands[index], type_)

        if name == 'mov':
            if operands[1].startswith('{'):
                return self.join(i, lanes)
            if operands[0].startswith('{'):
                return self.split(i, lanes)
            result = value(1, 'pred' if kind == 'pred' else kind)
        elif name == 'cvta':
            result = value(1)
        elif name == 'cvt':
            result = self.convert(i)
        elif name == 'setp':
            result = COMPARE[i.parts[1]](value(1), value(2))
        elif name == 'selp':
            result = np.where(value(3, 'pred'), value(1), value(2))
        elif name in BINARY:
            result = BINARY[name](value(1), value(2))
        elif name in ('min', 'max'):
            pick = {'min': (np.fmin, np.minimum), 'max': (np.fmax, np.maximum)}[name][kind[0] != 'f']
            result = pick(value(1), value(2))
        elif name == 'not':
            result = ~value(1)
        elif name == 'neg':
            result = -value(1)
        elif name == 'abs':
            result = np.abs(value(1))
        elif name in ('mul', 'mad'):
            result = self.multiply(i, value)
        elif name == 'fma':
            result = self.fused(i, value)
        elif name == 'shl':
            amount = self.value(operands[2], 'u32')
            bits = 8 * np.dtype(DTYPES[kind]).itemsize
            result = np.where(amount >= bits, 0, value(1) << np.minimum(amount, bits - 1).astype(DTYPES[kind])).astype(DTYPES[kind])
        elif name == 'shr':
            amount = self.value(operands[2], 'u32')
            x = value(1, kind if kind[0] in 'us' else 'u' + kind[1:])
            bits = 8 * x.dtype.itemsize
            shifted = x >> np.minimum(amount, bits - 1).astype(x.dtype)
            result = shifted if kind[0] == 's' else np.where(amount >= bits, 0, shifted).astype(x.dtype)
        elif name in ('div', 'rem'):
            result = self.divide(name, kind, value(1), value(2))
        elif name in ('ex2', 'lg2', 'rcp', 'sqrt', 'rsqrt'):
            x = value(1).astype(np.float64)
            functions = {'ex2': np.exp2, 'lg2': np.log2, 'rcp': lambda v: 1 / v, 'sqrt': np.sqrt, 'rsqrt': lambda v: 1 / np.sqrt(v)}
            result = functions[name](x).astype(np.float32)
        elif name == 'copysign':
            result = np.copysign(value(2), value(1))
        elif name == 'bfe':
            at, length = self.value(operands[2], 'u32') & np.uint32(255), self.value(operands[3], 'u32') & np.uint32(255)
            wide = value(1).astype(np.int64 if kind[0] == 's' else np.uint64)
            if kind[0] == 's':  # the field's own sign
                left = 64 - np.minimum(at + length, 8 * np.dtype(DTYPES[kind]).itemsize).astype(np.int64)
                result = ((wide << left) >> (left + at)).astype(DTYPES[kind])
            else:
                result = ((wide >> at.astype(np.uint64)) & ((np.uint64(1) << length.astype(np.uint64)) - np.uint64(1))).astype(DTYPES[kind])
        elif name == 'bfi':
            at, length = self.value(operands[3], 'u32').astype(np.uint64), self.value(operands[4], 'u32').astype(np.uint64)
            field = ((np.uint64(1) << length) - np.uint64(1)) << at
            a, b = value(1).astype(np.uint64), value(2).astype(np.uint64)
            result = ((b & ~field) | ((a << at) & field)).astype(DTYPES[kind])
        elif name == 'dp2a':
            result = self.dot_of_two(i)
        elif name == 'prmt':
            result = self.permute(value(1), value(2), value(3))
        elif name == 'shfl':
            return self.shuffle(i, lanes)
        elif name == 'mma':
            return self.matrix(i, lanes)
        else:
            raise Refused(f'{self.entry.name}: {i.op} {operands}')
        self.put(operands[0].split('|')[0], np.asarray(result), lanes)
        return None

    def join(self, i, lanes):
        parts = [p.strip() for p in i.operands[1].strip('{}').split(',')]
        bits = 8 * np.dtype(DTYPES[i.type]).itemsize
        each, result = bits // len(parts), np.zeros(self.n, DTYPES['u%d' % bits])
        for number, part in enumerate(parts):
            result |= np.broadcast_to(self.value(part, 'u%d' % each), (self.n,)).astype(result.dtype) << result.dtype.type(each * number)
        self.put(i.operands[0], result, lanes)

    def split(self, i, lanes):
        parts = [p.strip() for p in i.operands[0].strip('{}').split(',')]
        bits = 8 * np.dtype(DTYPES[i.type]).itemsize
        each, whole = bits // len(parts), self.value(i.operands[1], 'u%d' % bits)
        for number, part in enumerate(parts):
            self.put(part, (whole >> whole.dtype.type(each * number)).astype(DTYPES['u%d' % each]), lanes)

    def convert(self, i):
        source = self.value(i.operands[1], i.type)
        if 'tf32' in i.parts:  # to the nearest of 10 digits, ties away from zero
            bits = np.broadcast_to(self.value(i.operands[1], 'u32'), (self.n,))
            return (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
        target = DTYPES[i.parts[-2]]
        if 'sat' in i.parts and np.dtype(target).kind == 'f':
            return np.clip(np.nan_to_num(source, nan=0.0), 0, 1).astype(target)
        if np.dtype(target).kind != 'f' and source.dtype.kind == 'f':
            rounding = next((p for p in i.parts if p in ('rni', 'rzi', 'rmi', 'rpi')), 'rzi')
            rounded = {'rni': np.rint, 'rzi': np.trunc, 'rmi': np.floor, 'rpi': np.ceil}[rounding](source.astype(np.float64))
            limits = np.iinfo(target)
            return np.clip(np.nan_to_num(rounded, nan=0.0), limits.min, limits.max).astype(target)
        if np.dtype(target).kind == 'f' and source.dtype.kind == 'f':
            rounding = next((p for p in i.parts if p in ('rni', 'rzi', 'rmi', 'rpi')), None)
            if rounding:
                source = {'rni': np.rint, 'rzi': np.trunc, 'rmi': np.floor, 'rpi': np.ceil}[rounding](source)
        return source.astype(target)

    @staticmethod
    def multiply(i, value):
        kind = i.type
        if 'wide' in i.parts:
            wide = DTYPES[kind[0] + str(2 * int(kind[1:]))]
            product = value(1).astype(wide) * value(2).astype(wide)
            if i.name == 'mad':
                product = product + value(3, kind[0] + str(2 * int(kind[1:])))
            return product
        if 'hi' in i.parts:
            if kind in ('u32', 's32'):
                wide = np.uint64 if kind == 'u32' else np.int64
                return ((value(1).astype(wide) * value(2).astype(wide)) >> wide(32)).astype(DTYPES[kind])
            raise Refused(i.op)
        product = value(1) * value(2)
        return product + value(3) if i.name == 'mad' else product

    @staticmethod
    def fused(i, value):
        exact = value(1).astype(np.float64) * value(2).astype(np.float64) + value(3).astype(np.float64)
        result = exact.astype(np.float32)
        if 'rm' in i.parts:
            result = np.where(result.astype(np.float64) > exact, np.nextafter(result, np.float32(-np.inf)), result).astype(np.float32)
        return result

    @staticmethod
    def divide(name, kind, x, y):
        if kind[0] == 'f':
            return (x / y).astype(DTYPES[kind])
        y = np.where(y == 0, 1, y).astype(x.dtype)
        return x // y if name == 'div' else x % y

    def dot_of_two(self, i):
        """dp2a: c + the two halves of a times two bytes of b, the lower or the upper ones; each signed or not."""
        a, b = (np.ascontiguousarray(self.value(operand, 'u32')) for operand in i.operands[1:3])
        halves, pieces = a.view(i.parts[2][0].replace('s', 'i') + '2'), b.view(i.parts[3][0].replace('s', 'i') + '1')
        first = 0 if i.parts[1] == 'lo' else 2
        total = self.value(i.operands[3], i.type).astype(np.int64)
        for n in range(2):
            total = total + halves[..., n::2].astype(np.int64) * pieces[..., first + n::4].astype(np.int64)
        return total.astype(DTYPES[i.type])

    @staticmethod
    def permute(a, b, selector):
        """prmt.b32 in its default mode: byte n of the result is that of (b, a) which the low three bits of digit n name, or its sign alone."""
        both = a.astype(np.uint32).astype(np.uint64) | (b.astype(np.uint32).astype(np.uint64) << np.uint64(32))
        result = np.zeros(both.shape, np.uint64)
        for n in range(4):
            digit = (selector.astype(np.uint64) >> np.uint64(4 * n)) & np.uint64(15)
            byte = (both >> (np.uint64(8) * (digit & np.uint64(7)))) & np.uint64(255)
            byte = np.where(digit >= 8, np.where(byte >= 128, np.uint64(255), np.uint64(0)), byte)
            result |= byte << np.uint64(8 * n)
        return result.astype(np.uint32)

    def shuffle(self, i, lanes):
        """shfl.sync.mode.b32 d, a, b, c, mask: b and c as the manual says, for all lanes of a warp together."""
        mode = i.parts[2] if i.parts[1] == 'sync' else i.parts[1]
        a = np.broadcast_to(self.value(i.operands[1], 'b32'), (self.n,)).reshape(-1, WARP)
        b = np.broadcast_to(self.value(i.operands[2], 'u32'), (self.n,)).reshape(-1, WARP).astype(np.int64) & 31
        c = np.broadcast_to(self.value(i.operands[3], 'u32'), (self.n,)).reshape(-1, WARP).astype(np.int64)
        lane, segment, clamp = np.arange(WARP)[None, :], (c >> 8) & 31, c & 31
        lowest = lane & segment
        highest = lowest | (clamp & ~segment)
        source = {'up': lane - b, 'down': lane + b, 'bfly': lane ^ b, 'idx': lowest | (b & ~segment)}[mode]
        inside = source >= highest if mode == 'up' else source <= highest
        source = np.where(inside, source, lane) % WARP
        result = np.take_along_axis(a, source, 1).ravel()
        destination = i.operands[0].split('|')
        self.put(destination[0], result, lanes)
        if len(destination) > 1:
            self.put(destination[1], inside.ravel(), lanes)

    def matrix(self, i, lanes):
        """mma.sync m16n8k8 of tf32 with sums in f32: fragments as the manual lays them out. Products are exact; four of them and what was there
        before are added up at a time and cut off to f32, as a tensor core does (Fasi, Higham, Mikaitis, Pranesh, "Numerical behavior of NVIDIA
        tensor cores", PeerJ CS 7:e330, but for the two bits that it may have more while it adds)."""
        if 'm16n8k8' not in i.parts or 'tf32' not in i.parts:
            raise Refused(f'{self.entry.name}: {i.op}')

        def fragment(operand):
            names = operand.strip('{}').split(',')
            return [np.broadcast_to(self.value(n.strip(), 'u32'), (self.n,)).reshape(-1, WARP) for n in names]

        lane = np.arange(WARP)
        row, column = lane // 4, lane % 4
        a = fragment(i.operands[1])
        b = fragment(i.operands[2])
        c = fragment(i.operands[3])
        targets = [v.strip() for v in i.operands[0].strip('{}').split(',')]

        def number(bits, cut):
            return (bits & np.uint32(0xFFFFE000) if cut else bits).view(np.float32).astype(np.float64)

        warps = self.warps
        left, right, sums = np.zeros((warps, 16, 8)), np.zeros((warps, 8, 8)), np.zeros((warps, 16, 8))
        for k in range(4):
            left[:, row + 8 * (k % 2), column + 4 * (k // 2)] = number(np.ascontiguousarray(a[k]), True)
            sums[:, row + 8 * (k // 2), 2 * column + k % 2] = number(np.ascontiguousarray(c[k]), False)
        for k in range(2):
            right[:, column + 4 * k, row] = number(np.ascontiguousarray(b[k]), True)
        for half in (slice(0, 4), slice(4, 8)):
            exact = sums + left[:, :, half] @ right[:, half]
            near = exact.astype(np.float32)
            sums = np.where(np.abs(near) > np.abs(exact), np.nextafter(near, np.float32(0)), near).astype(np.float64)
        sums = sums.astype(np.float32)
        for k, target in enumerate(targets):
            self.put(target, sums[:, row + 8 * (k // 2), 2 * column + k % 2].ravel(), lanes)
