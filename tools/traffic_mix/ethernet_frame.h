#pragma once
#include <cstdint>
#include <vector>

#include "shrike/model/packet.h"

namespace shrike::traffic_mix {

/// Appends a packet's frame to `bytes` as an Ethernet frame: link headers of other kinds (raw IP,
/// loopback, Linux "cooked") become Ethernet headers with addresses of nobody.
/// @return false where Ethernet cannot stand in for the link type; nothing was appended.
bool append_as_ethernet(const Packet& packet, std::vector<uint8_t>& bytes);

}  // namespace shrike::traffic_mix
