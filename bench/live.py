#!/usr/bin/env python3
"""Packets that one worker receives and inspects live in a second of its CPU time.

usage: live.py SENSOR GENERATOR [RULES] [--seconds S]

Frames are forged, loaded once and played without end by DPDK's net_pcap driver, so what is measured
is the sensor alone.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

HEADER_RULES = "".join(
    f'alert tcp any any -> any {port} (msg:"h{port}"; flags:SF; sid:{port};)\n'
    for port in range(1, 101))


def worker_seconds(process):
    """CPU time that the first worker has used; nothing while it has not begun."""
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().strip() == "W#01":
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def measure(options, capture, rules, folder, seconds):
    """One run. @return packets a second that were taken, and the share of them inspected"""
    folder.mkdir()
    command = [options.sensor, "-i", f"net_pcap0,rx_pcap={capture},infinite_rx=1", "-S", rules,
               "-l", folder, "-q", "--set", "shrike.live.buffers=16383", "--set",
               "unix-command.enabled=no"]
    run = subprocess.Popen([str(word) for word in command])
    while worker_seconds(run.pid) is None:
        time.sleep(0.1)
    time.sleep(seconds)
    busy_seconds = worker_seconds(run.pid)
    run.terminate()
    if run.wait(30) != 0:
        raise SystemExit(f"the sensor ended with {run.returncode}")
    with open(folder / "eve.json", encoding="utf-8") as file:
        stats = [json.loads(line) for line in file if '"event_type":"stats"' in line][-1]["stats"]
    taken = stats["capture"]["packets"]
    return taken / busy_seconds, stats["detect"]["inspected"] / max(1, taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sensor")
    parser.add_argument("generator")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sets = {"no rules": folder / "none.rules", "100 header rules": folder / "header.rules"}
        sets["no rules"].write_text("")
        sets["100 header rules"].write_text(HEADER_RULES)
        if options.rules:
            sets[pathlib.Path(options.rules).name] = pathlib.Path(options.rules)
        print(f"{'frame':>6} {'rules':20} {'packets/s':>12} {'Gbit/s':>8} {'inspected':>9}")
        for frame_bytes in (64, 1500):
            prefix = folder / f"frames{frame_bytes}"
            subprocess.run([options.generator, "--forge", "tcp", "--frame-bytes", str(frame_bytes),
                            "--conversations", "200", "--exchanges", "20", "--split", str(prefix),
                            "--queues", "1"], check=True, stdout=subprocess.DEVNULL)
            for number, (kind, rules) in enumerate(sets.items()):
                rate, share = measure(options, f"{prefix}.0.pcap", rules,
                                      folder / f"{frame_bytes}-{number}", options.seconds)
                gigabits = rate * frame_bytes * 8e-9
                print(f"{frame_bytes:>6} {kind:20} {rate:>12,.0f} {gigabits:>8.2f} {share:>9.1%}",
                      flush=True)


if __name__ == "__main__":
    main()
