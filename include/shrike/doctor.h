#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Says whether this machine can run the sensor live, and what to do where it cannot. Looks and
/// never touches: everything is read from /proc, /sys, /dev and from the kernel's ethtool.
/// Cold, one thread; nothing is printed here.
namespace shrike::doctor {

/// How much a finding matters. ok: as it should be. note: worth knowing. warning: the sensor runs,
/// but may lose packets or see less than it should. problem: it does not run that way at all.
enum class Level : uint8_t { ok, note, warning, problem };

/// The ways in which packets come to a live sensor, and what a finding speaks of.
enum class Way : uint8_t {
  every,      ///< rules, logs, cores: whatever the packets come from
  interface,  ///< an interface that the kernel keeps, by af_packet: -i
  port,       ///< a NIC that DPDK drives itself, by PCI address
};

struct Finding {
  std::string_view topic;  ///< a stable word, "huge-pages"; static
  std::string subject;     ///< "node 0", "eth1", "0000:03:00.0"; empty: the machine
  Way way = Way::every;
  Level level = Level::ok;
  std::string seen;               ///< what is there
  std::string meaning;            ///< what it does to the sensor; empty where all is well
  std::vector<std::string> mend;  ///< lines for a shell, in their order; empty: nothing to run
};

/// What `ethtool -k` says of one interface, by its names, of those that matter to a sensor.
struct Offload {
  std::string name;  ///< the kernel's: "rx-gro"
  bool is_active = false;
  bool is_fixed = false;  ///< no command changes it
};

/// What `ethtool -x` says: how the NIC chooses the queue of a packet.
struct ReceiveHash {
  enum class Function : uint8_t { unknown, toeplitz, exclusive_or, crc32 };
  Function function = Function::unknown;
  bool is_symmetrised = false;        ///< the NIC folds both directions into one before hashing
  std::vector<uint8_t> key;           ///< empty: the driver does not tell
  std::vector<uint32_t> indirection;  ///< [n] queue of each hash bucket; empty: none
};

/// What only system calls can tell. A forged machine answers for itself, or has none.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Nothing where the interface does not exist or its driver does not tell.
  [[nodiscard]] virtual std::optional<std::vector<Offload>> offloads(
      const std::string& interface) const = 0;
  [[nodiscard]] virtual std::optional<ReceiveHash> receive_hash(
      const std::string& interface) const = 0;
};

/// The kernel that runs here, asked by ioctl. Needs no privileges.
[[nodiscard]] const Kernel& running_kernel();

/// What a frame of the ring holds through which an interface is read, its Ethernet header included.
struct RingFrame {
  std::string interface;
  uint32_t bytes_max = 0;
};

struct Request {
  /// Below it lie proc, sys and dev; another root is a forged or a recorded machine.
  std::filesystem::path root = "/";
  const Kernel* kernel = nullptr;  ///< borrowed for the call; none: nobody is asked
  /// What the operator means to use; both empty: whatever this machine has.
  std::vector<std::string> interfaces;
  std::vector<std::string> ports;          ///< PCI addresses, "0000:03:00.0"
  std::vector<std::string> rule_files;     ///< paths; patterns: their folder is looked at
  std::optional<std::string> log_folder;   ///< none: not looked at
  uint64_t huge_bytes_min = 512ULL << 20;  ///< that a node with a port should have free
  std::vector<RingFrame> ring_frames;      ///< by the configuration; of others: as MTU 1500 has it
};

struct Verdict {
  uint64_t problems = 0;  ///< that stand in this way
  bool is_wanted = false;
};

struct Report {
  std::string machine;  ///< one line: kernel, processors, nodes
  std::vector<Finding> findings;
  Verdict interface;
  Verdict port;

  /// Whether anything that the operator asked for is in the way. Without a wish, one way is enough:
  /// what stands in the other is a warning.
  [[nodiscard]] bool has_problems() const noexcept;
};

/// Runs every probe. What cannot be read is a finding, never a fault.
[[nodiscard]] Report examine(const Request& request);

/// For people: the worst at each topic with meaning and commands; `all` shows what is well too.
[[nodiscard]] std::string as_text(const Report& report, bool all);
/// For machines: one JSON object on one line.
[[nodiscard]] std::string as_json(const Report& report);

/// Whether both directions of every connection get one hash from this Toeplitz key, ports and
/// addresses, IPv4 and IPv6. Source: Microsoft, "RSS hashing functions"; a key window of 32 bits
/// belongs to each input bit, so source and target need equal windows.
[[nodiscard]] bool is_symmetric(const std::vector<uint8_t>& key) noexcept;

[[nodiscard]] std::string_view name_of(Level level) noexcept;
[[nodiscard]] std::string_view name_of(Way way) noexcept;

}  // namespace shrike::doctor
