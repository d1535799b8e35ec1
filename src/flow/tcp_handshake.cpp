// The state in which a SYN/ACK was seen and the third packet is waited for.
#include "sequence.h"
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

constexpr uint8_t window_scale_max = 14;

bool ignores_stray_reset(TargetPolicy policy) noexcept {
  return policy == TargetPolicy::linux || policy == TargetPolicy::old_linux ||
         policy == TargetPolicy::solaris;
}

}  // namespace

TcpTracker::Outcome TcpTracker::on_syn_received(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.has(rst)) {
    return reset_syn_received(session, packet);
  }
  if (packet.has(fin)) {
    if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
      return Outcome::invalid;
    }
    return take_fin(session, packet);
  }
  if (packet.is_synack()) {
    return repeat_synack(session, packet);
  }
  if (packet.has(syn)) {
    if (!packet.is_to_server()) {
      packet.note(StreamEvent::three_way_handshake_syn_to_client_on_syn_received);
      return Outcome::invalid;
    }
    if (packet.sequence != session.client().initial_sequence) {
      packet.note(StreamEvent::three_way_handshake_syn_resend_different_sequence_on_syn_received);
      return Outcome::invalid;
    }
    return Outcome::accepted;
  }
  return packet.has(ack) ? complete_handshake(session, packet) : Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::reset_syn_received(TcpSession& session,
                                                   TcpPacket& packet) noexcept {
  if (!reset_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  // After an evasion attempt, some systems take the RST for a stray one and keep the connection.
  if (session.has(session_flag::evasion_attempt) &&
      ignores_stray_reset(receiver_of(session, packet).policy)) {
    return Outcome::accepted;
  }
  close_with_reset(session, packet);
  take_timestamp(session, packet);
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::repeat_synack(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.is_to_server()) {
    packet.note(StreamEvent::three_way_handshake_synack_to_server_on_syn_received);
    return Outcome::invalid;
  }
  if (packet.acknowledgement != session.client().last_ack) {
    packet.note(StreamEvent::three_way_handshake_synack_resend_with_different_ack);
    return Outcome::invalid;
  }
  if (packet.sequence != session.server().initial_sequence && !queue_synack(session, packet)) {
    return Outcome::invalid;
  }
  return Outcome::accepted;
}

TcpTracker::Outcome TcpTracker::complete_handshake(TcpSession& session,
                                                   TcpPacket& packet) noexcept {
  if (session.queued > 0) {
    if (const QueuedHandshake* synack = find_synack(session, packet)) {
      use_synack(session, packet, *synack);
    }
  }
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  if (session.has(session_flag::four_way) && !packet.is_to_server()) {
    return complete_four_way(session, packet);
  }
  bool missed_ack = false;
  const bool is_expected = packet.is_to_server() || session.has(session_flag::midstream_synack) ||
                           session.has(session_flag::fast_open);
  if (!is_expected) {
    // Inline we see all packets, so this one was injected. Listening, we may have lost one.
    if (options_.is_inline) {
      const bool fits = packet.length > 0 && packet.acknowledgement == session.client().last_ack &&
                        packet.sequence == session.server().next_sequence;
      packet.note(fits ? StreamEvent::three_way_handshake_ack_data_inject
                       : StreamEvent::three_way_handshake_ack_in_wrong_direction);
      return Outcome::invalid;
    }
    missed_ack = true;
  }
  return take_third_packet(session, packet, missed_ack);
}

TcpTracker::Outcome TcpTracker::complete_four_way(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  if (packet.sequence != server.next_sequence) {
    packet.note(StreamEvent::four_way_handshake_wrong_sequence);
    return Outcome::invalid;
  }
  if (!ack_is_valid(session, packet)) {
    packet.note(StreamEvent::four_way_handshake_invalid_ack);
    return Outcome::invalid;
  }
  take_timestamp(session, packet);
  update_last_ack(client, packet.acknowledgement);
  update_next_sequence(session, server, server.next_sequence + packet.length);
  client.window = scaled(packet, client);
  client.next_window = client.last_ack + client.window;
  set_state(session, packet, TcpState::established);
  take_bytes(session, packet);
  return Outcome::accepted;
}

// Which of the possible third packets it is. The order matters: the first that fits counts.
TcpTracker::Outcome TcpTracker::take_third_packet(TcpSession& session, TcpPacket& packet,
                                                  bool missed_ack) noexcept {
  const TcpStream& client = session.client();
  const TcpStream& server = session.server();
  const uint32_t sequence = packet.sequence;
  const uint32_t number = packet.acknowledgement;
  if (sequence == client.next_sequence && number == server.next_sequence) {
    take_normal_third(session, packet);
  } else if (options_.async_one_side && sequence == server.next_sequence) {
    take_one_sided_third(session, packet);
  } else if (sequence == client.next_sequence) {
    // Most systems answer this with a RST, but not all: the session may live on unseen.
    session.flags |= session_flag::evasion_attempt;
    packet.note(StreamEvent::three_way_handshake_right_sequence_wrong_ack_evasion);
    return Outcome::invalid;
  } else if (!packet.is_to_server() && !options_.is_inline &&
             is_after(sequence, client.next_sequence) && is_after(number, client.last_ack)) {
    take_third_from_server(session, packet);
  } else if (is_after(sequence, client.next_sequence) &&
             is_at_or_before(sequence, client.next_window) && number == server.next_sequence) {
    take_third_after_loss(session, packet);
  } else if ((missed_ack || session.has(session_flag::fast_open)) && number == client.last_ack &&
             sequence == server.next_sequence) {
    update_next_sequence(session, session.server(), packet.right_edge());
    session.server().window = scaled(packet, server);
    session.server().next_window = server.last_ack + server.window;
    set_state(session, packet, TcpState::established);
    // The bytes are the server's, whoever sent the packet.
    take_bytes(session, packet);
  } else {
    packet.note(StreamEvent::three_way_handshake_wrong_sequence_wrong_ack);
    return Outcome::invalid;
  }
  return Outcome::accepted;
}

void TcpTracker::take_normal_third(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  take_timestamp(session, packet);
  update_last_ack(server, packet.acknowledgement);
  update_next_sequence(session, client, client.next_sequence + packet.length);
  server.window = scaled(packet, server);
  server.next_window = server.last_ack + server.window;
  if (session.has(session_flag::midstream)) {
    client.window = scaled(packet, client);
    client.next_window = client.last_ack + client.window;
    if (!session.has(session_flag::midstream_synack)) {
      server.window_scale = client.window_scale = window_scale_max;
      session.flags |= session_flag::sack_permitted;
    }
  }
  set_state(session, packet, TcpState::established);
  // With payload, the bare third packet was lost, and this one counts as established already.
  packet.counts_as_established = packet.length > 0;
  take_bytes(session, packet);
}

void TcpTracker::take_one_sided_third(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  session.flags |= session_flag::one_sided;
  server.next_sequence += packet.length;
  server.last_ack = packet.sequence;
  client.window = scaled(packet, client);
  client.last_ack = packet.acknowledgement;
  take_timestamp(session, packet);
  if (session.has(session_flag::midstream)) {
    server.window = packet.window;
    server.next_window = server.last_ack + server.window;
    server.window_scale = client.window_scale = window_scale_max;
    session.flags |= session_flag::sack_permitted;
  }
  set_state(session, packet, TcpState::established);
  take_bytes(session, packet);
}

void TcpTracker::take_third_from_server(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  take_timestamp(session, packet);
  update_last_ack(client, packet.acknowledgement);
  server.next_sequence = packet.right_edge();
  client.window = scaled(packet, client);
  client.next_window = client.last_ack + client.window;
  client.window = packet.window;
  server.next_window = server.last_ack + server.window;
  set_state(session, packet, TcpState::established);
  take_bytes(session, packet);
}

void TcpTracker::take_third_after_loss(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  take_timestamp(session, packet);
  client.next_sequence = packet.right_edge();
  update_last_ack(server, packet.acknowledgement);
  server.window = scaled(packet, server);
  server.next_window = server.last_ack + server.window;
  if (session.has(session_flag::midstream)) {
    client.window = packet.window;
    server.window_scale = client.window_scale = window_scale_max;
    session.flags |= session_flag::sack_permitted;
  }
  set_state(session, packet, TcpState::established);
  take_bytes(session, packet);
}

}  // namespace shrike::flow
