#!/usr/bin/env bash
# Builds Shrike and shows what it finds in a capture made for the occasion. Run it again as often
# as you like: only what changed is done anew.
#
# usage: tools/demo.sh [BUILD-FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh

build=$(realpath -m "${1:-build}")
install_packages "${build_packages[@]}"
set_up_build "$build" --buildtype=release
printf 'Building in %s\n' "$build" >&2
ninja -C "$build" --quiet src/app/shrike tools/demo_capture/demo_capture >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/demo_capture/demo_capture" "$work/demo.pcap"
cd "$work"
rules=$OLDPWD/rules/example.rules

printf '\n$ shrike -r demo.pcap -S rules/example.rules -l out\n'
"$build/src/app/shrike" -r demo.pcap -S "$rules" -l out
printf '\n$ cat out/fast.log\n'
cat out/fast.log
printf '\n$ grep alert out/eve.json | head -n 1\n'
grep '"event_type":"alert"' out/eve.json | head -n 1
