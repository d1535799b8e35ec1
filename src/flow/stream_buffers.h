#pragma once
#include <array>
#include <cstdint>

#include "flow_counters.h"
#include "lazy_array.h"
#include "shrike/base/bytes.h"
#include "stream_memory.h"
#include "tcp_session.h"

namespace shrike::flow {

/// A run of stream bytes without a gap, in one piece of memory.
struct StreamBlock {
  uint32_t next = 0;
  uint32_t previous = 0;
  uint8_t* memory = nullptr;
  uint64_t offset = 0;  ///< of the first byte in the stream
  uint32_t begin = 0;   ///< of the first byte in the memory
  uint32_t length = 0;
  uint32_t lent_in_call = 0;  ///< chunks of this call of the tracker point into the memory
  uint8_t order = 0;

  [[nodiscard]] uint64_t end() const noexcept { return offset + length; }
  [[nodiscard]] uint8_t* data() const noexcept { return memory + begin; }
  [[nodiscard]] size_t capacity() const noexcept { return size_t{1} << order; }
};

/// What became of a segment.
enum class InsertResult : uint8_t {
  kept,
  out_of_place,  ///< all of it lies before what is kept; nothing was done
  no_segment,    ///< too many segments are kept already
  no_memory,     ///< the budget is used up
  limit,         ///< too many gaps in this stream
};

/// Keeps the bytes of all streams of one core until they are inspected: segments (who sent what,
/// for the overlap policies) and blocks (the bytes, each run in one piece). Bytes are copied out
/// of the datagram at once. Memory that chunks of a tracker call point to stays as it is until
/// the next call, whatever comes after it.
class StreamBuffers {
 public:
  static constexpr uint16_t blocks_a_stream_max = 256;
  /// Steps in search of a segment's place; beyond it, the sender is playing with us.
  static constexpr uint32_t search_steps_max = 4096;
  static constexpr size_t payload_bytes_max = 65535;

  struct Options {
    uint64_t memory_bytes_max = 0;
    bool compare_overlaps = false;  ///< tell whether overlapping bytes differ
    bool is_inline = false;         ///< the bytes that were accepted first stay
  };
  StreamBuffers(const Options& options, FlowCounters& counters);

  /// A new call of the tracker: what the last one lent is free again.
  void begin_call() noexcept;

  struct Inserted {
    InsertResult result = InsertResult::kept;
    bool overlaps_different = false;
    bool was_overlap = false;
    uint32_t new_bytes = 0;
    /// Inline only, where other bytes than those that came are kept: these, until the next insert.
    Bytes instead{};
  };
  /// Keeps a segment. REQUIRES: bytes.size() in 1 .. payload_bytes_max.
  [[nodiscard]] Inserted insert(TcpStream& stream, uint32_t sequence, Bytes bytes) noexcept;

  /// Drops what lies before `left_edge`, an offset in the stream.
  void prune(TcpStream& stream, uint64_t left_edge) noexcept;
  /// Drops all bytes and segments.
  void clear(TcpStream& stream) noexcept;

  [[nodiscard]] const StreamBlock& block(uint32_t index) const noexcept { return blocks_[index]; }
  /// The block that ends at or after `offset` and was not passed by it, or 0.
  [[nodiscard]] uint32_t find_block(const TcpStream& stream, uint64_t offset) const noexcept;
  /// How many bytes are kept before `offset`.
  [[nodiscard]] uint64_t kept_before(const TcpStream& stream, uint64_t offset) const noexcept;
  /// From now on, bytes of this block are lent out until the next call.
  void lend(uint32_t index) noexcept { blocks_[index].lent_in_call = call_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept { return memory_.used_bytes(); }

  [[nodiscard]] static uint64_t offset_of(const TcpStream& stream, uint32_t sequence) noexcept {
    return stream.base_offset + (sequence - stream.base_sequence);
  }

 private:
  struct Segment {
    uint32_t next;
    uint32_t previous;
    uint32_t sequence;
    uint32_t length;
    [[nodiscard]] uint32_t right_edge() const noexcept { return sequence + length; }
  };
  struct Lent {
    uint8_t* memory;
    uint8_t order;
  };

  // Segments.
  enum class Place : uint8_t { free, overlaps, duplicate, refused };
  [[nodiscard]] Place place(TcpStream& stream, uint32_t sequence, uint32_t length,
                            uint32_t& index) noexcept;
  void remove_segment(TcpStream& stream, uint32_t index) noexcept;
  [[nodiscard]] bool touches_neighbours(uint32_t index) const noexcept;

  // Overlaps.
  struct Overlap;
  [[nodiscard]] Inserted insert_overlapping(TcpStream& stream, uint32_t index, bool is_duplicate,
                                            Bytes bytes) noexcept;
  void settle_backwards(Overlap& overlap) noexcept;
  void settle_forwards(Overlap& overlap) noexcept;
  void settle(Overlap& overlap, const Segment& older) noexcept;

  // Blocks.
  [[nodiscard]] InsertResult write_segment(TcpStream& stream, uint32_t sequence, Bytes bytes,
                                           uint32_t& new_bytes) noexcept;
  [[nodiscard]] InsertResult write(TcpStream& stream, uint64_t offset, Bytes bytes,
                                   uint32_t& new_bytes) noexcept;
  [[nodiscard]] InsertResult add_block(TcpStream& stream, uint32_t before, uint64_t offset,
                                       Bytes bytes) noexcept;
  [[nodiscard]] InsertResult merge(TcpStream& stream, uint32_t first, uint64_t offset, Bytes bytes,
                                   uint32_t& new_bytes) noexcept;
  [[nodiscard]] bool append(StreamBlock& block, Bytes bytes) noexcept;
  [[nodiscard]] bool move_block(StreamBlock& block, size_t capacity) noexcept;
  void drop_block(TcpStream& stream, uint32_t index) noexcept;
  void give_back_memory(const StreamBlock& block) noexcept;
  void copy_kept(const TcpStream& stream, uint64_t offset, uint8_t* to,
                 size_t count) const noexcept;
  void count_dropped(TcpStream& stream, uint64_t offset, uint64_t end) noexcept;

  Options options_;
  FlowCounters& counters_;
  StreamMemory memory_;
  NodePool<Segment> segments_;
  NodePool<StreamBlock> blocks_;
  uint32_t call_ = 1;
  size_t lent_count_ = 0;
  std::array<Lent, TrackedBatch::chunks_max * 2> lent_;
  LazyArray<uint8_t> scratch_;  ///< the bytes of an overlapping segment, settled
  LazyArray<uint8_t> older_;    ///< those it is compared with
};

}  // namespace shrike::flow
