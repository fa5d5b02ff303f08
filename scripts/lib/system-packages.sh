# shellcheck shell=bash
# Finds out what the system lacks and installs that and nothing else; sourced by scripts/run and scripts/test.
#
# Needs are named once (`compiler`, `download`, `libX11.so.6`, …), probed for by looking, and mapped to one package
# for each package manager. Works with bash 3.2, which macOS still ships.

# What winit, wgpu and xkbcommon open at run time. They are not linked, so a build does not notice that one is absent.
window_libraries=(
  libX11.so.6 libX11-xcb.so.1 libXcursor.so.1 libXi.so.6 libXrandr.so.2 libxkbcommon.so.0 libxkbcommon-x11.so.0
  libwayland-client.so.0 libEGL.so.1 libvulkan.so.1
)

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "error: $*"
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# A compiler is there when it makes a program: one without its C library's headers or a linker does not.
has_compiler() {
  has cc || return 1
  local folder status=0
  folder=$(mktemp -d)
  printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >"$folder/probe.c"
  cc -o "$folder/probe" "$folder/probe.c" >/dev/null 2>&1 || status=1
  rm -rf "$folder"
  return "$status"
}

has_library() {
  local known folder
  # Outside root's PATH on Debian.
  known=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null || true)
  case "$known" in *$'\t'"$1 "*) return 0 ;; esac
  for folder in ${LD_LIBRARY_PATH:+${LD_LIBRARY_PATH//:/ }} /usr/lib /usr/lib64 /usr/local/lib; do
    [ -e "$folder/$1" ] && return 0
  done
  return 1
}

# Whether a Vulkan driver description (a pattern of its file name) is installed.
has_driver_file() {
  local folder
  for folder in /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d; do
    compgen -G "$folder/$1" >/dev/null && return 0
  done
  return 1
}

has_gpu() { compgen -G '/dev/dri/renderD*' >/dev/null || [ -e /dev/nvidia0 ]; }

# True when `need` is met.
is_met() {
  case "$1" in
    compiler) has_compiler ;;
    download) has curl ;;
    # Without a GPU only Mesa's software driver can draw; with one, its own driver does.
    driver) [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || has_driver_file 'lvp_icd*.json' ||
      { has_gpu && has_driver_file '*.json'; } ;;
    # The window's tests compare pictures, which only the software driver draws alike everywhere.
    software-driver) [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || has_driver_file 'lvp_icd*.json' ;;
    *) has_library "$1" ;;
  esac
}

# The first package manager of this system that is known here, or nothing.
package_manager() {
  local name
  for name in apt-get dnf pacman; do
    if has "$name"; then
      printf '%s' "$name"
      return
    fi
  done
}

# Usage: packages_for MANAGER NEED. Prints the packages that meet the need, separated by spaces.
packages_for() {
  case "$1:$2" in
    apt-get:compiler) echo gcc libc6-dev ;;
    apt-get:download) echo curl ca-certificates ;;
    apt-get:*driver) echo mesa-vulkan-drivers ;;
    apt-get:libX11.so.6) echo libx11-6 ;;
    apt-get:libX11-xcb.so.1) echo libx11-xcb1 ;;
    apt-get:libXcursor.so.1) echo libxcursor1 ;;
    apt-get:libXi.so.6) echo libxi6 ;;
    apt-get:libXrandr.so.2) echo libxrandr2 ;;
    apt-get:libxkbcommon.so.0) echo libxkbcommon0 ;;
    apt-get:libxkbcommon-x11.so.0) echo libxkbcommon-x11-0 ;;
    apt-get:libwayland-client.so.0) echo libwayland-client0 ;;
    apt-get:libEGL.so.1) echo libegl1 ;;
    apt-get:libvulkan.so.1) echo libvulkan1 ;;
    dnf:compiler) echo gcc ;;
    dnf:download) echo curl ;;
    dnf:*driver) echo mesa-vulkan-drivers ;;
    dnf:libX11.so.6) echo libX11 ;;
    dnf:libX11-xcb.so.1) echo libX11-xcb ;;
    dnf:libXcursor.so.1) echo libXcursor ;;
    dnf:libXi.so.6) echo libXi ;;
    dnf:libXrandr.so.2) echo libXrandr ;;
    dnf:libxkbcommon.so.0) echo libxkbcommon ;;
    dnf:libxkbcommon-x11.so.0) echo libxkbcommon-x11 ;;
    dnf:libwayland-client.so.0) echo libwayland-client ;;
    dnf:libEGL.so.1) echo mesa-libEGL ;;
    dnf:libvulkan.so.1) echo vulkan-loader ;;
    pacman:compiler) echo gcc ;;
    pacman:download) echo curl ;;
    pacman:*driver) echo vulkan-swrast ;;
    pacman:libX11*) echo libx11 ;;
    pacman:libXcursor.so.1) echo libxcursor ;;
    pacman:libXi.so.6) echo libxi ;;
    pacman:libXrandr.so.2) echo libxrandr ;;
    pacman:libxkbcommon.so.0) echo libxkbcommon ;;
    pacman:libxkbcommon-x11.so.0) echo libxkbcommon-x11 ;;
    pacman:libwayland-client.so.0) echo wayland ;;
    pacman:libEGL.so.1) echo libglvnd mesa ;;
    pacman:libvulkan.so.1) echo vulkan-icd-loader ;;
  esac
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif has sudo; then
    sudo "$@"
  else
    say "sudo is not installed, so this needs root: $*"
    return 1
  fi
}

# Usage: install_packages MANAGER PACKAGE...
install_packages() {
  local manager=$1
  shift
  case "$manager" in
    apt-get)
      as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
      ;;
    dnf) as_root dnf install -y --setopt=install_weak_deps=False "$@" ;;
    pacman)
      # Refreshing the lists of a running system without upgrading it would break it; a fresh one has none yet.
      if compgen -G '/var/lib/pacman/sync/*.db' >/dev/null; then
        as_root pacman -S --needed --noconfirm "$@"
      else
        as_root pacman -Sy --needed --noconfirm "$@"
      fi
      ;;
  esac >&2
}

# Usage: ensure NEED... Installs what is missing of the needs; true when all are met in the end.
ensure() {
  local need manager missing=() packages=()
  for need in "$@"; do
    is_met "$need" || missing+=("$need")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  manager=$(package_manager)
  if [ -z "$manager" ]; then
    say "Missing on this system: ${missing[*]}"
    say "Its package manager is not known here; please install what provides them"
    return 1
  fi
  for need in "${missing[@]}"; do
    # One need may take two packages.
    # shellcheck disable=SC2207
    packages+=($(packages_for "$manager" "$need"))
  done
  say "Missing on this system: ${missing[*]}"
  say "Installing with $manager: ${packages[*]}"
  install_packages "$manager" "${packages[@]}" || return 1
  for need in "${missing[@]}"; do
    is_met "$need" || {
      say "$need is still missing"
      return 1
    }
  done
}

ensure_compiler() {
  if [ "$(uname -s)" = Darwin ]; then
    xcode-select -p >/dev/null 2>&1 || fail "the C compiler is missing; run \`xcode-select --install\`, then this again"
  else
    ensure compiler || fail "a C compiler is needed"
  fi
}

# Usage: ensure_window_libraries DRIVER_NEED. Goes on without them: everything but the window works then.
ensure_window_libraries() {
  [ "$(uname -s)" = Linux ] || return 0
  ensure "${window_libraries[@]}" "$1" || say "Going on without them; the window and what it draws may not work"
}

# Usage: is_at_least VERSION WANTED. Compares major and minor.
is_at_least() {
  local major=${1%%.*} rest=${1#*.}
  local minor=${rest%%[!0-9]*}
  [ "$major" -gt "${2%%.*}" ] || { [ "$major" -eq "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

rust_is_new_enough() {
  local line
  line=$(cargo --version 2>/dev/null) || return 1
  line=${line#cargo }
  is_at_least "${line%% *}" "$1"
}

# Usage: ensure_rust MANIFEST. Rust as new as the manifest's `rust-version`, by rustup when it is absent or too old.
ensure_rust() {
  local wanted
  wanted=$(sed -n 's/^rust-version = "\([0-9]*\.[0-9]*\).*"/\1/p' "$1")
  [ -n "$wanted" ] || fail "no rust-version in $1"
  # Rust that rustup installed is found before an older one of the system.
  export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  rust_is_new_enough "$wanted" && return

  if has rustup; then
    say "Rust $wanted or newer is needed; updating the stable toolchain"
    rustup toolchain install stable --profile default || fail "rustup could not install the stable toolchain"
    export RUSTUP_TOOLCHAIN=stable
  else
    say "Rust $wanted or newer is needed; installing it with rustup into your home folder"
    ensure download || fail "curl is needed to install Rust"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
      RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- -y --no-modify-path --profile default --default-toolchain stable ||
      fail "rustup could not be installed; see https://rustup.rs"
  fi
  hash -r
  rust_is_new_enough "$wanted" || fail "Rust $wanted is needed, found: $(cargo --version 2>&1 || true)"
}
