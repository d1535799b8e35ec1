#!/usr/bin/env python3
"""The rigs themselves: what is sent arrives, on the queue that it should, and nothing is left.

DPDK's own test program receives. usage: rig_test.py SHRIKE-GENERATE
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import rig

GENERATE = pathlib.Path(sys.argv.pop(1)).resolve()
TESTPMD = shutil.which("dpdk-testpmd")
READY = r"Start automatic packet forwarding|start packet forwarding"


def testpmd(port, queues):
    """The command that receives and counts, and shows its counts when a signal ends it."""
    cores = sorted(os.sched_getaffinity(0))
    places = f"0@{cores[0]},1@{cores[-1]}"
    return [TESTPMD, "--no-pci", "--no-huge", "--no-shconf", "--no-telemetry",
            "-m", "512", "--lcores", places, "--vdev", port, "--", "--auto-start",
            "--forward-mode=rxonly", f"--rxq={queues}", f"--txq={queues}", "--rxd=1024",
            "--txd=512", "--total-num-mbufs=16384", "--stats-period=1", "--no-flush-rx"]


def received(log):
    """The packets of testpmd's last account."""
    counts = re.findall(r"RX-total: (\d+)", log)
    return int(counts[-1]) if counts else None


def is_received(receiver, sent):
    counts = re.findall(r"RX-packets: (\d+)", receiver.log())
    return bool(counts) and int(counts[-1]) == sent["packets"]


class Rigs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="shrike-rig-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.processes = rig.Processes()
        self.addCleanup(self.processes.__exit__)

    def run_wire(self, wire):
        return rig.run_wire(self.processes, GENERATE, wire,
                            ["--forge", "http", "--conversations", "2000", "--lossless"],
                            testpmd(wire.receiver_port, wire.queues), is_drained=is_received)

    def expect_all(self, result, queues):
        self.assertEqual(received(result.log), result.sent["packets"], result.log[-2000:])
        self.assertEqual(result.sent["packets"], 2000 * 14)
        self.assertEqual(result.sent["refused"], 0)
        for queue in range(queues):
            self.assertGreater(result.sent["queues"][queue]["packets"], 3000)

    def test_captures_are_split_by_queue(self):
        whole, _ = rig.split(GENERATE, [], self.folder / "whole", 1, "--forge", "http")
        for spread in ("symmetric", "asymmetric"):
            parts, summary = rig.split(GENERATE, whole, self.folder / spread, 3, "--spread", spread)
            header = 24
            self.assertEqual(sum(part.stat().st_size - header for part in parts),
                             whole[0].stat().st_size - header)
            self.assertTrue(all(queue["packets"] > 1000 for queue in summary["queues"]))
        self.assertEqual(rig.pcap_port(["a", "b"]), "net_pcap0,rx_pcap=a,rx_pcap=b")

    @unittest.skipUnless(TESTPMD, "dpdk-testpmd is not installed")
    def test_memif_brings_all(self):
        for long_frames in (True, False):
            with self.subTest(long_frames=long_frames):
                wire = rig.memif_wire(self.folder, 2, long_frames)
                self.expect_all(self.run_wire(wire), 2)

    @unittest.skipUnless(TESTPMD, "dpdk-testpmd is not installed")
    def test_vhost_brings_all(self):
        self.expect_all(self.run_wire(rig.vhost_wire(self.folder, 2)), 2)

    @unittest.skipUnless(TESTPMD, "dpdk-testpmd is not installed")
    def test_veth_brings_all(self):
        reason = rig.missing_for_veth("tcpreplay")
        if reason:
            self.skipTest(reason)
        capture, _ = rig.split(GENERATE, [], self.folder / "whole", 1, "--forge", "http")
        for name, send in (
                ("tcpreplay", lambda pair: rig.tcpreplay(pair, capture[0], "--pps", 20000)),
                ("generate", lambda pair: rig.generate_veth(
                    self.processes, pair, GENERATE, [capture[0], "--rate", "20kpps"],
                    self.folder))):
            with self.subTest(name), rig.VethPair() as pair:
                result = rig.run_veth(self.processes, pair, lambda: send(pair),
                                      testpmd(pair.receiver_port, 2), self.folder, ready=READY,
                                      is_drained=is_received)
                self.assertEqual(result.sent["packets"], 14000)
                self.assertEqual(received(result.log), 14000, result.log[-2000:])
                self.assertEqual(pair.received_packets(), 14000)
        self.assertNotIn(str(os.getpid()), subprocess.run(
            ["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout)


class Ends(unittest.TestCase):
    def test_processes_do_not_outlive_us(self):
        child = subprocess.Popen(
            [sys.executable, "-c", "import rig, time\n"
             "rig.end_on_signals()\n"
             "with rig.Processes() as processes:\n"
             "    one = processes.start(['sleep', '60'], '/dev/null')\n"
             "    print(one.popen.pid, flush=True)\n"
             "    time.sleep(60)\n"],
            cwd=pathlib.Path(__file__).parent, stdout=subprocess.PIPE, text=True)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number):
                if child.poll() is not None:
                    child = subprocess.Popen(child.args, cwd=pathlib.Path(__file__).parent,
                                             stdout=subprocess.PIPE, text=True)
                pid = int(child.stdout.readline())
                child.send_signal(number)
                child.wait(10)
                child.stdout.close()
                rig.wait_until(lambda: not _runs(pid), 10, "the end of the sleeper")

    def test_a_receiver_that_fails_is_told(self):
        with tempfile.TemporaryDirectory() as folder, rig.Processes() as processes:
            one = processes.start(["sh", "-c", "echo no such port; exit 3"],
                                  pathlib.Path(folder) / "log")
            with self.assertRaisesRegex(RuntimeError, "ended with 3 .*\n.*\nno such port"):
                one.wait_for("ready", 5)


def _runs(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


if __name__ == "__main__":
    rig.end_on_signals()
    unittest.main(verbosity=2)
