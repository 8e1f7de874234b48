#!/bin/bash
# test_pages.sh PROGRAM FOLDER: the manual pages and completions that the build has written into FOLDER. Every command has its page and every
# option is in it; the page is sound roff (mandoc, where it is installed); bash proposes what a user would type next, asked as bash asks;
# zsh and fish, where they are installed, take their files, and fish proposes the same.
set -euo pipefail

program=$(realpath "$1")
folder=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

mapfile -t commands < <("$program" help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' | grep -vx 'help\|setosa')
[ "${#commands[@]}" -ge 11 ] || fail "found ${#commands[@]} commands in the overview"
options=0
for command in "${commands[@]}"; do
  page=$folder/setosa-$command.1
  [ -s "$page" ] || fail "$command has no manual page"
  grep -q "setosa\\\\-$command " "$folder/setosa.1" || fail "setosa(1) does not name $command"
  plain=$(sed 's/\\-/-/g; s/\\f[IRB]//g' "$page")
  while read -r option; do
    options=$((options + 1))
    grep -q "^\.B .*$option\( \|$\)" <<<"$plain" || fail "setosa-$command(1) lacks $option"
  done < <("$program" help "$command" | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p')
done
[ "$options" -gt 150 ] || fail "found only $options options"
if command -v mandoc >/dev/null 2>&1; then
  said=$(mandoc -T lint -W warning "$folder"/*.1 | grep -v 'missing date' || true)
  [ -z "$said" ] || fail "mandoc: $said"
  mandoc -T ascii "$folder/setosa-train.1" >shown
  grep -q 'fit a model to data' shown || fail 'mandoc does not show setosa-train(1)'
fi

# shellcheck source=/dev/null
source "$folder/setosa"
# expect WORDS... -> ANSWERS...: what is proposed when Tab is pressed behind the last word; '...' at the end: and more.
expect() {
  COMP_WORDS=()
  while [ "$1" != '->' ]; do COMP_WORDS+=("$1") && shift; done
  shift
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMP_WORDS[0]=$program
  _setosa "$program"
  local proposed wanted=$*
  proposed=${COMPREPLY[*]-}
  case $wanted in
    *...) [[ $proposed == "${wanted%...}"* ]] ;;
    *) [ "$proposed" = "$wanted" ] ;;
  esac || fail "behind '${COMP_WORDS[*]:1}' bash proposes '$proposed', not '$wanted'"
}
touch data.csv model.safetensors
mkdir folder
expect setosa tr '->' train
expect setosa help expl '->' explain
expect setosa train --sol '->' --solver
expect setosa train --solver l '->' lbfgs
expect setosa train --solver = n '->' newton
expect setosa train da '->' data.csv
expect setosa train --model mo '->' model.safetensors
expect setosa train --cache f '->' folder
expect setosa train --l2 '' '->' ''
expect setosa train data.csv --device c '->' cpu
expect setosa cache cl '->' clear
expect setosa eval mo '->' model.safetensors
expect setosa explain --label '' '->' ''
expect setosa check --famil '->' --family
if "$program" devices >/dev/null 2>&1; then expect setosa train --device '' '->' 'cpu gpu all 0...'; fi

if command -v zsh >/dev/null 2>&1; then zsh -n "$folder/_setosa" || fail 'zsh does not take its completion'; fi
if command -v fish >/dev/null 2>&1; then
  proposed=$(HOME=$work fish --no-config -c "source '$folder/setosa.fish'; complete -C 'setosa train --solver l'" | cut -f1)
  [ "$proposed" = lbfgs ] || fail "fish proposes '$proposed'"
fi
if command -v shellcheck >/dev/null 2>&1; then shellcheck -s bash "$folder/setosa" || fail 'the completion of bash is not clean'; fi
echo "${#commands[@]} commands, $options options: manual pages and completions have them"
