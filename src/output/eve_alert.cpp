#include <algorithm>

#include "eve.h"
#include "names.h"

namespace shrike::output {

namespace {

void write_end_point(EveContext& eve, std::string_view key, const DatagramSection& datagram,
                     bool is_source) {
  eve.json.begin_object(key);
  eve.json.text(
      "ip", address_text(eve, is_source ? datagram.source : datagram.target, datagram.ip_version));
  if (datagram.has_ports) {
    eve.json.number("port", is_source ? datagram.source_port : datagram.target_port);
  }
  eve.json.end_object();
}

void write_rule_metadata(EveContext& eve, const RuleInfo& rule) {
  if (rule.metadata.empty()) {
    return;
  }
  eve.json.begin_object("metadata");
  for (const auto& [key, values] : rule.metadata) {
    eve.json.begin_array(key);
    for (const std::string& value : values) {
      eve.json.element(value);
    }
    eve.json.end_array();
  }
  eve.json.end_object();
}

void write_references(EveContext& eve, const RuleInfo& rule) {
  if (rule.references.empty()) {
    return;
  }
  eve.json.begin_array("references");
  for (const std::string& reference : rule.references) {
    eve.json.element(reference);
  }
  eve.json.end_array();
}

void write_alert_object(EveContext& eve, const AlertEvent& event) {
  const RuleInfo& rule = event.rule;
  eve.json.begin_object("alert");
  eve.json.text("action", event.is_blocked ? "blocked" : "allowed");
  eve.json.number("gid", rule.gid);
  eve.json.number("signature_id", rule.sid);
  eve.json.number("rev", rule.rev);
  eve.json.text("signature", rule.message);
  eve.json.text("category", rule.class_description);
  eve.json.number("severity", rule.priority);
  const DatagramSection& datagram = event.record.datagram;
  if (rule.target != RuleTarget::none && datagram.ip_version != 0) {
    const bool source_is_target = rule.target == RuleTarget::source_ip;
    write_end_point(eve, "source", datagram, !source_is_target);
    write_end_point(eve, "target", datagram, source_is_target);
  }
  if (eve.options.rule_references) {
    write_references(eve, rule);
  }
  if (eve.options.rule_metadata) {
    write_rule_metadata(eve, rule);
  }
  if (eve.options.rule_text) {
    eve.json.text("rule", rule.text);
  }
  eve.json.end_object();
}

void write_tunnel(EveContext& eve, const Record& record) {
  if (!record.has_carrier) {
    return;
  }
  const CarrierSection& carrier = record.carrier;
  eve.json.begin_object("tunnel");
  eve.json.text("src_ip", address_text(eve, carrier.source, carrier.ip_version));
  eve.json.number("src_port", carrier.source_port);
  eve.json.text("dest_ip", address_text(eve, carrier.target, carrier.ip_version));
  eve.json.number("dest_port", carrier.target_port);
  eve.json.text("proto", protocol_text(carrier.protocol));
  eve.json.number("depth", record.datagram.depth);
  if (carrier.number != 0) {
    eve.json.number("pcap_cnt", carrier.number);
  }
  eve.json.text("pkt_src", to_text(carrier.origin));
  eve.json.end_object();
}

/// The flow's counters with its tuple from client to server, whichever way the packet went.
void write_flow(EveContext& eve, const Record& record) {
  const DatagramSection& datagram = record.datagram;
  const bool is_answer = record.flow.id.direction() == Direction::to_client;
  eve.json.begin_object("flow");
  write_flow_counts(eve, record.flow);
  eve.json.text("src_ip", address_text(eve, is_answer ? datagram.target : datagram.source,
                                       datagram.ip_version));
  eve.json.text("dest_ip", address_text(eve, is_answer ? datagram.source : datagram.target,
                                        datagram.ip_version));
  if (datagram.has_ports && datagram.source_port > 0) {
    eve.json.number("src_port", is_answer ? datagram.target_port : datagram.source_port);
    eve.json.number("dest_port", is_answer ? datagram.source_port : datagram.target_port);
  }
  eve.json.end_object();
}

void write_payload(EveContext& eve, const Record& record) {
  const EveOptions& options = eve.options;
  if (!options.payload && !options.payload_printable && !options.payload_length) {
    return;
  }
  const bool is_stream = record.datagram.protocol == ip_protocol::tcp &&
                         (record.alert.from_stream || record.alert.has_tx);
  const bool shows_stream = is_stream && !record.stream_bytes.empty();
  if (shows_stream || !is_stream || !record.payload.empty()) {
    const size_t kept = std::min<size_t>(record.stream_bytes.size(), options.payload_buffer_bytes);
    const Bytes bytes = shows_stream ? record.stream_bytes.first(kept) : record.payload;
    if (options.payload) {
      eve.json.base64("payload", bytes);
    }
    if (options.payload_length) {
      eve.json.number("payload_length", bytes.size());
    }
    if (options.payload_printable) {
      eve.json.printable("payload_printable", bytes);
    }
  }
  eve.json.number("stream", is_stream ? 1 : 0);
}

/// Whom a reject rule answers; empty for other actions.
std::string_view reject_target(Action action) {
  switch (action) {
    case Action::reject:
    case Action::reject_source:
      return "to_client";
    case Action::reject_target:
      return "to_server";
    case Action::reject_both:
      return "both";
    case Action::alert:
    case Action::pass:
    case Action::drop:
    case Action::config:
      return {};
  }
  return {};
}

void write_verdict(EveContext& eve, const AlertEvent& event) {
  const std::string_view target = reject_target(event.action);
  eve.json.begin_object("verdict");
  eve.json.text("action", event.is_dropped ? "drop" : "alert");
  if (!target.empty()) {
    eve.json.text("reject-target", target);
    eve.json.begin_array("reject");
    switch (event.record.datagram.protocol) {
      case ip_protocol::tcp:
        eve.json.element("tcp-reset");
        break;
      case ip_protocol::udp:
      case ip_protocol::icmp:
      case ip_protocol::icmpv6:
        eve.json.element("icmp-prohib");
        break;
      default:
        break;
    }
    eve.json.end_array();
  }
  eve.json.end_object();
}

}  // namespace

void write_alert_event(EveContext& eve, const AlertEvent& event) {
  const Record& record = event.record;
  const bool has_ip = record.datagram.ip_version != 0;
  begin_packet_event(eve, record, event.catalog, "alert");
  if (record.alert.has_tx) {
    eve.json.number("tx_id", record.alert.tx_id);
  }
  write_alert_object(eve, event);
  write_tunnel(eve, record);
  eve.json.members(as_text(record.app_members));
  write_app_protocols(eve, record.app);
  if (record.has_flow && has_ip) {
    eve.json.text("direction", to_text(record.flow.id.direction()));
    if (eve.options.alert_flow) {
      write_flow(eve, record);
    }
  }
  if (has_ip) {
    write_payload(eve, record);
  }
  if (eve.options.packet) {
    write_packet_bytes(eve, record);
  }
  if (eve.options.verdict) {
    write_verdict(eve, event);
  }
  end_event(eve, event.capture_path);
}

}  // namespace shrike::output
