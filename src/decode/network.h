#pragma once
#include "work.h"

namespace shrike::decode {

/// IPv4 with all behind it. `bytes` may be longer than the datagram. Source: RFC 791.
bool decode_ipv4(Work& work, Bytes bytes) noexcept;

/// IPv6 with all behind it. Source: RFC 8200.
bool decode_ipv6(Work& work, Bytes bytes) noexcept;

/// The options of an IPv4 header: sets Datagram::ipv4_options and events. `bytes` starts with the
/// first option and goes on to the end of the datagram. Source: RFC 791 section 3.1.
/// @param options_bytes 4..40.
void decode_ipv4_options(Work& work, Bytes bytes, size_t options_bytes) noexcept;

/// Hands what follows an IPv4 header to its protocol's decoder, where there is one.
void decode_ipv4_payload(Work& work, Bytes bytes) noexcept;

}  // namespace shrike::decode
