#pragma once
#include "work.h"

namespace shrike::decode {

/// GRE versions 0 and 1 (RFC 1701, 2784, 2890, 2637), and what they carry.
void decode_gre(Work& work, Bytes bytes) noexcept;

/// Looks for the tunnels that live in UDP: by port, then by form. Teredo (RFC 4380), Geneve
/// (RFC 8926), VXLAN (RFC 7348), in this order.
void decode_udp_tunnels(Work& work) noexcept;

/// The same, once what looked like Teredo has turned out not to be.
void decode_udp_tunnels_after_teredo(Work& work) noexcept;

/// Starts the decoding of an inner datagram. @return false where it is none.
[[nodiscard]] bool decode_inner(Work& work, InnerKind kind, Bytes bytes) noexcept;

}  // namespace shrike::decode
