#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "folder.h"
#include "shrike/control.h"
#include "shrike/rule.h"
#include "worker/fake_ports.h"

namespace shrike::control::test {

/// Rules of this text as a sensor takes them; nothing where one is broken.
inline std::optional<LoadedRules> load(const std::string& text) {
  Diagnostics diagnostics;
  rule::Report report;
  std::optional<RuleSet> rules =
      rule::compile({{"test.rules", text}}, rule::Options{}, diagnostics, report);
  if (!rules || diagnostics.errors() != 0) {
    return std::nullopt;
  }
  return LoadedRules{std::move(*rules), report, {}};
}

/// A sensor on a fake port with two queues, in a folder of its own.
class LiveSensor {
 public:
  explicit LiveSensor(SensorOptions options = {}) {
    output::SinkOptions sinks;
    sinks.directory = folder_.path();
    sinks.eve.emplace_back().statistics = true;
    collector_.emplace(output::CollectorOptions{}, sinks, diagnostics_);
    options.live.workers = 2;
    options.live.engines.records = output::records_for(sinks);
    options.statistics_interval_ms = 0;
    sensor.emplace(options, ports, *collector_,
                   *load("alert udp any any -> any any (msg:\"old\"; sid:1;)"),
                   Sensor::Program{[this] { return load(next_rules); },
                                   [this](const std::string& line) { told += line + "\n"; }});
  }

  /// Runs it and calls `turn` once a turn, until that gives true. Fails after ten seconds.
  template <typename Turn>
  void run_until(Turn&& turn) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    sensor->run(requests, [&] {
      if (turn() || std::chrono::steady_clock::now() > end) {
        EXPECT_LE(std::chrono::steady_clock::now(), end) << "it never happened";
        requests.stop = true;
      }
    });
  }
  [[nodiscard]] std::string read(const std::string& name) const { return folder_.read(name); }
  [[nodiscard]] std::filesystem::path folder() const { return folder_.path(); }
  /// Over all threads.
  [[nodiscard]] uint64_t counted(std::string_view name) const {
    uint64_t sum = 0;
    for (const worker::ThreadCounters& thread : sensor->counters()) {
      sum += thread.value(name);
    }
    return sum;
  }

  Requests requests;
  std::string next_rules = "alert udp any any -> any any (msg:\"new\"; sid:2;)";
  std::string told;  ///< lines for the operator

 private:
  const shrike::test::Folder folder_;
  Diagnostics diagnostics_;
  std::optional<output::Collector> collector_;

 public:
  shrike::test::FakePorts ports{2};
  std::optional<Sensor> sensor;
};

}  // namespace shrike::control::test
