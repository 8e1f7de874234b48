#!/bin/sh
# symbols.sh SOURCE_FOLDER LIBRARY [--write]: compares what libsetosa.so exports with host/debian/symbols.in, which names the version that
# brought each function. --write adds what is new with the version of today, and drops what is gone; a function that an earlier version
# had and that is gone or takes other arguments needs another SOVERSION (the first two numbers of the version).
set -eu

list=$1/host/debian/symbols.in
exported=$(mktemp)
named=$(mktemp)
trap 'rm -f "$exported" "$named"' EXIT
nm -D --defined-only "$2" | awk '{ print $3 }' | LC_ALL=C sort -u >"$exported"
sed -n 's/^ \([a-z_0-9]*\)@.*/\1/p' "$list" | LC_ALL=C sort -u >"$named"
if [ "${3-}" = --write ]; then
  version=$(sed -n 's/^#define SETOSA_VERSION "\(.*\)"/\1/p' "$1/host/include/setosa.h")
  {
    head -n 1 "$list"
    while read -r symbol; do grep "^ $symbol@" "$list" || printf ' %s@Base %s\n' "$symbol" "$version"; done <"$exported"
  } >"$list.new"
  mv "$list.new" "$list"
  exit
fi
status=0
new=$(LC_ALL=C comm -23 "$exported" "$named")
gone=$(LC_ALL=C comm -13 "$exported" "$named")
# shellcheck disable=SC2086 # one line for each
if [ -n "$new" ]; then printf 'exported, and not in host/debian/symbols.in: %s\n' $new && status=1; fi
# shellcheck disable=SC2086
if [ -n "$gone" ]; then printf 'in host/debian/symbols.in, and not exported: %s\n' $gone && status=1; fi
[ "$status" = 0 ] || echo "if that is meant: sh tests/install/symbols.sh . $2 --write"
exit "$status"
