"""Captures for rigs: many joined to one timeline, and one split into a file for each queue."""
import pathlib
import random
import re
import struct
import subprocess

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
BUCKETS = 128


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
        first = last = min(time for time, _, _ in packets)
        for time, frame, wire in packets:
            last = max(time, last + 1000)
            joined.append((base + last - first, frame, wire))
        base = joined[-1][0] + GAP_NS
        used += 1
        if used == count:
            break
    return joined, used


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


def _hash_of_word(word):
    """Toeplitz hash under the key 0x6d5a repeated (include/shrike/model/owner.h)."""
    window, value = 0x6D5A6D5A, 0
    for bit in range(16):
        if word & (0x8000 >> bit):
            value ^= (window << bit | window >> (32 - bit)) & 0xFFFFFFFF if bit else window
    return value


_HASHES = [_hash_of_word(word) for word in range(1 << 16)]


def _addresses(frame):
    """Both addresses of an IP packet behind Ethernet and VLAN tags, or nothing."""
    at, tags = 12, 0
    while len(frame) >= at + 2 and frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00") \
            and tags < 3:
        at, tags = at + 4, tags + 1
    kind, header = frame[at:at + 2], at + 2
    if kind == b"\x08\x00" and len(frame) >= header + 20:
        return frame[header + 12:header + 20]
    if kind == b"\x86\xdd" and len(frame) >= header + 40:
        return frame[header + 8:header + 40]
    return b""


def queue_of(frame, queues, is_symmetric=True):
    """The queue that a port with symmetric RSS chooses; or one that parts the two directions."""
    addresses = _addresses(frame)
    word = 0
    for i in range(0, len(addresses), 2):
        word ^= addresses[i] << 8 | addresses[i + 1]
    queue = _HASHES[word] % BUCKETS % queues
    half = len(addresses) // 2
    if not is_symmetric and addresses[:half] < addresses[half:]:
        queue = (queue + 1) % queues
    return queue


def split(packets, queues, is_symmetric=True):
    """The packets of each queue."""
    parts = [[] for _ in range(queues)]
    for packet in packets:
        parts[queue_of(packet[1], queues, is_symmetric)].append(packet)
    return parts
