# shellcheck shell=bash
# What Shrike is built from and tested with, on Debian 12. Sourced by demo.sh, test.sh and .ci/run.
# Nothing is fetched where everything is there.

build_packages=(g++ meson ninja-build pkg-config python3 libdpdk-dev libpcap-dev libfmt-dev
  libyaml-cpp-dev libcli11-dev libpcre2-dev zlib1g-dev libzstd-dev libssl-dev libgtest-dev
  libbenchmark-dev libbrotli-dev liblzma-dev libnghttp2-dev libmagic-dev nlohmann-json3-dev
  prometheus-cpp-dev libcap-ng-dev libpsl-dev libmaxminddb-dev nettle-dev)
# Hyperscan itself is for x86; Vectorscan is the same library for everyone else.
case "$(dpkg --print-architecture 2>/dev/null)" in
  amd64 | i386) build_packages+=(libhyperscan-dev) ;;
  *) build_packages+=(libvectorscan-dev) ;;
esac
# For .ci/run: other eyes on the code, what the conformance scorers need, and for tests/live a
# receiver, network namespaces, a second sender and a virtual machine. mold links faster.
# shellcheck disable=SC2034  # used by .ci/run
ci_packages=(clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev mold python3-yaml zstd
  dpdk-dev iproute2 procps tcpreplay qemu-system-x86 busybox-static)

# Prints those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# Installs what is missing of the named packages, or says what that is and gives up.
install_packages() {
  local missing=() run=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    printf 'Shrike needs Debian 12 packages that are not here, and there is no apt-get: %s\n' \
      "${missing[*]}" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
      printf 'These packages are missing, and only root can install them. Run once:\n' >&2
      printf '  sudo apt-get install %s\n' "${missing[*]}" >&2
      return 1
    fi
    run=(sudo)
  fi
  printf 'Installing %s\n' "${missing[*]}" >&2
  local quiet=(-qq -o Dpkg::Use-Pty=0)
  if ! "${run[@]}" apt-get "${quiet[@]}" update >/dev/null ||
    ! "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install -y \
      --no-install-recommends "${missing[@]}" >/dev/null; then
    printf 'apt-get could not install them: %s\n' "${missing[*]}" >&2
    return 1
  fi
}

# Sets up a build folder, once. @param $1 folder; the rest goes to meson.
set_up_build() {
  local folder=$1
  shift
  [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; return 1; }
  rm -f "$folder.log"
}
