// Hands stream bytes to inspection: acknowledged ones, with a packet of their own direction, as
// soon as there are enough of them. Inline, the bytes around the packet.
#include <algorithm>

#include "tcp_tracker.h"

namespace shrike::flow {

uint64_t TcpTracker::acked_offset(const TcpStream& stream) noexcept {
  const auto ahead = static_cast<int32_t>(stream.last_ack - stream.base_sequence);
  return stream.base_offset + (ahead > 0 ? static_cast<uint32_t>(ahead) : 0);
}

// Whether inspection is to run now. Source: Suricata's StreamTcpReassembleRawCheckLimit.
bool TcpTracker::is_enough(const TcpSession& session, const TcpPacket& packet) const noexcept {
  constexpr uint16_t flush =
      stream_flag::depth_reached | stream_flag::trigger_raw | stream_flag::new_raw_disabled;
  const TcpStream& stream = sender_of(session, packet);
  if ((stream.flags & flush) != 0 || session.state > TcpState::time_wait || packet.is_stream_end) {
    return true;
  }
  const uint64_t acked = acked_offset(stream);
  const uint32_t chunk_bytes = options_.chunk_bytes[static_cast<size_t>(packet.direction)];
  return acked >= stream.raw_progress && acked - stream.raw_progress >= chunk_bytes;
}

bool TcpTracker::is_ready(const TcpSession& session, const TcpPacket& packet) const noexcept {
  constexpr uint16_t disabled = stream_flag::no_reassembly | stream_flag::raw_disabled;
  const TcpStream& stream = sender_of(session, packet);
  if (stream.first_segment == 0 || (stream.flags & disabled) != 0) {
    return false;
  }
  if (options_.is_inline && !packet.is_stream_end) {
    return packet.length > 0 && packet.stream_added;
  }
  return stream.raw_progress != StreamBuffers::offset_of(stream, stream.right_edge) &&
         is_enough(session, packet);
}

void TcpTracker::lend(TcpStream& stream, uint32_t block, const Chunk& chunk, TrackedBatch& out,
                      Tracked& tracked) noexcept {
  if (out.chunk_room() == 0) {
    return;
  }
  out.push_chunk(tracked, chunk);
  if (block == 0) {
    return;  // the packet's own bytes
  }
  buffers_.lend(block);
  stream.inspected_offset =
      std::max<uint64_t>(stream.inspected_offset, chunk.offset + chunk.bytes.size());
}

// One chunk a run of bytes. Behind a gap the progress moves only to where the bytes begin, so
// that they are inspected once more with what follows them. Source: StreamReassembleRawDo.
uint64_t TcpTracker::lend_acked(TcpStream& stream, bool is_end, TrackedBatch& out,
                                Tracked& tracked) noexcept {
  const uint64_t acked = acked_offset(stream);
  uint64_t progress = stream.raw_progress;
  uint32_t index = buffers_.find_block(stream, progress);
  while (index != 0) {
    const StreamBlock& block = buffers_.block(index);
    const uint64_t from = std::max(block.offset, progress);
    uint64_t length = block.end() - from;
    if (!is_end) {
      if (acked < progress) {
        break;
      }
      length = std::min(length, acked - progress);
    }
    if (length == 0) {
      break;
    }
    const Chunk chunk{.bytes = {block.data() + (from - block.offset), length},
                      .offset = from,
                      .after_gap = from > progress};
    const uint32_t next = block.next;
    lend(stream, index, chunk, out, tracked);
    if (from == progress) {
      progress += length;
    } else if (from < acked) {
      progress = from;
    }
    index = next;
  }
  return progress;
}

namespace {

/// The part of a run of bytes to inspect around a packet: the packet, and of what lies before
/// and behind it as much as fits, evenly where both sides have more than enough.
struct Window {
  uint64_t skip = 0;
  uint64_t length = 0;
};
Window window_around(uint64_t before, uint64_t packet, uint64_t after, uint64_t wanted) noexcept {
  if (before + packet + after <= wanted) {
    return {0, before + packet + after};
  }
  const uint64_t room = wanted - packet;
  uint64_t keep_before = before;
  uint64_t keep_after = after;
  if (after == 0) {
    keep_before = room;
  } else if (before == 0) {
    keep_after = room;
  } else if (after >= room / 2) {
    keep_before = std::min(before, room / 2);
    keep_after = before >= room / 2 ? room / 2 : room - before;
  } else {
    keep_before = room - after;
  }
  return {before - keep_before, keep_before + packet + keep_after};
}

}  // namespace

// Source: StreamReassembleRawInline.
uint64_t TcpTracker::lend_around(TcpStream& stream, const TcpPacket& packet, TrackedBatch& out,
                                 Tracked& tracked) noexcept {
  uint64_t wanted = options_.chunk_bytes[static_cast<size_t>(packet.direction)];
  if (wanted / 3 * 2 < packet.length) {
    wanted = packet.length + wanted / 3;
  }
  const uint32_t sequence =
      packet.sequence + (packet.has_fast_open && packet.has(tcp_flag::syn) ? 1 : 0);
  const uint64_t left = StreamBuffers::offset_of(stream, sequence);
  const uint64_t right = left + packet.length;
  uint32_t index = buffers_.find_block(stream, left);
  if (index != 0 && buffers_.block(index).end() == left) {
    index = buffers_.block(index).next;
  }
  const bool is_whole = stream.blocks <= 1;
  Chunk chunk{.bytes = packet.payload, .offset = left};
  if (index != 0 && buffers_.block(index).offset <= left && right <= buffers_.block(index).end()) {
    const StreamBlock& block = buffers_.block(index);
    const Window window =
        window_around(left - block.offset, packet.length, block.end() - right, wanted);
    chunk.bytes = {block.data() + window.skip, window.length};
    chunk.offset = block.offset + window.skip;
  } else {
    index = 0;  // it could not be kept: the packet stands for itself
  }
  lend(stream, index, chunk, out, tracked);
  const uint64_t end = chunk.offset + chunk.bytes.size();
  if (is_whole) {
    return end;
  }
  const uint64_t acked = acked_offset(stream);
  if (stream.raw_progress >= acked) {
    return stream.raw_progress;
  }
  return chunk.offset > acked ? acked : end;
}

void TcpTracker::progress_raw(const TcpSession& session, TcpStream& stream,
                              uint64_t progress) noexcept {
  constexpr auto no_trigger = static_cast<uint16_t>(~stream_flag::trigger_raw);
  if (progress > stream.raw_progress) {
    stream.raw_progress = progress;
    stream.flags &= no_trigger;
  } else if (progress == 0) {
    const uint64_t target =
        session.has(session_flag::app_disabled) ? acked_offset(stream) : stream.app_progress;
    stream.raw_progress = std::max(stream.raw_progress, target);
    stream.flags &= no_trigger;
  }
  if ((stream.flags & stream_flag::new_raw_disabled) != 0) {
    stream.flags |= stream_flag::raw_disabled;
  }
}

void TcpTracker::inspect(TcpSession& session, const TcpPacket& packet, TrackedBatch& out,
                         Tracked& tracked) noexcept {
  TcpStream& stream = sender_of(session, packet);
  if (packet.tcp_established && is_ready(session, packet)) {
    const bool is_around = options_.is_inline && !packet.is_stream_end;
    const uint64_t progress = is_around ? lend_around(stream, packet, out, tracked)
                                        : lend_acked(stream, packet.is_stream_end, out, tracked);
    progress_raw(session, stream, progress);
  }
  prune(session, packet.direction);
}

// What is kept: all that is not inspected, acknowledged and parsed, and where overlaps are compared
// or the packet is inspected with its surroundings, some bytes before it.
void TcpTracker::prune(TcpSession& session, Direction direction) noexcept {
  TcpStream& stream = session.streams[static_cast<size_t>(direction)];
  if ((stream.flags & stream_flag::no_reassembly) != 0) {
    return;
  }
  const bool is_done =
      session.has(session_flag::app_disabled) && (stream.flags & stream_flag::raw_disabled) != 0;
  if ((stream.flags & stream_flag::depth_reached) != 0 || is_done) {
    stream.flags |= stream_flag::no_reassembly;
    buffers_.clear(stream);
    return;
  }
  if (stream.first_block == 0 && stream.raw_progress == stream.base_offset) {
    return;
  }
  uint64_t left_edge = std::min(stream.raw_progress, acked_offset(stream));
  if (options_.feeds_parsers && !session.has(session_flag::app_disabled)) {
    left_edge = std::min(left_edge, stream.app_progress);
  }
  uint64_t margin = 0;
  if (options_.is_inline) {
    margin = options_.chunk_bytes[static_cast<size_t>(direction)];
  } else if (options_.compare_overlaps) {
    margin = stream.window != 0 ? stream.window : 4096;
  }
  left_edge = left_edge > margin ? left_edge - margin : 0;
  buffers_.prune(stream, left_edge);
}

// What the end of a session still has to inspect. Source: StreamNeedsReassembly, whose right edge
// of a side that began but sent nothing is far ahead of it; and FlowNeedsReassembly: while a
// session is not fully closed, both directions get a last look.
bool TcpTracker::needs_last_look(const TcpSession& session, Direction direction) const noexcept {
  if (is_at_least(session.state, TcpState::established) && session.state != TcpState::closed) {
    return true;
  }
  const TcpStream& stream = session.streams[static_cast<size_t>(direction)];
  const uint64_t right_edge = stream.base_offset + stream.right_edge - stream.base_sequence;
  const bool is_fed = options_.feeds_parsers && !session.has(session_flag::app_disabled);
  if (is_fed && right_edge > stream.app_progress) {
    return true;
  }
  return (stream.flags & stream_flag::raw_disabled) == 0 && right_edge > stream.raw_progress;
}

}  // namespace shrike::flow
