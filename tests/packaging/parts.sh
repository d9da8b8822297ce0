#!/usr/bin/env bash
# Shows that each file that is installed is in one of the Debian packages.
# usage: parts.sh BUILD_DIR
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install() { # folder [argument...]
  cmake --install "$build" --prefix "$work/$1" "${@:2}" >"$work/log" || {
    cat "$work/log" >&2
    exit 1
  }
}

# Of what only the packages have.
files() { (cd "$work/$1" && find . -type f ! -path './share/doc/*' ! -path './lib/python3/*' -o -type l | LC_ALL=C sort); }

install whole
read -ra packages < <(sed -n 's/^set(CPACK_COMPONENTS_ALL "\(.*\)")$/\1/p' "$build/CPackConfig.cmake" | tr ';' ' ')
((${#packages[@]})) || {
  echo "FAIL: $build/CPackConfig.cmake names no packages" >&2
  exit 1
}
for package in "${packages[@]}"; do
  install "$package" --component "$package"
done

diff <(files whole) <(for package in "${packages[@]}"; do files "$package"; done | LC_ALL=C sort) || {
  echo "FAIL: a file (<) is in no package, or (>) in two" >&2
  exit 1
}
echo "parts: ${packages[*]} have $(files whole | wc -l) files"
