#include "shrike/model/checksum.h"

#include <cstring>

namespace shrike {
namespace {

/// Adds with the carry put back in: sums of any word size agree modulo 0xffff (RFC 1071 2(B)).
uint64_t add_with_carry(uint64_t sum, uint64_t word) noexcept {
  sum += word;
  return sum + static_cast<uint64_t>(sum < word);
}

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
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  uint64_t first = __builtin_bswap16(seed);
  uint64_t second = 0;  // two chains: the additions of one wait for each other
  for (; left >= 16; left -= 16, at += 16) {
    uint64_t words[2];
    std::memcpy(words, at, sizeof words);
    first = add_with_carry(first, words[0]);
    second = add_with_carry(second, words[1]);
  }
  uint64_t tail[2] = {0, 0};
  if (left != 0) {
    std::memcpy(tail, at, left);
  }
  first = add_with_carry(first, tail[0]);
  second = add_with_carry(second, tail[1]);
  return __builtin_bswap16(fold(add_with_carry(first, second)));
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
