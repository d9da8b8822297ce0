#!/usr/bin/env bash
# Shows of programs and shared libraries, from the files themselves, that they were built hardened: full RELRO, a stack
# that is not executable, position independence, stack protectors, checked calls of the C library, and landing pads for
# indirect branches.
# usage: hardening.sh FILE...
set -euo pipefail
export LC_ALL=C
failed=0

fault() { # file text
  echo "FAIL: $1: $2" >&2
  failed=1
}

check_file() { # file
  local file=$1 segments dynamic symbols functions pads
  segments=$(readelf -lW "$file")
  dynamic=$(readelf -dW "$file")
  symbols=$(readelf -W --dyn-syms "$file")

  grep -q '^ *GNU_RELRO ' <<<"$segments" || fault "$file" "no RELRO"
  grep -qE '\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW' <<<"$dynamic" || fault "$file" "RELRO is not full: not bound at start"
  grep -qE '^ *GNU_STACK .* RW +0x' <<<"$segments" || fault "$file" "the stack is executable, or nothing says that it is not"
  if grep -qE '^ *LOAD .* RWE +0x' <<<"$segments"; then fault "$file" "memory that may be written may be executed"; fi
  if grep -q '(TEXTREL)' <<<"$dynamic"; then fault "$file" "code is changed when it is loaded"; fi

  readelf -hW "$file" | grep -qE 'Type: +DYN' || fault "$file" "not position independent"
  if grep -q '^ *INTERP ' <<<"$segments"; then
    grep -qE '\(FLAGS_1\).*PIE' <<<"$dynamic" || fault "$file" "a program that is no PIE"
  fi

  # Of what the compiler put into the code: a small program may have nothing that is to be checked.
  case ${file##*/} in
    vctl | libvipauth.so*)
      grep -q ' __stack_chk_fail' <<<"$symbols" || fault "$file" "no stack protector"
      grep -qE ' __[a-z]+(_[a-z]+)*_chk(@|$| )' <<<"$symbols" || fault "$file" "no checked calls: without _FORTIFY_SOURCE"
      ;;
  esac
  if readelf -hW "$file" | grep -q 'X86-64'; then
    # _init and _fini are the C library's.
    functions=$(readelf -sW "$file" | awk '$4 == "FUNC" && $5 == "GLOBAL" && $7 != "UND" { print $8 }' |
      grep -vxE '_init|_fini' | sort -u | wc -l)
    pads=$(objdump -d --no-show-raw-insn "$file" | grep -c 'endbr64' || true)
    ((pads >= functions)) || fault "$file" "landing pads for $pads of $functions functions: without -fcf-protection"
  fi
}

(($#)) || {
  echo "usage: hardening.sh FILE..." >&2
  exit 64
}
for file; do
  [[ -s $file ]] || {
    fault "$file" "is not there"
    continue
  }
  check_file "$file"
done
((failed == 0)) || exit 1
echo "hardening: $# files, all good"
