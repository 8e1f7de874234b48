#!/usr/bin/env python3
"""Writes the malformed files of this folder (run it in here). manifest.txt says what each must be answered with."""
import gzip, io, struct, zipfile

def gz(data):
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as f:
        f.write(data)
    return out.getvalue()

def idx(dims, data, type=8, magic=b"\0\0"):
    return magic + bytes([type, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + data

def npy(header, data=b"", version=(1, 0)):
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text + data

def npz(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()

good = "a,b,y\n1,2,p\n3,4,q\n"
six = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
many = b"a,b,y\n" + b"".join(b"%d,%d,c%d\n" % (i * 7919 % 1000, i * 104729 % 1000, i % 3) for i in range(400))
zipped = gz(many)

def ints(values, type="<i4", shape=None):
    return npy("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (type, shape or "(%d,)" % len(values)),
               struct.pack("<%d%s" % (len(values), {"<i4": "i", "<i8": "q", "<u8": "Q"}[type]), *values))

def floats(values, shape=None):
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape or "(%d,)" % len(values)), struct.pack("<%df" % len(values), *values))

def form(name):
    return npy("{'descr': '|S%d', 'fortran_order': False, 'shape': (), }" % len(name), name.encode())

# what scipy.sparse.save_npz writes of [[1, 0, 2], [0, 0, 3], [4, 5, 0]], and labels; each change spoils one array
sparse_members = {"indices.npy": ints([0, 2, 2, 0, 1]), "indptr.npy": ints([0, 2, 3, 5]), "format.npy": form("csr"), "shape.npy": ints([3, 3], "<i8"),
                  "data.npy": floats([1, 2, 3, 4, 5]), "y.npy": ints([0, 1, 0])}
sparse_changes = {
    "coo": {"format.npy": form("coo"), "row.npy": ints([0])}, "bsr": {"format.npy": form("bsr")}, "number-format": {"format.npy": ints([7], shape="()")},
    "long-format": {"format.npy": form("x" * 100)}, "index-large": {"indices.npy": ints([0, 2, 3, 0, 1])}, "index-negative": {"indices.npy": ints([0, 2, -1, 0, 1])},
    "index-wide": {"indices.npy": ints([0, 2, 2 ** 32, 0, 1], "<i8")}, "index-unsigned": {"indices.npy": ints([0, 2, 2 ** 64 - 1, 0, 1], "<u8")},
    "index-float": {"indices.npy": floats([0, 2, 2, 0, 1])}, "twice": {"indices.npy": ints([0, 2, 2, 1, 1])}, "twice-unsorted": {"indices.npy": ints([0, 2, 2, 0, 1]), "indptr.npy": ints([0, 3, 3, 5])},
    "begin-first": {"indptr.npy": ints([1, 2, 3, 5])}, "begin-negative": {"indptr.npy": ints([0, -2, 3, 5])}, "begin-falls": {"indptr.npy": ints([0, 3, 2, 5])}, "begin-beyond": {"indptr.npy": ints([0, 2, 3, 6])},
    "begin-huge": {"indptr.npy": ints([0, 2, 3, 2 ** 64 - 1], "<u8")}, "begin-few": {"indptr.npy": ints([0, 2, 5])}, "begin-many": {"indptr.npy": ints([0, 2, 3, 5, 5])}, "begin-matrix": {"indptr.npy": ints([0, 2, 3, 5], shape="(2, 2)")},
    "shape-one": {"shape.npy": ints([3])}, "shape-zero": {"shape.npy": ints([3, 0])}, "shape-negative": {"shape.npy": ints([-3, 3])}, "shape-float": {"shape.npy": floats([3, 3])},
    "shape-wide": {"shape.npy": ints([3, 2 ** 40], "<i8")}, "shape-rows": {"shape.npy": ints([10 ** 15, 3], "<i8")}, "values-few": {"data.npy": floats([1, 2, 3, 4])}, "values-matrix": {"data.npy": floats([1, 2, 3, 4], shape="(2, 2)")},
    "nan": {"data.npy": floats([1, 2, float("nan"), 4, 5])}, "text": {"data.npy": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (5,), }", bytes(20))},
    "complex": {"data.npy": npy("{'descr': '<c8', 'fortran_order': False, 'shape': (5,), }", bytes(40))}, "empty": {"indices.npy": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (0,), }"), "indptr.npy": ints([0, 0, 0, 0])},
    "labels-few": {"y.npy": ints([0, 1])}, "cut": {"indices.npy": ints([0, 2, 2, 0, 1])[:-4]}, "csc-row": {"format.npy": form("csc"), "indices.npy": ints([0, 2, 3, 0, 1])},
    "csc-twice": {"format.npy": form("csc"), "indices.npy": ints([0, 0, 1, 0, 1])}, "csc-rows": {"format.npy": form("csc"), "shape.npy": ints([4000000000, 3], "<i8"), "indices.npy": ints([0, 1, 2, 0, 3000000000], "<i8")},
    "csc-nan": {"format.npy": form("csc"), "data.npy": floats([1, 2, float("inf"), 4, 5])}, "good": {}, "csc-good": {"format.npy": form("csc")},
}

files = {
    # empty
    "empty.csv": "", "empty.csv.gz": gz(b""), "empty-file.csv.gz": "", "blank-lines.csv": "\n\n  \n\r\n", "only-bom.csv": "\ufeff",
    "header-only.csv": "a,b,y\n", "header-only-no-newline.csv": "a,b,y", "empty.npy": "", "empty-images-idx3-ubyte": "",
    # rows
    "short-row.csv": "a,b,c,y\n1,2,3,p\n4,5,q\n6,7,8,q\n", "short-last-row.csv": "a,b,y\n1,2,p\n3", "long-row.csv": "a,b,y\n1,2,p\n3,4,q,5\n",
    "trailing-comma.csv": "a,b,y\n1,2,p\n3,4,q,\n", "short-first-row-no-header.csv": "1,2,p\n3,q\n", "one-column.csv": "y\np\nq\n",
    "blank-then-short.csv": "a,b,y\r\n\r\n1,2,p\r\n\r\n3,q\r\n",
    # values
    "missing-value.csv": "a,b,y\n1,2,p\n,4,q\n", "missing-quoted.csv": 'a,b,y\n1,2,p\n3,"",q\n', "missing-na.csv": "a,b,y\n1,NA,p\n3,4,q\n",
    "missing-question.csv": "1,2,p\n3,?,q\n", "missing-spaces.csv": "a,b,y\n1,   ,p\n3,4,q\n",
    "not-a-number.csv": "a,b,y\n1,2,p\n3,4x,q\n", "two-points.csv": "a,b,y\n1.2.3,2,p\n3,4,q\n", "hexadecimal.csv": "a,b,y\n0x10,2,p\n3,4,q\n",
    "decimal-comma.csv": 'a;b;y\n"1,5";2;p\n3;4;q\n', "thousands.csv": 'a,b,y\n"1,000",2,p\n3,4,q\n', "underscore.csv": "a,b,y\n1_000,2,p\n3,4,q\n",
    "nan.csv": "a,b,y\n1,2,p\n3,nan,q\n", "inf.csv": "a,b,y\n1,2,p\n-inf,4,q\n", "infinity.csv": "a,b,y\n1,Infinity,p\n3,4,q\n",
    "nan-first-line.csv": "nan,2,p\n3,4,q\n", "too-large.csv": "a,b,y\n1,3.5e38,p\n3,4,q\n", "too-large-double.csv": "a,b,y\n1,1e999,p\n3,4,q\n",
    "exponent-only.csv": "a,b,y\n1,e5,p\n3,4,q\n", "double-minus.csv": "a,b,y\n1,--5,p\n3,4,q\n",
    "multiline-then-bad.csv": 'a,b,y\n1,2,"p\nq"\n3,x,r\n', "bad-inside-multiline.csv": 'a,b,y\n1,"2\n2",p\n3,4,r\n',
    "crlf-bad.csv": "a,b,y\r\n1,2,p\r\n3,x,q\r\n", "mac-bad.csv": "a,b,y\r1,2,p\r3,x,q\r", "bom-bad.csv": "\ufeffa,b,y\n1,2,p\n3,x,q\n",
    "tab-bad.tsv": "a\tb\ty\n1\t2\tp\n3\tx\tq\n", "control-character.csv": "a,b,y\n1,2\x07\x1b[31m,p\n3,4,q\n",
    "long-field.csv": "a,b,y\n1," + "z" * 200 + ",p\n3,4,q\n",
    # labels
    "missing-label.csv": "a,b,y\n1,2,p\n3,4,\n", "missing-label-quoted.csv": 'a,b,y\n1,2,p\n3,4,""\n', "one-class.csv": "a,b,y\n1,2,p\n3,4,p\n",
    "one-row.csv": "a,b,y\n1,2,p\n", "regression.csv": "a,b,y\n1,2,0.51\n3,4,0.72\n5,6,1.93\n7,8,2.24\n", "unknown-label.csv": "a,b,y\n1,2,p\n3,4,qq\n",
    "latin1-label.csv": b"a,b,y\n1,2,p\n3,4,M\xfcller\n", "good.csv": good, "no-label-column.csv": "a,b\n1,2\n3,4\n",
    "other-names.csv": "a,c,y\n1,2,p\n3,4,q\n",
    # header
    "duplicate-names.csv": "a,b,a,y\n1,2,3,p\n4,5,6,q\n", "latin1-name.csv": b"a,b\xe9,y\n1,2,p\n3,4,q\n",
    "text-everywhere.csv": "red,small,yes\nblue,large,no\n",
    # quoting
    "quote-inside.csv": 'a,b,y\n1,2"3,p\n3,4,q\n', "quote-after.csv": 'a,b,y\n1,"2"3,p\n3,4,q\n', "quote-never-closed.csv": 'a,b,y\n1,2,p\n3,"4,q\n5,6,p\n',
    "quote-header-never-closed.csv": '"a,b,y\n1,2,p\n',
    # not text
    "utf16-no-bom.csv": good.encode("utf-16-le"),
    "zero-byte.csv": "a,b,y\n1,2,p\n3,\0" + "4,q\n", "binary.csv": bytes(range(1, 256)) * 3, "picture.csv": b"\x89PNG\r\n\x1a\n" + bytes(20),
    # gzip
    "truncated.csv.gz": zipped[: len(zipped) // 2], "truncated-trailer.csv.gz": zipped[:-3], "truncated-header.csv.gz": zipped[:5],
    "one-byte.csv.gz": zipped[:1], "corrupt.csv.gz": zipped[:60] + bytes([zipped[60] ^ 255]) + zipped[61:],
    "corrupt-checksum.csv.gz": zipped[:-8] + bytes([zipped[-8] ^ 1]) + zipped[-7:], "not-gzip.csv.gz": good,
    "bad-inside.csv.gz": gz(b"a,b,y\n1,2,p\n3,x,q\n"),
    # other formats
    "archive.npz": b"PK\x03\x04" + bytes(30), "sheet.xlsx": b"PK\x03\x04" + bytes(30),
    "table.parquet": b"PAR1" + bytes(20), "table.json": '{"a": 1}\n', "table.arff": "@relation x\n", "model.safetensors": b"\x08" + bytes(7) + b"{}      ",
    "table.csv.xz": b"\xfd7zXZ\0" + bytes(20), "table.csv.zst": b"\x28\xb5\x2f\xfd" + bytes(20), "table.csv.bz2": b"BZh9" + bytes(20),
    # LIBSVM text
    "svm-empty.svm": "", "svm-comments.svm": "# nothing\n\n   # but comments\n", "svm-labels-alone.svm": "1\n-1\n",
    "svm-no-label.svm": "1 1:2\n2:3 4:5\n", "svm-no-label-blank.svm": "1 1:2\n  3:4\n", "svm-several.svm": "1 1:2\n1,3,5 1:0.5\n",
    "svm-lone-colon.svm": "1 1:2\n0 :\n", "svm-no-index.svm": "1 1:2\n0 :5\n", "svm-no-value.svm": "1 1:2\n0 1: 5\n", "svm-no-value-end.svm": "1 1:2\n0 1:",
    "svm-no-colon.svm": "1 1:2\n0 1:2 3 4:5\n", "svm-negative.svm": "1 1:2\n0 -1:5\n", "svm-word.svm": "1 1:2\n0 cat:5\n", "svm-half.svm": "1 1:2\n0 1.5:5\n",
    "svm-plus.svm": "1 +1:2\n0 1:5\n", "svm-unsorted.svm": "1 1:2\n0 3:1 2:5\n", "svm-double.svm": "1 1:2\n0 3:1 3:5\n", "svm-double-zero.svm": "1 1:2\n0 3:0 3:0\n",
    "svm-large-index.svm": "1 1:2\n0 2147483648:5\n", "svm-huge-index.svm": "1 1:2\n0 99999999999999999999:5\n", "svm-nan.svm": "1 1:2\n0 2:nan\n",
    "svm-inf.svm": "1 1:2\n0 2:-inf\n", "svm-too-large.svm": "1 1:2\n0 2:3.5e38\n", "svm-too-large-double.svm": "1 1:2\n0 2:1e999\n",
    "svm-not-a-number.svm": "1 1:2\n0 2:1x\n", "svm-hexadecimal.svm": "1 1:2\n0 2:0x10\n", "svm-two-colons.svm": "1 1:2\n0 2:3:4\n", "svm-decimal-comma.svm": "1 1:2\n0 2:1,5\n",
    "svm-qid-word.svm": "1 qid:x 1:2\n", "svm-qid-late.svm": "1 1:2 qid:3 4:5\n", "svm-zero-byte.svm": "1 1:2\n0 2:\0" "3\n", "svm-control.svm": "1 1:2\n0 2:3 \x07 4:5\n",
    "svm-control-inside.svm": "1 1:2\n0 2:3\x1b[31m\n", "svm-control-first.svm": "1 1:2\n\x07 2:3\n", "svm-crlf.svm": "1 1:2\r\n0 2:x\r\n", "svm-mac.svm": "1 1:2\r0 2:x\r",
    "svm-bom.svm": "\ufeff1 1:2\n0 2:x\n", "svm-comment-lines.svm": "# a\n\n1 1:2 # b\n0 2:x\n", "svm-tab.svm": "1\t1:2\n0\t2:x\n", "svm-one-class.svm": "1 1:2\n+1 2:3\n1.0 1:1\n",
    "svm-regression.svm": "0.51 1:2\n0.72 1:3\n1.93 2:1\n2.24 2:2\n", "svm-latin1.svm": b"a 1:2\nM\xfcller 2:3\n", "svm-unknown.svm": "1 1:2\n7 2:3\n",
    "svm-truncated.svm.gz": gz(b"1 1:2\n0 2:3\n")[:-9], "svm-not-gzip.svm.gz": "1 1:2\n0 2:3\n", "svm-inside.svm.gz": gz(b"1 1:2\n0 2:x\n"), "svm-from-zero.svm": "1 0:2\n0 2:3\n",
    "svm-hash-value.svm": "1 cat:2\n0 dog:x\n", "svm-hash-name.svm": "1 cat:2\n0 :3\n", "svm-hash-sum.svm": "1 cat:2e38\n0 cat:3e38 cat:3e38\n", "svm-utf16.svm": "1 1:2\n0 2:x\n".encode("utf-16"),
    "svm-text.txt": "+1 3:1 2:5\n-1 1:1\n", "times.txt": "Mon 12:30\nTue 13:45\nWed 9:15\nMon 8:00\n",
    # IDX
    "magic-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4", type=7), "first-bytes-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4", magic=b"\1\2"),
    "dims-images-idx3-ubyte": b"\0\0\x08\x00" + bytes(8), "dims9-images-idx3-ubyte": b"\0\0\x08\x09" + bytes(36),
    "short-header-images-idx3-ubyte": b"\0\0\x08\x03\0\0\0\2\0", "three-bytes-images-idx3-ubyte": b"\0\0\x08", "zero-rows-images-idx3-ubyte": idx([0, 2, 2], b""),
    "zero-size-images-idx3-ubyte": idx([2, 0, 2], b""), "truncated-images-idx3-ubyte": idx([3, 2, 2], bytes(11)),
    "truncated-gz-images-idx3-ubyte.gz": gz(idx([3, 2, 2], bytes(11))), "longer-images-idx3-ubyte": idx([2, 1, 2], bytes(5)),
    "huge-images-idx3-ubyte": idx([0xFFFFFFFF, 0xFFFF, 0xFFFF], bytes(16)), "huge-gz-images-idx3-ubyte.gz": gz(idx([0xFFFFFFFF, 0xFFFF, 0xFFFF], bytes(16))),
    "overflow-images-idx3-ubyte": idx([0xFFFFFFFF] * 5, bytes(16)), "nan-images-idx3": idx([2, 2], struct.pack(">4f", 1, 2, 3, float("nan")), type=13),
    "lonely-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4"), "lonely-idx3-data": idx([2, 1, 2], b"\1\2\3\4"), "alone-labels-idx1-ubyte": idx([2], b"\0\1"),
    "fewer-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4"), "fewer-labels-idx1-ubyte": idx([1], b"\0"),
    "badlabels-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4"), "badlabels-labels-idx1-ubyte": idx([2], b"\0"),
    "imagelabels-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4"), "imagelabels-labels-idx1-ubyte": idx([2, 1, 2], b"\1\2\3\4"),
    "same-images-idx3-ubyte": idx([2, 1, 2], b"\1\2\3\4"), "same-labels-idx1-ubyte": idx([2], b"\3\3"),
    # NPY
    "not-npy.npy": good, "version.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six, (9, 0)),
    "cut-magic.npy": b"\x93NUM", "cut-length.npy": b"\x93NUMPY\1\0\x40", "cut-header.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }")[:40],
    "long-header.npy": b"\x93NUMPY\2\0\xff\xff\xff\xff{}", "no-dictionary.npy": npy("(3, 2)", six), "no-shape.npy": npy("{'descr': '<f4', 'fortran_order': False, }", six),
    "unknown-key.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), 'extra': 1}", six),
    "twice.npy": npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}", six),
    "order.npy": npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 2), }", six), "shape-number.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", six),
    "shape-negative.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }", six),
    "shape-overflow.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }", six),
    "shape-huge.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000, 2), }", six),
    "shape-huge.npy.gz": gz(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000, 2), }", six)),
    "zero-rows.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }"), "complex.npy": npy("{'descr': '<c8', 'fortran_order': False, 'shape': (3, 1), }", six),
    "text.npy": npy("{'descr': '<U3', 'fortran_order': False, 'shape': (1, 2), }", six), "object.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (3, 2), }", six),
    "structured.npy": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", six),
    "one-dimension.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", six),
    "three-dimensions.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 2), }", six),
    "truncated.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six[:-1]),
    "truncated-inside.npy.gz": gz(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six[:-5])),
    "truncated-fortran.npy.gz": gz(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", six[:-5])),
    "longer.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six + b"\0"), "trailing-text.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } x", six),
    "nan.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", struct.pack("<6f", 1, 2, 3, float("nan"), 5, 6)),
    "nan-fortran.npy": npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", struct.pack("<6f", 1, 2, float("nan"), 4, 5, 6)),
    "inf-half.npy": npy("{'descr': '<f2', 'fortran_order': False, 'shape': (3, 2), }", struct.pack("<6e", 1, 2, 3, 4, float("inf"), 6)),
    "too-large.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", struct.pack("<6d", 1, 1e39, 3, 4, 5, 6)),
    "good.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six),
    # label files, used with good.npy
    "labels-few.txt": "p\nq\n", "labels-many.txt": "p\nq\np\nq\np\n", "labels-fields.txt": "p,1\nq,2\np,3\n", "labels-nan.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3f", 0, float("nan"), 1)),
    "labels-matrix.npy": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), }", bytes(24)), "labels-text.npy": npy("{'descr': '<U2', 'fortran_order': False, 'shape': (3,), }", bytes(24)),
    "labels-cut.npy.gz": gz(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }", bytes(11))), "labels-empty.txt": "", "labels-blank.txt": "\n\n",
    "labels-binary.txt": b"p\nq\n\0\n", "labels-one-class.txt": "p\np\np\n",
    "labels-objects.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", bytes(24)),
    "labels-columns.npy": npy("{'descr': [('a', '<i4'), ('b', '<i4')], 'fortran_order': False, 'shape': (3,), }", bytes(24)),
    "labels-dates.npy": npy("{'descr': '<M8[D]', 'fortran_order': False, 'shape': (3,), }", bytes(24)),
    "labels-no-length.npy": npy("{'descr': '<U0', 'fortran_order': False, 'shape': (3,), }"),
    "labels-novel.npy": npy("{'descr': '|S65537', 'fortran_order': False, 'shape': (3,), }"),
    "labels-surrogate.npy": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3I", 97, 0xD800, 98)),
    "labels-latin1.npy": npy("{'descr': '|S1', 'fortran_order': False, 'shape': (3,), }", b"a\xe9b"),
    "labels-text-cut.npy": npy("{'descr': '|S2', 'fortran_order': False, 'shape': (3,), }", b"a\0b\0c"),
    # weights, in a column w or in files used with good.npy
    "weight-negative.csv": "a,w,y\n1,2,p\n3,-1,q\n", "weight-missing.csv": "a,w,y\n1,,p\n3,1,q\n", "weight-nan.csv": "a,w,y\n1,2,p\n3,nan,q\n",
    "weight-word.csv": "a,w,y\n1,2,p\n3,much,q\n", "weight-huge.csv": "a,w,y\n1,1e39,p\n3,2,q\n", "weight-tiny.csv": "a,w,y\n1,1e-50,p\n3,2,q\n",
    "weight-zero.csv": "a,w,y\n1,0,p\n3,-0,q\n", "weight-alone.csv": "w,y\n1,p\n3,q\n",
    "weights-few.txt": "1\n2\n", "weights-negative.txt": "1\n-2\n3\n", "weights-nan.txt": "1\nNaN\n3\n", "weights-zero.txt": "0\n0\n0\n",
    "weights-word.txt": "1\n2\nthree\n", "weights-fields.txt": "1,1\n2,1\n3,1\n", "weights-empty.txt": "", "weights-binary.txt": b"1\n2\n\0\n",
    "weights-matrix.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six),
    "weights-inf.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3d", 1, 2, float("inf"))),
    "weights-large.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3d", 1, 1e39, 2)),
    "weights-cut.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", struct.pack("<2d", 1, 2)),
    # more than anything real: ends that do not come, from little compressed
    "columns.csv.gz": gz(b"1," * 1100000), "columns-below-header.csv.gz": gz(b"a,b,y\n1,2,p\n" + b"1," * 1100000 + b"1\n"),
    "field-without-end.csv.gz": gz(b'a,b,y\n1,2,p\n"' + b"1" * 34000000), "blank-without-end.csv.gz": gz(b"a,b,y\n1,2,p\n" + b"\n" * 1100000),
    "labels-without-end.txt.gz": gz(b"p\n" * 1000000), "labels-line-without-end.txt.gz": gz(b"p\n" + b"q" * 1100000),
    "labels-blank-without-end.txt.gz": gz(b"p\nq\n" + b"\n" * 1100000), "labels-huge-idx1.gz": gz(idx([5000000], bytes(5000000))),
    "labels-huge.npy.gz": gz(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (5000000,), }", bytes(5000000))),
    "prices.csv": "a,y\n" + "".join("%d,%d.%02d\n" % (i, i % 7, i % 150) for i in range(600)),
    "weights-cube-idx3": idx([3, 1, 2], b"\1\2\3\4\5\6"),
    # archives of arrays
    "good.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six), "y.npy": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3I", 112, 113, 112)),
                     "w.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", struct.pack("<3f", 1, 2, 3)), "feature_names.npy": npy("{'descr': '|S1', 'fortran_order': False, 'shape': (2,), }", b"ab")}),
    **{"sparse-%s.npz" % name: npz({**sparse_members, **members}) for name, members in sparse_changes.items()},
    "sparse.npz": npz({"indices.npy": b"", "indptr.npy": b"", "format.npy": b"", "shape.npy": b"", "data.npy": b""}),
    "other-names.npz": npz({"train.npy": b"", "test.npy": b""}), "no-labels.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six), "z.npy": b""}),
    "bzip2.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six)}, zipfile.ZIP_BZIP2),
    "not-npy.npz": npz({"X.npy": good, "y.npy": b""}), "images.npz": npz({"X.npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", bytes(8)), "y.npy": b""}),
    "few-labels.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six), "y.npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"\0\1")}),
    "object-labels.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six), "y.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", bytes(24))}),
    "cut-member.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six[:-4]), "y.npy": b""}),
    "files.zip": npz({"readme.txt": "text"}), "more-names.npz": npz({"X.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", six), "y.npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", b"\0\1\0"), "feature_names.npy": npy("{'descr': '|S1', 'fortran_order': False, 'shape': (3,), }", b"abc")}),
}

for name, content in files.items():
    with open(name, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
