#include <cstring>

#include "ipv6_extensions.h"
#include "network.h"
#include "transport.h"
#include "tunnel.h"

namespace shrike::decode {
namespace {

constexpr size_t header_bytes = 40;

bool is_header_usable(Work& work, Bytes bytes) noexcept {
  if (bytes.size() < header_bytes) [[unlikely]] {
    return false;  // Suricata has an event for it, and does not raise it
  }
  if (bytes[0] >> 4 != 6) [[unlikely]] {
    return work.fail(DecodeEvent::ipv6_wrong_ip_version);
  }
  if (bytes.size() < header_bytes + load_big16(bytes.data() + 4)) [[unlikely]] {
    return work.fail(DecodeEvent::ipv6_truncated_packet);
  }
  return true;
}

/// What stands right behind the IPv6 header.
void decode_payload(Work& work, uint8_t protocol) noexcept {
  const Bytes bytes = work.datagram.ip_payload;
  work.datagram.protocol = protocol;
  switch (protocol) {
    case ip_protocol::tcp:
      return decode_tcp(work, bytes);
    case ip_protocol::udp:
      return decode_udp(work, bytes);
    case ip_protocol::icmpv6:
      return decode_icmpv6(work, bytes);
    case ip_protocol::sctp:
      return decode_sctp(work, bytes);
    case ip_protocol::gre:
      return decode_gre(work, bytes);
    case ip_protocol::ipip:
      return carry_ip_in_ipv6(work, bytes, 4);
    case ip_protocol::ipv6:
      return carry_ip_in_ipv6(work, bytes, 6);
    case ip_protocol::hop_by_hop:
    case ip_protocol::routing:
    case ip_protocol::fragment:
    case ip_protocol::esp:
    case ip_protocol::ah:
    case ip_protocol::no_next:
    case ip_protocol::destination:
    case ip_protocol::mobility:
    case ip_protocol::hip:
    case ip_protocol::shim6:
      work.datagram.protocol = 0;
      return decode_ipv6_extensions(work, protocol);
    case ip_protocol::icmp:
      work.datagram.protocol = 0;
      return work.note(DecodeEvent::ipv6_icmpv4);
    default:
      return work.note(DecodeEvent::ipv6_unknown_next_header);
  }
}

}  // namespace

void carry_ip_in_ipv6(Work& work, Bytes bytes, unsigned version) noexcept {
  const bool is_ipv4 = version == 4;
  if (bytes.size() < (is_ipv4 ? 20u : 40u)) {
    work.fail(is_ipv4 ? DecodeEvent::ipv6_ipv4_in_ipv6_too_small
                      : DecodeEvent::ipv6_ipv6_in_ipv6_too_small);
  } else if (bytes[0] >> 4 != version) {
    work.note(is_ipv4 ? DecodeEvent::ipv6_ipv4_in_ipv6_wrong_version
                      : DecodeEvent::ipv6_ipv6_in_ipv6_wrong_version);
  } else {
    work.carry(is_ipv4 ? InnerKind::ipv4 : InnerKind::ipv6, bytes, DatagramOrigin::ipv6_tunnel,
               is_ipv4 ? Count::ipv4_in_ipv6 : Count::ipv6_in_ipv6);
  }
}

bool decode_ipv6(Work& work, Bytes bytes) noexcept {
  work.count(Count::ipv6);
  if (!work.enter_layer() || !is_header_usable(work, bytes)) [[unlikely]] {
    return false;
  }
  Datagram& datagram = work.datagram;
  datagram.ip_version = 6;
  datagram.address_version = 6;
  datagram.ip_header = bytes.first(header_bytes);
  datagram.ip_payload = bytes.subspan(header_bytes, load_big16(bytes.data() + 4));
  std::memcpy(datagram.source.bytes.data(), bytes.data() + 8, 16);
  std::memcpy(datagram.target.bytes.data(), bytes.data() + 24, 16);
  decode_payload(work, bytes[6]);
  return true;
}

}  // namespace shrike::decode
