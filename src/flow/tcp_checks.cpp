// What a segment is, and whether its numbers, timestamps and resets are to be believed.
#include "overlap_policy.h"
#include "sequence.h"
#include "tcp_tracker.h"

namespace shrike::flow {
namespace {

using tcp_flag::ack;
using tcp_flag::fin;
using tcp_flag::rst;
using tcp_flag::syn;

constexpr uint8_t opening_or_closing = syn | fin | rst;
constexpr uint32_t paws_seconds = 24 * 24 * 3600;  // RFC 7323, 5.5: timestamps older are outdated

/// The last ACK of an orderly shutdown, behind both FINs.
bool is_shutdown_ack(const TcpSession& session, const TcpPacket& packet, const TcpStream& sender,
                     const TcpStream& receiver) noexcept {
  const bool is_shutting_down = session.state == TcpState::time_wait ||
                                session.state == TcpState::close_wait ||
                                session.state == TcpState::last_ack;
  return is_shutting_down && packet.flags == ack && packet.length == 0 &&
         packet.sequence == sender.next_sequence + 1 &&
         packet.acknowledgement == receiver.next_sequence + 1;
}

bool is_window_update(const TcpSession& session, const TcpPacket& packet, const TcpStream& sender,
                      const TcpStream& receiver, uint32_t window) noexcept {
  return is_at_least(session.state, TcpState::established) && packet.length == 0 &&
         (packet.flags & opening_or_closing) == 0 && packet.window != 0 &&
         window != receiver.window && packet.acknowledgement == receiver.last_ack &&
         packet.sequence == sender.next_sequence;
}

/// A segment ahead of the session that shrinks the window by more than it acknowledges: those
/// that we expect would then be out of window. Source: Suricata, bug 1238.
bool shrinks_window(const TcpSession& session, const TcpPacket& packet, const TcpStream& sender,
                    const TcpStream& receiver, uint32_t window) noexcept {
  if (!is_at_least(session.state, TcpState::established) || session.state == TcpState::closed ||
      (packet.flags & opening_or_closing) != 0 || window >= receiver.window) {
    return false;
  }
  const uint32_t shrunk = receiver.window - window;
  if (shrunk <= packet.length || !is_after(packet.acknowledgement, receiver.next_sequence) ||
      !is_after(packet.sequence, sender.next_sequence)) {
    return false;
  }
  constexpr uint32_t margin = 32;  // packets after a loss overrun a little
  const uint32_t acknowledged = packet.acknowledgement - receiver.last_ack;
  return window > 1024 ? shrunk > acknowledged + margin : shrunk > acknowledged;
}

bool is_bare_ack(const TcpSession& session, const TcpPacket& packet) noexcept {
  return is_at_least(session.state, TcpState::established) && packet.length == 0 &&
         (packet.flags & (ack | opening_or_closing)) == ack;
}

}  // namespace

bool TcpTracker::is_keep_alive(TcpSession& session, const TcpPacket& packet) noexcept {
  TcpStream& sender = sender_of(session, packet);
  const bool is_one = packet.length <= 1 && (packet.flags & opening_or_closing) == 0 &&
                      packet.acknowledgement == receiver_of(session, packet).last_ack &&
                      packet.sequence == sender.next_sequence - 1;
  if (is_one) {
    sender.flags |= stream_flag::keep_alive;
  }
  return is_one;
}

bool TcpTracker::is_keep_alive_answer(TcpSession& session, const TcpPacket& packet) noexcept {
  TcpStream& receiver = receiver_of(session, packet);
  if (packet.length > 0 || (packet.flags & opening_or_closing) != 0 || packet.window == 0 ||
      scaled(packet, receiver) != receiver.window) {
    return false;
  }
  const bool is_one = (receiver.flags & stream_flag::keep_alive) != 0 &&
                      packet.acknowledgement == receiver.last_ack &&
                      packet.sequence == sender_of(session, packet).next_sequence;
  if (is_one) {
    receiver.flags &= static_cast<uint16_t>(~stream_flag::keep_alive);
  }
  return is_one;
}

bool TcpTracker::is_probe_answer(const TcpSession& session, const TcpPacket& packet) noexcept {
  const uint32_t probe =
      packet.is_to_server() ? session_flag::probe_to_client : session_flag::probe_to_server;
  const TcpStream& sender = sender_of(session, packet);
  const TcpStream& receiver = receiver_of(session, packet);
  return session.has(probe) && is_bare_ack(session, packet) && packet.window == 0 &&
         receiver.window == 0 && packet.sequence == sender.next_sequence &&
         packet.acknowledgement == receiver.last_ack;
}

bool TcpTracker::is_ignorable(const TcpSession& session, TcpPacket& packet) noexcept {
  const TcpStream& sender = sender_of(session, packet);
  const TcpStream& receiver = receiver_of(session, packet);
  const uint32_t window = scaled(packet, receiver);
  if (is_shutdown_ack(session, packet, sender, receiver) ||
      is_window_update(session, packet, sender, receiver, window)) {
    return false;
  }
  if (shrinks_window(session, packet, sender, receiver, window)) {
    packet.note(StreamEvent::packet_bad_window_update);
    return true;
  }
  return is_outdated_ack(session, packet);
}

bool TcpTracker::is_outdated_ack(const TcpSession& session, const TcpPacket& packet) noexcept {
  const TcpStream& receiver = receiver_of(session, packet);
  return is_bare_ack(session, packet) &&
         packet.sequence == sender_of(session, packet).next_sequence &&
         is_before(packet.acknowledgement, receiver.last_ack) &&
         (packet.sack_blocks.empty() || sacks_.knows(receiver, packet.sack_blocks));
}

// Bytes before last_ack came before; only if also nothing of them is kept, they are passed over.
bool TcpTracker::is_before_all(const TcpSession& session, TcpPacket& packet) noexcept {
  const TcpStream& sender = sender_of(session, packet);
  if (packet.length == 0) {
    return false;
  }
  const bool is_before_base = (sender.flags & stream_flag::no_reassembly) == 0 &&
                              is_at_or_before(packet.right_edge(), sender.base_sequence);
  if (is_before_base || is_at_or_before(packet.right_edge(), sender.last_ack)) {
    packet.note(StreamEvent::packet_spurious_retransmission);
  }
  if (is_before_base) {
    counters_.add(FlowCounter::skipped_repeated, packet.length);
    payload_was_counted_ = true;
  }
  return is_before_base;
}

bool TcpTracker::is_retransmission(const TcpStream& sender, TcpPacket& packet) noexcept {
  if (packet.length == 0) {
    return false;
  }
  const uint32_t right = packet.right_edge();
  const bool is_one = is_before(packet.sequence, sender.last_ack) ||
                      is_at_or_before(right, sender.last_ack) ||
                      is_at_or_before(right, sender.next_sequence);
  if (is_one) {
    packet.note(StreamEvent::packet_retransmission);
  }
  return is_one;
}

bool TcpTracker::ack_is_valid(const TcpSession& session, TcpPacket& packet) noexcept {
  if (!packet.has(ack)) {
    return true;
  }
  const TcpStream& receiver = receiver_of(session, packet);
  const uint32_t number = packet.acknowledgement;
  if (number == receiver.last_ack ||
      (is_after(number, receiver.last_ack) && is_at_or_before(number, receiver.next_window))) {
    return true;
  }
  if (is_before(number, receiver.last_ack)) {
    if (receiver.window == 0 || !is_before(number, receiver.last_ack - receiver.window)) {
      return true;
    }
  } else if (session.has(session_flag::one_sided)) {
    return true;
  } else if (session.state == TcpState::syn_sent && !packet.is_to_server() && packet.has(rst) &&
             number == receiver.initial_sequence + 1) {
    return true;  // a RST in answer to the SYN; no window is known yet
  }
  packet.note(StreamEvent::packet_invalid_ack);
  return false;
}

void TcpTracker::set_policy(TcpStream& receiver, const Datagram& datagram) const noexcept {
  TargetPolicy found = TargetPolicy::bsd;
  const AddressRange* narrowest = nullptr;
  for (const TargetPolicyRange& each : options_.target_policies) {
    const AddressRange& range = each.range;
    const bool holds = range.version == datagram.ip_version && range.first <= datagram.target &&
                       datagram.target <= range.last;
    if (holds && (narrowest == nullptr ||
                  (narrowest->first <= range.first && range.last <= narrowest->last))) {
      narrowest = &range;
      found = each.policy;
    }
  }
  receiver.policy = followed_as(found);
}

bool TcpTracker::reset_is_valid(TcpSession& session, TcpPacket& packet) noexcept {
  if (session.has(session_flag::lossy)) {
    return true;
  }
  if (session.has(session_flag::timestamps) && !timestamp_is_valid(session, packet)) {
    return false;
  }
  if (packet.length > 0) {
    packet.note(StreamEvent::reset_with_data);
  }
  TcpStream& receiver = receiver_of(session, packet);
  const TcpStream& sender = sender_of(session, packet);
  if (receiver.policy == TargetPolicy::none) {
    set_policy(receiver, *packet.datagram);
  }
  if (packet.has(ack) && packet.acknowledgement != 0 && !ack_is_valid(session, packet)) {
    packet.note(StreamEvent::reset_invalid_ack);
    return false;
  }
  if (packet.has_signature) {
    receiver.flags |= stream_flag::reset_received;  // it shows later whether it was believed
  }
  if (session.has(session_flag::one_sided) || receiver.policy == TargetPolicy::hpux11) {
    return is_at_or_after(packet.sequence, sender.next_sequence);
  }
  switch (receiver.policy) {
    case TargetPolicy::old_linux:
    case TargetPolicy::linux:
    case TargetPolicy::solaris:
      return is_at_or_after(packet.right_edge(), sender.last_ack) &&
             is_before(packet.sequence, sender.next_sequence + sender.window);
    default:
      return packet.sequence == sender.next_sequence;
  }
}

bool TcpTracker::timestamp_is_valid(TcpSession& session, TcpPacket& packet) noexcept {
  return judge_timestamp(session, packet, false);
}

void TcpTracker::take_timestamp(TcpSession& session, TcpPacket& packet) noexcept {
  if (!session.has(session_flag::timestamps)) {
    return;
  }
  TcpStream& receiver = receiver_of(session, packet);
  if (receiver.policy == TargetPolicy::none) {
    set_policy(receiver, *packet.datagram);
  }
  if (packet.has_timestamp) {
    static_cast<void>(judge_timestamp(session, packet, true));
  } else if (receiver.policy == TargetPolicy::solaris) {
    session.flags &= ~session_flag::timestamps;  // it stops when a segment comes without
  }
}

namespace {

/// Kinds that let a timestamp of 0 pass though the handshake had real ones.
bool takes_zero(TargetPolicy policy) noexcept {
  return policy == TargetPolicy::old_linux || policy == TargetPolicy::windows ||
         policy == TargetPolicy::windows2k3 || policy == TargetPolicy::vista ||
         policy == TargetPolicy::solaris;
}

enum class ZeroStart : uint8_t { none, never_checks, next_is_checked };
/// What a receiver does where the handshake carried a timestamp of 0.
ZeroStart zero_start(TargetPolicy policy) noexcept {
  switch (policy) {
    case TargetPolicy::linux:
    case TargetPolicy::windows2k3:
      return ZeroStart::never_checks;
    case TargetPolicy::old_linux:
    case TargetPolicy::windows:
    case TargetPolicy::vista:
      return ZeroStart::next_is_checked;
    default:
      return ZeroStart::none;
  }
}

}  // namespace

// One judgement for both moments: before a segment is followed nothing changes; when it is
// taken, the stream learns from it. Source: RFC 7323, section 5.3 (PAWS).
bool TcpTracker::judge_timestamp(TcpSession& session, TcpPacket& packet, bool takes) noexcept {
  TcpStream& sender = sender_of(session, packet);
  TcpStream& receiver = receiver_of(session, packet);
  if (receiver.policy == TargetPolicy::none) {
    set_policy(receiver, *packet.datagram);
  }
  if (!packet.has_timestamp) {
    return true;
  }
  const bool is_in_order = sender.next_sequence == packet.sequence;
  bool is_checked = receiver.policy != TargetPolicy::hpux11 || is_in_order;
  if ((sender.flags & stream_flag::zero_timestamp) != 0) {
    const ZeroStart start = zero_start(receiver.policy);
    if (start == ZeroStart::never_checks) {
      is_checked = false;
      session.flags &= takes ? ~session_flag::timestamps : ~0u;
    } else if (start == ZeroStart::next_is_checked) {
      is_checked = is_checked && !is_in_order;
      if (takes) {
        sender.flags &= static_cast<uint16_t>(~stream_flag::zero_timestamp);
        sender.last_timestamp = is_in_order ? packet.timestamp : sender.last_timestamp;
      }
    }
  }
  if (packet.timestamp == 0 && !takes_zero(receiver.policy)) {
    packet.note(StreamEvent::packet_invalid_timestamp);
    return false;
  }
  if (!is_checked) {
    return true;
  }
  const bool is_lenient = receiver.policy == TargetPolicy::linux || options_.liberal_timestamps;
  const auto ahead =
      static_cast<int32_t>(packet.timestamp - sender.last_timestamp + (is_lenient ? 1 : 0));
  uint32_t last_seconds = sender.last_timestamp_seconds;
  if (last_seconds == 0 && session.has(session_flag::midstream)) {
    last_seconds = packet.seconds;
    sender.last_timestamp_seconds = takes ? last_seconds : sender.last_timestamp_seconds;
  }
  const bool is_stale = packet.seconds > last_seconds + paws_seconds;
  const bool is_good = ahead >= 0 && !(sender.last_timestamp != 0 && is_stale);
  if (!is_good && !(is_in_order && is_stale)) {
    packet.note(StreamEvent::packet_invalid_timestamp);
    return false;
  }
  if (takes) {
    sender.last_timestamp = is_in_order ? packet.timestamp : sender.last_timestamp;
    sender.last_timestamp_seconds = packet.seconds;
  }
  return true;
}

// Who goes on talking after "his" RST did not send it.
void TcpTracker::note_after_reset(TcpSession& session, TcpPacket& packet) noexcept {
  TcpStream& receiver = receiver_of(session, packet);
  if (packet.has(rst) || (receiver.flags & stream_flag::reset_received) == 0) {
    return;
  }
  receiver.flags &= static_cast<uint16_t>(~stream_flag::reset_received);
  session.flags &= ~session_flag::closed_by_reset;
  packet.note(StreamEvent::suspected_reset_inject);
}

}  // namespace shrike::flow
