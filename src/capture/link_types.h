#pragma once
#include <cstdint>

#include "shrike/model/packet.h"

namespace shrike::capture {

/// Maps a file's LINKTYPE_ number. Source: the tcpdump group's registry,
/// www.tcpdump.org/linktypes.html.
[[nodiscard]] LinkType to_link_type(uint32_t link_number) noexcept;

/// libpcap's own number (DLT_) for a filter: the same but for raw IP, which systems number apart.
[[nodiscard]] int to_pcap_number(uint32_t link_number) noexcept;

}  // namespace shrike::capture
