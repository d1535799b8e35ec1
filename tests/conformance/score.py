#!/usr/bin/env python3
"""Scores a sensor against the reference alerts and fails where a figure is below its floor.

usage: score.py SHRIKE SHARED [--jobs N] [--only real-core|suricata-verify-core] [--keep DIR]

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
CORE_GROUPS = {"stream", "threshold", "ipv6-evasion", "flowbits-vars", "decode-tunnel", "header-kw",
               "payload", "byte-asn1", "pcre", "tag-pass-prio", "pass-rules", "header-only",
               "flow-kw", "exc-policy"}
REAL_SECONDS_MAX = 1200
VERIFY_SECONDS_MAX = 1200
# A line of the closing summary: how many rules wait for a field that no parser fills yet.
DORMANT = re.compile(r"^ +[\d,]+  ((?:field|protocol|keyword|hook|flow bit) .+)$",
                     re.MULTILINE)


def run(words, seconds, **options):
    """A program's output, or an error that names it. None where it took too long."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              timeout=seconds, check=False, **options)
    except subprocess.TimeoutExpired:
        print(f"  {words[0]} took more than {seconds} s")
        return None
    return done


def score_real_core(shrike, shared, work, _jobs):
    """Figures of the real corpus, counting packet and stream signatures only."""
    rules = work / "et-all.rules"
    packed = shared / "rules/et-open-2025-all.rules.zst"
    run(["zstd", "-dqf", packed, "-o", rules], 60)
    out = work / "real"
    sensor = run([shrike, "-r", shared / "corpus/real/pcap", "--per-file", "-k", "none",
                  "-S", rules, "-c", shared / "corpus/reference.yaml", "-l", out, "-v"],
                 REAL_SECONDS_MAX)
    if sensor is None or not (out / "eve.json").exists():
        print("  the sensor wrote no eve.json" + ("" if sensor is None else
                                                  ": " + sensor.stderr[-500:]))
        return {}
    score = run([sys.executable, shared / "conformance/score.py",
                 shared / "corpus/real/alerts.jsonl", out / "eve.json", "--sids",
                 shared / "conformance/sids-core.txt"], 300)
    print(score.stdout + score.stderr, end="")
    figures = {}
    patterns = {"signature_recall": r"signature recall ([\d.]+)",
                "signature_precision": r"signature recall [\d.]+ precision ([\d.]+)",
                "equal_counts": r"equal counts ([\d.]+)",
                "flow_f1": r" F1 ([\d.]+)"}
    for name, pattern in patterns.items():
        found = re.search(pattern, score.stdout)
        if found:
            figures[name] = float(found[1])
    return figures


def waits_for(kept):
    """The fields that the rules of a case wait for, from the sensor's summary."""
    try:
        text = (kept / "stdout").read_text(errors="replace")
    except OSError:
        return []
    return sorted(set(DORMANT.findall(text)))


def score_suricata_verify_core(shrike, shared, work, jobs):
    """Cases of the core groups whose rules need no application-layer field: percent passed."""
    suite = shared / "conformance/suricata-verify"
    rows = [line for line in (suite / "cases.list").read_text().splitlines()
            if not line.startswith("#") and line.split("\t")[1] in CORE_GROUPS]
    cases = work / "core.list"
    cases.write_text("\n".join(rows) + "\n")
    kept = work / "kept"
    result = work / "verify.json"
    done = run([sys.executable, shared / "conformance/run_sv.py", "--sensor",
                f"{shrike} -r {{pcap}} -S {{rules}} -l {{out}} {{sets}}", "--list", cases,
                "--oracle", suite / "oracle.json", "--both", "--jobs", jobs, "--fails", "--keep",
                kept, "--json", result, "--work", work / "sv"], VERIFY_SECONDS_MAX)
    if done is None or not result.exists():
        print("  the cases did not run" + ("" if done is None else ": " + done.stderr[-500:]))
        return {}
    tests = json.loads(result.read_text())["tests"]
    passed = judged = 0
    by_group = {}
    for name, case in sorted(tests.items()):
        fields = waits_for(kept / name)
        ok = case["result"] == "PASS"
        group = by_group.setdefault(case["group"], [0, 0, 0])
        if fields and not ok:
            group[2] += 1
            print(f"  waits   {name}: {', '.join(fields)}")
            continue
        judged += not fields
        passed += ok and not fields
        group[0] += ok
        group[1] += 1
        if not ok:
            print(f"  {case['result']:<7} {name}: {case['reason']}")
    for group, (ok, count, waiting) in sorted(by_group.items()):
        print(f"  {group:<14} {ok} of {count} passed" +
              (f", {waiting} wait for a field" if waiting else ""))
    print(f"  {passed} of {judged} cases that need no application-layer field passed")
    return {"passed": 100.0 * passed / judged} if judged else {}


SCORES = {"real-core": score_real_core, "suricata-verify-core": score_suricata_verify_core}


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
