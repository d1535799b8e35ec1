// What a followed segment does to its stream: numbers move, payload is kept.
#include <algorithm>

#include "sequence.h"
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

}  // namespace

void TcpTracker::update_last_ack(TcpStream& stream, uint32_t acknowledgement) noexcept {
  if (is_after(acknowledgement, stream.last_ack)) {
    stream.last_ack = acknowledgement;
    sacks_.prune(stream);
  }
}

void TcpTracker::update_next_sequence(const TcpSession& session, TcpStream& stream,
                                      uint32_t next) noexcept {
  stream.next_sequence = next;
  // Where only one side is seen, nobody acknowledges: sent counts as received.
  if (session.has(session_flag::one_sided) && is_after(next, stream.last_ack)) {
    stream.last_ack = next;
  }
}

void TcpTracker::update_next_window(TcpStream& stream) noexcept {
  const uint32_t edge = stream.last_ack + stream.window + stream.sacked_bytes;
  if (is_after(edge, stream.next_window)) {
    stream.next_window = edge;
  }
}

// Follows the acknowledged bytes as a parser would, which shows gaps; then keeps the payload.
void TcpTracker::take_bytes(TcpSession& session, TcpPacket& packet) noexcept {
  enum class Follow : uint8_t { acknowledged, own, both } follow = Follow::acknowledged;
  if (options_.is_inline || packet.is_stream_end || packet.has(rst)) {
    follow = Follow::own;
  } else if (packet.has(fin) && session.state > TcpState::time_wait) {
    follow = packet.has(ack) ? Follow::both : Follow::own;
  } else if (session.state == TcpState::closed) {
    follow = Follow::both;
  } else if (session.has(session_flag::one_sided)) {
    follow = Follow::own;
  }
  TcpStream& sender = sender_of(session, packet);
  if (follow != Follow::own) {
    follow_parser(session, opposite(packet.direction), packet);
  }
  if (packet.length > 0) {
    payload_was_counted_ = true;
    if (packet.has(rst)) {
      counters_.add(FlowCounter::skipped_reset, packet.length);
    } else if ((sender.flags & stream_flag::no_reassembly) != 0) {
      counters_.add((sender.flags & stream_flag::depth_reached) != 0
                        ? FlowCounter::skipped_depth
                        : FlowCounter::skipped_not_followed,
                    packet.length);
    } else if (!keep_payload(session, sender, packet)) {
      return;
    } else {
      packet.stream_added = true;
    }
  }
  if (follow != Follow::acknowledged || (sender.flags & stream_flag::depth_reached) != 0) {
    follow_parser(session, packet.direction, packet);
  }
}

uint32_t TcpTracker::within_depth(TcpStream& stream, uint32_t sequence,
                                  uint32_t length) const noexcept {
  const uint64_t depth = options_.depth_bytes;
  if (depth == 0) {
    return length;
  }
  if ((stream.flags & stream_flag::depth_reached) != 0) {
    return 0;
  }
  const uint32_t right = sequence + length;
  if (is_before(sequence, stream.base_sequence) && is_at_or_before(right, stream.base_sequence)) {
    return 0;
  }
  // A segment that crosses the depth is left out as a whole.
  if (stream.base_offset + (right - stream.base_sequence) > depth) {
    stream.flags |= stream_flag::depth_reached;
    return 0;
  }
  return length;
}

// RFC 6093: most systems take the last urgent byte out of the stream and close the ranks.
// False where nothing is left to keep.
bool TcpTracker::take_out_urgent(TcpStream& sender, TcpPacket& packet, uint32_t& length) noexcept {
  const bool takes_out = options_.urgent == FlowOptions::Urgent::oob;
  const bool leaves_gap = options_.urgent == FlowOptions::Urgent::gap;
  if (packet.urgent_pointer == 0 || packet.urgent_pointer > packet.length ||
      (!takes_out && !leaves_gap)) {
    return true;
  }
  constexpr uint32_t urgent_max = 65535;
  const uint32_t limit = options_.urgent_oob_bytes_max == 0
                             ? urgent_max
                             : std::min(options_.urgent_oob_bytes_max, urgent_max);
  if (takes_out) {
    if (sender.urgent_bytes < limit) {
      ++sender.urgent_bytes;
      if (sender.urgent_bytes == limit) {
        packet.note(StreamEvent::reassembly_urgent_out_of_band_limit_reached);
      }
    }
    counters_.add(FlowCounter::tcp_urgent_oob_data);
    if (sender.urgent_bytes == limit) {
      return true;  // from here on as if it was in the stream
    }
  }
  --length;
  counters_.add(FlowCounter::skipped_urgent);
  return length > 0;
}

// False only where memory was missing: then the payload is inspected with its packet alone.
bool TcpTracker::keep_payload(TcpSession& session, TcpStream& sender, TcpPacket& packet) noexcept {
  if (sender.policy == TargetPolicy::none) {
    set_policy(sender, *packet.datagram);
  }
  if (session.has(session_flag::app_disabled) &&
      (sender.flags & stream_flag::new_raw_disabled) != 0) {
    counters_.add(FlowCounter::skipped_not_followed, packet.length);
    return true;
  }
  uint32_t sequence = packet.sequence - sender.urgent_bytes;
  uint32_t length = packet.length;
  if (packet.has(tcp_flag::urg) && !take_out_urgent(sender, packet, length)) {
    return true;
  }
  const uint32_t fits = within_depth(sender, sequence, length);
  if ((sender.flags & stream_flag::depth_reached) != 0) {
    packet.note(StreamEvent::reassembly_depth_reached);
    counters_.add(FlowCounter::tcp_stream_depth_reached);
    counters_.add(FlowCounter::skipped_depth, length);
    return true;
  }
  if (fits == 0) {
    counters_.add(FlowCounter::skipped_repeated, length);
    return true;
  }
  if (packet.has_fast_open && packet.has(syn)) {
    ++sequence;  // the SYN itself takes a number
  }
  // Bytes of a place that inspection has passed already come too late.
  const uint64_t passed = sender.passed_offset();
  const bool may_be_late = StreamBuffers::offset_of(sender, sequence) < passed;
  const uint64_t kept_before = may_be_late ? buffers_.kept_before(sender, passed) : 0;
  const auto inserted = buffers_.insert(sender, sequence, packet.payload.first(length));
  if (inserted.was_overlap) {
    counters_.add(FlowCounter::tcp_overlap);
  }
  packet.instead = inserted.instead;
  if (inserted.overlaps_different) {
    packet.note(StreamEvent::reassembly_overlap_different_data);
    counters_.add(FlowCounter::tcp_overlap_diff_data);
  }
  if (inserted.result == InsertResult::kept || inserted.result == InsertResult::out_of_place) {
    const uint64_t late = may_be_late ? buffers_.kept_before(sender, passed) - kept_before : 0;
    sender.late_bytes += static_cast<uint32_t>(late);
    counters_.add(FlowCounter::kept_bytes, inserted.new_bytes - late);
    counters_.add(FlowCounter::skipped_repeated, length - (inserted.new_bytes - late));
    return true;
  }
  session.flags |= session_flag::lossy;
  packet.note(inserted.result == InsertResult::limit ? StreamEvent::reassembly_insert_limit
                                                     : StreamEvent::reassembly_no_segment);
  counters_.add(FlowCounter::tcp_segment_memcap_drop);
  counters_.add(inserted.was_overlap ? FlowCounter::tcp_insert_data_overlap_fail
                                     : FlowCounter::tcp_insert_data_normal_fail);
  counters_.add(FlowCounter::skipped_memory, length);
  return false;
}

// Acknowledged bytes that were never seen are a gap; but where the ACK is ahead of all that was
// sent, only once bytes beyond the gap are acknowledged too.
bool TcpTracker::is_gap(const TcpSession& session, const TcpStream& stream,
                        uint64_t progress) const noexcept {
  const uint64_t fin_number = is_at_least(session.state, TcpState::fin_wait1) ? 1 : 0;
  const uint64_t acked = acked_offset(stream);
  if (acked < fin_number || acked - fin_number <= progress) {
    return false;
  }
  return stream.first_block != 0;
}

// Hands the application layer what is acknowledged and new, and gaps in it, until no more is there.
// Source: Suricata's ReassembleUpdateAppLayer.
void TcpTracker::follow_parser(TcpSession& session, Direction direction,
                               TcpPacket& packet) noexcept {
  TcpStream& stream = session.streams[static_cast<size_t>(direction)];
  if (session.has(session_flag::app_disabled) || (stream.flags & stream_flag::no_reassembly) != 0) {
    return;
  }
  while (feed_next(session, stream, packet)) {
  }
  tell_end(session, stream, packet);
}

// One run of bytes, or one gap. False where nothing more is there for now.
bool TcpTracker::feed_next(TcpSession& session, TcpStream& stream, TcpPacket& packet) noexcept {
  // Inline, bytes are judged before their receiver has them; at the end, whether it had or not.
  const bool is_unbound = packet.is_stream_end || options_.is_inline;
  const uint64_t acked = is_unbound ? UINT64_MAX : acked_offset(stream);
  const uint64_t progress = std::max(stream.app_progress, stream.base_offset);
  stream.app_progress = progress;
  uint32_t index = stream.first_block;
  while (index != 0 && buffers_.block(index).end() <= progress) {
    index = buffers_.block(index).next;
  }
  if (index == 0 || acked <= progress) {
    return false;
  }
  const StreamBlock& block = buffers_.block(index);
  AppChunk chunk{.direction = direction_of(session, stream), .offset = progress};
  if (block.offset > progress) {
    if (!is_gap(session, stream, progress)) {
      return false;
    }
    packet.note(StreamEvent::reassembly_sequence_gap);
    counters_.add(FlowCounter::tcp_reassembly_gap);
    stream.flags |= stream_flag::has_gap;
    stream.app_progress = std::min(block.offset, acked);
    chunk.gap_bytes = stream.app_progress - progress;
  } else {
    stream.app_progress = std::min(block.end(), acked);
    chunk.bytes = {block.data() + (progress - block.offset), stream.app_progress - progress};
    if (packet.app_out != nullptr) {
      buffers_.lend(index);
    }
  }
  if (packet.app_out != nullptr && packet.app_out->app_chunk_room() > 0) {
    packet.app_out->push_app_chunk(*packet.tracked, chunk);
  }
  return true;
}

// Once, when nothing more can come: the session is closed or over, or the depth is reached.
void TcpTracker::tell_end(const TcpSession& session, TcpStream& stream,
                          TcpPacket& packet) noexcept {
  const bool is_over = session.state == TcpState::closed || packet.is_stream_end;
  const bool is_cut = !is_over && (stream.flags & stream_flag::depth_reached) != 0;
  if ((!is_over && !is_cut) || packet.app_out == nullptr || packet.app_out->app_chunk_room() == 0 ||
      (stream.flags & stream_flag::end_told) != 0) {
    return;
  }
  stream.flags |= stream_flag::end_told;
  packet.app_out->push_app_chunk(*packet.tracked, {.direction = direction_of(session, stream),
                                                   .is_end = is_over,
                                                   .is_cut = is_cut,
                                                   .offset = stream.app_progress});
}

}  // namespace shrike::flow
