// Flows that a live sensor gives up: to keep up with the rest, or because one takes a whole core.
#include "flow_state.h"

namespace shrike::flow {

const std::array<CounterRow, ShedCounters::causes * ShedCounters::counts> ShedCounters::rows{{
    {"overload.encrypted.flows", "flows", "Encrypted flows given up under overload."},
    {"overload.encrypted.packets", "packets", "What came of them after that, not inspected."},
    {"overload.encrypted.bytes", "bytes", "Its bytes on the wire."},
    {"overload.large.flows", "flows", "Flows given up under overload for their size."},
    {"overload.large.packets", "packets", "What came of them after that, not inspected."},
    {"overload.large.bytes", "bytes", "Its bytes on the wire."},
    {"overload.elephant.flows", "flows", "Flows given up that took more than their share."},
    {"overload.elephant.packets", "packets", "What came of them after that, not inspected."},
    {"overload.elephant.bytes", "bytes", "Its bytes on the wire."},
}};

bool FlowTracker::State::shed(uint32_t slot, ShedCause cause) noexcept {
  Flow& flow = flows[slot];
  const bool is_followed =
      flow.verdict == FlowVerdict::inspect || flow.verdict == FlowVerdict::pass;
  if (!flow.is_live || !is_followed) {
    return false;
  }
  set_verdict(slot, FlowVerdict::bypass);
  flow.app |= static_cast<uint8_t>((static_cast<unsigned>(cause) + 1) << app_flag::shed_shift);
  shed_counters.add(cause, ShedCount::flows, 1);
  return true;
}

bool FlowTracker::State::is_encrypted(uint32_t slot) const noexcept {
  constexpr uint16_t disabled = stream_flag::new_raw_disabled | stream_flag::raw_disabled;
  const TcpSession& session = sessions[slot];
  return flows[slot].has_session && (session.streams[0].flags & disabled) != 0 &&
         (session.streams[1].flags & disabled) != 0;
}

void FlowTracker::State::count_shed(const Flow& flow, const Datagram& datagram) noexcept {
  const unsigned mark = flow.app >> app_flag::shed_shift;
  if (mark != 0) {
    const auto cause = static_cast<ShedCause>(mark - 1);
    shed_counters.add(cause, ShedCount::packets, 1);
    shed_counters.add(cause, ShedCount::bytes, datagram.wire_bytes);
  }
}

// Nobody follows the connection to its end any more, so its ports may come again while it still
// stands in the table: what a new SYN opens must not stay unseen.
bool FlowTracker::State::opens_anew(uint32_t slot, const Datagram& datagram) const noexcept {
  constexpr uint8_t telling = tcp_flag::syn | tcp_flag::ack | tcp_flag::rst | tcp_flag::fin;
  if (!is_shed(slot) || (datagram.tcp_flags & telling) != tcp_flag::syn) {
    return false;
  }
  TcpPacket packet;
  read_tcp(datagram, packet);
  return !flows[slot].has_session || sessions[slot].streams[0].initial_sequence != packet.sequence;
}

bool FlowTracker::shed(FlowId flow, ShedCause cause) noexcept {
  return flow.exists() && state_->shed(flow.slot(), cause);
}

bool FlowTracker::is_shed(FlowId flow) const noexcept {
  return flow.exists() && state_->is_shed(flow.slot());
}

bool FlowTracker::is_encrypted(FlowId flow) const noexcept {
  return flow.exists() && state_->is_encrypted(flow.slot());
}

CounterView FlowTracker::shed_counters() const noexcept {
  return state_->shed_counters.view();
}

}  // namespace shrike::flow
