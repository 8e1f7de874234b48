#!/bin/bash
# Kills trainings with SIGKILL at random moments: what is on the disk then must be whole, and going on from it must end at the weights of a
# training that nobody killed.
#   bash tests/train/kill.sh SETOSA [COUNT]      COUNT kills, 200 unless told; a dozen of them run with the tests
# SEED, BACKEND and DATA may be in the environment. Trainings of the four solvers take turns; each is killed up to seven times, resumed every
# time, and then left alone until it is through.
# A third of the kills may strike at any time (while the program starts, reads, opens the device), the others while checkpoints are written,
# which happens after every single iteration or mini-batch. The files lie in memory where they can: a disk that takes 15 ms to sync would
# see fewer of the moments that matter, and what SIGKILL can do does not depend on it.
set -u
program=$1
count=${2:-200}
seed=${SEED:-$(date +%s)}
backend=${BACKEND:-native}
data=${DATA:-synthetic:rows=20000,features=32,classes=8}
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
file=$work/run.checkpoint
kills=0 early=0 previous=0 trainings=0 until=0 state=$((seed % 2147483648)) solver=none

fail() {
  echo "kill.sh: $* (SEED=$seed, kill $kills, solver $solver)" >&2
  exit 1
}

# $number below $1: sh has no random numbers.
random() {
  state=$(((state * 1103515245 + 12345) % 2147483648))
  number=$((state / 256 % $1))
}

pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }

options_of() {
  case $1 in
  lbfgs) echo "--solver lbfgs --max-iterations 150 --tolerance 1e-30 --l2 1e-6" ;;
  gd) echo "--solver gd --max-iterations 300 --tolerance 1e-30" ;;
  sgd) echo "--solver sgd --momentum 0.9 --batch-size 64 --epochs 6" ;;
  adam) echo "--solver adam --batch-size 64 --epochs 6" ;;
  esac
}

hash_of() { sed -n 's/.*"weights_hash": *"\([0-9a-f]*\)".*/\1/p' "$1"; }

milliseconds_of() { sed -n 's/^ *"'"$2"'": \([0-9][0-9.e+-]*\).*/\1/p' "$1" | awk '{ ms = int(1000 * $1) } END { print ms < 20 ? 20 : ms }'; }

# Starts the training, or goes on with it where something was kept.
start() {
  touch "$work/mark"
  if [ -e "$file" ] || [ -e "$file.previous" ]; then
    "$program" train --resume "$file" --json >"$work/out.json" 2>"$work/err" &
  else
    # shellcheck disable=SC2046 # options are words
    "$program" train "$data" --backend "$backend" $(options_of $solver) --checkpoint "$file" --every 1it --json >"$work/out.json" \
      2>"$work/err" &
  fi
  child=$!
}

# Waits for the moment and kills; the training may be through before.
strike() {
  random 3
  if [ "$number" -eq 0 ]; then
    random "$total"
  else
    polls=0 # not for ever: a training at its very end writes nothing more, and a child that has ended is still there to be waited for
    while [ $polls -lt 1000 ] && ! [ "$file" -nt "$work/mark" ]; do
      sleep 0.005
      polls=$((polls + 1))
      kill -0 $child 2>/dev/null || break
    done
    random "$train"
  fi
  pause "$number"
  kill -9 $child 2>/dev/null
}

run_training() {
  rm -f "$file" "$file".*
  trainings=$((trainings + 1))
  random 7
  until=$((kills + 1 + number))
  while :; do
    start
    [ "$kills" -lt "$count" ] && [ "$kills" -lt $until ] && strike
    wait $child 2>/dev/null
    code=$?
    grep -q "is damaged" "$work/err" && fail "$(cat "$work/err")"
    if [ $code -eq 137 ]; then
      kills=$((kills + 1))
      if [ ! -e "$file" ] && [ ! -e "$file.previous" ]; then
        early=$((early + 1))
      elif [ ! -e "$file" ]; then
        previous=$((previous + 1))
      fi
    elif [ $code -eq 0 ]; then
      [ "$(hash_of "$work/out.json")" = "$hash" ] || fail "ends at $(hash_of "$work/out.json"), the unbroken run at $hash"
      return
    else
      fail "exit code $code: $(cat "$work/err")"
    fi
  done
}

for solver in lbfgs gd sgd adam; do
  # shellcheck disable=SC2046
  "$program" train "$data" --backend "$backend" $(options_of $solver) --json -q >"$work/$solver.json" || fail "the unbroken run failed"
  # shellcheck disable=SC2046
  "$program" train "$data" --backend "$backend" $(options_of $solver) --checkpoint "$work/timing" --every 1it --json -q \
    >"$work/$solver.timing.json" || fail "the run with checkpoints failed"
  [ "$(hash_of "$work/$solver.json")" = "$(hash_of "$work/$solver.timing.json")" ] || fail "writing checkpoints changes the result"
  rm -f "$work"/timing*
done
while [ "$kills" -lt "$count" ]; do
  for solver in lbfgs gd sgd adam; do
    hash=$(hash_of "$work/$solver.json")
    train=$(milliseconds_of "$work/$solver.timing.json" train)
    total=$(milliseconds_of "$work/$solver.timing.json" total)
    run_training
  done
done
echo "$kills kills in $trainings trainings ($backend; lbfgs, gd, sgd, adam): every one ended at the hash of its unbroken run." \
  "Kills before anything was kept: $early; with only FILE.previous there: $previous; damaged checkpoints: 0."
