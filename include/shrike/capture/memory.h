#pragma once
#include <cstdint>

#include "shrike/capture.h"

namespace shrike::capture {

/// Bytes that start_packet_memory wants of huge pages, or else of ordinary memory: EAL's own, the
/// packets of files, and with `extra_bytes` those of ports.
[[nodiscard]] uint64_t memory_bytes_for(const PacketMemoryOptions& options) noexcept;

}  // namespace shrike::capture
