#!/bin/bash
# soak.sh HOURS [SETOSA [CYCLES]]: random commands on random data with random kills, full disks, damaged caches, short memory and a second
# user, until HOURS (a fraction is fine: 0.33) have passed. What must hold after every one of them:
#   - the exit code is one that Setosa promises, and one that is not 0 comes with a line of its own on standard error;
#   - nothing hangs (120 s), crashes, or leaves through a sanitizer;
#   - an output is absent, or the file that the undisturbed command writes, byte for byte; so is a model whose training was killed and begun
#     again with the same command;
#   - the next run of the same output leaves no temporary file of a killed one;
#   - nothing that was read has changed.
# Every few minutes the program CYCLES (tests/soak_cycles), which trains, predicts and closes again and again in one process, must end with
# the memory and the descriptors that it had after its first rounds.
# A broken promise is printed with the command, kept with its files in the folder that is named, and ends the run with 1. SEED in the
# environment repeats the same choices (not the same moments of kills). The nightly form runs 20 minutes.
set -u
hours=${1:?soak.sh HOURS [SETOSA [CYCLES]]}
here=$(realpath "$(dirname "$0")")
source=$(realpath "$here/..")
program=$(realpath "${2:-$source/build/release/setosa}")
cycles=${3:-$(dirname "$program")/tests/soak_cycles}
seed=${SEED:-$RANDOM}
RANDOM=$seed
work=$(mktemp -d "${TMPDIR:-/tmp}/setosa-soak.XXXXXX")
chmod 755 "$work" # the second user reads the data
small_disk=$work/disk
mounted=no
other=no # whether a second user can be played
export NO_COLOR=1 XDG_CACHE_HOME=$work/cache
unset POCL_CACHE_DIR
began=$SECONDS
limit=$(awk -v hours="$hours" 'BEGIN { print int(hours * 3600) }')
declare -A expected outcomes
commands=0

leave() {
  [ "$mounted" = no ] || umount "$small_disk"
  [ "${keep:-no}" = yes ] || rm -rf "$work"
}
trap leave EXIT

# broken WHAT: a promise did not hold.
broken() {
  keep=yes
  printf 'soak: BROKEN after %s commands (SEED=%s): %s\n  in %s\n  the command: %s\n' "$commands" "$seed" "$1" "$work" "${last:-none}" >&2
  head -c 2000 "$work/err" >&2
  exit 1
}

pick() { # pick WORD...: one of them in $word
  shift $((RANDOM % $#))
  word=$1
}
chance() { [ $((RANDOM % $1)) = 0 ]; } # one in $1
pause() { sleep "$(awk -v most="$1" -v part="$RANDOM" 'BEGIN { printf "%.3f", most * part * part / 32768 / 32768 }')"; }

# ---- data --------------------------------------------------------------------------------------------------------

mkdir -p "$work/data" "$work/out" "$small_disk" "$XDG_CACHE_HOME"
cd "$work/out" || exit 1
cp "$source/data/iris.csv" "$work/data/"
make() { "$program" generate "$1" -o "$work/data/$2" -q >"$work/stdout" 2>"$work/err" || broken "generate $1 failed"; }
make "rows=3000,features=9,classes=4,seed=$seed" a.npy
make "rows=2000,features=70,classes=40,seed=$((seed + 1))" b.npy
make "rows=5000,features=6,classes=2,noise=0.2,seed=$((seed + 2))" c.csv
make "rows=20000,features=12,classes=5,seed=$((seed + 3))" d.csv.gz
(cd "$work/data" && sha256sum -- * >"$work/sums")
if [ "$(id -u)" = 0 ]; then
  mount -t tmpfs -o size=1200k,mode=1777 tmpfs "$small_disk" 2>/dev/null && mounted=yes
  setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null && other=yes
fi

# ---- one command -------------------------------------------------------------------------------------------------

launcher=() # what a command is started with
# run COMMAND...: its code in $code. Never longer than 120 s.
run() {
  last="${launcher[*]} setosa $*"
  commands=$((commands + 1))
  timeout -k 5 120 "${launcher[@]}" "$program" "$@" >"$work/stdout" 2>"$work/err" </dev/null
  code=$?
  judge_end
}
judge_end() {
  case $code in
  0) ;;
  1 | 2 | 3 | 4 | 5 | 6) grep -q . "$work/err" || broken "exit $code without a word" ;;
  130) ;;
  124 | 137) [ "${struck:-no}" = yes ] || broken "hangs for 120 s" ;;
  143) [ "${struck:-no}" = yes ] || broken "ended by SIGTERM, sent by nobody" ;;
  *) broken "exit code $code" ;;
  esac
  ! grep -qE 'Sanitizer|runtime error|Segmentation|please report this' "$work/err" || broken "a fault is reported"
  [ "$(grep -cvE '^(hint|warning|note): |^  ' "$work/err")" -le 3 ] || [ "$code" = 0 ] || broken "more than a line"
}
tally() { outcomes[$1]=$((${outcomes[$1]:-0} + 1)); }
expect() { # expect WHAT CODE...: $code must be one of them
  local what=$1 allowed
  shift
  for allowed; do [ "$code" != "$allowed" ] || { tally "$what: exit $code"; return; }; done
  broken "exit code $code, not one of $*"
}

# The same command started in the background and struck by a signal at a random moment.
strike() {
  local signal=$1
  shift
  last="${launcher[*]} setosa $* (then SIG$signal)"
  commands=$((commands + 1))
  "${launcher[@]}" "$program" "$@" >"$work/stdout" 2>"$work/err" </dev/null &
  local child=$!
  pause 1.5
  kill -s "$signal" "$child" 2>/dev/null
  if [ "$signal" = STOP ]; then
    pause 0.5
    kill -s CONT "$child" 2>/dev/null
  fi
  local waited=0
  while kill -0 "$child" 2>/dev/null && [ $waited -lt 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  [ $waited -lt 600 ] || { kill -9 "$child"; broken "does not end within 60 s of SIG$signal"; }
  wait "$child" 2>/dev/null
  code=$?
  struck=yes judge_end
}

# whole FILE KEY: absent, or what the undisturbed command wrote.
whole() {
  [ -e "$1" ] || return 0
  [ "$(sha256sum <"$1")" = "${expected[$2]}" ] || broken "$1 is not what the undisturbed command writes"
}
no_temporaries() { # of the output $1, after a run that went to its end
  local left
  left=$(find "$(dirname "$1")" -maxdepth 1 -name "$(basename "$1").*.tmp" | head -n 1)
  [ -z "$left" ] || broken "$left is left over"
}

# ---- what may happen ----------------------------------------------------------------------------------------------

choose_training() { # its words in training[], its name in $key
  local data
  pick iris.csv a.npy b.npy c.csv d.csv.gz
  data=$word
  pick '--max-iterations 12' '--solver gd --max-iterations 8' '--solver sgd --epochs 2 --batch-size 64' '--solver adam --epochs 2' \
    '--standardize --max-iterations 6' '--l2 0.01 --label-smoothing 0.1 --max-iterations 9' '--validation 0.2 --max-iterations 5'
  # shellcheck disable=SC2206 # words
  training=(train "$work/data/$data" $word)
  pick '' '' '' '--device-memory 6M' '--family gpu' '--backend reference' '--storage f16'
  # shellcheck disable=SC2206
  training+=($word)
  [ "$word" = '--backend reference' ] || training+=(--tune off)
  key="${training[*]}"
  [ -n "${expected[$key]:-}" ] && return
  rm -f model*
  run "${training[@]}" --model model.safetensors -q
  expect 'undisturbed training' 0
  expected[$key]=$(sha256sum <model.safetensors)
}

train_again() {
  rm -f model*
  run "${training[@]}" --model model.safetensors -q
  expect 'training' 0
  whole model.safetensors "$key"
}

train_and_kill() {
  local again=0
  rm -f model* run.checkpoint*
  while [ $again -lt 4 ]; do
    pick KILL KILL TERM INT STOP
    strike "$word" "${training[@]}" --model model.safetensors --checkpoint run.checkpoint --every 1it
    tally "training struck by SIG$word: exit $code"
    if [ "$code" = 130 ]; then
      rm -f model.safetensors # of where it was interrupted
    else
      whole model.safetensors "$key"
    fi
    again=$((again + 1))
    [ "$code" != 0 ] || break
  done
  rm -f model.safetensors
  run "${training[@]}" --model model.safetensors --checkpoint run.checkpoint --every 1it
  expect 'training begun again' 0
  whole model.safetensors "$key"
  no_temporaries model.safetensors
  no_temporaries run.checkpoint
}

predict_and_kill() {
  run "${training[@]}" --model model.safetensors -q
  run predict model.safetensors "${training[1]}" -o predicted.csv
  expect 'predict' 0
  expected[predicted]=$(sha256sum <predicted.csv)
  rm -f predicted.csv
  pick KILL TERM INT
  strike "$word" predict model.safetensors "${training[1]}" -o predicted.csv
  tally "predict struck by SIG$word: exit $code"
  whole predicted.csv predicted
  run predict model.safetensors "${training[1]}" -o predicted.csv
  expect 'predict' 0
  whole predicted.csv predicted
  no_temporaries predicted.csv
  rm -f predicted.csv
}

generate_and_kill() {
  pick made.npy made.csv made.csv.gz
  local file=$word spec=rows=60000,features=10,classes=3
  rm -f made*
  if [ -z "${expected[$file]:-}" ]; then
    run generate $spec -o "$file" -q
    expected[$file]=$(sha256sum <"$file")
    rm -f made*
  fi
  pick KILL TERM INT
  strike "$word" generate $spec -o "$file"
  tally "generate struck by SIG$word: exit $code"
  whole "$file" "$file"
  run generate $spec -o "$file"
  expect 'generate' 0
  whole "$file" "$file"
  no_temporaries "$file"
  rm -f made*
}

full_disk() {
  if [ "$mounted" = yes ] && chance 2; then
    rm -rf "${small_disk:?}"/*
    head -c $((RANDOM * 38)) /dev/zero >"$small_disk/ballast" 2>/dev/null
    if chance 2; then
      XDG_CACHE_HOME=$small_disk/cache run "${training[@]}" --model model.safetensors -q
      expect 'cache on a full disk' 0 1 4
    else
      run "${training[@]}" --model "$small_disk/model.safetensors" --checkpoint "$small_disk/run.checkpoint" --every 1it
      expect 'outputs on a full disk' 0 6
      whole "$small_disk/model.safetensors" "$key"
      [ -z "$(find "$small_disk" -name '*.tmp')" ] || broken "a temporary file stays on the full disk"
    fi
    rm -rf "${small_disk:?}"/*
  else
    pick '--log' '--checkpoint'
    run "${training[@]}" "$word" /dev/full
    expect "$word /dev/full" 0 2 6
  fi
}

damaged_cache() {
  local file
  file=$(find "$XDG_CACHE_HOME" -type f 2>/dev/null | shuf -n 1 --random-source=<(yes "$RANDOM"))
  [ -n "$file" ] || return
  pick cut empty flip grow folder link
  case $word in
  cut) truncate -s $((RANDOM % 400)) "$file" ;;
  empty) : >"$file" ;;
  flip) printf '\377\000' | dd of="$file" bs=1 seek=$((RANDOM % ($(stat -c %s "$file") + 1))) conv=notrunc status=none ;;
  grow) head -c 300 /dev/urandom >>"$file" ;;
  folder) rm -f "$file" && mkdir "$file" ;;
  link) ln -sfn "$work/data/iris.csv" "$file" ;;
  esac
  local how=$word
  rm -f model*
  run "${training[@]}" --model model.safetensors
  last="$last (after $how of $file)"
  expect "cache damaged ($how)" 0
  whole model.safetensors "$key"
}

second_user() {
  [ "$other" = yes ] || return
  mkdir -p "$work/shared"
  chmod 1777 "$work/shared"
  rm -f model*
  if chance 2; then
    launcher=(setpriv --reuid=65534 --regid=65534 --clear-groups env -C "$work/shared" "XDG_CACHE_HOME=$work/shared" "HOME=$work/shared")
    run "${training[@]}" -q
    launcher=()
    expect 'the second user' 0
  fi
  XDG_CACHE_HOME=$work/shared run "${training[@]}" --model model.safetensors -q
  expect 'a cache that may be another user'\''s' 0
  whole model.safetensors "$key"
  chance 5 && rm -rf "$work/shared"
}

two_at_once() {
  rm -f model*
  "$program" "${training[@]}" --model model.safetensors -q >/dev/null 2>&1 &
  local child=$!
  run "${training[@]}" --model model.safetensors -q
  expect 'two with one output' 0
  wait $child || broken "the other of two with one output fails"
  whole model.safetensors "$key"
  no_temporaries model.safetensors
}

bad_data() {
  local from=$work/data/a.npy
  pick iris.csv a.npy c.csv d.csv.gz
  from=$work/data/$word
  local bad=bad-$word
  rm -f bad-* model*
  pick cut noise header
  case $word in
  cut) head -c $((RANDOM % $(stat -c %s "$from"))) "$from" >"$bad" ;;
  noise) cp "$from" "$bad" && head -c 3 /dev/urandom | dd of="$bad" bs=1 seek=$((RANDOM % $(stat -c %s "$from"))) conv=notrunc status=none ;;
  header) { head -c 20 /dev/urandom; cat "$from"; } >"$bad" ;;
  esac
  run train "$bad" --labels "$work/data/a-labels.npy" --max-iterations 2 --model model.safetensors -q
  [ "$code" != 2 ] || run train "$bad" --max-iterations 2 --model model.safetensors -q
  expect "bad data ($word)" 0 1 2 3
  [ "$code" = 0 ] || [ ! -e model.safetensors ] || broken "a model of bad data"
  rm -f bad-*
}

short_of_memory() {
  local kilobytes=$((40000 + RANDOM * 25))
  launcher=(bash -c "ulimit -v $kilobytes; exec \"\$@\"" bash)
  rm -f model*
  run "${training[@]}" --model model.safetensors -q
  launcher=()
  case $code in
  127 | 126) tally 'short of memory: not even started' ;;
  *) tally "short of memory: exit $code" ;;
  esac
  whole model.safetensors "$key"
}

few_descriptors() {
  launcher=(bash -c "ulimit -n $((4 + RANDOM % 30)); exec \"\$@\"" bash)
  rm -f model*
  run "${training[@]}" --model model.safetensors -q
  launcher=()
  tally "few descriptors: exit $code"
  whole model.safetensors "$key"
}

wrong_words() {
  pick --bogus '--l2 x' '--device 99' '--epochs -1' '--solver none' '--model' "--model ${training[1]}" '--labels nowhere' '--resume iris'
  # shellcheck disable=SC2086 # words
  run "${training[@]}" $word
  expect 'wrong words' 2 3 4
}

look_at_things() {
  pick 'eval' 'explain' 'inspect' 'check' 'devices' 'bench' 'dry'
  local what=$word
  rm -f model*
  run "${training[@]}" --model model.safetensors -q
  word=$what
  case $word in
  eval) run eval model.safetensors "${training[1]}" --json ;;
  explain) run explain model.safetensors "${training[1]}" --row $((1 + RANDOM % 100)) ;;
  inspect) run inspect model.safetensors ;;
  check) run check "$work/data/iris.csv" ;;
  devices) run devices --json ;;
  bench) run bench synthetic:rows=2000,features=8,classes=3 --repeat 2 --backends native,reference --json -q ;;
  dry) run "${training[@]}" --dry-run --json ;;
  esac
  expect "$word" 0
}

growth() {
  [ -x "$cycles" ] || return
  last="$cycles"
  timeout 300 "$cycles" "$work/data/a.npy" >"$work/stdout" 2>"$work/err" || broken "$(tail -n 1 "$work/stdout")"
  tally 'cycles in one process without growth'
}

# ---- the hours ----------------------------------------------------------------------------------------------------

echo "soak: seed $seed, $limit s; $([ $mounted = yes ] && echo 'a small disk' || echo 'no small disk'), $([ $other = yes ] && echo 'a second user' || echo 'no second user')"
next_growth=0
while [ $((SECONDS - began)) -lt "$limit" ]; do
  choose_training
  pick train_again train_and_kill train_and_kill predict_and_kill generate_and_kill full_disk damaged_cache damaged_cache second_user \
    two_at_once bad_data bad_data short_of_memory few_descriptors wrong_words look_at_things look_at_things
  "$word"
  if [ $((SECONDS - began)) -ge $next_growth ]; then
    growth
    next_growth=$((SECONDS - began + 300))
    (cd "$work/data" && sha256sum --quiet -c "$work/sums") || broken "what was read has changed"
  fi
done
(cd "$work/data" && sha256sum --quiet -c "$work/sums") || broken "what was read has changed"
for what in "${!outcomes[@]}"; do printf '%7d  %s\n' "${outcomes[$what]}" "$what"; done | sort -k2
echo "soak: $commands commands in $(((SECONDS - began) / 60)) min, 0 broken promises"
