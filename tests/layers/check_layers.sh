#!/bin/sh
# check_layers.sh ROOT: fails on an upward or sideways include, on a look inside a data set from outside host/data, on OpenCL outside host/opencl, on relaxed mathematics, and on printing
# or exiting in the library. Prints FILE:LINE: what is wrong. The rules are those of host/README.md.
set -eu

root=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$root"
if [ ! -d host ] || [ ! -d kernels ]; then
  echo "check_layers: $root has no host/ and kernels/" >&2
  exit 2
fi
list=$(mktemp)
trap 'rm -f "$list"' EXIT
find host kernels -type f \( -name '*.[ch]' -o -name '*.cl' -o -name '*.clh' \) | LC_ALL=C sort >"$list"
# Build options are as good a place for a relaxed flag as a source.
find . -path ./build -prune -o -type f \( -name CMakeLists.txt -o -name '*.cmake' -o -name CMakePresets.json \) -print | sed 's,^\./,,' |
  LC_ALL=C sort >>"$list"
LC_ALL=C awk -f "$here/check_layers.awk" "$list"
