#include <algorithm>

#include "frame_builder.h"
#include "shrike/base/check.h"

namespace shrike::craft {

std::vector<Buffer> fragment(const Frame& frame, size_t piece_bytes) {
  const FrameBuilder whole(frame);
  const size_t ip = whole.outermost_ip();
  check(ip < whole.layers(), "craft: a frame without IP cannot be fragmented");
  const size_t begin = whole.begin_of(ip + 1);
  const size_t bytes = whole.begin_of(whole.layers()) - begin;
  const size_t step = std::max<size_t>(piece_bytes & ~size_t{7}, 8);
  std::vector<Buffer> pieces;
  for (size_t offset = 0; offset < bytes || offset == 0; offset += step) {
    const size_t piece = std::min(step, bytes - offset);
    const bool more = offset + piece < bytes;
    Frame out = whole.head_of_piece(ip, offset, more);
    out.payload(Bytes(whole.bytes()).subspan(begin + offset, piece));
    pieces.push_back(out.bytes());
  }
  return pieces;
}

}  // namespace shrike::craft
