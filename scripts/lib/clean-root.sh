#!/usr/bin/env bash
# Installs packages in a Debian that has nothing but its base system, and uses them there: no compiler, no Rust, no library of this machine.
# Usage: clean-root.sh FILE.deb|FILE.tar.gz...    as root; what it needs is installed with apt
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/system-packages.sh
. "$root/scripts/lib/system-packages.sh"
[ "$(id -u)" -eq 0 ] || fail "a clean root is made and entered as root"
has debootstrap || install_packages apt-get debootstrap || fail "debootstrap is needed"

suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
# Where this machine gets its own packages from.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p; s/^URIs: *//p' | grep -v security | head -n 1 || true)
clean=$(mktemp -d)
leave() {
  umount "$clean/dev/shm" "$clean/proc" 2>/dev/null || true
  rm -rf --one-file-system "$clean"
}
trap leave EXIT

say "── a clean Debian $suite"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$clean" "${mirror:-http://deb.debian.org/debian}" >"$clean.log" 2>&1 ||
  fail "debootstrap failed: $(tail -n 3 "$clean.log")"
rm -f "$clean.log"
# How this machine reaches the mirror.
cp -R /etc/apt/apt.conf.d/. "$clean/etc/apt/apt.conf.d/"
[ ! -d /usr/local/share/ca-certificates ] || cp -R /usr/local/share/ca-certificates/. "$clean/usr/local/share/ca-certificates/"
cp /etc/resolv.conf "$clean/etc/resolv.conf"
mount -t proc proc "$clean/proc"
mkdir -p "$clean/dev/shm" && mount -t tmpfs tmpfs "$clean/dev/shm"

inside() { chroot "$clean" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
inside update-ca-certificates >/dev/null 2>&1 || true
inside apt-get update -qq
# A display is the one thing that no package brings.
inside apt-get install -y -qq --no-install-recommends xvfb xauth xdotool imagemagick x11-apps >/dev/null 2>&1 || fail "no display can be installed there"
inside sh -c 'command -v cargo rustc cc gcc' && fail "the root is not clean"

# Usage: use NAME PESO. Window, demo and doctor of one installed program.
use() {
  local name=$1 peso=$2
  say "── $name: $(inside "$peso" --version)"
  inside "$peso" doctor >"$clean/doctor.txt" || {
    cat "$clean/doctor.txt" >&2
    fail "$name: the doctor found a problem"
  }
  grep -i -E 'step|search|problem' "$clean/doctor.txt" >&2 || true
  inside rm -rf /root/demo
  inside "$peso" demo --out /root/demo
  inside "$peso" run /root/demo >"$clean/run.log" 2>&1 || fail "$name: the demo did not run: $(tail -n 3 "$clean/run.log")"
  inside "$peso" results /root/demo >&2
  inside "$peso" export /root/demo --figure comparison --to /root/comparison.pdf
  # The window is there when its picture has many colours; what draws nothing is one.
  inside xvfb-run -a -s '-screen 0 1280x800x24' sh -c "
    $peso /root/demo & window=\$!
    for second in \$(seq 60); do
      sleep 1
      kill -0 \$window || exit 1
      colours=\$(import -window root png:- 2>/dev/null | identify -format %k - || echo 0)
      [ \$colours -gt 100 ] && break
    done
    sleep 3; import -window root /root/window.png
    kill \$window; [ \$colours -gt 100 ]" 2>"$clean/window.log" ||
    fail "$name: the window did not open: $(tail -n 3 "$clean/window.log")"
  say "$name: doctor, demo and window work$([ -z "${PICTURES:-}" ] || { cp "$clean/root/window.png" "$PICTURES/$name.png" && printf ', %s' "$PICTURES/$name.png"; })"
}

for package in "$@"; do
  cp "$package" "$clean/root/"
  file=$(basename "$package")
  case $file in
    *.deb)
      # With what it recommends, as apt does by itself.
      inside apt-get install -y -qq -o APT::Install-Recommends=yes "/root/$file" >"$clean/apt.log" 2>&1 || fail "apt could not install $file: $(tail -n 3 "$clean/apt.log")"
      use deb peso
      for there in /usr/share/applications/peso-workbench.desktop /usr/share/man/man1/peso-run.1.gz /usr/share/bash-completion/completions/peso; do
        inside test -s "$there" || fail "$there is not installed"
      done
      inside apt-get remove -y -qq peso-workbench >/dev/null 2>&1
      inside sh -c 'command -v peso' && fail "the .deb leaves peso behind when it is removed"
      ;;
    *.tar.gz)
      inside tar -C /opt -xzf "/root/$file"
      use tarball "/opt/${file%.tar.gz}/bin/peso"
      ;;
    *) say "── $file: not for Debian, left out" ;;
  esac
done
