"""Runs the sensor, offline and live, and reads what it wrote."""
import collections
import json
import pathlib
import subprocess


#: Where captures were given other hosts, rules that ask whose they are should take any.
ANY_HOSTS = ["--set", "vars.address-groups.HOME_NET=any",
             "--set", "vars.address-groups.EXTERNAL_NET=any"]


class Eve:
    """What one run wrote: its alerts, and its statistics, the last as `statistics`."""

    def __init__(self, folder=None):
        self.alerts = collections.Counter()
        self.all_statistics = []
        if folder:
            with open(pathlib.Path(folder) / "eve.json", encoding="utf-8") as file:
                for line in file:
                    self.take(json.loads(line))

    def take(self, event):
        if event["event_type"] == "stats":
            self.all_statistics.append(event["stats"])
        elif event["event_type"] == "alert":
            self.alerts[(event["timestamp"], event["alert"]["signature_id"], event.get("src_ip"),
                         event.get("src_port"), event.get("dest_ip"), event.get("dest_port"),
                         event["proto"], event.get("pkt_src"))] += 1

    @property
    def statistics(self):
        return self.all_statistics[-1] if self.all_statistics else {}

    def by_flow(self):
        """Which signature fired how often on which flow, whenever and on whatever packet."""
        counted = collections.Counter()
        for key, count in self.alerts.items():
            counted[key[1:-1]] += count
        self.alerts = counted
        return self

    def count(self, name):
        """A counter by its dotted name."""
        value = self.statistics
        for part in name.split("."):
            value = value.get(part, {})
        return value if isinstance(value, int) else 0


def run(words, folder, seconds=300):
    """Runs to the end; fails where the sensor does."""
    done = subprocess.run([str(word) for word in words] + ["-l", str(folder)], timeout=seconds,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n"
                         f"{done.stdout}{done.stderr}")
    return Eve(folder)


def offline(base, capture, folder):
    """What -r makes of a capture; fails where that is nothing to compare with."""
    expected = run(base + ["-r", capture], folder)
    if not expected.alerts:
        raise SystemExit("no alert at all: nothing to compare")
    return expected


def difference(expected, found):
    """Lines that say what is missing in `found` and what is too much; none where both agree."""
    return [f"missing: {key}" for key in (expected.alerts - found.alerts).elements()] + \
        [f"too much: {key}" for key in (found.alerts - expected.alerts).elements()]


def accounts(eve, sent):
    """What does not add up from the sender to the decoders, as lines. The law of accounting."""
    taken = eve.count("capture.packets")
    decoded = eve.count("worker.frames_decoded")
    held_back = eve.count("capture.filtered") + eve.count("capture.too_long")
    handed = eve.count("worker.frames_handed_over") + eve.count("worker.datagrams_handed_over")
    faults = []
    if sent != taken:
        faults.append(f"{sent} sent, {taken} taken")
    if taken != decoded + held_back:
        faults.append(f"{taken} taken, {decoded} decoded and {held_back} held back")
    if handed != eve.count("worker.taken_over"):
        faults.append(f"{handed} handed over, {eve.count('worker.taken_over')} taken over")
    for name in ("worker.datagrams_lost", "output.records_dropped", "output.records_early"):
        if eve.count(name):
            faults.append(f"{name} is {eve.count(name)}")
    return faults


def agrees(title, expected, found, sent, slack=0, shown_max=10):
    """Says how a live run compares with -r.
    @param sent   packets that were sent to it
    @param slack  differences that are let pass
    @return whether it holds"""
    different = difference(expected, found)
    wrong = accounts(found, sent)
    is_fine = not wrong and len(different) <= slack
    print(f"{title}: {sum(found.alerts.values())} of {sum(expected.alerts.values())} alerts, "
          f"{found.count('worker.taken_over')} handed over: {'ok' if is_fine else 'FAILED'}")
    for line in different[:shown_max] + wrong:
        print("  " + line)
    if len(different) > shown_max:
        print(f"  … {len(different)} differences in all")
    return is_fine
