#!/usr/bin/env python3
"""A sensor under load, and what an operator does to it: reloads, rotation, signals, a full disk,
peers of the control socket that misbehave. Needs neither root nor a network card.

usage: control_test.py SENSOR GENERATOR MAKER [--reloads N] [--rules FILE FILE] [--only TEST]

A small capture of forged HTTP is played over and over by net_pcap (rig A), at full speed.
"""
import argparse
import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import tempfile
import termios
import time

import captures
import rig

COMMON = 'alert tcp any any -> any any (msg:"both"; flags:S; sid:1;)\n'
RULES = [COMMON + 'alert tcp any any -> any any (msg:"first"; flags:S; sid:2;)\n',
         COMMON + 'alert tcp any any -> any any (msg:"second"; flags:S; sid:3;)\n']


class Sensor:
    """A live sensor on a capture without end, with its control socket."""

    def __init__(self, options, processes, folder, *arguments, name="run", port=None):
        self.folder = folder / name
        self.folder.mkdir()
        self.rules = self.folder / "test.rules"
        self.rules.write_text(RULES[0])
        self.socket_path = self.folder / "socket"
        port = port or f"net_pcap0,rx_pcap={folder / 'load.pcap'},infinite_rx=1"
        self.process = processes.start(
            [options.sensor, "-i", port, "-S", self.rules, "-l", self.folder, "--no-cache",
             "--set", f"unix-command.filename={self.socket_path}", *arguments],
            self.folder / "log")
        self.process.wait_for("stop with Ctrl-C", 30)
        rig.wait_until(self.socket_path.exists, 10, "the control socket")

    def ask(self, command, **arguments):
        """One request. @return the reply's message; RuntimeError where it is refused."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(30)
            peer.connect(str(self.socket_path))
            peer.sendall(b'{"version": "0.2"}\n')
            lines = peer.makefile()
            assert json.loads(lines.readline()) == {"return": "OK"}
            request = {"command": command, "arguments": arguments}
            peer.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(lines.readline())
        if reply["return"] != "OK":
            raise RuntimeError(f"{command}: {reply}")
        return reply["message"]

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.process.popen.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def alerts(self, name="eve.json"):
        """Alerts by sid; every line must be whole."""
        found = {}
        with open(self.folder / name, encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                if event["event_type"] == "alert":
                    sid = event["alert"]["signature_id"]
                    found[sid] = found.get(sid, 0) + 1
        return found


def check(is_so, what):
    if not is_so:
        raise AssertionError(what)


def test_reloads(options, processes, folder):
    """No packet is missed, rules of both sets fire throughout, memory is given back."""
    place = folder / "wire"
    place.mkdir()
    # Processes that share few cores stand still for a while; that must not look like a loss.
    wire = rig.memif_wire(place, 1, takes_long_frames=False, ring=16384)
    sets = [RULES[i] + (options.rules[i].read_text() if options.rules else "") for i in (0, 1)]
    seconds = 2 + options.reloads * (3 if options.rules else 0.5)
    sender = processes.start(
        [options.generator, folder / "load.pcap", "--port", wire.sender_port, "--rate",
         f"{options.pps}pps", "--loops", "0", "--duration", int(seconds), "--wait-for-peer", "30",
         "--linger", "3600", "--json"], place / "sender.log")
    rig.wait_until(wire.socket.exists, 30, "the sender's socket")
    # All traffic is one flow: a sensor that is too slow for a moment would give it up for good.
    sensor = Sensor(options, processes, folder, "--set", "shrike.live.overload.enabled=no",
                    name="reloads", port=wire.receiver_port)
    used_kib = []
    for number in range(1, options.reloads + 1):
        sensor.rules.write_text(sets[number % 2])
        check(sensor.ask("reload-rules") == "done", "a reload is done")
        time.sleep(0.4)  # the old rules are freed once no worker and no record needs them
        used_kib.append(sensor.memory_kib())
    # Both sets twice, until the heap has found its shape, against each set at the end: a rule set
    # that stayed would be half as much again.
    grown = min(used_kib[-2:]) / max(used_kib[:4]) - 1
    sent = rig.summary_of(sender, 60 + seconds)
    time.sleep(0.5)
    print(f"  {sent['packets']} packets, {sent['refused']} refused; memory {grown:+.1%}")
    check(grown < 0.1, f"memory grew by {grown:.0%}")
    check(sensor.ask("status")["generation"] == options.reloads + 1, "every reload took effect")
    taken = sensor.ask("dump-counters")["capture"]["packets"]
    check(taken == sent["packets"] and sent["refused"] == 0, f"{sent} were sent, {taken} taken")
    check(sensor.process.stop() == 0, "it ends well")
    found = sensor.alerts()
    log = sensor.process.log()
    check("unaccounted" not in log and "records lost" not in log, log)
    check(found[1] == found[2] + found[3], f"the rule of both sets fired throughout: {found}")
    check(min(found.values()) > 0, f"every rule fired: {found}")


def test_broken_rules(options, processes, folder):
    """Rules that cannot be read leave those in use where they are, and the reply says so."""
    sensor = Sensor(options, processes, folder, name="broken")
    sensor.rules.unlink()
    try:
        sensor.ask("reload-rules")
        raise AssertionError("a reload without rules is no success")
    except RuntimeError as refusal:
        check("stay" in str(refusal), str(refusal))
    check(sensor.ask("ruleset-stats")[0]["rules_loaded"] == 2, "the old rules are still there")
    check(sensor.process.stop() == 0, "it ends well")


def test_signals(options, processes, folder):
    """Rotation by SIGHUP; with SIGTERM every alert of what was inspected is on disk."""
    sensor = Sensor(options, processes, folder, name="signals")
    time.sleep(0.5)
    (sensor.folder / "eve.json").rename(sensor.folder / "eve.json.1")
    sensor.process.popen.send_signal(signal.SIGHUP)
    rig.wait_until((sensor.folder / "eve.json").exists, 10, "a new file")
    time.sleep(0.5)
    check(sensor.process.stop() == 0, "it ends well")
    written = sum(sensor.alerts("eve.json.1").values()) + sum(sensor.alerts().values())
    told = [line for line in sensor.process.log().splitlines() if line.startswith("Alerts")]
    check(told[0].split()[1].replace(",", "") == str(written), f"{told} but {written} on disk")


def test_kill(options, processes, folder):
    """SIGKILL leaves whole lines but for one that was being written, which the next start cuts off;
    at most the last second is missing."""
    sensor = Sensor(options, processes, folder, name="kill")
    time.sleep(2.5)
    logged = sum(rule["logged"] for rule in sensor.ask("top-rules"))
    time.sleep(1.2)
    sensor.process.kill()
    path = sensor.folder / "eve.json"
    with open(path, "ab") as file:
        file.write(b'{"event_type":"al')
    again = processes.start(
        [options.sensor, "-r", folder / "load.pcap", "-S", sensor.rules, "-l", sensor.folder, "-q",
         "--no-cache"], sensor.folder / "again")
    check(again.popen.wait(30) == 0, again.log())
    written = sum(sensor.alerts().values())
    check(written >= logged, f"{logged} were logged more than a second ago, {written} are on disk")


def in_terminal(command, strike, ends_with):
    """Runs a program in a terminal of its own, strikes keys when it has drawn, waits for its end.
    @return all it wrote"""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    before = termios.tcgetattr(terminal)
    seen = b""
    end = time.monotonic() + 30
    has_struck = False
    while time.monotonic() < end and not seen.endswith(ends_with):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
        if not has_struck and b"Latency" in seen:
            os.write(terminal, strike)
            has_struck = True
    _, status = os.waitpid(child, 0)
    check(os.waitstatus_to_exitcode(status) == 0, f"ends well: {seen[-300:]}")
    check(termios.tcgetattr(terminal) == before, "the terminal is as it was")
    os.close(terminal)
    return seen


def test_top(options, processes, folder):
    """What shrike top shows of a sensor: text, JSON, on a terminal; costs outlive a reload."""
    sensor = Sensor(options, processes, folder, "--set", "shrike.profiling.sample-batches=4",
                    name="top")
    top = [str(options.sensor), "top", "--socket", str(sensor.socket_path), "--interval", "0.5"]
    time.sleep(1.2)
    text = subprocess.run([*top, "--once"], capture_output=True, text=True, check=True).stdout
    check("W#01" in text and "1:1 both" in text and "\x1b" not in text, text)
    shown = json.loads(subprocess.run([*top, "--once", "--json"], capture_output=True, text=True,
                                      check=True).stdout)
    check(shown["packets"]["per_second"] > 0 and shown["alerts"]["lately"] > 0, f"rates: {shown}")
    check(shown["latency"]["alert"]["count"] > 0, f"latencies: {shown}")
    check(0 < shown["workers"][0]["load_permille"] <= 1000, f"load: {shown}")
    check(0 < shown["workers"][0]["buffers"]["most"] <= shown["workers"][0]["buffers"]["room"],
          f"buffers: {shown}")
    costs = sensor.ask("rule-costs")
    shares = [costs[part]["share"] for part in ("scanning", "rules", "other")]
    check(abs(sum(shares) - 1) < 1e-6, f"shares add up: {costs}")
    rows = {rule["sid"]: rule for rule in sensor.ask("top-rules")}
    check(rows[1]["checks"] >= rows[1]["matches"] > 0 and rows[1]["cycles"] > 0, f"costs: {rows}")
    sensor.rules.write_text(RULES[1])
    sensor.ask("reload-rules")
    after = {rule["sid"]: rule for rule in sensor.ask("rule-costs")["signatures"]}
    check(after[1]["checks"] >= rows[1]["checks"] and 2 not in after, f"over a reload: {after}")
    own_screen = b"\x1b[?25h\x1b[?1049l"
    for strike in (b"q", b"\x03"):
        in_terminal(top, strike, own_screen)
    check(sensor.process.stop() == 0, "it ends well")
    gone = subprocess.run([*top, "--once"], capture_output=True, text=True, check=False)
    check(gone.returncode == 1 and "--socket" in gone.stderr, gone.stderr)


def test_full_disk(options, processes, folder):
    """A sink that cannot be written is told, counted and survived."""
    sensor = Sensor(options, processes, folder, "--set", "outputs.0.eve-log.filename=/dev/full",
                    "--set", "shrike.live.sandbox=no", name="full")
    time.sleep(1.5)
    check(sensor.ask("uptime") >= 0, "it goes on")
    check(sensor.process.stop() == 1, "its end says that lines were lost")
    check("lost" in sensor.process.log(), "and so does its summary")


def test_peers(options, processes, folder):
    """Peers that say nothing, too much, nonsense or never read do not stop the sensor."""
    sensor = Sensor(options, processes, folder, name="peers")
    peers = []
    for words in (b"", b'{"version": "9"}', b"\x00\xff" * 50000, b'{"version": "0.2"}\n{"comm',
                  b'{"version": "0.2"}\n' + b'{"command": "dump-counters"}\n' * 2000):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(sensor.socket_path))
        peer.setblocking(False)
        try:
            peer.send(words)
        except OSError:
            pass
        peers.append(peer)
    before = sensor.ask("dump-counters")["capture"]["packets"]
    time.sleep(0.3)
    check(sensor.ask("dump-counters")["capture"]["packets"] > before, "packets flow")
    for peer in peers:
        peer.close()
    check(sensor.process.stop() == 0, "it ends well")


def test_overload(options, processes, folder):
    """A sender without mercy: what the sensor did not get is told by the ports, and sums agree."""
    place = folder / "overload"
    place.mkdir()
    rules = place / "test.rules"
    rules.write_text(RULES[0])
    wire = rig.memif_wire(place, 1, takes_long_frames=False)
    result = rig.run_wire(
        processes, options.generator, wire,
        [folder / "load.pcap", "--rate", "max", "--duration", "3", "--new-hosts"],
        [options.sensor, "-i", wire.receiver_port, "-S", rules, "-l", place / "log", "--set",
         "unix-command.enabled=no"])
    check(result.returncode == 0, result.log)
    with open(place / "log" / "eve.json", encoding="utf-8") as file:
        statistics = [json.loads(line) for line in file if '"event_type":"stats"' in line][-1]
    taken = statistics["stats"]["capture"]["packets"]
    check(taken == result.sent["packets"], f"{result.sent} were sent, {taken} taken")
    check("unaccounted" not in result.log, result.log)
    print(f"  {taken} packets taken, {result.sent['refused']} refused by the wire")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--reloads", type=int, default=20, help="6 or more")
    parser.add_argument("--rules", type=pathlib.Path, nargs=2, help="to switch between")
    parser.add_argument("--pps", type=int, default=50000, help="while rules are switched")
    run(parser, [test_reloads, test_broken_rules, test_signals, test_kill, test_top,
                 test_full_disk, test_peers, test_overload])


def run(parser, tests):
    """All tests, or that of --only, each with processes of its own and a capture to play."""
    for name in ("sensor", "generator", "maker"):
        parser.add_argument(name)
    parser.add_argument("--only")
    options = parser.parse_args()
    rig.end_on_signals()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([options.maker, "http-chunked-gzip-body", folder / "made.pcap"], check=True)
        captures.write(folder / "load.pcap", captures.read(folder / "made.pcap"))
        for test in tests:
            if options.only and options.only != test.__name__:
                continue
            with rig.Processes() as processes:
                test(options, processes, folder)
            print(f"{test.__name__}: ok", flush=True)


if __name__ == "__main__":
    main()
