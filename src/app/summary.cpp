#include "summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "terminal.h"

namespace shrike::app {

namespace {

constexpr size_t signatures_shown_max = 20;
constexpr size_t reasons_shown_max = 12;
constexpr size_t events_shown_max = 20;

using Counted = std::pair<std::string, uint64_t>;

/// The most frequent first, then by name.
std::vector<Counted> by_count(std::vector<Counted> rows) {
  std::sort(rows.begin(), rows.end(), [](const Counted& first, const Counted& second) {
    return first.second != second.second ? first.second > second.second
                                         : first.first < second.first;
  });
  return rows;
}

std::string heading(std::string_view name) {
  return fmt::format("{:<9} ", name);
}

/// Indented rows of a number and what it counts, and how many more there are.
std::string rows_text(const std::vector<Counted>& rows, size_t shown_max) {
  std::string text;
  for (size_t i = 0; i < std::min(rows.size(), shown_max); ++i) {
    text += fmt::format("{:>12}  {}\n", with_commas(rows[i].second), rows[i].first);
  }
  if (rows.size() > shown_max) {
    text += fmt::format("{:>12}  and {} more\n", "", rows.size() - shown_max);
  }
  return text;
}

std::string read_text(const RunFacts& facts) {
  const worker::Progress& progress = facts.progress;
  const uint64_t wire_bytes = facts.counters.get("capture.wire_bytes");
  const double rate = facts.seconds > 0 ? static_cast<double>(progress.packets) / facts.seconds : 0;
  return heading("Read") +
         fmt::format("{} packets, {} in {} capture{}{}\n", with_commas(progress.packets),
                     with_unit(wire_bytes), with_commas(facts.captures),
                     facts.captures == 1 ? "" : "s",
                     facts.was_stopped ? ", then stopped by a signal" : "") +
         heading("Speed") +
         fmt::format("{:.2f} s, {}, {} packets/s (start-up {:.2f} s)\n", facts.seconds,
                     as_rate(wire_bytes, facts.seconds), with_commas(static_cast<uint64_t>(rate)),
                     facts.start_seconds);
}

std::string rules_text(const rule::Report& rules) {
  uint64_t dormant = 0;
  std::vector<Counted> reasons;
  for (const auto& [reason, count] : rules.dormant) {
    dormant += count;
    reasons.emplace_back(reason, count);
  }
  std::string text = heading("Rules") + fmt::format("{} loaded, {} failed, {} skipped\n",
                                                    with_commas(rules.rules_loaded),
                                                    with_commas(rules.rules_failed),
                                                    with_commas(rules.rules_skipped));
  if (dormant > 0) {
    text += heading("") + fmt::format(
                              "{} of the loaded are dormant: what they look at is not "
                              "parsed yet\n",
                              with_commas(dormant));
    text += rows_text(by_count(std::move(reasons)), reasons_shown_max);
  }
  return text;
}

std::string alerts_text(const output::Summary& output) {
  std::string text = heading("Alerts") + with_commas(output.alerts_logged);
  if (output.alerts_suppressed > 0) {
    text += fmt::format(", and {} kept back by thresholds", with_commas(output.alerts_suppressed));
  }
  text += '\n';
  std::vector<Counted> rows;
  for (const output::SignatureTotals& signature : output.signatures) {
    if (signature.logged > 0) {
      rows.emplace_back(fmt::format("[{}:{}:{}] {}", signature.gid, signature.sid, signature.rev,
                                    signature.message),
                        signature.logged);
    }
  }
  return text + rows_text(by_count(std::move(rows)), signatures_shown_max);
}

std::string invalid_text(const CounterSums& counters) {
  constexpr std::string_view prefix = "decoder.event.";
  std::vector<Counted> rows;
  for (const auto& [name, count] : counters.all()) {
    if (count > 0 && name.starts_with(prefix)) {
      rows.emplace_back(name.substr(prefix.size()), count);
    }
  }
  if (rows.empty()) {
    return {};
  }
  return heading("Malformed") +
         fmt::format("{} packets that cannot be decoded further\n",
                     with_commas(counters.get("decoder.invalid"))) +
         rows_text(by_count(std::move(rows)), events_shown_max);
}

/// Nothing where both sides are equal, which is what the law of accounting asks for.
std::string difference_text(uint64_t left, uint64_t right) {
  if (left == right) {
    return "\n";
  }
  return fmt::format(", {} unaccounted for\n",
                     with_commas(left > right ? left - right : right - left));
}

/// Every packet and every payload byte is somewhere: the sums, and what they leave open.
std::string accounts_text(const CounterSums& counters) {
  constexpr std::string_view prefix = "stream.skipped.";
  std::vector<Counted> reasons;
  uint64_t skipped = 0;
  for (const auto& [name, bytes] : counters.all()) {
    if (bytes > 0 && name.starts_with(prefix)) {
      skipped += bytes;
      reasons.emplace_back("skipped: " + name.substr(prefix.size()), bytes);
    }
  }
  const uint64_t held_back =
      counters.get("worker.frames_decoded") == 0
          ? 0  // of captures: packets that a filter held back were not counted
          : counters.get("capture.filtered") + counters.get("capture.too_long");
  const uint64_t packets = counters.get("capture.packets") - held_back;
  const uint64_t invalid = counters.get("decoder.invalid");
  const uint64_t not_decoded =
      counters.get("decoder.skipped_ieee80211") + counters.get("decoder.skipped_link_type");
  const uint64_t decoded = counters.get("decoder.pkts") - invalid - not_decoded;
  const uint64_t payload = counters.get("stream.payload_bytes");
  const uint64_t inspected = counters.get("stream.inspected_bytes");
  const uint64_t discarded = counters.get("stream.discarded_bytes");
  return heading("Accounts") +
         fmt::format("{} packets = {} decoded + {} malformed + {} of link types not known",
                     with_commas(packets), with_commas(decoded), with_commas(invalid),
                     with_commas(not_decoded)) +
         difference_text(packets, decoded + invalid + not_decoded) + heading("") +
         fmt::format("{} bytes of TCP payload = {} inspected + {} discarded + {} skipped",
                     with_commas(payload), with_commas(inspected), with_commas(discarded),
                     with_commas(skipped)) +
         difference_text(payload, inspected + discarded + skipped) +
         rows_text(by_count(std::move(reasons)), reasons_shown_max);
}

std::string sinks_text(const output::Summary& output) {
  std::string text;
  for (const output::SinkTotals& sink : output.sinks) {
    text += heading(text.empty() ? "Written" : "") +
            fmt::format("{} lines to {}", with_commas(sink.written), sink.path);
    if (sink.lost > 0) {
      text += fmt::format(", {} lost: {}", with_commas(sink.lost), sink.fault);
    }
    text += '\n';
  }
  return text;
}

/// Every packet that a port saw is somewhere, by port and then over all workers.
std::string ports_text(const LiveFacts& facts) {
  std::string text;
  uint64_t received = 0;
  for (const LiveFacts::Port& port : facts.ports) {
    const capture::PortTotals& totals = port.totals;
    received += totals.received;
    text += heading(text.empty() ? "Ports" : "") +
            fmt::format("{}: {} packets received, {} missed, {} without a buffer, {} refused\n",
                        port.name, with_commas(totals.received), with_commas(totals.missed),
                        with_commas(totals.no_buffer), with_commas(totals.errors));
  }
  const CounterSums& counters = facts.counters;
  const uint64_t taken = counters.get("capture.packets");
  const uint64_t filtered = counters.get("capture.filtered");
  const uint64_t too_long = counters.get("capture.too_long");
  const uint64_t decoded = counters.get("worker.frames_decoded");
  text +=
      heading("Workers") +
      fmt::format("{} packets taken = {} decoded + {} filtered + {} too long", with_commas(taken),
                  with_commas(decoded), with_commas(filtered), with_commas(too_long)) +
      difference_text(taken, decoded + filtered + too_long);
  if (received > taken) {
    text += heading("") + fmt::format("{} packets were left in the queues at the end\n",
                                      with_commas(received - taken));
  }
  if (const uint64_t handed = counters.get("worker.taken_over"); handed > 0) {
    text += heading("") + fmt::format("{} handed over between workers, {} lost on the way\n",
                                      with_commas(handed),
                                      with_commas(counters.get("worker.datagrams_lost")));
  }
  if (const uint64_t lost = counters.get("output.records_dropped"); lost > 0) {
    text += heading("") +
            fmt::format("{} records lost: the collector was too slow\n", with_commas(lost));
  }
  return text;
}

/// What workers stopped inspecting; nothing where they kept up.
std::string given_up_text(const CounterSums& counters) {
  uint64_t flows = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  for (const std::string cause : {"encrypted", "large", "elephant"}) {
    flows += counters.get("overload." + cause + ".flows");
    packets += counters.get("overload." + cause + ".packets");
    bytes += counters.get("overload." + cause + ".bytes");
  }
  if (flows == 0) {
    return {};
  }
  return heading("Overload") + fmt::format("{} flows given up: {} packets, {} not inspected\n",
                                           with_commas(flows), with_commas(packets),
                                           with_unit(bytes));
}

std::string watched_text(const LiveFacts& facts) {
  const uint64_t wire_bytes = facts.counters.get("capture.wire_bytes");
  return heading("Watched") + fmt::format("{} packets, {} in {:.1f} s\n",
                                          with_commas(facts.counters.get("capture.packets")),
                                          with_unit(wire_bytes), facts.seconds);
}

std::string cost_text(const RunFacts::Cost& cost) {
  return heading("Cost") + fmt::format("{:.2f} s user, {:.2f} s system, {} memory at most\n",
                                       cost.user_seconds, cost.system_seconds,
                                       with_unit(cost.memory_bytes_max));
}

}  // namespace

void CounterSums::add(const CounterView& view) {
  for (size_t i = 0; i < view.size(); ++i) {
    sums_[std::string(view.rows[i].name)] += view.value(i);
  }
}

uint64_t CounterSums::get(std::string_view name) const {
  const auto hit = sums_.find(name);
  return hit == sums_.end() ? 0 : hit->second;
}

std::string summary_text(const RunFacts& facts) {
  std::string text =
      read_text(facts) + heading("Flows") + with_commas(facts.counters.get("flow.total")) + "\n" +
      rules_text(facts.rules) + alerts_text(facts.output) + invalid_text(facts.counters) +
      accounts_text(facts.counters) + sinks_text(facts.output);
  if (facts.cost) {
    text += cost_text(*facts.cost);
  }
  return text;
}

std::string summary_text(const LiveFacts& facts) {
  return watched_text(facts) + heading("Flows") + with_commas(facts.counters.get("flow.total")) +
         "\n" + rules_text(facts.rules) + alerts_text(facts.output) + invalid_text(facts.counters) +
         ports_text(facts) + given_up_text(facts.counters) + accounts_text(facts.counters) +
         sinks_text(facts.output);
}

}  // namespace shrike::app
