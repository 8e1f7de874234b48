#!/bin/sh
# Every OpenCL function that the program or CLBlast calls is one that the module lets fail: check_complete.sh PROGRAM MODULE
set -eu
command -v nm >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$2" | awk '$3 ~ /^cl[A-Z]/ { print $3 }' | sort >"$work/stands_for"
libraries=$(ldconfig -p 2>/dev/null | awk '/libclblast[.]so/ { print $NF }' | sort -u || true)
for file in "$1" $libraries; do
  nm -D --undefined-only "$file" | awk '$2 ~ /^cl[A-Z]/ { sub(/@.*/, "", $2); print $2 }'
done | sort -u >"$work/called"
missing=$(comm -13 "$work/stands_for" "$work/called")
[ -s "$work/called" ] || { echo "no OpenCL call was found in $1" >&2; exit 1; }
[ -z "$missing" ] || { echo "not in tests/faults/opencl_faults.c:" "$missing" >&2; exit 1; }
