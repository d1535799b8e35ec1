#include "shrike/doctor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

namespace shrike::doctor {
namespace {

namespace fs = std::filesystem;

/// A machine made of files in a folder of its own.
class Forged {
 public:
  Forged() {
    static int count = 0;
    root_ = fs::temp_directory_path() /
            ("doctor_test." + std::to_string(::getpid()) + "." + std::to_string(count++));
    fs::create_directories(root_);
  }
  ~Forged() { fs::remove_all(root_); }
  Forged(const Forged&) = delete;
  Forged& operator=(const Forged&) = delete;

  Forged& file(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
    return *this;
  }
  Forged& folder(const std::string& path) {
    fs::create_directories(root_ / path);
    return *this;
  }
  Forged& link(const std::string& path, const std::string& target) {
    fs::create_directories((root_ / path).parent_path());
    fs::remove(root_ / path);
    fs::create_symlink(target, root_ / path);
    return *this;
  }
  Forged& nic(const std::string& address, const std::string& vendor, const std::string& device,
              const std::string& driver, const std::string& interface = {}) {
    const std::string place = "sys/bus/pci/devices/" + address;
    file(place + "/class", "0x020000").file(place + "/vendor", vendor);
    file(place + "/device", device).file(place + "/numa_node", "0");
    if (!driver.empty()) {
      link(place + "/driver", "../../../bus/pci/drivers/" + driver);
    }
    if (!interface.empty()) {
      folder(place + "/net/" + interface);
      const std::string net = "sys/class/net/" + interface;
      file(net + "/operstate", "up").file(net + "/speed", "10000").file(net + "/mtu", "1500");
      file(net + "/flags", "0x1003")
          .file(net + "/ifindex", "2")
          .folder(net + "/device")
          .folder(net + "/queues/rx-0");
    }
    return *this;
  }
  Forged& group(const std::string& number, const std::string& address) {
    link("sys/bus/pci/devices/" + address + "/iommu_group",
         "../../../../kernel/iommu_groups/" + number);
    return folder("sys/kernel/iommu_groups/" + number + "/devices/" + address);
  }
  Forged& huge_pages(const std::string& node, const std::string& total, const std::string& free) {
    const std::string place = "sys/devices/system/node/" + node + "/hugepages/hugepages-2048kB";
    return file(place + "/nr_hugepages", total).file(place + "/free_hugepages", free);
  }
  [[nodiscard]] const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

/// A server on which everything is as it should be: eth0 for people, 0000:03:00.0 for DPDK.
void forge_server(Forged& machine) {
  machine.file("proc/sys/kernel/osrelease", "6.1.0-28-amd64")
      .file("proc/cmdline", "BOOT_IMAGE=/vmlinuz isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3")
      .file("proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu constant_tsc nonstop_tsc")
      .file("proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=2M 0 0")
      .file("proc/self/status", "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff")
      .file("proc/self/limits", "Max locked memory         8388608    8388608    bytes")
      .file("proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0")
      .file("proc/net/packet", "sk RefCnt Type Proto Iface R Rmem User Inode")
      .file("sys/devices/system/cpu/online", "0-3")
      .file("sys/devices/system/cpu/isolated", "2-3")
      .file("sys/devices/system/node/online", "0")
      .file("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc")
      .file("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet")
      .huge_pages("node0", "1024", "1024")
      .nic("0000:00:19.0", "0x8086", "0x1533", "igb", "eth0")
      .nic("0000:03:00.0", "0x8086", "0x10fb", "vfio-pci")
      .group("7", "0000:03:00.0")
      .folder("sys/module/vfio_pci")
      .file("dev/vfio/vfio", "")
      .file("dev/vfio/7", "");
  for (const char* processor : {"0", "1", "2", "3"}) {
    const std::string place = std::string("sys/devices/system/cpu/cpu") + processor;
    machine.file(place + "/topology/thread_siblings_list", processor)
        .file(place + "/cpufreq/scaling_governor", "performance");
  }
}

/// What the kernel would say when asked.
class ForgedKernel final : public Kernel {
 public:
  std::vector<Offload> joined;
  std::optional<ReceiveHash> hash;

  [[nodiscard]] std::optional<std::vector<Offload>> offloads(const std::string&) const override {
    return joined;
  }
  [[nodiscard]] std::optional<ReceiveHash> receive_hash(const std::string&) const override {
    return hash;
  }
};

const ForgedKernel silent_kernel;

Request request_for(const Forged& machine) {
  return {.root = machine.root(), .kernel = &silent_kernel};
}

/// Findings of one topic as "level subject: seen | meaning | $ mend", one a line.
std::string told(const Report& report, std::string_view topic) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (finding.topic != topic) {
      continue;
    }
    text += std::string(name_of(finding.level)) + " " + finding.subject + ": " + finding.seen;
    for (const std::string& line : finding.mend) {
      text += " $ " + line;
    }
    text += '\n';
  }
  return text;
}

TEST(Doctor, FindsAServerWell) {
  Forged machine;
  forge_server(machine);
  const Report report = examine(request_for(machine));
  EXPECT_FALSE(report.has_problems());
  EXPECT_EQ(report.port.problems, 0U);
  EXPECT_EQ(as_text(report, true),
            R"(Linux 6.1.0-28-amd64, 4 processors, 1 NUMA node

note      port 0000:00:19.0: 8086:1533, DPDK drives it (net_e1000_igb), bound to igb, node 0, eth0
          (up, 10000 Mbit/s)
          eth0 holds the default route: to take it would cut this machine off; let DPDK have another
          NIC, or listen with -i eth0
ok        link eth0: up, MTU 1500
ok        offloads eth0: nothing joins segments
ok        receive-hash eth0: 1 receive queue
ok        port 0000:03:00.0: 8086:10fb, DPDK drives it (net_ixgbe), bound to vfio-pci, node 0, IOMMU
          group 7
ok        other-sensor: none takes packets here that can be seen
ok        iommu: on, 1 group
ok        vfio: vfio-pci is loaded, /dev/vfio/vfio is there
ok        huge-pages node 0: 1024 of 1024 pages of 2 MiB free
ok        hugetlbfs: mounted at /dev/hugepages
ok        capability CAP_NET_RAW: held
ok        capability CAP_NET_ADMIN: held
ok        capability CAP_IPC_LOCK: held
ok        memlock: limited to 8 MiB, which CAP_IPC_LOCK overrides
ok        vfio-group 0000:03:00.0: /dev/vfio/7 can be opened
ok        isolated-cores: isolcpus 2-3, nohz_full 2-3, rcu_nocbs 2-3, of processors 0-3
ok        sibling-threads: 4 processors on 4 cores
ok        irqbalance: does not run
ok        governor: performance (4 processors)
ok        sleep-states: none that the kernel knows
ok        clock: clock source tsc, constant_tsc, nonstop_tsc

Interface of the kernel (-i)   ready
Port of DPDK (PCI address)     ready
)");
}

TEST(Doctor, SaysWhatStandsInTheWayOfAPort) {
  Forged machine;
  forge_server(machine);
  machine.nic("0000:03:00.0", "0x8086", "0x10fb", "ixgbe", "eth1").huge_pages("node0", "0", "0");
  fs::remove_all(machine.root() / "sys/module/vfio_pci");
  fs::remove_all(machine.root() / "sys/kernel/iommu_groups");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0", "0000:09:00.0"};
  const Report report = examine(request);
  EXPECT_TRUE(report.has_problems());
  EXPECT_EQ(told(report, "huge-pages"),
            "problem node 0: 0 of 0 pages of 2 MiB free $ echo 256 | sudo tee "
            "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages\n");
  EXPECT_EQ(told(report, "iommu"),
            "problem : none $ sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt /' "
            "/etc/default/grub && sudo update-grub && sudo reboot\n");
  EXPECT_EQ(told(report, "vfio"),
            "problem : vfio-pci is not loaded $ sudo modprobe vfio-pci $ echo vfio-pci | sudo tee "
            "/etc/modules-load.d/shrike.conf\n");
  EXPECT_NE(told(report, "port")
                .find("$ sudo ip link set eth1 down $ sudo modprobe vfio-pci $ sudo "
                      "dpdk-devbind.py --bind=vfio-pci 0000:03:00.0"),
            std::string::npos);
  EXPECT_NE(told(report, "port").find("problem 0000:09:00.0: there is no NIC at this PCI address"),
            std::string::npos);
  EXPECT_EQ(told(report, "link"), "");  // nobody asked for an interface
}

TEST(Doctor, OneWayIsEnoughWhereNoneIsNamed) {
  Forged machine;
  forge_server(machine);
  machine.huge_pages("node0", "0", "0");
  const Report report = examine(request_for(machine));
  EXPECT_FALSE(report.has_problems());
  EXPECT_EQ(report.port.problems, 1U);
  EXPECT_NE(told(report, "huge-pages").find("warning node 0"), std::string::npos);
}

TEST(Doctor, LetsAVirtualMachineWorkWithoutAnIommu) {
  Forged machine;
  forge_server(machine);
  machine.file("proc/cpuinfo", "flags : hypervisor constant_tsc nonstop_tsc");
  fs::remove_all(machine.root() / "sys/kernel/iommu_groups");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  EXPECT_NE(told(examine(request), "iommu").find("problem : none $ sudo modprobe vfio enable"),
            std::string::npos);
  machine.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_NE(told(examine(request), "iommu").find("warning : none; VFIO works"), std::string::npos);
}

TEST(Doctor, KnowsWhoMustLeaveAGroup) {
  Forged machine;
  forge_server(machine);
  machine.nic("0000:03:00.1", "0x8086", "0x10fb", "ixgbe").group("7", "0000:03:00.1");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  EXPECT_NE(told(examine(request), "port")
                .find("$ sudo dpdk-devbind.py --bind=vfio-pci "
                      "0000:03:00.1"),
            std::string::npos);
}

TEST(Doctor, KnowsDriversThatWorkBesideTheKernels) {
  Forged machine;
  forge_server(machine);
  machine.nic("0000:05:00.0", "0x15b3", "0x1017", "mlx5_core", "eth2");
  Request request = request_for(machine);
  request.ports = {"0000:05:00.0"};
  EXPECT_NE(
      told(examine(request), "port").find("$ sudo modprobe ib_uverbs $ sudo modprobe mlx5_ib"),
      std::string::npos);
  machine.folder("sys/module/ib_uverbs").folder("sys/module/mlx5_ib");
  EXPECT_FALSE(examine(request).has_problems());
}

struct DriverCase {
  const char* vendor;
  const char* device;
  const char* driver;
};

TEST(Doctor, KnowsWhichNicsDpdkDrives) {
  const DriverCase cases[] = {
      {"0x8086", "0x10fb", "net_ixgbe"},
      {"0x8086", "0x1572", "net_i40e"},
      {"0x8086", "0x1592", "net_ice"},
      {"0x8086", "0x1521", "net_e1000_igb"},
      {"0x8086", "0x10d3", "net_e1000_em"},
      {"0x15b3", "0x1017", "net_mlx5"},
      {"0x1d0f", "0xec20", "net_ena"},
      {"0x1af4", "0x1041", "net_virtio"},
      {"0x15ad", "0x07b0", "net_vmxnet3"},
      {"0x14e4", "0x16d7", "net_bnxt"},
      {"0x10ec", "0x8168", "DPDK 22.11 has no driver for it"},
  };
  for (const DriverCase& test : cases) {
    SCOPED_TRACE(std::string(test.vendor) + ":" + test.device);
    Forged machine;
    machine.nic("0000:01:00.0", test.vendor, test.device, "");
    EXPECT_NE(told(examine(request_for(machine)), "port").find(test.driver), std::string::npos);
  }
}

TEST(Doctor, FindsWhoHoldsAPort) {
  Forged machine;
  forge_server(machine);
  machine.file("proc/812/comm", "Suricata-Main").link("proc/812/fd/9", "/dev/vfio/7");
  machine.file("proc/812/cgroup", "0::/system.slice/suricata.service");
  machine.file("proc/913/comm", "snort").link("proc/913/fd/4", "socket:[5511]");
  machine.file("proc/net/packet", "sk RefCnt\nffff 3 3 0003 2 1 0 0 5511");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  EXPECT_EQ(told(examine(request), "other-sensor"),
            "problem 0000:03:00.0: Suricata-Main (process 812) holds it $ sudo systemctl stop "
            "suricata.service\n");
  request.ports.clear();
  request.interfaces = {"eth0"};
  EXPECT_EQ(told(examine(request), "other-sensor"),
            "note : snort (process 913) takes packets from an interface $ sudo kill 913\n");
  machine.file("sys/class/net/eth0/ifindex", "3");  // it listens elsewhere
  EXPECT_EQ(told(examine(request), "other-sensor"),
            "ok : none takes packets here that can be seen\n");
}

TEST(Doctor, FindsWhatJoinsSegments) {
  Forged machine;
  forge_server(machine);
  ForgedKernel kernel;
  kernel.joined = {{"rx-gro", true}, {"rx-lro", false}, {"rx-gro-hw", true, true}};
  Request request{.root = machine.root(), .kernel = &kernel, .interfaces = {"eth0"}};
  EXPECT_EQ(told(examine(request), "offloads"),
            "warning eth0: gro is on, rx-gro-hw is on (fixed) $ sudo ethtool -K eth0 gro off\n");
}

std::vector<uint8_t> repeated_key() {
  std::vector<uint8_t> key;
  for (int at = 0; at < 20; ++at) {
    key.insert(key.end(), {0x6d, 0x5a});
  }
  return key;
}

/// Microsoft's, "Verifying the RSS hash calculation".
const std::vector<uint8_t> microsoft_key = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

TEST(Doctor, TellsSymmetricKeysFromOthers) {
  EXPECT_TRUE(is_symmetric(repeated_key()));
  EXPECT_FALSE(is_symmetric(microsoft_key));
  EXPECT_FALSE(is_symmetric({}));
  auto nearly = repeated_key();
  nearly.back() ^= 1;  // the last bit belongs to the last bit of the target port
  EXPECT_TRUE(is_symmetric(nearly));
  nearly = repeated_key();
  nearly[35] ^= 1;
  EXPECT_FALSE(is_symmetric(nearly));
}

/// The hash itself, bit by bit: each set bit of the input adds the key's window at its place.
uint32_t toeplitz(const std::vector<uint8_t>& key, const std::vector<uint8_t>& input) {
  uint32_t hash = 0;
  for (size_t at = 0; at < input.size() * 8; ++at) {
    for (size_t bit = 0; (input[at / 8] >> (7 - at % 8) & 1) != 0 && bit < 32; ++bit) {
      hash ^= (key[(at + bit) / 8] >> (7 - (at + bit) % 8) & 1U) << (31 - bit);
    }
  }
  return hash;
}

/// Addresses of `bytes`, then ports: of a random connection, and the same the other way round.
std::pair<std::vector<uint8_t>, std::vector<uint8_t>> both_directions(std::mt19937& random,
                                                                      size_t bytes) {
  std::vector<uint8_t> there(2 * bytes + 4);
  std::ranges::generate(there, [&] { return static_cast<uint8_t>(random()); });
  std::vector<uint8_t> back = there;
  std::swap_ranges(back.begin(), back.begin() + bytes, back.begin() + bytes);
  std::swap_ranges(back.end() - 4, back.end() - 2, back.end() - 2);
  return {there, back};
}

TEST(Doctor, AgreesWithTheHashOnWhatIsSymmetric) {
  std::mt19937 random(22);
  std::vector<std::vector<uint8_t>> keys = {repeated_key(), microsoft_key};
  for (size_t bit = 0; bit < 320; ++bit) {
    keys.push_back(repeated_key());
    keys.back()[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
  }
  for (const std::vector<uint8_t>& key : keys) {
    bool is_equal = true;
    for (int round = 0; round < 100 && is_equal; ++round) {
      for (const size_t bytes : {size_t{4}, size_t{16}}) {
        const auto [there, back] = both_directions(random, bytes);
        is_equal = is_equal && toeplitz(key, there) == toeplitz(key, back);
      }
    }
    EXPECT_EQ(is_symmetric(key), is_equal);
  }
}

TEST(Doctor, JudgesHowANicChoosesItsQueue) {
  using Function = ReceiveHash::Function;
  const ReceiveHash symmetric{Function::toeplitz, false, repeated_key(), {0, 1, 0, 1}};
  const ReceiveHash lopsided{Function::toeplitz, false, microsoft_key, {0, 1, 0, 1}};
  const ReceiveHash folded{Function::toeplitz, true, microsoft_key, {0, 1}};
  const ReceiveHash single{Function::toeplitz, false, microsoft_key, {0, 0}};
  const ReceiveHash hidden{Function::toeplitz, false, {}, {0, 1}};
  const struct {
    std::optional<ReceiveHash> hash;
    const char* expected;
  } cases[] = {
      {symmetric,
       "ok eth0: 2 receive queues, Toeplitz, key of 40 bytes (symmetric), 4 buckets over"
       " queues 0-1\n"},
      {lopsided,
       "warning eth0: 2 receive queues, Toeplitz, key of 40 bytes, 4 buckets over queues "
       "0-1 $ sudo ethtool -X eth0 hkey 6d:5a:"},
      {folded, "ok eth0: 2 receive queues, Toeplitz, key of 40 bytes (symmetric), 2 buckets"},
      {single, "ok eth0: 2 receive queues, Toeplitz, key of 40 bytes, 2 buckets over queues 0\n"},
      {hidden,
       "note eth0: 2 receive queues, Toeplitz, key of 0 bytes, 2 buckets over queues 0-1\n"},
      {std::nullopt, "note eth0: 2 receive queues, and the driver does not tell how it chooses\n"},
  };
  Forged machine;
  forge_server(machine);
  machine.folder("sys/class/net/eth0/queues/rx-1");
  for (const auto& test : cases) {
    SCOPED_TRACE(test.expected);
    ForgedKernel kernel;
    kernel.hash = test.hash;
    const Request request{.root = machine.root(), .kernel = &kernel, .interfaces = {"eth0"}};
    EXPECT_TRUE(told(examine(request), "receive-hash").starts_with(test.expected))
        << told(examine(request), "receive-hash");
  }
}

TEST(Doctor, LooksAtTheLinkOfAnInterface) {
  Forged machine;
  forge_server(machine);
  Request request = request_for(machine);
  request.interfaces = {"eth0", "eth9"};
  machine.file("sys/class/net/eth0/flags", "0x1002");
  EXPECT_EQ(told(examine(request), "link"),
            "problem eth0: up, MTU 1500 $ sudo ip link set eth0 up\n"
            "problem eth9: there is no such interface $ ip -br link\n");
  machine.file("sys/class/net/eth0/flags", "0x1003").file("sys/class/net/eth0/mtu", "9000");
  EXPECT_NE(told(examine(request), "link").find("warning eth0: up, MTU 9000"), std::string::npos);
  request.ring_frames = {{"eth0", 16384 - 66}};
  EXPECT_EQ(told(examine(request), "link").find("warning eth0"), std::string::npos)
      << "the configuration makes room for it";
  machine.file("sys/class/net/eth0/operstate", "down");
  EXPECT_NE(told(examine(request), "link").find("warning eth0: down"), std::string::npos);
}

TEST(Doctor, LooksAtCoresAndClocks) {
  Forged machine;
  forge_server(machine);
  machine.file("proc/cmdline", "quiet")
      .file("sys/devices/system/cpu/isolated", "")
      .file("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,2")
      .file("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "0,2")
      .file("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
      .file("sys/devices/system/cpu/cpu0/cpuidle/state1/name", "C1")
      .file("sys/devices/system/cpu/cpu0/cpuidle/state1/latency", "2")
      .file("sys/devices/system/cpu/cpu0/cpuidle/state2/name", "C6")
      .file("sys/devices/system/cpu/cpu0/cpuidle/state2/latency", "133")
      .file("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet")
      .file("proc/77/comm", "irqbalance");
  const Report report = examine(request_for(machine));
  EXPECT_EQ(told(report, "isolated-cores"),
            "note : isolcpus none, nohz_full none, rcu_nocbs none, of processors 0-3 $ sudo sed -i "
            "'s/^GRUB_CMDLINE_LINUX=\"/&isolcpus=1,3 nohz_full=1,3 rcu_nocbs=1,3 /' "
            "/etc/default/grub && sudo update-grub && sudo reboot\n");
  EXPECT_EQ(told(report, "sibling-threads"), "note : 4 processors on 3 cores\n");
  EXPECT_EQ(told(report, "irqbalance"),
            "warning : runs $ sudo systemctl disable --now irqbalance\n");
  EXPECT_EQ(told(report, "governor"),
            "warning : performance (3 processors), powersave (1 processor) $ echo performance | "
            "sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor\n");
  EXPECT_EQ(told(report, "sleep-states"),
            "note : C1 2 us, C6 133 us $ echo 1 | sudo tee "
            "/sys/devices/system/cpu/cpu*/cpuidle/state2/disable\n");
  EXPECT_EQ(told(report, "clock"),
            "warning : clock source hpet, constant_tsc, nonstop_tsc $ echo tsc | sudo tee "
            "/sys/devices/system/clocksource/clocksource0/current_clocksource\n");
}

TEST(Doctor, LooksAtRightsOfAUser) {
  Forged machine;
  forge_server(machine);
  const std::string stranger = std::to_string(::getuid() + 77);
  machine.file("proc/self/status", "Uid:\t" + stranger + "\t" + stranger +
                                       "\nGid:\t4242\t4242\nCapEff:\t0000000000000000");
  fs::permissions(machine.root() / "dev/vfio/7", fs::perms{0600});
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  Report report = examine(request);
  EXPECT_NE(told(report, "memlock").find("problem : limited to 8 MiB $ sudo prlimit"),
            std::string::npos);
  EXPECT_EQ(told(report, "vfio-group"),
            "problem 0000:03:00.0: /dev/vfio/7 cannot be opened $ sudo chown \"$(id -un)\" "
            "/dev/vfio/7\n");
  request.ports.clear();
  request.interfaces = {"eth0"};
  report = examine(request);
  EXPECT_EQ(report.interface.problems, 1U);
  EXPECT_EQ(told(report, "capability"),
            "problem CAP_NET_RAW: not held $ sudo setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep "
            "\"$(command -v shrike)\"\n"
            "warning CAP_NET_ADMIN: not held $ sudo setcap "
            "cap_net_raw,cap_net_admin,cap_ipc_lock+ep \"$(command -v shrike)\"\n");
}

TEST(Doctor, AsksForMoreRightsWithoutAnIommu) {
  Forged machine;
  forge_server(machine);
  fs::remove_all(machine.root() / "sys/kernel/iommu_groups");
  machine.file("proc/self/status", "CapEff:\t0000000000004000")
      .file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  const std::string seen = told(examine(request), "capability");
  EXPECT_NE(seen.find("problem CAP_SYS_RAWIO: not held"), std::string::npos);
  EXPECT_NE(seen.find("cap_ipc_lock,cap_sys_admin,cap_sys_rawio+ep"), std::string::npos);
}

TEST(Doctor, WantsCoresNearThePort) {
  Forged machine;
  forge_server(machine);
  machine.file("sys/devices/system/node/node0/cpulist", "0-1");
  Request request = request_for(machine);
  request.ports = {"0000:03:00.0"};
  EXPECT_TRUE(
      told(examine(request), "near-cores")
          .starts_with("warning 0000:03:00.0: it is at node 0 with processors 0-1, and none "
                       "of them is isolated $ sudo sed -i -E "));
  machine.file("sys/devices/system/node/node0/cpulist", "0-3");
  EXPECT_EQ(told(examine(request), "near-cores"), "");
}

TEST(Doctor, LooksAtRulesAndLogs) {
  Forged machine;
  forge_server(machine);
  const std::string stranger = std::to_string(::getuid() + 77);
  machine.file("proc/self/status", "Uid:\t" + stranger + "\t" + stranger +
                                       "\nGid:\t4242\t4242\nCapEff:\t0000000000002000");
  machine.file("etc/rules/a.rules", "").file("etc/rules/b.rules", "").folder("var/log/shrike");
  fs::permissions(machine.root() / "etc/rules/a.rules", fs::perms{0644});
  fs::permissions(machine.root() / "etc/rules/b.rules", fs::perms{0600});
  fs::permissions(machine.root() / "etc/rules", fs::perms{0755});
  fs::permissions(machine.root() / "var/log/shrike", fs::perms{0755});
  Request request = request_for(machine);
  request.rule_files = {"/etc/rules/a.rules", "/etc/rules/b.rules", "/etc/rules/*.rules",
                        "/etc/none.rules"};
  request.log_folder = "/var/log/shrike";
  Report report = examine(request);
  EXPECT_EQ(told(report, "rules"),
            "ok /etc/rules/a.rules: can be read\n"
            "problem /etc/rules/b.rules: cannot be read $ sudo chmod a+r /etc/rules/b.rules\n"
            "ok /etc/rules/*.rules: can be read\n"
            "problem /etc/none.rules: is not there\n");
  EXPECT_EQ(told(report, "log-folder"),
            "problem /var/log/shrike: cannot be written to $ sudo chown \"$(id -un)\" "
            "/var/log/shrike\n");
  fs::permissions(machine.root() / "var/log/shrike", fs::perms{0777});
  request.log_folder = "/var/log/shrike/today";
  EXPECT_EQ(told(examine(request), "log-folder"),
            "ok /var/log/shrike/today: is not there; the sensor makes it\n");
  request.log_folder = "/etc/rules/a.rules";
  EXPECT_EQ(told(examine(request), "log-folder"), "problem /etc/rules/a.rules: is no folder\n");
}

TEST(Doctor, SurvivesAMachineWithoutAnything) {
  Forged machine;
  const Report report = examine({.root = machine.root() / "nowhere"});
  EXPECT_EQ(report.machine, "Linux of unknown release, 0 processors, 0 NUMA nodes");
  EXPECT_TRUE(report.has_problems());
}

TEST(Doctor, WritesJson) {
  Report report;
  report.machine = "Linux 6.1";
  report.interface = {0, true};
  report.port = {1, false};
  report.findings = {{.topic = "vfio",
                      .subject = "",
                      .way = Way::port,
                      .level = Level::problem,
                      .seen = "not \"loaded\"",
                      .meaning = "no port",
                      .mend = {"sudo modprobe vfio-pci", "true"}}};
  EXPECT_EQ(as_json(report),
            R"({"machine":"Linux 6.1","problems":true,)"
            R"("interface":{"wanted":true,"ready":true,"problems":0},)"
            R"("port":{"wanted":false,"ready":false,"problems":1},)"
            R"("findings":[{"topic":"vfio","subject":"","way":"port","level":"problem",)"
            R"("seen":"not \"loaded\"","meaning":"no port",)"
            R"("mend":["sudo modprobe vfio-pci","true"]}]})");
}

}  // namespace
}  // namespace shrike::doctor
