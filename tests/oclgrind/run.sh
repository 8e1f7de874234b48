#!/bin/bash
# run.sh PROGRAM: both kernel families on tiny data under oclgrind, an OpenCL device that reports data races, reads of uninitialised
# memory, bad addresses and wrong API use. Its log must stay empty.
set -euo pipefail

program=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
# The end of one that failed is the end of all.
trap 'jobs -p | xargs -r kill 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache # what is compiled for this device, and how, is of no use to anyone else
export NO_COLOR=1
passed=0

cc -std=c11 -O1 -shared -fPIC "$here/shim.c" -o "$work/shim.so" -ldl
cc -std=c11 -O1 "$here/planted.c" -o "$work/planted" -lOpenCL

# Taken away where metrics are applied or samples are scored (`check` does both): there oclgrind 21.10 calls numbers uninitialised that a kernel
# has just written, constants among them, in whichever form that is done, and other ones when the host writes its buffers in another order.
uninitialized=--uninitialized

# under_oclgrind LOG COMMAND...: without the kernel compiler's optimiser, because oclgrind 21.10 reads past the end of a value, or crashes,
# at vector shuffles with lanes that nobody uses, which only the optimiser makes. The shim has to stand before oclgrind's own library.
under_oclgrind() {
  local log=$1
  shift
  # shellcheck disable=SC2016 # for the inner shell
  # shellcheck disable=SC2086 # one word or none
  timeout 900 oclgrind --data-races $uninitialized --check-api --max-errors 10 --build-options -cl-opt-disable --log "$log" \
    sh -c 'LD_PRELOAD="$0:$LD_PRELOAD" exec "$@"' "$work/shim.so" "$@" </dev/null
}

# grind NAME ARGUMENTS...: runs the program, which must exit 0 and leave the log empty. --force-device skips the self-test, which takes
# larger shapes than a simulator should be asked for; `check` compares with the reference all the same.
grind() {
  local name=$1 log=$work/$1.log out=$work/$1.out status=0 started=$SECONDS
  shift
  under_oclgrind "$log" "$program" "$@" --force-device >"$out" 2>&1 || status=$?
  if [ "$status" != 0 ] || [ -s "$log" ]; then
    printf 'FAILED %s: setosa %s (exit %s)\n' "$name" "$*" "$status"
    tail -n 40 "$out"
    [ ! -s "$log" ] || head -n 60 "$log"
    return 1
  fi
  printf '  %-16s %4d s\n' "$name" "$((SECONDS - started))"
}

# later NAME ARGUMENTS...: grind beside others, one for each processor (a simulator that looks for races has one thread).
running=0
later() {
  if [ "$running" -ge "$(nproc)" ]; then
    wait -n || exit 1
    running=$((running - 1))
  fi
  grind "$@" &
  running=$((running + 1))
  passed=$((passed + 1)) # else this script ends
}

# An empty log proves nothing unless mistakes show in it, and unless oclgrind is the device.
for mistake in race uninitialized bounds clean; do
  under_oclgrind "$work/$mistake.log" "$work/planted" "$mistake" >"$work/out" 2>&1
  if [ "$mistake" = clean ] && [ ! -s "$work/clean.log" ]; then continue; fi
  if [ "$mistake" != clean ] && [ -s "$work/$mistake.log" ]; then continue; fi
  echo "FAILED: oclgrind and a planted '$mistake' do not agree"
  exit 1
done
under_oclgrind "$work/devices.log" "$program" devices >"$work/out" 2>&1
grep -qi oclgrind "$work/out" || { echo 'FAILED: oclgrind is not the device that setosa sees:'; cat "$work/out"; exit 1; }

# Bytes from 0 to 255, of few and of many classes: what u8 can hold.
make_bytes() { # make_bytes NAME CLASSES: 19 images and their labels as IDX files
  local images=$work/$1-images-idx3-ubyte labels=$work/$1-labels-idx1-ubyte i
  printf '\0\0\010\003\0\0\0\023\0\0\0\003\0\0\0\003' >"$images"
  printf '\0\0\010\001\0\0\0\023' >"$labels"
  # shellcheck disable=SC2059 # the format is the byte
  for ((i = 0; i < 19 * 9; i++)); do printf "\\$(printf '%03o' $((i * 37 % 256)))"; done >>"$images"
  # shellcheck disable=SC2059
  for ((i = 0; i < 19; i++)); do printf "\\$(printf '%03o' $((i == 18 ? $2 - 1 : i % $2)))"; done >>"$labels"
}
make_bytes few 3
make_bytes many 40

# Shapes at and beside the widths that the kernels use: features 8, rows 4 and 16, few and many classes. `check` goes through loss, gradient,
# two Hessian products, a line search and predictions; beyond 100 classes predictions come from the blocks, too. A `check` of the gpu family
# takes half a minute to one and a half here, for a group is 256 work-items: so it has fewer.
uninitialized=
later check-cpu-3 check synthetic:rows=21,features=5,classes=3,seed=1 --family cpu
later check-cpu-17 check synthetic:rows=33,features=17,classes=17,seed=2 --family cpu
later check-cpu-70 check synthetic:rows=9,features=9,classes=70,seed=3 --family cpu
later check-cpu-103 check synthetic:rows=18,features=5,classes=103,seed=6 --family cpu
later f16-cpu-3 check synthetic:rows=19,features=17,classes=3,seed=7 --family cpu --storage f16
later f16-cpu-40 check synthetic:rows=17,features=18,classes=40,seed=8 --family cpu --storage f16
later u8-cpu-40 check "$work/many-images-idx3-ubyte" --family cpu --storage u8
later check-gpu-3 check synthetic:rows=21,features=5,classes=3,seed=1 --family gpu
later f16-gpu-70 check synthetic:rows=9,features=9,classes=70,seed=3 --family gpu --storage f16
for family in cpu gpu; do
  uninitialized=
  later "u8-$family-3" check "$work/few-images-idx3-ubyte" --family "$family" --storage u8
  later "newton-$family" train synthetic:rows=40,features=8,classes=2,seed=4 --family "$family" --max-iterations 3
  for preconditioner in diagonal kron blocks; do
    later "$preconditioner-$family" train synthetic:rows=40,features=18,classes=3,seed=4 --family "$family" --solver lbfgs --preconditioner "$preconditioner" --max-iterations 2
  done
  uninitialized=--uninitialized
  later "train-$family" train synthetic:rows=40,features=8,classes=2,seed=4 --family "$family" --solver lbfgs --preconditioner none --max-iterations 3
  later "many-$family" train synthetic:rows=18,features=9,classes=40,seed=9 --family "$family" --solver lbfgs --preconditioner none --max-iterations 2
  later "batches-$family" train synthetic:rows=37,features=8,classes=3,seed=5 --family "$family" --solver adam --batch-size 10 --epochs 1
done
# Sparse rows: two classes, a tile that is no multiple of 8, several tiles, halves; a column that a group shares.
uninitialized=--uninitialized
for family in cpu gpu; do
  later "sparse-$family-2" train synthetic:rows=40,features=9,classes=2,seed=4 --sparse always --family "$family" --solver lbfgs --preconditioner none --max-iterations 2
  later "sparse-$family-12" train synthetic:rows=21,features=9,classes=12,seed=4 --sparse always --family "$family" --solver lbfgs --preconditioner none --max-iterations 1 --storage f16
done
later sparse-cpu-70 train synthetic:rows=18,features=9,classes=70,seed=9 --sparse always --family cpu --solver lbfgs --preconditioner none --max-iterations 1
later sparse-gpu-long train synthetic:rows=600,features=2,classes=2,seed=4 --sparse always --family gpu --solver lbfgs --preconditioner none --max-iterations 1
uninitialized=
later sparse-diagonal-cpu train synthetic:rows=40,features=18,classes=3,seed=4 --sparse always --family cpu --solver lbfgs --preconditioner diagonal --max-iterations 2
while [ "$running" -gt 0 ]; do
  wait -n || exit 1
  running=$((running - 1))
done
echo "oclgrind: $passed passed, 0 failed; every log is empty"
