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
import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import captures
import rig
import sensor

#: Parts of the alerts that may differ: where an answer was polled before its request, and where a
#: threshold counts over several queues, whose order is that of polls.
ASYMMETRIC_SLACK = 0.3
SYMMETRIC_SLACK = 0.05


def main():
    rig.end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("sensor", "generator", "mixer"):
        parser.add_argument(name)
    parser.add_argument("captures", nargs="?")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--scenarios")
    parser.add_argument("--maker")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--wires", default="memif,vhost")
    parser.add_argument("--pps", type=int, default=10000)
    parser.add_argument("--asymmetric-pps", type=int, default=1000)
    parser.add_argument("--mtu", type=int, default=9000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.scenarios:
            (folder / "made").mkdir()
            options.captures = folder / "made"
            options.rules = captures.make(options.maker, options.scenarios, options.captures)
        sys.exit(0 if compare_all(options, folder) else 1)


def mix(options, folder, count, pps):
    """The capture that is sent, each packet a fixed time behind the one before."""
    chosen = folder / "chosen"
    chosen.mkdir(parents=True)
    paths = sorted(path for path in pathlib.Path(options.captures).rglob("*.pcap*")
                   if path.stat().st_size < 1 << 20)
    random.Random(7).shuffle(paths)
    paths = paths[:count]
    for path in paths:
        (chosen / path.name).symlink_to(path)
    megabytes = 1 + sum(path.stat().st_size for path in paths) // (1 << 20)
    subprocess.run([options.mixer, chosen, "-o", folder / "mix.pcap", "--megabytes",
                    str(megabytes), "--seconds", "1"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    step_ns = 10**9 // pps
    begin_ns = time.time_ns()
    packets = [(begin_ns + i * step_ns, frame[:options.mtu + 14], len(frame[:options.mtu + 14]))
               for i, (_, frame, _) in enumerate(captures.read(folder / "mix.pcap"))]
    captures.write(folder / "all.pcap", packets)
    print(f"{len(paths)} captures, {len(packets)} packets, {pps} a second")


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
    mix(options, folder, count, pps)
    # Hosts have new addresses, so rules that ask whose they are should take any.
    base = [options.sensor, "-S", options.rules, "-q", "-k", "none",
            "--set", "vars.address-groups.HOME_NET=any",
            "--set", "vars.address-groups.EXTERNAL_NET=any"]
    expected = sensor.run(base + ["-r", folder / "all.pcap"], folder / "offline").by_flow()
    if not expected.alerts:
        raise SystemExit("no alert at all: nothing to compare")
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
    different = sensor.difference(expected, found)
    share = ASYMMETRIC_SLACK if spread == "asymmetric" else SYMMETRIC_SLACK
    slack = sum(expected.alerts.values()) * share if workers > 1 else 0
    wrong = sensor.accounts(found, result.sent["packets"])
    print(f"{wire_name}, {workers} workers, {spread}: {sum(found.alerts.values())} of "
          f"{sum(expected.alerts.values())} alerts, {found.count('worker.taken_over')} handed "
          "over: "
          f"{'FAILED' if wrong or len(different) > slack else 'ok'}")
    for line in different + wrong:
        print("  " + line)
    shutil.rmtree(place)
    return not wrong and len(different) <= slack


if __name__ == "__main__":
    main()
