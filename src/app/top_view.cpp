#include "top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "shrike/base/json_writer.h"
#include "terminal.h"
#include "top_change.h"

namespace shrike::app {

namespace {

using top::Sample;
using Style = TopLine::Style;

constexpr size_t listed_max = 10;        ///< signatures and slow rules where there is no bound
constexpr uint32_t busy_permille = 900;  ///< from here on a core is about to be too slow
constexpr size_t bar_cells = 16;

/// What a terminal would obey is shown as a dot; the rest is cut at so many characters.
std::string fit(std::string_view text, size_t columns) {
  std::string out;
  for (size_t count = 0; !text.empty() && count < columns; ++count) {
    const size_t bytes = utf8_sequence_bytes(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool is_control = bytes == 0 || first < 0x20 || first == 0x7f ||
                            (first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    out += is_control ? std::string_view(".") : text.substr(0, bytes);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

std::string time_text(uint64_t us) {
  return us < 1000      ? fmt::format("{} us", us)
         : us < 1000000 ? fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3)
                        : fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
}

std::string percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? "-"
                    : fmt::format("{:.1f} %",
                                  100 * static_cast<double>(part) / static_cast<double>(whole));
}

/// "1,234/s"; below ten with one decimal.
std::string rate_text(uint64_t count, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  return rate == 0 || rate >= 10 ? with_commas(static_cast<uint64_t>(std::llround(rate))) + "/s"
                                 : fmt::format("{:.1f}/s", rate);
}

std::string bar(uint32_t permille) {
  const size_t full = std::min<size_t>(bar_cells, (permille * bar_cells + 500) / 1000);
  return "[" + std::string(full, '#') + std::string(bar_cells - full, ' ') + "]";
}

std::string full_text(const top::Mark& mark) {
  return mark.room == 0 ? "-" : fmt::format("{} %", mark.most * 100 / mark.room);
}

/// Writes one frame from top to bottom.
class Frame {
 public:
  Frame(const Sample& before, const Sample& now, const TopSize& size)
      : now_(now), change_(before, now), size_(size) {}

  std::vector<TopLine> lines() {
    add_head();
    add_totals();
    add_losses();
    add_workers();
    add_latencies();
    const size_t slow_rows = now_.costs.batches == 0 ? 0 : std::max<size_t>(1, listed() / 2);
    add_signatures(listed() - slow_rows);
    add_slow_rules();
    return std::move(lines_);
  }

 private:
  void add(std::string_view text, Style style = Style::plain) {
    if (size_.rows == 0 || lines_.size() < size_.rows) {
      lines_.push_back({style, fit(text, size_.columns)});
    }
  }
  void add_gap() {
    if (size_.rows == 0 || size_.rows >= roomy_rows) {
      add("");
    }
  }
  /// Lines that are left for lists, without their headings and gaps.
  [[nodiscard]] size_t listed() const {
    constexpr size_t headings = 5;
    if (size_.rows == 0) {
      return 2 * listed_max;
    }
    return size_.rows > lines_.size() + headings ? size_.rows - lines_.size() - headings : 0;
  }

  void add_head() {
    add(fmt::format("{}  up {}  {} rules (generation {}){}", now_.version,
                    as_clock(static_cast<double>(now_.uptime_ms) / 1000),
                    with_commas(now_.rules_loaded), now_.generation,
                    now_.rules_failed == 0
                        ? std::string()
                        : fmt::format(", {} failed", with_commas(now_.rules_failed))),
        Style::heading);
    for (const top::Port& port : now_.ports) {
      const top::Port was = change_.port_before(port.name);
      add(fmt::format("{:<12} {:<14} link {:<5} {:>14} {:>14}  {} lost", port.name, port.driver,
                      port.link_is_up ? "up" : "down",
                      rate_text(growth(was.received, port.received), change_.seconds()),
                      as_rate(growth(was.bytes, port.bytes), change_.seconds()),
                      percent(growth(was.lost, port.lost),
                              growth(was.received + was.lost, port.received + port.lost))),
          port.link_is_up ? Style::plain : Style::alarm);
    }
  }

  void add_totals() {
    const Sample& was = change_.before();
    const double seconds = change_.seconds();
    add_gap();
    add(fmt::format(
        "Packets  {:>13}   {:>13}   {} inspected",
        rate_text(growth(was.packets, now_.packets), seconds),
        as_rate(growth(was.wire_bytes, now_.wire_bytes), seconds),
        percent(growth(was.inspected, now_.inspected), growth(was.packets, now_.packets))));
    add(fmt::format("Alerts   {:>13}   {:>13} written   Flows {} new, {} active",
                    rate_text(growth(was.alerts, now_.alerts), seconds), with_commas(now_.alerts),
                    rate_text(growth(was.flows, now_.flows), seconds),
                    with_commas(now_.flows_active)));
  }

  void add_losses() {
    bool has_any = false;
    for (const top::Loss& loss : now_.losses) {
      if (loss.count == 0) {
        continue;
      }
      const uint64_t lately = change_.lost_lately(loss);
      add(fmt::format("Lost     {:>13}   {:>13} {}: {}", rate_text(lately, change_.seconds()),
                      with_commas(loss.count), loss.unit, loss.cause),
          lately == 0 ? Style::plain : Style::alarm);
      has_any = true;
    }
    if (!has_any) {
      add("Lost     nothing");
    }
  }

  void add_workers() {
    add_gap();
    add(fmt::format("{:<6} {:<{}} {:>8} {:>12} {:>9} {:>9} {:>9}", "Worker", "load", bar_cells + 2,
                    "", "packets", "ring max", "hand max", "pool max"),
        Style::heading);
    const size_t shown_max = size_.rows == 0 ? now_.workers.size() : size_.rows / 4 + 1;
    for (size_t i = 0; i < std::min(shown_max, now_.workers.size()); ++i) {
      const top::Worker& worker = now_.workers[i];
      add(fmt::format("{:<6} {} {:>6.1f} % {:>12} {:>9} {:>9} {:>9}", worker.name,
                      bar(worker.load_permille), worker.load_permille / 10.0,
                      rate_text(growth(change_.worker_before(worker.name).packets, worker.packets),
                                change_.seconds()),
                      full_text(worker.record_ring), full_text(worker.hand_over_ring),
                      full_text(worker.pool)),
          worker.load_permille >= busy_permille ? Style::alarm : Style::plain);
    }
    if (now_.workers.size() > shown_max) {
      add(fmt::format("… and {} more", now_.workers.size() - shown_max), Style::faint);
    }
    if (now_.workers.size() > 1) {
      add(fmt::format("{:<6} the busiest has {:.2f} times the mean", "", change_.imbalance()));
    }
  }

  void add_latencies() {
    add_gap();
    add(fmt::format("{:<22} {:>10} {:>10} {:>10} {:>10}", "Latency, up to", "p50", "p90", "p99",
                    "p99.9"),
        Style::heading);
    static constexpr std::array<std::string_view, latency_stages.size()> names{
        "packet to inspected", "packet to alert", "alert to written"};
    for (size_t stage = 0; stage < names.size(); ++stage) {
      const LatencyBuckets lately = change_.latency(stage);
      std::string line = fmt::format("{:<22}", names[stage]);
      for (const Percentile& each : percentiles) {
        line += fmt::format(" {:>10}", count_of(lately) == 0
                                           ? std::string("-")
                                           : time_text(percentile_us(lately, each.share)));
      }
      add(line);
    }
  }

  void add_signatures(size_t rows) {
    add_gap();
    add(fmt::format("{:>11} {:>13} {:>13}  {}", "alerts", "written", "kept back", "Signature"),
        Style::heading);
    const std::vector<TopChange::Fired> all = change_.fired();
    for (size_t i = 0; i < std::min({rows, all.size(), listed_max}); ++i) {
      const top::Signature& signature = *all[i].signature;
      add(fmt::format("{:>11} {:>13} {:>13}  {}:{} {}", rate_text(all[i].lately, change_.seconds()),
                      with_commas(signature.logged), with_commas(signature.suppressed),
                      signature.gid, signature.sid, signature.message));
    }
  }

  void add_slow_rules() {
    const top::Costs& costs = now_.costs;
    if (costs.batches == 0) {
      return;
    }
    const uint64_t named = costs.scan_cycles + costs.rule_cycles;
    add_gap();
    add(fmt::format("Detection, sampled in {} of batches: {} scanning, {} rules, {} the rest",
                    percent(costs.batches_sampled, costs.batches),
                    percent(costs.scan_cycles, costs.cycles),
                    percent(costs.rule_cycles, costs.cycles),
                    percent(costs.cycles - std::min(costs.cycles, named), costs.cycles)));
    add(fmt::format("{:>11} {:>13} {:>13}  {}", "share", "cycles/check", "checks", "Slow rule"),
        Style::heading);
    for (size_t i = 0; i < std::min(costs.rules.size(), listed_max); ++i) {
      const top::SlowRule& rule = costs.rules[i];
      add(fmt::format("{:>11} {:>13} {:>13}  {}:{} {}", percent(rule.cycles, costs.cycles),
                      with_commas(rule.checks == 0 ? 0 : rule.cycles / rule.checks),
                      with_commas(rule.checks), rule.gid, rule.sid, rule.message));
    }
  }

  static constexpr size_t roomy_rows = 30;

  const Sample& now_;
  const TopChange change_;
  const TopSize size_;
  std::vector<TopLine> lines_;
};

}  // namespace

std::vector<TopLine> top_lines(const Sample& before, const Sample& now, const TopSize& size) {
  return Frame(before, now, size).lines();
}

}  // namespace shrike::app
