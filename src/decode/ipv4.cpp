#include <algorithm>
#include <cstring>

#include "network.h"
#include "transport.h"
#include "tunnel.h"

namespace shrike::decode {
namespace {

constexpr size_t header_bytes_min = 20;
constexpr uint16_t more_fragments_bit = 0x2000;
constexpr uint16_t fragment_bits = 0x3fff;  // MF and offset

/// A fragment is kept for rebuilding; nothing behind its header is decoded here.
void decode_fragment(Work& work, Bytes header, Bytes data) noexcept {
  Datagram& datagram = work.datagram;
  const uint16_t field = load_big16(header.data() + 6);
  datagram.is_fragment = true;
  datagram.more_fragments = (field & more_fragments_bit) != 0;
  datagram.fragment_offset = static_cast<uint16_t>((field & 0x1fff) * 8);
  const auto lead_bytes = static_cast<size_t>(data.data() - datagram.frame.data());
  const Fragment fragment{
      .id = load_big16(header.data() + 4),
      .lead = datagram.frame.first(lead_bytes),
      .ip_header_at = static_cast<uint32_t>(lead_bytes - header.size()),
      .data = data,
  };
  work.inner = work.shared.defragmenter.insert(datagram, fragment);
}

bool is_header_usable(Work& work, Bytes bytes) noexcept {
  if (bytes.size() < header_bytes_min) [[unlikely]] {
    return work.fail(DecodeEvent::ipv4_too_small);
  }
  if (bytes[0] >> 4 != 4) [[unlikely]] {
    return work.fail(DecodeEvent::ipv4_wrong_ip_version);
  }
  const size_t header_bytes = size_t{bytes[0] & 0xfu} * 4;
  const size_t total_bytes = load_big16(bytes.data() + 2);
  if (header_bytes < header_bytes_min) [[unlikely]] {
    return work.fail(DecodeEvent::ipv4_header_length_too_small);
  }
  if (total_bytes < header_bytes) [[unlikely]] {
    return work.fail(DecodeEvent::ipv4_total_length_below_header);
  }
  if (bytes.size() < total_bytes) [[unlikely]] {
    return work.fail(DecodeEvent::ipv4_truncated_packet);
  }
  return true;
}

}  // namespace

bool decode_ipv4(Work& work, Bytes bytes) noexcept {
  work.count(Count::ipv4);
  if (!work.enter_layer() || !is_header_usable(work, bytes)) [[unlikely]] {
    return false;
  }
  const Bytes header = bytes.first(size_t{bytes[0] & 0xfu} * 4);
  const Bytes whole = bytes.first(load_big16(bytes.data() + 2));
  const Bytes data = whole.subspan(header.size());
  Datagram& datagram = work.datagram;
  datagram.address_version = 4;
  std::memcpy(datagram.source.bytes.data(), header.data() + 12, 4);
  std::memcpy(datagram.target.bytes.data(), header.data() + 16, 4);
  if (header.size() > header_bytes_min &&
      !decode_ipv4_options(work, header.subspan(header_bytes_min))) [[unlikely]] {
    return false;
  }
  datagram.ip_version = 4;
  datagram.protocol = header[9];
  datagram.ip_header = header;
  datagram.ip_payload = data;
  if ((load_big16(header.data() + 6) & fragment_bits) != 0) [[unlikely]] {
    decode_fragment(work, header, data);
    return true;
  }
  decode_ipv4_payload(work, data);
  return true;
}

void decode_ipv4_payload(Work& work, Bytes bytes) noexcept {
  switch (work.datagram.protocol) {
    case ip_protocol::tcp:
      return decode_tcp(work, bytes);
    case ip_protocol::udp:
      return decode_udp(work, bytes);
    case ip_protocol::icmp:
      return decode_icmpv4(work, bytes);
    case ip_protocol::gre:
      return decode_gre(work, bytes);
    case ip_protocol::sctp:
      return decode_sctp(work, bytes);
    case ip_protocol::esp:
      return decode_esp(work, bytes);
    case ip_protocol::ipv6:
      work.carry(InnerKind::ipv6, bytes, DatagramOrigin::ipv4_tunnel, Count::ipv6_in_ipv4);
      return;
    case ip_protocol::ipip:
      work.carry(InnerKind::ipv4, bytes, DatagramOrigin::ipv4_tunnel, Count::ipv4_in_ipv4);
      return;
    case ip_protocol::hop_by_hop:
      if (work.van_jacobson) {
        decode_tcp(work, bytes);
      }
      return;
    case ip_protocol::icmpv6:
      work.fail(DecodeEvent::ipv4_icmpv6);
      return;
    default:
      return;
  }
}

}  // namespace shrike::decode
