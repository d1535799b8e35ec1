#!/usr/bin/env python3
"""The program as an operator meets it: exit statuses, files, signals, words on the terminal.

usage: program_test.py SHRIKE DEMO-CAPTURE ROOT
"""
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SHRIKE, DEMO_CAPTURE, ROOT = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
EXAMPLE = str(ROOT / "rules/example.rules")
EXAMPLE_ALERTS = 7
SECONDS_MAX = 120


class Program(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.capture = self.folder / "demo.pcap"
        subprocess.run([DEMO_CAPTURE, self.capture], check=True)
        self.out = self.folder / "out"
        stock = ROOT / "src/app/shrike.yaml"  # whatever this machine has installed
        self.common = ["-c", stock, "-l", self.out, "--no-cache"]

    def tearDown(self):
        self.scratch.cleanup()

    def run_shrike(self, *words, **options):
        return subprocess.run([SHRIKE, *map(str, words)], capture_output=True, text=True,
                              timeout=SECONDS_MAX, check=False, cwd=self.folder, **options)

    def alerts(self, out=None):
        lines = ((out or self.out) / "eve.json").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event_type"] == "alert"]

    def test_a_run_writes_its_alerts_and_says_what_it_came_to(self):
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, *self.common)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)
        self.assertEqual(len((self.out / "fast.log").read_text().splitlines()), EXAMPLE_ALERTS)
        self.assertIn("Read      113 packets", run.stdout)
        self.assertIn("[1:1000005:1] Port scan", run.stdout)
        self.assertNotIn("unaccounted", run.stdout)
        self.assertNotIn("\x1b", run.stdout + run.stderr)  # no terminal, no progress

    def test_a_port_with_too_few_buffers_is_refused(self):
        run = self.run_shrike("-i", "net_null0", "-S", EXAMPLE, *self.common, "--set",
                              "unix-command.enabled=no", "--set", "shrike.live.buffers=1000")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("error[port-memory]: 1000 packet buffers a worker are too few for 1024 "
                      "receive descriptors; write at least 2048", run.stderr)

    def test_quiet_is_quiet(self):
        run = self.run_shrike("-q", "-r", self.capture, "-S", EXAMPLE, *self.common)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)

    def test_a_second_run_appends_unless_told_otherwise(self):
        words = ["-q", "-r", self.capture, "-S", EXAMPLE, *self.common]
        self.run_shrike(*words)
        self.run_shrike(*words)
        self.assertEqual(len(self.alerts()), 2 * EXAMPLE_ALERTS)
        self.run_shrike(*words, "--set", "outputs.0.eve-log.append=no")
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)

    def test_the_doctor_looks_at_a_machine_and_says_so(self):
        machine = self.folder / "machine"
        nic = machine / "sys/class/net/eth1"
        (nic / "queues/rx-0").mkdir(parents=True)
        for name, text in {"operstate": "up", "mtu": "1500", "flags": "0x1003"}.items():
            (nic / name).write_text(text + "\n")
        (machine / "proc/self").mkdir(parents=True)
        (machine / "proc/self/status").write_text("CapEff:\t000001ffffffffff\n")
        words = ["doctor", "--root", machine, "-i", "eth1", "-l", "/", "-S", "/sys"]
        run = self.run_shrike(*words, "--json")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        report = json.loads(run.stdout)
        self.assertEqual(report["interface"], {"wanted": True, "ready": True, "problems": 0})
        (nic / "flags").write_text("0x1002\n")
        run = self.run_shrike(*words)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        self.assertIn("$ sudo ip link set eth1 up\n", run.stdout)
        self.assertIn("Exit status:", self.run_shrike("doctor", "--help").stdout)
        run = self.run_shrike("doctor", "--nonsense")
        self.assertEqual(run.returncode, 2)
        self.assertIn("error[usage]", run.stderr)

    def test_reads_standard_input(self):
        with open(self.capture, "rb") as capture:
            run = self.run_shrike("-r", "-", "-S", EXAMPLE, *self.common, stdin=capture)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)

    def test_a_filter_leaves_out_what_it_says(self):
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, *self.common, "icmp")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([alert["alert"]["signature_id"] for alert in self.alerts()], [1000007])
        (self.folder / "f.bpf").write_text("icmp # only\nor udp\n")
        other = self.folder / "other"
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, *self.common, "-l", other, "-F",
                              "f.bpf")
        self.assertEqual(run.returncode, 2)  # -l twice
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, "-l", other, "-F", "f.bpf")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(self.alerts(other)), 3)

    def test_several_captures_are_named_in_their_events(self):
        run = self.run_shrike("-r", self.capture, self.capture, "--per-file", "-S", EXAMPLE,
                              *self.common)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(self.alerts()), 2 * EXAMPLE_ALERTS)
        self.assertEqual({pathlib.Path(alert["pcap_filename"]).name for alert in self.alerts()},
                         {"demo.pcap"})

    def test_a_broken_capture_is_read_as_far_as_it_goes(self):
        broken = self.folder / "broken.pcap"
        broken.write_bytes(self.capture.read_bytes()[:-40])
        run = self.run_shrike("-r", broken, "-S", EXAMPLE, *self.common)
        self.assertEqual(run.returncode, 1)
        self.assertIn("broken.pcap", run.stderr)
        self.assertGreaterEqual(len(self.alerts()), 1)

    def test_a_broken_rule_is_left_out_or_stops_the_run(self):
        rules = self.folder / "broken.rules"
        rules.write_text(pathlib.Path(EXAMPLE).read_text() +
                         'alert tcp any any -> any any (msg:"no sid"; content:"x";)\n')
        run = self.run_shrike("-r", self.capture, "-S", rules, *self.common)
        self.assertEqual(run.returncode, 0)
        self.assertIn("broken.rules:", run.stderr)
        self.assertIn("7 loaded, 1 failed", run.stdout)
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)
        run = self.run_shrike("-r", self.capture, "-S", rules, *self.common, "--init-errors-fatal")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(self.alerts()), EXAMPLE_ALERTS)  # nothing came after
        run = self.run_shrike("-T", "-S", rules)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(self.run_shrike("-T", "-S", EXAMPLE).returncode, 0)
        self.assertEqual(self.run_shrike("rules", "check", rules).returncode, 1)
        self.assertEqual(self.run_shrike("rules", "check", EXAMPLE).returncode, 0)

    def test_what_makes_a_run_impossible_is_a_wrong_usage(self):
        for words, told in [
                (["-r", "absent.pcap", "-S", EXAMPLE, "-l", "out"], "absent.pcap"),
                (["-r", self.capture, "-S", EXAMPLE, "-l", "/proc/no"], "error[log-directory]"),
                (["-r", self.capture, "-S", EXAMPLE, "-l", "out", "--nonsense"],
                 "error[unknown-option]"),
                (["-r", self.capture, "-S", EXAMPLE, "-l", "out", "port", "no"], "filter"),
                (["-r", self.capture, "-S", EXAMPLE, "-l", "out", "--set", "shrike.x=1"],
                 "error[unknown-key]"),
                (["-r", self.capture, "-S", EXAMPLE, "-l", "out", "-c", "absent.yaml"],
                 "absent.yaml"),
        ]:
            with self.subTest(told):
                run = self.run_shrike(*words)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertIn(told, run.stderr)
                self.assertEqual(run.stdout, "")

    def test_rules_that_cannot_be_read_stop_the_run(self):
        run = self.run_shrike("-r", self.capture, "-S", "absent.rules", *self.common)
        self.assertEqual(run.returncode, 1)
        self.assertIn("error[rule-file]: cannot read absent.rules", run.stderr)

    def test_a_signal_ends_with_everything_written(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                out = self.folder / number.name
                words = [SHRIKE, "-r", "-", "-S", EXAMPLE, "-l", str(out), "--no-cache"]
                with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=False) as shrike:
                    shrike.stdin.write(self.capture.read_bytes())
                    shrike.stdin.flush()
                    self.wait_for(out / "eve.json")
                    time.sleep(1)
                    shrike.send_signal(number)
                    self.assertEqual(shrike.wait(SECONDS_MAX), 0)  # though the pipe is still open
                    self.assertIn(b"stopped by a signal", shrike.stdout.read())
                self.assertEqual(len(self.alerts(out)), EXAMPLE_ALERTS)

    def wait_for(self, path):
        end = time.monotonic() + SECONDS_MAX
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertTrue(path.exists())

    def test_a_terminal_sees_how_far_it_is(self):
        leader, follower = pty.openpty()
        words = [SHRIKE, "-r", self.capture, "-S", EXAMPLE, *self.common]
        with subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE,
                              stderr=follower) as run:
            os.close(follower)
            self.assertEqual(run.wait(SECONDS_MAX), 0)
        seen = b""
        try:
            while block := os.read(leader, 65536):
                seen += block
        except OSError:
            pass  # the other end is closed, and all was read
        os.close(leader)
        self.assertIn(b"100 %  113 packets", seen)
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-40:])  # and the line is gone again

    def test_a_full_disk_is_told_and_survived(self):
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, *self.common, "--set",
                              "outputs.0.eve-log.filename=/dev/full")
        self.assertEqual(run.returncode, 1)
        self.assertIn("/dev/full", run.stderr)
        self.assertIn("lost", run.stdout)
        self.assertEqual(len((self.out / "fast.log").read_text().splitlines()), EXAMPLE_ALERTS)

    def test_tells_what_rules_cost(self):
        told = []
        for workers in (1, 3):
            run = self.run_shrike("-q", "-r", self.capture, "-S", EXAMPLE, *self.common, "-j",
                                  workers, "--profile-rules", "-", "--json")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            profile = json.loads(run.stdout)
            parts = [profile[part]["cycles"] for part in ("scanning", "rules", "other")]
            self.assertEqual(sum(parts), profile["cycles"])
            self.assertEqual(profile["batches_sampled"], profile["batches"])
            told.append({(rule["sid"], rule["checks"], rule["matches"])
                         for rule in profile["signatures"]})
        self.assertEqual(told[0], told[1])  # whoever inspects
        self.assertEqual(len(told[0]), 7)
        run = self.run_shrike("-r", self.capture, "-S", EXAMPLE, *self.common, "--profile-rules",
                              "costs.txt")
        text = (self.folder / "costs.txt").read_text()
        self.assertIn("scanning: the pattern groups", text)
        self.assertIn("1:1000006:1 ", text)
        run = self.run_shrike("-q", "-r", self.capture, "-S", EXAMPLE, *self.common,
                              "--profile-rules", "/proc/no")
        self.assertEqual(run.returncode, 1)
        self.assertIn("/proc/no: error[profile]", run.stderr)

    def test_top_says_what_to_do_without_a_sensor_or_a_terminal(self):
        run = self.run_shrike("top", "--once", "--socket", "nowhere")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("nowhere: error[control-socket]", run.stderr)
        run = self.run_shrike("top", "--socket", "nowhere")
        self.assertEqual(run.returncode, 2)
        self.assertIn("write shrike top --once", run.stderr)
        run = self.run_shrike("top", "--interval", "0")
        self.assertEqual(run.returncode, 2)
        self.assertIn("error[usage]", run.stderr)
        self.assertIn("Exit status:", self.run_shrike("top", "--help").stdout)

    def test_shows_what_became_of_a_rule(self):
        run = self.run_shrike("rules", "dump", "--stage", "program", "--sid", "1000006", EXAMPLE)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("1000006", run.stdout)
        self.assertNotIn("1000005", run.stdout)
        listed = self.run_shrike("rules", "list-keywords").stdout
        self.assertIn("byte_test", listed)
        self.assertIn("Hyperscan", self.run_shrike("version").stdout)
        self.assertIn("Examples:", self.run_shrike("--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
