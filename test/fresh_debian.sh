#!/usr/bin/env bash
# Runs the two commands of the README in a fresh Debian 12 root file system with nothing installed but git.
#
#   bash test/fresh_debian.sh [--quickstart] [DIR]
#
# DIR (default: a new directory under build/) becomes the root file system and is removed at the end. The clone is
# of the last commit. --quickstart leaves out test/run.sh. Needs root. Where packages come from (mirrors, proxy,
# name servers) is taken from this machine's own settings; MIRROR=URL overrides the mirror. The models of
# SINTER_MODELS (default ../shared/models) are shown to the clone, read-only, where it looks for them. CCACHE_DIR=DIR is
# used in there too, where compiling everything anew is not what is to be tested.
set -euo pipefail

release=bookworm
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
models=${SINTER_MODELS:-$here/../shared/models}
with_tests=1
if [ "${1:-}" = --quickstart ]; then with_tests=0; shift; fi
root=${1:-$here/build/fresh_debian}

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "chroot and mounts need root: sudo bash test/fresh_debian.sh"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
[ ! -e "$root" ] || fail "$root exists: remove it or name another directory"

# All mounts live in a namespace of their own and go away with it, however this ends.
if [ "${SINTER_IN_NAMESPACE:-0}" != 1 ]; then
  status=0
  SINTER_IN_NAMESPACE=1 unshare --mount --propagation private bash "${BASH_SOURCE[0]}" \
    $([ "$with_tests" = 1 ] || echo --quickstart) "$root" || status=$?
  rm -rf --one-file-system "$root"
  exit "$status"
fi

# The apt sources of this machine that are of the release: "URI SUITE COMPONENT" a line.
sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v release="$release" 'index($2, release) == 1' | sort -u)
mirror=${MIRROR:-$(awk -v release="$release" '$2 == release { print $1; exit }' <<<"$sources")}
[ -n "$mirror" ] || fail "no apt source of $release on this machine: set MIRROR=URL"

echo "== debootstrap $release"
mkdir -p "$root"
debootstrap --variant=minbase --include=git,ca-certificates "$release" "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; fail "debootstrap failed; see $root.log"; }
rm -f "$root.log"
if [ -n "$sources" ]; then awk '{ print "deb", $1, $2, $3 }' <<<"$sources" >"$root/etc/apt/sources.list"; fi
apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-Valid-Until|Check-Date)' \
  >"$root/etc/apt/apt.conf.d/00host" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"

mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev/shm"
mkdir -p "$root/mnt/source" "$root/root/shared/models"
mount --bind -o ro "$here" "$root/mnt/source"
if [ -d "$models" ]; then mount --bind -o ro "$models" "$root/root/shared/models"
else rmdir -p "$root/root/shared/models" 2>/dev/null || true; fi

if [ -n "${CCACHE_DIR:-}" ]; then
  mkdir -p "$root/root/.cache/ccache"
  mount --bind "$CCACHE_DIR" "$root/root/.cache/ccache"
fi

inside() {
  chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 CCACHE_COMPILERCHECK=content \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -ec "$1"
}
echo "== git clone"
inside 'git config --global --add safe.directory "*"; git clone --quiet /mnt/source /root/sinter
        cd /root/sinter; git log -1 --format="%h %s"'
echo "== bash examples/quickstart.sh"
inside 'cd /root/sinter; time bash examples/quickstart.sh'
if [ "$with_tests" = 1 ]; then
  echo "== bash test/run.sh"
  inside 'cd /root/sinter; time bash test/run.sh'
fi
echo "== fresh Debian: passed"
