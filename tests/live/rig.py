"""Wires without a network card: what the live tests send on, and how they start and end.

Rig A: split() gives one capture for each receive queue, pcap_port() the port that reads them.
Rig B: run_wire() sends from one process to another over memif or vhost sockets, without root.
Rig C: VethPair makes two network namespaces, run_veth() sends through the kernel between them.

Nothing outlives the caller: processes die with it, however it ends, and namespaces are removed at
its end or, where it was killed, by the next one. Every wait has an end.

    with rig.Processes() as processes:
        wire = rig.memif_wire(folder, queues=2)
        result = rig.run_wire(processes, GENERATE, wire, ["corpus/", "--lossless"],
                              ["shrike", "-c", "shrike.yaml", "--set", f"…={wire.receiver_port}"])
        assert result.sent["refused"] == 0 and result.returncode == 0
"""
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

# Frames of a capture may be longer than a wire's: receive offload glued them. memif carries them
# in one buffer only (chains of buffers come out broken in DPDK 22.11).
LONG_FRAME_BYTES = 65280
# What af_packet takes with the frame size below.
AF_PACKET_FRAME_BYTES = 1900
AF_PACKET = "qpairs={queues},blocksz=131072,framesz=2048,framecnt=4096"
SKIPPED = 77  # the exit status that meson shows as a skip
PR_SET_PDEATHSIG = 1


def skip(reason):
    """Ends a test that cannot run here, so that everyone sees it and why."""
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def end_on_signals():
    """Lets SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that all is cleaned up."""
    def unwind(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)


def wait_until(condition, seconds, what):
    """Waits for a condition, and returns what it gave; TimeoutError where it stays false."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program that runs beside us, with its output (both streams) in a file."""

    def __init__(self, command, log_path, **options):
        self.log_path = pathlib.Path(log_path)
        self.command = [str(word) for word in command]
        with open(self.log_path, "wb") as log:
            self.popen = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT,
                                          stdin=subprocess.DEVNULL, start_new_session=True,
                                          preexec_fn=die_with_parent, **options)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def fail(self, what):
        raise RuntimeError(f"{self.command[0]}: {what}\n{' '.join(self.command)}\n"
                           f"{self.log()[-4000:]}")

    def wait_for(self, pattern, seconds, on_wait=None):
        """The first match of a pattern in its output; RuntimeError where it ends without one.
        @param on_wait  called over and over meanwhile"""
        end = time.monotonic() + seconds
        while True:
            if on_wait:
                on_wait()
            ended = self.popen.poll() is not None
            match = re.search(pattern, self.log(), re.M)
            if match:
                return match
            if ended:
                self.fail(f"ended with {self.popen.returncode} before /{pattern}/ came")
            if time.monotonic() > end:
                self.fail(f"/{pattern}/ did not come within {seconds} s")
            time.sleep(0.02)

    def stop(self, seconds=30, number=signal.SIGTERM):
        """Asks it to end and waits. @return its exit status; RuntimeError where it does not."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self.fail(f"did not end within {seconds} s of signal {number}")

    def kill(self):
        """Ends it at once, and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class Processes(contextlib.AbstractContextManager):
    """Starts programs; none of them is left at the end, the last started ends first."""

    def __init__(self):
        self.all = []

    def start(self, command, log_path, **options):
        self.all.append(Process(command, log_path, **options))
        return self.all[-1]

    def __exit__(self, *_):
        for process in reversed(self.all):
            process.kill()


@dataclasses.dataclass
class Result:
    """What a run gave: the sender's account, the receiver's exit status and output."""
    sent: dict
    returncode: int
    log: str


# ---- Rig A ----------------------------------------------------------------------------------


def split(generate, captures, prefix, queues, *arguments):
    """Cuts captures into one for each queue, PREFIX.QUEUE.pcap, times kept: by the symmetric hash
    of both addresses, or with the arguments "--spread", "asymmetric" by direction.
    @return the paths, and the generator's summary."""
    result = subprocess.run([generate, *captures, "--split", prefix, "--queues", str(queues),
                             "--json", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{generate} --split: {result.stderr}")
    paths = [pathlib.Path(f"{prefix}.{queue}.pcap") for queue in range(queues)]
    return paths, json.loads(result.stdout)


def pcap_port(paths, name="net_pcap0"):
    """The port that receives each capture on a queue of its own."""
    return ",".join([name, *(f"rx_pcap={path}" for path in paths)])


# ---- Rig B ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Wire:
    """A pair of ports with a socket between them, which the sender makes: it starts first."""
    queues: int
    socket: pathlib.Path
    sender_port: str
    receiver_port: str
    frame_bytes_max: int = LONG_FRAME_BYTES


def memif_wire(folder, queues, takes_long_frames=True, ring=4096):
    """2 to 10 million packets a second; without long frames (1518 bytes at most) the faster, and
    with as many packets in the ring as one likes, up to 16384."""
    socket = pathlib.Path(folder) / "memif.sock"
    # Long buffers want short rings: both sides map queues * 2 * ring * buffer bytes.
    shape = f"rsize=9,bsize={LONG_FRAME_BYTES}"
    if not takes_long_frames:
        shape = f"rsize={ring.bit_length() - 1}"
    port = f"net_memif0,socket={socket},socket-abstract=no,{shape},role="
    return Wire(queues, socket, port + "server", port + "client",
                LONG_FRAME_BYTES if takes_long_frames else 1518)


def vhost_wire(folder, queues):
    """About a million packets a second, with frames of any length, as a virtual machine has it."""
    socket = pathlib.Path(folder) / "vhost.sock"
    return Wire(queues, socket, f"net_vhost0,iface={socket},queues={queues}",
                f"virtio_user0,path={socket},queues={queues},queue_size=1024")


def summary_of(sender, seconds, on_wait=None):
    return json.loads(sender.wait_for(r'^\{"ending".*\}$', seconds, on_wait).group(0))


def run_wire(processes, generate, wire, send_arguments, receiver_command, *, seconds=120,
             is_drained=None, settle_seconds=1.0, before_stop=None, on_wait=None,
             receiver_options=None):
    """Sends from one process to another. The receiver is ended by SIGTERM when the sender has
    sent all and what it received is dealt with; only then the sender, whose end the receiver's
    memif driver may not survive.

    @param send_arguments    of shrike-generate: captures, --lossless, --rate, --loops …
    @param receiver_command  uses wire.receiver_port; starts when the wire's socket is there
    @param is_drained        given the receiver and the summary, tells whether all is dealt with;
                             else settle_seconds pass
    @param before_stop       called with receiver and summary before the receiver is ended
    @param on_wait           called with the receiver over and over while the sender sends
    """
    folder = wire.socket.parent
    wire.socket.unlink(missing_ok=True)
    sender = processes.start(
        [generate, *send_arguments, "--port", wire.sender_port, "--queues", wire.queues,
         "--frame-bytes-max", wire.frame_bytes_max, "--wait-for-peer", 60, "--linger", 3600,
         "--json"], folder / "sender.log")
    wait_until(lambda: wire.socket.exists() or sender.popen.poll() is not None, 60,
               "the sender's socket")
    if sender.popen.poll() is not None:
        sender.fail(f"ended with {sender.popen.returncode}")
    receiver = processes.start(receiver_command, folder / "receiver.log",
                               **(receiver_options or {}))
    try:
        sent = summary_of(sender, seconds, on_wait and (lambda: on_wait(receiver)))
    except RuntimeError as fault:
        raise RuntimeError(f"{fault}\nthe receiver said:\n{receiver.log()[-4000:]}") from None
    end_receiver = _end_receiver(receiver, sent, is_drained, settle_seconds, before_stop)
    sender.stop()
    return Result(sent, end_receiver, receiver.log())


def _end_receiver(receiver, sent, is_drained, settle_seconds, before_stop):
    if is_drained:
        wait_until(lambda: receiver.popen.poll() is not None or is_drained(receiver, sent), 60,
                   "the receiver's end of work")
    else:
        time.sleep(settle_seconds)
    if before_stop:
        before_stop(receiver, sent)
    return receiver.stop()


# ---- Rig C ----------------------------------------------------------------------------------


def missing_for_veth(*programs):
    """Why rig C cannot run here, or nothing."""
    missing = [program for program in ("ip", "sysctl", *programs) if not shutil.which(program)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "network namespaces need root"
    trial = subprocess.run(["ip", "netns", "add", f"{Namespaces.PREFIX}try-{os.getpid()}"],
                           capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        return f"no network namespaces here: {trial.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", f"{Namespaces.PREFIX}try-{os.getpid()}"], check=True)
    return None


class Namespaces(contextlib.AbstractContextManager):
    """Network namespaces, for as long as the context lasts: subclasses name and `_make` them. Needs
    root."""

    PREFIX = "shrike-live-"

    def __init__(self, *names):
        self.names = [f"{self.PREFIX}{name}-{os.getpid()}" for name in names]

    def __enter__(self):
        self.remove_stale()
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    @classmethod
    def remove_stale(cls):
        """Removes what runs left behind that were killed."""
        listing = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True,
                                 check=False).stdout
        for name, pid in re.findall(rf"^({cls.PREFIX}\w+-(\d+))", listing, re.M):
            if not pathlib.Path(f"/proc/{pid}").exists():
                subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


class VethPair(Namespaces):
    """Two network namespaces with an Ethernet cable between them. Needs root."""

    sender_interface = "vsend"
    receiver_interface = "vreceive"

    def __init__(self, queues=2, mtu=9000):
        self.queues = queues
        self.mtu = mtu
        super().__init__("send", "receive")
        self.sender_namespace, self.receiver_namespace = self.names

    def _make(self):
        ends = ((self.sender_namespace, self.sender_interface),
                (self.receiver_namespace, self.receiver_interface))
        for namespace, _ in ends:
            _ip("netns", "add", namespace)
        queues = ("numtxqueues", self.queues, "numrxqueues", self.queues)
        _ip("link", "add", self.sender_interface, "netns", self.sender_namespace, *queues, "type",
            "veth", "peer", "name", self.receiver_interface, "netns", self.receiver_namespace,
            *queues)
        for namespace, interface in ends:
            # Else the kernel itself sends neighbour discovery.
            subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-qw",
                            "net.ipv6.conf.all.disable_ipv6=1"], check=True)
            _ip("-n", namespace, "link", "set", interface, "up", "promisc", "on", "arp", "off",
                "mtu", self.mtu)
            _ip("-n", namespace, "link", "set", "lo", "up")

    @property
    def receiver_port(self):
        return (f"net_af_packet0,iface={self.receiver_interface},"
                f"{AF_PACKET.format(queues=self.queues)}")

    @property
    def sender_port(self):
        return (f"net_af_packet0,iface={self.sender_interface},"
                f"{AF_PACKET.format(queues=self.queues)}")

    def at_sender(self, command):
        return ["ip", "netns", "exec", self.sender_namespace, *command]

    def at_receiver(self, command):
        return ["ip", "netns", "exec", self.receiver_namespace, *command]

    def received_packets(self):
        """What the kernel counted at the receiving end, dropped or not."""
        shown = _ip("-n", self.receiver_namespace, "-j", "-s", "link", "show",
                    self.receiver_interface)
        return json.loads(shown)[0]["stats64"]["rx"]["packets"]

    def rebuilt_fragments(self):
        """Frames fewer than arrived, because the kernel made datagrams of fragments or waits for
        their rest: what it was given less what it gave on. For af_packet it does so."""
        names, values = (line.split() for line in subprocess.run(
            self.at_receiver(["cat", "/proc/net/snmp"]), capture_output=True, text=True,
            check=True).stdout.splitlines() if line.startswith("Ip: "))
        counted = dict(zip(names[1:], map(int, values[1:])))
        return counted["ReasmReqds"] - counted["ReasmOKs"]


def _ip(*arguments):
    command = ["ip", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
    return result.stdout


def tcpreplay(pair, capture, *arguments, seconds=120):
    """Sends one Ethernet capture with tcpreplay. Frames above the MTU fail.
    @return packets, bytes and failed, in the names of the generator's summary."""
    result = subprocess.run(
        pair.at_sender(["tcpreplay", "-i", pair.sender_interface, *map(str, arguments),
                        str(capture)]),
        capture_output=True, text=True, timeout=seconds, check=False)
    actual = re.search(r"Actual: (\d+) packets \((\d+) bytes\)", result.stdout)
    if not actual:
        raise RuntimeError(f"tcpreplay: {result.stdout}{result.stderr}")
    failed = re.search(r"Failed packets:\s+(\d+)", result.stdout)
    return {"packets": int(actual[1]), "bytes": int(actual[2]),
            "refused": int(failed[1]) if failed else 0}


def run_veth(processes, pair, send, receiver_command, folder, *, ready, seconds=60,
             is_drained=None, settle_seconds=1.0, before_stop=None, receiver_options=None):
    """Sends through the kernel to a receiver in the other namespace.

    @param send    called with nothing when the receiver is ready; returns the account of what it
                   sent: a lambda around tcpreplay() or generate_veth()
    @param ready   a pattern of the receiver's output that says it listens
    """
    receiver = processes.start(pair.at_receiver(receiver_command),
                               pathlib.Path(folder) / "receiver.log", **(receiver_options or {}))
    receiver.wait_for(ready, seconds)
    time.sleep(0.2)  # what is said is not yet done
    sent = send()
    status = _end_receiver(receiver, sent, is_drained, settle_seconds, before_stop)
    return Result(sent, status, receiver.log())


def generate_veth(processes, pair, generate, send_arguments, folder, seconds=120):
    """Sends with the generator over af_packet. @return its summary."""
    sender = processes.start(
        pair.at_sender([generate, *send_arguments, "--port", pair.sender_port, "--queues",
                        pair.queues, "--frame-bytes-max", AF_PACKET_FRAME_BYTES, "--json"]),
        pathlib.Path(folder) / "sender.log")
    sent = summary_of(sender, seconds)
    if sender.popen.wait(30) != 0:
        sender.fail(f"ended with {sender.popen.returncode}")
    return sent
