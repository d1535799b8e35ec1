#!/usr/bin/env python3
"""A long run at half of what the sensor can take: memory stays flat, every packet is accounted for,
no counter goes backwards, alerts keep coming until the end, and log files that are rotated under
it lose no line.

usage: soak_test.py SENSOR GENERATOR MIXER CAPTURES RULES [--seconds 60] [--count N] [--new-hosts]
       soak_test.py SENSOR GENERATOR MIXER --scenarios FOLDER --maker PROGRAM

Mixes N captures, sends them over memif as fast as the sensor takes them to learn what that is, and
then over and over at half of it. Needs no root. For an hour: --seconds 3600 --new-hosts. Logs are
rotated 60 times, and what was rotated is read and removed.
"""
import itertools
import json
import pathlib
import signal
import sys
import time

import captures
import rig
import sensor

TRIAL_SECONDS = 8
#: Bursts of so long, so that neither end keeps a processor busy with waiting.
NAP_US = 1000
IDLE_POLLS = 16
#: Of both halves of the run without its first third, in which tables and pools are first touched.
MEMORY_GROWTH_MAX = 0.05
SAMPLES_MIN = 6


def main():
    rig.end_on_signals()
    parser = captures.mixing_parser(__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.5, help="of what the sensor can take")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--mtu", type=int, default=9000)
    parser.add_argument("--new-hosts", action="store_true", help="other addresses in each round")
    options = parser.parse_args()
    with captures.workplace(options) as folder:
        captures.mix(options, folder, options.count, 10000)
        trial = Run(options, folder / "trial", TRIAL_SECONDS, "max",
                    ["--set", "shrike.live.overload.enabled=no"])
        pps = int(trial.result.sent["packets_per_second"] * options.share)
        print(f"it takes {trial.result.sent['packets_per_second']:.0f} packets/s; "
              f"{options.seconds} s at {pps}", flush=True)
        sys.exit(report(Run(options, folder / "soak", options.seconds, f"{pps}pps")))


class Run:
    """One live run and what was seen of it: `samples` of resident memory in KiB, each interval."""

    def __init__(self, options, place, seconds, rate, settings=()):
        place.mkdir()
        self.interval_seconds = max(seconds // 60, 1)
        self.samples = []
        self.next_sample_at = 0.0
        self.logs = Logs(place / "log")
        wire = rig.memif_wire(place, options.workers)
        config = place / "ports.yaml"
        config.write_text(f"dpdk:\n  interfaces:\n    - interface: \"{wire.receiver_port}\"\n"
                          f"      mtu: {options.mtu}\n"
                          f"stats:\n  interval: {self.interval_seconds}\n")
        words = [place.parent / "all.pcap", "--lossless", "--rate", rate, "--nap-us", NAP_US,
                 "--loops", "0", "--duration", seconds] + ["--new-hosts"] * options.new_hosts
        with rig.Processes() as processes:
            self.result = rig.run_wire(
                processes, options.generator, wire, words,
                [options.sensor, "-S", options.rules, "-k", "none", *sensor.ANY_HOSTS, "--include",
                 config, "-i", wire.receiver_port, "-j", options.workers, "-l", place / "log",
                 "--set", "unix-command.enabled=no", "--set",
                 f"shrike.live.idle-polls={IDLE_POLLS}", *settings],
                seconds=seconds + 60, on_wait=self._sample)
        self.logs.read_rest()
        self.statistics = [dict(flat(each)) for each in self.logs.eve.all_statistics]

    def _sample(self, receiver):
        """Called over and over while the run waits."""
        if time.monotonic() < self.next_sample_at:
            return
        self.next_sample_at = time.monotonic() + self.interval_seconds
        status = pathlib.Path(f"/proc/{receiver.popen.pid}/status").read_text()
        if "VmRSS:" in status:
            self.samples.append(int(status.split("VmRSS:")[1].split()[0]))
            self.logs.rotate(receiver)


class Logs:
    """What a run writes, taken away from under it as logrotate does; lines are counted."""

    NAMES = ("eve.json", "fast.log")

    def __init__(self, folder):
        self.folder = folder
        self.eve = sensor.Eve()
        self.alert_lines = dict.fromkeys(self.NAMES, 0)

    def rotate(self, receiver):
        """Reads what was rotated the last time, which nobody writes to once there are new files.
        Where there are none, the sensor is still starting, and a signal would end it."""
        if not all((self.folder / name).exists() for name in self.NAMES):
            return
        self._read(".1")
        for name in self.NAMES:
            (self.folder / name).rename(self.folder / f"{name}.1")
        receiver.popen.send_signal(signal.SIGUSR1)

    def read_rest(self):
        for suffix in (".1", ""):
            self._read(suffix)

    def _read(self, suffix):
        for name in self.NAMES:
            path = self.folder / (name + suffix)
            if path.exists():
                self.alert_lines[name] += self._count(path, name == "eve.json")
                path.unlink()

    def _count(self, path, is_eve):
        count = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    raise SystemExit(f"{path}: half a line: {line[-200:]}")
                if is_eve and b'"event_type":"stats"' in line:
                    self.eve.take(json.loads(line))
                count += not is_eve or b'"event_type":"alert"' in line
        return count


def flat(tree, prefix=""):
    """(dotted name, value) of each counter."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, int):
            yield prefix + name, value


def backwards(records):
    """Counts of packets, bytes, records and alerts that fell from one record to the next."""
    for before, after in itertools.pairwise(records):
        for name, value in after.items():
            if name.startswith(("capture.", "decode.", "worker.", "output.", "detect.")) and \
                    value < before.get(name, 0) and not name.endswith(("load", "_max", "in_use")):
                yield f"{name} fell from {before[name]} to {value}"


def report(run):
    """Prints what was found. @return the exit status"""
    late = run.samples[len(run.samples) // 3:]
    half = len(late) // 2
    growth = max(late[half:]) / max(late[:half]) - 1
    faults = list(sensor.accounts(run.logs.eve, run.result.sent["packets"]))
    faults += list(backwards(run.statistics))[:10]
    alerts = [record.get("detect.alert", 0) for record in run.statistics]
    silent = sum(after == before for before, after in itertools.pairwise(alerts[:-1]))
    if run.result.returncode != 0:
        faults.append(f"the sensor ended with {run.result.returncode}:\n{run.result.log[-2000:]}")
    for name, lines in run.logs.alert_lines.items():
        if lines != alerts[-1]:
            faults.append(f"{lines} alerts in what was {name}, {alerts[-1]} written")
    if run.result.sent["refused"]:
        faults.append(f"{run.result.sent['refused']} packets refused by the wire")
    if len(run.samples) < SAMPLES_MIN or len(run.statistics) < SAMPLES_MIN:
        faults.append(f"only {len(run.samples)} samples and {len(run.statistics)} statistics")
    if growth > MEMORY_GROWTH_MAX:
        faults.append(f"memory grew by {growth:.1%}: {run.samples}")
    if silent > len(alerts) // 10:
        faults.append(f"{silent} of {len(alerts)} intervals without an alert")
    print(f"{run.result.sent['packets']} packets in {run.result.sent['seconds']:.0f} s, "
          f"{alerts[-1]} alerts, memory {late[0] // 1024} to {max(late) // 1024} MiB "
          f"({growth:+.1%}): {'FAILED' if faults else 'ok'}")
    for fault in faults:
        print("  " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    main()
