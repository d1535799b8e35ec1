#pragma once
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/model/datagram.h"

namespace shrike {

/// Ones' complement sum of 16-bit big-endian words, folded, not inverted; an odd last byte counts
/// as the high half of a word. 0xffff over bytes that hold their own right checksum (RFC 1071).
/// @param seed what was summed before, in the same form.
[[nodiscard]] uint16_t internet_sum(Bytes bytes, uint16_t seed = 0) noexcept;

/// Whether the IPv4 header's checksum is right. False where there is no IPv4 header.
[[nodiscard]] bool ip_checksum_holds(const Datagram& datagram) noexcept;

/// Whether the checksum of TCP, UDP, ICMPv4 or ICMPv6 is right (RFC 9293 section 3.1, RFC 768,
/// RFC 792, RFC 4443 section 2.3). False without such a header. What a UDP checksum of 0 means is
/// left to the caller: the sum is then usually wrong.
[[nodiscard]] bool transport_checksum_holds(const Datagram& datagram) noexcept;

}  // namespace shrike
