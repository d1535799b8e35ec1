#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

#include "application_traffic.h"
#include "compiled.h"
#include "fake_ports.h"
#include "folder.h"
#include "shrike/worker/live.h"
#include "walk.h"

namespace shrike::worker {
namespace {

using namespace std::chrono_literals;

/// A run on fake ports with its collector, for as long as this lives.
class Live {
 public:
  Live(const std::string& rules, uint32_t workers, bool is_steered = false)
      : rules_(test::compiled(rules)), ports(workers, is_steered) {
    sinks_.directory = folder_.path();
    sinks_.eve.emplace_back();
    collector_.emplace(output::CollectorOptions{}, sinks_, diagnostics_);
    use_catalog(rules_);
    LiveOptions options;
    options.workers = workers;
    options.engines.records = output::records_for(sinks_);
    run.emplace(options, ports, rules_, *collector_);
  }

  void use_catalog(const RuleSet& rules) {
    collector_->use_rules(rules.generation(),
                          {rules.infos(), rules.bit_names(), rules.integer_names()});
  }
  /// Collects until it is so; false where ten seconds do not suffice.
  template <typename Condition>
  bool collect_until(Condition&& is_so) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      if (collector_->poll() == 0) {
        std::this_thread::sleep_for(1ms);
      }
    }
    return true;
  }
  [[nodiscard]] std::string eve() const { return folder_.read("eve.json"); }
  [[nodiscard]] size_t count(const std::string& text) const {
    const std::string all = eve();
    size_t found = 0;
    for (size_t at = all.find(text); at != all.npos; at = all.find(text, at + 1)) {
      ++found;
    }
    return found;
  }
  [[nodiscard]] uint64_t counted(std::string_view name) const {
    uint64_t sum = 0;
    for (const ThreadCounters& thread : run->counters()) {
      sum += thread.value(name);
    }
    return sum;
  }
  output::Collector& collector() { return *collector_; }

 private:
  const test::Folder folder_;
  Diagnostics diagnostics_;
  output::SinkOptions sinks_;
  const RuleSet rules_;
  std::optional<output::Collector> collector_;

 public:
  test::FakePorts ports;
  std::optional<LiveRun> run;
};

/// Frames come in at any worker, and each flow is inspected by the one that owns it.
TEST(LiveRun, FindsOnAnyNumberOfWorkersWhatAFileGives) {
  const std::vector<craft::TimedFrame> frames = test::application_traffic(2);
  const size_t expected =
      test::walk(frames, test::application_rules, {.workers = 1, .engines = {}}).alerts.size();
  for (const uint32_t workers : {1u, 3u}) {
    SCOPED_TRACE(workers);
    Live live(test::application_rules, workers);
    live.ports.arrive(frames);
    live.run->start();
    ASSERT_TRUE(
        live.collect_until([&] { return live.counted("worker.frames_decoded") == frames.size(); }));
    live.run->stop();
    EXPECT_EQ(live.ports.threads_inside(), 0) << "every thread that entered has left";
    EXPECT_EQ(test::short_alerts(live.eve()).size(), expected);
    EXPECT_EQ(live.counted("decoder.pkts"), frames.size());
    EXPECT_EQ(live.counted("worker.frames_handed_over") != 0, workers > 1);
    EXPECT_EQ(live.counted("worker.frames_handed_over"), live.counted("worker.taken_over"));
    EXPECT_EQ(live.run->counters().size(), workers);
    EXPECT_EQ(live.run->counters()[0].thread, "W#01");
  }
}

TEST(LiveRun, TakesUpRulesBetweenBatches) {
  Live live("alert udp any any -> any any (msg:\"old\"; content:\"evil\"; sid:1;)", 2);
  const RuleSet others = test::compiled("alert udp any any -> any any (msg:\"new\"; sid:2;)");
  live.run->start();
  live.ports.arrive(test::datagram(1));
  ASSERT_TRUE(live.collect_until([&] { return live.counted("worker.frames_decoded") == 1; }));
  EXPECT_LT(live.run->generation(), others.generation());
  live.use_catalog(others);
  live.run->use_rules(others);
  ASSERT_TRUE(live.collect_until([&] { return live.run->generation() == others.generation(); }));
  live.ports.arrive(test::datagram(2));
  ASSERT_TRUE(live.collect_until([&] { return live.counted("worker.frames_decoded") == 2; }));
  live.run->stop();
  EXPECT_EQ(live.count("\"signature_id\":1,"), 1U);
  EXPECT_EQ(live.count("\"signature_id\":2,"), 1U);
}

TEST(LiveRun, KnowsHowLongNothingCame) {
  Live live("alert udp any any -> any any (msg:\"all\"; sid:1;)", 2);
  live.run->start();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(live.run->idle_ms(), 0U) << "before the first packet";
  live.ports.arrive(test::datagram(1));
  EXPECT_TRUE(live.collect_until([&] { return live.run->idle_ms() >= 20; }));
  EXPECT_EQ(live.counted("worker.frames_decoded"), 1U);
}

TEST(LiveRun, EndsFlowsAndLosesNothingWhenItStops) {
  Live live("alert tcp any any -> any any (msg:\"end\"; content:\"needle\"; sid:1;)", 3);
  live.run->start();
  for (uint16_t port = 1; port <= 50; ++port) {
    craft::Conversation talk({.client_port = port, .server_port = 9999});
    live.ports.arrive(talk.handshake().client("needle").frames());  // and no end
  }
  ASSERT_TRUE(live.collect_until([&] { return live.ports.waiting() == 0; }));
  live.run->stop();
  EXPECT_EQ(live.count("\"signature_id\":1,"), 50U);
  EXPECT_EQ(live.counted("flow.active"), 0U);
  live.run->stop();  // a second time does nothing
}

}  // namespace
}  // namespace shrike::worker
