#include "stream_buffers.h"

#include <algorithm>
#include <cstring>

#include "sequence.h"

namespace shrike::flow {
namespace {

// A segment's note costs 16 bytes; segments of less than 128 bytes in the mean are rare.
uint32_t segments_for(uint64_t memory_bytes) noexcept {
  return static_cast<uint32_t>(std::clamp<uint64_t>(memory_bytes / 128, 256, 1u << 22));
}

}  // namespace

StreamBuffers::StreamBuffers(const Options& options, FlowCounters& counters)
    : options_(options),
      counters_(counters),
      memory_(options.memory_bytes_max),
      segments_(segments_for(options.memory_bytes_max)),
      blocks_(static_cast<uint32_t>(options.memory_bytes_max >> StreamMemory::order_min) + 1),
      scratch_(payload_bytes_max),
      older_(payload_bytes_max) {}

void StreamBuffers::begin_call() noexcept {
  for (size_t i = 0; i < lent_count_; ++i) {
    memory_.give_back(lent_[i].memory, lent_[i].order);
  }
  lent_count_ = 0;
  if (++call_ == 0) {
    call_ = 1;  // 0 marks a block that was never lent; a block lent 2^32 calls ago does not matter
  }
}

void StreamBuffers::give_back_memory(const StreamBlock& block) noexcept {
  if (block.lent_in_call != call_) [[likely]] {
    memory_.give_back(block.memory, block.order);
    return;
  }
  check(lent_count_ < lent_.size(), "blocks are lent at most once a chunk");
  lent_[lent_count_++] = {block.memory, block.order};
}

// What inspection has passed was inspected, but for the bytes that came after it had.
void StreamBuffers::count_dropped(TcpStream& stream, uint64_t offset, uint64_t end) noexcept {
  const uint64_t edge = std::clamp(stream.passed_offset(), offset, end);
  const uint64_t late = std::min<uint64_t>(stream.late_bytes, edge - offset);
  stream.late_bytes -= static_cast<uint32_t>(late);
  counters_.add(FlowCounter::inspected_bytes, edge - offset - late);
  counters_.add(FlowCounter::discarded_bytes, end - edge);
}

void StreamBuffers::drop_block(TcpStream& stream, uint32_t index) noexcept {
  StreamBlock& block = blocks_[index];
  give_back_memory(block);
  (block.previous == 0 ? stream.first_block : blocks_[block.previous].next) = block.next;
  (block.next == 0 ? stream.last_block : blocks_[block.next].previous) = block.previous;
  --stream.blocks;
  blocks_.give_back(index);
}

uint32_t StreamBuffers::find_block(const TcpStream& stream, uint64_t offset) const noexcept {
  uint32_t index = stream.first_block;
  while (index != 0 && blocks_[index].end() < offset) {
    index = blocks_[index].next;
  }
  return index;
}

uint64_t StreamBuffers::kept_before(const TcpStream& stream, uint64_t offset) const noexcept {
  uint64_t kept = 0;
  for (uint32_t i = stream.first_block; i != 0 && blocks_[i].offset < offset; i = blocks_[i].next) {
    kept += std::min(blocks_[i].end(), offset) - blocks_[i].offset;
  }
  return kept;
}

// Gives the block memory of its own, of at least `capacity` bytes, with its bytes at the front.
bool StreamBuffers::move_block(StreamBlock& block, size_t capacity) noexcept {
  const uint8_t order = StreamMemory::order_of(capacity);
  uint8_t* const memory = memory_.take(order);
  if (memory == nullptr) {
    return false;
  }
  std::memcpy(memory, block.data(), block.length);
  give_back_memory(block);
  block.memory = memory;
  block.order = order;
  block.begin = 0;
  block.lent_in_call = 0;
  return true;
}

bool StreamBuffers::append(StreamBlock& block, Bytes bytes) noexcept {
  const size_t needed = block.length + bytes.size();
  if (block.begin + needed > block.capacity()) [[unlikely]] {
    const bool may_shift =
        block.lent_in_call != call_ && needed <= block.capacity() && block.begin >= block.length;
    if (may_shift) {
      std::memmove(block.memory, block.data(), block.length);
      block.begin = 0;
    } else if (!move_block(block, needed)) {
      return false;
    }
  }
  std::memcpy(block.data() + block.length, bytes.data(), bytes.size());
  block.length += static_cast<uint32_t>(bytes.size());
  return true;
}

InsertResult StreamBuffers::add_block(TcpStream& stream, uint32_t before, uint64_t offset,
                                      Bytes bytes) noexcept {
  if (stream.blocks >= blocks_a_stream_max) {
    return InsertResult::limit;
  }
  const uint8_t order = StreamMemory::order_of(bytes.size());
  uint8_t* const memory = memory_.take(order);
  if (memory == nullptr) {
    return InsertResult::no_memory;
  }
  const uint32_t index = blocks_.take();
  check(index != 0, "there is a block for all memory");
  StreamBlock& block = blocks_[index];
  block.memory = memory;
  block.order = order;
  block.offset = offset;
  block.length = static_cast<uint32_t>(bytes.size());
  std::memcpy(memory, bytes.data(), bytes.size());
  block.next = before;
  block.previous = before == 0 ? stream.last_block : blocks_[before].previous;
  (block.previous == 0 ? stream.first_block : blocks_[block.previous].next) = index;
  (before == 0 ? stream.last_block : blocks_[before].previous) = index;
  ++stream.blocks;
  return InsertResult::kept;
}

// The new bytes touch `first`, and perhaps the blocks behind it: all become one.
InsertResult StreamBuffers::merge(TcpStream& stream, uint32_t first, uint64_t offset, Bytes bytes,
                                  uint32_t& new_bytes) noexcept {
  const uint64_t end = offset + bytes.size();
  StreamBlock& block = blocks_[first];
  const bool stands_alone = block.next == 0 || blocks_[block.next].offset > end;
  if (stands_alone && offset >= block.offset) {
    const auto over = static_cast<size_t>(std::min(block.end(), end) - offset);
    if (over > 0 && block.lent_in_call == call_ && !move_block(block, block.length)) {
      return InsertResult::no_memory;
    }
    std::memcpy(block.data() + (offset - block.offset), bytes.data(), over);
    const Bytes rest = bytes.subspan(over);
    new_bytes += static_cast<uint32_t>(rest.size());
    return rest.empty() || append(block, rest) ? InsertResult::kept : InsertResult::no_memory;
  }
  const uint64_t union_offset = std::min(offset, block.offset);
  uint64_t union_end = std::max(end, block.end());
  uint64_t there = block.length;
  for (uint32_t i = block.next; i != 0 && blocks_[i].offset <= end; i = blocks_[i].next) {
    union_end = std::max(union_end, blocks_[i].end());
    there += blocks_[i].length;
  }
  const uint8_t order = StreamMemory::order_of(union_end - union_offset);
  uint8_t* const memory = memory_.take(order);
  if (memory == nullptr) {
    return InsertResult::no_memory;
  }
  std::memcpy(memory + (block.offset - union_offset), block.data(), block.length);
  for (uint32_t i = block.next; i != 0 && blocks_[i].offset <= end; i = block.next) {
    std::memcpy(memory + (blocks_[i].offset - union_offset), blocks_[i].data(), blocks_[i].length);
    drop_block(stream, i);
  }
  std::memcpy(memory + (offset - union_offset), bytes.data(), bytes.size());
  give_back_memory(block);
  block.memory = memory;
  block.order = order;
  block.begin = 0;
  block.lent_in_call = 0;
  block.offset = union_offset;
  block.length = static_cast<uint32_t>(union_end - union_offset);
  new_bytes += static_cast<uint32_t>(block.length - there);
  return InsertResult::kept;
}

InsertResult StreamBuffers::write(TcpStream& stream, uint64_t offset, Bytes bytes,
                                  uint32_t& new_bytes) noexcept {
  const uint32_t last = stream.last_block;
  if (last != 0 && blocks_[last].end() == offset) [[likely]] {
    new_bytes += static_cast<uint32_t>(bytes.size());
    return append(blocks_[last], bytes) ? InsertResult::kept : InsertResult::no_memory;
  }
  const bool is_behind_all = last == 0 || blocks_[last].end() < offset;
  const uint32_t first = is_behind_all ? 0 : find_block(stream, offset);
  if (first == 0 || blocks_[first].offset > offset + bytes.size()) {
    new_bytes += static_cast<uint32_t>(bytes.size());
    return add_block(stream, first, offset, bytes);
  }
  return merge(stream, first, offset, bytes, new_bytes);
}

InsertResult StreamBuffers::write_segment(TcpStream& stream, uint32_t sequence, Bytes bytes,
                                          uint32_t& new_bytes) noexcept {
  uint64_t offset = stream.base_offset;
  if (is_at_or_after(sequence, stream.base_sequence)) [[likely]] {
    offset += sequence - stream.base_sequence;
  } else {
    const size_t passed = stream.base_sequence - sequence;
    if (passed >= bytes.size()) {
      return InsertResult::kept;
    }
    bytes = bytes.subspan(passed);
  }
  uint32_t fresh = 0;
  const InsertResult result = write(stream, offset, bytes, fresh);
  if (result == InsertResult::kept) {
    new_bytes = fresh;
  }
  return result;
}

void StreamBuffers::copy_kept(const TcpStream& stream, uint64_t offset, uint8_t* to,
                              size_t count) const noexcept {
  const uint64_t end = offset + count;
  for (uint32_t i = find_block(stream, offset); i != 0 && blocks_[i].offset < end;
       i = blocks_[i].next) {
    const StreamBlock& block = blocks_[i];
    const uint64_t from = std::max(offset, block.offset);
    const uint64_t until = std::min(end, block.end());
    if (from < until) {
      std::memcpy(to + (from - offset), block.data() + (from - block.offset), until - from);
    }
  }
}

void StreamBuffers::prune(TcpStream& stream, uint64_t left_edge) noexcept {
  if (left_edge <= stream.base_offset) {
    return;
  }
  stream.base_sequence += static_cast<uint32_t>(left_edge - stream.base_offset);
  stream.base_offset = left_edge;
  stream.raw_progress = std::max(stream.raw_progress, left_edge);
  while (stream.first_block != 0) {
    StreamBlock& block = blocks_[stream.first_block];
    if (block.offset >= left_edge) {
      break;
    }
    if (block.end() > left_edge) {
      const auto passed = static_cast<uint32_t>(left_edge - block.offset);
      count_dropped(stream, block.offset, left_edge);
      block.offset = left_edge;
      block.begin += passed;
      block.length -= passed;
      break;
    }
    count_dropped(stream, block.offset, block.end());
    drop_block(stream, stream.first_block);
  }
  while (stream.first_segment != 0 &&
         is_at_or_before(segments_[stream.first_segment].right_edge(), stream.base_sequence)) {
    remove_segment(stream, stream.first_segment);
  }
}

void StreamBuffers::clear(TcpStream& stream) noexcept {
  while (stream.first_block != 0) {
    const StreamBlock& block = blocks_[stream.first_block];
    count_dropped(stream, block.offset, block.end());
    drop_block(stream, stream.first_block);
  }
  while (stream.first_segment != 0) {
    remove_segment(stream, stream.first_segment);
  }
}

}  // namespace shrike::flow
