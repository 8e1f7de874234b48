#!/bin/sh
# Fetches the compilers that bench/gpu_static/run looks at GPU kernels with, into a folder. Nothing is installed, and nothing outside the folder
# is written: packages come through an apt root of its own, made from this system's sources.
#
#   bench/gpu_static/tools.sh [FOLDER]     FOLDER: build/gpu_tools
#
# Prints a line for each tool: found, fetched, or missing and why. A tool that is missing is no failure: what needs it is left out.
#   NVIDIA   its own OpenCL compiler (libnvidia-nvvm4, in Debian's non-free), ptxas, cuobjdump, nvdisasm (from PyPI, where PATH has none)
#   AMD      clang with libclc, the newest that there is
#   Intel    ocloc
# These have the licences of their makers; NVIDIA's and a part of Intel's are not free.
set -eu

folder=${1:-build/gpu_tools}
mkdir -p "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)
root=$folder/root
cuda=$folder/cuda
apt=$folder/apt
log=$folder/log
: >"$log"
why='' # apt cannot be used

report() { printf '%-18s %s: %s\n' "$1" "$2" "$3"; }

# The first file that a pattern names, newest last in the order of versions; nothing when there is none.
newest() { find "$1" -path "$2" \( -type f -o -type l \) 2>/dev/null | sort -V | tail -n 1; }

# ---- packages -------------------------------------------------------------------------------------------------------

# The system's sources, in both forms; Debian's with the component that NVIDIA's compiler is in.
copy_sources() {
  more=
  if grep -q '^ID=debian$' /etc/os-release 2>/dev/null; then more=' non-free'; fi
  mkdir -p "$apt/sources"
  rm -f "$apt/sources"/*
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -r "$file" ] || continue
    awk -v more="$more" '/^deb / && / main( |$)/ && !/ non-free( |$)/ { $0 = $0 more } { print }' "$file" \
      >"$apt/sources/$(basename "$file" .list).list"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] || continue
    awk -v more="$more" 'tolower($1) == "components:" && / main( |$)/ && !/ non-free( |$)/ { $0 = $0 more } { print }' "$file" \
      >"$apt/sources/$(basename "$file")"
  done
}

# Nothing counts as installed, so that a library that is there already is fetched, too: the folder may be carried to another machine.
open_apt() {
  [ -z "$why" ] || return 1
  [ ! -e "$apt/ready" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
    why='this system has no apt-get and dpkg-deb'
    return 1
  fi
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/state"
  : >"$apt/status"
  copy_sources
  cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::State "$apt/state";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
APT::Update::Error-Mode "any";
CONF
  if ! apt-get -q -c "$apt/apt.conf" update >>"$log" 2>&1; then
    why="apt-get update fails, see $log"
    return 1
  fi
  : >"$apt/ready"
}

known() { [ -n "$(apt-cache -c "$apt/apt.conf" show "$1" 2>/dev/null)" ]; }

# The package and those of its libraries that are no part of every system.
closure() {
  apt-cache -c "$apt/apt.conf" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
    grep -E '^(clang|lib(clang|llvm|clc|opencl-clang|igc|igdfcl|igdgmm|nvidia-nvvm|z3|edit|xml2|bsd|md|ffi|tinfo|icu)|intel-)[^:]*$' |
    grep -Ev -- '-(dbg|doc|dbgsym)$' | sort -u
}

# fetch PACKAGE...: unpacks each with what it needs below $root.
fetch() {
  mkdir -p "$folder/debs" "$root"
  for package in "$@"; do closure "$package"; done | sort -u >"$folder/wanted"
  # shellcheck disable=SC2046 # one word a package
  (cd "$folder/debs" && apt-get -q -c "$apt/apt.conf" download $(cat "$folder/wanted")) >>"$log" 2>&1 || return 1
  for file in "$folder/debs"/*.deb; do
    dpkg-deb -x "$file" "$root" >>"$log" 2>&1 || return 1
    rm -f "$file"
  done
}

# get TOOL FIND PACKAGE...: FIND prints where the tool is, or nothing.
get() {
  tool=$1 find=$2
  shift 2
  if place=$($find) && [ -n "$place" ]; then
    report "$tool" found "$place"
  elif ! open_apt; then
    report "$tool" missing "$why"
  elif [ $# = 0 ]; then
    report "$tool" missing 'no package has it'
  elif ! fetch "$@"; then
    report "$tool" missing "no package $* could be fetched, see $log"
  elif place=$($find) && [ -n "$place" ]; then
    report "$tool" fetched "$place"
  else
    report "$tool" missing "the packages $* do not hold it"
  fi
}

find_nvidia() {
  for place in "$root" /usr/lib; do
    file=$(newest "$place" '*/libnvidia-nvvm.so.*[0-9]')
    [ -z "$file" ] || { echo "$file" && return; }
  done
}
find_ocloc() {
  file=$(newest "$root/usr/bin" '*/ocloc*')
  [ -n "$file" ] || file=$(command -v ocloc || true)
  echo "$file"
}
# clang and libclc of one version, with a file for AMD's GPUs. $least: the oldest version that counts.
least=20
find_clang() {
  for place in "$root" ''; do
    for file in $(find "$place/usr/lib" -maxdepth 3 -path '*/llvm-*/bin/clang' 2>/dev/null | sort -rV); do
      version=${file#*llvm-}
      version=${version%%/*}
      [ "$version" -ge "$least" ] || continue
      for clc in "$place"/usr/lib/clc/amdgcn-*amdhsa.bc "$place/usr/lib/llvm-$version"/share/clc/amdgcn-*amdhsa.bc; do
        [ -e "$clc" ] && echo "$file, $clc" && return
      done
    done
  done
}
newest_clang() {
  open_apt || return 0
  for version in 23 22 21 20 19 18 17 16 15; do
    if known "clang-$version" && known "libclc-$version"; then
      echo "clang-$version libclc-$version"
      return
    fi
  done
}
newest_ocloc() {
  if open_apt && known intel-ocloc; then echo intel-ocloc; else echo intel-opencl-icd; fi
}

# ---- wheels ---------------------------------------------------------------------------------------------------------

find_cuda() {
  file=$(newest "$cuda" "*/bin/$1")
  [ -n "$file" ] || file=$(command -v "$1" || true)
  echo "$file"
}

# get_cuda TOOL PACKAGE
get_cuda() {
  place=$(find_cuda "$1")
  if [ -n "$place" ]; then
    report "$1" found "$place"
    return
  fi
  mkdir -p "$cuda/wheels"
  if ! python3 -m pip --timeout 30 --retries 1 download -q --no-deps --only-binary=:all: -d "$cuda/wheels" "$2" >>"$log" 2>&1; then
    report "$1" missing "pip cannot download $2, see $log"
    return
  fi
  for file in "$cuda/wheels"/*.whl; do
    python3 -m zipfile -e "$file" "$cuda" >>"$log" 2>&1 && rm -f "$file"
  done
  find "$cuda" -path '*/bin/*' -type f -exec chmod +x {} +
  place=$(find_cuda "$1")
  if [ -n "$place" ]; then report "$1" fetched "$place"; else report "$1" missing "$2 does not hold it"; fi
}

get nvidia-compiler find_nvidia libnvidia-nvvm4
get_cuda ptxas nvidia-cuda-nvcc
get_cuda cuobjdump nvidia-cuda-cuobjdump
get_cuda nvdisasm nvidia-cuda-nvdisasm
packages=
[ -n "$(find_clang)" ] || packages=$(newest_clang)
[ -n "$packages" ] || least=14 # better an old one than none
# shellcheck disable=SC2086 # one word a package
get clang find_clang $packages
get ocloc find_ocloc "$(newest_ocloc)"
