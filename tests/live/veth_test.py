#!/usr/bin/env python3
"""Rig C: through the kernel. The sensor watches one end of an Ethernet cable between two network
namespaces (`-i`, DPDK's af_packet driver), the generator sends at the other.

usage: veth_test.py SENSOR GENERATOR MIXER --scenarios FOLDER --maker PROGRAM
       veth_test.py SENSOR GENERATOR MIXER CAPTURES RULES [--count N]

Alerts are those of -r, and what the sensor took is what the kernel counted, less the fragments that
it put together or keeps. Needs root; says why it is skipped where it cannot run.
"""
import sys

import captures
import rig
import sensor


def main():
    rig.end_on_signals()
    parser = captures.mixing_parser(__doc__)
    parser.add_argument("--pps", type=int, default=5000)
    options = parser.parse_args()
    options.mtu = 1500
    if missing := rig.missing_for_veth():
        rig.skip(missing)
    with captures.workplace(options) as folder:
        captures.mix(options, folder / "sent", options.count, options.pps)
        base = [options.sensor, "-S", options.rules, "-k", "none"] + sensor.ANY_HOSTS
        expected = sensor.offline(base, folder / "sent" / "all.pcap",
                                  folder / "offline").by_flow()
        is_fine = True
        for workers in (1, 2, 4):
            is_fine &= compare(options, base, folder, workers, expected)
    sys.exit(0 if is_fine else 1)


def compare(options, base, folder, workers, expected):
    """One live run. @return whether it holds"""
    place = folder / f"veth-{workers}"
    place.mkdir()
    with rig.Processes() as processes, rig.VethPair(queues=workers) as pair:
        result = rig.run_veth(
            processes, pair,
            lambda: rig.generate_veth(processes, pair, options.generator,
                                      [folder / "sent" / "all.pcap", "--rate",
                                       f"{options.pps}pps"], place),
            base + ["-i", pair.receiver_interface, "-j", workers, "-l", place / "log", "--set",
                    "unix-command.enabled=no"],
            place, ready="stop with Ctrl-C")
        arrived = pair.received_packets() - pair.rebuilt_fragments()
    if result.returncode != 0:
        print(f"{workers} workers: the sensor ended with {result.returncode}\n{result.log}")
        return False
    if "the kernel puts IPv4 fragments together" not in result.log:
        print(f"{workers} workers: the sensor does not say what it cannot see\n{result.log}")
        return False
    found = sensor.Eve(place / "log").by_flow()
    return sensor.agrees(f"veth, {workers} workers", expected, found, arrived)


if __name__ == "__main__":
    main()
