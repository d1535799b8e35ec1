#pragma once
#include "work.h"

namespace shrike::decode {

/// Walks the headers between an IPv6 header and the transport, and hands the rest on. The IPv6
/// header is in the datagram already. Source: RFC 8200 section 4, RFC 4302.
/// @param next_header of the IPv6 header.
void decode_ipv6_extensions(Work& work, uint8_t next_header) noexcept;

/// The options of a hop-by-hop or destination options header, which only make events.
/// Source: RFC 8200 section 4.2, RFC 2711, RFC 2675, RFC 6275.
/// @param options what follows next header and length, to the end of that header.
void decode_ipv6_options(Work& work, Bytes options, bool is_hop_by_hop) noexcept;

}  // namespace shrike::decode
