#!/bin/bash
# bash other_user.sh SETOSA SOURCE: another user prepares a cache, and root and a third user run with it. Nothing of it is run or believed,
# nothing is written through its links, a warning says so, and the result is right. Needs root, to be three users; exit 77 without.
set -u
[ "$(id -u)" = 0 ] || { echo "only root can be several users"; exit 77; }
command -v setpriv > /dev/null || { echo "no setpriv"; exit 77; }
[ $# = 2 ] || { echo "usage: other_user.sh SETOSA SOURCE" >&2; exit 2; }
attacker=65534 third=65533

top=$(mktemp -d /tmp/setosa-trust-XXXXXX) || exit 1
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
cp "$1" "$top/setosa" && cp "$2/data/iris.csv" "$top/iris.csv" || exit 1 # where every user can read them
failed=0
unset POCL_CACHE_DIR SETOSA_POCL_OWNER HOME XDG_CACHE_HOME
export NO_COLOR=1
pocl=/etc/OpenCL/vendors/pocl.icd # without a cache every driver is tried in every run: one is enough here
[ ! -e $pocl ] || export OCL_ICD_VENDORS=$pocl

as() { # USER COMMAND...
  local user=$1
  shift
  setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}
complain() { echo "FAILED: $*"; failed=1; }
state() { find "$1" -printf '%p %y %s %T@ %C@ %U %m %l\n' | sort; }
hash_of() { sed -n 's/.*"weights_hash": *"\([0-9a-f]*\)".*/\1/p' "$1"; }

# ---- what is right, and what the attacker prepares ----
mkdir -m 700 "$top/clean" && export TMPDIR="$top/tmp" && mkdir -m 1777 "$TMPDIR"
XDG_CACHE_HOME=$top/clean "$top/setosa" train "$top/iris.csv" --json > "$top/right" 2> "$top/err" || { cat "$top/err"; echo "no device to train on"; exit 77; }
right=$(hash_of "$top/right")
[ -n "$right" ] || { complain "no weights_hash in --json"; exit 1; }
grep -q warning "$top/err" && complain "a warning about a cache of one's own: $(cat "$top/err")"

mkdir -m 755 "$top/shared" && chown $attacker "$top/shared"
as $attacker env XDG_CACHE_HOME="$top/shared" "$top/setosa" train "$top/iris.csv" -q > /dev/null || complain "the attacker cannot train"
marker=$top/marker precious=$top/precious
install -m 666 /dev/null "$marker"
echo kept > "$precious"
compiler=$(command -v cc || command -v gcc || command -v clang || true)
if [ -n "$compiler" ]; then
  printf '#include <stdio.h>\n__attribute__((constructor)) static void mark(void) { FILE *f = fopen("%s", "a"); if (f) fputs("x", f); }\n' \
    "$marker" > "$top/evil.c"
  "$compiler" -shared -fPIC -o "$top/evil.so" "$top/evil.c" || complain "evil.c does not compile"
  find "$top/shared" -name '*.so' | while read -r kernel; do cp "$top/evil.so" "$kernel"; done # in place: it stays the attacker's
fi
# PoCL's own choice below XDG_CACHE_HOME, with the same content; and links wherever Setosa writes.
as $attacker mkdir -p "$top/shared/pocl" "$top/shared/setosa/tuning" "$top/shared/setosa/data" "$top/shared/setosa/kernels"
as $attacker cp -r "$top/shared/setosa/pocl/slot-0" "$top/shared/pocl/kcache"
as $attacker chmod -R a+rwX "$top/shared"
for verdict in "$top"/shared/setosa/selftest/*; do as $attacker ln -sf "$precious" "$verdict"; done
as $attacker ln -s "$precious" "$top/shared/setosa/pocl/slot-0/setosa-files2"
as $attacker ln -sf "$precious" "$top/shared/setosa/pocl/slot-0/setosa-files"

# check NAME VARIABLE=VALUE...: both users train with this environment.
check() {
  local name=$1 user
  shift
  for user in 0 $third; do
    state "$top/shared" > "$top/before"
    as "$user" env "$@" "$top/setosa" train "$top/iris.csv" --json > "$top/out" 2> "$top/err" ||
      complain "$name: user $user cannot train: $(cat "$top/err")"
    state "$top/shared" > "$top/after"
    cmp -s "$top/before" "$top/after" || complain "$name: user $user wrote: $(diff "$top/before" "$top/after" | head -3)"
    [ "$(hash_of "$top/out")" = "$right" ] || complain "$name: user $user got other weights"
    [ "$(grep -c '^warning: ' "$top/err")" = 1 ] || complain "$name: user $user was told: $(cat "$top/err")"
    [ -s "$marker" ] && complain "$name: code of the attacker ran as user $user"
    [ "$(cat "$precious")" = kept ] || complain "$name: a file elsewhere was written as user $user"
  done
}

check "a cache of another user" XDG_CACHE_HOME="$top/shared"
for user in 0 $third; do
  as "$user" env XDG_CACHE_HOME="$top/shared" "$top/setosa" train "$top/iris.csv" -q --json 2> "$top/err" > /dev/null
  [ -s "$top/err" ] && complain "with -q user $user was told: $(cat "$top/err")"
done
check "a home of another user" HOME="$top/shared"
check "a folder for PoCL of another user" XDG_CACHE_HOME="$top/clean-of-all" POCL_CACHE_DIR="$top/shared/setosa/pocl/slot-0"
# The user's own name below a folder where the attacker has put a link.
mkdir -m 777 "$top/open"
as $attacker ln -s "$top/clean" "$top/open/setosa"
check "a link where all can write" XDG_CACHE_HOME="$top/open"
mkdir -m 1777 "$top/sticky"
as $attacker ln -s "$top/clean" "$top/sticky/setosa"
check "a link in a sticky folder" XDG_CACHE_HOME="$top/sticky"
rm "$top/sticky/setosa" && as $attacker cp -r "$top/shared/setosa" "$top/sticky/setosa"
check "a folder in a sticky folder" XDG_CACHE_HOME="$top/sticky"
# The folders for want of a cache are the attacker's, too.
rm -rf "$top/tmp"/setosa-pocl-*
for user in 0 $third; do as $attacker cp -r "$top/shared/setosa/pocl" "$top/tmp/setosa-pocl-$user"; done
check "a temporary folder of another user" XDG_CACHE_HOME="$top/shared"
[ -z "$(find "$top/tmp" -maxdepth 1 -name 'setosa-pocl-??????' -user 0)" ] || complain "a folder of one run is left in TMPDIR"

# ---- conversions ----
awk 'BEGIN { for (i = 0; i < 500000; i++) printf "%d.5,%d.25,%d.125,%s\n", i % 7, i % 11, i % 13, i % 3 ? "a" : "b" }' > "$top/big.csv"
sleep 0.2
as $attacker mkdir -p -m 755 "$top/shared/conversions"
as $attacker "$top/setosa" train "$top/big.csv" --backend reference --max-iterations 1 --cache "$top/shared/conversions" > /dev/null 2>&1
for user in 0 $third; do
  state "$top/shared" > "$top/before"
  as "$user" env XDG_CACHE_HOME="$top/shared" "$top/setosa" train "$top/big.csv" --backend reference --max-iterations 1 -v --cache "$top/shared/conversions" \
    > "$top/out" 2> "$top/err"
  grep -q 'from the cache of an earlier conversion' "$top/err" && complain "user $user believed a conversion of another user"
  grep -q "^warning: nothing is kept in --cache" "$top/err" || complain "user $user was not told about --cache: $(cat "$top/err")"
  state "$top/shared" > "$top/after"
  cmp -s "$top/before" "$top/after" || complain "user $user wrote into the conversions of another"
done

# ---- setosa cache ----
for action in path clear; do
  XDG_CACHE_HOME="$top/shared" "$top/setosa" cache $action > "$top/out" 2> "$top/err"
  [ $? = 6 ] || complain "setosa cache $action with another user's folder does not exit with 6"
  [ "$(wc -l < "$top/err")" = 1 ] || complain "setosa cache $action says: $(cat "$top/err")"
done
state "$top/shared" > "$top/after"
cmp -s "$top/before" "$top/after" || complain "setosa cache clear removed what is another user's"

[ $failed = 0 ] && echo "nothing of another user's was run, believed or written"
exit $failed
