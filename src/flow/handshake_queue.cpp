// SYNs and SYN/ACKs that were sent more than once with different contents: which one counts
// shows only when it is answered.
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

QueuedHandshake as_queued(const TcpPacket& packet) noexcept {
  QueuedHandshake queued;
  queued.sequence = packet.sequence;
  queued.window = packet.window;
  queued.seconds = packet.seconds;
  queued.has_sack = packet.sack_permitted;
  queued.has_window_scale = packet.has_window_scale;
  queued.window_scale = packet.window_scale;
  queued.has_timestamp = packet.has_timestamp;
  queued.timestamp = packet.timestamp;
  return queued;
}

/// The SYN that the session follows at present.
QueuedHandshake present_syn(const TcpSession& session) noexcept {
  const TcpStream& client = session.client();
  QueuedHandshake syn;
  syn.sequence = client.initial_sequence;
  syn.window = static_cast<uint16_t>(session.server().window);
  syn.seconds = client.last_timestamp_seconds;
  syn.has_sack = session.has(session_flag::sack_offered);
  syn.has_window_scale = session.has(session_flag::window_scale_offered);
  syn.window_scale = syn.has_window_scale ? session.server().window_scale : uint8_t{0};
  syn.has_timestamp = (client.flags & stream_flag::has_timestamps) != 0;
  syn.timestamp = syn.has_timestamp ? client.last_timestamp : 0;
  return syn;
}

}  // namespace

void TcpTracker::clear_queue(TcpSession& session) noexcept {
  while (session.first_queued != 0) {
    const uint32_t index = session.first_queued;
    session.first_queued = queue_[index].next;
    queue_.give_back(index);
  }
  session.queued = 0;
}

bool TcpTracker::queue_synack(TcpSession& session, TcpPacket& packet) noexcept {
  QueuedHandshake synack = as_queued(packet);
  synack.acknowledgement = packet.acknowledgement;
  for (uint32_t i = session.first_queued; i != 0; i = queue_[i].next) {
    if (queue_[i].is_same_answer(synack)) {
      return true;
    }
  }
  if (session.queued == options_.synack_queue_max) {
    packet.note(StreamEvent::three_way_handshake_synack_flood);
    return false;
  }
  const uint32_t index = queue_.take();
  if (index == 0) {
    return false;
  }
  synack.next = session.first_queued;
  queue_[index] = synack;
  session.first_queued = index;
  ++session.queued;
  return true;
}

const QueuedHandshake* TcpTracker::find_synack(const TcpSession& session,
                                               const TcpPacket& ack) const noexcept {
  for (uint32_t i = session.first_queued; i != 0; i = queue_[i].next) {
    const QueuedHandshake& synack = queue_[i];
    if (synack.sequence == ack.acknowledgement - 1 && synack.acknowledgement == ack.sequence) {
      return &synack;
    }
  }
  return nullptr;
}

// Keeps the SYN that the session followed so far; a full queue loses its oldest.
void TcpTracker::queue_syn(TcpSession& session, TcpPacket& packet) noexcept {
  QueuedHandshake syn = present_syn(session);
  uint32_t last = 0;
  for (uint32_t i = session.first_queued; i != 0; i = queue_[i].next) {
    const QueuedHandshake& other = queue_[i];
    if (syn.has_timestamp && other.has_timestamp && syn.timestamp == other.timestamp &&
        syn.sequence == other.sequence) {
      return;
    }
    last = i;
  }
  uint32_t index = 0;
  if (session.queued > 0 && session.queued == options_.syn_queue_max) {
    packet.note(StreamEvent::three_way_handshake_syn_flood);
    index = session.first_queued;
    session.first_queued = queue_[index].next;
    last = last == index ? 0 : last;
  } else {
    index = queue_.take();
    if (index == 0) {
      return;
    }
    ++session.queued;
  }
  queue_[index] = syn;
  (last == 0 ? session.first_queued : queue_[last].next) = index;
}

void TcpTracker::apply_syn(TcpSession& session, const QueuedHandshake& syn) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  if (syn.has_timestamp) {
    client.last_timestamp_seconds = syn.seconds;
    client.last_timestamp = syn.timestamp;
    client.flags |= stream_flag::has_timestamps;
  }
  session.flags &= ~(session_flag::window_scale_offered | session_flag::sack_offered);
  session.flags |= syn.has_window_scale ? session_flag::window_scale_offered : 0;
  session.flags |= syn.has_sack ? session_flag::sack_offered : 0;
  server.window_scale = syn.window_scale;
  server.window = syn.window;
  set_base(client, syn.sequence);
  client.next_sequence = syn.sequence + 1;
}

bool TcpTracker::use_queued_syn(TcpSession& session, const TcpPacket& packet) noexcept {
  const uint32_t sequence = packet.acknowledgement - 1;
  for (uint32_t i = session.first_queued; i != 0; i = queue_[i].next) {
    const QueuedHandshake& syn = queue_[i];
    const bool is_it = packet.has_timestamp
                           ? syn.has_timestamp && syn.timestamp == packet.timestamp_echo
                           : options_.liberal_timestamps;
    if (is_it && syn.sequence == sequence) {
      apply_syn(session, syn);
      return true;
    }
  }
  return false;
}

// The SYN was sent again. What differs from the one before is remembered, but the newest counts.
void TcpTracker::repeat_syn(TcpSession& session, TcpPacket& packet) noexcept {
  const QueuedHandshake syn = as_queued(packet);
  if (!(syn == present_syn(session))) {
    queue_syn(session, packet);
  }
  apply_syn(session, syn);
}

// Everything a session learns from the SYN/ACK that counts, be it this packet or a queued one.
void TcpTracker::use_synack(TcpSession& session, TcpPacket& packet,
                            const QueuedHandshake& synack) noexcept {
  TcpStream& client = session.client();
  TcpStream& server = session.server();
  set_state(session, packet, TcpState::syn_received);
  set_base(server, synack.sequence);
  server.next_sequence = synack.sequence + 1;
  client.window = synack.window;
  if (synack.has_timestamp && (client.flags & stream_flag::has_timestamps) != 0) {
    server.last_timestamp = synack.timestamp;
    session.flags |= session_flag::timestamps;
    server.last_timestamp_seconds = synack.seconds;
    server.flags |= server.last_timestamp == 0 ? stream_flag::zero_timestamp : uint16_t{0};
  } else {
    client.last_timestamp = 0;
    server.last_timestamp = 0;
    client.flags &= static_cast<uint16_t>(~stream_flag::zero_timestamp);
  }
  client.last_ack = synack.acknowledgement;
  server.last_ack = server.initial_sequence + 1;
  const bool scales = session.has(session_flag::window_scale_offered) && synack.has_window_scale;
  client.window_scale = scales ? synack.window_scale : uint8_t{0};
  session.flags &= ~(session_flag::sack_permitted | session_flag::four_way);
  if (session.has(session_flag::sack_offered) && synack.has_sack) {
    session.flags |= session_flag::sack_permitted;
  }
  server.next_window = server.last_ack + server.window;
  client.next_window = client.last_ack + client.window;
}

TcpTracker::Outcome TcpTracker::answer_syn(TcpSession& session, TcpPacket& packet) noexcept {
  const TcpStream& client = session.client();
  bool echo_is_wrong = false;
  if (packet.has_timestamp && !options_.liberal_timestamps) {
    echo_is_wrong =
        packet.timestamp_echo != 0 && packet.timestamp_echo != client.last_timestamp &&
        ((client.flags & stream_flag::has_timestamps) == 0 || client.last_timestamp != 0);
  }
  const bool is_fast_open = packet.has_fast_open || session.has(session_flag::fast_open);
  const bool matches = is_fast_open ? matches_fast_open(session, packet, echo_is_wrong)
                                    : matches_syn(session, packet, echo_is_wrong);
  if (!matches) {
    return Outcome::invalid;
  }
  clear_queue(session);
  QueuedHandshake synack = as_queued(packet);
  synack.acknowledgement = packet.acknowledgement;
  use_synack(session, packet, synack);
  return Outcome::accepted;
}

bool TcpTracker::matches_syn(TcpSession& session, TcpPacket& packet, bool echo_is_wrong) noexcept {
  const bool fits = packet.acknowledgement == session.client().initial_sequence + 1;
  if (fits && !echo_is_wrong) {
    return true;
  }
  if (use_queued_syn(session, packet)) {
    return true;
  }
  packet.note(fits ? StreamEvent::packet_invalid_timestamp
                   : StreamEvent::three_way_handshake_synack_with_wrong_ack);
  return false;
}

// RFC 7413: the server may acknowledge the SYN's data, or only the SYN.
bool TcpTracker::matches_fast_open(TcpSession& session, TcpPacket& packet,
                                   bool echo_is_wrong) noexcept {
  TcpStream& client = session.client();
  const bool takes_data = packet.acknowledgement == client.next_sequence;
  const bool takes_syn = packet.acknowledgement == client.initial_sequence + 1;
  if (takes_data && !echo_is_wrong) {
    // fits
  } else if (takes_syn && !echo_is_wrong) {
    client.next_sequence = client.initial_sequence;
    packet.note(StreamEvent::three_way_handshake_synack_fast_open_data_ignored);
    session.flags |= session_flag::fast_open_data_ignored;
  } else if (!use_queued_syn(session, packet)) {
    packet.note(takes_data || takes_syn ? StreamEvent::packet_invalid_timestamp
                                        : StreamEvent::three_way_handshake_synack_with_wrong_ack);
    return false;
  }
  session.flags |= session_flag::fast_open;
  return true;
}

}  // namespace shrike::flow
