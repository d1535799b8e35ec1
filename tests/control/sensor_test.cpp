#include <thread>

#include "live_sensor.h"

namespace shrike::control {
namespace {

using State = ReloadOutcome::State;
using shrike::test::datagram;
using test::LiveSensor;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Sensor, CollectsCountsAndSaysWhatThePortsSay) {
  LiveSensor live;
  live.ports.arrive(datagram(1));
  live.ports.note("fake0: the link is down");
  live.run_until([&] { return live.counted("detect.alert") == 1 && !live.told.empty(); });
  EXPECT_EQ(live.told, "fake0: the link is down\n");
  const Status status = live.sensor->status();
  ASSERT_EQ(status.ports.size(), 1u);
  EXPECT_EQ(status.ports[0].name, "fake0");
  ASSERT_EQ(status.port_totals.size(), 1u);
  EXPECT_EQ(status.port_totals[0].received, 1u);
  EXPECT_EQ(status.rules.rules_loaded, 1u);
  EXPECT_EQ(status.last_reload.state, State::none);
  EXPECT_EQ(live.counted("capture.kernel_packets"), 6u) << "received, missed and without a buffer";
  EXPECT_EQ(live.counted("capture.kernel_drops"), 5u);
  EXPECT_EQ(live.counted("port.errors"), 1u);
  EXPECT_EQ(live.sensor->counters().size(), 3u);
  EXPECT_EQ(live.sensor->counters().back().thread, "Global");
  ASSERT_EQ(live.sensor->signatures().size(), 1u);
  EXPECT_EQ(live.sensor->signatures()[0].logged, 1u);
  const std::string eve = live.read("eve.json");
  EXPECT_EQ(count(eve, "\"event_type\":\"alert\""), 1u);
  EXPECT_EQ(count(eve, "\"event_type\":\"stats\""), 1u) << "at the end";
}

TEST(Sensor, StopsWhenNothingComesForSoLong) {
  SensorOptions options;
  options.stop_when_idle_ms = 50;
  LiveSensor live(options);
  live.ports.arrive(datagram(1));
  live.run_until([] { return false; });
  EXPECT_FALSE(live.requests.stop) << "nobody asked it to";
  EXPECT_EQ(count(live.read("eve.json"), "\"signature_id\":1,"), 1u);
}

TEST(Sensor, ReloadsRulesWhileItRuns) {
  LiveSensor live;
  live.ports.arrive(datagram(1));
  const uint64_t first = live.sensor->status().generation;
  bool is_asked = false;
  bool is_sent = false;
  live.run_until([&] {
    if (!is_asked && live.counted("detect.alert") == 1) {
      is_asked = live.requests.reload_rules = true;
    }
    if (!is_sent && live.sensor->status().last_reload.state == State::done) {
      is_sent = true;
      live.ports.arrive(datagram(2));
    }
    return live.counted("detect.alert") == 2;
  });
  const Status status = live.sensor->status();
  EXPECT_GT(status.generation, first);
  EXPECT_EQ(status.last_reload.generation, status.generation);
  EXPECT_EQ(status.reloads_over, 1u);
  EXPECT_EQ(live.told.find("rules reloaded: generation "), 0u) << live.told;
  const std::string eve = live.read("eve.json");
  EXPECT_EQ(count(eve, "\"signature_id\":1,"), 1u);
  EXPECT_EQ(count(eve, "\"signature_id\":2,"), 1u);
}

TEST(Sensor, KeepsItsRulesWhereTheNewOnesAreBroken) {
  LiveSensor live;
  live.next_rules = "alert udp any any -> any any (nonsense;)";
  live.requests.reload_rules = true;
  const uint64_t first = live.sensor->status().generation;
  bool is_sent = false;
  live.run_until([&] {
    if (!is_sent && live.sensor->status().last_reload.state == State::failed) {
      is_sent = true;
      live.ports.arrive(datagram(1));
    }
    return live.counted("detect.alert") == 1;
  });
  EXPECT_EQ(live.told, "the rules were not reloaded: those that are in use stay\n");
  EXPECT_EQ(live.sensor->status().generation, first);
  EXPECT_EQ(live.sensor->status().reloads_over, 1u);
  EXPECT_EQ(count(live.read("eve.json"), "\"signature_id\":1,"), 1u);
}

TEST(Sensor, OpensItsFilesAnewAfterRotation) {
  LiveSensor live;
  live.ports.arrive(datagram(1));
  const std::filesystem::path log = live.folder() / "eve.json";
  bool is_moved = false;
  live.run_until([&] {
    if (!is_moved && live.counted("detect.alert") == 1) {
      std::filesystem::rename(log, log.string() + ".1");
      is_moved = live.requests.reopen_files = true;
    }
    return live.told == "log files are opened anew\n";
  });
  EXPECT_EQ(count(live.read("eve.json.1"), "\"event_type\":\"alert\""), 1u);
  EXPECT_EQ(count(live.read("eve.json"), "\"event_type\":\"stats\""), 1u);
}

}  // namespace
}  // namespace shrike::control
