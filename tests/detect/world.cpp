#include "world.h"

#include <gtest/gtest.h>

namespace shrike::test {

RuleSet compile_text(std::string_view text) {
  const std::vector<rule::Source> sources{{"test.rules", std::string(text)}};
  Diagnostics diagnostics;
  rule::Report report;
  rule::Options options;
  options.compile_threads = 1;
  options.assume_inspected = true;
  std::optional<RuleSet> rules = rule::compile(sources, options, diagnostics, report);
  EXPECT_EQ(diagnostics.errors(), 0u) << diagnostics.text();
  EXPECT_TRUE(rules.has_value());
  return std::move(*rules);
}

Batch::Batch(std::vector<Entry> entries) : entries_(std::move(entries)) {
  datagrams_.resize(entries_.size());
  headers_.resize(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    Datagram& datagram = datagrams_[i];
    // An IPv4 header of which rules read time to live, and a transport header of zeros.
    headers_[i].assign(20 + 20, 0);
    headers_[i][0] = 0x45;
    headers_[i][8] = 64;
    datagram.ip_version = 4;
    datagram.ip_header = Bytes(headers_[i]).first(20);
    datagram.transport_header = Bytes(headers_[i]).subspan(20);
    datagram.source = entry.source;
    datagram.target = entry.target;
    datagram.protocol = entry.protocol;
    datagram.source_port = entry.source_port;
    datagram.target_port = entry.target_port;
    datagram.tcp_flags = entry.protocol == ip_protocol::tcp ? entry.tcp_flags : 0;
    datagram.has_transport = true;
    datagram.payload = as_bytes(entry.payload);
    datagram.origin = entry.origin;
    datagram.number = i + 1;
    datagram.time_ns = datagram.clock_ns = entry.time_ns;
    datagram.wire_bytes = static_cast<uint32_t>(40 + entry.payload.size());
    for (const DecodeEvent event : entry.events) {
      datagram.events.add(event);
    }
    Tracked& tracked = tracked_.push(datagram);
    if (entry.has_flow) {
      tracked.flow.id = FlowId(entry.slot, entry.direction);
      tracked.flow.client_end = entry.client_end;
      tracked.flow.opened = entry.opened;
      tracked.flow.is_established = entry.is_established;
      tracked.flow.tcp_established = entry.is_established && entry.protocol == ip_protocol::tcp;
      tracked.flow.stream_added = entry.stream_added;
      tracked.flow.verdict = entry.verdict;
    }
    for (const StreamEvent event : entry.stream_events) {
      tracked.events.add(event);
    }
    for (const std::string& chunk : entry.chunks) {
      tracked_.push_chunk(tracked, {as_bytes(chunk), 0, false});
    }
  }
}

void inspect_all(detect::Detector& detector, const RuleSet& rules, const Batch& batch,
                 AlertBatch& alerts, const AppView* app) {
  for (const Tracked& tracked : batch.tracked().all()) {
    detector.inspect(rules, tracked, batch.tracked().chunks_of(tracked), app, alerts);
  }
}

std::string inspect(detect::Detector& detector, const RuleSet& rules, std::vector<Entry> entries,
                    const AppView* app) {
  const Batch batch(std::move(entries));
  AlertBatch alerts;
  inspect_all(detector, rules, batch, alerts, app);
  std::string text;
  for (const Alert& alert : alerts.all()) {
    text += text.empty() ? "" : " ";
    text += std::to_string(alert.tracked->datagram->number) + ":";
    text += alert.is_tagged_packet ? "t" : std::to_string(rules.infos()[alert.rule_index].sid);
    text += alert.from_stream ? "s" : "";
    text += alert.drops ? "d" : "";
    text += alert.is_silent ? "q" : "";
    text += alert.transaction == nullptr ? "" : "@" + std::to_string(alert.transaction->id);
  }
  return text;
}

}  // namespace shrike::test
