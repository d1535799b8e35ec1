#include "header_numbers.h"

#include <optional>

#include "shrike/model/checksum.h"

namespace shrike::detect {

namespace {

constexpr size_t ipv4_bytes_min = 20;
constexpr size_t ipv6_bytes = 40;
constexpr size_t tcp_bytes_min = 20;
constexpr size_t icmp_bytes_min = 8;
constexpr uint64_t nanoseconds_per_second = 1'000'000'000;

bool has_ip(const Datagram& datagram, unsigned version, size_t bytes) noexcept {
  return datagram.ip_version == version && datagram.ip_header.size() >= bytes;
}

std::optional<uint64_t> ttl_of(const Datagram& datagram) noexcept {
  if (has_ip(datagram, 4, ipv4_bytes_min)) {
    return datagram.ip_header[8];
  }
  if (has_ip(datagram, 6, ipv6_bytes)) {
    return datagram.ip_header[7];
  }
  return std::nullopt;
}

bool is_tcp(const Datagram& datagram) noexcept {
  return datagram.protocol == ip_protocol::tcp && datagram.has_transport &&
         datagram.transport_header.size() >= tcp_bytes_min;
}

bool is_icmp(const Datagram& datagram, uint8_t protocol) noexcept {
  return datagram.protocol == protocol && datagram.has_transport &&
         datagram.transport_header.size() >= icmp_bytes_min;
}

/// Do messages of this type carry an identifier and a sequence number?
/// Source: RFC 792, RFC 950, RFC 4443 section 4.
bool has_identifier(const Datagram& datagram) noexcept {
  if (is_icmp(datagram, ip_protocol::icmp)) {
    switch (datagram.icmp_type) {
      case 0:   // echo reply
      case 8:   // echo request
      case 13:  // timestamp, and its reply
      case 14:
      case 15:  // information request, and its reply
      case 16:
      case 17:  // address mask request, and its reply
      case 18:
        return true;
      default:
        return false;
    }
  }
  constexpr uint8_t echo_request = 128;
  constexpr uint8_t echo_reply = 129;
  return is_icmp(datagram, ip_protocol::icmpv6) &&
         (datagram.icmp_type == echo_request || datagram.icmp_type == echo_reply);
}

std::optional<uint64_t> icmp_number(const Datagram& datagram, PacketOpcode what) noexcept {
  const bool is_any =
      is_icmp(datagram, ip_protocol::icmp) || is_icmp(datagram, ip_protocol::icmpv6);
  if (!is_any) {
    return std::nullopt;
  }
  const uint8_t* const header = datagram.transport_header.data();
  constexpr uint8_t packet_too_big = 2;
  switch (what) {
    case PacketOpcode::icmp_type:
      return datagram.icmp_type;
    case PacketOpcode::icmp_code:
      return datagram.icmp_code;
    case PacketOpcode::icmp_id:
      return has_identifier(datagram) ? std::optional<uint64_t>(load_big16(header + 4))
                                      : std::nullopt;
    case PacketOpcode::icmp_sequence:
      return has_identifier(datagram) ? std::optional<uint64_t>(load_big16(header + 6))
                                      : std::nullopt;
    default:
      return datagram.protocol == ip_protocol::icmpv6 && datagram.icmp_type == packet_too_big
                 ? std::optional<uint64_t>(load_big32(header + 4))
                 : std::nullopt;
  }
}

std::optional<uint64_t> tcp_number(const Datagram& datagram, PacketOpcode what) noexcept {
  if (!is_tcp(datagram)) {
    return std::nullopt;
  }
  const uint8_t* const header = datagram.transport_header.data();
  switch (what) {
    case PacketOpcode::tcp_sequence:
      return load_big32(header + 4);
    case PacketOpcode::tcp_acknowledgement:
      return load_big32(header + 8);
    case PacketOpcode::tcp_window:
      return load_big16(header + 14);
    case PacketOpcode::tcp_mss:
      return datagram.tcp.has(tcp_option::mss) ? std::optional<uint64_t>(datagram.tcp.mss)
                                               : std::nullopt;
    default:
      return datagram.tcp.has(tcp_option::window_scale)
                 ? std::optional<uint64_t>(datagram.tcp.window_scale)
                 : std::nullopt;
  }
}

std::optional<uint64_t> ip_number(const Datagram& datagram, PacketOpcode what) noexcept {
  switch (what) {
    case PacketOpcode::ttl:
      return ttl_of(datagram);
    case PacketOpcode::tos:
      return has_ip(datagram, 4, ipv4_bytes_min) ? std::optional<uint64_t>(datagram.ip_header[1])
                                                 : std::nullopt;
    case PacketOpcode::ip_id:
      return has_ip(datagram, 4, ipv4_bytes_min)
                 ? std::optional<uint64_t>(load_big16(datagram.ip_header.data() + 4))
                 : std::nullopt;
    default:
      break;
  }
  // Fragment offset: IPv4's in units of eight bytes as it stands there, IPv6's in bytes.
  if (has_ip(datagram, 4, ipv4_bytes_min)) {
    return load_big16(datagram.ip_header.data() + 6) & 0x1fff;
  }
  if (datagram.ip_version == 6 && (datagram.ipv6_extensions & ipv6_extension::fragment) != 0) {
    return datagram.fragment_offset;
  }
  return std::nullopt;
}

std::optional<uint64_t> flow_number(const FlowView& flow, PacketOpcode what) noexcept {
  constexpr auto to_server = static_cast<size_t>(Direction::to_server);
  constexpr auto to_client = static_cast<size_t>(Direction::to_client);
  if (!flow.id.exists()) {
    return std::nullopt;
  }
  switch (what) {
    case PacketOpcode::flow_age_seconds:
      return flow.last_ns / nanoseconds_per_second - flow.start_ns / nanoseconds_per_second;
    case PacketOpcode::flow_packets_to_server:
      return flow.packets[to_server];
    case PacketOpcode::flow_packets_to_client:
      return flow.packets[to_client];
    case PacketOpcode::flow_bytes_to_server:
      return flow.bytes[to_server];
    default:
      return flow.bytes[to_client];
  }
}

std::optional<uint64_t> number_of(const Subject& subject, PacketOpcode what) noexcept {
  const Datagram& datagram = *subject.datagram;
  if (what <= PacketOpcode::fragment_offset) {
    return ip_number(datagram, what);
  }
  if (what == PacketOpcode::payload_bytes) {
    return datagram.payload.size();
  }
  if (what <= PacketOpcode::icmpv6_mtu) {
    return icmp_number(datagram, what);
  }
  if (what <= PacketOpcode::tcp_wscale) {
    return tcp_number(datagram, what);
  }
  if (what == PacketOpcode::vlan_layers) {
    return datagram.vlan_count;
  }
  return flow_number(subject.tracked->flow, what);
}

}  // namespace

bool number_matches(const Subject& subject, const PacketInstruction& check) noexcept {
  const auto compare = [&](PacketOpcode what) {
    const std::optional<uint64_t> number = number_of(subject, what);
    return number && compares(check.compare, *number, check.first, check.second);
  };
  if (check.opcode == PacketOpcode::flow_packets_either) {
    return compare(PacketOpcode::flow_packets_to_server) ||
           compare(PacketOpcode::flow_packets_to_client);
  }
  if (check.opcode == PacketOpcode::flow_bytes_either) {
    return compare(PacketOpcode::flow_bytes_to_server) ||
           compare(PacketOpcode::flow_bytes_to_client);
  }
  return compare(check.opcode);
}

uint32_t fragment_bits_of(const Datagram& datagram) noexcept {
  if (!has_ip(datagram, 4, ipv4_bytes_min)) {
    return 0;
  }
  const uint8_t flags = datagram.ip_header[6];
  return ((flags & 0x20) != 0 ? 1u : 0u) | ((flags & 0x40) != 0 ? 2u : 0u) |
         ((flags & 0x80) != 0 ? 4u : 0u);
}

bool checksum_matches(const Datagram& datagram, ChecksumKind kind, bool must_be_valid) noexcept {
  const auto transport = [&](unsigned version, uint8_t protocol) {
    return datagram.ip_version == version && datagram.protocol == protocol &&
           datagram.has_transport && transport_checksum_holds(datagram) == must_be_valid;
  };
  switch (kind) {
    case ChecksumKind::ipv4:
      return datagram.ip_version == 4 && ip_checksum_holds(datagram) == must_be_valid;
    case ChecksumKind::tcpv4:
      return transport(4, ip_protocol::tcp);
    case ChecksumKind::tcpv6:
      return transport(6, ip_protocol::tcp);
    case ChecksumKind::udpv4: {
      // Zero means that the sender gave none (RFC 768): then nothing is said either way.
      const bool has_none = datagram.transport_header.size() >= 8 &&
                            load_big16(datagram.transport_header.data() + 6) == 0;
      return !has_none && transport(4, ip_protocol::udp);
    }
    case ChecksumKind::udpv6:
      return transport(6, ip_protocol::udp);
    case ChecksumKind::icmpv4:
      return transport(4, ip_protocol::icmp);
    case ChecksumKind::icmpv6:
      return transport(6, ip_protocol::icmpv6);
  }
  return false;
}

}  // namespace shrike::detect
