// The state in which data flows, and the first FIN.
#include "sequence.h"
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

}  // namespace

TcpTracker::Outcome TcpTracker::on_established(TcpSession& session, TcpPacket& packet) noexcept {
  constexpr uint8_t special = rst | fin | syn;
  if ((packet.flags & special) == 0) [[likely]] {
    if (!packet.has(ack)) {
      return Outcome::accepted;
    }
    if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
      return Outcome::invalid;
    }
    if (!packet.is_to_server()) {
      session.flags |= session_flag::handshake_confirmed;
    }
    // What does not fit is noted, but the packet itself stays one of this session.
    static_cast<void>(take_established(session, packet));
    return Outcome::accepted;
  }
  if (packet.has(rst)) {
    if (!reset_is_valid(session, packet)) {
      return Outcome::invalid;
    }
    TcpStream& sender = sender_of(session, packet);
    receiver_of(session, packet).next_sequence = packet.acknowledgement;
    sender.next_sequence = packet.right_edge() + (packet.is_to_server() ? 0 : 1);
    sender.window = scaled(packet, sender);
    return reset_closing(session, packet);
  }
  if (packet.has(fin)) {
    if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
      return Outcome::invalid;
    }
    return take_fin(session, packet);
  }
  return packet.is_synack() ? repeat_established_synack(session, packet)
                            : repeat_established_syn(session, packet);
}

TcpTracker::Outcome TcpTracker::repeat_established_synack(TcpSession& session,
                                                          TcpPacket& packet) noexcept {
  if (packet.is_to_server()) {
    packet.note(StreamEvent::established_synack_to_server);
  } else if (packet.acknowledgement != session.client().last_ack) {
    packet.note(StreamEvent::established_synack_resend_with_different_ack);
  } else if (packet.sequence != session.server().initial_sequence) {
    packet.note(StreamEvent::established_synack_resend_with_different_sequence);
  } else if (session.has(session_flag::handshake_confirmed)) {
    packet.note(StreamEvent::established_synack_resend);
  } else {
    return Outcome::accepted;  // the server has not got the third packet
  }
  return Outcome::invalid;
}

TcpTracker::Outcome TcpTracker::repeat_established_syn(const TcpSession& session,
                                                       TcpPacket& packet) noexcept {
  if (!packet.is_to_server()) {
    packet.note(StreamEvent::established_syn_to_client);
  } else if (packet.sequence != session.client().initial_sequence) {
    packet.note(StreamEvent::established_syn_resend_different_sequence);
  } else {
    packet.note(StreamEvent::established_syn_resend);
  }
  return Outcome::invalid;
}

// A segment that ends before what was acknowledged: acceptable only where nobody acknowledges, or
// where the acknowledged bytes were never seen.
TcpTracker::Outcome TcpTracker::accept_old(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& sender = sender_of(session, packet);
  if (session.has(session_flag::one_sided)) {
    if (packet.is_to_server()) {
      update_last_ack(sender, packet.sequence);
    } else {
      sender.last_ack = packet.sequence;
    }
    return Outcome::accepted;
  }
  const bool may_be_one_sided =
      packet.is_to_server() && options_.async_one_side && session.has(session_flag::midstream);
  if (may_be_one_sided &&
      (sender.next_sequence == packet.sequence || sender.last_ack == sender.initial_sequence + 1)) {
    update_last_ack(sender, packet.sequence);
    session.flags |= session_flag::one_sided;
    return Outcome::accepted;
  }
  if (is_after(sender.last_ack, sender.next_sequence) &&
      is_after(packet.right_edge(), sender.next_sequence)) {
    return Outcome::accepted;
  }
  packet.note(StreamEvent::established_packet_before_last_ack);
  return Outcome::invalid;
}

TcpTracker::Outcome TcpTracker::take_established(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const uint32_t receiver_probe =
      packet.is_to_server() ? session_flag::probe_to_client : session_flag::probe_to_server;
  if (session.has(receiver_probe) && packet.acknowledgement == receiver.next_sequence + 1)
      [[unlikely]] {
    packet.note(StreamEvent::established_ack_of_zero_window_probe_data);
  } else if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::established_invalid_ack);
    return Outcome::invalid;
  }
  constexpr uint32_t fresh_pickup = session_flag::midstream | session_flag::midstream_established;
  if (!packet.is_to_server() && (session.flags & fresh_pickup) == fresh_pickup) {
    sender.window = scaled(packet, sender);
    sender.next_window = sender.last_ack + sender.window;
    session.flags &= ~session_flag::midstream_established;
  }
  const bool is_keep_alive = packet.length <= 1 && packet.sequence == sender.next_sequence - 1;
  if (!is_keep_alive && is_before(packet.right_edge(), sender.last_ack) &&
      accept_old(session, packet) == Outcome::invalid) {
    return Outcome::invalid;
  }
  if (packet.length == 1 && packet.sequence == sender.next_sequence && sender.window == 0) {
    session.flags |=
        packet.is_to_server() ? session_flag::probe_to_server : session_flag::probe_to_client;
    take_bytes(session, packet);
    return Outcome::accepted;
  }
  if (is_at_or_after(packet.right_edge(), sender.next_sequence)) {
    update_next_sequence(session, sender, packet.right_edge());
  }
  const bool is_lenient =
      (session.flags & (session_flag::midstream | session_flag::one_sided)) != 0;
  if (!is_lenient && is_after(packet.right_edge(), sender.next_window)) {
    packet.note(StreamEvent::established_packet_out_of_window);
    return Outcome::invalid;
  }
  take_in_window(session, packet);
  return Outcome::accepted;
}

void TcpTracker::take_in_window(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& receiver = receiver_of(session, packet);
  receiver.window = scaled(packet, receiver);
  update_last_ack(receiver, packet.acknowledgement);
  if (!session.has(session_flag::one_sided) &&
      is_after(receiver.last_ack, receiver.next_sequence)) {
    counters_.add(FlowCounter::tcp_ack_unseen_data);
  }
  take_timestamp(session, packet);
  sacks_.update(receiver, packet.sack_blocks);
  update_next_window(receiver);
  take_bytes(session, packet);
}

// The first FIN. The client's leads to close_wait, the server's to fin_wait1.
TcpTracker::Outcome TcpTracker::take_fin(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::fin_invalid_ack);
    return Outcome::invalid;
  }
  if (is_before(packet.sequence, sender.last_ack) ||
      is_after(packet.right_edge(), sender.next_window)) {
    packet.note(StreamEvent::fin_out_of_window);
    return Outcome::invalid;
  }
  if (packet.is_to_server() && packet.has(syn)) {
    packet.note(StreamEvent::fin_syn);
    return Outcome::invalid;
  }
  set_state(session, packet, packet.is_to_server() ? TcpState::close_wait : TcpState::fin_wait1);
  sender.next_sequence = packet.right_edge() + (packet.is_to_server() ? 0 : 1);
  receiver.window = scaled(packet, receiver);
  take_timestamp(session, packet);
  if (is_before(receiver.next_sequence, packet.acknowledgement)) {
    receiver.next_sequence = packet.acknowledgement;
  }
  if (packet.has(ack)) {
    update_last_ack(receiver, packet.acknowledgement);
  }
  take_bytes(session, packet);
  return Outcome::accepted;
}

}  // namespace shrike::flow
