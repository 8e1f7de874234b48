#!/bin/sh
# test_run_cases.sh PROGRAM CTEST: what planted_cases.c exits with, that CTest calls a skip a skip, and that the list of cases is whole.
set -eu
program=$1
ctest=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
wrong() {
  echo "$*"
  cat "$work/out"
  failures=$((failures + 1))
}

# expect CODE TEXT PATTERN: the program, asked for these cases.
expect() {
  code=0
  SETOSA_TEST_CASE=$3 "$program" >"$work/out" 2>&1 || code=$?
  [ "$code" = "$1" ] || wrong "$3: exit code $code, not $1"
  grep -q "$2" "$work/out" || wrong "$3: no \"$2\" in:"
}
expect 0 'PASSED.*1 test' passes
expect 77 'SKIP: there is no moon' skips
expect 77 'SKIP: there is no moon' '[ps]*'
expect 1 'planted' 'fails'
expect 0 'PASSED.*1 test' '![sf]*'
expect 1 'SKIP: there is no moon' '*'
expect 1 'has no case absent' absent

SETOSA_TEST_LIST=1 "$program" >"$work/out"
[ "$(cat "$work/out")" = "$(printf 'passes\nskips\nfails')" ] || wrong 'the list of cases is another:'

printf 'add_test(planted.skips "%s")\nset_tests_properties(planted.skips PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT SETOSA_TEST_CASE=skips)\n' \
  "$program" >"$work/CTestTestfile.cmake"
(cd "$work" && "$ctest") >"$work/out" 2>&1 || wrong 'ctest fails:'
grep -q 'planted.skips .*\*\*\*Skipped' "$work/out" || wrong 'ctest does not show the skip:'
exit "$((failures > 0))"
