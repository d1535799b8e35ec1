#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "scene.h"

namespace shrike::output {
namespace {

constexpr size_t ring_bytes = 1 << 18;

/// A made-up run: packets with alerts, spread over workers by flow, each worker on a thread of its
/// own with marks after every "batch". Gives the EVE file.
class MadeUpRun {
 public:
  explicit MadeUpRun(size_t workers) : workers_(workers) {}

  std::string lines() {
    const Zone zone;
    const Folder folder;
    SinkOptions sinks = eve_in(folder);
    sinks.eve[0].flows = true;
    sinks.eve[0].payload = true;
    std::vector<RuleInfo> rules = make_rules();
    Diagnostics diagnostics;
    Collector collector({}, sinks, diagnostics);
    collector.use_rules(0, {rules, {}, {}});
    std::vector<std::unique_ptr<RecordRing>> rings;
    std::vector<RecordRing*> attached;
    for (size_t i = 0; i < workers_; ++i) {
      attached.push_back(rings.emplace_back(std::make_unique<RecordRing>(ring_bytes)).get());
    }
    collector.attach(attached);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < workers_; ++i) {
      threads.emplace_back([&, i] { work(i, *rings[i], records_for(sinks)); });
    }
    while (running_.load() < workers_ || collector.poll() != 0) {
      collector.poll();
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    collector.finish();
    EXPECT_EQ(collector.counters()[1].values[0], 0U) << "no record is late";
    return folder.read("eve.json");
  }

 private:
  static std::vector<RuleInfo> make_rules() {
    std::vector<RuleInfo> rules{rule(1), rule(2), rule(3)};
    rules[0].thresholds = {{.type = ThresholdType::limit,
                            .track = ThresholdTrack::by_rule,
                            .count = 3,
                            .seconds = 1,
                            .addresses = {}}};
    rules[1].host_bits = {
        {.command = HostBitOperation::Command::set, .names = {"seen"}, .expire_seconds = 2}};
    rules[1].thresholds = {{.type = ThresholdType::threshold,
                            .track = ThresholdTrack::by_source,
                            .count = 4,
                            .seconds = 60,
                            .addresses = {}}};
    rules[2].host_bits = {{.command = HostBitOperation::Command::is_set, .names = {"seen"}}};
    return rules;
  }

  void work(size_t index, RecordRing& ring, const RecordOptions& options) {
    constexpr uint64_t packets = 2000;
    constexpr uint64_t batch = 64;
    RecordWriter writer(options, ring);
    const auto insist = [](auto&& write) {
      while (!write()) {
        std::this_thread::yield();
      }
    };
    for (uint64_t number = 1; number <= packets; ++number) {
      const uint64_t flow = number * 7919 % 23;
      if (flow % workers_ == index) {
        Scene scene;
        prepare(scene, number, flow);
        // What the rules match does not depend on the worker; several alerts a packet.
        for (uint32_t rule_index = 0; rule_index < 3; ++rule_index) {
          if ((number >> rule_index) % 2 == 0) {
            scene.alert.rule_index = rule_index;
            insist([&] { return writer.write_alert(scene.alert, {}); });
          }
        }
        if (number % 50 == 0) {
          FlowEnd end;
          end.view = scene.tracked.flow;
          end.ip_version = 4;
          end.protocol = ip_protocol::tcp;
          end.clock_ns = scene.datagram.clock_ns;
          end.last_number = number - 49;  // marked long ago, where the clock stood still
          insist([&] { return writer.write_flow_end(end); });
        }
      }
      if (number % batch == 0 || number == packets) {
        insist([&] { return writer.write_mark(OrderKey::behind(0, clock_of(number), number)); });
      }
    }
    running_.fetch_add(1);
  }

  static uint64_t clock_of(uint64_t number) { return start_ns + number / 300 * second_ns; }

  static void prepare(Scene& scene, uint64_t number, uint64_t flow) {
    scene.datagram.number = number;
    scene.datagram.time_ns = scene.datagram.clock_ns = clock_of(number);
    scene.datagram.source.bytes[3] = static_cast<uint8_t>(flow % 5);
    scene.datagram.payload = as_bytes("payload");
    scene.tracked.flow.eve_id = flow + 1;
  }

  size_t workers_;
  std::atomic<size_t> running_{0};
};

TEST(Collector, GivesTheSameBytesForAnyNumberOfWorkers) {
  const std::string expected = MadeUpRun(1).lines();
  EXPECT_GT(count_lines(expected), 500U);
  for (const size_t workers : {1, 2, 4}) {
    EXPECT_EQ(MadeUpRun(workers).lines(), expected) << workers << " workers";
  }
}

TEST(Collector, LetsARecordOutOnlyWhenEveryWorkerHasPassedIt) {
  const Folder folder;
  const SinkOptions sinks = eve_in(folder);
  const std::vector<RuleInfo> rules{rule(1), rule(2)};
  Diagnostics diagnostics;
  Collector collector({}, sinks, diagnostics);
  collector.use_rules(0, {rules, {}, {}});
  RecordRing first(ring_bytes);
  RecordRing second(ring_bytes);
  const std::array<RecordRing*, 2> rings{&first, &second};
  collector.attach(rings);
  RecordWriter first_writer({}, first);
  RecordWriter second_writer({}, second);

  Scene scene;
  scene.at_seconds(2);
  ASSERT_TRUE(first_writer.write_alert(scene.alert, {}));
  ASSERT_TRUE(first_writer.write_mark(OrderKey::behind(0, scene.datagram.clock_ns, 7)));
  EXPECT_EQ(collector.poll(), 2U);
  EXPECT_EQ(collector.alerts_logged(), 0U);

  scene.at_seconds(1);
  scene.alert.rule_index = 1;
  ASSERT_TRUE(second_writer.write_alert(scene.alert, {}));
  ASSERT_TRUE(second_writer.write_mark(OrderKey::behind(0, scene.datagram.clock_ns, 7)));
  EXPECT_EQ(collector.poll(), 2U);
  EXPECT_EQ(collector.alerts_logged(), 1U);
  EXPECT_EQ(collector.poll(), 0U);

  collector.finish();
  EXPECT_EQ(sids_of(folder.read("eve.json")), "2 1");
}

TEST(Collector, LetsTheOldestOutWhereTooMuchWaits) {
  const Folder folder;
  const std::vector<RuleInfo> rules{rule(1)};
  Diagnostics diagnostics;
  Collector collector({.pending_bytes_max = 2000}, eve_in(folder), diagnostics);
  collector.use_rules(0, {rules, {}, {}});
  RecordRing ring(ring_bytes);
  const std::array<RecordRing*, 1> rings{&ring};
  collector.attach(rings);
  RecordWriter writer({}, ring);
  Scene scene;
  for (uint64_t number = 1; number <= 20; ++number) {
    scene.datagram.number = number;
    ASSERT_TRUE(writer.write_alert(scene.alert, {}));
  }
  collector.poll();
  EXPECT_GT(collector.alerts_logged(), 0U);
  EXPECT_LT(collector.alerts_logged(), 20U);
  EXPECT_EQ(collector.counters()[1].values[1], collector.alerts_logged());
}

TEST(Collector, DecidesHostBitsBeforeThresholds) {
  const Folder folder;
  std::vector<RuleInfo> rules{rule(1), rule(2), rule(3)};
  rules[0].host_bits = {{.command = HostBitOperation::Command::is_set, .names = {"x"}}};
  rules[0].thresholds = {
      {.type = ThresholdType::limit, .count = 1, .seconds = 60, .addresses = {}}};
  rules[1].is_noalert = true;
  rules[1].host_bits = {{.command = HostBitOperation::Command::set, .names = {"x"}}};
  rules[2].host_bits = {{.command = HostBitOperation::Command::is_not_set, .names = {"x"}}};
  Desk desk(rules, eve_in(folder));
  Scene scene;
  for (const uint32_t index : {0U, 2U, 1U, 2U, 0U, 0U}) {
    scene.alert.rule_index = index;
    scene.alert.is_silent = index == 1;
    desk.write(scene);
  }
  desk.collector.finish();
  EXPECT_EQ(sids_of(folder.read("eve.json")), "3 1");
  const Summary summary = desk.collector.summary();
  EXPECT_EQ(summary.alerts_suppressed, 1U);
}

TEST(Collector, LogsFramesWithoutIpWhateverTheirThreshold) {
  const Folder folder;
  RuleInfo info = rule(1);
  info.thresholds = {{.type = ThresholdType::limit, .count = 1, .seconds = 60, .addresses = {}}};
  Desk desk({info}, eve_in(folder));
  Scene scene;
  scene.datagram.ip_version = 0;
  for (int i = 0; i < 3; ++i) {
    desk.write(scene);
  }
  desk.collector.finish();
  EXPECT_EQ(sids_of(folder.read("eve.json")), "1 1 1");
}

TEST(Collector, CountsAlertsOfAPacketAfterThresholds) {
  const Folder folder;
  std::vector<RuleInfo> rules{rule(1), rule(2), rule(3), rule(4)};
  rules[0].thresholds = {{.type = ThresholdType::suppress, .addresses = {}}};
  Desk desk(rules, eve_in(folder), {.alerts_per_packet_max = 2});
  Scene scene;
  for (const uint64_t number : {1, 2}) {
    scene.datagram.number = number;
    for (uint32_t index = 0; index < 4; ++index) {
      scene.alert.rule_index = index;
      desk.write(scene);
    }
  }
  desk.collector.finish();
  EXPECT_EQ(sids_of(folder.read("eve.json")), "2 3 2 3");
}

Threshold rate_filter(Action action) {
  return {.type = ThresholdType::rate,
          .track = ThresholdTrack::by_source,
          .count = 1,
          .seconds = 60,
          .timeout_seconds = 1000,
          .new_action = action,
          .addresses = {}};
}

struct RateCase {
  const char* what;
  Action action;
  Action new_action;
  bool is_ips;
  bool from_stream;
  const char* actions;  ///< of four alerts of one flow in four packets, each followed by sid 9
};

TEST(Collector, AppliesWhatRateFilterChanges) {
  const RateCase cases[] = {
      {"drop to alert lets through", Action::drop, Action::alert, true, false,
       "1 blocked, 9 allowed, 1 allowed, 9 allowed, 1 allowed, 9 allowed, 1 allowed, 9 allowed, "},
      {"alert to drop blocks", Action::alert, Action::drop, true, false,
       "1 allowed, 9 allowed, 1 blocked, 9 allowed, 1 blocked, 9 allowed, 1 blocked, 9 allowed, "},
      {"alert to drop on stream data drops the flow", Action::alert, Action::drop, true, true,
       "1 allowed, 9 allowed, 1 blocked, 9 allowed, "},
      {"without an inline sensor the flow goes on", Action::alert, Action::drop, false, true,
       "1 allowed, 9 allowed, 1 blocked, 9 allowed, 1 blocked, 9 allowed, 1 blocked, 9 allowed, "},
      {"alert to pass ends the packet", Action::alert, Action::pass, false, false,
       "1 allowed, 9 allowed, "},
      {"alert to pass on stream data ends the flow", Action::alert, Action::pass, false, true,
       "1 allowed, 9 allowed, "},
      {"alert to reject blocks", Action::alert, Action::reject, true, true,
       "1 allowed, 9 allowed, 1 blocked, 9 allowed, "},
  };
  for (const RateCase& test : cases) {
    SCOPED_TRACE(test.what);
    const Folder folder;
    SinkOptions sinks;
    sinks.directory = folder.path();
    CsvOptions& csv = sinks.csv.emplace_back();
    csv.header = false;
    csv.columns = {"signature_id", "action"};
    std::vector<RuleInfo> rules{rule(1), rule(9)};
    rules[0].action = test.action;
    rules[0].thresholds = {rate_filter(test.new_action)};
    Desk desk(rules, sinks, {.simulate_ips = test.is_ips});
    Scene scene;
    for (uint64_t number = 1; number <= 4; ++number) {
      scene.datagram.number = number;
      scene.alert.from_stream = test.from_stream;
      for (const uint32_t index : {0U, 1U}) {
        scene.alert.rule_index = index;
        desk.write(scene);
      }
    }
    desk.collector.finish();
    std::string actions = folder.read("alerts.csv");
    std::replace(actions.begin(), actions.end(), ',', ' ');
    for (size_t at = actions.find('\n'); at != std::string::npos; at = actions.find('\n')) {
      actions.replace(at, 1, ", ");
    }
    EXPECT_EQ(actions, test.actions);
  }
}

TEST(Collector, ForgetsBetweenCapturesThatAreApart) {
  for (const bool are_apart : {false, true}) {
    const Folder folder;
    SinkOptions sinks = eve_in(folder);
    sinks.eve[0].pcap_filename = true;
    std::vector<RuleInfo> rules{rule(1), rule(2)};
    rules[0].thresholds = {
        {.type = ThresholdType::limit, .count = 1, .seconds = 9999, .addresses = {}}};
    rules[0].host_bits = {{.command = HostBitOperation::Command::set, .names = {"x"}}};
    rules[1].host_bits = {{.command = HostBitOperation::Command::is_set, .names = {"x"}}};
    Diagnostics diagnostics;
    Collector collector({}, sinks, diagnostics);
    collector.use_rules(0, {rules, {}, {}});
    collector.name_capture(0, "a.pcap");
    collector.name_capture(1, "b.pcap");
    RecordRing ring(ring_bytes);
    const std::array<RecordRing*, 1> rings{&ring};
    collector.attach(rings);
    RecordOptions options = records_for(sinks);
    options.per_capture = are_apart;
    RecordWriter writer(options, ring);
    Scene scene;
    for (const uint32_t capture : {0U, 1U}) {
      // Apart, numbers and clock begin again; else they go on.
      scene.at_seconds(are_apart ? 0 : capture);
      scene.datagram.capture_index = capture;
      for (const uint32_t index : {1U, 0U, 0U, 1U}) {
        scene.alert.rule_index = index;
        ASSERT_TRUE(writer.write_alert(scene.alert, {}));
      }
    }
    collector.finish();
    const std::string lines = folder.read("eve.json");
    EXPECT_EQ(sids_of(lines), are_apart ? "1 2 1 2" : "1 2 2 2");
    EXPECT_NE(lines.find("\"pcap_filename\":\"a.pcap\"}\n"), std::string::npos);
    EXPECT_NE(lines.find("\"pcap_filename\":\"b.pcap\"}\n"), std::string::npos);
  }
}

TEST(Collector, ReadsRecordsWithTheRuleSetTheyWereWrittenFor) {
  const Folder folder;
  Desk desk({rule(1), rule(2)}, eve_in(folder));
  const std::vector<RuleInfo> reloaded{rule(3), rule(2)};
  desk.collector.use_rules(1, {reloaded, {}, {}});
  Scene scene;
  desk.write(scene);
  desk.writer.set_generation(1);
  desk.write(scene);
  scene.alert.rule_index = 1;
  desk.write(scene);
  desk.collector.finish();
  EXPECT_EQ(sids_of(folder.read("eve.json")), "1 3 2");
}

TEST(Collector, SummarisesBySignatureAndSink) {
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.eve.emplace_back().file.path = "second/eve.json";
  std::filesystem::create_directory(folder.path() + "/second");
  sinks.fast_log.emplace_back();
  std::vector<RuleInfo> rules{rule(1, "first"), rule(2, "second"), rule(3, "never")};
  rules[0].thresholds = {
      {.type = ThresholdType::limit, .count = 1, .seconds = 60, .addresses = {}}};
  Desk desk(rules, sinks);
  Scene scene;
  for (const uint32_t index : {0U, 0U, 0U, 1U, 1U}) {
    scene.alert.rule_index = index;
    desk.write(scene);
  }
  desk.collector.finish();
  const Summary summary = desk.collector.summary();
  EXPECT_EQ(summary.alerts_logged, 3U);
  EXPECT_EQ(summary.alerts_suppressed, 2U);
  ASSERT_EQ(summary.signatures.size(), 2U);
  EXPECT_EQ(summary.signatures[0].message, "second");
  EXPECT_EQ(summary.signatures[0].logged, 2U);
  EXPECT_EQ(summary.signatures[1].sid, 1U);
  EXPECT_EQ(summary.signatures[1].suppressed, 2U);
  ASSERT_EQ(summary.sinks.size(), 3U);
  for (const SinkTotals& sink : summary.sinks) {
    EXPECT_EQ(sink.queued, 3U) << sink.path;
    EXPECT_EQ(sink.written, 3U);
    EXPECT_EQ(sink.lost, 0U);
    EXPECT_EQ(sink.fault, "");
  }
  EXPECT_EQ(summary.sinks[1].path, folder.path() + "/second/eve.json");
  EXPECT_EQ(summary.sinks[2].name, "fast");
  EXPECT_EQ(folder.read("second/eve.json"), folder.read("eve.json"));
  EXPECT_EQ(count_lines(folder.read("fast.log")), 3U);
}

TEST(Collector, GoesOnWhereOneSinkCannotWrite) {
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.fast_log.emplace_back().file.path = "/dev/full";
  Desk desk({rule(1)}, sinks);
  const Scene scene;
  for (int i = 0; i < 100; ++i) {
    desk.write(scene);
  }
  desk.mark(scene);
  desk.collector.flush();
  const std::vector<std::string> notices = desk.collector.take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_TRUE(notices[0].starts_with("/dev/full: cannot write: No space left on device"));
  desk.collector.finish();
  const Summary summary = desk.collector.summary();
  EXPECT_EQ(summary.sinks[0].written, 15U) << "packet-alert-max";
  EXPECT_EQ(summary.sinks[1].queued, 15U);
  EXPECT_EQ(summary.sinks[1].lost, 15U);
  EXPECT_EQ(summary.sinks[1].fault, "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(desk.collector.take_notices(), std::vector<std::string>{});
}

TEST(Collector, SaysWhichFileCannotBeOpenedAtTheStart) {
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path() + "/missing";
  sinks.eve.emplace_back();
  Diagnostics diagnostics;
  const Collector collector({}, sinks, diagnostics);
  EXPECT_EQ(diagnostics.text(),
            "error[output-file]: " + sinks.directory +
                "/eve.json: cannot open: No such file or directory; make its directory and let it "
                "be written");
}

}  // namespace
}  // namespace shrike::output
