#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/latency.h"

/// What a running sensor says of itself through its control socket, for `shrike top`. Cold, one
/// thread; knows the sensor's answers and nothing of its engines.
namespace shrike::top {

struct Port {
  std::string name;
  std::string driver;
  bool link_is_up = false;
  uint64_t received = 0;  ///< packets
  uint64_t bytes = 0;
  uint64_t lost = 0;  ///< missed, without a buffer, refused
};

/// Packets that were not inspected, for one cause; or records and alerts that were not written.
struct Loss {
  std::string_view cause;  ///< static
  std::string_view unit;   ///< static: "packets", "records"
  uint64_t count = 0;
};

/// How full something ever was.
struct Mark {
  uint64_t most = 0;
  uint64_t room = 0;
};

struct Worker {
  std::string name;
  uint32_t load_permille = 0;
  uint64_t packets = 0;
  Mark record_ring;     ///< bytes
  Mark hand_over_ring;  ///< bytes
  Mark pool;            ///< buffers
};

struct Signature {
  uint32_t gid = 0;
  uint32_t sid = 0;
  std::string message;
  uint64_t logged = 0;
  uint64_t suppressed = 0;
};

/// A rule in the batches that were sampled.
struct SlowRule {
  uint32_t gid = 0;
  uint32_t sid = 0;
  std::string message;
  uint64_t checks = 0;
  uint64_t matches = 0;
  uint64_t cycles = 0;
  uint64_t cycles_max = 0;  ///< of one check
};

/// Detection in the batches that were sampled.
struct Costs {
  uint64_t batches = 0;
  uint64_t batches_sampled = 0;
  uint64_t cycles = 0;
  uint64_t scan_cycles = 0;
  uint64_t rule_cycles = 0;
  std::vector<SlowRule> rules;  ///< costliest first
};

/// All of it, at one time, counted since the sensor's start.
struct Sample {
  uint64_t time_ns = 0;  ///< of a clock that nobody sets
  std::string version;
  uint64_t uptime_ms = 0;
  uint64_t generation = 0;
  uint64_t rules_loaded = 0;
  uint64_t rules_failed = 0;
  uint64_t packets = 0;  ///< taken
  uint64_t wire_bytes = 0;
  uint64_t inspected = 0;  ///< datagrams that met rules
  uint64_t alerts = 0;
  uint64_t flows = 0;
  uint64_t flows_active = 0;
  std::vector<Port> ports;
  std::vector<Loss> losses;  ///< every cause that the sensor counts, in a fixed order
  std::vector<Worker> workers;
  std::array<LatencyBuckets, latency_stages.size()> latencies{};  ///< by stage
  std::vector<Signature> signatures;                              ///< most logged first
  Costs costs;
};

/// The texts of a sensor's answers.
struct Answers {
  std::string version;
  std::string status;
  std::string counters;
  std::string top_rules;
  std::string rule_costs;
};

/// What answers say. What is missing in them is 0 or empty: sensors of other versions can be looked
/// at, too. Nothing where one is no JSON.
[[nodiscard]] std::optional<Sample> read_sample(const Answers& answers);

/// A connection to a sensor. Waits some seconds for an answer at most.
class Client {
 public:
  explicit Client(std::string path);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Asks for everything; connects first where there is no connection.
  /// @return nothing where that cannot be had; fault() says why and what to do.
  std::optional<Sample> ask();
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  bool connect();
  void disconnect();
  std::optional<std::string> request(std::string_view command);
  bool send_line(const std::string& line);
  std::optional<std::string> receive_line();
  void fail(int error);

  const std::string path_;
  std::string fault_;
  std::string received_;  ///< behind the last line
  int descriptor_ = -1;
};

}  // namespace shrike::top
