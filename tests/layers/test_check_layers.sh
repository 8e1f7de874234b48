#!/bin/sh
# The checker itself: a small clean tree passes, and each planted violation is reported at its line.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
tests=0

fresh_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree/kernels"
  for layer in include base ranks data opencl compute judge optim model train cli; do mkdir -p "$work/tree/host/$layer"; done
  cat >"$work/tree/host/data/clean.c" <<'END'
/* printf( exit( clFinish( #include "cli/main.h" in a comment of
 * two lines are fine: native_exp( */
#include "base/error.h"
#include "setosa.h"
#include <stdio.h>
static const char *text = "clFinish( failed: \" exit( printf(";  // native_exp(
int clean(FILE *stream) { return fprintf(stream, "%s", text) + snprintf(NULL, 0, "x"); }
END
  printf '#include "compute/backend.h"\nint f(void) { return native_open(); }\n' >"$work/tree/host/optim/clean.c"
  printf '#include <CL/cl.h>\n#include <clblast_c.h>\nvoid f(void) { clFinish(0); }\n' >"$work/tree/host/opencl/clean.c"
  printf '#include "setosa.h"\n#include "cli/table.h"\nvoid g(void) { printf("x"); exit(1); }\n' >"$work/tree/host/cli/clean.c"
  printf 'kernel void k(global float *x) { x[0] = exp(x[0]); }\n' >"$work/tree/kernels/clean.cl"
}

check() {
  status=0
  sh "$here/check_layers.sh" "$work/tree" >"$work/out" 2>&1 || status=$?
}

# flags WHAT FILE TEXT LINE MESSAGE: the file with that text is reported as FILE:LINE: ...MESSAGE..., and nothing else is.
flags() {
  tests=$((tests + 1))
  fresh_tree
  mkdir -p "$(dirname "$work/tree/$2")"
  printf '%b' "$3" >"$work/tree/$2"
  check
  if [ "$status" = 1 ] && grep -qF "$2:$4: " "$work/out" && grep -qF "$5" "$work/out" && grep -q '^1 problems in' "$work/out"; then return; fi
  echo "NOT AS EXPECTED (exit $status): $1"
  cat "$work/out"
  failures=$((failures + 1))
}

# Two headers that include each other are one problem, named at one of them.
flags_circle() {
  tests=$((tests + 1))
  fresh_tree
  printf '#include "base/second.h"\n' >"$work/tree/host/base/first.h"
  printf '#include "base/first.h"\n' >"$work/tree/host/base/second.h"
  check
  if [ "$status" = 1 ] && grep -qE 'host/base/(first|second)\.h:1: closes a circle' "$work/out" && grep -q '^1 problems in' "$work/out"; then return; fi
  echo "NOT AS EXPECTED (exit $status): a circle of includes"
  cat "$work/out"
  failures=$((failures + 1))
}

tests=$((tests + 1))
fresh_tree
check
if [ "$status" != 0 ]; then
  echo "a clean tree is refused:"
  cat "$work/out"
  failures=$((failures + 1))
fi

flags 'upward include' host/data/bad.c '#include "base/error.h"\n#include "compute/backend.h"\n' 2 'not below it'
flags 'base reaches up' host/base/bad.h '#include "data/dataset.h"\n' 1 'not below it'
flags 'a folder within a layer' host/cli/terminal/bad.c '#include "data/dataset.h"\n' 1 'not below it'
flags 'sideways include' host/opencl/bad.c '#include "data/dataset.h"\n' 1 'not below it'
flags 'optim past the seam' host/optim/bad.c '#include "compute/open.h"\n' 1 'not below it'
flags 'model on compute' host/model/bad.c '\n\n#include "compute/backend.h"\n' 3 'not below it'
flags 'cli past the API' host/cli/bad.c '#  include  "train/trainer.h"\n' 1 'not below it'
flags 'train on cli' host/train/bad.c '#include "cli/table.h"\n' 1 'not below it'
flags 'public header leans' host/include/setosa.h '#include "base/error.h"\n' 1 'stands alone'
flags 'dots' host/train/bad.c '#include "../base/error.h"\n' 1 'not with ..'
flags 'no folder' host/train/bad.c '#include "other.h"\n' 1 'train/other.h'
flags 'unknown folder' host/train/bad.c '#include "misc/other.h"\n' 1 'in no layer'
flags 'a room not planned' host/utils/bad.c 'int x;\n' 1 'no room of the house'
flags "a sibling's private header" host/compute/blas/bad.c '#include "compute/native/native.h"\n' 1 'private to host/compute/native'
flags 'a private header from above' host/train/bad.c '#include "compute/native/native.h"\n' 1 'private to host/compute/native'
flags 'a private header within its room' host/compute/open.c '\n#include "compute/reference/reference.h"\n' 2 'private to host/compute/reference'
flags 'a part not planned' host/compute/misc/bad.c 'int x;\n' 1 'no room of the house'
flags 'judge from below' host/compute/open.c '#include "judge/selftest.h"\n' 1 'not below it'
flags_circle
flags 'inside a data set' host/train/bad.c '#include "data/rows.h"\n' 1 'private to host/data'
flags 'a reader from above' host/compute/bad.c '#include "data/reader.h"\n' 1 'private to host/data'
flags 'member of a data set' host/train/bad.c 'int f(const Dataset *dataset) { return dataset->rows; }\n' 1 'looks inside a data set'
flags 'member of a data set in a struct' host/compute/bad.c '\nint f(const S *s) { return s->dataset->rows; }\n' 2 'looks inside a data set'
flags 'a copy of a data set' host/judge/bad.c 'void f(const Dataset *d) {\n  Dataset view = *d;\n}\n' 2 'use dataset_slice'
flags 'a data set of its own making' host/model/bad.c 'struct SetosaDataset {\n  int rows;\n};\n' 1 'use dataset_slice'
flags 'OpenCL header' host/compute/bad.c '#include <CL/cl.h>\n' 1 'host/opencl alone'
flags 'CLBlast header' host/compute/bad.c '#include <clblast_c.h>\n' 1 'host/opencl alone'
flags 'MPI header' host/train/bad.c '#include <mpi.h>\n' 1 'host/ranks alone'
flags 'ranks on data' host/ranks/bad.c '#include "data/dataset.h"\n' 1 'not below it'
flags 'OpenCL call' host/compute/bad.c 'int f(void) { return clFinish(0); }\n' 1 'calls the OpenCL API'
flags 'OpenCL type' host/compute/bad.h 'struct S;\nint f(cl_mem x);\n' 2 'names an OpenCL type'
flags 'OpenCL constant' host/train/bad.c 'int x = CL_SUCCESS;\n' 1 'names an OpenCL type'
flags 'printing' host/train/bad.c '/* a\n */ void f(void) { printf("x"); }\n' 2 'prints'
flags 'stderr' host/data/bad.c 'void f(void) { fprintf(stderr, "x"); }\n' 1 'stdout or stderr'
flags 'exit' host/base/bad.c 'void f(void) { exit(1); }\n' 1 'ends the process'
flags 'abort after a comment' host/base/bad.c '/* x */ void f(void) { abort(); } /* y\n*/\n' 1 'ends the process'
flags 'native' kernels/bad.cl 'float f(float x) { return native_exp(x); }\n' 1 'native mathematics'
flags 'half' kernels/bad.clh '\nfloat f(float x) { return half_exp(x); }\n' 2 'native mathematics'
flags 'relaxed flag in a string' host/opencl/bad.c 'const char *o = "-cl-fast-relaxed-math";\n' 1 'native mathematics'
flags 'relaxed flag in CMake' host/CMakeLists.txt 'add_compile_options(-ffast-math)\n' 1 'native mathematics'

# An empty or wrong folder must not pass.
tests=$((tests + 1))
rm -rf "$work/tree" && mkdir -p "$work/tree"
check
if [ "$status" != 2 ]; then
  echo "a folder without sources gave exit $status"
  failures=$((failures + 1))
fi

echo "$((tests - failures)) passed, $failures failed"
[ "$failures" = 0 ]
