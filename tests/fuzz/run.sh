#!/bin/bash
# run.sh [SECONDS [HARNESS...]]: builds the harnesses with clang in build/fuzz and runs each for SECONDS (20), as many at a time as there are
# processors, from corpus/, the malformed files and what the program itself writes. Anything that crashes, leaks, hangs for 10 s
# or is answered otherwise than the harness claims fails the run, and the input stays in build/fuzz/found:
#   build/fuzz/fuzz/fuzz_csv build/fuzz/found/csv-crash-...
# 20 s find what a change broke. For what nobody has found yet let it run for an hour or more: run.sh 3600
set -euo pipefail

here=$(realpath "$(dirname "$0")")
source=$(realpath "$here/../..")
build=$source/build/fuzz
found=$build/found
seconds=${1:-20}
names=("${@:2}")
[ "${#names[@]}" -gt 0 ] || names=(csv table libsvm libsvm_lines records expected npy npz idx gz column class_weights synthetic visible model import checkpoint options)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$found"

# quiet COMMAND...: shows the output only when the command fails.
quiet() { "$@" >"$work/log" 2>&1 || { tail -n 60 "$work/log"; return 1; }; }
quiet cmake -G Ninja -S "$source" -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSETOSA_FUZZ=ON -DBUILD_TESTING=OFF
quiet cmake --build "$build" --target fuzzers setosa_program

# ---- corpora: small files alone, for the fuzzer makes them longer by itself
export XDG_CACHE_HOME=$work/cache NO_COLOR=1
malformed=$source/tests/data/malformed
iris=$source/data/iris.csv
for name in "${names[@]}"; do
  mkdir "$work/$name"
  # What earlier runs of hours have found to reach: inputs that none of the others replaces (-merge=1).
  [ ! -e "$here/corpus/$name.tar.gz" ] || tar -xzf "$here/corpus/$name.tar.gz" -C "$work"
done
seed() { # seed NAME FILE...
  local name=$1 file
  shift
  [ -d "$work/$name" ] || return 0
  for file; do
    case $file in *without-end* | *columns* | *-huge*) continue ;; esac # little that becomes much: slow, and known
    [ "$(stat -c %s "$file")" -gt 20000 ] || cp "$file" "$work/$name/"
  done
}
seed csv "$malformed"/*.csv "$malformed"/*.tsv "$malformed"/*.txt "$iris"
seed table "$malformed"/*.csv "$malformed"/*.tsv "$source"/tests/tables/own/*.csv "$source"/tests/tables/own/*.txt "$iris"
if [ -d "$work/table" ]; then # the last two bytes pick the options (table.c): as none are given
  for file in "$work"/table/*; do printf '\n\n' >>"$file"; done
fi
seed libsvm "$malformed"/*.svm "$malformed"/svm-text.txt
if [ -d "$work/libsvm" ]; then # as names that are hashed, for a model, and told by their lines (libsvm.c)
  for file in "$work"/libsvm/*.svm; do
    # shellcheck disable=SC2059 # the format is the byte
    for last in 013 002 212; do { cat "$file"; printf "\\$last"; } >"$file-$last"; done
  done
  head -n 5 "$source/data/heart_scale.svm" >"$work/libsvm/heart"
fi
if [ -d "$work/libsvm_lines" ]; then # the first byte says what is known before (libsvm_lines.c): nothing, or names that are hashed
  for file in "$malformed"/*.svm; do
    { printf '\0'; cat "$file"; } >"$work/libsvm_lines/$(basename "$file")"
    { printf '\010'; cat "$file"; } >"$work/libsvm_lines/$(basename "$file")-hashed"
  done
fi
if [ -d "$work/records" ]; then # the first byte says how the text is written (records.c)
  for file in "$malformed"/*.csv "$source"/tests/tables/own/*.csv "$source"/tests/tables/own/*.txt; do
    case $file in *without-end* | *columns* | *-huge*) continue ;; esac
    [ "$(stat -c %s "$file")" -gt 20000 ] || { printf '\0'; cat "$file"; } >"$work/records/$(basename "$file")"
  done
fi
seed npy "$malformed"/*.npy
seed npz "$malformed"/*.npz
seed idx "$malformed"/*-ubyte "$malformed"/*-idx3
seed gz "$malformed"/*.gz
gzip -c "$iris" >"$work/iris.csv.gz"
gzip -c "$malformed/good.npy" >"$work/good.npy.gz"
seed gz "$work"/*.gz
column=0
if [ -d "$work/column" ]; then # the first byte says how the file is used (column.c)
  for file in "$malformed"/labels-* "$malformed"/weights-*; do
    case $file in *without-end* | *-huge*) continue ;; esac
    for flags in 0 1 2 3 @; do
      column=$((column + 1))
      { printf '%s' "$flags"; cat "$file"; } >"$work/column/$column"
    done
  done
fi
model=0
for options in '' --standardize '--drop petal_width' --no-intercept; do
  model=$((model + 1))
  # shellcheck disable=SC2086 # words
  quiet "$build/setosa" train "$iris" --backend reference --max-iterations 3 -q --model "$work/$model.safetensors" $options
done
seed model "$malformed"/*.safetensors "$work"/*.safetensors
quiet "$build/setosa" export "$work/1.safetensors" -o "$work/exported.json"
seed import "$source"/tests/exchange/sklearn/*.npz "$source"/tests/exchange/sklearn/*.json "$work/exported.json"
for options in 'lbfgs --max-iterations 3' 'gd --max-iterations 2' 'sgd --epochs 1 --momentum 0.9' 'adam --epochs 2'; do
  # shellcheck disable=SC2086
  quiet "$build/setosa" train "$iris" --backend reference -q --checkpoint "$work/${options%% *}.checkpoint" --every 1it --solver $options
done
seed checkpoint "$work"/*.checkpoint "$work"/*.previous "$work"/*.safetensors
line=0
while IFS= read -r text; do
  line=$((line + 1))
  [ ! -d "$work/synthetic" ] || printf '%s' "$text" >"$work/synthetic/$line"
done <<'TEXTS'

rows=1000,features=20,classes=3
rows=1e6,features=64,classes=10,seed=7,noise=0.1,separation=5,sparsity=0.5
rows=0,features=1
features=0x10,classes=-1
noise=nan,sparsity=1,rows=1e400
rows=10,rows=20,,
TEXTS
while IFS= read -r text; do
  line=$((line + 1))
  [ ! -d "$work/class_weights" ] || printf '%s' "$text" >"$work/class_weights/$line"
done <<'TEXTS'

balanced
a=2
a=2,b=1=0.5,ü=1e30
b=1=3,b=1=4
a=nan,ü=-1
a=1e400,=2,
TEXTS
# Columns in a line, and a table: by names, by places, with gaps and new values.
while IFS= read -r text; do
  line=$((line + 1))
  [ ! -d "$work/expected" ] || printf '%b' "$text" >"$work/expected/$line"
done <<'TEXTS'
{"columns":[{"name":"x","number":2,"mean":1.5,"shift":1000},{"name":"k","number":0,"levels":["m","n"]}],"label":2,"ids":["i"],"na":"-9"}\nk,y,x,i\nm,a,1001,u\nz,b,-9,v\n,a,1002,w\n
{"columns":[{"number":2},{"number":1}],"label":1,"missing":"mean","unseen":"error"}\na,1,2\nb,3,4\n
{"columns":[{"number":0,"levels":["1","2"]}],"ids":["2"],"separator":";","decimal":","}\n1;i;a\n2;j;b\n
{"columns":[{"number":1},{"number":3},{"number":0}],"label":3}\n1 2 a 3\n4 5 b 6\n
TEXTS
[ ! -d "$work/visible" ] || printf 'a\033[31m\302\233\342\200\256\357\273\277\360\237\214\274\233\377\355\240\200' >"$work/visible/1"
while IFS= read -r text; do
  line=$((line + 1))
  [ ! -d "$work/options" ] || printf '%s' "$text" | tr '|' '\n' >"$work/options/$line"
done <<'TEXTS'
train|data.csv|--l2|0.01|--solver=adam|--batch-size|32|--learning-rate|1e-3|--schedule|cosine
train|-m|model.safetensors|--device|0|--device|1/2|--device-memory|512M|--|-x.csv
eval|model|data|--json|--top-k|3
bench|--what|step,hessian|--backends|native,reference|--seconds|0.5
predict|m|d|-o|out.csv|--color|always|--backend|blas
explain|--x|1,2|--classes|a,b|--weights|1,2;3,4|--bias|0,0
generate|rows=5|--output|x.npy
export|m|--output|x.json
export|m|-o|x.h|--quantize|int8|--data|d.csv|--name|n
import|x.npz|-o|m
check|data|--family|gpu|--l1|1
devices|--diagnose|-qv
cache|clear
trian|--help
TEXTS

# ---- the runs
run_one() { # run_one NAME: a line, and code 1 with the end of its log when something was found
  local name=$1 log=$work/$1.log status=0 runs
  "$build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=20000 -print_final_stats=1 \
    -artifact_prefix="$found/$name-" "$work/$name" >"$log" 2>&1 </dev/null || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" != 0 ] || [ "${runs:-0}" = 0 ]; then
    grep -E 'NOT TRUE|ERROR|SUMMARY|runtime error|Test unit written' "$log" || true
    tail -n 30 "$log"
    printf 'FAILED %-12s exit %s\n' "$name" "$status"
    return 1
  fi
  printf '  %-12s %9s runs, %5s edges, %s s\n' "$name" "$runs" "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" "$seconds"
}
export -f run_one
export build found work seconds
status=0
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I NAME bash -c 'run_one NAME' || status=1
[ "$status" = 0 ] || exit 1
echo "fuzz: ${#names[@]} passed, 0 failed"
