#pragma once
#include <cstdint>

#include "flow_counters.h"
#include "lazy_array.h"
#include "sack_ranges.h"
#include "shrike/flow.h"
#include "stream_buffers.h"
#include "tcp_packet.h"
#include "tcp_session.h"

namespace shrike::flow {

/// Follows TCP sessions as Suricata's stream engine does, state by state, and hands out their
/// bytes. One per core. The files: tcp_tracker.cpp takes a segment, tcp_checks.cpp judges it,
/// tcp_opening.cpp, tcp_established.cpp and tcp_closing.cpp have a function per state,
/// tcp_bytes.cpp keeps the payload, raw_stream.cpp hands it to inspection.
class TcpTracker {
 public:
  TcpTracker(const FlowOptions& options, FlowCounters& counters);

  void begin_call() noexcept { buffers_.begin_call(); }

  /// Lets a segment change its session, and fills in the packet's outcome.
  void process(TcpSession& session, TcpPacket& packet) noexcept;

  /// Hands the bytes that are ready in the packet's direction to `tracked`, then drops what is
  /// no longer needed. Call after `process`, once for each packet.
  void inspect(TcpSession& session, const TcpPacket& packet, TrackedBatch& out,
               Tracked& tracked) noexcept;

  /// True where the end of this session needs one more inspection of that direction.
  [[nodiscard]] bool needs_last_look(const TcpSession& session, Direction direction) const noexcept;

  /// True where this segment begins a new connection on the tuple of an old one.
  [[nodiscard]] bool is_reuse(const TcpSession* session, const Datagram& datagram,
                              Direction direction) const noexcept;

  /// Drops all that the session keeps.
  void release(TcpSession& session) noexcept;

  [[nodiscard]] uint64_t memory_bytes() const noexcept { return buffers_.memory_bytes(); }

  /// What the application layer decided about a session; every wish only ever switches on.
  void apply(TcpSession& session, const AppWishes& wishes) noexcept;

  /// Who opened the connection turned out to be the server.
  static void swap_sides(TcpSession& session) noexcept;

 private:
  enum class Outcome : uint8_t { accepted, invalid };
  using StateFunction = Outcome (TcpTracker::*)(TcpSession&, TcpPacket&) noexcept;

  // tcp_tracker.cpp
  [[nodiscard]] Outcome follow(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome dispatch(TcpState state, TcpSession& session, TcpPacket& packet) noexcept;
  void set_state(TcpSession& session, TcpPacket& packet, TcpState state) noexcept;
  void count_unkept(const TcpPacket& packet, bool is_invalid, bool had_session) noexcept;

  // tcp_opening.cpp: a function per state, and their branches
  [[nodiscard]] Outcome on_none(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool may_pick_up(TcpPacket& packet, bool is_enabled) noexcept;
  void open_from_syn(TcpSession& session, TcpPacket& packet) noexcept;
  void pick_up_synack(TcpSession& session, TcpPacket& packet) noexcept;
  void pick_up_data(TcpSession& session, TcpPacket& packet, TcpState state) noexcept;
  void begin_session(TcpSession& session, const TcpPacket& packet, bool is_pickup) noexcept;
  [[nodiscard]] Outcome on_syn_sent(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome answer_syn(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool matches_syn(TcpSession& session, TcpPacket& packet,
                                 bool echo_is_wrong) noexcept;
  [[nodiscard]] bool matches_fast_open(TcpSession& session, TcpPacket& packet,
                                       bool echo_is_wrong) noexcept;
  [[nodiscard]] bool use_queued_syn(TcpSession& session, const TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome answer_four_way(TcpSession& session, TcpPacket& packet) noexcept;
  void cross_syn(TcpSession& session, TcpPacket& packet) noexcept;
  void repeat_syn(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome reset_syn_sent(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome go_one_sided(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_syn_received(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome reset_syn_received(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome repeat_synack(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome complete_handshake(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome complete_four_way(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome take_third_packet(TcpSession& session, TcpPacket& packet,
                                          bool missed_ack) noexcept;
  void take_normal_third(TcpSession& session, TcpPacket& packet) noexcept;
  void take_one_sided_third(TcpSession& session, TcpPacket& packet) noexcept;
  void take_third_from_server(TcpSession& session, TcpPacket& packet) noexcept;
  void take_third_after_loss(TcpSession& session, TcpPacket& packet) noexcept;

  // handshake_queue.cpp
  void use_synack(TcpSession& session, TcpPacket& packet, const QueuedHandshake& synack) noexcept;
  [[nodiscard]] bool queue_synack(TcpSession& session, TcpPacket& packet) noexcept;
  void queue_syn(TcpSession& session, TcpPacket& packet) noexcept;
  void apply_syn(TcpSession& session, const QueuedHandshake& syn) noexcept;
  [[nodiscard]] const QueuedHandshake* find_synack(const TcpSession& session,
                                                   const TcpPacket& ack) const noexcept;
  void clear_queue(TcpSession& session) noexcept;

  // tcp_established.cpp
  [[nodiscard]] Outcome on_established(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome repeat_established_synack(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome repeat_established_syn(const TcpSession& session,
                                               TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome take_established(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome accept_old(TcpSession& session, TcpPacket& packet) noexcept;
  void take_in_window(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome take_fin(TcpSession& session, TcpPacket& packet) noexcept;

  // tcp_closing.cpp
  [[nodiscard]] Outcome on_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome fin_in_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome ack_in_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome fin_in_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome ack_in_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_closing(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_close_wait(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome fin_in_close_wait(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome ack_in_close_wait(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_last_ack(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_time_wait(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome on_closed(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] Outcome reset_closing(TcpSession& session, TcpPacket& packet) noexcept;
  void close_with_reset(TcpSession& session, TcpPacket& packet) noexcept;
  void finish_closing(TcpSession& session, TcpPacket& packet, bool needs_ack_flag) noexcept;

  // tcp_checks.cpp
  [[nodiscard]] bool is_keep_alive(TcpSession& session, const TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_keep_alive_answer(TcpSession& session, const TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_probe_answer(const TcpSession& session, const TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_ignorable(const TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_outdated_ack(const TcpSession& session, const TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_before_all(const TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_retransmission(const TcpStream& sender, TcpPacket& packet) noexcept;
  [[nodiscard]] bool ack_is_valid(const TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool reset_is_valid(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool timestamp_is_valid(TcpSession& session, TcpPacket& packet) noexcept;
  void take_timestamp(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool judge_timestamp(TcpSession& session, TcpPacket& packet, bool takes) noexcept;
  void note_after_reset(TcpSession& session, TcpPacket& packet) noexcept;
  void set_policy(TcpStream& receiver, const Datagram& datagram) const noexcept;

  // tcp_bytes.cpp
  void update_last_ack(TcpStream& stream, uint32_t acknowledgement) noexcept;
  void update_next_sequence(const TcpSession& session, TcpStream& stream, uint32_t next) noexcept;
  void update_next_window(TcpStream& stream) noexcept;
  void take_bytes(TcpSession& session, TcpPacket& packet) noexcept;
  [[nodiscard]] bool keep_payload(TcpSession& session, TcpStream& sender,
                                  TcpPacket& packet) noexcept;
  [[nodiscard]] uint32_t within_depth(TcpStream& stream, uint32_t sequence,
                                      uint32_t length) const noexcept;
  [[nodiscard]] bool take_out_urgent(TcpStream& sender, TcpPacket& packet,
                                     uint32_t& length) noexcept;
  void follow_parser(TcpSession& session, Direction direction, TcpPacket& packet) noexcept;
  [[nodiscard]] bool feed_next(TcpSession& session, TcpStream& stream, TcpPacket& packet) noexcept;
  void tell_end(const TcpSession& session, TcpStream& stream, TcpPacket& packet) noexcept;
  [[nodiscard]] bool is_gap(const TcpSession& session, const TcpStream& stream,
                            uint64_t progress) const noexcept;

  // raw_stream.cpp
  [[nodiscard]] bool is_ready(const TcpSession& session, const TcpPacket& packet) const noexcept;
  [[nodiscard]] bool is_enough(const TcpSession& session, const TcpPacket& packet) const noexcept;
  [[nodiscard]] uint64_t lend_acked(TcpStream& stream, bool is_end, TrackedBatch& out,
                                    Tracked& tracked) noexcept;
  [[nodiscard]] uint64_t lend_around(TcpStream& stream, const TcpPacket& packet, TrackedBatch& out,
                                     Tracked& tracked) noexcept;
  void lend(TcpStream& stream, uint32_t block, const Chunk& chunk, TrackedBatch& out,
            Tracked& tracked) noexcept;
  void progress_raw(const TcpSession& session, TcpStream& stream, uint64_t progress) noexcept;
  void prune(TcpSession& session, Direction direction) noexcept;

  [[nodiscard]] static Direction direction_of(const TcpSession& session,
                                              const TcpStream& stream) noexcept {
    return &stream == session.streams.data() ? Direction::to_server : Direction::to_client;
  }
  [[nodiscard]] static uint64_t acked_offset(const TcpStream& stream) noexcept;
  [[nodiscard]] static TcpStream& sender_of(TcpSession& session, const TcpPacket& packet) noexcept {
    return session.streams[static_cast<size_t>(packet.direction)];
  }
  [[nodiscard]] static TcpStream& receiver_of(TcpSession& session,
                                              const TcpPacket& packet) noexcept {
    return session.streams[static_cast<size_t>(opposite(packet.direction))];
  }
  [[nodiscard]] static const TcpStream& sender_of(const TcpSession& session,
                                                  const TcpPacket& packet) noexcept {
    return session.streams[static_cast<size_t>(packet.direction)];
  }
  [[nodiscard]] static const TcpStream& receiver_of(const TcpSession& session,
                                                    const TcpPacket& packet) noexcept {
    return session.streams[static_cast<size_t>(opposite(packet.direction))];
  }
  static void set_base(TcpStream& stream, uint32_t initial_sequence) noexcept {
    stream.initial_sequence = initial_sequence;
    stream.base_sequence = initial_sequence + 1;
  }
  /// The window that a segment advertises for the bytes of `stream`, scaled.
  static uint32_t scaled(const TcpPacket& packet, const TcpStream& stream) noexcept {
    return uint32_t{packet.window} << stream.window_scale;
  }

  FlowOptions options_;
  FlowCounters& counters_;
  StreamBuffers buffers_;
  SackRanges sacks_;
  NodePool<QueuedHandshake> queue_;
  bool payload_was_counted_ = false;
};

}  // namespace shrike::flow
