#!/usr/bin/env python3
"""Rig D: a network card that hashes by itself. The sensor runs in a virtual machine on virtio-net
devices of QEMU, through DPDK's own driver, and the host sends at them through taps.

usage: qemu_test.py SENSOR MIXER --scenarios FOLDER --maker PROGRAM --cache FOLDER
       qemu_test.py SENSOR MIXER CAPTURES RULES --cache FOLDER [--count N]

For 1, 2 and 4 queues: what the card took of key, hash types and redirection table is read back;
every packet comes to the queue of the worker that owns its hosts, so nothing is handed over; alerts
are those of -r (with rules that count nothing, since order between queues is that of polls); and
packets sent are packets received or lost with a cause. The same on a card that does not hash, where
workers must hand over, shows that the second claim can fail. Last, a burst that is more than the
guest can take: what is lost is counted where it is lost.

Needs root for taps, qemu-system-x86, busybox-static, and a kernel, which is downloaded to the cache
folder and not installed; says why it is skipped where it cannot run. Where there is no
virtualization, QEMU translates: that takes ten times as long.
"""
import argparse
import collections
import contextlib
import pathlib
import re
import sys
import time

import captures
import guest
import rig
import sensor

CARDS = [guest.Card("two", 2), guest.Card("four", 4), guest.Card("plain", 2, hashes=False)]
METRICS = "127.0.0.1:9640"
#: Parts of rules that count over several queues, whose order is that of polls.
COUNTING = re.compile(r"\b(threshold|detection_filter)\s*:[^;]*;")
#: Less than a queue has descriptors.
FRAMES_UNDER_WAY = 900
#: How long nothing may move before what is missing counts as lost.
PATIENCE_S = 10
#: More than the short cable, the card and a guest that is slow take at full speed.
BURST_FRAMES = 12000
BURST_ROOM = 500
SCARCE_BUFFERS = 2048  # the fewest that the sensor takes: twice the descriptors
PACKETS_A_SECOND = 5000  # in the captures' own time
SERVICE_TAG = b"\x88\xa8"  # 802.1ad: another tag may follow
TAG = b"\x81\x00"
CONFIGURATION = """%YAML 1.1
---
outputs:
  - eve-log: {enabled: yes, filename: eve.json, types: [alert, stats]}
unix-command: {enabled: no}
"""


def main():
    rig.end_on_signals()
    options = guest_parser(__doc__).parse_args()
    if missing := guest.missing():
        rig.skip(missing)
    with captures.workplace(options) as folder:
        sys.exit(0 if test(options, kernel_or_skip(options), folder) else 1)


def guest_parser(text):
    """Arguments of tests that run the sensor in a guest."""
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("sensor", "mixer"):
        parser.add_argument(name)
    captures.add_arguments(parser)
    parser.add_argument("--cache", required=True, help="folder for the guest's kernel")
    parser.add_argument("--workers", default="1,2,4")
    parser.set_defaults(mtu=1500)
    return parser


def kernel_or_skip(options):
    try:
        return guest.find_kernel(options.cache)
    except guest.NoKernel as fault:
        rig.skip(fault)


def test(options, kernel, folder):
    """All runs in one guest. @return whether all hold"""
    with bench_in_guest(options, kernel, folder, CARDS) as (bench, expected):
        is_fine = True
        for workers in map(int, options.workers.split(",")):
            is_fine &= bench.compare(1 if workers > 2 else 0, workers, expected)
        is_fine &= bench.compare(2, 2, expected)
        return is_fine & bench.overload(2, 2)


@contextlib.contextmanager
def bench_in_guest(options, kernel, folder, cards, qemu=guest.QEMU):
    """A guest that is up with these cards, what there is to send, and the alerts to expect."""
    captures.mix(options, folder / "sent", options.count, PACKETS_A_SECOND)
    rules = COUNTING.sub("", pathlib.Path(options.rules).read_text(encoding="utf-8"))
    (folder / "all.rules").write_text(rules, encoding="utf-8")
    (folder / "rig.yaml").write_text(CONFIGURATION)
    base = [options.sensor, "-S", folder / "all.rules", "-k", "none", "--include",
            folder / "rig.yaml"] + sensor.ANY_HOSTS
    expected = sensor.offline(base, folder / "sent" / "all.pcap", folder / "offline").by_flow()
    guest.pack(folder / "initramfs", kernel, options.sensor,
               {"etc/test.rules": folder / "all.rules", "etc/rig.yaml": folder / "rig.yaml",
                "usr/share/misc/magic.mgc": "/usr/share/misc/magic.mgc"})
    with rig.Processes() as processes, guest.Taps(cards) as taps:
        machine = guest.Guest(processes, taps, kernel, folder / "initramfs", folder, qemu)
        print(f"the guest runs on {machine.accelerator}, up after {machine.boot_seconds:.0f} s")
        yield Bench(taps, machine, folder), expected


class Bench:
    """Runs the sensor in the guest and sends to it."""

    def __init__(self, taps, machine, folder):
        self.taps = taps
        self.machine = machine
        self.folder = folder
        self.frames = [frame for _, frame, _ in captures.read(folder / "sent" / "all.pcap")]
        self.deep_frames = sum(map(is_deep, self.frames))

    def compare(self, number, workers, expected):
        """One run at a rate without loss. @return whether all that is asked of it holds"""
        card = self.taps.all[number].card
        title = f"{card.name}, {workers} workers"
        run = Run(self, number, workers)
        sent = len(self.frames)
        run.send_lossless(self.frames)
        run.drain(sent)
        queues = run.packets_by_worker()
        run.end()
        print(f"{title}: {run.port_line}\n  packets by worker: {queues}")
        faults = run.faults(sent) + self._steering_faults(workers, run, queues)
        if run.tap_dropped:
            faults.append(f"{run.tap_dropped} found no room on the cable")
        for fault in faults:
            print(f"  {fault}")
        return sensor.agrees(title, expected, run.found.by_flow(), run.tap_taken) & (not faults)

    def _steering_faults(self, workers, run, queues):
        """What a card that hashes, or does not, should have done otherwise."""
        if workers == 1:
            return []
        faults = []
        card = run.tap.card
        handed_over = run.found.count("worker.frames_handed_over")
        if len(queues) != workers or not all(queues.values()):
            faults.append("not every worker received packets")
        if card.hashes:
            if not re.search(r"symmetric hash of addresses \(types 0x[1-9a-f][0-9a-f]*, "
                             r"key (6d5a){20}\), table of 128\b", run.port_line):
                faults.append("the card did not take key, hash types and redirection table")
            if handed_over > self.deep_frames:
                faults.append(f"{handed_over} packets came to a queue of another worker")
        else:
            if "does not hash" not in run.port_line:
                faults.append("the sensor does not say that the card does not hash")
            if not handed_over:
                faults.append("nothing was handed over: how packets are spread does not show")
        return faults

    def overload(self, number, workers):
        """A burst on a short cable, to a sensor with as few packet buffers as it takes.
        @return whether every packet is somewhere"""
        run = Run(self, number, workers, "--set", f"shrike.live.buffers={SCARCE_BUFFERS}")
        frames = self.frames[:BURST_FRAMES]
        sent = len(frames)
        run.tap.shorten(BURST_ROOM)
        run.tap.send(frames)
        run.drain(sent)
        run.end()
        faults = run.faults(sent) + sensor.accounts(run.found, run.tap_taken)
        if not run.tap_dropped:
            faults.append("nothing was lost: that was no burst")
        print(f"burst: {sent} sent = {run.tap_taken} taken off the cable + {run.tap_dropped} that "
              f"found no room: {'FAILED' if faults else 'ok'}")
        for fault in faults:
            print(f"  {fault}")
        return not faults


def is_deep(frame):
    """More VLAN tags than the card understands, which then uses its first queue."""
    at = 12 + (4 if frame[12:14] == SERVICE_TAG else 0)
    return frame[at:at + 2] == TAG and frame[at + 4:at + 6] in (TAG, SERVICE_TAG)


class Run:
    """One sensor in the guest, from its start to what it wrote."""

    def __init__(self, bench, number, workers, *arguments):
        self.bench = bench
        self.machine = bench.machine
        self.tap = bench.taps.all[number]
        self.before = self.tap.counts()
        self.log = f"/log/{self.tap.card.name}-{workers}-{time.monotonic_ns()}"
        self.place = bench.folder / pathlib.PurePath(self.log).name
        self.place.mkdir()
        self.tap_taken = self.tap_dropped = 0
        self.done = 0
        self.stands_still = False
        self.found = None
        self.status = None
        self.port_line = ""
        self._start(number, workers, arguments)

    def _start(self, number, workers, arguments):
        words = ["shrike", "-S", "/etc/test.rules", "-k", "none", "--include", "/etc/rig.yaml",
                 *sensor.ANY_HOSTS, "-i", self.machine.address(number), "-j", workers, "-l",
                 self.log, "--cache-dir", "/cache", "--set", f"shrike.live.metrics={METRICS}",
                 *arguments]
        command = " ".join(f"'{word}'" for word in words)
        self.machine.run(f"mkdir -p {self.log} /cache; {command} >{self.log}/out 2>&1 & pid=$!")
        rig.wait_until(self._is_ready, 180, "the sensor's start in the guest")
        self.port_line = next(line for line in self._output().splitlines()
                              if line.startswith("shrike: port "))
        self.moved = time.monotonic()

    def _output(self):
        return self.machine.run(f"cat {self.log}/out")[1].replace("\r", "")

    def _is_ready(self):
        time.sleep(0.3)
        ended, _ = self.machine.run("! kill -0 $pid")
        if ended == 0:
            raise RuntimeError(f"the sensor ended in the guest:\n{self._output()}")
        return self.machine.run(f"grep -q 'stop with Ctrl-C' {self.log}/out")[0] == 0

    def send_lossless(self, frames):
        """Sends no more than the card has descriptors before the sensor has dealt with that. Where
        a packet that one queue of the tap brought must wait for room in another queue of the card,
        QEMU 7.2 forgets about it, and that queue of the tap stands still for good."""
        sent = 0
        while sent < len(frames) and not self.stands_still:
            chunk = frames[sent:sent + FRAMES_UNDER_WAY - (sent - self.done)]
            self.tap.send(chunk)
            sent += len(chunk)
            self._look()

    def _on_the_cable(self):
        return [now - before for now, before in zip(self.tap.counts(), self.before)]

    def _metric(self, name):
        """A counter of the running sensor by thread."""
        _, text = self.machine.run(f"wget -q -O - http://{METRICS}/metrics | grep '^{name}{{'")
        return collections.Counter({thread: int(float(value)) for thread, value in re.findall(
            rf'^{name}{{\w+="([^"]*)"}} (\S+)', text, re.M)})

    def drain(self, sent):
        """Waits until QEMU has taken what is on the cable, and the sensor has dealt with that. What
        is missing in the end shows in the accounts."""
        while not self.stands_still:
            taken, dropped = self._on_the_cable()
            if taken + dropped >= sent and self.done >= taken:
                break
            self._look()

    def _look(self):
        """Asks the sensor how much it has dealt with."""
        done = sum(self._metric("shrike_worker_frames_decoded").values())
        if done != self.done:
            self.done, self.moved = done, time.monotonic()
        self.stands_still = time.monotonic() > self.moved + PATIENCE_S

    def packets_by_worker(self):
        return dict(self._metric("shrike_capture_packets"))

    def end(self):
        """SIGTERM; then all that it wrote is there, and the guest keeps no more of it."""
        self.status, _ = self.machine.run("kill -TERM $pid; wait $pid")
        self.tap_taken, self.tap_dropped = self._on_the_cable()
        self.machine.fetch(f"{self.log}/eve.json", self.place / "eve.json")
        (self.place / "out").write_text(self._output())
        self.machine.run(f"rm -r {self.log}")
        self.found = sensor.Eve(self.place)

    def faults(self, sent):
        """What does not add up from the sender to the workers, as lines."""
        faults = []
        if self.status != 0:
            faults.append(f"SIGTERM ended the sensor with {self.status}:\n"
                          f"{(self.place / 'out').read_text()}")
        if sent != self.tap_taken + self.tap_dropped:
            faults.append(f"{sent} sent, {self.tap_taken} taken off the cable and "
                          f"{self.tap_dropped} dropped there")
        arrived = self.found.count("port.received")
        lost = self.found.count("capture.kernel_drops") + self.found.count("port.errors")
        if self.tap_taken != arrived + lost:
            faults.append(f"{self.tap_taken} at the port, {arrived} received and {lost} lost")
        if arrived != self.found.count("capture.packets"):
            faults.append(f"{arrived} received, {self.found.count('capture.packets')} taken")
        return faults


if __name__ == "__main__":
    main()
