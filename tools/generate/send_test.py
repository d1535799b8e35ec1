#!/usr/bin/env python3
"""Sends frames through DPDK's pcap port and reads back what it wrote.

usage: send_test.py SHRIKE-GENERATE
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

GENERATE = sys.argv.pop(1)
MEMORY = ("--memory", "256")


def run(*arguments):
    """The summary of a run that has to end well."""
    result = subprocess.run([GENERATE, *map(str, arguments), "--json"], capture_output=True,
                            text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{arguments}: {result.stderr}")
    return json.loads(result.stdout)


def frames_of(path):
    """The frames of a pcap file in this machine's byte order."""
    content = pathlib.Path(path).read_bytes()
    at, frames = 24, []
    while at < len(content):
        kept = struct.unpack_from("=I", content, at + 8)[0]
        frames.append(content[at + 16:at + 16 + kept])
        at += 16 + kept
    return frames


class Send(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        forged = run("--forge", "http", "--conversations", 200, "--split", self.path / "in")
        self.capture = self.path / "in.0.pcap"
        self.assertEqual(forged["packets"], 200 * 14)

    def test_one_queue_gives_the_capture_again(self):
        out = self.path / "out.pcap"
        sent = run(self.capture, "--port", f"net_pcap0,tx_pcap={out}", *MEMORY)
        frames = frames_of(self.capture)
        self.assertEqual(frames_of(out), frames)
        self.assertEqual((sent["packets"], sent["refused"]), (len(frames), 0))
        self.assertEqual(sent["bytes"], sum(map(len, frames)))
        self.assertEqual(sent["driver"]["packets"], len(frames))

    def test_queues_get_what_split_says(self):
        for spread in ("symmetric", "asymmetric"):
            queues = ("--queues", 2, "--flows", 3, "--spread", spread)
            run(self.capture, "--split", self.path / spread, *queues)
            outs = [self.path / f"{spread}-out{queue}.pcap" for queue in range(2)]
            port = "net_pcap0," + ",".join(f"tx_pcap={out}" for out in outs)
            sent = run(self.capture, "--port", port, *queues, *MEMORY)
            for queue, out in enumerate(outs):
                with self.subTest(spread=spread, queue=queue):
                    expected = frames_of(self.path / f"{spread}.{queue}.pcap")
                    self.assertGreater(len(expected), 100)
                    self.assertEqual(frames_of(out), expected)
                    self.assertEqual(sent["queues"][queue]["packets"], len(expected))

    def test_long_frames_arrive_whole(self):
        source = self.path / "long"
        run("--forge", "udp", "--frame-bytes", 9014, "--conversations", 5, "--split", source)
        out = self.path / "long-out.pcap"
        run(f"{source}.0.pcap", "--port", f"net_pcap0,tx_pcap={out}", *MEMORY)
        self.assertEqual(frames_of(out), frames_of(f"{source}.0.pcap"))
        self.assertEqual({len(frame) for frame in frames_of(out)}, {9014})
        sent = run(f"{source}.0.pcap", "--port", "net_null0", "--frame-bytes-max", 9000, *MEMORY)
        self.assertEqual((sent["packets"], sent["too_long"]), (0, 40))

    def test_loops_and_rate_hold(self):
        sent = run("--forge", "dns", "--conversations", 500, "--loops", 3, "--rate", "6kpps",
                   "--port", "net_null0", *MEMORY)
        self.assertEqual((sent["packets"], sent["rounds"], sent["ending"]), (3000, 3, "done"))
        self.assertGreater(sent["seconds"], 0.499)
        napping = run("--forge", "dns", "--conversations", 500, "--rate", "6kpps", "--nap-us",
                      50000, "--port", "net_null0", *MEMORY)
        self.assertEqual(napping["packets"], 1000)
        self.assertGreater(napping["seconds"], 0.15)
        timed = run("--forge", "dns", "--port", "net_null0", "--duration", 1, *MEMORY)
        self.assertEqual(timed["ending"], "duration")
        self.assertGreater(timed["rounds"], 1)

    def test_rounds_have_hosts_of_their_own(self):
        out = self.path / "out.pcap"
        run(self.capture, "--loops", 3, "--new-hosts", "--port", f"net_pcap0,tx_pcap={out}",
            *MEMORY)
        frames = frames_of(out)
        first = frames_of(self.capture)
        self.assertEqual((len(frames), frames[:len(first)]), (3 * len(first), first))
        pairs = [{frame[26:34] for frame in frames[at:at + len(first)]}
                 for at in range(0, len(frames), len(first))]
        self.assertEqual(len(set.union(*pairs)), sum(map(len, pairs)))

    def test_nobody_who_takes_anything_is_a_stall(self):
        port = f"net_memif0,socket={self.path}/nobody,socket-abstract=no,role=server"
        result = subprocess.run([GENERATE, "--forge", "dns", "--port", port, "--lossless", "--json",
                                 "--stall-timeout", "1", *MEMORY], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("error[stalled]", result.stderr)
        summary = json.loads(result.stdout)
        self.assertEqual((summary["ending"], summary["packets"]), ("stalled", 0))

    def test_a_signal_stops_it_with_a_summary(self):
        with subprocess.Popen([GENERATE, "--forge", "dns", "--loops", "0", "--rate", "1kpps",
                               "--port", "net_null0", "--json", *MEMORY], text=True,
                              stdout=subprocess.PIPE) as process:
            time.sleep(1)
            process.terminate()
            summary = json.loads(process.communicate(timeout=20)[0])
        self.assertEqual((process.returncode, summary["ending"]), (0, "stopped"))

    def test_it_lingers_until_a_signal(self):
        with subprocess.Popen([GENERATE, "--forge", "dns", "--port", "net_null0", "--json",
                               "--linger", "60", *MEMORY], text=True,
                              stdout=subprocess.PIPE) as process:
            summary = json.loads(process.stdout.readline())
            self.assertEqual(summary["ending"], "done")
            self.assertIsNone(process.poll())
            process.terminate()
            self.assertEqual(process.wait(20), 0)

    def test_faults_are_told(self):
        for arguments, code in (
                (["--port", "net_null0"], "no-frames"),
                (["--forge", "dns"], "target"),
                (["--forge", "dns", "--port", "net_null0", "--rate", "fast"], "rate"),
                (["--forge", "dns", "--port", "net_nonsense0"], "packet-memory"),
                (["--forge", "dns", "--port", f"net_memif0,socket={self.path}/no,"
                  "socket-abstract=no,role=server", "--wait-for-peer", "1"], "no-peer")):
            with self.subTest(code=code):
                result = subprocess.run([GENERATE, *arguments, *MEMORY], capture_output=True,
                                        text=True, timeout=60, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"error[{code}]", result.stderr)


if __name__ == "__main__":
    unittest.main()
