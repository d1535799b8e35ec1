#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "shrike/model/packet.h"
#include "shrike/model/stream.h"

/// The words that EVE and fast.log use.
namespace shrike::output {

/// "TCP", "IPv6-ICMP" (IANA protocol-numbers, as Suricata spells them); empty where a number has no
/// name.
[[nodiscard]] std::string_view protocol_name(uint8_t protocol) noexcept;
/// The same, or the number as text.
[[nodiscard]] std::string protocol_text(uint8_t protocol);

[[nodiscard]] std::string_view to_text(Direction direction) noexcept;   ///< "to_server"
[[nodiscard]] std::string_view to_text(FlowState state) noexcept;       ///< "established"
[[nodiscard]] std::string_view to_text(FlowEndReason reason) noexcept;  ///< "timeout"
[[nodiscard]] std::string_view to_text(TcpState state) noexcept;        ///< "syn_sent"

/// A libpcap link type (pcap-linktype(7)) and its name: packet_info of EVE.
struct LinkTypeName {
  uint32_t number = 0;
  std::string_view name;
};
[[nodiscard]] LinkTypeName link_type_name(LinkType type) noexcept;

/// The ICMP type that answers this one, 0 where nothing does: the other side of an ICMP flow.
[[nodiscard]] uint8_t icmp_counterpart(uint8_t type, bool is_version6) noexcept;

}  // namespace shrike::output
