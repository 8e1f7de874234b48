"""Reads a model file of Setosa without Setosa."""

import json
import struct

import numpy as np

DTYPES = {"F32": "<f4", "F64": "<f8"}


def read_safetensors(path):
    """{name: array} of the floats in a model file: 8 bytes of length, a JSON header, the numbers."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] in DTYPES:
            begin, end = about["data_offsets"]
            tensors[name] = np.frombuffer(content[8 + length + begin : 8 + length + end], DTYPES[about["dtype"]]).reshape(about["shape"])
    return tensors
