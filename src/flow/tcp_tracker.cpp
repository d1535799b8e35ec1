#include "tcp_tracker.h"

#include <algorithm>
#include <utility>

namespace shrike::flow {
namespace {

// Nodes for unusual sessions, a fraction of the flows; beyond, a session does without.
uint32_t nodes_for(uint32_t flows_max, uint32_t share) noexcept {
  return std::max<uint32_t>(flows_max / share, 256);
}

}  // namespace

TcpTracker::TcpTracker(const FlowOptions& options, FlowCounters& counters)
    : options_(options),
      counters_(counters),
      buffers_({.memory_bytes_max = options.stream_memory_bytes_max,
                .compare_overlaps = options.compare_overlaps || options.is_inline,
                .is_inline = options.is_inline},
               counters),
      sacks_(nodes_for(options.flows_max, 1)),
      queue_(nodes_for(options.flows_max, 4)) {}

void TcpTracker::set_state(TcpSession& session, TcpPacket& packet, TcpState state) noexcept {
  if (state == session.state) {
    return;
  }
  session.previous_state = session.state;
  session.state = state;
  switch (state) {
    case TcpState::established:
    case TcpState::fin_wait1:
    case TcpState::fin_wait2:
    case TcpState::closing:
    case TcpState::close_wait:
      packet.state_changed = true;
      packet.flow_state = FlowState::established;
      break;
    case TcpState::last_ack:
    case TcpState::time_wait:
    case TcpState::closed:
      packet.state_changed = true;
      packet.flow_state = FlowState::closed;
      break;
    case TcpState::none:
    case TcpState::listen:
    case TcpState::syn_sent:
    case TcpState::syn_received:
      break;
  }
}

TcpTracker::Outcome TcpTracker::dispatch(TcpState state, TcpSession& session,
                                         TcpPacket& packet) noexcept {
  static constexpr StateFunction functions[] = {
      &TcpTracker::on_none,         &TcpTracker::on_none,        &TcpTracker::on_syn_sent,
      &TcpTracker::on_syn_received, &TcpTracker::on_established, &TcpTracker::on_fin_wait1,
      &TcpTracker::on_fin_wait2,    &TcpTracker::on_time_wait,   &TcpTracker::on_last_ack,
      &TcpTracker::on_close_wait,   &TcpTracker::on_closing,     &TcpTracker::on_closed,
  };
  return (this->*functions[static_cast<size_t>(state)])(session, packet);
}

// What is not for the state machine is sorted out first: keep-alives, window probes and updates,
// old ACKs, bytes that came before.
TcpTracker::Outcome TcpTracker::follow(TcpSession& session, TcpPacket& packet) noexcept {
  if (is_keep_alive(session, packet)) {
    return Outcome::accepted;
  }
  const bool is_answer = is_keep_alive_answer(session, packet);
  sender_of(session, packet).flags &= static_cast<uint16_t>(~stream_flag::keep_alive);
  if (is_answer) {
    return Outcome::accepted;
  }
  const bool is_probed = is_probe_answer(session, packet);
  session.flags &=
      ~(packet.is_to_server() ? session_flag::probe_to_client : session_flag::probe_to_server);
  if (is_probed || is_ignorable(session, packet) || is_before_all(session, packet)) {
    return Outcome::accepted;
  }
  return dispatch(session.state, session, packet);
}

void TcpTracker::process(TcpSession& session, TcpPacket& packet) noexcept {
  const bool had_session = session.state != TcpState::none;
  payload_was_counted_ = packet.length == 0;
  if (had_session) {
    sender_of(session, packet).tcp_flags |= packet.flags;
    if (session.has(session_flag::one_sided) && session.client().tcp_flags != 0 &&
        session.server().tcp_flags != 0) {
      session.flags &= ~session_flag::one_sided;
    }
  }
  if (!packet.has(tcp_flag::ack) && packet.acknowledgement != 0) {
    packet.note(StreamEvent::packet_broken_ack);
  }
  if (packet.has(tcp_flag::urg) && options_.urgent == FlowOptions::Urgent::drop) {
    counters_.add(FlowCounter::skipped_urgent, packet.length);
    return;
  }
  Outcome outcome = Outcome::accepted;
  if (!had_session) {
    outcome = on_none(session, packet);
  } else if (packet.is_stream_end) {
    take_bytes(session, packet);
  } else {
    outcome = follow(session, packet);
    if (outcome == Outcome::accepted) {
      note_after_reset(session, packet);
    }
  }
  if (outcome == Outcome::invalid) {
    counters_.add(FlowCounter::tcp_invalid);
  } else if (is_at_least(session.state, TcpState::established)) {
    packet.tcp_established = true;
  }
  if (!payload_was_counted_) {
    count_unkept(packet, outcome == Outcome::invalid, session.state != TcpState::none);
  }
}

// Every byte of payload has one fate. What take_bytes did not see is counted here.
void TcpTracker::count_unkept(const TcpPacket& packet, bool is_invalid, bool had_session) noexcept {
  if (!had_session) {
    counters_.add(FlowCounter::skipped_no_session, packet.length);
  } else if (is_invalid) {
    counters_.add(FlowCounter::skipped_invalid, packet.length);
  } else {
    counters_.add(FlowCounter::skipped_not_followed, packet.length);
  }
}

bool TcpTracker::is_reuse(const TcpSession* session, const Datagram& datagram,
                          Direction direction) const noexcept {
  constexpr uint8_t closing = tcp_flag::rst | tcp_flag::fin;
  constexpr uint8_t both = tcp_flag::syn | tcp_flag::ack;
  const bool is_syn = (datagram.tcp_flags & both) == tcp_flag::syn;
  const bool is_synack =
      (datagram.tcp_flags & both) == both && (options_.midstream || options_.async_one_side);
  if ((datagram.tcp_flags & closing) != 0 || (!is_syn && !is_synack)) {
    return false;
  }
  const bool to_server = direction == Direction::to_server;
  if (session == nullptr || session->state == TcpState::none) {
    return is_syn || to_server;
  }
  TcpPacket packet;
  read_tcp(datagram, packet);
  if (is_syn && to_server) {
    if (session->has(session_flag::fast_open_data_ignored)) {
      return true;
    }
    if (session->client().initial_sequence == packet.sequence) {
      return false;  // the same SYN once more
    }
  }
  if (is_synack && !to_server && session->server().initial_sequence == packet.sequence) {
    return false;
  }
  return is_at_least(session->state, TcpState::last_ack);
}

void TcpTracker::release(TcpSession& session) noexcept {
  for (TcpStream& stream : session.streams) {
    buffers_.clear(stream);
    sacks_.clear(stream);
  }
  clear_queue(session);
}

void TcpTracker::apply(TcpSession& session, const AppWishes& wishes) noexcept {
  for (size_t side = 0; side < session.streams.size(); ++side) {
    TcpStream& stream = session.streams[side];
    stream.flags |= wishes.inspect_raw_now[side] ? stream_flag::trigger_raw : uint16_t{0};
    stream.flags |= wishes.no_more_raw[side] ? stream_flag::new_raw_disabled : uint16_t{0};
  }
  session.flags |= wishes.no_parser ? session_flag::app_disabled : 0;
}

void TcpTracker::swap_sides(TcpSession& session) noexcept {
  std::swap(session.streams[0], session.streams[1]);
  constexpr uint32_t probes = session_flag::probe_to_server | session_flag::probe_to_client;
  const uint32_t probed = session.flags & probes;
  if (probed == session_flag::probe_to_server || probed == session_flag::probe_to_client) {
    session.flags ^= probes;
  }
}

}  // namespace shrike::flow
