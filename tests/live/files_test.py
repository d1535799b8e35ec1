#!/usr/bin/env python3
"""Rig A: DPDK's net_pcap driver plays one file a queue, and the alerts are those of `-r`.

usage: files_test.py SENSOR GENERATOR CAPTURES RULES [--count N] [--workers 1,2,4]
       files_test.py SENSOR GENERATOR --scenarios FOLDER --maker PROGRAM

Joins N captures of a folder to one, splits it over as many queues as there are workers, once as a
port with symmetric RSS does and once so that the two directions of a connection come apart, and
compares live alerts with those of reading the whole. Needs neither root nor a network card.
"""
import argparse
import sys

import captures
import rig
import sensor

#: With several workers, a datagram inside a tunnel reaches its owner a moment after its frame.
#: Files play at full speed, so hours of capture time may lie between: which of two alerts a
#: threshold lets through may then differ.
TUNNEL_SLACK = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sensor")
    parser.add_argument("generator")
    captures.add_arguments(parser)
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    with captures.workplace(options) as folder:
        sys.exit(0 if compare_all(options, folder) else 1)


def compare_all(options, folder):
    """Offline once, then live in every way. @return whether all hold"""
    packets, used = captures.join(options.captures, options.count)
    if not packets:
        raise SystemExit(f"no Ethernet captures in {options.captures}")
    print(f"{used} captures, {len(packets)} packets")
    base = [options.sensor, "-S", options.rules, "-q", "-k", "none"]
    captures.write(folder / "all.pcap", packets)
    expected = sensor.offline(base, folder / "all.pcap", folder / "offline")
    is_fine = True
    for workers in map(int, options.workers.split(",")):
        for spread in ("symmetric", "asymmetric") if workers > 1 else ("symmetric",):
            place = folder / f"{spread}-{workers}"
            paths, _ = rig.split(options.generator, [folder / "all.pcap"], place, workers,
                                 "--spread", spread)
            found = sensor.run(base + ["-i", rig.pcap_port(paths), "-j", workers, "--set",
                                       "shrike.live.stop-when-idle-seconds=1"], place)
            slack = TUNNEL_SLACK if found.count("worker.datagrams_handed_over") else 0
            is_fine &= sensor.agrees(f"{workers} workers, {spread}", expected, found,
                                     len(packets), slack)
    return is_fine


if __name__ == "__main__":
    main()
