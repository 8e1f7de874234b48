#!/bin/sh
# test_install.sh CMAKE SOURCE_FOLDER BUILD_FOLDER COMPILER: installs into an empty prefix, moves it, and builds and runs C programs there
# as a stranger would: by pkg-config and by find_package, with the two headers and libsetosa.so alone. The second program is the one that
# README.md shows; the third is C++.
# Exits 77 (skipped) when there is no OpenCL device for it.
set -eu

cmake=$1
source=$2
build=$3
compiler=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; fail 'cmake --install'; }
mv "$work/first" "$work/a moved place"
prefix="$work/a moved place"

library=$(find "$prefix" -name libsetosa.so)
[ -n "$library" ] || fail 'no libsetosa.so was installed'
# Only setosa_* leaves the library: its layers have plain names that would clash with a caller's.
strangers=$(nm -D --defined-only "$library" | awk '$3 !~ /^setosa_/ { print $3 }')
[ -z "$strangers" ] || fail "libsetosa.so exports $strangers"
# Every function that the headers declare is there.
grep -ohE '\bsetosa_[a-z_]+\(' "$prefix/include/setosa.h" "$prefix/include/setosa_bench.h" | tr -d '(' | LC_ALL=C sort -u >"$work/declared"
nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort -u >"$work/defined"
absent=$(LC_ALL=C comm -23 "$work/declared" "$work/defined")
[ -z "$absent" ] || fail "the headers declare what libsetosa.so does not have: $absent"
[ "$(wc -l <"$work/declared")" -gt 30 ] || fail 'found too few declarations in the headers'

# The ABI is what the symbols file of the Debian package says: a function that is new or gone is written there, with the version.
sh "$source/tests/install/symbols.sh" "$source" "$library" || fail 'the symbols of libsetosa.so changed'

# What few runs need is loaded by those alone.
for object in "$library" "$prefix/bin/setosa"; do
  needed=$(readelf -d "$object" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -E 'blas|mpi|fortran|stdc' || true)
  [ -z "$needed" ] || fail "$object needs $needed, whoever runs it"
done

# No page or header points to a page that is not there.
pages=$(dirname "$(find "$prefix" -name LICENSE)")
links=0
for page in $(cd "$pages" && find . -name '*.md'); do
  targets=$(sed -n 's/](/\n&/gp' "$pages/$page" | sed -n 's/^](\([^)#]*\).*/\1/p' | grep -v '^http' || true)
  for target in $targets; do
    links=$((links + 1))
    [ -e "$pages/$(dirname "$page")/$target" ] || fail "$page links to $target, which is not installed"
  done
done
[ "$links" -gt 8 ] || fail "found too few links in the pages: $links"
named=$(grep -ohE '[a-z]+/[A-Za-z]+\.md' "$prefix/include/setosa.h" "$prefix/include/setosa_bench.h")
for page in $named; do
  [ -e "$pages/$page" ] || fail "a header points to $page, which is not installed"
done

PKG_CONFIG_PATH=$(dirname "$library")/pkgconfig
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion setosa)" = "$(sed -n 's/^#define SETOSA_VERSION "\(.*\)"/\1/p' "$prefix/include/setosa.h")" ] ||
  fail 'setosa.pc and setosa.h name different versions'

cat >"$work/stranger.c" <<'END'
#include <setosa_bench.h> /* brings setosa.h */
#include <stdio.h>

/* The worked example of kernels/README.md: column 1 of the gradient is (a_1 - 1) x. */
int main(void) {
  const double x[2] = {1.9, 0.4}, weights[4] = {0.1, 0.1, 0.5, 0.5};
  SetosaExplanation *explanation = NULL;
  SetosaError error = {0};
  if (setosa_explain(&explanation, 2, 2, x, weights, NULL, 0, &error) != SETOSA_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  printf("%.6f %.6f %.6f\n", explanation->loss, explanation->dweights[0], explanation->dweights[2]);
  setosa_explanation_destroy(explanation);
  return 0;
}
END
# pkg-config quotes the blank in the path for a shell.
eval "set -- $(pkg-config --cflags --libs setosa)"
"$compiler" -std=c11 -Wall -Wextra -Werror -pedantic "$work/stranger.c" -o "$work/stranger" "$@"
answer=$(LD_LIBRARY_PATH=$(dirname "$library") "$work/stranger")
[ "$answer" = '1.255414 -1.358580 1.358580' ] || fail "the stranger's program printed '$answer'"

# README.md's program, as it stands there.
# shellcheck disable=SC2016 # the quotes hold Markdown, not a command
sed -n '/^```c$/,/^```$/{/^```/!p;}' "$source/README.md" >"$work/readme.c"
[ -s "$work/readme.c" ] || fail 'README.md shows no C program'
"$compiler" -std=c11 -Wall -Wextra -Werror -pedantic "$work/readme.c" -o "$work/readme" "$@"
status=0
(cd "$source" && LD_LIBRARY_PATH=$(dirname "$library") "$work/readme" >"$work/readme.out" 2>&1) || status=$?
case "$status:$(cat "$work/readme.out")" in
  '0:accuracy 0.9733 after '*' iterations') readme='and so does the program in README.md' ;;
  4:*) readme='' ;;
  *) fail "README.md's program exits $status: $(cat "$work/readme.out")" ;;
esac

# The header stands alone, in C and in C++.
printf '#include <setosa.h>\nint main(void) { return 0; }\n' >"$work/alone.c"
"$compiler" -std=c99 -Wall -Wextra -Werror -pedantic -I"$prefix/include" -c "$work/alone.c" -o "$work/alone.o"
if command -v c++ >/dev/null 2>&1; then c++ -x c++ -Wall -Wextra -Werror -I"$prefix/include" -c "$work/alone.c" -o "$work/alone.o"; fi

# find_package(Setosa), in C and, where there is a compiler, C++.
mkdir "$work/consumer"
cat >"$work/consumer/main.cpp" <<'END'
#include <setosa.h>
#include <cstdio>
#include <string>
#include <vector>

int main() {
  const std::vector<double> x{1.9, 0.4}, weights{0.1, 0.1, 0.5, 0.5};
  SetosaExplanation *explanation = nullptr;
  SetosaError error{};
  if (setosa_explain(&explanation, 2, 2, x.data(), weights.data(), nullptr, 0, &error) != SETOSA_OK) return 1;
  std::printf("%.6f %.6f %.6f\n", explanation->loss, explanation->dweights[0], explanation->dweights[2]);
  setosa_explanation_destroy(explanation);
  return std::string(SETOSA_VERSION).empty();
}
END
languages=C
if command -v c++ >/dev/null 2>&1; then languages='C CXX'; fi
cat >"$work/consumer/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.18)
project(consumer LANGUAGES $languages)
find_package(Setosa $(pkg-config --modversion setosa) REQUIRED)
add_executable(by_c ../stranger.c)
target_link_libraries(by_c Setosa::setosa)
if(CMAKE_CXX_COMPILER)
  add_executable(by_cxx main.cpp)
  target_link_libraries(by_cxx Setosa::setosa)
endif()
END
{ "$cmake" -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" &&
  "$cmake" --build "$work/consumer/build"; } >"$work/consumer.log" 2>&1 || { cat "$work/consumer.log"; fail 'a project with find_package(Setosa)'; }
for consumer in "$work/consumer/build"/by_c*; do
  answer=$("$consumer") # found by the RPATH that CMake gives it
  [ "$answer" = '1.255414 -1.358580 1.358580' ] || fail "$(basename "$consumer") printed '$answer'"
done
# Versions with other first or second numbers are not taken for this one.
sed 's/^find_package.*/find_package(Setosa 0.1 REQUIRED)/' "$work/consumer/CMakeLists.txt" >"$work/old.txt"
mkdir "$work/old"
mv "$work/old.txt" "$work/old/CMakeLists.txt"
if "$cmake" -S "$work/old" -B "$work/old/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1; then fail 'find_package(Setosa 0.1) found this version'; fi

for page in man/man1/setosa.1 man/man1/setosa-train.1 bash-completion/completions/setosa zsh/vendor-completions/_setosa \
  fish/vendor_completions.d/setosa.fish; do
  [ -s "$prefix/share/$page" ] || fail "share/$page was not installed"
done

version=$("$prefix/bin/setosa" --version)
[ "$version" != '' ] || fail 'the installed program prints no version'
# In a job the module for MPI is found beside the library, wherever that is.
if [ -n "$(find "$prefix" -name setosa_mpi.so)" ] && command -v mpirun >/dev/null 2>&1; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none
  said=$(mpirun --oversubscribe --bind-to none -n 2 "$prefix/bin/setosa" --version </dev/null 2>&1) || fail "two processes: $said"
  [ "$said" = "$version" ] || fail "two processes printed '$said'"
fi
[ -n "$readme" ] || { echo 'no usable OpenCL device: the program in README.md was built, not run' && exit 77; }
echo "what is installed can be moved, linked and run, $readme"
