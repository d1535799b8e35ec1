#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "shrike/craft.h"

namespace shrike::craft {

/// Where a captured frame holds one whole IP datagram, in bytes from the frame's begin.
struct IpFrame {
  size_t ip = 0;         ///< its header
  size_t transport = 0;  ///< what it carries
  size_t end = 0;        ///< before any padding
  bool is_ipv4 = false;
  uint8_t protocol = 0;
};

/// A whole TCP segment in such a datagram.
struct TcpFrame {
  IpFrame datagram;
  size_t payload = 0;
  uint8_t flags = 0;
  bool is_checksum_right = false;

  [[nodiscard]] size_t payload_bytes() const { return datagram.end - payload; }
};

/// @return nothing for frames cut by the capture, fragments, IPv6 with extension headers, and
/// lengths that make no sense.
[[nodiscard]] std::optional<IpFrame> find_ip(const TimedFrame& frame);
[[nodiscard]] std::optional<TcpFrame> find_tcp(const TimedFrame& frame);

/// The segment's payload bytes from `begin` to `end` as a segment of its own.
[[nodiscard]] Buffer piece_of(const TimedFrame& frame, const TcpFrame& tcp, size_t begin,
                              size_t end);

/// The IP payload bytes from `begin`, a multiple of 8, to `end` as a fragment.
[[nodiscard]] Buffer fragment_of(const TimedFrame& frame, const IpFrame& datagram, size_t begin,
                                 size_t end, uint16_t id);

}  // namespace shrike::craft
