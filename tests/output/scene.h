#pragma once
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "folder.h"
#include "shrike/craft.h"
#include "shrike/output.h"

/// What the tests of output share: datagrams and rules in a few words, a folder that goes away,
/// and a collector with one worker's ring.
namespace shrike::output {

/// 2024-03-09 14:05:06.000123 UTC.
inline constexpr uint64_t start_ns = 1'709'993'106'000'123'000;
inline constexpr uint64_t second_ns = 1'000'000'000;

inline IpAddress ip(const char* text) {
  return craft::Address(text).value;
}

using test::Folder;

inline size_t count_lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Local time is UTC while this lives, or the zone that is asked for.
class Zone {
 public:
  explicit Zone(const char* name = "UTC") {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

inline RuleInfo rule(uint32_t sid, std::string message = "a rule") {
  RuleInfo info;
  info.sid = sid;
  info.rev = 1;
  info.message = std::move(message);
  return info;
}

/// A TCP datagram of a flow, 10.0.0.1:40000 to 10.0.0.2:80, with places to change everything.
struct Scene {
  Packet packet;
  Datagram datagram;
  Tracked tracked;
  Alert alert;
  Transaction transaction;
  AppView app;
  output::AppContext context;

  Scene() {
    packet.link_type = LinkType::ethernet;
    datagram.packet = &packet;
    datagram.time_ns = datagram.clock_ns = start_ns;
    datagram.number = 7;
    datagram.source = ip("10.0.0.1");
    datagram.target = ip("10.0.0.2");
    datagram.source_port = 40000;
    datagram.target_port = 80;
    datagram.ip_version = 4;
    datagram.protocol = ip_protocol::tcp;
    datagram.has_transport = true;
    tracked.datagram = &datagram;
    tracked.flow.id = FlowId(3, Direction::to_server);
    tracked.flow.eve_id = 1234567890123;
    tracked.flow.packets = {5, 4};
    tracked.flow.bytes = {500, 4000};
    tracked.flow.start_ns = start_ns - 2 * second_ns;
    tracked.flow.last_ns = start_ns;
    tracked.flow.client = datagram.source;
    tracked.flow.server = datagram.target;
    tracked.flow.client_port = 40000;
    tracked.flow.server_port = 80;
    alert.tracked = &tracked;
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  void at_seconds(double seconds) {
    datagram.time_ns = datagram.clock_ns =
        start_ns + static_cast<uint64_t>(seconds * static_cast<double>(second_ns));
  }
};

/// A collector, its rules, one worker's ring and writer.
class Desk {
 public:
  Desk(std::vector<RuleInfo> rules, const SinkOptions& sinks, const CollectorOptions& options = {})
      : rules_(std::move(rules)),
        collector(options, sinks, diagnostics),
        ring_(1 << 20),
        writer(records_for(sinks), ring_) {
    collector.use_rules(0, {rules_, bit_names_, integer_names_});
    const std::array<RecordRing*, 1> rings{&ring_};
    collector.attach(rings);
  }

  void write(const Scene& scene, const FlowVariables& variables = {}) {
    ASSERT_TRUE(writer.write_alert(scene.alert, variables, scene.context));
  }
  void mark(const Scene& scene) {
    const Datagram& datagram = scene.datagram;
    ASSERT_TRUE(writer.write_mark(OrderKey::behind(0, datagram.clock_ns, datagram.number)));
    collector.poll();
  }

 private:
  std::vector<RuleInfo> rules_;
  std::vector<std::string> bit_names_{"seen", "traffic/label/bad", "traffic/id/app", "odd \"name"};
  std::vector<std::string> integer_names_{"tries", "level"};

 public:
  Diagnostics diagnostics;
  Collector collector;

 private:
  RecordRing ring_;

 public:
  RecordWriter writer;
};

/// An EVE file in the folder, alerts only.
inline SinkOptions eve_in(const Folder& folder) {
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.eve.emplace_back();
  return sinks;
}

/// The sids of the alerts in EVE lines, in order: "1 2 1".
inline std::string sids_of(const std::string& lines) {
  const std::string key = "\"signature_id\":";
  std::string sids;
  for (size_t at = lines.find(key); at != std::string::npos; at = lines.find(key, at + 1)) {
    const size_t start = at + key.size();
    sids += sids.empty() ? "" : " ";
    sids += lines.substr(start, lines.find(',', start) - start);
  }
  return sids;
}

}  // namespace shrike::output
