#!/usr/bin/env bash
# Installs a build, and moves it: nothing may remember the first place.
# usage: install.sh BUILD_DIR PREFIX
set -euo pipefail
build=$1 prefix=$2
first=$(mktemp -d)
trap 'rm -rf "$first"' EXIT
cmake --install "$build" --prefix "$first/first" >"$first/log" || {
  cat "$first/log" >&2
  exit 1
}
rm -rf "$prefix"
mkdir -p "$(dirname "$prefix")"
mv "$first/first" "$prefix"
