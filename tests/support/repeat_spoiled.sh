#!/bin/sh
# repeat_spoiled.sh TEST [ARGUMENT...]: runs a cmocka program that is built with AddressSanitizer. Once in about a thousand runs, when all
# tests have passed, LeakSanitizer stops PoCL's threads to look for leaks and itself dies of it, with exit code 1. Such a run says nothing
# about leaks, so it is repeated, three times at most. A run in which a test failed or a sanitizer found anything is never repeated.
set -u
died='LeakSanitizer has encountered a fatal error'
found='^\[  FAILED  \]|ERROR: [A-Za-z]*Sanitizer|runtime error:'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM

for repeat in 3 2 1 0; do
  { "$@" 2>&1; echo $? >"$work/code"; } | tee "$work/out" # shown as it comes: a test that is killed for its time has said where it was
  code=$(cat "$work/code")
  test "$code" -ne 0 && test "$repeat" -gt 0 && grep -q "$died" "$work/out" && ! grep -qE "$found" "$work/out" || exit "$code"
  echo "$0: LeakSanitizer died; once more" >&2
done
