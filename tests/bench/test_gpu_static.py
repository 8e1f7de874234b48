#!/usr/bin/env python3
"""bench/gpu_static without its compilers: a kernel in PTX passes the check of numbers, and with an error planted in it fails; a baseline that is
missed fails. Exit code 77: no NumPy.

    test_gpu_static.py SOURCE"""

import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile

DEBIAN = "/usr/bin/python3"
if importlib.util.find_spec("numpy") is None:
    if os.path.realpath(sys.executable) == os.path.realpath(DEBIAN) or not os.path.exists(DEBIAN):
        print("skipped: this Python has no NumPy")
        sys.exit(77)
    os.execv(DEBIAN, [DEBIAN, *sys.argv])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(sys.argv[1], "bench/gpu_static"))
import made_launches  # noqa: E402
import numbers_check  # noqa: E402
import ptx  # noqa: E402
import trace  # noqa: E402
from report import Report  # noqa: E402

COUNT = 300
MULTIPLY = """
.version 7.0
.target sm_80
.address_size 64
.entry multiply(
	.param .u64 .ptr .global .align 4 multiply_param_0,
	.param .u64 .ptr .global .align 4 multiply_param_1,
	.param .u64 .ptr .global .align 4 multiply_param_2,
	.param .u64 multiply_param_3
)
{
	.reg .pred %p<2>;
	.reg .f32 %f<4>;
	.reg .b32 %r<5>;
	.reg .b64 %rd<10>;
	ld.param.u64 %rd1, [multiply_param_0];
	ld.param.u64 %rd2, [multiply_param_1];
	ld.param.u64 %rd3, [multiply_param_2];
	ld.param.u64 %rd4, [multiply_param_3];
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ntid.x;
	mov.u32 %r3, %tid.x;
	mad.lo.s32 %r4, %r1, %r2, %r3;
	cvt.u64.u32 %rd5, %r4;
	setp.ge.u64 %p1, %rd5, %rd4;
	@%p1 bra $L__1;
	shl.b64 %rd6, %rd5, 2;
	add.s64 %rd7, %rd2, %rd6;
	add.s64 %rd8, %rd3, %rd6;
	add.s64 %rd9, %rd1, %rd6;
	ld.global.f32 %f1, [%rd7];
	ld.global.f32 %f2, [%rd8];
	mul.f32 %f3, %f1, %f2;
	st.global.f32 [%rd9], %f3;
$L__1:
	ret;
}
"""


def result_of(text):
    """What the check of numbers says of a kernel `multiply`: an error, or words."""
    program = trace.Program(1, '#line 1 "kernels/common.cl"', "")
    room = 2 * COUNT  # of the buffers: more than the kernel may touch
    launch = made_launches.launch(program, "multiply", (2, 1, 1), 256, ("out", "float*", room), ("a", "float*", room), ("b", "float*", room), ("count", "ulong", COUNT))
    try:
        return numbers_check.try_launch(ptx.Module(text), launch, 1)
    except ptx.Refused as refusal:
        return str(refusal)


def numbers():
    right = result_of(MULTIPLY)
    assert isinstance(right, float) and right < 1e-7, right
    for old, new, wanted in (
        ("mul.f32", "add.f32", "out is"),
        ("@%p1 bra $L__1;", "", "bytes are written"),
        ("%rd6, %rd5, 2;", "%rd6, %rd5, 12;", "outside of every buffer"),
        ("%rd6, %rd5, 2;", "%rd6, %rd5, 1;", "not aligned"),
        ("setp.ge.u64 %p1, %rd5, %rd4;", "setp.ge.u64 %p1, %rd5, 7;", "out is inf off"),
    ):
        assert old in MULTIPLY
        wrong = result_of(MULTIPLY.replace(old, new))
        assert isinstance(wrong, str) and wanted in wrong, (old, new, wrong)


def exit_code(path, takes, part, update=False):
    report = Report(path, False)
    report.resource("multiply", "W1", "sm_90", takes)
    report.resources(["sm_90"])
    report.estimate({"arch": "sm_90", "work": "W1", "what": "step", "storage": "f32", "seconds": 1e-4, "limit": part * 1e-4, "part": part, "most": part, "launched": []})
    return report.close(update, False)


def baselines():
    clean, spilled, more = ({"registers": 32, "local": 0, "spill": size} for size in (0, 16, 20))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = os.path.join(folder, "baseline.json")
        assert exit_code(path, spilled, 0.7, True) == 1  # a spill that nobody knows of
        assert exit_code(path, spilled, 0.7) == 0
        assert exit_code(path, clean, 0.8) == 0
        assert exit_code(path, more, 0.7) == 1
        assert exit_code(path, spilled, 0.6) == 1
        assert exit_code(path, clean, 0.7, True) == 0
        assert exit_code(path, spilled, 0.7) == 1  # what was mended stays mended
        with open(path) as file:
            assert json.load(file)["resources"]["sm_90"]["in memory"] == {}


numbers()
baselines()
