#!/bin/sh
# repeat_spoiled.sh repeats what LeakSanitizer's own death spoiled, and nothing else.
# shellcheck disable=SC2016 # the programs expand what is quoted
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
died='echo "==7==LeakSanitizer has encountered a fatal error." >&2; exit 1'

# expect CODE RUNS BODY: a program of that body, where $run is the number of the run, ends with CODE after RUNS runs.
expect() {
  printf '#!/bin/sh\necho run >>"%s/runs"\nrun=$(wc -l <"%s/runs")\n%s\n' "$work" "$work" "$3" >"$work/program"
  rm -f "$work/runs"
  code=0
  sh "$here/repeat_spoiled.sh" sh "$work/program" >"$work/out" 2>&1 || code=$?
  runs=$(wc -l <"$work/runs")
  if [ "$code" -ne "$1" ] || [ "$runs" -ne "$2" ]; then
    echo "code $code after $runs runs, not $1 after $2: $3"
    cat "$work/out"
    failures=$((failures + 1))
  fi
}

expect 0 1 'exit 0'
expect 3 1 'echo "[  FAILED  ] a_test" >&2; exit 3'
expect 0 2 'echo "[  PASSED  ] 9 test(s)."; test $run -gt 1 || { '"$died"'; }'
expect 0 4 'test $run -gt 3 || { '"$died"'; }'
expect 1 4 "$died"
expect 0 1 'echo "LeakSanitizer has encountered a fatal error" >&2' # a test that speaks of it
expect 1 1 'echo "[  FAILED  ] a_test" >&2; '"$died"
expect 1 1 'echo "==7==ERROR: AddressSanitizer: heap-use-after-free" >&2; '"$died"
expect 1 1 'echo "==7==ERROR: LeakSanitizer: detected memory leaks" >&2; exit 1'
expect 1 1 'echo "host/x.c:1:2: runtime error: signed integer overflow" >&2; '"$died"
expect 139 1 'kill -SEGV $$'
exit "$((failures > 0))"
