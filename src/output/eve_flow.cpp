#include <fmt/format.h>

#include "eve.h"
#include "names.h"

namespace shrike::output {

namespace {

constexpr uint64_t nanoseconds = 1'000'000'000;  // in a second

struct TcpFlagName {
  uint8_t flag;
  std::string_view name;
};
constexpr TcpFlagName tcp_flag_names[] = {{2, "syn"},  {1, "fin"},  {4, "rst"},  {8, "psh"},
                                          {16, "ack"}, {32, "urg"}, {64, "ecn"}, {128, "cwr"}};

void write_flag_names(EveContext& eve, uint8_t flags) {
  for (const TcpFlagName& each : tcp_flag_names) {
    if ((flags & each.flag) != 0) {
      eve.json.boolean(each.name, true);
    }
  }
}

uint64_t age_seconds(const FlowView& flow) {
  return flow.last_ns / nanoseconds - flow.start_ns / nanoseconds;
}

bool is_icmp(uint8_t protocol) {
  return protocol == ip_protocol::icmp || protocol == ip_protocol::icmpv6;
}

/// Everything before the event's own objects. `direction` is whose packets the event is about.
void begin_flow_event(EveContext& eve, const FlowEnd& end, std::string_view event_type,
                      Direction direction) {
  const FlowView& flow = end.view;
  const bool is_answer = direction == Direction::to_client;
  eve.json.begin_object();
  // A flow that the end of the run ended has no time of its own.
  const bool is_cut_off = end.clock_ns == UINT64_MAX;
  eve.json.text("timestamp", eve.times.iso(is_cut_off ? flow.last_ns : end.clock_ns));
  eve.json.number("flow_id", flow.eve_id);
  if (flow.parent_eve_id != 0) {
    eve.json.number("parent_id", flow.parent_eve_id);
  }
  write_interface(eve, end.capture_index);
  eve.json.text("event_type", event_type);
  write_vlan(eve, end.vlan_count, end.vlan_ids);
  const bool has_ports = protocol_has_ports(end.protocol);
  eve.json.text("src_ip", address_text(eve, is_answer ? flow.server : flow.client, end.ip_version));
  if (has_ports) {
    eve.json.number("src_port", is_answer ? flow.server_port : flow.client_port);
  }
  eve.json.text("dest_ip",
                address_text(eve, is_answer ? flow.client : flow.server, end.ip_version));
  if (has_ports) {
    eve.json.number("dest_port", is_answer ? flow.client_port : flow.server_port);
  }
  eve.json.number("ip_v", end.ip_version);
  eve.json.text("proto", protocol_text(end.protocol));
}

/// What of the flow's counts never reached the sensor.
void write_bypassed_counts(EveContext& eve, const FlowEnd& end) {
  if (!end.is_in_card) {
    return;
  }
  eve.json.begin_object("bypassed");
  write_side_counts(eve.json, end.card_packets, end.card_bytes);
  eve.json.end_object();
}

void write_flow_object(EveContext& eve, const FlowEvent& event) {
  const FlowView& flow = event.record.flow;
  eve.json.begin_object("flow");
  write_flow_counts(eve, flow);
  write_bypassed_counts(eve, event.record.flow_end);
  eve.json.text("end", eve.times.iso(flow.last_ns));
  eve.json.number("age", age_seconds(flow));
  eve.json.text("state", to_text(flow.state));
  if (flow.state == FlowState::bypassed) {
    eve.json.text("bypass", event.record.flow_end.is_in_card ? "capture" : "local");
  }
  eve.json.text("reason", to_text(event.record.flow_end.reason));
  eve.json.boolean("alerted", event.has_alerts);
  if (flow.verdict == FlowVerdict::drop || flow.verdict == FlowVerdict::reject) {
    eve.json.text("action", "drop");
  } else if (flow.verdict == FlowVerdict::pass) {
    eve.json.text("action", "pass");
  }
  eve.json.end_object();
}

void write_tcp_object(EveContext& eve, const FlowEnd& end) {
  const auto both = static_cast<uint8_t>(end.tcp_flags[0] | end.tcp_flags[1]);
  eve.json.begin_object("tcp");
  eve.json.text("tcp_flags", fmt::format("{:02x}", both));
  eve.json.text("tcp_flags_ts", fmt::format("{:02x}", end.tcp_flags[0]));
  eve.json.text("tcp_flags_tc", fmt::format("{:02x}", end.tcp_flags[1]));
  write_flag_names(eve, both);
  if (end.view.tcp_state != TcpState::none) {
    eve.json.text("state", to_text(end.view.tcp_state));
    if (end.has_gap[1]) {
      eve.json.boolean("tc_gap", true);
    }
    if (end.has_gap[0]) {
      eve.json.boolean("ts_gap", true);
    }
  }
  eve.json.end_object();
}

}  // namespace

void write_flow_event(EveContext& eve, const FlowEvent& event) {
  const FlowEnd& end = event.record.flow_end;
  begin_flow_event(eve, end, "flow", Direction::to_server);
  if (is_icmp(end.protocol)) {
    eve.json.number("icmp_type", end.icmp_type);
    eve.json.number("icmp_code", end.icmp_code);
    if (end.view.packets[1] != 0) {
      eve.json.number("response_icmp_type", icmp_counterpart(end.icmp_type, end.ip_version == 6));
      eve.json.number("response_icmp_code", 0);
    }
  }
  write_app_protocols(eve, event.record.app);
  write_flow_object(eve, event);
  write_common_options(eve, event.record, event.catalog);
  if (end.protocol == ip_protocol::tcp) {
    write_tcp_object(eve, end);
  }
  end_event(eve, event.capture_path);
}

void write_netflow_event(EveContext& eve, const FlowEvent& event, Direction direction) {
  const FlowEnd& end = event.record.flow_end;
  const FlowView& flow = end.view;
  const auto side = static_cast<size_t>(direction);
  begin_flow_event(eve, end, "netflow", direction);
  if (is_icmp(end.protocol)) {
    const bool is_answer = direction == Direction::to_client;
    eve.json.number("icmp_type", is_answer ? icmp_counterpart(end.icmp_type, end.ip_version == 6)
                                           : end.icmp_type);
    eve.json.number("icmp_code", is_answer ? 0 : end.icmp_code);
  }
  eve.json.begin_object("netflow");
  eve.json.number("pkts", flow.packets[side]);
  eve.json.number("bytes", flow.bytes[side]);
  eve.json.text("start", eve.times.iso(flow.start_ns));
  eve.json.text("end", eve.times.iso(flow.last_ns));
  eve.json.number("age", age_seconds(flow));
  eve.json.number("min_ttl", end.ttl_min[side]);
  eve.json.number("max_ttl", end.ttl_max[side]);
  eve.json.end_object();
  if (end.protocol == ip_protocol::tcp) {
    eve.json.begin_object("tcp");
    eve.json.text("tcp_flags", fmt::format("{:02x}", end.tcp_flags[side]));
    write_flag_names(eve, end.tcp_flags[side]);
    eve.json.end_object();
  }
  write_common_options(eve, event.record, event.catalog);
  end_event(eve, event.capture_path);
}

}  // namespace shrike::output
