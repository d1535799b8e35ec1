"""A virtual machine that runs the sensor on an emulated network card with receive-side scaling.

Rigs D and E: Virtual cables (Taps) in a network namespace of their own, an initramfs with the
sensor and all it needs, a kernel of Debian's, and QEMU with devices that hash and have a queue for
each worker: virtio-net, or Intel's 82576 (igb). A shell on the guest's second serial port does what
it is told, line by line.

    with rig.Processes() as processes, guest.Taps([guest.Card("two", 2)]) as taps:
        machine = guest.Guest(processes, taps, kernel, initramfs, folder)
        machine.run("cat /proc/uptime")
"""
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import stat
import subprocess
import tarfile
import tempfile
import time

import rig

QEMU = "qemu-system-x86_64"
KERNEL_PACKAGE = "linux-image-cloud-amd64"
#: Loaded in this order, those that the kernel does not have built in.
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
           "virtio_console", "uio", "uio_pci_generic")
#: Drivers that DPDK loads by itself when it starts.
DPDK_PLUGINS = ("bus_pci", "bus_vdev", "mempool_ring", "net_virtio", "net_e1000")
FIRST_SLOT = 0x08  # of the network devices on the guest's PCI bus; igb asks for room behind it
HUGE_PAGES = 320   # of 2 MiB: for packet buffers
MEMORY_MIB = 2048
RESULTS = "/dev/vport0p1"  # in the guest; what is written there stands in Guest.results
#: What a cable holds until QEMU takes it.
CABLE_FRAMES = 20000
#: A guest on a processor's own virtualization is up in a second.
KVM_TRIAL_S = 5
CLONE_NEWNET = 0x40000000  # of the kernel's sched.h

#: Binds the network devices to a driver that DPDK can use, then obeys. Each command ends with a
#: line that tells its status.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
chmod 755 /  # DPDK loads no driver from below a folder that everyone may write to
mkdir -p /proc /sys /dev /run /tmp /log /var/run
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/huge; mount -t hugetlbfs huge /dev/huge; mount -t tmpfs tmp /log
ifconfig lo 127.0.0.1 up
for each in /sys/bus/pci/devices/*; do
  case $(cat $each/vendor):$(cat $each/device) in
    0x1af4:0x1000|0x1af4:0x1041|0x8086:0x10c9) echo uio_pci_generic >$each/driver_override ;;
  esac
done
for module in $(cat /modules/order); do insmod /modules/$module; done
for each in /sys/bus/pci/devices/*; do
  [ "$(cat $each/driver_override)" != uio_pci_generic ] || [ -e $each/driver ] ||
    echo ${each##*/} >/sys/bus/pci/drivers/uio_pci_generic/bind
done
stty -F /dev/ttyS1 raw -echo
echo "guest is up"
exec </dev/ttyS1 >/dev/ttyS1 2>&1
while read -r line; do
  eval "$line"
  echo "[status $?]"
done
poweroff -f
"""


def missing(qemu=QEMU):
    """Why no guest can run here, or nothing."""
    if platform.machine() != "x86_64":
        return f"the guest is for x86_64, not {platform.machine()}"
    absent = [program for program in (qemu, "ip", "sysctl", "busybox", "ldd")
              if not shutil.which(program)]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: qemu-system-x86, busybox-static)"
    if _libraries(shutil.which("busybox")):
        return "busybox is not static (Debian: busybox-static)"
    if reason := rig.missing_for_veth():
        return reason
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun for taps"
    return None


# ---- The kernel -----------------------------------------------------------------------------


class NoKernel(Exception):
    """There is no kernel for the guest, and why."""


@dataclasses.dataclass
class Kernel:
    """Its image, and the modules that the guest loads, in order."""
    image: pathlib.Path
    modules: list


def find_kernel(cache):
    """The kernel in the folder `cache`; where there is none it is downloaded, not installed.
    @throw NoKernel"""
    cache = pathlib.Path(cache)
    if not (cache / "vmlinuz").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _unpack(_download(folder), pathlib.Path(folder), cache)
    modules = [path for name in MODULES if (path := cache / f"{name}.ko").exists()]
    return Kernel(cache / "vmlinuz", modules)


def _download(folder):
    """The package that the meta package stands for. @return its path"""
    if not shutil.which("apt-get"):
        raise NoKernel(f"no apt-get to download {KERNEL_PACKAGE} with")
    depends = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE], capture_output=True,
                             text=True, check=False).stdout
    name = re.search(r"Depends: (linux-image-\d\S+)", depends)
    if not name:
        raise NoKernel(f"apt knows no {KERNEL_PACKAGE}; run apt-get update")
    result = subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", name[1]],
                            cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    packages = list(pathlib.Path(folder).glob("*.deb"))
    if not packages:
        raise NoKernel(f"apt-get download {name[1]}: {result.stderr.strip()[-300:]}")
    return packages[0]


def _unpack(package, folder, cache):
    """The image comes last, as a sign that all is there."""
    wanted = {f"{name}.ko" for name in MODULES}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package],
                          stdout=subprocess.PIPE) as unpacking:
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as files:
            for member in files:
                name = pathlib.PurePath(member.name).name
                if name in wanted or name.startswith("vmlinuz-"):
                    target = "vmlinuz" if name not in wanted else name
                    (folder / target).write_bytes(files.extractfile(member).read())
    for path in folder.glob("*.ko"):
        path.replace(cache / path.name)
    if not (folder / "vmlinuz").exists():
        raise NoKernel(f"{package.name} has no kernel image")
    (folder / "vmlinuz").replace(cache / "vmlinuz")


# ---- The initramfs --------------------------------------------------------------------------


class Archive:
    """An initramfs: the kernel's "newc" form of cpio, see its buffer-format.rst."""

    def __init__(self):
        self.entries = {}  # path without the first slash: mode, content

    def add(self, path, content, mode=0o755):
        """A file, and the folders above it."""
        path = str(path).lstrip("/")
        for parent in reversed(pathlib.PurePath(path).parents[:-1]):
            self.entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))
        self.entries[path] = (stat.S_IFREG | mode, content)

    def link(self, path, target):
        self.add(path, b"")
        self.entries[str(path).lstrip("/")] = (stat.S_IFLNK | 0o777, str(target).encode())

    def copy(self, path):
        """A file of this machine where it lies here. Links stay links, for a library that is
        found under two names must not be loaded twice."""
        path = pathlib.Path(path)
        path = pathlib.Path(os.path.realpath(path.parent)) / path.name
        if str(path).lstrip("/") in self.entries:
            return
        if path.is_symlink():
            self.link(path, os.readlink(path))
            self.copy(path.parent / os.readlink(path))
        else:
            self.add(path, path.read_bytes())

    def copy_program(self, path):
        """A program or library of this machine, with the libraries that it is linked with."""
        self.copy(path)
        for library in _libraries(path):
            self.copy(library)

    def write(self, path):
        with open(path, "wb") as file:
            for number, (name, (mode, content)) in enumerate(self.entries.items()):
                self._write_entry(file, number, mode, name, content)
            self._write_entry(file, 0, 0, "TRAILER!!!", b"")

    @staticmethod
    def _write_entry(file, number, mode, name, content):
        name = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name
        file.write(head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4))


def _libraries(program):
    """Paths of the shared libraries that a program is linked with; none where it is static."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", listing)


def pack(archive_path, kernel, sensor, files):
    """An initramfs with the sensor as /bin/shrike.
    @param files  further files: path in the guest to path here"""
    archive = Archive()
    for name in ("lib", "lib64"):
        if os.path.islink(f"/{name}"):
            archive.link(name, os.readlink(f"/{name}"))
    archive.add("init", INIT.encode())
    archive.add("bin/busybox", pathlib.Path(shutil.which("busybox")).read_bytes())
    archive.add("bin/shrike", pathlib.Path(sensor).read_bytes())
    for library in _libraries(sensor):
        archive.copy(library)
    for name in DPDK_PLUGINS:
        for path in pathlib.Path("/usr/lib").glob(f"*/dpdk/pmds-*/librte_{name}.so"):
            archive.copy_program(path)
    for path in kernel.modules:
        archive.add(f"modules/{path.name}", path.read_bytes())
    archive.add("modules/order", "\n".join(path.name for path in kernel.modules).encode())
    for target, path in files.items():
        archive.add(target, pathlib.Path(path).read_bytes(), 0o644)
    archive.write(archive_path)


# ---- Cables ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Card:
    """An emulated network card: its name here, receive queues, whether it hashes by itself, and
    what it is: "virtio" or "igb"."""
    name: str
    queues: int
    hashes: bool = True
    model: str = "virtio"

    @property
    def has_queues_on_its_cable(self):
        return self.model == "virtio" and self.queues > 1

    def device(self):
        """QEMU's words for it, without network and place."""
        if self.model == "igb":
            return "igb"
        rss = "on" if self.hashes else "off"
        return (f"virtio-net-pci,mq=on,vectors={2 * self.queues + 2},rss={rss},hash={rss},"
                "rx_queue_size=1024")


class Tap:
    """The host's end of the cable to a card."""

    def __init__(self, namespace, card):
        self.namespace = namespace
        self.card = card
        self.sender_interface = f"tap-{card.name}"

    def at_sender(self, command):
        return ["ip", "netns", "exec", self.namespace, *command]

    def shorten(self, room):
        """Lets the cable hold no more than `room` frames for each queue."""
        _ip("-n", self.namespace, "link", "set", self.sender_interface, "txqueuelen", room)

    def send(self, frames):
        """Sends frames one behind the other, as fast as it goes. What finds no room is lost, and
        counted. (Drivers with rings of their own keep frames back when the cable is full.)"""
        with self._raw_socket() as raw:
            for frame in frames:
                with contextlib.suppress(OSError):  # no room
                    raw.send(frame)

    def _raw_socket(self):
        """A socket in the cable's namespace; this thread is there only for a moment."""
        set_namespace = ctypes.CDLL(None, use_errno=True).setns
        with open("/proc/self/ns/net", "rb") as own, \
                open(f"/run/netns/{self.namespace}", "rb") as there:
            if set_namespace(there.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "the cable's namespace cannot be entered")
            try:
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                raw.bind((self.sender_interface, 0))
            finally:
                set_namespace(own.fileno(), CLONE_NEWNET)
        return raw

    def counts(self):
        """Packets that QEMU took off the cable, and those that found no room on it."""
        shown = subprocess.run(
            ["ip", "-n", self.namespace, "-j", "-s", "link", "show", self.sender_interface],
            capture_output=True, text=True, check=True).stdout
        sent = json.loads(shown)[0]["stats64"]["tx"]
        return sent["packets"], sent["dropped"]


class Taps(rig.Namespaces):
    """Cables to a guest's cards, in a network namespace of their own. Needs root."""

    def __init__(self, cards):
        super().__init__("guest")
        self.namespace, = self.names
        self.all = [Tap(self.namespace, card) for card in cards]

    def _make(self):
        _ip("netns", "add", self.namespace)
        for tap in self.all:
            name = tap.sender_interface
            multi_queue = ["multi_queue"] if tap.card.has_queues_on_its_cable else []
            _ip("-n", self.namespace, "tuntap", "add", "dev", name, "mode", "tap", *multi_queue)
            # Else the kernel itself sends neighbour discovery.
            subprocess.run(tap.at_sender(["sysctl", "-qw",
                                          f"net.ipv6.conf.{name}.disable_ipv6=1"]), check=True)
            _ip("-n", self.namespace, "link", "set", name, "up", "promisc", "on", "arp", "off",
                "txqueuelen", CABLE_FRAMES)


def _ip(*arguments):
    subprocess.run(["ip", *map(str, arguments)], check=True)


# ---- The machine ----------------------------------------------------------------------------


class Guest:
    """A running guest. It ends with its processes."""

    def __init__(self, processes, taps, kernel, initramfs, folder, qemu=QEMU):
        self.folder = pathlib.Path(folder)
        self.results = self.folder / "results"
        self.qemu = qemu
        started = time.monotonic()
        self.accelerator = accelerator(kernel, self.folder)
        self.process = processes.start(
            taps.all[0].at_sender(self._command(taps, kernel, initramfs)), self.folder / "qemu.log")
        self._wait_for_boot()
        self.shell = socket.socket(socket.AF_UNIX)
        self.shell.connect(str(self.folder / "shell"))
        self.boot_seconds = time.monotonic() - started

    def _command(self, taps, kernel, initramfs):
        command = [self.qemu] + _machine(self.accelerator, kernel, initramfs) + [
            "-serial", f"file:{self.folder / 'console'}",
            "-serial", f"unix:{self.folder / 'shell'},server=on,wait=off",
            "-device", "virtio-serial-pci", "-chardev", f"file,id=results,path={self.results}",
            "-device", "virtserialport,chardev=results"]
        for number, tap in enumerate(taps.all):
            card = tap.card
            queues = f",queues={card.queues}" if card.has_queues_on_its_cable else ""
            command += [
                "-netdev", f"tap,id=net{number},ifname={tap.sender_interface},script=no,"
                f"downscript=no,vhost=off{queues}",
                "-device", f"{card.device()},netdev=net{number},addr={FIRST_SLOT + number:#x},"
                "romfile="]
        return command

    def _wait_for_boot(self):
        console = self.folder / "console"
        rig.wait_until(lambda: self.process.popen.poll() is not None or (
            console.exists() and b"guest is up" in console.read_bytes()), 120, "the guest's start")
        if self.process.popen.poll() is not None:
            self.fail("ended while it started")

    def fail(self, what):
        console = (self.folder / "console").read_text(errors="replace")
        self.process.fail(f"{what}\n{console[-3000:]}")

    @staticmethod
    def address(number):
        """The PCI address of a card in the guest."""
        return f"0000:00:{FIRST_SLOT + number:02x}.0"

    def run(self, command, seconds=60):
        """One line of shell in the guest. @return its exit status and what it wrote"""
        self.shell.settimeout(seconds)
        self.shell.sendall(command.encode() + b"\n")
        text = b""
        while not (ended := re.search(rb"\[status (\d+)\]\r?\n$", text)):
            try:
                piece = self.shell.recv(65536)
            except TimeoutError:
                self.fail(f"no end of `{command}` within {seconds} s: {text[-500:]}")
            if not piece:
                self.fail(f"ended during `{command}`")
            text += piece
        return int(ended[1]), text[:ended.start()].decode(errors="replace")

    def fetch(self, path, target):
        """Brings a file of the guest here."""
        begin = self.results.stat().st_size
        status, text = self.run(f"[ -c {RESULTS} ] && cat {path} >{RESULTS} && wc -c <{path}")
        if status != 0:
            self.fail(f"no {path}: {text}")
        end = begin + int(text)
        rig.wait_until(lambda: self.results.stat().st_size >= end, 60, f"{path} from the guest")
        with open(self.results, "rb") as file:
            file.seek(begin)
            pathlib.Path(target).write_bytes(file.read(end - begin))


def _machine(accelerator_name, kernel, initramfs):
    return ["-machine", "q35", "-accel", accelerator_name, "-cpu", "max", "-smp", "2", "-m",
            MEMORY_MIB, "-display", "none", "-nodefaults", "-no-reboot", "-kernel", kernel.image,
            "-initrd", initramfs, "-append",
            f"console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on "
            f"hugepages={HUGE_PAGES}"]


def accelerator(kernel, folder):
    """"kvm" where a guest really runs on it, which inside another guest it may not though
    /dev/kvm is there; else QEMU's translator."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg,thread=multi"
    archive = Archive()
    archive.add("init", b"#!/bin/busybox sh\n/bin/busybox echo runs >/dev/console\n"
                        b"/bin/busybox poweroff -f\n")
    archive.add("bin/busybox", pathlib.Path(shutil.which("busybox")).read_bytes())
    archive.write(folder / "trial")
    try:
        subprocess.run([QEMU] + list(map(str, _machine("kvm", kernel, folder / "trial"))) + [
            "-serial", f"file:{folder / 'trial.log'}"], capture_output=True, timeout=KVM_TRIAL_S,
                       check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return "tcg,thread=multi"
    return "kvm"
