#!/bin/sh
# From a fresh Debian or Ubuntu to a trained model. This file owns the list of packages; .ci/run asks for them here.
#
#   ./quickstart.sh         installs what is missing, builds Setosa, trains on data/iris.csv
#   ./quickstart.sh test    the same set-up, then every test but the long ones of the night (ctest -L nightly)
#   ./quickstart.sh tools   installs what .ci/run needs beyond that (second compiler, linters, a checking OpenCL device)
#
# Running it again takes seconds: nothing is installed or built twice.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")"
build=build/release
log=build/quickstart.log

# One line each: package, then what it is for.
packages_to_build='
gcc                   C compiler
libc6-dev             C library headers
cmake                 build system
ninja-build           build runner
pkg-config            finds libraries
ocl-icd-opencl-dev    OpenCL loader
opencl-headers        OpenCL headers
pocl-opencl-icd       PoCL, an OpenCL device that runs on every CPU
libpopt-dev           command line options
libjansson-dev        JSON
zlib1g-dev            gzip
libzip-dev            zip archives, as .npz of NumPy
libxxhash-dev         hashes
librandom123-dev      random numbers
libprotobuf-c-dev     protocol buffers, for setosa export to ONNX
protobuf-c-compiler   makes C of the definition of ONNX
libopenblas-dev       the blas backend: matrix products on the CPU
libclblast-dev        the clblast backend: matrix products by another OpenCL library
libopenmpi-dev        MPI: several processes and machines train together
openmpi-bin           mpirun, which starts them'

packages_to_test='
libcmocka-dev         test framework
g++                   builds a C++ program with the installed library
dataset-fashion-mnist the Fashion-MNIST images, a test set of real size
python3               runs the sessions of README.md, and bench/scaling.py
python3-numpy         runs the NumPy program of README.md, and the Python package
python3-pytest        tests of the Python package
python3-scipy         sparse matrices in Python
python3-pandas        tables in Python
python3-sklearn       what the Python package, and the table of README.md, are compared with
python3-statsmodels   the same
liblinear-tools       the same'

packages_for_tools='
clang                 second C compiler
clang-format          formatting check
clang-tidy            static analysis
oclgrind              an OpenCL device that finds races and bad reads in kernels
mesa-opencl-icd       a second OpenCL platform (rusticl), for the tests of devices and caches
shellcheck            checks shell scripts
python3-pip           fetches compilers for GPUs, with which their kernels are looked at
mandoc                checks manual pages
zsh                   tries its completion
fish                  tries its completion
dpkg-dev              finds what Debian packages depend on
lintian               checks Debian packages
python3-venv          a place for onnxruntime, which runs exported models
chromium              shows the pages of --report to their test
r-cran-glmnet         what the table of README.md is compared with
git                   lists the files to check'

# Debian 13 has none. Where the index does not know them, they are left out, and what needs them is skipped.
packages_some_lack=' oclgrind '

packages_to_fuzz='
libclang-rt-dev       libFuzzer and the sanitizers of clang'

say() { printf '%s\n' "$@"; } # a line for each argument
fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

# run WHAT COMMAND...: output goes to the log, and its end to the terminal when the command fails.
run() {
  what=$1
  shift
  "$@" </dev/null >"$log" 2>&1 && return
  tail -n 40 "$log" >&2
  fail "$what failed; the lines above are the end of $PWD/$log"
}

# Names of the packages of a list that are not installed, whether by name or as something another package provides.
missing_of() {
  # shellcheck disable=SC2016 # ${...} belongs to dpkg-query
  dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' 2>/dev/null |
    LIST=$1 awk '
      $1 == "installed" { gsub(/\([^)]*\)|,/, " "); for (i = 2; i <= NF; i++) installed[$i] = 1 }
      END { count = split(ENVIRON["LIST"], lines, "\n")
            for (i = 1; i <= count; i++) if (split(lines[i], word, " ") && !(word[1] in installed)) print word[1] }'
}

knows() { apt-cache show --no-all-versions "$1" 2>/dev/null | grep -q '^Package:'; }
# obtainable NAME...: the names without those that this system lacks. An index that does not know gcc either is none, and says nothing.
obtainable() {
  for name in "$@"; do
    case "$packages_some_lack" in
      *" $name "*) if ! knows "$name" && knows gcc; then continue; fi ;;
    esac
    printf '%s\n' "$name"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}
# The package index is refreshed only when it does not know a package, or names a version that is gone.
install_packages() {
  # shellcheck disable=SC2046,SC2086 # one word per package
  if [ "$(apt-cache show --no-all-versions $1 2>/dev/null | grep -c '^Package:')" -ge "$(set -- $1 && echo $#)" ] &&
    apt_get install --no-install-recommends $1; then
    return
  fi
  # shellcheck disable=SC2046,SC2086
  apt_get update && apt_get install --no-install-recommends $(obtainable $1)
}

# need LIST: installs what is missing of it.
need() {
  if ! command -v apt-get >/dev/null 2>&1; then
    say 'This script installs packages with apt-get, which this system does not have. Install these yourself:' \
      'a C11 compiler, CMake 3.21 or later, Ninja, pkg-config; an OpenCL loader with its headers, and an OpenCL device (PoCL runs on any CPU);' \
      'the development files of popt, jansson, zlib, libzip, xxHash and Random123; for the tests cmocka;' \
      'for export to ONNX protobuf-c; for the backends blas and clblast, and for several machines, OpenBLAS, CLBlast and an MPI; all of these can' \
      'be left out. Then:' \
      '  cmake --preset release && cmake --build --preset release && build/release/setosa train data/iris.csv' >&2
    exit 1
  fi
  absent=$(missing_of "$1")
  # shellcheck disable=SC2086 # one word per package
  missing=$(obtainable $absent)
  [ "$missing" = "$absent" ] || say "Not among the packages of this system, so what needs it is skipped:$packages_some_lack"
  [ -n "$missing" ] || return 0
  words=$(printf '%s' "$missing" | tr '\n' ' ')
  say 'These packages are missing and will be installed with apt-get:'
  printf '%s\n' "$1" | while read -r name purpose; do
    case " $words " in *" $name "*) printf '  %-22s %s\n' "$name" "$purpose" ;; esac
  done
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
    fail "installing needs root, and there is no sudo. Run this as root, then ./quickstart.sh again:
  apt-get update && apt-get install --no-install-recommends $words"
  fi
  # A password can be typed here, before the output goes to the log.
  if [ "$(id -u)" != 0 ] && ! sudo -v; then
    fail "sudo was refused. Run this as root, then ./quickstart.sh again:
  apt-get update && apt-get install --no-install-recommends $words"
  fi
  run 'installing packages' install_packages "$words"
}

# A build folder made by another generator, or before this folder was moved, cannot be used again.
forget_stale_build() {
  cache=$build/CMakeCache.txt
  [ -f "$cache" ] || return 0
  grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(pwd -P)" "$cache" && grep -qx 'CMAKE_GENERATOR:INTERNAL=Ninja' "$cache" && return 0
  say "$build was made in another place or in another way: starting it afresh."
  rm -rf "$build"
}

# build_setosa TESTS (ON or OFF) TARGET
build_setosa() {
  forget_stale_build
  say "Building Setosa in $build ..."
  run 'configuring the build' cmake --preset release "-DBUILD_TESTING=$1"
  run 'building' cmake --build "$build" --target "$2"
}

# A build folder that has the tests keeps them.
tests_so_far() {
  if grep -qsx 'BUILD_TESTING:BOOL=ON' "$build/CMakeCache.txt"; then echo ON; else echo OFF; fi
}

train_on_iris() {
  say '' 'Training on data/iris.csv: 150 flowers, four measurements each, three species.' \
    "\$ $build/setosa train data/iris.csv --l2 0.01 --model build/iris.safetensors" ''
  status=0
  "$build/setosa" train data/iris.csv --l2 0.01 --model build/iris.safetensors </dev/null || status=$?
  if [ "$status" = 4 ]; then "$build/setosa" devices --diagnose </dev/null || true; fi
  [ "$status" = 0 ] || exit "$status"
  say '' 'It works. What to try next:' '' \
    "  $build/setosa eval build/iris.safetensors data/iris.csv" '      how good the model is, species by species' \
    "  $build/setosa predict build/iris.safetensors data/iris.csv" '      the species of every flower, with probabilities' \
    "  $build/setosa explain build/iris.safetensors data/iris.csv --row 1" '      one flower, step by step' \
    "  $build/setosa train --help" '      your own data: CSV, images, NumPy arrays' \
    '  ./quickstart.sh test' '      every test'
}

mkdir -p build
case "$#:${1-}" in
  0:)
    need "$packages_to_build"
    build_setosa "$(tests_so_far)" all
    train_on_iris
    ;;
  1:test)
    need "$packages_to_build$packages_to_test"
    build_setosa ON all
    say 'Running the tests ...'
    ctest --test-dir "$build" --output-on-failure --no-tests=error -j2 -LE nightly </dev/null
    ;;
  1:tools)
    need "$packages_to_build$packages_to_test$packages_for_tools"
    # libFuzzer is a package of its own since Debian 12 and Ubuntu 24.04; before, clang brings it.
    ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer* >/dev/null 2>&1 || need "$packages_to_fuzz"
    ;;
  1:-h | 1:--help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
    ;;
  *)
    say 'usage: ./quickstart.sh [test | tools | --help]' >&2
    exit 2
    ;;
esac
