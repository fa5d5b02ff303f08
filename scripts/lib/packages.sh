# shellcheck shell=bash
# How packages are made of a built program; sourced by scripts/package.
#
# It is given `root`, the folder of the source, and adds what it has made to `made`.
# shellcheck disable=SC2154
#
# Every kind has the same tree of files, made once: what lies below `usr` in a .deb and an .rpm is the tarball's folder.

# What the window opens at run time, which no tool finds in the program: the packages that have `window_libraries` of
# system-packages.sh. Everything but the window works without them, and a machine without a display needs none.
deb_window='libx11-6, libx11-xcb1, libxcursor1, libxi6, libxrandr2, libxkbcommon0, libxkbcommon-x11-0, libwayland-client0, libegl1, libvulkan1, mesa-vulkan-drivers | vulkan-icd'
rpm_window='libX11 libX11-xcb libXcursor libXi libXrandr libxkbcommon libxkbcommon-x11 libwayland-client vulkan-loader mesa-vulkan-drivers'
summary='workbench for continual LoRA adaptation of recommenders'
description='Trains PESO and its baselines stage by stage on chronological interactions, shows
which directions of the adapters moved, and compares methods with intervals over
users and seeds. One program is the window and the command line; it trains on the
CPU, and on GPUs through Vulkan and CUDA.'

# The newest version of the C library that the program asks for.
needed_glibc() {
  LC_ALL=C objdump -T "$1" | sed -n 's/.*(\{0,1\}GLIBC_\([0-9.]*\))\{0,1\} .*/\1/p' | sort -uV | tail -n 1
}

# Usage: stage PESO VERSION FOLDER. The files as they lie below /usr.
stage() {
  local peso=$1 version=$2 usr=$3 documents=$3/share/doc/peso-workbench
  mkdir -p "$usr/bin" "$documents/examples" "$usr/share/applications" "$usr/share/mime/packages"
  install -m 755 "$peso" "$usr/bin/peso"
  if has strip; then strip --strip-unneeded "$usr/bin/peso" 2>/dev/null || strip "$usr/bin/peso"; fi
  "$peso" share-files "$usr/share"
  install -m 644 "$root/packaging/linux/peso-workbench.desktop" "$usr/share/applications/"
  install -m 644 "$root/packaging/linux/peso-workbench.xml" "$usr/share/mime/packages/"
  install -m 644 "$root"/LICENSE-MIT "$root"/LICENSE-APACHE "$documents/"
  install -m 644 "$root/assets/fonts/Inter-LICENSE.txt" "$documents/LICENSE-Inter"
  gzip -9n <"$root/CHANGELOG.md" >"$documents/changelog.gz"
  cp -R "$root/projects/." "$documents/examples/"
  # What was trained there belongs to nobody else.
  find "$documents/examples" \( -name runs -o -name .peso-cache -o -name data -o -name models \) -prune -exec rm -rf {} +
  find "$usr/share/man" -name '*.1' -exec gzip -9n {} +
  find "$usr" -type d -exec chmod 755 {} +
  find "$usr/share" -type f -exec chmod 644 {} +
  say "peso $version: $(du -h "$usr/bin/peso" | cut -f1) of program$(needs_words "$usr/bin/peso")"
}

needs_words() {
  if has objdump && [ "$(uname -s)" = Linux ]; then printf ', for glibc %s or newer' "$(needed_glibc "$1")"; fi
}

# Usage: make_deb WORK VERSION OUT
make_deb() {
  local work=$1 version=$2 out=$3 package=$1/deb architecture documents
  architecture=$(dpkg --print-architecture)
  documents=$package/usr/share/doc/peso-workbench
  mkdir -p "$package/DEBIAN"
  cp -R "$work/tree" "$package/usr"
  # Debian has its own places for these.
  mkdir -p "$package/usr/share/zsh/vendor-completions"
  mv "$package/usr/share/zsh/site-functions/_peso" "$package/usr/share/zsh/vendor-completions/"
  rmdir "$package/usr/share/zsh/site-functions"
  debian_copyright >"$documents/copyright"
  rm "$documents"/LICENSE-*
  cat >"$package/DEBIAN/control" <<CONTROL
Package: peso-workbench
Version: $version
Architecture: $architecture
Maintainer: PESO Workbench maintainers <maintainers@peso-workbench.invalid>
Installed-Size: $(du -sk "$package/usr" | cut -f1)
Depends: libc6 (>= $(needed_glibc "$work/tree/bin/peso")), libgcc-s1
Recommends: $deb_window, xdg-desktop-portal
Section: science
Priority: optional
Description: $summary
$(printf '%s\n' "$description" | sed 's/^/ /')
CONTROL
  (cd "$package" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
  local file=$out/peso-workbench_${version}_$architecture.deb
  dpkg-deb --root-owner-group -Zxz --build "$package" "$file" >/dev/null
  made+=("$file")
}

debian_copyright() {
  cat <<COPYRIGHT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: PESO Workbench

Files: *
Copyright: PESO Workbench maintainers
License: Expat or Apache-2.0

Files: usr/bin/peso
Copyright: PESO Workbench maintainers, and the authors of the libraries and of the font Inter that are linked into it
License: Expat or Apache-2.0, and others that are named in each library's source

License: Expat
$(deb822 "$root/LICENSE-MIT")

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.

License: OFL-1.1
$(deb822 "$root/assets/fonts/Inter-LICENSE.txt")
COPYRIGHT
}

# A text as a field of Debian's files: indented, with a dot for an empty line.
deb822() { sed 's/[[:space:]]*$//; s/^$/./; s/^/ /' "$1"; }

# Usage: make_rpm WORK VERSION OUT
make_rpm() {
  local work=$1 version=$2 out=$3 release=1 dependency
  {
    cat <<SPEC
Name: peso-workbench
Version: ${version//-/\~}
Release: $release
Summary: $summary
License: MIT OR Apache-2.0
# Built already, for another place: nothing is looked at again.
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
SPEC
    for dependency in $rpm_window; do echo "Recommends: $dependency"; done
    cat <<SPEC

%description
$description

%install
mkdir -p %{buildroot}
cp -a $work/tree %{buildroot}/usr

%files
SPEC
    (cd "$work/tree" && find . -type f | sort | sed 's|^\.|/usr|; s|^/usr/share/doc|%doc &|')
  } >"$work/peso-workbench.spec"
  rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_buildhost localhost" --define "_rpmdir $work/rpm/made" "$work/peso-workbench.spec" ||
    fail "rpmbuild could not make the .rpm"
  local file
  file=$(find "$work/rpm/made" -name '*.rpm')
  cp "$file" "$out/"
  made+=("$out/$(basename "$file")")
}

# Usage: make_tarball WORK VERSION OUT
make_tarball() {
  local work=$1 version=$2 out=$3 system name
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  name=peso-workbench-$version-$(uname -m)-${system/darwin/macos}
  cp -R "$work/tree" "$work/$name"
  cp "$root/README.md" "$work/$name/"
  cat >"$work/$name/INSTALL.txt" <<TEXT
bin/peso is the whole program and runs from any folder.

To have it for everybody:      sudo cp -R bin share /usr/local/
For yourself:                  mkdir -p ~/.local && cp -R bin share ~/.local/
Then menus, manual pages and shell completions find it, maybe after the next login.

The window opens libraries that most desktops have; \`bin/peso doctor\` says what a system lacks.
TEXT
  local file=$out/$name.tar.gz
  # Two packages of the same program are the same bytes where tar can do that.
  if tar --version 2>/dev/null | grep -q GNU; then
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime='2020-01-01 00:00Z' -cf - "$name" | gzip -9n >"$file"
  else
    tar -C "$work" -cf - "$name" | gzip -9n >"$file"
  fi
  made+=("$file")
}
