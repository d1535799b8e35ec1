"""Captures for rigs: where they come from, many joined to one timeline, and many mixed."""
import argparse
import contextlib
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import time

SECOND_NS = 10**9
#: Between two captures of a joined one: longer than any flow or threshold lives.
GAP_NS = 4000 * SECOND_NS
#: When a joined capture begins, in seconds since the epoch.
BEGIN_NS = 10**9 * SECOND_NS
#: Drivers of files cut longer frames into several buffers, and drop what a link could not carry.
FRAME_BYTES_MAX = 1900
ORDERS = {  # first bytes of a pcap file: byte order, ns a unit of the fraction
    b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1),
}


def read(path):
    """(time in ns, bytes, length on the wire) of each frame; nothing where it is not Ethernet."""
    data = pathlib.Path(path).read_bytes()
    if len(data) < 24 or data[:4] not in ORDERS:
        return []
    order, unit = ORDERS[data[:4]]
    if struct.unpack(order + "I", data[20:24])[0] & 0xFFFF != 1:
        return []
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = struct.unpack(order + "IIII", data[at:at + 16])
        at += 16
        if at + captured > len(data):
            break
        packets.append((seconds * SECOND_NS + fraction * unit, data[at:at + captured], wire))
        at += captured
    return packets


def write(path, packets):
    """A pcap file with microseconds, as net_pcap reads it."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for time_ns, frame, wire in packets:
            file.write(struct.pack("<IIII", time_ns // SECOND_NS, time_ns % SECOND_NS // 1000,
                                   len(frame), wire) + frame)


def join(folder, count, packets_max=20000):
    """Up to `count` captures of a folder as one, each behind the one before, no two frames at the
    same microsecond, so that their order does not depend on who reads them.
    @return the packets, and how many captures there are in them"""
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    random.Random(7).shuffle(paths)
    joined, used, base = [], 0, BEGIN_NS
    for path in paths:
        packets = read(path)
        if not packets or len(packets) > packets_max or any(
                len(frame) > FRAME_BYTES_MAX for _, frame, _ in packets):
            continue
        first = last = min(time_ns for time_ns, _, _ in packets)
        for time_ns, frame, wire in packets:
            last = max(time_ns, last + 1000)
            joined.append((base + last - first, frame, wire))
        base = joined[-1][0] + GAP_NS
        used += 1
        if used == count:
            break
    return joined, used


def mixing_parser(text):
    """Arguments of a test that mixes captures, described by the first line of `text`."""
    parser = argparse.ArgumentParser(description=text.split("\n", maxsplit=1)[0])
    for name in ("sensor", "generator", "mixer"):
        parser.add_argument(name)
    add_arguments(parser)
    return parser


def add_arguments(parser):
    """Which captures and rules a test takes: a folder and a file, or what scenarios are made of."""
    parser.add_argument("captures", nargs="?")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--scenarios")
    parser.add_argument("--maker")
    parser.add_argument("--count", type=int, default=300)


@contextlib.contextmanager
def workplace(options):
    """A folder for a test's run, with the captures of its scenarios where it has any."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.scenarios:
            (folder / "made").mkdir()
            options.captures = folder / "made"
            options.rules = make(options.maker, options.scenarios, options.captures)
        yield folder


def make(maker, scenarios, folder):
    """A capture of each scenario in the folder, and their rules in one file, which is returned."""
    rules = folder / "scenarios.rules"
    texts = []
    for number, path in enumerate(sorted(pathlib.Path(scenarios).glob("*/test.rules"))):
        name = path.parent.name
        subprocess.run([maker, name, folder / f"{name}.pcap"], check=True)
        texts.append(re.sub(r"sid:(\d+)", rf"sid:{number + 1}0\1", path.read_text()))
    rules.write_text("\n".join(texts))
    return rules


def mix(options, folder, count, pps):
    """Gives each of `count` captures hosts of its own and mixes them: FOLDER/all.pcap, each packet
    a fixed time behind the one before."""
    chosen = folder / "chosen"
    chosen.mkdir(parents=True)
    paths = sorted(path for path in pathlib.Path(options.captures).rglob("*.pcap*")
                   if path.stat().st_size < 1 << 20)
    random.Random(7).shuffle(paths)
    paths = paths[:count]
    for path in paths:
        (chosen / path.name).symlink_to(path)
    megabytes = 1 + sum(path.stat().st_size for path in paths) // (1 << 20)
    subprocess.run([options.mixer, chosen, "-o", folder / "mix.pcap", "--megabytes",
                    str(megabytes), "--seconds", "1"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    step_ns = SECOND_NS // pps
    begin_ns = time.time_ns()
    packets = [(begin_ns + i * step_ns, frame[:options.mtu + 14], len(frame[:options.mtu + 14]))
               for i, (_, frame, _) in enumerate(read(folder / "mix.pcap"))]
    write(folder / "all.pcap", packets)
    print(f"{len(paths)} captures, {len(packets)} packets, {pps} a second")
