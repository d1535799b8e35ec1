// The states behind a FIN or a RST. The client's FIN is not counted in its next_sequence, the
// server's is: that is how Suricata does it, and its checks differ by direction for that reason.
#include "sequence.h"
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

bool is_in_window(const TcpSession& session, const TcpPacket& packet,
                  const TcpStream& sender) noexcept {
  return is_at_or_before(packet.right_edge(), sender.next_window) ||
         (session.flags & (session_flag::midstream | session_flag::one_sided)) != 0;
}

bool is_beyond_window(const TcpPacket& packet, const TcpStream& sender) noexcept {
  return is_after(packet.sequence, sender.last_ack + sender.window);
}

/// The receiver has acknowledged more than we saw it being sent.
void catch_up(TcpStream& receiver, const TcpPacket& packet) noexcept {
  if (is_before(receiver.next_sequence, packet.acknowledgement)) {
    receiver.next_sequence = packet.acknowledgement;
  }
}

/// The same where the number equal to the ACK less one counts too.
void catch_up_behind_fin(TcpStream& receiver, const TcpPacket& packet) noexcept {
  if (is_before(receiver.next_sequence - 1, packet.acknowledgement)) {
    receiver.next_sequence = packet.acknowledgement;
  }
}

}  // namespace

void TcpTracker::close_with_reset(TcpSession& session, TcpPacket& packet) noexcept {
  session.flags |= session_flag::closed_by_reset;
  set_state(session, packet, TcpState::closed);
}

// An accepted RST. REQUIRES: it was found valid.
TcpTracker::Outcome TcpTracker::reset_closing(TcpSession& session, TcpPacket& packet) noexcept {
  close_with_reset(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  if (packet.has(ack) && ack_is_valid(session, packet)) {
    update_last_ack(receiver, packet.acknowledgement);
  }
  update_last_ack(sender_of(session, packet), packet.sequence);
  take_timestamp(session, packet);
  take_bytes(session, packet);
  return Outcome::accepted;
}

// What all segments of the closing states end with.
void TcpTracker::finish_closing(TcpSession& session, TcpPacket& packet,
                                bool needs_ack_flag) noexcept {
  if (!needs_ack_flag || packet.has(ack)) {
    update_last_ack(receiver_of(session, packet), packet.acknowledgement);
  }
  take_bytes(session, packet);
}

namespace {

enum class Kind : uint8_t { resets, ends, opens, acknowledges, nothing };

/// The states after a FIN ask in this order what a segment is.
Kind kind_of(const TcpPacket& packet) noexcept {
  if (packet.has(rst)) {
    return Kind::resets;
  }
  if (packet.has(fin)) {
    return Kind::ends;
  }
  if (packet.has(syn)) {
    return Kind::opens;
  }
  return packet.has(ack) ? Kind::acknowledges : Kind::nothing;
}

}  // namespace

TcpTracker::Outcome TcpTracker::on_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept {
  switch (kind_of(packet)) {
    case Kind::resets:
      return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
    case Kind::ends:
      return fin_in_fin_wait1(session, packet);
    case Kind::opens:
      packet.note(StreamEvent::shutdown_syn_resend);
      return Outcome::invalid;
    case Kind::acknowledges:
      return ack_in_fin_wait1(session, packet);
    case Kind::nothing:
      break;
  }
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::fin_in_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool has_ack = packet.has(ack);
  bool is_repeated = is_retransmission(sender, packet);
  if (!is_repeated && has_ack && !packet.is_to_server()) {
    is_repeated =
        packet.sequence == sender.next_sequence - 1 && packet.acknowledgement == receiver.last_ack;
  }
  if (!is_repeated &&
      (is_before(packet.sequence, sender.next_sequence - 1) || is_beyond_window(packet, sender))) {
    packet.note(StreamEvent::fin1_fin_wrong_sequence);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::fin1_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    set_state(session, packet, has_ack ? TcpState::time_wait : TcpState::closing);
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  if (has_ack && !packet.is_to_server() && is_repeated) {
    take_bytes(session, packet);
    return Outcome::accepted;
  }
  catch_up_behind_fin(receiver, packet);
  const uint32_t expected = sender.next_sequence - (has_ack && packet.is_to_server() ? 0 : 1);
  if (packet.sequence == expected) {
    update_next_sequence(session, sender, packet.right_edge());
  }
  finish_closing(session, packet, true);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::ack_in_fin_wait1(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::fin1_invalid_ack);
    return Outcome::invalid;
  }
  // To the server only the ACK of the server's FIN moves on.
  const bool acks_fin = !packet.is_to_server() || packet.acknowledgement == receiver.next_sequence;
  const uint32_t expected = sender.next_sequence - (packet.is_to_server() ? 0 : 1);
  if (!is_repeated && acks_fin) {
    if (!is_in_window(session, packet, sender)) {
      packet.note(StreamEvent::fin1_ack_wrong_sequence);
      return Outcome::invalid;
    }
    if (packet.sequence == expected) {
      set_state(session, packet, TcpState::fin_wait2);
    }
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  catch_up_behind_fin(receiver, packet);
  if (packet.sequence == expected) {
    update_next_sequence(session, sender, packet.right_edge());
  }
  update_last_ack(receiver, packet.acknowledgement);
  sacks_.update(receiver, packet.sack_blocks);
  update_next_window(receiver);
  take_bytes(session, packet);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::on_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept {
  switch (kind_of(packet)) {
    case Kind::resets:
      return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
    case Kind::ends:
      return fin_in_fin_wait2(session, packet);
    case Kind::opens:
      packet.note(StreamEvent::shutdown_syn_resend);
      return Outcome::invalid;
    case Kind::acknowledges:
      return ack_in_fin_wait2(session, packet);
    case Kind::nothing:
      break;
  }
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::fin_in_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = (packet.sequence == sender.next_sequence - 1 &&
                            packet.acknowledgement == receiver.last_ack) ||
                           is_retransmission(sender, packet);
  if (!is_repeated &&
      (is_before(packet.sequence, sender.next_sequence) || is_beyond_window(packet, sender))) {
    packet.note(StreamEvent::fin2_fin_wrong_sequence);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::fin2_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    set_state(session, packet, TcpState::time_wait);
    if (packet.is_to_server() && sender.next_sequence == packet.sequence) {
      update_next_sequence(session, sender, packet.right_edge());
    }
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  catch_up(receiver, packet);
  finish_closing(session, packet, true);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::ack_in_fin_wait2(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::fin2_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    if (!is_in_window(session, packet, sender)) {
      packet.note(StreamEvent::fin2_ack_wrong_sequence);
      return Outcome::invalid;
    }
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  if (sender.next_sequence == packet.sequence) {
    update_next_sequence(session, sender, packet.right_edge());
  }
  update_last_ack(receiver, packet.acknowledgement);
  sacks_.update(receiver, packet.sack_blocks);
  update_next_window(receiver);
  take_bytes(session, packet);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::on_closing(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.has(rst)) {
    return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
  }
  if (packet.has(syn)) {
    packet.note(StreamEvent::shutdown_syn_resend);
    return Outcome::invalid;
  }
  if (!packet.has(ack)) {
    return Outcome::accepted;
  }
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  if (packet.sequence != sender.next_sequence) {
    packet.note(StreamEvent::closing_ack_wrong_sequence);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::closing_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    set_state(session, packet, TcpState::time_wait);
    session.client().window = scaled(packet, session.client());
  }
  take_timestamp(session, packet);
  catch_up(receiver_of(session, packet), packet);
  finish_closing(session, packet, false);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::on_close_wait(TcpSession& session, TcpPacket& packet) noexcept {
  switch (kind_of(packet)) {
    case Kind::resets:
      return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
    case Kind::ends:
      return fin_in_close_wait(session, packet);
    case Kind::opens:
      packet.note(StreamEvent::shutdown_syn_resend);
      return Outcome::invalid;
    case Kind::acknowledges:
      return ack_in_close_wait(session, packet);
    case Kind::nothing:
      break;
  }
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::fin_in_close_wait(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  if (!is_repeated &&
      (is_before(packet.sequence, sender.next_sequence) || is_beyond_window(packet, sender))) {
    packet.note(StreamEvent::close_wait_fin_out_of_window);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::close_wait_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    if (!packet.is_to_server()) {  // only the server's FIN ends what the client's began
      set_state(session, packet, TcpState::last_ack);
    }
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  catch_up(receiver, packet);
  finish_closing(session, packet, true);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::ack_in_close_wait(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  if (packet.length > 0 && is_at_or_before(packet.right_edge(), sender.last_ack)) {
    packet.note(StreamEvent::close_wait_packet_before_last_ack);
    return Outcome::invalid;
  }
  if (is_beyond_window(packet, sender)) {
    packet.note(StreamEvent::close_wait_ack_out_of_window);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::close_wait_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  catch_up(receiver, packet);
  if (packet.sequence == sender.next_sequence) {
    update_next_sequence(session, sender, packet.right_edge());
  }
  finish_closing(session, packet, false);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::on_last_ack(TcpSession& session, TcpPacket& packet) noexcept {
  const Kind kind = kind_of(packet);
  if (kind == Kind::resets) {
    return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
  }
  if (kind == Kind::opens) {
    packet.note(StreamEvent::shutdown_syn_resend);
    return Outcome::invalid;
  }
  if (kind != Kind::acknowledges) {
    return Outcome::accepted;
  }
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  if (!packet.is_to_server()) {
    return Outcome::accepted;
  }
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  const bool is_repeated = is_retransmission(client, packet);
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::last_ack_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    const uint32_t ahead = packet.sequence - client.next_sequence;
    if (ahead <= 1) {
      set_state(session, packet, TcpState::closed);
    } else if (!is_before(packet.sequence, client.next_sequence)) {
      packet.note(StreamEvent::last_ack_ack_wrong_sequence);
      return Outcome::invalid;
    }
    server.window = scaled(packet, server);
  }
  take_timestamp(session, packet);
  catch_up(server, packet);
  finish_closing(session, packet, false);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::on_time_wait(TcpSession& session, TcpPacket& packet) noexcept {
  const Kind kind = kind_of(packet);
  if (kind == Kind::resets) {
    return reset_is_valid(session, packet) ? reset_closing(session, packet) : Outcome::invalid;
  }
  if (kind == Kind::opens) {
    packet.note(StreamEvent::shutdown_syn_resend);
    return Outcome::invalid;
  }
  if (kind != Kind::acknowledges) {
    return Outcome::accepted;
  }
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  const bool is_repeated = is_retransmission(sender, packet);
  // The client's FIN may or may not have been counted; the server's always was.
  const uint32_t first = sender.next_sequence - (packet.is_to_server() ? 0 : 1);
  if (!is_repeated && packet.sequence - first > 1) {
    if (!packet.is_to_server() && packet.length > 0 && packet.sequence == sender.last_ack) {
      return Outcome::accepted;
    }
    packet.note(StreamEvent::time_wait_ack_wrong_sequence);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::time_wait_invalid_ack);
    return Outcome::invalid;
  }
  if (!is_repeated) {
    set_state(session, packet, TcpState::closed);
    receiver.window = scaled(packet, receiver);
  }
  take_timestamp(session, packet);
  catch_up(receiver, packet);
  finish_closing(session, packet, false);
  return Outcome::accepted;
}

// Nothing is to come, unless the one who was sent a RST shows that he never got it.
TcpTracker::Outcome TcpTracker::on_closed(TcpSession& session, TcpPacket& packet) noexcept {
  const bool sender_was_reset =
      (sender_of(session, packet).flags & stream_flag::reset_received) != 0;
  const bool receiver_was_reset =
      (receiver_of(session, packet).flags & stream_flag::reset_received) != 0;
  if (packet.has(rst) || sender_was_reset || !receiver_was_reset ||
      session.previous_state == TcpState::closed) {
    return Outcome::accepted;
  }
  if (dispatch(session.previous_state, session, packet) == Outcome::invalid) {
    return Outcome::invalid;
  }
  if (session.state == TcpState::closed) {
    session.state = session.previous_state;
  }
  return Outcome::accepted;
}

}  // namespace shrike::flow
