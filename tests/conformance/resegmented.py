#!/usr/bin/env python3
"""Holds a sensor's alerts on captures against those on the same captures, sent in other segments.

usage: resegmented.py SENSOR TOOL CORPUS RULES CONFIG [--sample N] [--only NAME] [--bytes-max N]

SENSOR  the binary
TOOL    the resegment binary (tools/resegment)
CORPUS  a folder of captures
RULES   a file of rules; those that look at streams and transactions only are compared
CONFIG  the configuration to run with

Prints the captures with differences, and for each way of sending how many captures agree.

An alert of TCP that matched in one packet (its `stream` is 0) is left out: it is raised where the
target policy gives no stream, in connections met midstream and past the depth of
reassembly; there each packet is looked at by itself.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

WAYS = {"one-byte": ["--bytes", "1"], "seven-byte": ["--bytes", "7"], "random": ["--random", "1"],
        "shuffled": ["--random", "2", "--shuffle", "3"],
        "duplicated": ["--random", "4", "--duplicate"], "fragmented": ["--fragment"]}
# What a rule says of itself in the dump of its program.
RULE = re.compile(r"^rule \d+ sid (\d+) (stream|transaction)\b")
# Keywords of single packets, and what counts alerts or remembers what came before.
PACKET = re.compile(r"[;(]\s*(?:dsize|flags|tcp-pkt|seq|ack|window|fragbits|fragoffset|ttl|tos|id|"
                    r"ipopts|stream_size|tcp\.hdr|ipv4\.hdr|threshold|detection_filter|tag|"
                    r"flowbits\s*:\s*isnotset|flowint|xbits\s*:\s*is\w+|stream-event|"
                    r"decode-event)\b")
# Alerts that say whether they matched in a stream; laid over the given configuration.
OUTPUTS = """outputs:
  - eve-log: {enabled: yes, filename: eve.json, types: [{alert: {payload-length: yes}}]}
"""
BITS = re.compile(r"[;(]\s*flowbits\s*:\s*(\w+)\s*,\s*([^;]+);")
SECONDS_MAX = 1200


def run(words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=SECONDS_MAX, check=False)


def sids_of_streams(sensor, rules, config):
    """The rules that should not notice how bytes came in packets."""
    found = set()
    for line in run([sensor, "rules", "dump", "--stage", "program", "-q", "-c", config,
                     rules]).stdout.splitlines():
        rule = RULE.match(line)
        if rule:
            found.add(int(rule[1]))
    texts = {}
    for line in rules.read_text(errors="replace").splitlines():
        sid = re.search(r"[;\s]sid\s*:\s*(\d+)", line)
        if sid:
            texts[int(sid[1])] = line
    found = {sid for sid in found if not PACKET.search(texts.get(sid, ""))}
    return found - asking_packets(texts, found)


def asking_packets(texts, found):
    """The rules of `found` that ask for a flow bit which a rule beyond `found` sets or takes away,
    and those that ask for the bits of these."""
    asked, changed = {}, {}
    for sid, text in texts.items():
        for word, names in BITS.findall(text):
            kind = asked if word == "isset" else changed
            kind.setdefault(sid, set()).update(name.strip() for name in names.split("|"))
    lost = set()
    while True:
        unsure = set().union(*(names for sid, names in changed.items()
                               if sid not in found or sid in lost))
        more = {sid for sid in found - lost if asked.get(sid, set()) & unsure}
        if not more:
            return lost
        lost |= more


def alerts_of(options, folder, out, sids):
    """Per capture: how often each signature fired, with tuple and transaction."""
    outputs = folder.parent / "outputs.yaml"
    outputs.write_text(OUTPUTS)
    done = run([options.sensor, "-r", folder, "--per-file", "-k", "none", "-S", options.rules, "-c",
                options.config, "--include", outputs, "-l", out])
    if not (out / "eve.json").exists():
        sys.exit(f"the sensor wrote no eve.json: {done.stderr[-500:]}")
    found = collections.defaultdict(collections.Counter)
    for line in (out / "eve.json").read_text(errors="replace").splitlines():
        event = json.loads(line)
        if event.get("event_type") != "alert" or event["alert"]["signature_id"] not in sids:
            continue
        if event["proto"] == "TCP" and not event["stream"]:
            continue
        key = (event["alert"]["signature_id"], event.get("src_ip"), event.get("src_port"),
               event.get("dest_ip"), event.get("dest_port"), event.get("tx_id"))
        found[pathlib.Path(event["pcap_filename"]).name][key] += 1
    return found


def prepare(options, work):
    """Folder of the captures to look at, in the one format that is compared."""
    captures = sorted(path for path in options.corpus.iterdir()
                      if path.is_file() and path.stat().st_size <= options.bytes_max)
    if options.sample:
        captures = captures[::max(1, len(captures) // options.sample)][:options.sample]
    base = work / "base"
    base.mkdir()
    names = []
    for capture in captures:
        if run([options.tool, capture, "-o", base / capture.name]).returncode == 0:
            names.append(capture.name)
        else:
            (base / capture.name).unlink(missing_ok=True)
    return base, names


def compare(name, expected, found, captures):
    """@return how many captures agree; prints those that do not."""
    differing = 0
    for capture in captures:
        lost = expected[capture] - found[capture]
        new = found[capture] - expected[capture]
        if lost or new:
            differing += 1
            print(f"  {name} {capture}")
            for sign, keys in (("-", lost), ("+", new)):
                for key, count in sorted(keys.items(), key=str):
                    print(f"    {sign}{count} sid {key[0]} {key[1]}:{key[2]} > {key[3]}:{key[4]} "
                          f"tx {key[5]}")
    return differing


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("sensor", "tool", "corpus", "rules", "config"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--only", choices=sorted(WAYS), action="append")
    parser.add_argument("--bytes-max", type=int, default=500_000)
    options = parser.parse_args()
    sids = sids_of_streams(options.sensor, options.rules, options.config)
    worst = 0
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        base, captures = prepare(options, work)
        expected = alerts_of(options, base, work / "base-out", sids)
        total = sum(sum(keys.values()) for keys in expected.values())
        print(f"{len(captures)} captures, {total} alerts of {len(sids)} rules", flush=True)
        for name in options.only or WAYS:
            folder = work / name
            folder.mkdir()
            for capture in captures:
                run([options.tool, base / capture, "-o", folder / capture, *WAYS[name]])
            found = alerts_of(options, folder, work / f"{name}-out", sids)
            differing = compare(name, expected, found, captures)
            print(f"{name}: {len(captures) - differing} of {len(captures)} captures agree, "
                  f"{sum(sum(keys.values()) for keys in found.values())} alerts", flush=True)
            subprocess.run(["rm", "-r", folder], check=True)
            worst = max(worst, differing)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())
