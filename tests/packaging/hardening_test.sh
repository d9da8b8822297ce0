#!/usr/bin/env bash
# Shows that hardening.sh finds what is not hardened.
# usage: hardening_test.sh CC
set -euo pipefail
cc=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/soft"
cat >"$work/main.c" <<'CODE'
#include <stdio.h>
#include <string.h>
int size_of(const char *text) { return (int)strlen(text); }
int main(int argc, char **argv) {
  char copy[8];
  strcpy(copy, argv[argc - 1]);
  return puts(copy) + size_of(copy);
}
CODE

hard=(-O2 -fPIE -pie -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fcf-protection=full
  "-Wl,-z,relro,-z,now,-z,noexecstack")
vctl=$work/soft/vctl

build() { # flag...
  "$cc" "$work/main.c" -o "$vctl" "${hard[@]}" "$@" 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
  }
}

expect_fault() { # text flag...
  local text=$1 said
  shift
  build "$@"
  if said=$("$here/hardening.sh" "$vctl" 2>&1); then
    echo "FAIL: '$*' was not found" >&2
    exit 1
  fi
  [[ $said == *"$text"* ]] || {
    echo "FAIL: '$*' was called '$said', not '$text'" >&2
    exit 1
  }
}

build
"$here/hardening.sh" "$vctl"
expect_fault "no RELRO" -Wl,-z,norelro
expect_fault "not bound at start" -Wl,-z,lazy
expect_fault "the stack is executable" -Wl,-z,execstack
expect_fault "not position independent" -no-pie -fno-pie
expect_fault "no stack protector" -fno-stack-protector
expect_fault "no checked calls" -U_FORTIFY_SOURCE
if [[ $(uname -m) == x86_64 ]]; then expect_fault "landing pads" -fcf-protection=none; fi
rm "$vctl"
if "$here/hardening.sh" "$vctl" 2>/dev/null; then
  echo "FAIL: what is not there is no fault" >&2
  exit 1
fi
echo "hardening test: all good"
