// How flows end: because their time is up, their tuple is taken, the table is full, or all is over.
#include <algorithm>

#include "flow_state.h"

namespace shrike::flow {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

uint32_t seconds_of(uint64_t clock_ns) noexcept {
  return static_cast<uint32_t>(std::min<uint64_t>(clock_ns / second_ns, 0xfffffff0));
}

FlowCounter end_counter(FlowState state) noexcept {
  return static_cast<FlowCounter>(static_cast<size_t>(FlowCounter::end_fresh) +
                                  static_cast<size_t>(state));
}

FlowCounter end_counter(TcpState state) noexcept {
  return static_cast<FlowCounter>(static_cast<size_t>(FlowCounter::end_none) +
                                  static_cast<size_t>(state));
}

}  // namespace

void FlowTracker::State::begin_call(TrackedBatch& out) noexcept {
  out.clear();
  ends.clear();
  pseudo_count = 0;
  rewritten_count = 0;
  for (size_t i = 0; i < fed_count; ++i) {
    flows[fed[i].slot].app &= static_cast<uint8_t>(~app_flag::fed);
  }
  fed_count = 0;
  tcp.begin_call();
  const uint64_t memory_was = counters.get(FlowCounter::tcp_reassembly_memuse);
  counters.add(FlowCounter::tcp_reassembly_memuse, tcp.memory_bytes() - memory_was);
  while (resting_count > 0) {
    const uint32_t slot = resting[--resting_count];
    flows[slot].next = free_slot;
    free_slot = slot + 1;
  }
}

uint32_t FlowTracker::State::take_slot() noexcept {
  if (free_slot != 0) {
    const uint32_t slot = free_slot - 1;
    free_slot = flows[slot].next;
    return slot;
  }
  return fresh_slot < flows.slots() ? fresh_slot++ : FlowTable::none;
}

// The flow whose time would be up first; of several in the same second, the one that waits longest.
uint32_t FlowTracker::State::oldest() noexcept {
  const uint32_t last_tick = wheel.now() + TimerWheel::spokes - 1;
  for (uint32_t tick = wheel.now() + 1; tick <= last_tick; ++tick) {
    for (uint32_t at = wheel.first(tick); at != 0;) {
      const uint32_t slot = at - 1;
      at = flows[slot].wheel_next;
      const uint32_t due_at = due_tick(flows[slot]);
      if (due_at <= tick || tick == last_tick) {
        return slot;
      }
      wheel.remove(slot);
      wheel.insert(slot, due_at);
    }
  }
  check(false, "a full table has an oldest flow");
  return FlowTable::none;
}

// The slots whose second has come; those that were busy meanwhile go back under their new one.
void FlowTracker::State::collect_due() noexcept {
  const uint32_t tick = wheel.now();
  due_count = due_next = 0;
  for (uint32_t at = wheel.first(tick); at != 0;) {
    const uint32_t slot = at - 1;
    at = flows[slot].wheel_next;
    wheel.remove(slot);
    const uint32_t due_at = due_tick(flows[slot]);
    if (due_at > tick) {
      wheel.insert(slot, due_at);
    } else {
      due[due_count++] = slot;
    }
  }
  sort_due();
}

void FlowTracker::State::sort_due() noexcept {
  std::sort(due.data(), due.data() + due_count, [this](uint32_t first, uint32_t second) {
    const Flow& a = flows[first];
    const Flow& b = flows[second];
    return a.last_number != b.last_number ? a.last_number < b.last_number : a.eve_id < b.eve_id;
  });
}

bool FlowTracker::State::end_due(uint64_t clock_ns, TrackedBatch& out) noexcept {
  const uint32_t now = seconds_of(clock_ns);
  if (now <= wheel.now() && due_next == due_count) [[likely]] {
    return true;
  }
  if (live == 0 && due_next == due_count) {
    wheel.set_now(std::max(now, wheel.now()));
    return true;
  }
  for (;;) {
    while (due_next < due_count) {
      if (!has_room(out) || is_fed(due[due_next])) {
        return false;
      }
      counters.add(FlowCounter::flow_timeouts);
      end_flow(due[due_next++], FlowEndReason::timeout, wheel.now() * second_ns, out);
    }
    if (wheel.now() >= now) {
      return true;
    }
    if (wheel.is_empty()) {
      wheel.set_now(now);
      return true;
    }
    wheel.set_now(wheel.now() + 1);
    collect_due();
  }
}

bool FlowTracker::State::finish(TrackedBatch& out) noexcept {
  begin_call(out);
  if (!is_finishing) {
    is_finishing = true;
    // Flows that were due but not ended yet are among the live ones too.
    due_count = due_next = 0;
    for (uint32_t slot = 0; slot < fresh_slot; ++slot) {
      if (flows[slot].is_live) {
        due[due_count++] = slot;
      }
    }
    sort_due();
  }
  while (due_next < due_count && has_room(out)) {
    end_flow(due[due_next++], FlowEndReason::shutdown, UINT64_MAX, out);
  }
  if (!ends.empty()) {
    return true;
  }
  is_finishing = false;
  due_count = due_next = 0;
  free_slot = 0;
  fresh_slot = 0;
  wheel.set_now(0);
  return false;
}

// The bytes that were kept and not inspected yet, with a datagram that stands for the end.
void FlowTracker::State::last_look(uint32_t slot, Direction direction, uint64_t clock_ns,
                                   TrackedBatch& out) noexcept {
  const Flow& flow = flows[slot];
  const size_t sender =
      direction == Direction::to_server ? flow.client_index : 1 - flow.client_index;
  Datagram& datagram = pseudo[pseudo_count++];
  datagram = Datagram{};
  datagram.origin = DatagramOrigin::stream_end;
  datagram.time_ns = flow.last_ns;
  datagram.clock_ns = clock_ns;
  datagram.number = flow.last_number;
  datagram.source = flow.key.addresses[sender];
  datagram.target = flow.key.addresses[1 - sender];
  datagram.source_port = flow.key.ports[sender];
  datagram.target_port = flow.key.ports[1 - sender];
  datagram.ip_version = flow.key.ip_version;
  datagram.protocol = ip_protocol::tcp;
  datagram.has_transport = true;
  datagram.wants_flow = true;
  datagram.tcp_flags = tcp_flag::ack;
  datagram.depth = flow.key.depth;
  datagram.vlan_count = flow.vlan_count;
  datagram.vlan_ids = flow.vlan_ids;
  datagram.capture_index = flow.capture_index;
  counters.add(FlowCounter::tcp_pseudo);

  Tracked& tracked = out.push(datagram);
  TcpSession& session = sessions[slot];
  TcpPacket packet;
  read_tcp(datagram, packet);
  packet.is_stream_end = true;
  packet.app_out = options.feeds_parsers ? &out : nullptr;
  packet.tracked = &tracked;
  packet.direction = direction;
  packet.events = &tracked.events;
  tcp.process(session, packet);
  packet.tcp_established = true;
  tcp.inspect(session, packet, out, tracked);
  tracked.flow.is_established = true;
  tracked.flow.tcp_established = true;
  tracked.flow.stream_end = true;
  fill_view(tracked.flow, slot, direction);
}

void FlowTracker::State::record_end(uint32_t slot, FlowEndReason reason,
                                    uint64_t clock_ns) noexcept {
  const Flow& flow = flows[slot];
  FlowEnd& end = ends.emplace_back();
  fill_view(end.view, slot, Direction::to_server);
  end.reason = reason;
  end.protocol = flow.key.protocol;
  end.ip_version = flow.key.ip_version;
  end.icmp_type = flow.icmp_type;
  end.icmp_code = flow.icmp_code;
  end.vlan_count = flow.vlan_count;
  end.vlan_ids = flow.vlan_ids;
  end.tcp_flags = flow.tcp_flags;
  end.ttl_min = flow.ttl_min;
  end.ttl_max = flow.ttl_max;
  end.clock_ns = clock_ns;
  end.last_number = flow.last_number;
  end.capture_index = flow.capture_index;
  if (flow.has_session) {
    for (size_t side = 0; side < 2; ++side) {
      end.has_gap[side] = (sessions[slot].streams[side].flags & stream_flag::has_gap) != 0;
    }
  }
  counters.add(end_counter(flow.state));
  if (flow.key.protocol == ip_protocol::tcp) {
    counters.add(end_counter(flow.has_session ? sessions[slot].state : TcpState::none));
  }
}

void FlowTracker::State::end_flow(uint32_t slot, FlowEndReason reason, uint64_t clock_ns,
                                  TrackedBatch& out) noexcept {
  Flow& flow = flows[slot];
  wheel.remove(slot);
  flows.erase(flow.hash, slot);
  if (flow.has_session) {
    TcpSession& session = sessions[slot];
    const bool is_followed =
        flow.verdict == FlowVerdict::inspect || flow.verdict == FlowVerdict::pass;
    if (is_followed) {
      // Asked before the first look, as Suricata does: looking may change the answer.
      const bool to_server = tcp.needs_last_look(session, Direction::to_server) ||
                             (flow.app & app_flag::look_to_server) != 0;
      const bool to_client = tcp.needs_last_look(session, Direction::to_client) ||
                             (flow.app & app_flag::look_to_client) != 0;
      if (to_server) {
        last_look(slot, Direction::to_server, clock_ns, out);
      }
      if (to_client) {
        last_look(slot, Direction::to_client, clock_ns, out);
      }
    }
    if (session.has(session_flag::lossy)) {
      counters.add(FlowCounter::end_liberal);
    }
    counters.add(FlowCounter::tcp_active_sessions, ~uint64_t{0});
  }
  record_end(slot, reason, clock_ns);
  if (flow.has_session) {
    tcp.release(sessions[slot]);
    sessions[slot] = TcpSession{};
  }
  flow.is_live = false;
  --live;
  counters.add(FlowCounter::flows_active, ~uint64_t{0});
  resting[resting_count++] = slot;
}

}  // namespace shrike::flow
