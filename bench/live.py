#!/usr/bin/env python3
"""Packets that workers receive and inspect live in a second of their CPU time.

usage: live.py SENSOR GENERATOR [RULES] [--seconds S] [--workers N]

Frames are forged, loaded once and played without end by DPDK's net_pcap driver, so what is measured
is the sensor alone. Each worker has a queue of its own. With more than one, every row is measured
with one worker as well, just before, and says how many times as much N of them take.
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


def worker_seconds(process, workers):
    """CPU time that the workers have used on average; nothing while one has not begun."""
    used = []
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        if (task / "comm").read_text().startswith("W#"):
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            used.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return sum(used) / workers if len(used) == workers else None


def measure(options, prefix, rules, folder, workers):
    """One run. @return packets a second that were taken, and the share of them inspected"""
    folder.mkdir()
    queues = ",".join(f"rx_pcap={prefix}-{workers}.{queue}.pcap" for queue in range(workers))
    command = [options.sensor, "-i", f"net_pcap0,{queues},infinite_rx=1", "-S", rules, "-j",
               workers, "-l", folder, "-q", "--set", "shrike.live.buffers=16383", "--set",
               "unix-command.enabled=no"]
    run = subprocess.Popen([str(word) for word in command])
    while worker_seconds(run.pid, workers) is None:
        time.sleep(0.1)
    time.sleep(options.seconds)
    busy_seconds = worker_seconds(run.pid, workers)
    run.terminate()
    if run.wait(30) != 0:
        raise SystemExit(f"the sensor ended with {run.returncode}")
    with open(folder / "eve.json", encoding="utf-8") as file:
        stats = [json.loads(line) for line in file if '"event_type":"stats"' in line][-1]["stats"]
    taken = stats["capture"]["packets"]
    return taken / busy_seconds, stats["detect"]["inspected"] / max(1, taken)


def forge(options, folder, frame_bytes):
    """The frames, once for each number of workers, spread over as many queues."""
    prefix = folder / f"frames{frame_bytes}"
    for workers in {1, options.workers}:
        subprocess.run([options.generator, "--forge", "tcp", "--frame-bytes", str(frame_bytes),
                        "--conversations", "200", "--exchanges", "20", "--split",
                        f"{prefix}-{workers}", "--queues", str(workers)], check=True,
                       stdout=subprocess.DEVNULL)
    return prefix


def measure_row(options, folder, frame_bytes, kind, rules):
    """One row of the table, printed."""
    prefix = folder / f"frames{frame_bytes}"
    rate, share = measure(options, prefix, rules, folder / f"{prefix.name}-{rules.name}-1", 1)
    scaling = ""
    if options.workers > 1:
        place = folder / f"{prefix.name}-{rules.name}-{options.workers}"
        all_workers, share = measure(options, prefix, rules, place, options.workers)
        scaling = f" {all_workers / rate:>8.2f}"
        rate = all_workers
    print(f"{frame_bytes:>6} {kind:20} {rate:>12,.0f} {rate * frame_bytes * 8e-9:>8.2f} "
          f"{share:>9.1%}{scaling}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sensor")
    parser.add_argument("generator")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sets = {"no rules": folder / "none.rules", "100 header rules": folder / "header.rules"}
        sets["no rules"].write_text("")
        sets["100 header rules"].write_text(HEADER_RULES)
        if options.rules:
            sets[pathlib.Path(options.rules).name] = pathlib.Path(options.rules)
        print(f"{'frame':>6} {'rules':20} {'packets/s':>12} {'Gbit/s':>8} {'inspected':>9}" +
              (f" {'scaling':>8}" if options.workers > 1 else ""))
        for frame_bytes in (64, 1500):
            forge(options, folder, frame_bytes)
            for kind, rules in sets.items():
                measure_row(options, folder, frame_bytes, kind, rules)


if __name__ == "__main__":
    main()
