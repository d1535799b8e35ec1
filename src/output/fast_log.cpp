#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "names.h"
#include "sink.h"
#include "time_text.h"

namespace shrike::output {

namespace {

constexpr size_t raw_packet_bytes_max = 32;

/// A rule's text in a line: what would break the line or the terminal is shown as \xHH.
void append_text(std::string& line, std::string_view text) {
  // Suricata writes a missing message or class this way, and parsers of fast.log know it.
  for (const char each : text.empty() ? std::string_view("(null)") : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line.push_back(each);
    }
  }
}

std::string_view action_text(const AlertEvent& event) {
  switch (event.action) {
    case Action::drop:
    case Action::reject:
    case Action::reject_source:
    case Action::reject_target:
    case Action::reject_both:
      return event.is_inline ? "[Drop] " : "[wDrop] ";
    case Action::alert:
    case Action::pass:
    case Action::config:
      return "";
  }
  return "";
}

class FastLogSink final : public Sink {
 public:
  FastLogSink(const FastLogOptions& options, std::string path)
      : Sink("fast", options.file, std::move(path), {}), ipv6_compress_(options.ipv6_compress) {}

  void write_alert(const AlertEvent& event) override {
    const RuleInfo& rule = event.rule;
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{}  {}[**] [{}:{}:{}] ",
                   times_.american(event.record.datagram.time_ns), action_text(event), rule.gid,
                   rule.sid, rule.rev);
    append_text(line_, rule.message);
    line_ += " [**] [Classification: ";
    append_text(line_, rule.class_description);
    fmt::format_to(std::back_inserter(line_), "] [Priority: {}] ", rule.priority);
    if (event.record.datagram.ip_version != 0) {
      append_tuple(event.record.datagram);
    } else {
      append_raw_packet(event.record);
    }
    line_.push_back('\n');
    file().append(line_);
  }

 private:
  void append_tuple(const DatagramSection& datagram) {
    const std::string_view name = protocol_name(datagram.protocol);
    const std::string protocol =
        name.empty() ? fmt::format("PROTO:{:03}", datagram.protocol) : std::string(name);
    const unsigned first = datagram.has_icmp    ? datagram.icmp_type
                           : datagram.has_ports ? datagram.source_port
                                                : 0;
    const unsigned second = datagram.has_icmp    ? datagram.icmp_code
                            : datagram.has_ports ? datagram.target_port
                                                 : 0;
    fmt::format_to(std::back_inserter(line_), "{{{}}} {}:{} -> {}:{}", protocol,
                   to_text(datagram.source, datagram.ip_version, ipv6_compress_), first,
                   to_text(datagram.target, datagram.ip_version, ipv6_compress_), second);
  }

  void append_raw_packet(const Record& record) {
    line_ += "[**] [Raw pkt: ";
    for (const uint8_t byte :
         record.frame.first(std::min(record.frame.size(), raw_packet_bytes_max))) {
      fmt::format_to(std::back_inserter(line_), "{:02X} ", byte);
    }
    line_ += ']';
    if (record.datagram.number != 0) {
      fmt::format_to(std::back_inserter(line_), " [pcap file packet: {}]", record.datagram.number);
    }
  }

  bool ipv6_compress_;
  TimeText times_;
  std::string line_;
};

}  // namespace

void add_fast_log_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics&) {
  for (const FastLogOptions& fast : options.fast_log) {
    sinks.push_back(
        std::make_unique<FastLogSink>(fast, resolve_path(options.directory, fast.file.path)));
  }
}

}  // namespace shrike::output
