"""PTX, the assembly that NVIDIA's compiler makes, read into kernels of instructions. interpreter.py runs them.

The PTX ISA manual of NVIDIA says what instructions mean."""

import re

import numpy as np

DTYPES = {
    'f16': np.float16, 'f32': np.float32, 'f64': np.float64, 'u8': np.uint8, 's8': np.int8, 'b8': np.uint8, 'u16': np.uint16, 's16': np.int16,
    'b16': np.uint16, 'u32': np.uint32, 's32': np.int32, 'b32': np.uint32, 'u64': np.uint64, 's64': np.int64, 'b64': np.uint64,
}


class Refused(Exception):
    """PTX, or an access to memory, that this interpreter does not take."""


class Instruction:
    """One instruction: op 'ld.global.f32' as parts, its type, operands as text, and what running it needs."""

    def __init__(self, predicate, negated, op, operands, line):
        self.predicate, self.negated, self.op, self.operands, self.line = predicate, negated, op, operands, line
        self.parts = op.split('.')
        self.name, self.type = self.parts[0], self.parts[-1]
        self.registers = re.findall(r'%(?:f|r|rd|rs|p|fd|h|hh)\d+', ' '.join(operands))
        if predicate:
            self.registers.append(predicate)
        self.waits = ()  # load destinations among the registers

    @property
    def space(self):
        return next((p for p in self.parts[1:] if p in ('global', 'shared', 'local', 'param', 'const')), 'generic')

    @property
    def vector(self):
        return next((int(p[1]) for p in self.parts if p in ('v2', 'v4')), 1)

    @property
    def bytes(self):
        """That a lane moves, of a load, a store or a copy to local memory."""
        return int(self.operands[2]) if self.name == 'cp' else np.dtype(DTYPES[self.type]).itemsize * self.vector


class Entry:
    """A kernel (or a function it calls): parameters as (name, type), local memory by name, code, labels."""

    def __init__(self, name, parameters, body, statements, first_line):
        self.name, self.parameters = name, parameters
        self.shared, self.shared_bytes = {}, 0
        self.private_bytes = sum(int(n) for n in re.findall(r'\.local\s+\.align\s+\d+\s+\.b8\s+[\w$]+\[(\d+)\]', body))
        for align, symbol, size in re.findall(r'\.shared\s+\.align\s+(\d+)\s+\.b8\s+([\w$]+)\[(\d+)\]', body):
            self.shared_bytes = -(-self.shared_bytes // int(align)) * int(align)
            self.shared[symbol] = self.shared_bytes
            self.shared_bytes += int(size)
        for symbol, kind in re.findall(r'\.shared\s+\.align\s+\d+\s+\.(?:[bufs](\d+))\s+([\w$]+)\s*;', body):
            raise Refused(f'{name}: a single number in local memory ({kind})')
        self.code, self.labels = [], {}
        for text, line in statements:
            self.add(text, first_line + line)
        self.blocks()

    def add(self, text, line):
        while True:
            label = re.match(r'([$\w]+):\s*', text)
            if not label:
                brace = re.match(r'[{}]\s*', text)  # of a call
                if not brace:
                    break
                line += brace.group(0).count('\n')
                text = text[brace.end():]
                continue
            self.labels[label.group(1)] = len(self.code)
            line += label.group(0).count('\n')
            text = text[label.end():]
        if not text or text.startswith(('.reg', '.shared', '.local', '.loc', '.pragma', '.file', '.param')):
            return
        match = re.match(r'(?:@(!?)(%p\d+)\s+)?([\w.:]+)\s*(.*)$', text, re.S)
        if not match:
            raise Refused(f'{self.name}: {text}')
        negated, predicate, op, rest = match.groups()
        operands, depth, current = [], 0, ''
        for char in rest:
            depth += char in '{[('
            depth -= char in '}])'
            if char == ',' and depth == 0:
                operands.append(current.strip())
                current = ''
            else:
                current += char
        if current.strip():
            operands.append(current.strip())
        self.code.append(Instruction(predicate, negated == '!', op, operands, line))

    def blocks(self, branches=None):
        """Marks where basic blocks begin, and which instructions may wait for a load. branches: the lines whose branches are still branches in
        machine code; others have become predicates there, and loads do not wait for them. None: all of them."""
        leaders, loaded = {0}, set()
        for pc, instruction in enumerate(self.code):
            if instruction.name == 'bra' and (branches is None or instruction.line + 1 in branches):
                leaders |= {pc + 1, self.labels[instruction.operands[0]]}
            elif instruction.name in ('bar', 'ret', 'exit', 'barrier', 'call'):
                leaders.add(pc + 1)
            if instruction.name == 'ld' and instruction.space in ('global', 'shared'):
                loaded.update(re.findall(r'%\w+', instruction.operands[0]))
        block = 0
        self.leaders, self.block_of = leaders, []
        for pc, instruction in enumerate(self.code):
            block = pc if pc in leaders else block
            self.block_of.append(block)
            sources = instruction.registers if instruction.name == 'st' else instruction.registers[1:]
            instruction.waits = tuple({r for r in sources if r in loaded})


def statements_of(body):
    """(text, line within the body) of each statement; labels stay with what follows."""
    line = 0
    for text in body.split(';'):
        begin = text.lstrip()
        start = line + text.count('\n', 0, len(text) - len(begin))
        line += text.count('\n')
        if begin:
            yield begin.rstrip(), start


class Entries(dict):
    """Entry by name; each is read when it is asked for. found: {name: (parameters, body, its first line)}."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def __missing__(self, name):
        parameters, body, first_line = self.found[name]
        self[name] = Entry(name, Module.parameters(parameters), body, statements_of(body), first_line)
        return self[name]


class Module:
    """The kernels of a PTX text by name. numbered: the text with a source line for each of its own lines, which ptxas hands on."""

    def __init__(self, text):
        text = re.sub(r'//[^\n]*', '', text)
        self.entries = Entries()
        for match in re.finditer(r'\.entry\s+([\w$]+)\s*\(([^)]*)\)[^{;]*\{(.*?)\n\}', text, re.S):
            name, parameters, body = match.groups()
            self.entries.found[name] = parameters, body, text.count('\n', 0, match.start(3))

    @staticmethod
    def parameters(text):
        found = []
        for parameter in text.split(','):
            if parameter.strip():
                name = re.match(r'[\w$]+', parameter.split()[-1]).group(0)
                found.append((name, re.search(r'\.param(?:\s+\.align\s+\d+)?\s+\.(\w+)', parameter).group(1)))
        return found


def with_lines(text):
    """The same PTX with a .loc for each line that has an instruction, numbered as Instruction.line + 1 is."""
    out, inside = [], False
    for number, line in enumerate(text.split('\n')):
        if line.startswith('.address_size'):
            out += [line, '.file 1 "kernel.ptx"']
            continue
        if line.startswith('{'):
            inside = True
        if line.startswith('}'):
            inside = False
        if inside and re.match(r'\s+(@|[a-z])', line) and not re.match(r'\s+(param|\)|dot_)', line) and ';' in line:
            out.append(f'\t.loc 1 {number + 1} 0')
        out.append(line)
    return '\n'.join(out)
