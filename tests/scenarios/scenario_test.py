#!/usr/bin/env python3
"""Runs the whole program over the capture of every scenario, and compares the alerts.

usage: scenario_test.py SHRIKE MAKE-TRAFFIC ROOT

A folder beside this file is a scenario, named by what it shows: test.rules, expected.alerts (one
line an alert, in order: sid, endpoints, application protocol, and the transaction where there is
one) and a README.md with what it is about and where the traffic comes from.
"""
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

    def test_each_says_what_it_is_about(self):
        for scenario in SCENARIOS:
            with self.subTest(scenario.name):
                self.assertIn("Origin:", (scenario / "README.md").read_text())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
