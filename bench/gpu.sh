#!/bin/sh
# A whole session on a machine with an NVIDIA GPU, in one call: that machine needs a C compiler, CMake and the driver, and no network.
#
#   bench/gpu.sh pack [DIR]            where there is a network (Debian 12, amd64): brings into DIR (.gpu) what the other machine lacks
#   bench/gpu.sh pack --tools [DIR]    CMake and Ninja too
#   bench/gpu.sh run [DIR] [RESULTS]   there: builds, checks, measures; writes RESULTS.json and RESULTS.txt (gpu-results)
#
# SETOSA_GPU_ICD=FILE     take this .icd file or OpenCL library in place of NVIDIA's
# SETOSA_GPU_SECONDS=460  the whole of `run`; each step has its own limit as well, and a step that fails stops no other
# SETOSA_GPU_WORKS=W1,S4  only these works of the suite
# SETOSA_GPU_STEPS=REGEX  of what comes after the build only the steps with such names: a second call for what the first had no time for
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/.."

# Debian's names of what quickstart.sh installs to build and test, without the compiler, MPI and PoCL. Libraries come with what they need
# beyond the C library.
packages='ocl-icd-libopencl1 ocl-icd-opencl-dev opencl-c-headers libclblast1 libclblast-dev
libpopt0 libpopt-dev libjansson4 libjansson-dev libzip4 libzip-dev zlib1g zlib1g-dev libxxhash0 libxxhash-dev libbz2-1.0 libssl3
librandom123-dev libcmocka0 libcmocka-dev pkgconf pkgconf-bin libpkgconf3
libopenblas0-pthread libopenblas-pthread-dev libgfortran5 libquadmath0 dataset-fashion-mnist'

fail() {
  printf 'gpu.sh: %s\n' "$*" >&2
  exit 1
}

# ---- pack -----------------------------------------------------------------------------------------------------------

pack() {
  tools=no
  if [ "${1-}" = --tools ]; then
    tools=yes
    shift
  fi
  folder=${1:-.gpu}
  command -v apt-get >/dev/null 2>&1 || fail 'pack takes packages with apt-get, which this system does not have; run it on Debian'
  mkdir -p "$folder/fetched"
  folder=$(realpath "$folder")
  rm -rf "$folder/fetched" "$folder/root"
  mkdir -p "$folder/fetched" "$folder/root"
  # shellcheck disable=SC2086 # one word per package
  (cd "$folder/fetched" && apt-get -q download $packages) || fail 'a package could not be downloaded; run apt-get update, then this again'
  for file in "$folder"/fetched/*.deb; do dpkg-deb -x "$file" "$folder/root"; done
  if [ "$tools" = yes ]; then
    python3 -m pip download -q --no-deps --only-binary=:all: -d "$folder/fetched" cmake ninja || fail 'pip could not download cmake and ninja'
    for wheel in "$folder"/fetched/*.whl; do python3 -m zipfile -e "$wheel" "$folder/root/wheels"; done
    # A wheel is a zip, which python3 unpacks without permissions.
    find "$folder/root/wheels" \( -path '*/bin/*' -o -path '*/scripts/*' \) -type f -exec chmod +x {} +
  fi
  # What nobody reads there; all together is to stay below 64 MB.
  rm -rf "$folder/root/usr/share/doc" "$folder/root/usr/share/man"
  find "$folder/root" \( -name '*.a' -o -name ctest -o -name cpack -o -path '*/wheels/cmake/data/doc/*' -o -path '*/wheels/cmake/data/share/*/Help/*' \) \
    -type f -delete
  tar -C "$folder/root" -czf "$folder/root.tar.gz" .
  rm -rf "$folder/fetched" "$folder/root"
  # The other machine may get the files without their history.
  { git describe --always --dirty --abbrev=40 2>/dev/null || echo unknown; } >"$folder/commit"
  printf '%s: %s\n' "$folder" "$(du -sh "$folder" | cut -f1)"
}

# ---- run: preparation -----------------------------------------------------------------------------------------------

# Packages are unpacked below $root. Debian's maintainer scripts do not run, so links that they or an absolute path make are made here.
unpack() {
  [ -e "$folder/root.tar.gz" ] || fail "$folder has no root.tar.gz; run 'bench/gpu.sh pack' where there is a network, and bring $folder along"
  mkdir -p "$root"
  tar -C "$root" --no-same-owner -xzf "$folder/root.tar.gz"
  find "$root" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    if [ -e "$root$target" ]; then ln -sfn "$root$target" "$link"; fi
  done
}

# The driver's OpenCL library, or nothing.
find_driver() {
  ldconfig -p 2>/dev/null | awk '/libnvidia-opencl\.so\.1 / { print $NF; exit }'
  for place in /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu/nvidia/current /usr/lib64 \
    /usr/lib /usr/lib/wsl/lib /run/opengl-driver/lib /usr/local/cuda/compat; do
    if [ -e "$place/libnvidia-opencl.so.1" ]; then printf '%s\n' "$place/libnvidia-opencl.so.1"; fi
  done
}

# Writes the one .icd file that the loader is to see.
choose_driver() {
  icd=${SETOSA_GPU_ICD:-$(find_driver | head -n 1)}
  [ -n "$icd" ] || fail "no libnvidia-opencl.so.1 was found: this machine has no NVIDIA driver with OpenCL; name another with SETOSA_GPU_ICD"
  [ -e "$icd" ] || fail "$icd is not there; SETOSA_GPU_ICD names an .icd file or an OpenCL library"
  mkdir -p "$work/vendors"
  case $icd in
    *.icd) cp "$icd" "$work/vendors/chosen.icd" ;;
    *) printf '%s\n' "$icd" >"$work/vendors/chosen.icd" ;;
  esac
  OCL_ICD_VENDORS=$work/vendors
  export OCL_ICD_VENDORS
  # The driver loads its compiler from beside itself.
  driver_folder=$(dirname "$icd")
}

set_paths() {
  libraries=$root/usr/lib/x86_64-linux-gnu
  PKG_CONFIG_SYSROOT_DIR=$root
  PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$libraries/openblas-pthread/pkgconfig:$root/usr/share/pkgconfig:$root/usr/lib/pkgconfig
  PATH=$root/wheels/cmake/data/bin:$(find "$root/wheels" -name ninja -type f -exec dirname {} \; 2>/dev/null | head -n 1):$PATH
  XDG_CACHE_HOME=$work/cache
  export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR PATH XDG_CACHE_HOME
  run_path=$libraries:$libraries/openblas-pthread:$root/lib/x86_64-linux-gnu
  case $icd in *.so*) run_path=$run_path:$driver_folder ;; esac
  fashion=$root/usr/share/datasets/fashion-mnist
}

# ---- run: steps -----------------------------------------------------------------------------------------------------

# step NAME SECONDS COMMAND...: standard output goes to steps/NAME.out, both to the log. Interrupted first, so that a bench that is cut
# short still prints the rows it has.
step() {
  name=$1
  limit=$2
  shift 2
  case $name in
    configure | build) ;;
    *) if ! printf '%s\n' "$name" | grep -qE "${SETOSA_GPU_STEPS:-.}"; then return; fi ;;
  esac
  left=$((deadline - $(date +%s)))
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  printf '\n== %s\n$ %s\n' "$name" "$*" >>"$log"
  printf '%-20s ' "$name"
  if [ "$limit" -lt 3 ]; then
    record "$name" 0 null 'not started: no time left'
    return
  fi
  began=$(date +%s)
  code=0
  timeout -s INT -k 10 "$limit" "$@" >"$work/steps/$name.out" 2>"$work/steps/$name.err" </dev/null || code=$?
  cat "$work/steps/$name.out" "$work/steps/$name.err" >>"$log"
  case $code in
    0) record "$name" "$(($(date +%s) - began))" 0 finished ;;
    124 | 137) record "$name" "$(($(date +%s) - began))" "$code" "stopped at its limit of $limit s" ;;
    *) record "$name" "$(($(date +%s) - began))" "$code" 'FAILED' ;;
  esac
}
# ours NAME SECONDS COMMAND...: a step of a program of ours; only they see the unpacked libraries, the system's programs keep their own.
ours() {
  ours_name=$1
  ours_limit=$2
  shift 2
  step "$ours_name" "$ours_limit" env "LD_LIBRARY_PATH=$run_path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
}
record() { # NAME SECONDS CODE WORDS
  printf '%s (%s s)\n' "$4" "$2"
  if [ "$4" != finished ]; then failures="$failures $1"; fi
  printf '%s{"step": "%s", "seconds": %s, "exit_code": %s, "outcome": "%s"}' "$separator" "$1" "$2" "$3" "$4" >>"$work/steps.json"
  separator=', '
  write_results # so that an end from outside loses no step
}

# ninja where there is one, else make.
build() {
  generator='Unix Makefiles'
  if command -v ninja >/dev/null 2>&1; then generator=Ninja; fi
  if ! command -v pkg-config >/dev/null 2>&1; then
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$root/usr/bin/pkgconf" >"$work/pkg-config"
    chmod +x "$work/pkg-config"
  fi
  pkg_config=$(command -v pkg-config || echo "$work/pkg-config")
  step configure 60 cmake -G "$generator" -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$root/usr" -DSETOSA_MPI=OFF \
    "-DPKG_CONFIG_EXECUTABLE=$pkg_config" "-DOpenCL_INCLUDE_DIR=$root/usr/include" "-DOpenCL_LIBRARY=$libraries/libOpenCL.so"
  step build 200 cmake --build "$work/build" --parallel "$(nproc)" --target setosa
}

# The tests of the kernels, on this device and with the environment that CTest would give them; those that see most first.
kernel_tests() {
  tests='kernels_shapes kernels_storage kernels_determinism kernels_sweep kernels_sparse kernels_streamed kernels_sharded'
  for source in tests/kernels/test_*.c; do
    test=kernels_$(basename "$source" .c | sed 's/^test_//')
    case " $tests " in *" $test "*) ;; *) tests="$tests $test" ;; esac
  done
  # shellcheck disable=SC2086 # one word per test
  step build-kernels 120 cmake --build "$work/build" --parallel "$(nproc)" --target $tests
  for test in $tests; do
    program=$work/build/tests/$test
    if [ -x "$program" ]; then
      ours "$test" 60 env 'SETOSA_TEST_CASE=!nightly_*' SETOSA_TEST_DEVICE=0 "SETOSA_SOURCE_DIR=$PWD" "SETOSA_PROGRAM=$setosa" "$program"
    fi
  done
}

# PyTorch on the same card and data, if it is here with CUDA: each dense work in a process of its own, checked against float64 first.
torch_rival() {
  if ! python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' >/dev/null 2>&1; then
    printf '%-20s %s\n' torch 'skipped: no PyTorch with CUDA in python3'
    printf '\n== torch\nskipped: no PyTorch with CUDA in python3\n' >>"$log"
    return
  fi
  if [ -z "$dense" ]; then return; fi
  step torch-data 60 python3 bench/peers/data.py "$work/data" "$dense" --fashion "$fashion"
  for name in $(echo "$dense" | tr ',' ' '); do
    step "torch-$name" 30 python3 bench/peers/worker.py torch "$name" "$work/data" --device cuda --repeat 50 --seconds 5
  done
}

# What is worth most comes first: time may end. of_works W|S: those of the chosen works that are dense, or sparse.
of_works() { printf '%s' "$works" | tr ',' '\n' | grep "^$1" | paste -sd, - || true; }
# bench_works NAME SECONDS WORKS OPTIONS...
bench_works() {
  bench_name=$1
  bench_limit=$2
  bench_on=$3
  shift 3
  if [ -z "$bench_on" ]; then return; fi
  ours "$bench_name" "$bench_limit" "$setosa" bench --work "$bench_on" --device 0 --fashion "$fashion" --json "$@"
}

measure() {
  dense=$(of_works W)
  sparse=$(of_works S)
  ours devices 30 "$setosa" devices --json
  bench_works bench-gpu 110 "$dense" --backends native --family gpu --what step,hessian --storage f32 --seconds 0.5
  # F* of this penalty is known (bench/gpu_table.py); converged is: at most 1e-6 of itself above the optimum, as the solver sees it.
  ours train-fashion 40 "$setosa" train "$fashion/train-images-idx3-ubyte.gz" --test "$fashion/t10k-images-idx3-ubyte.gz" --device 0 \
    --l2 1.6666666666666667e-5 --gap 1e-7 --json
  ours check-gpu 100 "$setosa" check --device 0 --family gpu --json
  bench_works bench-gpu-sparse 60 "$sparse" --backends native --family gpu --what step,hessian --storage f32 --seconds 0.3
  torch_rival
  bench_works bench-gpu-full 100 "$dense" --backends native --family gpu --what step --storage f32 --tune full --seconds 0.5
  kernel_tests
  bench_works bench-gpu-small 60 "$dense" --backends native --family gpu --what step --storage f16,u8 --seconds 0.3
  bench_works bench-clblast 50 "$dense" --backends clblast,blas --seconds 0.3
  ours check-cpu 60 "$setosa" check --device 0 --family cpu --json
  bench_works bench-cpu 40 "$dense" --backends native --family cpu --storage f32 --tune off --seconds 0.3
}

# ---- run: the results file --------------------------------------------------------------------------------------------

json_text() { printf '"%s"' "$(printf '%s' "$1" | tr -d '\r' | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')"; }

# Every step's output that is a whole JSON document goes in as it is.
write_results() {
  {
    printf '{"date": "%s", "commit": ' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    json_text "$(git describe --always --dirty --abbrev=40 2>/dev/null || cat "$folder/commit" 2>/dev/null || echo unknown)"
    printf ', "icd": '
    json_text "$icd"
    printf ', "gpu": '
    json_text "$card"
    printf ', "host": '
    json_text "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors, $(uname -sr)"
    printf ', "steps": [%s], "outputs": {' "$(cat "$work/steps.json")"
    comma=''
    for output in "$work"/steps/*.out; do
      [ -e "$output" ] || continue
      case "$(head -c 1 "$output")$(tail -c 3 "$output" | tr -d '\n')" in
        '{'*'}')
          printf '%s"%s": ' "$comma" "$(basename "$output" .out)"
          # torch-data prints one document a line
          if [ "$(grep -c '^{' "$output")" -gt 1 ]; then printf '[%s]' "$(paste -sd, "$output")"; else cat "$output"; fi
          comma=', '
          ;;
      esac
    done
    printf '}}\n'
  } >"$results.json.part"
  mv "$results.json.part" "$results.json"
}

# What was measured beside what bench/gpu_static had estimated; into the results, too.
compare() {
  estimates=bench/gpu_static/baseline.json
  if ! command -v python3 >/dev/null 2>&1; then
    printf '\nnot compared: no python3\n'
  elif ! python3 bench/gpu_table.py "$results.json" "$estimates"; then
    printf '\nnot compared: see above; again by: bench/gpu_table.py %s.json %s\n' "$results" "$estimates"
  fi | tee -a "$log"
}

run() {
  folder=$(realpath "${1:-.gpu}")
  results=${2:-gpu-results}
  deadline=$(($(date +%s) + ${SETOSA_GPU_SECONDS:-460}))
  works=${SETOSA_GPU_WORKS:-W1,W2,W3,W4,W5,W6,S1,S2,S3,S4}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  root=$work/root
  setosa=$work/build/setosa
  log=$results.txt
  failures=''
  separator=''
  mkdir -p "$work/steps" "$work/cache" "$(dirname "$results")"
  : >"$log"
  : >"$work/steps.json"
  card=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader 2>/dev/null || true)
  choose_driver
  unpack
  set_paths
  printf 'OpenCL through %s\n' "$icd" | tee -a "$log"
  build
  if [ -x "$setosa" ]; then measure; else printf 'Setosa was not built; see %s\n' "$log"; fi
  compare
  if [ -n "$failures" ]; then
    printf '\nnot done:%s; see %s\n' "$failures" "$log"
    return 1
  fi
  printf '\nall done: %s.json, %s\n' "$results" "$log"
}

case "${1-}" in
  pack | run)
    mode=$1
    shift
    "$mode" "$@"
    ;;
  -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" ;;
  *)
    printf 'usage: bench/gpu.sh pack [--tools] [DIR] | run [DIR] [RESULTS] | --help\n' >&2
    exit 2
    ;;
esac
