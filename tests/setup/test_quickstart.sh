#!/bin/sh
# test_quickstart.sh SOURCE_FOLDER: what quickstart.sh says and does where it cannot install: no apt-get, no root, sudo refused, packages
# that fail to install. Runs in a folder of its own with only a few commands on PATH, so nothing is installed or built.
set -eu

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
tests=0

# The system as a script sees it: the commands quickstart.sh may count on, then stand-ins.
new_system() {
  rm -rf "$work/system"
  mkdir -p "$work/system/bin" "$work/system/a tree"
  for name in sh dirname mkdir awk sed cat tr grep rm tail env; do ln -s "$(command -v "$name")" "$work/system/bin/$name"; done
  cp "$source/quickstart.sh" "$work/system/a tree/"
}
stand_in() { # stand_in NAME LINE: a new file, never through a link
  rm -f "$work/system/bin/$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$work/system/bin/$1"
  chmod +x "$work/system/bin/$1"
}
debian() {
  new_system
  stand_in apt-get 'echo "apt-get $*"; exit 1'
  stand_in apt-cache 'exit 0'
  stand_in dpkg-query 'echo "installed gcc, "; echo "installed pkgconf, pkg-config (= 1.8), other"; echo "config-files cmake, "'
  stand_in id 'echo 1000'
}

# says EXIT TEXT ARGUMENTS...: the exit code, and a text in the output.
says() {
  tests=$((tests + 1))
  expected=$1
  text=$2
  shift 2
  status=0
  (cd / && PATH=$work/system/bin "$work/system/a tree/quickstart.sh" "$@") </dev/null >"$work/out" 2>&1 || status=$?
  if [ "$status" = "$expected" ] && grep -qF -- "$text" "$work/out"; then return; fi
  echo "NOT AS EXPECTED: exit $status instead of $expected, or no \"$text\" in:"
  cat "$work/out"
  failures=$((failures + 1))
}
says_not() {
  tests=$((tests + 1))
  ! grep -qF -- "$1" "$work/out" || { echo "should not say \"$1\":"; cat "$work/out"; failures=$((failures + 1)); }
}

new_system
says 1 'popt, jansson, zlib, libzip, xxHash and Random123'
says 2 'usage: ./quickstart.sh' nonsense
says 2 'usage: ./quickstart.sh' test twice
says 0 './quickstart.sh test' --help

debian
says 1 'there is no sudo'
says 1 'apt-get install --no-install-recommends libc6-dev cmake ninja-build' # cmake was removed, its settings remain
says 1 'command line options'
says_not '  gcc '
says_not 'pkg-config ' # another package provides it
says_not 'libcmocka-dev'
says 1 'libcmocka-dev' test
says 1 'oclgrind' tools

# A system whose packages are known, all but one that some lack.
# shellcheck disable=SC2016 # for the stand-in
stand_in apt-cache 'shift 2; [ "$1" = oclgrind ] || echo "Package: $1"'
says 1 'Not among the packages of this system, so what needs it is skipped: oclgrind' tools
says_not '  oclgrind '
says 1 'clang-tidy' tools
stand_in apt-cache 'exit 0'

stand_in sudo 'exit 1'
says 1 'sudo was refused'
# shellcheck disable=SC2016 # for the stand-in
stand_in sudo '[ "$1" = -v ] || exec "$@"'
says 1 'installing packages failed'
says 1 ' update' # apt-cache knows none of them, so the index is refreshed first

echo "$((tests - failures)) passed, $failures failed"
[ "$failures" = 0 ]
