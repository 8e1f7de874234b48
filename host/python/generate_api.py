#!/usr/bin/env python3
"""Writes the declarations of setosa.h as a Python module of ctypes.

    generate_api.py OUTPUT HEADER...

The header stays the one place where structs, choices and functions are declared. What this does not understand of it is an error of the
build; tests/python/test_layout.py asks the C compiler whether sizes and places of all members are the same.
"""

import re
import sys

SCALARS = {
    "bool": "c_bool", "char": "c_char", "int": "c_int", "float": "c_float", "double": "c_double", "size_t": "c_size_t",
    "ptrdiff_t": "c_ssize_t", "int32_t": "c_int32", "uint32_t": "c_uint32", "uint64_t": "c_uint64",
}  # fmt: skip
WORD = r"[A-Za-z_]\w*"


class Header:
    """Declarations in the order of the text."""

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.version = re.search(r'#define SETOSA_VERSION "(.*)"', text)
        text = re.sub(r"^\s*#.*$|^extern \"C\" \{$", "", text, flags=re.M)
        self.statements = self.split(text)

    @staticmethod
    def split(text):
        """Statements that end with a semicolon outside of braces, blanks made one."""
        statements, depth, start = [], 0, 0
        for at, character in enumerate(text):
            depth += (character == "{") - (character == "}")
            if character == ";" and depth == 0:
                statements.append(" ".join(text[start:at].split()))
                start = at + 1
        return statements


class Module:
    """The Python text, and what the names in it are."""

    def __init__(self):
        self.lines, self.functions, self.constants = [], [], {}
        self.enums, self.structs, self.opaque, self.callbacks = set(), set(), set(), set()

    def type_of(self, base, stars, argument=False):
        """The ctypes expression of `base` with so many stars."""
        if base in self.opaque or base == "void":
            if base == "void" and stars == 0:
                return "None"
            base, stars = "c_void_p", stars - 1
        elif base == "char" and stars:
            base, stars = "c_char_p", stars - 1
        elif base in SCALARS or base in self.enums:
            base = SCALARS.get(base, "c_int")
            if argument and stars:
                return "c_void_p"  # arrays are given by their address
        elif base not in self.structs and base not in self.callbacks:
            raise SystemExit(f"generate_api.py: the type {base} is not known")
        for _ in range(stars):
            base = f"POINTER({base})"
        return base

    def parameter(self, text, argument=True):
        """(name, type) of one declarator such as `const char *const *names`."""
        words = re.sub(r"\bconst\b", " ", text)
        match = re.fullmatch(rf"\s*({WORD})([\s*]*?)({WORD})?\s*((?:\[\w+\]\s*)?)", words)
        if not match:
            raise SystemExit(f"generate_api.py: cannot read `{text}`")
        base, stars, name, dimension = match.groups()
        kind = self.type_of(base, stars.count("*"), argument)
        if dimension:
            size = dimension.strip()[1:-1]
            kind = f"{kind} * {self.constants.get(size, size)}"
        return name, kind

    def callback(self, result, arguments):
        kinds = [self.type_of(*self.split_result(result))]
        kinds += [self.parameter(one, argument=False)[1] for one in arguments.split(",") if one.strip() != "void"]
        return f"CFUNCTYPE({', '.join(kinds)})"

    @staticmethod
    def split_result(text):
        words = re.sub(r"\bconst\b", " ", text).replace(" ", "")
        return words.rstrip("*"), words.count("*")

    def add_enum(self, name, body):
        value = 0
        for item in (part.strip() for part in body.split(",")):
            if not item:
                continue
            key, _, given = (word.strip() for word in item.partition("="))
            value = int(given, 0) if given else value
            self.constants[key] = value
            self.lines.append(f"{key} = {value}")
            value += 1
        if name:
            self.enums.add(name)

    def add_struct(self, name, body):
        fields = []
        for member in Header.split(body):
            function = re.fullmatch(rf"(.*?)\(\*({WORD})\)\((.*)\)", member)
            if function:
                fields.append((function.group(2), self.callback(function.group(1), function.group(3))))
                continue
            first, *more = member.split(",")
            base = re.match(rf"\s*(?:const\s+)?({WORD})", first).group(1)
            for declarator in [first, *(f"{base} {one}" for one in more)]:
                fields.append(self.parameter(declarator, argument=False))
        self.structs.add(name)
        self.lines += [f"\n\nclass {name}(Structure):", "    _fields_ = ["]
        self.lines += [f'        ("{field}", {kind}),' for field, kind in fields] + ["    ]\n\n"]

    def add(self, text):
        enum = re.fullmatch(rf"(?:typedef )?enum ?({WORD})? ?\{{(.*)\}}( {WORD})?", text)
        struct = re.fullmatch(rf"typedef struct ({WORD}) \{{(.*)\}} {WORD}", text)
        opaque = re.fullmatch(rf"typedef struct ({WORD}) \1", text)
        callback = re.fullmatch(rf"typedef (.*?)\(\*({WORD})\)\((.*)\)", text)
        function = re.fullmatch(r"(.*?)\b(setosa_\w+)\((.*)\)", text)
        if enum:
            self.add_enum(enum.group(1), enum.group(2))
        elif struct:
            self.add_struct(struct.group(1), struct.group(2))
        elif opaque:
            self.opaque.add(opaque.group(1))
        elif callback:
            self.callbacks.add(callback.group(2))
            self.lines.append(f"{callback.group(2)} = {self.callback(callback.group(1), callback.group(3))}")
        elif function:
            result, name, arguments = function.groups()
            kinds = self.arguments(arguments)
            self.functions.append(f'    "{name}": ({self.type_of(*self.split_result(result))}, [{", ".join(kinds)}]),')
        elif text not in ("", "}"):
            raise SystemExit(f"generate_api.py: cannot read `{text}`")

    def arguments(self, text):
        """Kinds of the arguments of a function; one of them may be a pointer to a function."""
        kinds = []
        for one in re.split(r",\s*(?![^()]*\))", text):
            function = re.fullmatch(rf"(.*?)\(\*({WORD})\)\((.*)\)", one)
            if one.strip() == "void":
                continue
            kinds.append(self.callback(function.group(1), function.group(3)) if function else self.parameter(one)[1])
        return kinds


def main():
    output, *headers = sys.argv[1:]
    module, version = Module(), None
    for path in headers:
        with open(path, encoding="utf-8") as file:
            header = Header(file.read())
        version = version or header.version
        for statement in header.statements:
            module.add(statement)
    text = '"""Declarations of setosa.h, made by generate_api.py when Setosa is built."""\n'
    used = sorted(set(re.findall(r"\b(c_\w+|POINTER|CFUNCTYPE|Structure)\b", "\n".join(module.lines + module.functions))))
    text += f'from ctypes import {", ".join(used)}\n\nVERSION = "{version.group(1)}"\n'
    text += "\n".join(module.lines) + "\n\n\nFUNCTIONS = {\n" + "\n".join(module.functions) + "\n}\n"
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
