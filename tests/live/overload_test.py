#!/usr/bin/env python3
"""More than the sensor can inspect: it gives the elephant up, says so, and sees the rest.

usage: overload_test.py SENSOR GENERATOR [--pps N] [--flows N]

One connection whose every packet costs the rules a millisecond, and many small ones with an attack
in each, over memif (rig B) at a rate that does not wait for anyone. With the policy the attacks are
found once the elephant is gone; without it they go under with the rest. Needs no root.
"""
import argparse
import collections
import json
import pathlib
import struct
import sys
import tempfile

import captures
import rig
import sensor
from control_test import check

ELEPHANT_BYTES = 600  # of payload, in each of its packets
SYN, ACK, PUSH_ACK, FIN_ACK = 0x02, 0x10, 0x18, 0x11
#: Rules that begin at each "a" of the elephant anew, and give up only at the limit of steps.
SLOW_RULES = "".join(f'alert tcp any any -> any 9999 (msg:"slow"; content:"slowly"; '
                     f'pcre:"/(a+)+[bc]\\d{{{number + 1}}}/"; sid:{100 + number};)\n'
                     for number in range(60))
RULES = 'alert tcp any any -> any 80 (msg:"attack"; flow:established; content:"attack"; sid:1;)\n'
#: Of the small flows, those that must be found: the first ones come while it is not yet clear that
#: the sensor cannot keep up, and the wire has no room.
FOUND_MIN = 0.6


class Connection:
    """Frames of a TCP connection, without checksums."""

    def __init__(self, client, server_port):
        self.addresses = [bytes([10, 0, client >> 8, client & 255]), bytes([10, 9, 0, 1])]
        self.ports = [20000 + client, server_port]
        self.sequence = [1000, 5000]

    def frame(self, sender, flags, payload=b""):
        receiver = 1 - sender
        tcp = struct.pack(">HHIIBBHHH", self.ports[sender], self.ports[receiver],
                          self.sequence[sender], self.sequence[receiver] if flags & ACK else 0,
                          5 << 4, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0,
                         self.addresses[sender], self.addresses[receiver])
        self.sequence[sender] += len(payload) + (1 if flags & 0x03 else 0)
        return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + ip + tcp + payload

    def open(self):
        return [self.frame(0, SYN), self.frame(1, SYN | ACK), self.frame(0, ACK)]

    def attack(self):
        """The whole connection."""
        return self.open() + [self.frame(0, PUSH_ACK, b"an attack"), self.frame(1, ACK),
                              self.frame(0, FIN_ACK), self.frame(1, FIN_ACK), self.frame(0, ACK)]


def make_capture(path, flows, packets):
    """An elephant of about so many packets, with the small flows spread over its life."""
    elephant = Connection(40000, 9999)
    frames = elephant.open()
    bait = b"slowly" + b"a" * (ELEPHANT_BYTES - 6)
    for number in range(packets):
        frames.append(elephant.frame(0, PUSH_ACK, bait))
        if number % 4 == 3:
            frames.append(elephant.frame(1, ACK))
        if (number + 1) % (packets // flows) == 0 and (number + 1) // (packets // flows) <= flows:
            frames += Connection((number + 1) // (packets // flows), 80).attack()
    captures.write(path, [(captures.BEGIN_NS + i * 1000, frame, len(frame))
                          for i, frame in enumerate(frames)])


def told(eve_path):
    """What the overload events say, summed up by cause, and how many there are."""
    sums, count = collections.Counter(), 0
    with open(eve_path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if event["event_type"] != "overload":
                continue
            overload = event["overload"]
            count += 1
            check(overload["start"] < overload["end"], line)
            for cause in ("encrypted", "large", "elephant"):
                for what in ("flows", "packets", "bytes"):
                    sums[f"{cause}.{what}"] += overload[cause][what]
            check(all(overload[what] == sum(overload[cause][what] for cause in
                                            ("encrypted", "large", "elephant"))
                      for what in ("flows", "packets", "bytes")), line)
    return sums, count


def run(options, folder, name, *settings):
    """One run. @return its EVE, and how many attacks it found"""
    place = folder / name
    place.mkdir()
    wire = rig.memif_wire(place, 1, takes_long_frames=False)
    words = [word for setting in ("unix-command.enabled=no", *settings,
                                  "shrike.live.stop-when-idle-seconds=1")
             for word in ("--set", setting)]
    with rig.Processes() as processes:
        result = rig.run_wire(
            processes, options.generator, wire,
            [folder / "load.pcap", "--rate", f"{options.pps}pps"],
            [options.sensor, "-i", wire.receiver_port, "-S", folder / "test.rules", "-k", "none",
             "-l", place / "log", "--no-cache", *words, *sensor.ANY_HOSTS],
            is_drained=lambda receiver, _: receiver.popen.poll() is not None)
    check(result.returncode == 0, result.log)
    check("unaccounted" not in result.log, result.log)
    eve = sensor.Eve(place / "log")
    faults = sensor.accounts(eve, result.sent["packets"])
    check(not faults, f"{name}: {faults}")
    found = len({key[2:4] for key in eve.alerts if key[1] == 1})
    print(f"  {name}: {result.sent['packets']} packets taken, {result.sent['refused']} refused by "
          f"the wire, {found} of {options.flows} attacks found, "
          f"{eve.count('flow_bypassed.local_bytes')} bytes not inspected")
    return eve, found


def main():
    rig.end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sensor")
    parser.add_argument("generator")
    parser.add_argument("--pps", type=int, default=6000)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--flows", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "test.rules").write_text(RULES + SLOW_RULES)
        packets = (options.pps * options.seconds - 8 * options.flows) * 4 // 5
        make_capture(folder / "load.pcap", options.flows, packets)
        depth = "shrike.live.overload.depth=65536"
        eve, found = run(options, folder, "with the policy", depth)
        sums, count = told(folder / "with the policy" / "log" / "eve.json")
        check(count > 0, "an overload is told")
        for what, value in sums.items():
            check(value == eve.count(f"overload.{what}"), f"{what}: {value} told")
        check(eve.count("overload.large.flows") == 1, "the elephant alone is given up")
        check(sums["large.bytes"] > packets * ELEPHANT_BYTES // 2, f"most of it: {sums}")
        check(found >= options.flows * FOUND_MIN, "the attacks are found all the same")
        without, lost = run(options, folder, "without", "shrike.live.overload.enabled=no")
        check(without.count("overload.large.flows") == 0, "nothing is given up")
        check(lost < found, "without the policy they go under")
    print("ok")


if __name__ == "__main__":
    sys.exit(main())
