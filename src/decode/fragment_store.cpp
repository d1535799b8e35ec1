#include "fragment_store.h"

#include <algorithm>
#include <cstring>

namespace shrike::decode {

FragmentStore::FragmentStore(uint32_t pieces_max, uint64_t bytes_max)
    : pieces_max_(std::max(pieces_max, 1u)),
      blocks_max_(
          static_cast<uint32_t>(std::clamp<uint64_t>(bytes_max / block_bytes, 1, no_index - 1))),
      pieces_(std::make_unique_for_overwrite<Piece[]>(pieces_max_)),
      next_block_(std::make_unique_for_overwrite<uint32_t[]>(blocks_max_)),
      bytes_(std::make_unique_for_overwrite<uint8_t[]>(size_t{blocks_max_} * block_bytes)) {}

uint32_t FragmentStore::take(Bytes lead, Bytes data) noexcept {
  uint32_t index = free_piece_;
  if (index != no_index) {
    free_piece_ = pieces_[index].next;
  } else {
    index = pieces_touched_++;
  }
  ++pieces_used_;
  Piece& piece = pieces_[index];
  piece = Piece{};
  piece.first_block = take_blocks(blocks_of(lead.size() + data.size()));
  piece.lead_bytes = static_cast<uint32_t>(lead.size());
  piece.data_bytes = static_cast<uint16_t>(data.size());
  uint32_t block = piece.first_block;
  size_t at = 0;
  copy_in(lead, block, at);
  copy_in(data, block, at);
  return index;
}

uint32_t FragmentStore::take_blocks(size_t count) noexcept {
  uint32_t first = no_index;
  for (; count > 0; --count) {
    uint32_t index = free_block_;
    if (index != no_index) {
      free_block_ = next_block_[index];
    } else {
      index = blocks_touched_++;
    }
    next_block_[index] = first;
    first = index;
    ++blocks_used_;
  }
  return first;
}

void FragmentStore::copy_in(Bytes bytes, uint32_t& block, size_t& at) noexcept {
  while (!bytes.empty()) {
    if (at == block_bytes) {
      block = next_block_[block];
      at = 0;
    }
    const size_t count = std::min(bytes.size(), block_bytes - at);
    std::memcpy(block_at(block) + at, bytes.data(), count);
    at += count;
    bytes = bytes.subspan(count);
  }
}

void FragmentStore::copy_out(const Piece& piece, size_t from, size_t count,
                             uint8_t* to) const noexcept {
  uint32_t block = piece.first_block;
  for (; from >= block_bytes && block != no_index; from -= block_bytes) {
    block = next_block_[block];
  }
  while (count > 0 && block != no_index) {
    const size_t part = std::min(count, block_bytes - from);
    std::memcpy(to, block_at(block) + from, part);
    to += part;
    count -= part;
    from = 0;
    block = next_block_[block];
  }
}

void FragmentStore::patch(const Piece& piece, size_t at, uint8_t value) noexcept {
  uint32_t block = piece.first_block;
  for (; at >= block_bytes && block != no_index; at -= block_bytes) {
    block = next_block_[block];
  }
  if (block != no_index) {
    block_at(block)[at] = value;
  }
}

void FragmentStore::give_back(uint32_t index) noexcept {
  uint32_t block = pieces_[index].first_block;
  while (block != no_index) {
    const uint32_t next = next_block_[block];
    next_block_[block] = free_block_;
    free_block_ = block;
    block = next;
    --blocks_used_;
  }
  pieces_[index].next = free_piece_;
  free_piece_ = index;
  --pieces_used_;
}

void FragmentStore::reset() noexcept {
  free_piece_ = no_index;
  free_block_ = no_index;
  pieces_used_ = blocks_used_ = pieces_touched_ = blocks_touched_ = 0;
}

}  // namespace shrike::decode
