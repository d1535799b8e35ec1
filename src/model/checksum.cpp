#include "shrike/model/checksum.h"

#include <cstring>

namespace shrike {
namespace {

uint16_t fold(uint64_t sum) noexcept {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>(sum);
}

/// Bytes of the transport that its checksum covers.
Bytes covered_bytes(const Datagram& datagram) noexcept {
  const Bytes header = datagram.transport_header;
  if (datagram.protocol == ip_protocol::icmp || datagram.protocol == ip_protocol::icmpv6) {
    const uint8_t* const end = datagram.ip_payload.data() + datagram.ip_payload.size();
    return {header.data(), static_cast<size_t>(end - header.data())};
  }
  return {header.data(), header.size() + datagram.payload.size()};
}

uint16_t pseudo_header_sum(const Datagram& datagram, size_t covered) noexcept {
  const size_t address_bytes = datagram.ip_version == 4 ? 4 : 16;
  uint16_t sum = internet_sum({datagram.source.bytes.data(), address_bytes});
  sum = internet_sum({datagram.target.bytes.data(), address_bytes}, sum);
  const uint8_t rest[] = {0, datagram.protocol, static_cast<uint8_t>(covered >> 8),
                          static_cast<uint8_t>(covered)};
  return internet_sum(rest, sum);
}

}  // namespace

uint16_t internet_sum(Bytes bytes, uint16_t seed) noexcept {
  // Sums of words of any size agree modulo 0xffff, in either byte order (RFC 1071 section 2). Sums
  // of 32-bit words do not overflow 64 bits, so no carry has to be put back in.
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  uint64_t even = __builtin_bswap16(seed);
  uint64_t odd = 0;
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    even += word & 0xffffffff;
    odd += word >> 32;
  }
  uint64_t tail = 0;
  if (left != 0) {
    std::memcpy(&tail, at, left);
  }
  even += (tail & 0xffffffff) + (tail >> 32);
  return __builtin_bswap16(fold(even + odd));
}

bool ip_checksum_holds(const Datagram& datagram) noexcept {
  return datagram.ip_version == 4 && internet_sum(datagram.ip_header) == 0xffff;
}

bool transport_checksum_holds(const Datagram& datagram) noexcept {
  if (!datagram.has_transport) {
    return false;
  }
  const Bytes covered = covered_bytes(datagram);
  switch (datagram.protocol) {
    case ip_protocol::tcp:
    case ip_protocol::udp:
    case ip_protocol::icmpv6:
      return internet_sum(covered, pseudo_header_sum(datagram, covered.size())) == 0xffff;
    case ip_protocol::icmp:
      return internet_sum(covered) == 0xffff;
    default:
      return false;
  }
}

}  // namespace shrike
