#include <cstring>

#include "transport.h"

namespace shrike::decode {
namespace {

constexpr size_t header_bytes = 8;
constexpr size_t ipv4_header_bytes = 20;
constexpr size_t ipv6_header_bytes = 40;
constexpr uint8_t any_code = 255;

void accept(Work& work, uint8_t protocol, Bytes bytes, Bytes payload) noexcept {
  Datagram& datagram = work.datagram;
  datagram.protocol = protocol;
  datagram.icmp_type = bytes[0];
  datagram.icmp_code = bytes[1];
  datagram.has_transport = true;
  datagram.wants_flow = true;
  datagram.transport_header = bytes.first(header_bytes);
  datagram.payload = payload;
}

// ---- ICMPv4 (RFC 792, 950, 1256) ------------------------------------------------------------

namespace icmpv4 {
constexpr uint8_t echo_reply = 0, unreachable = 3, source_quench = 4, redirect = 5, echo = 8,
                  router_advertisement = 9, time_exceeded = 11, parameter_problem = 12,
                  timestamp = 13, timestamp_reply = 14, information = 15, information_reply = 16,
                  address = 17, address_reply = 18;
}

/// The highest code of a type; nothing where the type is unknown.
struct TypeRule {
  bool is_known = true;
  uint8_t code_max = 0;
};
TypeRule rule_of_icmpv4(uint8_t type) noexcept {
  switch (type) {
    case icmpv4::unreachable:
      return {true, 15};
    case icmpv4::redirect:
      return {true, 3};
    case icmpv4::time_exceeded:
      return {true, 1};
    case icmpv4::router_advertisement:
      return {true, any_code};
    case icmpv4::echo_reply:
    case icmpv4::source_quench:
    case icmpv4::echo:
    case icmpv4::parameter_problem:
    case icmpv4::timestamp:
    case icmpv4::timestamp_reply:
    case icmpv4::information:
    case icmpv4::information_reply:
    case icmpv4::address:
    case icmpv4::address_reply:
      return {true, 0};
    default:
      return {false, any_code};
  }
}

bool is_icmpv4_error(uint8_t type) noexcept {
  return type == icmpv4::unreachable || type == icmpv4::source_quench || type == icmpv4::redirect ||
         type == icmpv4::time_exceeded || type == icmpv4::parameter_problem;
}

/// The datagram that an error is about. Its options are not looked at: the ports are taken from
/// behind 20 bytes, as Suricata does.
void decode_embedded_ipv4(Work& work, Bytes inner, bool ties_to_flow) noexcept {
  if (inner.size() < ipv4_header_bytes) {
    work.fail(DecodeEvent::icmpv4_ipv4_truncated_packet);
    return;
  }
  if (inner[0] >> 4 != 4) {
    work.fail(DecodeEvent::icmpv4_ipv4_unknown_version);
    return;
  }
  const uint8_t protocol = inner[9];
  const size_t transport_bytes_min = protocol == ip_protocol::tcp ? 20 : 8;
  const bool has_ports = protocol == ip_protocol::tcp || protocol == ip_protocol::udp;
  if (!ties_to_flow || !has_ports || inner.size() < ipv4_header_bytes + transport_bytes_min) {
    return;
  }
  Datagram::Embedded& embedded = work.datagram.embedded;
  embedded = {};
  std::memcpy(embedded.source.bytes.data(), inner.data() + 12, 4);
  std::memcpy(embedded.target.bytes.data(), inner.data() + 16, 4);
  embedded.source_port = load_big16(inner.data() + ipv4_header_bytes);
  embedded.target_port = load_big16(inner.data() + ipv4_header_bytes + 2);
  embedded.protocol = protocol;
  embedded.ip_version = 4;
}

/// Bytes of the fixed part behind the first eight, which are no payload.
size_t extra_header_bytes(Work& work, Bytes bytes) noexcept {
  size_t extra = 0;
  switch (bytes[0]) {
    case icmpv4::timestamp:
    case icmpv4::timestamp_reply:
      extra = 12;
      break;
    case icmpv4::router_advertisement:
      extra = size_t{bytes[4]} * bytes[5] * 4;  // addresses, words of each
      break;
    default:
      return 0;
  }
  if (bytes.size() < header_bytes + extra) {
    work.note(DecodeEvent::icmpv4_ipv4_truncated_packet);
    return 0;
  }
  return extra;
}

// ---- ICMPv6 (RFC 4443, 4861, 2710, 2894, 3122, 4065, 4286, 4620, 5568, 6275, 6550, …) --------

namespace icmpv6 {
constexpr uint8_t unreachable = 1, time_exceeded = 3, parameter_problem = 4, echo = 128,
                  echo_reply = 129, listener_query = 130, listener_done = 132, renumbering = 138,
                  node_information_query = 139, node_information_reply = 140,
                  experimental_mobility = 150, router_discovery_first = 151,
                  router_discovery_last = 153, routing_low_power = 155, multicast_low_power = 159;
}

bool is_icmpv6_code_known(uint8_t type, uint8_t code) noexcept {
  switch (type) {
    case icmpv6::unreachable:
      return code <= 6;
    case icmpv6::time_exceeded:
      return code <= 1;
    case icmpv6::parameter_problem:
    case icmpv6::node_information_query:
    case icmpv6::node_information_reply:
      return code <= 2;
    case icmpv6::renumbering:
      return code <= 2 || code == 255;
    case icmpv6::routing_low_power:
      return code <= 3 || (code >= 128 && code <= 132);
    case icmpv6::experimental_mobility:
    case icmpv6::router_discovery_first:
    case icmpv6::router_discovery_first + 1:
    case icmpv6::router_discovery_last:
      return true;
    default:
      return code == 0;
  }
}

bool is_icmpv6_type_known(uint8_t type) noexcept {
  return (type >= icmpv6::unreachable && type <= icmpv6::parameter_problem) ||
         (type >= icmpv6::echo && type <= icmpv6::multicast_low_power);
}

/// Source: IANA icmpv6-parameters.
DecodeEvent event_of_unknown_icmpv6_type(uint8_t type) noexcept {
  if (type == 100 || type == 101 || type == 200 || type == 201) {
    return DecodeEvent::icmpv6_experimentation_type;
  }
  const bool is_reserved = type == 0 || type == 127;
  return is_reserved ? DecodeEvent::icmpv6_unknown_type : DecodeEvent::icmpv6_unassigned_type;
}

void check_embedded_ipv6(Work& work, Bytes inner) noexcept {
  if (inner.size() < ipv6_header_bytes) {
    work.fail(DecodeEvent::icmpv6_ipv6_truncated_packet);
  } else if (inner[0] >> 4 != 6) {
    work.fail(DecodeEvent::icmpv6_ipv6_unknown_version);
  }
}

/// Suricata gives errors and echoes eight bytes of header; of the others it takes four off both
/// ends of what is left, and rules were written against that.
Bytes icmpv6_payload(Bytes bytes, bool has_long_header) noexcept {
  const size_t left = bytes.size() - header_bytes;
  if (has_long_header) {
    return bytes.subspan(header_bytes);
  }
  return left >= 4 ? bytes.subspan(4, left - 4) : Bytes{};
}

}  // namespace

void decode_icmpv4(Work& work, Bytes bytes) noexcept {
  work.count(Count::icmpv4);
  work.datagram.protocol = ip_protocol::icmp;
  if (bytes.size() < header_bytes) {
    work.fail(DecodeEvent::icmpv4_too_small);
    return;
  }
  if (!work.enter_layer()) {
    return;
  }
  const TypeRule rule = rule_of_icmpv4(bytes[0]);
  if (!rule.is_known) {
    work.note(DecodeEvent::icmpv4_unknown_type);
  } else if (bytes[1] > rule.code_max) {
    work.note(DecodeEvent::icmpv4_unknown_code);
  } else if (is_icmpv4_error(bytes[0])) {
    const bool quench_alone = bytes[0] == icmpv4::source_quench;
    if (bytes.size() > header_bytes || quench_alone) {
      decode_embedded_ipv4(work, bytes.subspan(header_bytes), bytes[0] == icmpv4::unreachable);
    }
  }
  accept(work, ip_protocol::icmp, bytes,
         bytes.subspan(header_bytes + extra_header_bytes(work, bytes)));
}

void decode_icmpv6(Work& work, Bytes bytes) noexcept {
  work.count(Count::icmpv6);
  work.datagram.protocol = ip_protocol::icmpv6;
  if (bytes.size() < header_bytes) {
    work.fail(DecodeEvent::icmpv6_too_small);
    return;
  }
  if (!work.enter_layer()) {
    return;
  }
  const uint8_t type = bytes[0];
  const bool is_error = type >= icmpv6::unreachable && type <= icmpv6::parameter_problem;
  bool has_long_header = is_error || type == icmpv6::echo || type == icmpv6::echo_reply;
  if (!is_icmpv6_type_known(type)) {
    work.note(event_of_unknown_icmpv6_type(type));
  } else if (!is_icmpv6_code_known(type, bytes[1])) {
    work.note(DecodeEvent::icmpv6_unknown_code);
    has_long_header = false;
  } else if (is_error) {
    check_embedded_ipv6(work, bytes.subspan(header_bytes));
  }
  const bool is_listener = type >= icmpv6::listener_query && type <= icmpv6::listener_done;
  if (is_listener && work.datagram.ip_header[7] != 1) {
    work.note(DecodeEvent::icmpv6_mld_message_with_invalid_hop_limit);
  }
  accept(work, ip_protocol::icmpv6, bytes, icmpv6_payload(bytes, has_long_header));
}

}  // namespace shrike::decode
