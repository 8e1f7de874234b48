#!/bin/sh
# draw_layers.sh ROOT [--check]: the diagram of the house as a block of Mermaid, from the includes of host/. An arrow leads from a room to one
# that it uses; what follows from other arrows is left out. --check fails when host/README.md shows another one. To renew it there:
#   tests/layers/draw_layers.sh . --write
set -eu

root=$1
mode=${2---print}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$root"
drawn=$(mktemp)
shown=$(mktemp)
trap 'rm -f "$drawn" "$shown"' EXIT
find host -type f -name '*.[ch]' | LC_ALL=C sort | LC_ALL=C awk -f "$here/draw_layers.awk" >"$drawn"

begin='<!-- drawn by tests/layers/draw_layers.sh -->'
end='<!-- end of the drawing -->'
case $mode in
  --print) cat "$drawn" ;;
  --check)
    sed -n "\\|^$begin\$|,\\|^$end\$|p" host/README.md | sed '1d;$d' >"$shown"
    if ! diff -u "$shown" "$drawn"; then
      echo "host/README.md shows another house than the includes; renew it: tests/layers/draw_layers.sh . --write"
      exit 1
    fi
    echo "the diagram in host/README.md is that of the includes"
    ;;
  --write)
    awk -v begin="$begin" -v end="$end" -v drawn="$drawn" '
      $0 == begin { print; while ((getline line < drawn) > 0) print line; skip = 1 }
      $0 == end { skip = 0 }
      !skip { print }' host/README.md >"$shown"
    cp "$shown" host/README.md
    ;;
  *)
    echo 'usage: draw_layers.sh ROOT [--check | --write]' >&2
    exit 2
    ;;
esac
