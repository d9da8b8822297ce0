#!/usr/bin/env bash
# Makes the Debian packages, installs them in a Debian that has nothing else, and uses them there.
# usage: clean_root.sh SOURCE_DIR VERSION; what was downloaded stays in SOURCE_DIR/build/clean-root for the next time.
# Exits 77 where no such Debian can be had.
set -euo pipefail
source=$1 version=$2
here=$(cd "$(dirname "$0")" && pwd)
cache=$source/build/clean-root

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

skip() {
  echo "SKIPPED: $*" >&2
  exit 77
}

((EUID == 0)) || skip "only root can make and enter a clean root"
for tool in mmdebstrap unshare lintian dpkg-shlibdeps; do
  command -v $tool >/dev/null || skip "there is no $tool"
done
unshare --mount mount -t proc proc /proc 2>/dev/null || skip "nothing may be mounted here"
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
if [[ -z $suite ]] || ! grep -q '^ID=debian$' /etc/os-release; then skip "this is no release of Debian"; fi
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

# ---- The packages ----

echo "== ./dev package"
"$source/dev" package "$work/packages" >"$work/package.log" 2>&1 || fail "$(cat "$work/package.log")"
debian_version=$(dpkg-deb -f "$work"/packages/vctl_*.deb Version)
[[ $debian_version == "$version"-* ]] || fail "the packages are of version $debian_version, not $version"
for package in "$work"/packages/*.deb; do
  [[ $(dpkg-deb -f "$package" Version) == "$debian_version" ]] || fail "$package has another version"
  [[ -z $(dpkg-deb -c "$package" | awk '$2 != "root/root" || $1 ~ /^.{5}w|^.{8}w|[sS]/ && $1 !~ /^l/') ]] ||
    fail "$package has a file that is not root's alone to change"
done

# ---- A clean root ----

# With the tools of who builds on the packages, and nothing that they ask for.
mkdir -p "$cache/archives"
find "$cache" -maxdepth 1 -name '*.tar' -mtime +30 -delete # too old to be installed into
base=$cache/$suite.tar
if [[ ! -e $base ]]; then
  echo "== a clean $suite: once, and again each month"
  if ! TMPDIR=$work mmdebstrap --quiet --variant=minbase --include=ca-certificates,g++,cmake,make,pkg-config \
    --skip=cleanup/apt/lists --dpkgopt=force-unsafe-io "$suite" "$work/base.tar" >"$work/base.log" 2>&1; then
    tail -n 5 "$work/base.log" >&2
    skip "no clean $suite can be made: is its mirror out of reach?"
  fi
  mv "$work/base.tar" "$base.$$" && mv "$base.$$" "$base"
fi
mkdir "$root"
tar -xf "$base" -C "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
find "$cache/archives" -name '*.deb' -exec cp -t "$root/var/cache/apt/archives" {} +
cp -r "$work/packages" "$root/packages"
cp -r "$here" "$root/consumers"

# What is mounted is gone with the command.
in_root() { # command...
  # shellcheck disable=SC2016
  unshare --mount bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" env -i HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"' \
    "$root" "$@" </dev/null
}

apt() { in_root apt-get -y -q -o APT::Sandbox::User=root --no-install-recommends "$@" >"$work/apt.log" 2>&1; }

install() { # package...
  local package files=()
  for package; do files+=("$root/packages/${package}"_*.deb); done
  files=("${files[@]#"$root"}")
  apt --simulate install "${files[@]}" || fail "$(cat "$work/apt.log")"
  if ! apt --download-only install "${files[@]}"; then
    apt update || true # the lists may be too old
    apt --download-only install "${files[@]}" ||
      skip "what the packages depend on cannot be had: $(tail -n 3 "$work/apt.log")"
  fi
  find "$root/var/cache/apt/archives" -maxdepth 1 -name '*.deb' -exec cp -u -t "$cache/archives" {} +
  apt install "${files[@]}" || fail "$(cat "$work/apt.log")"
}

expect() { # text command...
  local text=$1 got
  shift
  got=$(in_root "$@" 2>&1) || fail "'$*' exited $?: $got"
  [[ $got == *"$text"* ]] || fail "'$*' printed '$got', without '$text'"
}

# ---- Who runs a platform ----

echo "== vctl"
install vctl
for name in vctl volttron-ctl; do
  expect "$version" "$name" --version
  expect "VCTL" bash -c "gzip -cd /usr/share/man/man1/$name.1.gz | grep -m 1 '^\.TH'"
  expect "-F" bash -c ". /usr/share/bash-completion/completions/$name && complete -p $name"
done
expect "#compdef vctl" head -n 1 /usr/share/zsh/vendor-completions/_vctl
[[ ! -e $root/usr/include/vipauth && -z $(find "$root/usr/lib" -name 'libvipauth*') ]] || fail "vctl needs no library"

expect '"public"' bash -c 'umask 077; mkdir /home/bus && cd /home/bus && vctl auth keypair >key && cat key'
key=$(sed -n 's/.*"public": "\(.*\)".*/\1/p' "$root/home/bus/key")
expect "added entry" vctl --home /home/bus auth add --user_id Alice "--credentials=$key"
expect '"user_id": "Alice"' vctl --home /home/bus auth list
expect "accepted as user_id Alice" vctl --home /home/bus auth check connect --address 127.0.0.1 -- "$key"
status=0
in_root vctl --home /home/bus auth check publish Bob devices >/dev/null 2>&1 || status=$?
((status == 2)) || fail "a user without a record is refused by 2, not $status"

echo "== the libraries, and Python"
install libvipauth0
[[ -z $(find "$root/usr/lib" -name 'libvipauth_web*' -o -name 'libvipauth*.so' -o -name 'libvipauth*.a') ]] ||
  fail "a bus needs neither the web service nor what is for building"
install libvipauth-web0 python3-vipauth
expect "libvipauth.so.0" ldconfig -p
expect "libvipauth_web.so.0" ldconfig -p
expect "$version" python3 -c 'import vipauth; print(vipauth.version(), vipauth.Service("/home/bus").server_key)'
[[ -d $root/usr/lib/python3/dist-packages/vipauth/__pycache__ ]] || fail "the module is not compiled when it is installed"

# ---- Who builds on them ----

consumer() { # folder linkage
  echo "== find_package, $1, $2"
  in_root cmake -S "/consumers/$1" -B "/build/$1-$2" -DLINKAGE="$2" -DVERSION="$version" >"$work/log" 2>&1 ||
    fail "$(cat "$work/log")"
  in_root cmake --build "/build/$1-$2" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
  expect "$version" "/build/$1-$2/$1"
}

install libvipauth-dev
consumer consumer shared
consumer consumer static
echo "== pkg-config, C"
expect "$version" pkg-config --modversion vipauth
# shellcheck disable=SC2016
expect "$version" bash -c 'cc -std=c99 -Wall -Wextra -Wpedantic -Werror /consumers/c_consumer.c \
  $(pkg-config --cflags --libs vipauth) -o /build/c_consumer && /build/c_consumer'
install libvipauth-web-dev
consumer web_consumer shared
consumer web_consumer static

# ---- And away again ----

echo "== purge"
in_root dpkg --purge python3-vipauth vctl libvipauth-web-dev libvipauth-dev libvipauth-web0 libvipauth0 \
  >"$work/log" 2>&1 || fail "$(cat "$work/log")"
left=$(find "$root/etc" "$root/usr" "$root/var/lib" \( -name '*vipauth*' -o -name '*vctl*' -o -name 'volttron*' \))
[[ -z $left ]] || fail "purging leaves"$'\n'"$left"
grep -q libvipauth <(in_root ldconfig -p) && fail "the loader still knows the library"
echo "clean root: all good"
