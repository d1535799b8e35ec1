#!/usr/bin/env python3
"""Rig B: the generator and the sensor as two processes, and the alerts are those of `-r`.

usage: wires_test.py SENSOR GENERATOR MIXER CAPTURES RULES [--count N] [--workers 1,2,4] [--pps N]
       wires_test.py SENSOR GENERATOR MIXER --scenarios FOLDER --maker PROGRAM

Gives each of N captures hosts of its own, mixes them to one second of traffic, and sends it at a
steady rate over memif and over vhost, with as many queues as the sensor has workers, once by a
symmetric hash and once with the two directions of every connection on different queues. Read with
-r, the same capture has the times at which its packets were due. Needs no root.

What comes over two queues is put in order by when it was polled, so a request and its answer stay
in order only where polls are closer to each other than packets. Where processes share few cores
they are not: fewer captures are sent that way, and slowly. An acknowledgement may still come too
late for an alert, which then fires at the flow's end: alerts are compared by signature and flow.
"""
import shutil
import sys

import captures
import rig
import sensor

#: Parts of the alerts that may differ: where an answer was polled before its request, and where a
#: threshold counts over several queues, whose order is that of polls.
ASYMMETRIC_SLACK = 0.3
SYMMETRIC_SLACK = 0.05


def main():
    rig.end_on_signals()
    parser = captures.mixing_parser(__doc__)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--wires", default="memif,vhost")
    parser.add_argument("--pps", type=int, default=10000)
    parser.add_argument("--asymmetric-pps", type=int, default=1000)
    parser.add_argument("--mtu", type=int, default=9000)
    options = parser.parse_args()
    with captures.workplace(options) as folder:
        sys.exit(0 if compare_all(options, folder) else 1)


def compare_all(options, folder):
    """Both ways of spreading. @return whether all hold"""
    workers = [int(number) for number in options.workers.split(",")]
    return compare_spread(options, folder / "symmetric", (options.count, options.pps, workers)) & \
        compare_spread(options, folder / "asymmetric",
                       (options.count // 5, options.asymmetric_pps,
                        [number for number in workers if number > 1]))


def compare_spread(options, folder, sizes):
    """Offline once, then over every wire. @return whether all hold"""
    count, pps, all_workers = sizes
    captures.mix(options, folder, count, pps)
    base = [options.sensor, "-S", options.rules, "-q", "-k", "none"] + sensor.ANY_HOSTS
    expected = sensor.offline(base, folder / "all.pcap", folder / "offline").by_flow()
    is_fine = True
    for wire_name in options.wires.split(","):
        for workers in all_workers:
            is_fine &= compare(options, base, folder, (wire_name, workers, pps), expected)
    return is_fine


def compare(options, base, folder, kind, expected):
    """One live run. @return whether it holds"""
    wire_name, workers, pps = kind
    spread = folder.name
    place = folder / f"{wire_name}-{workers}"
    place.mkdir()
    make = rig.memif_wire if wire_name == "memif" else rig.vhost_wire
    wire = make(place, workers)
    config = place / "ports.yaml"
    config.write_text(f"dpdk:\n  interfaces:\n    - interface: \"{wire.receiver_port}\"\n"
                      f"      mtu: {options.mtu}\n")
    with rig.Processes() as processes:
        result = rig.run_wire(
            processes, options.generator, wire,
            [folder / "all.pcap", "--lossless", "--rate", f"{pps}pps", "--spread", spread],
            base + ["--include", config, "-i", wire.receiver_port, "-j", workers, "-l",
                    place / "log", "--set", "unix-command.enabled=no"])
    if result.returncode != 0:
        print(f"{kind}: the sensor ended with {result.returncode}\n{result.log[-2000:]}")
        return False
    found = sensor.Eve(place / "log").by_flow()
    share = ASYMMETRIC_SLACK if spread == "asymmetric" else SYMMETRIC_SLACK
    slack = sum(expected.alerts.values()) * share if workers > 1 else 0
    shutil.rmtree(place)
    return sensor.agrees(f"{wire_name}, {workers} workers, {spread}", expected, found,
                         result.sent["packets"], slack)


if __name__ == "__main__":
    main()
