#!/usr/bin/env python3
"""What a sensor makes of its machine and its ports: which core each thread has. Needs neither root
nor a network card.

usage: port_test.py SENSOR GENERATOR MAKER

A small capture of forged HTTP is played by net_pcap (rig A).
"""
import argparse
import os
import pathlib
import subprocess

import control_test
from control_test import Sensor, check


def cores_of(sensor, prefix):
    """Where the threads of a name may run, by the kernel's word: a set of texts such as "1"."""
    found = set()
    for task in pathlib.Path(f"/proc/{sensor.process.popen.pid}/task").iterdir():
        status = (task / "status").read_text()
        if status.split()[1].startswith(prefix):
            found.add(status.split("Cpus_allowed_list:")[1].split()[0])
    return found


def test_cores(options, processes, folder):
    """Pinned by itself: a core a worker, and the house-keeping thread on others."""
    sensor = Sensor(options, processes, folder, name="cores")
    plan = sensor.ask("status")["cores"]
    check(plan["plan"] in sensor.process.log(), f"the log says: {plan['plan']}")
    there = len(os.sched_getaffinity(0))
    check(len(plan["workers"]) == 1, f"the worker is pinned: {plan}")
    check(cores_of(sensor, "W#") == {str(plan["workers"][0])}, "and it is where the plan says")
    check(bool(plan["house_keeping"]) == (there > 1), f"house is kept elsewhere: {plan}")
    check(plan["workers"][0] not in plan["house_keeping"], f"and not on the worker's core: {plan}")
    check(sensor.process.stop() == 0, "it ends well")


def test_named_cores(options, processes, folder):
    """Pinned as the operator says; `no` leaves it to the system."""
    last = max(os.sched_getaffinity(0))
    sensor = Sensor(options, processes, folder, "--set", f"shrike.live.cores=[{last}]",
                    name="named")
    check(sensor.ask("status")["cores"]["workers"] == [last], "as it was told")
    check(cores_of(sensor, "W#") == {str(last)}, "it is there")
    check(sensor.process.stop() == 0, "it ends well")
    free = Sensor(options, processes, folder, "--set", "shrike.live.cores=no", name="free")
    check(free.ask("status")["cores"]["workers"] == [], "nobody is pinned")
    check(len(cores_of(free, "W#") | cores_of(free, "shrike")) == 1, "all may run where they like")
    check(free.process.stop() == 0, "it ends well")


def test_missing_core(options, _, folder):
    """A core that is not there is an error before anything starts."""
    rules = folder / "missing.rules"
    rules.write_text(control_test.COMMON)
    done = subprocess.run(
        [options.sensor, "-i", f"net_pcap0,rx_pcap={folder / 'load.pcap'}", "-S", rules, "-l",
         folder / "missing", "--no-cache", "--set", "shrike.live.cores=[1023]", "--set",
         "unix-command.enabled=no"], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "error[core]" in done.stderr, f"{done}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    control_test.run(parser, [test_cores, test_named_cores, test_missing_core])


if __name__ == "__main__":
    main()
