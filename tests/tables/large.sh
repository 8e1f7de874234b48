#!/bin/bash
# How much memory a large table takes: large.sh GB PROGRAM [MB]
# Makes a CSV of GB gigabytes (numbers, words, times, names that all differ, gaps) by repeating rows, trains on it, and fails when the program at any time held
# more than MB (500) megabytes of its own: RssAnon + RssShmem of /proc/PID/status, looked at 50 times a second. Pages of files, as the rows
# that were converted, are left out: they are the system's to take back. VmHWM, which has them too, is shown beside it.
# Needs three times GB of space in $TMPDIR.
set -euo pipefail

gigabytes=$1
program=$(realpath "$2")
limit=${3:-500}
folder=$(mktemp -d "${TMPDIR:-/tmp}/setosa-large-XXXXXX")
trap 'rm -rf "$folder"' EXIT

# 20 MB of rows, made once: some 260 bytes each. What is kept of every row beside its features (a label, say) is memory of the program.
awk 'BEGIN {
  srand(1)
  split("Aldau Birkfeld Cumin Dorn Eland Fennal", town)
  split("January February March April May June July August September October November December", month)
  for (i = 0; size < 20e6; i++) {
    line = sprintf("customer-%d,%.3f,%.6f,%s,%s,%s,%d,%s", i * 7919 % 1000003, 171 + 9 * rand(), rand() * 1e-3, town[int(1 + 6 * rand())],
                   month[int(1 + 12 * rand())], rand() < 0.01 ? "NA" : int(1e6 * rand()), 1.6e12 + 1e9 * rand(), rand() < 0.5 ? "yes" : "no")
    for (c = 0; c < 20; c++) line = sprintf("%.5f,%s", 100 * rand(), line)
    size += length(line) + 1
    print line
  }
}' >"$folder/rows"
echo "$(seq -s , 1 20),customer,height,rate,town,month,income,sent_ms,answer" >"$folder/large.csv"
times=$(awk "BEGIN { print int($gigabytes * 50) }")
for i in $(seq "$times"); do sed "s/customer/customer-$i/" "$folder/rows"; done >>"$folder/large.csv"
rows=$(($(wc -l <"$folder/rows") * times))
rm "$folder/rows"
printf '%s bytes, %s rows\n' "$(stat -c %s "$folder/large.csv")" "$rows"

sleep 3 # what was written a moment ago is not kept as converted
begin=$SECONDS
XDG_CACHE_HOME=$folder "$program" train "$folder/large.csv" --label answer --backend blas --max-iterations 2 --json >"$folder/out" 2>"$folder/err" &
pid=$!
own=0
all=0
while status=$(cat "/proc/$pid/status" 2>/dev/null) && [ -n "$status" ]; do
  read -r now most < <(awk '/^RssAnon|^RssShmem/ { sum += $2 } /^VmHWM/ { most = $2 } END { print sum + 0, most + 0 }' <<<"$status")
  [ "$now" -le "$own" ] || own=$now
  [ "$most" -le "$all" ] || all=$most
  [ "$most" -gt 0 ] || break # it has ended
  sleep 0.02
done
code=0
wait "$pid" || code=$?
cat "$folder/err"
[ "$code" = 0 ] || exit 1
tr -d ' \n' <"$folder/out" | grep -oE '"data":\{[^}]*\}|"load":[0-9.]+'
printf 'own memory %d MB, with pages of files %d MB, %d s\n' $((own / 1000)) $((all / 1000)) $((SECONDS - begin))
[ "$((own / 1000))" -lt "$limit" ]
