#pragma once
#include "work.h"

namespace shrike::decode {

/// IPv4 with all behind it. `bytes` may be longer than the datagram. Source: RFC 791.
bool decode_ipv4(Work& work, Bytes bytes) noexcept;

/// IPv6 with all behind it. Source: RFC 8200.
bool decode_ipv6(Work& work, Bytes bytes) noexcept;

/// An IPv4 or IPv6 datagram that an IPv6 datagram carries. Source: RFC 2473.
void carry_ip_in_ipv6(Work& work, Bytes bytes, unsigned version) noexcept;

/// The options of an IPv4 header: sets Datagram::ipv4_options and events. Source: RFC 791 3.1.
/// @return false where they overrun their space: the whole header then counts as invalid.
bool decode_ipv4_options(Work& work, Bytes options) noexcept;

/// Hands what follows an IPv4 header to its protocol's decoder, where there is one.
void decode_ipv4_payload(Work& work, Bytes bytes) noexcept;

}  // namespace shrike::decode
