#pragma once
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/model/owner.h"
#include "shrike/model/packet.h"

namespace shrike::worker {

/// The worker that a frame belongs to by the outer addresses of its IP packet, looked up before
/// anything is decoded, so that all fragments of a datagram meet in one decoder.
/// @param otherwise  where the frame has no IP behind Ethernet and VLAN tags, or is cut off.
[[nodiscard]] uint32_t owner_of_frame(const Packet& packet, const OwnerTable& owners,
                                      uint32_t otherwise) noexcept;

}  // namespace shrike::worker
