#!/bin/sh
# test_packages.sh BUILD_FOLDER COMPILER: makes the Debian packages of a build, and looks at them: lintian finds no error, they need what they
# use and recommend a device, and the program and a C program work from their files. Exits 77 (skipped) without the tools for it.
# In packages for others the libraries lie in a folder of the architecture, as the preset `package` has them.
set -eu

build=$1
compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
for tool in dpkg-deb dpkg-shlibdeps lintian; do
  command -v "$tool" >/dev/null 2>&1 || { echo "no $tool" && exit 77; }
done

cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; fail 'cpack'; }
count=$(find "$work/packages" -maxdepth 1 -name '*.deb' | wc -l)
[ "$count" -ge 3 ] || fail "cpack made $count packages"
allow=''
[ "$(id -u)" != 0 ] || allow=--allow-root
# shellcheck disable=SC2086 # a word or none
lintian $allow --fail-on error "$work"/packages/*.deb >"$work/lintian" 2>&1 || { cat "$work/lintian"; fail 'lintian found errors'; }

for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$work/root"; done
field() { dpkg-deb -f "$work"/packages/"$1"_*.deb "$2"; }
field setosa Recommends | grep -q pocl-opencl-icd || fail 'setosa recommends no device'
field setosa Depends | grep -q libopencl || fail 'setosa does not need the OpenCL loader'
field setosa Depends | grep -q libjansson4 || fail 'setosa does not need jansson'
library=$(basename "$work"/packages/libsetosa0.*.deb | sed 's/_.*//')
field libsetosa-dev Depends | grep -q "$library (= " || fail "libsetosa-dev does not need $library"
for optional in libopenmpi libopenblas libclblast; do
  if field setosa Depends | grep -q "$optional" || field "$library" Depends | grep -q "$optional"; then fail "whoever installs Setosa gets $optional"; fi
done
[ "$("$work/root/usr/bin/setosa" --version)" = "setosa $(dpkg-deb -f "$work"/packages/setosa_*.deb Version | sed 's/-.*//')" ] ||
  fail 'the packaged program and its package name different versions'
gzip -dc "$work/root/usr/share/man/man1/setosa-train.1.gz" | grep -q '^\.TH' || fail 'no manual page of setosa train'

folder=$(dirname "$(find "$work/root" -name libsetosa.so)")
printf '#include <setosa.h>\n#include <stdio.h>\nint main(void) { puts(setosa_solver_name(SETOSA_SOLVER_NEWTON)); return 0; }\n' >"$work/main.c"
"$compiler" -std=c11 -Wall -Werror -I"$work/root/usr/include" "$work/main.c" -o "$work/main" -L"$folder" -lsetosa
[ "$(LD_LIBRARY_PATH=$folder "$work/main")" = newton ] || fail 'a C program with the packaged library'
echo "$count packages: $(cd "$work/packages" && echo *.deb)"
