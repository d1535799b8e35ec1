#!/usr/bin/env python3
"""Scores a sensor against the reference alerts and fails where a figure is below its floor.

usage: score.py SHRIKE SHARED [--jobs N] [--only real|forged|suricata-verify] [--keep DIR]

SHRIKE  the binary
SHARED  the folder with conformance/, corpus/ and rules/; its scorers do the counting
--keep  a folder for what the sensor wrote, to look into afterwards

The floors stand in floors.json beside this file. README.md tells what the figures mean.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Not asked of the sensor (see the scorers' own page).
OUT_OF_SCOPE = {"firewall", "ips-drop", "frames", "geoip"}
REAL_SECONDS_MAX = 1200
VERIFY_SECONDS_MAX = 1200


def run(words, seconds, **options):
    """A program's output, or an error that names it. None where it took too long."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=seconds, check=False, **options)
    except subprocess.TimeoutExpired:
        print(f"  {words[0]} took more than {seconds} s")
        return None
    return done


def figures_of(shared, corpus, eve, sids=None):
    """The scorer's figures of one run, of some signatures or of all."""
    words = [sys.executable, shared / "conformance/score.py",
             shared / "corpus" / corpus / "alerts.jsonl", eve]
    score = run(words + (["--sids", sids] if sids else []), 300)
    print(score.stdout + score.stderr, end="")
    patterns = {"signature_recall": r"signature recall ([\d.]+)",
                "signature_precision": r"signature recall [\d.]+ precision ([\d.]+)",
                "equal_counts": r"equal counts ([\d.]+)",
                "flow_f1": r" F1 ([\d.]+)"}
    found = {name: re.search(pattern, score.stdout) for name, pattern in patterns.items()}
    return {name: float(match[1]) for name, match in found.items() if match}


def score_corpus(corpus, shrike, shared, work):
    """Figures of one corpus under all of ET Open; of the real one also those of the signatures
    that look at packets and streams alone (core_...)."""
    rules = work / "et-all.rules"
    packed = shared / "rules/et-open-2025-all.rules.zst"
    run(["zstd", "-dqf", packed, "-o", rules], 60)
    out = work / corpus
    sensor = run([shrike, "-r", shared / "corpus" / corpus / "pcap", "--per-file", "-k", "none",
                  "-S", rules, "-c", shared / "corpus/reference.yaml", "-l", out, "-v"],
                 REAL_SECONDS_MAX)
    if sensor is None or not (out / "eve.json").exists():
        print("  the sensor wrote no eve.json" + ("" if sensor is None else
                                                  ": " + sensor.stderr[-500:]))
        return {}
    figures = figures_of(shared, corpus, out / "eve.json")
    if corpus == "real":
        core = figures_of(shared, corpus, out / "eve.json",
                          shared / "conformance/sids-core.txt")
        figures.update({"core_" + name: value for name, value in core.items()})
    return figures


def score_real(shrike, shared, work, _jobs):
    """Captures of public test suites."""
    return score_corpus("real", shrike, shared, work)


def score_forged(shrike, shared, work, _jobs):
    """Traffic made for the rules, and near misses."""
    return score_corpus("forged", shrike, shared, work)


def score_suricata_verify(shrike, shared, work, jobs):
    """Cases in scope: percent passed, of http-evader and of all others."""
    suite = shared / "conformance/suricata-verify"
    rows = [line for line in (suite / "cases.list").read_text().splitlines()
            if not line.startswith("#") and line.split("\t")[1] not in OUT_OF_SCOPE]
    cases = work / "cases.list"
    cases.write_text("\n".join(rows) + "\n")
    result = work / "verify.json"
    done = run([sys.executable, shared / "conformance/run_sv.py", "--sensor",
                f"{shrike} -r {{pcap}} -S {{rules}} -l {{out}} {{sets}}", "--list", cases,
                "--oracle", suite / "oracle.json", "--both", "--jobs", jobs, "--fails",
                "--json", result, "--work", work / "sv"], VERIFY_SECONDS_MAX)
    if done is None or not result.exists():
        print("  the cases did not run" + ("" if done is None else ": " + done.stderr[-500:]))
        return {}
    passed = {True: [0, 0], False: [0, 0]}  # by whether it is of http-evader
    for name, case in sorted(json.loads(result.read_text())["tests"].items()):
        ok = case["result"] == "PASS"
        counts = passed[case["group"] == "http-evader"]
        counts[0] += ok
        counts[1] += 1
        if not ok:
            print(f"  {case['result']:<7} {case['group']:<14} {name}: {case['reason'][:160]}")
    for is_evader, (ok, count) in passed.items():
        print(f"  {ok} of {count} cases passed, {'http-evader' if is_evader else 'all others'}")
    return {"passed": 100.0 * passed[False][0] / max(passed[False][1], 1),
            "http_evader": 100.0 * passed[True][0] / max(passed[True][1], 1)}


SCORES = {"real": score_real, "forged": score_forged, "suricata-verify": score_suricata_verify}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("shrike", type=pathlib.Path)
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=sorted(SCORES))
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    floors = json.loads((HERE / "floors.json").read_text())
    below = 0
    with tempfile.TemporaryDirectory() as scratch:
        work = (options.keep or pathlib.Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for name, score in SCORES.items():
            if options.only not in (None, name):
                continue
            print(f"{name}:")
            figures = score(options.shrike.resolve(), options.shared.resolve(), work, options.jobs)
            for figure, floor in floors[name].items():
                value = figures.get(figure)
                enough = value is not None and value >= floor
                below += not enough
                shown = "none" if value is None else f"{value:.2f}"
                print(f"  {'ok   ' if enough else 'BELOW'} {figure} {shown}, floor {floor:.2f}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
