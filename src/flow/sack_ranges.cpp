#include "sack_ranges.h"

#include "sequence.h"

namespace shrike::flow {

void SackRanges::insert(TcpStream& stream, uint32_t left, uint32_t right) noexcept {
  uint32_t* link = &stream.first_sack;
  while (*link != 0 && is_before(ranges_[*link].right, left)) {
    link = &ranges_[*link].next;
  }
  // Joins every range that the new one touches.
  while (*link != 0 && is_at_or_before(ranges_[*link].left, right)) {
    const uint32_t index = *link;
    const Range range = ranges_[index];
    left = is_before(range.left, left) ? range.left : left;
    right = is_after(range.right, right) ? range.right : right;
    stream.sacked_bytes -= range.right - range.left;
    *link = range.next;
    ranges_.give_back(index);
    --stream.sacks;
  }
  const uint32_t index = stream.sacks < ranges_a_stream_max ? ranges_.take() : 0;
  if (index == 0) {
    return;
  }
  ranges_[index] = {*link, left, right};
  *link = index;
  ++stream.sacks;
  stream.sacked_bytes += right - left;
}

void SackRanges::update(TcpStream& stream, Bytes blocks) noexcept {
  if (blocks.empty()) [[likely]] {
    return;
  }
  for (ByteReader reader(blocks); reader.left() >= 8;) {
    const uint32_t left = reader.big32();
    const uint32_t right = reader.big32();
    if (is_at_or_before(right, stream.last_ack) || is_after(right, stream.next_window) ||
        is_at_or_after(left, right) || is_after(left, stream.last_ack + stream.window)) {
      continue;
    }
    insert(stream, left, right);
  }
  prune(stream);
}

void SackRanges::prune(TcpStream& stream) noexcept {
  while (stream.first_sack != 0) {
    const uint32_t index = stream.first_sack;
    Range& range = ranges_[index];
    if (is_before(range.right, stream.last_ack)) {
      stream.sacked_bytes -= range.right - range.left;
      stream.first_sack = range.next;
      ranges_.give_back(index);
      --stream.sacks;
      continue;
    }
    if (is_before(range.left, stream.last_ack)) {
      stream.sacked_bytes -= stream.last_ack - range.left;
      range.left = stream.last_ack;
    }
    return;
  }
}

void SackRanges::clear(TcpStream& stream) noexcept {
  while (stream.first_sack != 0) {
    const uint32_t index = stream.first_sack;
    stream.first_sack = ranges_[index].next;
    ranges_.give_back(index);
  }
  stream.sacks = 0;
  stream.sacked_bytes = 0;
}

bool SackRanges::knows(const TcpStream& stream, Bytes blocks) const noexcept {
  for (ByteReader reader(blocks); reader.left() >= 8;) {
    const uint32_t left = reader.big32();
    const uint32_t right = reader.big32();
    uint32_t index = stream.first_sack;
    while (index != 0 && !(is_at_or_after(left, ranges_[index].left) &&
                           is_at_or_before(right, ranges_[index].right))) {
      index = ranges_[index].next;
    }
    if (index == 0) {
      return false;
    }
  }
  return !blocks.empty();
}

}  // namespace shrike::flow
