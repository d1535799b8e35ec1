#pragma once
#include <map>
#include <string>
#include <string_view>

#include "shrike/base/json_writer.h"
#include "sink.h"
#include "time_text.h"

/// The parts that EVE events are put together from. Key order is Suricata's.
namespace shrike::output {

struct EveContext {
  const EveOptions& options;
  TimeText& times;
  JsonWriter json;
};

/// From the opening brace to what every event of a packet has: timestamp … community_id.
void begin_packet_event(EveContext& eve, const Record& record, const RuleCatalog& catalog,
                        std::string_view event_type);
/// in_iface, of a live run.
void write_interface(EveContext& eve, uint32_t capture_index);
/// host and pcap_filename, and the closing brace.
void end_event(EveContext& eve, std::string_view capture_path);
/// metadata, ether and community_id.
void write_common_options(EveContext& eve, const Record& record, const RuleCatalog& catalog);
/// app_proto and its relatives.
void write_app_protocols(EveContext& eve, const AppSection& app);
/// pkts_toserver … bytes_toclient, inside an open object, from packets and bytes by Direction.
void write_side_counts(JsonWriter& json, const std::array<uint64_t, 2>& packets,
                       const std::array<uint64_t, 2>& bytes);
/// The same of a flow, and start.
void write_flow_counts(EveContext& eve, const FlowView& flow);
void write_vlan(EveContext& eve, uint8_t count, std::span<const uint16_t> ids);
/// packet and packet_info.
void write_packet_bytes(EveContext& eve, const Record& record);
[[nodiscard]] std::string address_text(const EveContext& eve, const IpAddress& address,
                                       uint8_t ip_version);
/// Whether EVE writes ports for the protocol.
[[nodiscard]] bool protocol_has_ports(uint8_t protocol) noexcept;

void write_alert_event(EveContext& eve, const AlertEvent& event);
void write_file_event(EveContext& eve, const FileEvent& event);
void write_anomaly_event(EveContext& eve, const AnomalyEvent& event);
void write_flow_event(EveContext& eve, const FlowEvent& event);
/// One direction of a flow.
void write_netflow_event(EveContext& eve, const FlowEvent& event, Direction direction);

/// Counters of the last statistics event, for deltas: thread ("" for totals) to name to value.
using LastStatistics =
    std::map<std::string, std::map<std::string, uint64_t, std::less<>>, std::less<>>;
void write_statistics_event(EveContext& eve, const Statistics& statistics, LastStatistics& last);
/// An event of our own: Suricata has none.
void write_overload_event(EveContext& eve, const OverloadReport& report);

}  // namespace shrike::output
