#!/usr/bin/env python3
"""Rig A: DPDK's net_pcap driver plays one file a queue, and the alerts are those of `-r`.

usage: files_test.py SENSOR CAPTURES RULES [--count N] [--workers 1,2,4]
       files_test.py SENSOR --scenarios FOLDER --maker PROGRAM

Joins N captures of a folder to one, splits it over as many queues as there are workers, once as a
port with symmetric RSS does and once so that the two directions of a connection come apart, and
compares live alerts with those of reading the whole. Needs neither root nor a network card.
"""
import argparse
import pathlib
import sys
import tempfile

import captures
import sensor

#: With several workers, a datagram inside a tunnel reaches its owner a moment after its frame.
#: Files play at full speed, so hours of capture time may lie between: which of two alerts a
#: threshold lets through may then differ.
TUNNEL_SLACK = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sensor")
    parser.add_argument("captures", nargs="?")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--scenarios")
    parser.add_argument("--maker")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.scenarios:
            (folder / "made").mkdir()
            options.captures = folder / "made"
            options.rules = captures.make(options.maker, options.scenarios, options.captures)
        sys.exit(0 if compare_all(options, folder) else 1)


def compare_all(options, folder):
    """Offline once, then live in every way. @return whether all hold"""
    packets, used = captures.join(options.captures, options.count)
    if not packets:
        raise SystemExit(f"no Ethernet captures in {options.captures}")
    print(f"{used} captures, {len(packets)} packets")
    base = [options.sensor, "-S", options.rules, "-q", "-k", "none"]
    captures.write(folder / "all.pcap", packets)
    expected = sensor.run(base + ["-r", folder / "all.pcap"], folder / "offline")
    if not expected.alerts:
        raise SystemExit("no alert at all: nothing to compare")
    is_fine = True
    for workers in map(int, options.workers.split(",")):
        for is_symmetric in (True, False) if workers > 1 else (True,):
            is_fine &= compare(base, folder, packets, workers, is_symmetric, expected)
    return is_fine


def compare(base, folder, packets, workers, is_symmetric, expected):
    """One live run. @return whether it holds"""
    kind = "symmetric" if is_symmetric else "asymmetric"
    device = "net_pcap0"
    for queue, part in enumerate(captures.split(packets, workers, is_symmetric)):
        path = folder / f"{kind}-{workers}-{queue}.pcap"
        captures.write(path, part)
        device += f",rx_pcap={path}"
    found = sensor.run(base + ["-i", device, "-j", workers, "--set",
                               "shrike.live.stop-when-idle-seconds=1"],
                       folder / f"{kind}-{workers}")
    different = sensor.difference(expected, found)
    wrong = sensor.accounts(found, len(packets))
    is_fine = not wrong and len(different) <= (
        TUNNEL_SLACK if found.count("worker.datagrams_handed_over") else 0)
    print(f"{workers} workers, {kind}: {sum(found.alerts.values())} of "
          f"{sum(expected.alerts.values())} alerts, {found.count('worker.taken_over')} handed "
          "over: "
          f"{'ok' if is_fine else 'FAILED'}")
    for line in different + wrong:
        print("  " + line)
    return is_fine


if __name__ == "__main__":
    main()
