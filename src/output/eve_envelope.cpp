#include <fmt/format.h>

#include "community_id.h"
#include "eve.h"
#include "names.h"

namespace shrike::output {

namespace {

constexpr std::string_view traffic_id_prefix = "traffic/id/";
constexpr std::string_view traffic_label_prefix = "traffic/label/";

std::string_view name_of(std::span<const std::string> names, uint32_t index) {
  return index < names.size() ? std::string_view(names[index]) : std::string_view{};
}

/// The names of the set bits that start with `prefix`, without it; with an empty prefix, those
/// that are not set apart as traffic. No array where there is none.
void write_bits(EveContext& eve, const Record& record, const RuleCatalog& catalog,
                std::string_view key, std::string_view prefix) {
  bool is_open = false;
  for (size_t i = 0; i < record.flow_bits.size() / sizeof(uint32_t); ++i) {
    const std::string_view name = name_of(catalog.bit_names, number_at(record.flow_bits, i));
    const bool is_traffic =
        name.starts_with(traffic_id_prefix) || name.starts_with(traffic_label_prefix);
    if (prefix.empty() ? is_traffic : !name.starts_with(prefix)) {
      continue;
    }
    if (!is_open) {
      eve.json.begin_array(key);
      is_open = true;
    }
    eve.json.element(name.substr(prefix.size()));
  }
  if (is_open) {
    eve.json.end_array();
  }
}

bool has_traffic_bits(const Record& record, const RuleCatalog& catalog) {
  for (size_t i = 0; i < record.flow_bits.size() / sizeof(uint32_t); ++i) {
    const std::string_view name = name_of(catalog.bit_names, number_at(record.flow_bits, i));
    if (name.starts_with(traffic_id_prefix) || name.starts_with(traffic_label_prefix)) {
      return true;
    }
  }
  return false;
}

void write_integers(EveContext& eve, const Record& record, const RuleCatalog& catalog) {
  if (record.flow_integers.empty()) {
    return;
  }
  eve.json.begin_object("flowints");
  for (size_t i = 0; i + 1 < record.flow_integers.size() / sizeof(uint32_t); i += 2) {
    eve.json.number(name_of(catalog.integer_names, number_at(record.flow_integers, i)),
                    number_at(record.flow_integers, i + 1));
  }
  eve.json.end_object();
}

void write_metadata(EveContext& eve, const Record& record, const RuleCatalog& catalog) {
  if (record.flow_bits.empty() && record.flow_integers.empty()) {
    return;
  }
  if (has_traffic_bits(record, catalog)) {
    eve.json.begin_object("traffic");
    write_bits(eve, record, catalog, "id", traffic_id_prefix);
    write_bits(eve, record, catalog, "label", traffic_label_prefix);
    eve.json.end_object();
  }
  eve.json.begin_object("metadata");
  write_bits(eve, record, catalog, "flowbits", {});
  write_integers(eve, record, catalog);
  eve.json.end_object();
}

std::string mac_text(const std::array<uint8_t, 6>& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

CommunityTuple tuple_of(const Record& record) {
  const bool is_flow_end = record.head.kind == RecordKind::flow_end;
  const FlowView& flow = record.flow;
  CommunityTuple tuple{
      .ip_version = is_flow_end ? record.flow_end.ip_version : record.datagram.ip_version,
      .protocol = is_flow_end ? record.flow_end.protocol : record.datagram.flow_protocol,
      .source = flow.client,
      .target = flow.server,
      .source_port = flow.client_port,
      .target_port = flow.server_port};
  const bool is_version6 = tuple.ip_version == 6;
  if (tuple.protocol == (is_version6 ? ip_protocol::icmpv6 : ip_protocol::icmp)) {
    const uint8_t seen = is_flow_end ? record.flow_end.icmp_type : record.datagram.icmp_type;
    const bool is_answer = !is_flow_end && flow.id.direction() == Direction::to_client;
    tuple.source_port = is_answer ? icmp_counterpart(seen, is_version6) : seen;
    tuple.target_port = icmp_counterpart(static_cast<uint8_t>(tuple.source_port), is_version6);
  }
  return tuple;
}

void write_tuple(EveContext& eve, const DatagramSection& datagram) {
  if (datagram.ip_version == 0) {
    return;
  }
  eve.json.text("src_ip", address_text(eve, datagram.source, datagram.ip_version));
  if (datagram.has_ports) {
    eve.json.number("src_port", datagram.source_port);
  }
  eve.json.text("dest_ip", address_text(eve, datagram.target, datagram.ip_version));
  if (datagram.has_ports) {
    eve.json.number("dest_port", datagram.target_port);
  }
  eve.json.text("proto", protocol_text(datagram.protocol));
  eve.json.number("ip_v", datagram.ip_version);
  if (datagram.has_icmp) {
    eve.json.number("icmp_type", datagram.icmp_type);
    eve.json.number("icmp_code", datagram.icmp_code);
  }
}

}  // namespace

std::string address_text(const EveContext& eve, const IpAddress& address, uint8_t ip_version) {
  return to_text(address, ip_version, eve.options.ipv6_compress);
}

bool protocol_has_ports(uint8_t protocol) noexcept {
  return protocol == ip_protocol::tcp || protocol == ip_protocol::udp ||
         protocol == ip_protocol::sctp;
}

void write_vlan(EveContext& eve, uint8_t count, std::span<const uint16_t> ids) {
  if (count == 0) {
    return;
  }
  eve.json.begin_array("vlan");
  for (size_t i = 0; i < std::min<size_t>(count, ids.size()); ++i) {
    eve.json.element(ids[i]);
  }
  eve.json.end_array();
}

void write_app_protocols(EveContext& eve, const AppSection& app) {
  const auto write = [&](std::string_view key, AppProtocol protocol) {
    if (protocol != AppProtocol::unknown && protocol != app.protocol) {
      eve.json.text(key, to_eve_text(protocol));
    }
  };
  if (app.protocol != AppProtocol::unknown) {
    eve.json.text("app_proto", to_eve_text(app.protocol));
  }
  write("app_proto_ts", app.by_direction[0]);
  write("app_proto_tc", app.by_direction[1]);
  write("app_proto_orig", app.original);
  write("app_proto_expected", app.expected);
}

void write_common_options(EveContext& eve, const Record& record, const RuleCatalog& catalog) {
  if (eve.options.metadata) {
    write_metadata(eve, record, catalog);
  }
  if (eve.options.ethernet && record.datagram.has_ethernet) {
    eve.json.begin_object("ether");
    eve.json.text("src_mac", mac_text(record.datagram.ethernet_source));
    eve.json.text("dest_mac", mac_text(record.datagram.ethernet_target));
    eve.json.end_object();
  }
  if (eve.options.community_id && record.has_flow) {
    eve.json.text("community_id", community_id(tuple_of(record), eve.options.community_id_seed));
  }
}

void begin_packet_event(EveContext& eve, const Record& record, const RuleCatalog& catalog,
                        std::string_view event_type) {
  const DatagramSection& datagram = record.datagram;
  eve.json.begin_object();
  eve.json.text("timestamp", eve.times.iso(datagram.time_ns));
  if (record.has_flow) {
    eve.json.number("flow_id", record.flow.eve_id);
    if (record.flow.parent_eve_id != 0) {
      eve.json.number("parent_id", record.flow.parent_eve_id);
    }
  }
  if (eve.options.sensor_id) {
    eve.json.number("sensor_id", *eve.options.sensor_id);
  }
  write_interface(eve, datagram.capture_index);
  // Rebuilt and inner datagrams are packets of our making: they have no place in the capture.
  if (eve.options.interface_names.empty() && datagram.origin == DatagramOrigin::wire &&
      datagram.number != 0) {
    eve.json.number("pcap_cnt", datagram.number);
  }
  eve.json.text("event_type", event_type);
  write_vlan(eve, datagram.vlan_count, datagram.vlan_ids);
  write_tuple(eve, datagram);
  eve.json.text("pkt_src", to_text(datagram.origin));
  write_common_options(eve, record, catalog);
}

void write_interface(EveContext& eve, uint32_t capture_index) {
  if (capture_index < eve.options.interface_names.size()) {
    eve.json.text("in_iface", eve.options.interface_names[capture_index]);
  }
}

void end_event(EveContext& eve, std::string_view capture_path) {
  if (!eve.options.sensor_name.empty()) {
    eve.json.text("host", eve.options.sensor_name);
  }
  if (eve.options.pcap_filename && !capture_path.empty()) {
    eve.json.text("pcap_filename", capture_path);
  }
  eve.json.end_object();
}

void write_side_counts(JsonWriter& json, const std::array<uint64_t, 2>& packets,
                       const std::array<uint64_t, 2>& bytes) {
  json.number("pkts_toserver", packets[0]);
  json.number("pkts_toclient", packets[1]);
  json.number("bytes_toserver", bytes[0]);
  json.number("bytes_toclient", bytes[1]);
}

void write_flow_counts(EveContext& eve, const FlowView& flow) {
  write_side_counts(eve.json, {flow.packets[0], flow.packets[1]}, flow.bytes);
  eve.json.text("start", eve.times.iso(flow.start_ns));
}

void write_packet_bytes(EveContext& eve, const Record& record) {
  eve.json.base64("packet", record.frame);
  const LinkTypeName link = link_type_name(
      record.datagram.frame_is_raw_ip ? LinkType::raw_ip : record.datagram.link_type);
  eve.json.begin_object("packet_info");
  eve.json.number("linktype", link.number);
  eve.json.text("linktype_name", link.name);
  eve.json.end_object();
}

}  // namespace shrike::output
