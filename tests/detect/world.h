#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "shrike/detect.h"
#include "shrike/model/ruleset.h"
#include "shrike/rule.h"

/// Small builders for detection tests: rules from text, datagrams from a few facts.
namespace shrike::test {

inline IpAddress ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.bytes = {a, b, c, d};
  return address;
}

/// Rules as text, one a line, compiled without a cache; must be without fault. All fields count as
/// filled, whether a parser does it yet or not.
RuleSet compile_text(std::string_view text);

/// One datagram of a test with what flow would say of it. The texts live as long as the entry.
struct Entry {
  uint8_t protocol = ip_protocol::tcp;
  uint16_t source_port = 40000;
  uint16_t target_port = 80;
  IpAddress source = ipv4(10, 0, 0, 1);
  IpAddress target = ipv4(192, 168, 0, 1);
  uint8_t tcp_flags = 0x18;
  std::string payload = {};
  std::vector<std::string> chunks = {};
  bool has_flow = true;
  uint32_t slot = 0;
  Direction direction = Direction::to_server;
  uint8_t client_end = 0;
  bool opened = false;
  bool is_established = true;
  bool stream_added = false;
  DatagramOrigin origin = DatagramOrigin::wire;
  FlowVerdict verdict = FlowVerdict::inspect;
  uint64_t time_ns = 1'000'000'000;
  std::vector<DecodeEvent> events = {};
  std::vector<StreamEvent> stream_events = {};
};

/// Entries as the batch that flow hands over. Owns all bytes.
class Batch {
 public:
  explicit Batch(std::vector<Entry> entries);
  [[nodiscard]] const TrackedBatch& tracked() const { return tracked_; }

 private:
  std::vector<Entry> entries_;
  std::vector<Datagram> datagrams_;
  std::vector<std::vector<uint8_t>> headers_;
  TrackedBatch tracked_;
};

/// Shows a detector each datagram of a batch, all with the same application layer.
void inspect_all(detect::Detector& detector, const RuleSet& rules, const Batch& batch,
                 AlertBatch& alerts, const AppView* app = nullptr);

/// What a detector said: for each alert "number of the datagram:sid", space-separated, with
/// markers: s from the stream, d drops, q silent, t a tagged packet, @id in a transaction.
std::string inspect(detect::Detector& detector, const RuleSet& rules, std::vector<Entry> entries,
                    const AppView* app = nullptr);

inline detect::Detector make_detector(detect::DetectorOptions options = {}) {
  options.flow_slots = 64;
  return detect::Detector(options);
}

}  // namespace shrike::test
