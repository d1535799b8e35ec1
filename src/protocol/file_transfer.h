#pragma once
#include "app_transaction.h"

namespace shrike::protocol {

/// A file that comes in chunks with offsets, perhaps out of order: SMB and NFS. Chunks are given
/// piece by piece as they arrive; those ahead of their turn are kept, bounded.
class FileTransfer {
 public:
  struct Limits {
    uint64_t queued_bytes_max = 64u << 20;  ///< Suricata: max-read-queue-size
    size_t queued_chunks_max = 64;          ///< Suricata: max-read-queue-cnt
  };

  FileTransfer(AppTransaction& transaction, Direction direction, Bytes name) noexcept;

  enum class Start : uint8_t { taken, overlaps, queue_bytes_exceeded, queue_chunks_exceeded };
  /// A chunk begins. `overlaps`: it is taken, but begins before what came already, and only what
  /// is beyond that counts; the others are not taken. `fill_bytes` follow the chunk and do not
  /// belong to it.
  Start begin_chunk(uint64_t offset, uint64_t bytes, uint8_t fill_bytes, const Limits& limits);
  /// More of the chunk that began last.
  void append(Bytes bytes);
  /// Bytes of the chunk that were lost.
  void skip(uint64_t bytes);
  /// The last chunk was whole: nothing follows.
  void close();
  /// What is missing will not come any more.
  void truncate();

  [[nodiscard]] uint64_t chunk_left() const noexcept { return chunk_left_; }
  [[nodiscard]] uint8_t fill_left() const noexcept { return fill_left_; }
  void take_fill(uint8_t bytes) noexcept { fill_left_ = static_cast<uint8_t>(fill_left_ - bytes); }
  [[nodiscard]] uint64_t tracked_bytes() const noexcept { return tracked_bytes_; }
  [[nodiscard]] uint64_t queued_bytes() const noexcept { return queued_bytes_; }
  [[nodiscard]] bool is_open() const noexcept { return !is_closed_; }
  [[nodiscard]] Direction direction() const noexcept { return direction_; }
  [[nodiscard]] Bytes name() const noexcept { return name_; }

 private:
  /// A chunk ahead of its turn.
  struct Queued {
    uint64_t offset;
    PoolBytes bytes;
  };
  void write(Bytes bytes);
  [[nodiscard]] uint64_t take_known(uint64_t bytes) noexcept;
  void finish_chunk();
  void write_queued();
  [[nodiscard]] Queued* find_queued(uint64_t offset) noexcept;

  AppTransaction& transaction_;
  Direction direction_;
  Bytes name_;
  File* file_ = nullptr;
  PoolVector<Queued> queue_;
  uint64_t tracked_bytes_ = 0;  ///< in order so far
  uint64_t queued_bytes_ = 0;
  uint64_t chunk_left_ = 0;
  uint64_t chunk_offset_ = 0;
  uint64_t known_left_ = 0;  ///< of the chunk at hand: bytes that came before already
  uint8_t fill_left_ = 0;
  bool is_ahead_ = false;  ///< the chunk at hand is queued
  bool is_truncated_ = false;
  bool is_closed_ = false;
};

}  // namespace shrike::protocol
