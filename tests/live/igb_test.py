#!/usr/bin/env python3
"""Rig E: as close to a network card as it gets without one. The sensor runs in a virtual machine on
Intel's 82576, which QEMU emulates from version 8 on, through DPDK's igb driver; the host sends at
it through a tap. What is asked of it is what rig D asks of virtio-net (qemu_test.py). The burst
goes to one queue: where one of several is full, this card drops for it, and QEMU counts that
nowhere.

usage: igb_test.py SENSOR MIXER CAPTURES RULES --cache FOLDER [--count N] [--qemu PROGRAM]
       igb_test.py SENSOR MIXER --scenarios FOLDER --maker PROGRAM --cache FOLDER [--qemu PROGRAM]

Debian 12 has QEMU 7.2. That of bookworm-backports need not be installed beside it: unpack it, and
give --qemu DIR/usr/bin/qemu-system-x86_64:

    apt-get download -t bookworm-backports qemu-system-x86
    dpkg-deb -x qemu-system-x86_*.deb DIR
"""
import subprocess
import sys

import captures
import guest
import qemu_test
import rig

CARDS = [guest.Card("igb", 4, model="igb")]


def main():
    rig.end_on_signals()
    parser = qemu_test.guest_parser(__doc__)
    parser.add_argument("--qemu", default=guest.QEMU, help="a QEMU that knows igb")
    options = parser.parse_args()
    if missing := guest.missing(options.qemu) or missing_card(options.qemu):
        rig.skip(missing)
    with captures.workplace(options) as folder:
        sys.exit(0 if test(options, qemu_test.kernel_or_skip(options), folder) else 1)


def missing_card(qemu):
    """Why this QEMU will not do, or nothing."""
    shown = subprocess.run([qemu, "-machine", "q35", "-device", "igb,help"], capture_output=True,
                           text=True, check=False)
    if shown.stdout.startswith("igb options"):  # an unknown device is no failure
        return None
    return f"{qemu} has no igb: QEMU 8 or later has; --help says where it comes from"


def test(options, kernel, folder):
    """All runs in one guest. @return whether all hold"""
    with qemu_test.bench_in_guest(options, kernel, folder, CARDS,
                                  options.qemu) as (bench, expected):
        is_fine = True
        for workers in map(int, options.workers.split(",")):
            is_fine &= bench.compare(0, workers, expected)
        return is_fine & bench.overload(0, 1)


if __name__ == "__main__":
    main()
