#include <fmt/format.h>
#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "cost_reports.h"
#include "shrike/control.h"

namespace shrike::control {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// "decoder.event.ipv4.trunc_pkt" as metrics are named: shrike_decoder_event_ipv4_trunc_pkt.
std::string metric_name(std::string_view counter) {
  std::string name = "shrike_" + std::string(counter);
  std::replace_if(
      name.begin(), name.end(), [](char each) { return std::isalnum(each) == 0; }, '_');
  return name;
}

/// Every counter of every thread, and what the ports say, as of the moment they are asked for.
class SensorMetrics final : public prometheus::Collectable {
 public:
  explicit SensorMetrics(const Sensor& sensor) : sensor_(sensor) {}

  [[nodiscard]] std::vector<MetricFamily> Collect() const override {
    std::map<std::string, MetricFamily> families;
    for (const worker::ThreadCounters& thread : sensor_.counters()) {
      for (const CounterView& view : thread.views) {
        add_view(thread.thread, view, families);
      }
    }
    const Status status = sensor_.status();
    add_ports(status, families);
    add_latencies(families);
    add_rules(status, families);
    std::vector<MetricFamily> all;
    all.reserve(families.size());
    for (auto& [name, family] : families) {
      all.push_back(std::move(family));
    }
    return all;
  }

 private:
  using Families = std::map<std::string, MetricFamily>;

  static void add(Families& families, std::string_view counter, const std::string& help,
                  std::vector<ClientMetric::Label> labels, uint64_t value) {
    const std::string name = metric_name(counter);
    MetricFamily& family = families[name];
    family.name = name;
    family.help = help;
    family.type = MetricType::Untyped;
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.untyped.value = static_cast<double>(value);
    family.metric.push_back(std::move(metric));
  }

  static void add_view(const std::string& thread, const CounterView& view, Families& families) {
    for (size_t i = 0; i < view.size(); ++i) {
      const CounterRow& row = view.rows[i];
      if (latency_place(row.name).exists) {
        continue;  // shown as histograms
      }
      add(families, row.name, std::string(row.meaning) + " (" + std::string(row.unit) + ")",
          {{"thread", thread}}, view.value(i));
    }
  }

  void add_latencies(Families& families) const {
    const Latencies latencies = latencies_of(sensor_.counters());
    for (size_t stage = 0; stage < latencies.size(); ++stage) {
      const std::string name =
          metric_name(fmt::format("latency.{}.seconds", latency_stages[stage]));
      MetricFamily& family = families[name];
      family.name = name;
      family.help = "How long it took, from receiving a packet or, to be written, an alert.";
      family.type = MetricType::Histogram;
      family.metric.push_back(histogram_of(latencies[stage]));
    }
  }

  /// The sum is an upper bound: every value counts as the bound of its bucket.
  static ClientMetric histogram_of(const LatencyBuckets& buckets) {
    ClientMetric metric;
    for (size_t i = 0; i < buckets.size(); ++i) {
      const bool is_bounded = i < LatencyHistogram::bounded;
      const double bound = 1e-6 * static_cast<double>(LatencyHistogram::bound_us(
                                      std::min(i, LatencyHistogram::bounded - 1)));
      metric.histogram.sample_count += buckets[i];
      metric.histogram.sample_sum += bound * static_cast<double>(buckets[i]);
      metric.histogram.bucket.push_back(
          {metric.histogram.sample_count,
           is_bounded ? bound : std::numeric_limits<double>::infinity()});
    }
    return metric;
  }

  static void add_ports(const Status& status, Families& families) {
    struct Row {
      std::string_view name;
      const char* help;
      uint64_t capture::PortTotals::*value;
    };
    static constexpr Row rows[] = {
        {"each_port.received", "Packets that the port handed to its queues.",
         &capture::PortTotals::received},
        {"each_port.bytes", "Their bytes.", &capture::PortTotals::bytes},
        {"each_port.missed", "Packets lost because a queue was full.",
         &capture::PortTotals::missed},
        {"each_port.no_buffer", "Packets lost because no buffer was free.",
         &capture::PortTotals::no_buffer},
        {"each_port.errors", "Packets that the port refused.", &capture::PortTotals::errors},
    };
    for (size_t i = 0; i < std::min(status.ports.size(), status.port_totals.size()); ++i) {
      for (const Row& row : rows) {
        add(families, row.name, row.help, {{"port", status.ports[i].name}},
            status.port_totals[i].*row.value);
      }
      add(families, "each_port.link_up", "Whether the link is up.",
          {{"port", status.ports[i].name}}, status.ports[i].link_is_up ? 1 : 0);
    }
  }

  static void add_rules(const Status& status, Families& families) {
    add(families, "uptime.ms", "Since the start.", {}, status.uptime_ms);
    add(families, "rules.generation", "Of the rules that workers use.", {}, status.generation);
    add(families, "rules.loaded", "Rules in use.", {}, status.rules.rules_loaded);
    add(families, "rules.failed", "Rules that are broken.", {}, status.rules.rules_failed);
    add(families, "rules.reloads", "Reloads that ended, well or not.", {}, status.reloads_over);
  }

  const Sensor& sensor_;
};

}  // namespace

struct MetricsServer::State {
  State(const std::string& address, const Sensor& sensor)
      : metrics(std::make_shared<SensorMetrics>(sensor)), exposer(address, threads) {
    exposer.RegisterCollectable(metrics);
  }
  static constexpr size_t threads = 1;
  std::shared_ptr<SensorMetrics> metrics;
  prometheus::Exposer exposer;
};

MetricsServer::MetricsServer(const std::string& address, const Sensor& sensor,
                             Diagnostics& diagnostics) {
  try {
    state_ = std::make_unique<State>(address, sensor);
  } catch (const std::exception& fault) {
    diagnostics.error({}, "metrics",
                      "cannot serve metrics at {}: {}; write HOST:PORT in "
                      "shrike.live.metrics",
                      address, fault.what());
  }
}

MetricsServer::~MetricsServer() = default;

bool has_metrics() noexcept {
  return true;
}

}  // namespace shrike::control
