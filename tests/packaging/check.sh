#!/usr/bin/env bash
# Uses an installation (install.sh) as a stranger would.
# usage: check.sh PREFIX VERSION CXX LIBDIR
set -euo pipefail
prefix=$1 version=$2 cxx=$3 libdir=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

expect_version() { # command...
  local got
  got=$("$@") || fail "'$*' exited $?"
  [[ $got == *"$version"* ]] || fail "'$*' printed '$got', not $version"
}

lib=$prefix/$libdir
cp -r "$here/consumer" "$work/consumer"

for linkage in shared static; do
  echo "== find_package, $linkage"
  cmake -G Ninja -S "$work/consumer" -B "$work/$linkage" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCMAKE_PREFIX_PATH="$prefix" -DLINKAGE=$linkage -DVERSION="$version" >"$work/$linkage.log" 2>&1 ||
    fail "$(cat "$work/$linkage.log")"
  cmake --build "$work/$linkage" >"$work/$linkage.log" 2>&1 || fail "$(cat "$work/$linkage.log")"
  expect_version "$work/$linkage/consumer"
done

if [[ -e $lib/libvipauth_web.so ]]; then
  cp -r "$here/web_consumer" "$work/web_consumer"
  for linkage in shared static; do
    echo "== find_package, web, $linkage"
    cmake -G Ninja -S "$work/web_consumer" -B "$work/web_$linkage" -DCMAKE_CXX_COMPILER="$cxx" \
      -DCMAKE_PREFIX_PATH="$prefix" -DLINKAGE=$linkage -DVERSION="$version" >"$work/web_$linkage.log" 2>&1 ||
      fail "$(cat "$work/web_$linkage.log")"
    cmake --build "$work/web_$linkage" >"$work/web_$linkage.log" 2>&1 || fail "$(cat "$work/web_$linkage.log")"
    expect_version "$work/web_$linkage/web_consumer"
  done
fi

echo "== pkg-config, shared"
export PKG_CONFIG_PATH=$lib/pkgconfig
[[ $(pkg-config --modversion vipauth) == "$version" ]] || fail "pkg-config tells another version"
read -ra flags < <(pkg-config --cflags --libs vipauth)
"$cxx" -std=c++20 "$work/consumer/main.cpp" "${flags[@]}" -o "$work/by_pkg_config"
expect_version env LD_LIBRARY_PATH="$lib" "$work/by_pkg_config"

echo "== pkg-config, static"
read -ra flags < <(pkg-config --static --cflags --libs vipauth)
"$cxx" -std=c++20 "$work/consumer/main.cpp" "${flags[@]/-lvipauth/-l:libvipauth.a}" -o "$work/by_pkg_config_static"
expect_version "$work/by_pkg_config_static"

if [[ -e $lib/libvipauth_web.so ]]; then
  echo "== pkg-config, web, shared"
  read -ra flags < <(pkg-config --cflags --libs vipauth_web)
  "$cxx" -std=c++20 "$work/web_consumer/main.cpp" "${flags[@]}" -o "$work/web_by_pkg_config"
  expect_version env LD_LIBRARY_PATH="$lib" "$work/web_by_pkg_config"
fi

echo "== each public header compiles on its own"
mkdir "$work/alone"
while IFS= read -r header; do
  echo "#include <$header>" >"$work/alone/${header//\//_}.cpp"
done < <(cd "$prefix/include" && find vipauth -name '*.hpp')
find "$work/alone" -name '*.cpp' -print0 |
  xargs -0 -n 8 -P 2 "$cxx" -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$prefix/include" ||
  fail "a public header does not stand alone"

echo "== the C interface, in C99"
read -ra flags < <(pkg-config --cflags --libs vipauth)
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/c_consumer.c" "${flags[@]}" -o "$work/c_user"
expect_version env LD_LIBRARY_PATH="$lib" "$work/c_user"

echo "== the C interface has the functions that programs were built against"
nm -D --defined-only "$lib/libvipauth.so" | awk '$2 == "T" && $3 ~ /^vipauth_/ { print $3 }' | LC_ALL=C sort |
  diff "$here/c_symbols.txt" - || fail "functions came or went: count VIPAUTH_ABI up if any went, and mend c_symbols.txt"

echo "== only vipauth symbols are exported"
# Weak symbols of the standard library's templates cannot be hidden; everything else must be ours.
for library in "$lib"/libvipauth*.so; do
  foreign=$(nm -DC --defined-only "$library" | cut -c 18- | grep -vE '^[a-zA-Z] .*\bvipauth::|^T vipauth_[a-z_]+$' |
    grep -vE '^[VWu] .*\b(std|__gnu_cxx|__cxxabiv1)::' || true)
  [[ -z $foreign ]] || fail "exported by $library:"$'\n'"$foreign"
done

if [[ -e $prefix/bin/vctl ]]; then
  echo "== the installed vctl runs"
  for name in vctl volttron-ctl; do
    expect_version "$prefix/bin/$name" --version
    for file in "man/man1/$name.1" "bash-completion/completions/$name"; do
      [[ -s $prefix/share/$file ]] || fail "share/$file is not installed, or empty"
    done
  done
  bash -n "$prefix/share/bash-completion/completions/vctl" || fail "the completion is no bash"
  [[ $(head -n 1 "$prefix/share/zsh/site-functions/_vctl") == "#compdef vctl"* ]] || fail "no completion for zsh"
fi
echo "packaging: all good"
