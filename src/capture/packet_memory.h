#pragma once
#include <cstddef>

struct rte_mempool;

namespace shrike::capture {

/// The process's pool of mbufs; null before start_packet_memory().
[[nodiscard]] rte_mempool* packet_pool() noexcept;

/// Bytes of frames that are too long for one mbuf of the pool, over all that are held at once.
inline constexpr size_t long_frame_bytes_max = size_t{16} << 20;

}  // namespace shrike::capture
