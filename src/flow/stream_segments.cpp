// Segments and their overlaps: the part of StreamBuffers that knows who sent what.
#include <algorithm>
#include <cstring>

#include "overlap_policy.h"
#include "sequence.h"
#include "stream_buffers.h"

namespace shrike::flow {
namespace {

EndOrder order_of(uint32_t edge, uint32_t other) noexcept {
  if (edge == other) {
    return EndOrder::same;
  }
  return is_before(edge, other) ? EndOrder::before : EndOrder::after;
}

}  // namespace

/// A new segment that meets older ones, while it is settled whose bytes count.
struct StreamBuffers::Overlap {
  TcpStream& stream;
  uint32_t index;  ///< its segment, or the older one that is the same
  uint32_t sequence;
  uint32_t length;
  Bytes sent;      ///< as it came
  uint8_t* bytes;  ///< what will be kept
  bool is_different = false;
  bool is_swallowed = false;  ///< an older segment reaches beyond it on both sides
  [[nodiscard]] uint32_t right_edge() const noexcept { return sequence + length; }
};

bool StreamBuffers::touches_neighbours(uint32_t index) const noexcept {
  const Segment& segment = segments_[index];
  if (segment.next != 0) {
    const Segment& next = segments_[segment.next];
    if (next.sequence == segment.sequence || is_after(segment.right_edge(), next.sequence)) {
      return true;
    }
  }
  if (segment.previous != 0) {
    const Segment& previous = segments_[segment.previous];
    return previous.sequence == segment.sequence ||
           is_after(previous.right_edge(), segment.sequence);
  }
  return false;
}

// Segments are ordered by start, then by length. The search begins at the newest bytes, where
// nearly all segments belong.
StreamBuffers::Place StreamBuffers::place(TcpStream& stream, uint32_t sequence, uint32_t length,
                                          uint32_t& index) noexcept {
  uint32_t previous = stream.last_segment;
  for (uint32_t steps = 0; previous != 0; ++steps) {
    const Segment& other = segments_[previous];
    if (other.sequence == sequence && other.length == length) {
      index = previous;
      return Place::duplicate;
    }
    if (is_before(other.sequence, sequence) ||
        (other.sequence == sequence && other.length < length)) {
      break;
    }
    if (steps == search_steps_max) {
      return Place::refused;
    }
    previous = other.previous;
  }
  index = segments_.take();
  if (index == 0) {
    return Place::refused;
  }
  const bool is_first_at_all = stream.first_segment == 0;
  const uint32_t next = previous == 0 ? stream.first_segment : segments_[previous].next;
  segments_[index] = {next, previous, sequence, length};
  (previous == 0 ? stream.first_segment : segments_[previous].next) = index;
  (next == 0 ? stream.last_segment : segments_[next].previous) = index;
  if (is_first_at_all || is_after(sequence + length, stream.right_edge)) {
    stream.right_edge = sequence + length;
  }
  return touches_neighbours(index) ? Place::overlaps : Place::free;
}

void StreamBuffers::remove_segment(TcpStream& stream, uint32_t index) noexcept {
  const Segment segment = segments_[index];
  (segment.previous == 0 ? stream.first_segment : segments_[segment.previous].next) = segment.next;
  (segment.next == 0 ? stream.last_segment : segments_[segment.next].previous) = segment.previous;
  segments_.give_back(index);
}

// Decides between the new bytes and those of one older segment, where both have some.
void StreamBuffers::settle(Overlap& overlap, const Segment& older) noexcept {
  uint32_t left = is_after(overlap.sequence, older.sequence) ? overlap.sequence : older.sequence;
  const uint32_t right = is_before(overlap.right_edge(), older.right_edge()) ? overlap.right_edge()
                                                                             : older.right_edge();
  if (is_before(left, overlap.stream.base_sequence)) {
    left = overlap.stream.base_sequence;
  }
  if (is_at_or_before(right, left)) {
    return;
  }
  const size_t count = right - left;
  const size_t at = left - overlap.sequence;
  if (at + count > overlap.length) {
    return;
  }
  copy_kept(overlap.stream, offset_of(overlap.stream, left), older_.data(), count);
  // Against the bytes as they came: an earlier decision does not make them equal.
  const bool differs = std::memcmp(overlap.sent.data() + at, older_.data(), count) != 0;
  overlap.is_different = overlap.is_different || differs;
  const bool new_wins =
      !options_.is_inline &&
      new_bytes_win(overlap.stream.policy, order_of(overlap.sequence, older.sequence),
                    order_of(overlap.right_edge(), older.right_edge()));
  if (differs && !new_wins) {
    std::memcpy(overlap.bytes + at, older_.data(), count);
  }
}

void StreamBuffers::settle_backwards(Overlap& overlap) noexcept {
  for (uint32_t i = segments_[overlap.index].previous; i != 0; i = segments_[i].previous) {
    const Segment& older = segments_[i];
    if (is_at_or_before(older.right_edge(), overlap.stream.base_sequence)) {
      continue;
    }
    if (is_at_or_before(older.right_edge(), overlap.sequence)) {
      return;
    }
    settle(overlap, older);
    overlap.is_swallowed =
        overlap.is_swallowed || is_after(older.right_edge(), overlap.right_edge());
  }
}

void StreamBuffers::settle_forwards(Overlap& overlap) noexcept {
  uint32_t i = segments_[overlap.index].next;
  while (i != 0 && is_after(overlap.right_edge(), segments_[i].sequence)) {
    const uint32_t next = segments_[i].next;
    settle(overlap, segments_[i]);
    if (is_after(overlap.right_edge(), segments_[i].right_edge())) {
      remove_segment(overlap.stream, i);
    }
    i = next;
  }
}

StreamBuffers::Inserted StreamBuffers::insert_overlapping(TcpStream& stream, uint32_t index,
                                                          bool is_duplicate, Bytes bytes) noexcept {
  const Segment segment = segments_[index];
  Overlap overlap{stream, index, segment.sequence, segment.length, bytes, scratch_.data()};
  std::memcpy(scratch_.data(), bytes.data(), bytes.size());
  if (is_duplicate) {
    settle(overlap, segment);
    // Suricata raises no event for a repeated segment of the same place and size.
    overlap.is_different = overlap.is_different && options_.is_inline;
  }
  settle_backwards(overlap);
  settle_forwards(overlap);
  Inserted inserted{.was_overlap = true};
  inserted.overlaps_different = options_.compare_overlaps && overlap.is_different;
  inserted.result =
      write_segment(stream, segment.sequence, {scratch_.data(), bytes.size()}, inserted.new_bytes);
  const bool is_kept = inserted.result == InsertResult::kept;
  if (options_.is_inline && overlap.is_different) {
    inserted.instead = {scratch_.data(), bytes.size()};
  }
  if (!is_duplicate && (!is_kept || overlap.is_swallowed)) {
    remove_segment(stream, index);
  }
  return inserted;
}

StreamBuffers::Inserted StreamBuffers::insert(TcpStream& stream, uint32_t sequence,
                                              Bytes bytes) noexcept {
  const auto length = static_cast<uint32_t>(bytes.size());
  if (is_at_or_before(sequence + length, stream.base_sequence)) {
    return {.result = InsertResult::out_of_place};
  }
  uint32_t index = 0;
  const Place where = place(stream, sequence, length, index);
  switch (where) {
    case Place::free:
      break;
    case Place::refused:
      return {.result = InsertResult::no_segment};
    case Place::overlaps:
    case Place::duplicate:
      return insert_overlapping(stream, index, where == Place::duplicate, bytes);
  }
  Inserted inserted;
  inserted.result = write_segment(stream, sequence, bytes, inserted.new_bytes);
  if (inserted.result != InsertResult::kept) [[unlikely]] {
    remove_segment(stream, index);
  }
  return inserted;
}

}  // namespace shrike::flow
