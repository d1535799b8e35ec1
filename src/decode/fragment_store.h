#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "shrike/base/bytes.h"

namespace shrike::decode {

inline constexpr uint32_t no_index = 0xffffffff;

/// A kept fragment. The pieces of one datagram hang together in order of their offset; of two
/// with the same offset the later one comes behind.
struct Piece {
  uint32_t next = no_index;
  uint32_t first_block = no_index;
  uint32_t lead_bytes = 0;    ///< kept before the data; only where offset is 0
  uint32_t ip_header_at = 0;  ///< in the lead
  uint16_t offset = 0;        ///< of its data in the datagram, bytes
  uint16_t data_bytes = 0;
  uint16_t trim = 0;  ///< leading data bytes that a later fragment took over
  bool more_fragments = false;
  uint8_t next_header = 0;  ///< IPv6

  [[nodiscard]] uint32_t end() const noexcept { return uint32_t{offset} + data_bytes; }
};

/// Pieces and their bytes, in blocks of one size so that nothing fragments but the traffic.
/// Memory: pieces_max pieces and bytes_max bytes, taken at once; pages are touched when used.
class FragmentStore {
 public:
  static constexpr size_t block_bytes = 512;

  FragmentStore(uint32_t pieces_max, uint64_t bytes_max);

  [[nodiscard]] bool has_room(size_t bytes) const noexcept {
    return pieces_used_ < pieces_max_ && blocks_of(bytes) <= blocks_max_ - blocks_used_;
  }
  /// Takes a piece that holds `lead` and `data`. REQUIRES: has_room(their sum).
  [[nodiscard]] uint32_t take(Bytes lead, Bytes data) noexcept;
  void give_back(uint32_t index) noexcept;
  /// Gives all pieces back at once.
  void reset() noexcept;

  [[nodiscard]] Piece& operator[](uint32_t index) noexcept { return pieces_[index]; }
  [[nodiscard]] const Piece& operator[](uint32_t index) const noexcept { return pieces_[index]; }

  /// Copies `count` of a piece's bytes (lead, then data), from the `from`-th on.
  void copy_out(const Piece& piece, size_t from, size_t count, uint8_t* to) const noexcept;
  /// Overwrites one byte of a piece.
  void patch(const Piece& piece, size_t at, uint8_t value) noexcept;

  [[nodiscard]] uint64_t used_bytes() const noexcept {
    return uint64_t{blocks_used_} * block_bytes + uint64_t{pieces_used_} * sizeof(Piece);
  }

 private:
  static size_t blocks_of(size_t bytes) noexcept { return (bytes + block_bytes - 1) / block_bytes; }
  void copy_in(Bytes bytes, uint32_t& block, size_t& at) noexcept;
  uint32_t take_blocks(size_t count) noexcept;
  [[nodiscard]] uint8_t* block_at(uint32_t index) const noexcept {
    return bytes_.get() + size_t{index} * block_bytes;
  }

  const uint32_t pieces_max_;
  const uint32_t blocks_max_;
  std::unique_ptr<Piece[]> pieces_;
  std::unique_ptr<uint32_t[]> next_block_;
  std::unique_ptr<uint8_t[]> bytes_;
  uint32_t free_piece_ = no_index;
  uint32_t free_block_ = no_index;
  uint32_t pieces_used_ = 0;
  uint32_t blocks_used_ = 0;
  uint32_t pieces_touched_ = 0;  ///< those beyond have never been used
  uint32_t blocks_touched_ = 0;
};

}  // namespace shrike::decode
