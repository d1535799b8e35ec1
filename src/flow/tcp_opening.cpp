// States without a connection yet: nothing seen, and a SYN sent.
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

constexpr uint8_t window_scale_max = 14;  // RFC 7323, 2.3; assumed where the handshake is missing

}  // namespace

// Whether a session may begin in the middle. Where not, midstream_policy has a say.
bool TcpTracker::may_pick_up(TcpPacket& packet, bool is_enabled) noexcept {
  packet.midstream_refused = true;
  return is_enabled && (options_.midstream_policy == ExceptionPolicy::ignore ||
                        options_.midstream_policy == ExceptionPolicy::pass_flow);
}

void TcpTracker::begin_session(TcpSession& session, const TcpPacket& packet,
                               bool is_pickup) noexcept {
  sender_of(session, packet).tcp_flags = packet.flags;
  counters_.add(FlowCounter::tcp_sessions);
  counters_.add(FlowCounter::tcp_active_sessions);
  if (is_pickup) {
    counters_.add(FlowCounter::tcp_midstream_pickups);
  }
  if (options_.async_one_side) {
    session.flags |= session_flag::one_sided;
  }
}

TcpTracker::Outcome TcpTracker::on_none(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.has(rst)) {
    packet.note(StreamEvent::reset_but_no_session);
    return Outcome::invalid;
  }
  if (packet.has(fin)) {
    if (!may_pick_up(packet, options_.midstream && packet.length > 0)) {
      packet.note(StreamEvent::fin_but_no_session);
      return Outcome::invalid;
    }
    pick_up_data(session, packet, TcpState::fin_wait1);
  } else if (packet.is_synack()) {
    if (may_pick_up(packet, options_.midstream || options_.async_one_side)) {
      pick_up_synack(session, packet);
    }
  } else if (packet.has(syn)) {
    open_from_syn(session, packet);
  } else if (packet.has(ack) && may_pick_up(packet, options_.midstream)) {
    pick_up_data(session, packet, TcpState::established);
  }
  return Outcome::accepted;
}

void TcpTracker::open_from_syn(TcpSession& session, TcpPacket& packet) noexcept {
  begin_session(session, packet, false);
  set_state(session, packet, TcpState::syn_sent);
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  set_base(client, packet.sequence);
  client.next_sequence = packet.sequence + 1;
  if (packet.has_timestamp) {
    client.last_timestamp = packet.timestamp;
    client.last_timestamp_seconds = packet.seconds;
    client.flags |= stream_flag::has_timestamps;
    client.flags |= packet.timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  }
  server.window = packet.window;
  if (packet.has_window_scale) {
    session.flags |= session_flag::window_scale_offered;
    server.window_scale = packet.window_scale;
  }
  if (packet.sack_permitted) {
    session.flags |= session_flag::sack_offered;
  }
  if (packet.has_fast_open) {
    session.flags |= session_flag::fast_open;
    if (packet.length > 0) {
      update_next_sequence(session, client, client.next_sequence + packet.length);
      take_bytes(session, packet);
    }
  }
}

// The sender of a SYN/ACK is the server: client and server change places.
void TcpTracker::pick_up_synack(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.is_to_server()) {
    packet.was_reversed = true;
    packet.direction = Direction::to_client;
  }
  begin_session(session, packet, true);
  set_state(session, packet, TcpState::syn_received);
  session.flags |= session_flag::midstream | session_flag::midstream_synack;
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  set_base(server, packet.sequence);
  server.next_sequence = packet.sequence + 1;
  server.window = packet.window;
  set_base(client, packet.acknowledgement - 1);
  client.next_sequence = packet.acknowledgement;
  client.last_ack = packet.acknowledgement;
  server.last_ack = packet.sequence;
  server.next_window = server.last_ack + server.window;
  if (packet.has_window_scale) {  // the client had one too, or the server had not answered it
    client.window_scale = packet.window_scale;
    server.window_scale = window_scale_max;
  }
  if (packet.has_timestamp) {
    server.last_timestamp = packet.timestamp;
    client.last_timestamp = packet.timestamp_echo;
    session.flags |= session_flag::timestamps;
    server.last_timestamp_seconds = packet.seconds;
    server.flags |= server.last_timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
    client.flags |= client.last_timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  }
  if (packet.sack_permitted) {
    session.flags |= session_flag::sack_permitted;
  }
}

void TcpTracker::pick_up_data(TcpSession& session, TcpPacket& packet, TcpState state) noexcept {
  session.flags = session_flag::midstream | session_flag::midstream_established;
  begin_session(session, packet, true);
  set_state(session, packet, state);
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  client.window_scale = window_scale_max;
  server.window_scale = window_scale_max;
  set_base(client, packet.sequence - 1);
  client.next_sequence = packet.right_edge() + (packet.has(fin) ? 1 : 0);
  client.window = scaled(packet, client);
  client.last_ack = packet.sequence;
  client.next_window = client.last_ack + client.window;
  set_base(server, packet.acknowledgement - 1);
  server.next_sequence = packet.acknowledgement;
  server.last_ack = packet.acknowledgement;
  server.next_window = server.last_ack;
  if (packet.has_timestamp) {
    client.last_timestamp = packet.timestamp;
    server.last_timestamp = packet.timestamp_echo;
    session.flags |= session_flag::timestamps;
    client.last_timestamp_seconds = packet.seconds;
    server.flags |= server.last_timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
    client.flags |= client.last_timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  }
  take_bytes(session, packet);
  session.flags |= session_flag::sack_permitted;
}

TcpTracker::Outcome TcpTracker::on_syn_sent(TcpSession& session, TcpPacket& packet) noexcept {
  if (packet.is_synack()) {
    return packet.is_to_server() ? answer_four_way(session, packet) : answer_syn(session, packet);
  }
  const TcpStream& client = session.client();
  if (!packet.is_to_server() && packet.has_timestamp && packet.timestamp_echo != 0) {
    const bool has_timestamps = (client.flags & stream_flag::has_timestamps) != 0;
    const bool is_wrong = has_timestamps ? client.last_timestamp != 0 &&
                                               packet.timestamp_echo != client.last_timestamp
                                         : client.last_timestamp == 0;
    if (is_wrong) {
      packet.note(StreamEvent::packet_invalid_timestamp);
      return Outcome::invalid;
    }
  }
  if (packet.has(rst)) {
    return reset_syn_sent(session, packet);
  }
  if (packet.has(fin)) {
    return Outcome::accepted;
  }
  if (packet.has(syn)) {
    packet.is_to_server() ? repeat_syn(session, packet) : cross_syn(session, packet);
    return Outcome::accepted;
  }
  if (packet.has(ack) && options_.async_one_side) {
    return go_one_sided(session, packet);
  }
  return Outcome::accepted;
}

// The answer to a SYN that crossed ours ("the three-way handshake is a lie").
TcpTracker::Outcome TcpTracker::answer_four_way(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  if (!session.has(session_flag::four_way)) {
    packet.note(StreamEvent::three_way_handshake_synack_in_wrong_direction);
    return Outcome::invalid;
  }
  if (packet.acknowledgement != server.initial_sequence + 1) {
    packet.note(StreamEvent::four_way_handshake_synack_with_wrong_ack);
    return Outcome::invalid;
  }
  if (packet.sequence != client.initial_sequence) {
    packet.note(StreamEvent::four_way_handshake_synack_with_wrong_syn);
    return Outcome::invalid;
  }
  set_state(session, packet, TcpState::syn_received);
  set_base(client, packet.sequence);
  client.next_sequence = packet.sequence + 1;
  server.window = packet.window;
  if (packet.has_timestamp && (server.flags & stream_flag::has_timestamps) != 0) {
    client.last_timestamp = packet.timestamp;
    session.flags |= session_flag::timestamps;
    client.last_timestamp_seconds = packet.seconds;
    client.flags |= packet.timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  } else {
    server.last_timestamp = 0;
    client.last_timestamp = 0;
    server.flags &= static_cast<uint16_t>(~stream_flag::zero_timestamp);
  }
  server.last_ack = packet.acknowledgement;
  client.last_ack = client.initial_sequence + 1;
  const bool scales = session.has(session_flag::window_scale_offered) && packet.has_window_scale;
  server.window_scale = scales ? packet.window_scale : uint8_t{0};
  if (session.has(session_flag::sack_offered) && packet.sack_permitted) {
    session.flags |= session_flag::sack_permitted;
  }
  client.next_window = client.last_ack + client.window;
  server.next_window = server.last_ack + server.window;
  return Outcome::accepted;
}

void TcpTracker::cross_syn(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& server = session.server();
  session.flags |= session_flag::four_way;
  set_base(server, packet.sequence);
  server.next_sequence = packet.sequence + 1;
  if (packet.has_timestamp) {
    server.last_timestamp = packet.timestamp;
    server.last_timestamp_seconds = packet.seconds;
    server.flags |= stream_flag::has_timestamps;
    server.flags |= packet.timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  }
  server.window = packet.window;
  session.flags &= ~(session_flag::window_scale_offered | session_flag::sack_offered);
  session.flags |= packet.has_window_scale ? session_flag::window_scale_offered : 0;
  session.flags |= packet.sack_permitted ? session_flag::sack_offered : 0;
  server.window_scale = packet.window_scale;
}

TcpTracker::Outcome TcpTracker::reset_syn_sent(TcpSession& session, TcpPacket& packet) noexcept {
  if (!reset_is_valid(session, packet)) {
    return Outcome::invalid;
  }
  const TcpStream& client = session.client();
  const bool is_odd_client_reset = packet.sequence == client.initial_sequence &&
                                   packet.window == 0 &&
                                   packet.acknowledgement == client.initial_sequence + 1;
  if (packet.is_to_server() && !is_odd_client_reset) {
    return Outcome::accepted;
  }
  receiver_of(session, packet).flags |= stream_flag::reset_received;
  close_with_reset(session, packet);
  clear_queue(session);
  return Outcome::accepted;
}

// After the SYN the same side goes on: the other one's packets take another way.
TcpTracker::Outcome TcpTracker::go_one_sided(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  if (packet.sequence != client.next_sequence) {
    packet.note(StreamEvent::three_way_handshake_async_wrong_sequence);
    return Outcome::invalid;
  }
  session.flags |= session_flag::one_sided;
  set_state(session, packet, TcpState::established);
  clear_queue(session);
  client.window = packet.window;
  client.last_ack = packet.sequence;
  client.next_window = client.last_ack + client.window;
  set_base(server, packet.acknowledgement - 1);
  server.next_sequence = packet.acknowledgement;
  server.last_ack = server.next_sequence;
  server.next_window = server.last_ack;
  if (session.has(session_flag::window_scale_offered)) {
    client.window_scale = window_scale_max;
  }
  if (packet.has_timestamp && (client.flags & stream_flag::has_timestamps) != 0) {
    session.flags |= session_flag::timestamps;
    client.flags &= static_cast<uint16_t>(~stream_flag::has_timestamps);
    client.last_timestamp_seconds = packet.seconds;
  } else {
    client.last_timestamp = 0;
    client.flags &= static_cast<uint16_t>(~stream_flag::zero_timestamp);
  }
  if (session.has(session_flag::sack_offered)) {
    session.flags |= session_flag::sack_permitted;
  }
  take_bytes(session, packet);
  return Outcome::accepted;
}

}  // namespace shrike::flow
