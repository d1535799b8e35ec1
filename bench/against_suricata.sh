#!/usr/bin/env bash
# Runs an installed Suricata and Shrike over the same capture with the same rules, one worker
# each, alerts only, and prints how the CPU time they spend after start-up compares, and start-up.
#
# usage: bench/against_suricata.sh CAPTURE RULES CONFIG [ROUNDS]
#   CAPTURE  a pcap file, large enough that start-up does not matter (tools/traffic_mix makes one)
#   RULES    a rule file that both load
#   CONFIG   a suricata.yaml that both read (variables, alerts only)
#   ROUNDS   runs of each, in turn (default 3); the median counts
# environment: SHRIKE (default build/src/app/shrike), SURICATA (default suricata)
#
# CPU time after start-up is user + system time of the whole process less that of a run over a
# capture of one packet. Start-up is the wall time of that short run, Shrike's from its cache.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,14s/^# \{0,1\}//p' "$0"
  exit 2
fi
capture=$1 rules=$2 config=$3 rounds=${4:-3}
shrike=${SHRIKE:-$(dirname "$0")/../build/src/app/shrike}
suricata=${SURICATA:-suricata}
command -v "$suricata" >/dev/null || {
  echo "against_suricata: no suricata here; on Debian 12:" \
    "apt-get install -t bookworm-backports suricata" >&2
  exit 1
}
[ -x "$shrike" ] || {
  echo "against_suricata: $shrike is not built; run tools/test.sh" >&2
  exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# One packet: an ARP request, so that nothing is inspected.
{
  printf '\xd4\xc3\xb2\xa1\x02\x00\x04\x00\0\0\0\0\0\0\0\0\xff\xff\x00\x00\x01\0\0\0'  # file
  printf '\0\0\0\0\0\0\0\0\x2a\0\0\0\x2a\0\0\0'                                # record
  printf '\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06'                          # Ethernet
  printf '\0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x01\x0a\0\0\x01\0\0\0\0\0\0\x0a\0\0\x02'
} >"$scratch/one.pcap"

# Prints "CPU-seconds wall-seconds" of a command whose output is thrown away.
measure() {
  local TIMEFORMAT='%U %S %R'
  { time "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; return 1; }; } 2>"$scratch/time"
  tail -n 1 "$scratch/time" | awk '{printf "%.3f %.3f\n", $1 + $2, $3}'
}
run_suricata() {
  mkdir -p "$scratch/suricata"
  measure "$suricata" -c "$config" -S "$rules" -r "$1" -l "$scratch/suricata" -k none \
    --runmode single --set pcap-file.checksum-checks=no
}
run_shrike() {
  mkdir -p "$scratch/shrike"
  measure "$shrike" -q -c "$config" -S "$rules" -r "$1" -l "$scratch/shrike" -k none -j 1 \
    --cache-dir "$scratch/cache"
}
median() {
  sort -n | awk '{v[NR] = $1} END {h = int((NR + 1) / 2); print (v[h] + v[NR + 1 - h]) / 2}'
}

run_shrike "$scratch/one.pcap" >/dev/null  # fills the cache
for round in $(seq "$rounds"); do
  for sensor in suricata shrike; do
    rm -rf "${scratch:?}/$sensor"
    read -r start_cpu start_wall < <("run_$sensor" "$scratch/one.pcap")
    rm -rf "${scratch:?}/$sensor"
    read -r cpu _ < <("run_$sensor" "$capture")
    alerts=$(grep -c '"event_type":"alert"' "$scratch/$sensor/eve.json" || true)
    echo "$cpu $start_cpu" | awk '{print $1 - $2}' >>"$scratch/$sensor.cpu"
    echo "$start_wall" >>"$scratch/$sensor.start"
    printf 'round %s  %-8s  %s CPU s after start-up  %s s start-up  %s alerts\n' "$round" \
      "$sensor" "$(tail -n 1 "$scratch/$sensor.cpu")" "$start_wall" "$alerts"
  done
done
theirs=$(median <"$scratch/suricata.cpu") ours=$(median <"$scratch/shrike.cpu")
their_start=$(median <"$scratch/suricata.start") our_start=$(median <"$scratch/shrike.start")
echo "$theirs $ours $their_start $our_start" | awk '{
  printf "CPU after start-up: suricata %.2f s, shrike %.2f s: ", $1, $2
  printf "shrike takes %.3f of it (%.1f times as fast)\n", $2 / $1, $1 / $2
  printf "start-up: suricata %.2f s, shrike %.2f s (%.1f times as fast)\n", $3, $4, $3 / $4}'
