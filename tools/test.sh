#!/usr/bin/env bash
# Builds Shrike and runs all its tests. Run it again as often as you like: only what changed is
# built anew.
#
# usage: tools/test.sh [BUILD-FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh

build=${1:-build}
install_packages "${build_packages[@]}"
set_up_build "$build" --buildtype=release
printf 'Building in %s\n' "$build" >&2
ninja -C "$build" --quiet >&2
meson test -C "$build" --no-rebuild --print-errorlogs
