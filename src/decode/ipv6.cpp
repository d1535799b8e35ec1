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
    return work.fail(DecodeEvent::ipv6_too_small);
  }
  if (bytes[0] >> 4 != 6) [[unlikely]] {
    return work.fail(DecodeEvent::ipv6_wrong_ip_version);
  }
  if (bytes.size() < header_bytes + load_big16(bytes.data() + 4)) [[unlikely]] {
    return work.fail(DecodeEvent::ipv6_truncated_packet);
  }
  return true;
}

}  // namespace

bool decode_ipv6(Work& work, Bytes bytes) noexcept {
  work.count(Count::ipv6);
  if (!work.enter_layer() || !is_header_usable(work, bytes)) [[unlikely]] {
    return false;
  }
  Datagram& datagram = work.datagram;
  datagram.ip_version = 6;
  datagram.ip_header = bytes.first(header_bytes);
  datagram.ip_payload = bytes.subspan(header_bytes, load_big16(bytes.data() + 4));
  std::memcpy(datagram.source.bytes.data(), bytes.data() + 8, 16);
  std::memcpy(datagram.target.bytes.data(), bytes.data() + 24, 16);
  switch (bytes[6]) {
    case ip_protocol::tcp:
      decode_tcp(work, datagram.ip_payload);
      return true;
    case ip_protocol::udp:
      decode_udp(work, datagram.ip_payload);
      return true;
    case ip_protocol::icmpv6:
      decode_icmpv6(work, datagram.ip_payload);
      return true;
    default:
      decode_ipv6_extensions(work, bytes[6]);
      return true;
  }
}

}  // namespace shrike::decode
