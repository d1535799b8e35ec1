#!/usr/bin/env python3
"""Runs the whole program over the capture of every scenario, and compares the alerts.

usage: scenario_test.py SHRIKE MAKE-TRAFFIC ROOT

A folder beside this file is a scenario, named by what it shows: test.rules, expected.alerts (one
line an alert, in order: sid, endpoints, application protocol, and the transaction where there is
one) and a README.md with what it is about and where the traffic comes from.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SHRIKE, MAKE_TRAFFIC, ROOT = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
HERE = pathlib.Path(__file__).parent.resolve()
SCENARIOS = sorted(path.parent for path in HERE.glob("*/test.rules"))
SECONDS_MAX = 120


def told(event):
    transaction = f" tx {event['tx_id']}" if "tx_id" in event else ""
    return (f"{event['alert']['signature_id']} {event['src_ip']}:{event['src_port']} > "
            f"{event['dest_ip']}:{event['dest_port']} {event.get('app_proto', '-')}{transaction}")


class Scenarios(unittest.TestCase):
    def alerts(self, scenario, workers, batch):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            capture = folder / "traffic.pcap"
            subprocess.run([MAKE_TRAFFIC, scenario.name, capture], check=True)
            run = subprocess.run(
                [SHRIKE, "-q", "-r", capture, "-S", scenario / "test.rules", "-l", folder / "out",
                 "-c", ROOT / "src/app/shrike.yaml", "--no-cache", "-j", str(workers), "--batch",
                 str(batch)], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            lines = (folder / "out/eve.json").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        return [told(event) for event in events if event["event_type"] == "alert"]

    def test_each_gives_the_alerts_it_should(self):
        self.assertGreaterEqual(len(SCENARIOS), 6)
        for scenario in SCENARIOS:
            expected = (scenario / "expected.alerts").read_text().splitlines()
            for workers, batch in ((1, 64), (1, 1), (3, 7)):
                with self.subTest(scenario.name, workers=workers, batch=batch):
                    self.assertEqual(self.alerts(scenario, workers, batch), expected)

    def stored(self, scenario, settings, workers):
        """What the file store holds after a run, and the fileinfo events of the run."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            capture, config = folder / "traffic.pcap", folder / "store.yaml"
            config.write_text("outputs:\n  - eve-log:\n      types: [files]\n"
                              "  - file-store:\n" + settings)
            subprocess.run([MAKE_TRAFFIC, scenario, capture], check=True)
            rules = folder / "store.rules"
            rules.write_text('alert smtp any any -> any any (msg:"Keep it"; file.name; '
                             'content:".exe"; endswith; filestore; sid:1;)\n')
            run = subprocess.run(
                [SHRIKE, "-q", "-r", capture, "-S", rules, "-l", folder / "out", "-c", config,
                 "--no-cache", "-j", str(workers)], capture_output=True, text=True,
                timeout=SECONDS_MAX, check=False)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            store = folder / "out/filestore"
            files = {path.relative_to(store).as_posix(): path.read_bytes()
                     for path in sorted(store.rglob("*")) if path.is_file()}
            lines = (folder / "out/eve.json").read_text().splitlines()
        return files, [json.loads(line)["fileinfo"] for line in lines]

    def test_stores_files_under_their_digests(self):
        program = b"MZ this program cannot be run in DOS mode"
        page = b"<html><script>document.write(unescape('%75'))</script></html>"
        on = "      enabled: yes\n"
        for scenario, settings, content in (
                ("smtp-attachment", on, program),
                ("smtp-attachment", on + "      force-filestore: yes\n", program),
                ("http-chunked-gzip-body", on + "      force-filestore: yes\n", page),
                ("http-chunked-gzip-body", on, None)):
            for workers in (1, 3):
                with self.subTest(scenario, settings=settings, workers=workers):
                    files, infos = self.stored(scenario, settings, workers)
                    digest = hashlib.sha256(content or b"").hexdigest()
                    expected = {f"{digest[:2]}/{digest}": content} if content else {}
                    self.assertEqual(files, expected)
                    self.assertEqual([info["stored"] for info in infos], [content is not None])
                    if content:
                        self.assertEqual(infos[0]["sha256"], digest)

    def test_writes_an_event_beside_a_stored_file(self):
        files, infos = self.stored("smtp-attachment", "      enabled: yes\n"
                                   "      write-fileinfo: yes\n", 1)
        events = [json.loads(data) for name, data in files.items() if name.endswith(".json")]
        self.assertEqual([event["fileinfo"] for event in events], infos)

    def test_each_says_what_it_is_about(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario.name):
                self.assertIn("Origin:", (scenario / "README.md").read_text())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
