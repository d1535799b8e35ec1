#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "flow_state.h"

namespace shrike::flow {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

uint8_t timeouts_index(uint8_t protocol) noexcept {
  switch (protocol) {
    case ip_protocol::tcp:
      return 0;
    case ip_protocol::udp:
      return 1;
    case ip_protocol::icmp:
      return 2;
    default:
      return 3;
  }
}

FlowCounter opened_counter(uint8_t protocol) noexcept {
  switch (protocol) {
    case ip_protocol::tcp:
      return FlowCounter::flows_tcp;
    case ip_protocol::udp:
      return FlowCounter::flows_udp;
    case ip_protocol::icmp:
      return FlowCounter::flows_icmpv4;
    case ip_protocol::icmpv6:
      return FlowCounter::flows_icmpv6;
    default:
      return FlowCounter::flows_other;
  }
}

bool has_ports(uint8_t protocol) noexcept {
  return protocol == ip_protocol::tcp || protocol == ip_protocol::udp ||
         protocol == ip_protocol::sctp;
}

uint8_t hop_limit(const Datagram& datagram) noexcept {
  const size_t at = datagram.ip_version == 4 ? 8 : 7;
  return datagram.ip_header.size() > at ? datagram.ip_header[at] : uint8_t{0};
}

constexpr uint64_t eve_id_mask = (uint64_t{1} << 51) - 1;

}  // namespace

FlowTracker::State::State(const FlowOptions& chosen)
    : options(chosen),
      flows(std::bit_ceil(std::max(chosen.flows_max, 16u)),
            std::bit_ceil(std::max(chosen.flows_max, 16u)) + slots_spare),
      sessions(flows.slots()),
      wheel(flows),
      tcp(chosen, counters),
      timeouts{chosen.tcp, chosen.udp, chosen.icmp, chosen.other},
      due(flows.slots()),
      pseudo(new Datagram[pseudo_max]) {
  options.flows_max = flows.slots() - slots_spare;
  ends.reserve(ends_max);
}

uint64_t FlowTracker::State::timeout_ns(const Flow& flow) const noexcept {
  const Timeouts& each = timeouts[flow.timeouts];
  switch (flow.state) {
    case FlowState::fresh:
      return each.fresh * second_ns;
    case FlowState::established:
      return each.established * second_ns;
    case FlowState::closed:
      return each.closed * second_ns;
    case FlowState::bypassed:
      return each.bypassed * second_ns;
  }
  return 0;
}

// The first whole second at which the flow's time is up.
uint32_t FlowTracker::State::due_tick(const Flow& flow) const noexcept {
  const uint64_t seconds = (flow.last_clock_ns + timeout_ns(flow) + second_ns - 1) / second_ns;
  return static_cast<uint32_t>(std::min<uint64_t>(seconds, 0xfffffff0));
}

void FlowTracker::State::set_state(Flow& flow, uint32_t slot, FlowState state) noexcept {
  if (flow.state == state || flow.state == FlowState::bypassed) {
    return;
  }
  flow.state = state;
  const uint32_t tick = due_tick(flow);
  if (tick < flow.wheel_tick) {  // the new state has less time: later seconds look after themselves
    wheel.remove(slot);
    wheel.insert(slot, tick);
  }
}

// Which way a datagram goes in its flow. Source: Suricata's FlowGetPacketDirection.
Direction FlowTracker::State::direction_of(const Flow& flow, const Datagram& datagram) noexcept {
  const size_t client = flow.client_index;
  bool from_client = true;
  if (has_ports(datagram.protocol) && datagram.source_port != datagram.target_port) {
    from_client = datagram.source_port == flow.key.ports[client];
  } else if (datagram.protocol != ip_protocol::esp) {
    from_client = datagram.source == flow.key.addresses[client];
  }
  return from_client ? Direction::to_server : Direction::to_client;
}

// Cache misses of a batch overlap: first all lines of the index are asked for, then all flows.
void FlowTracker::State::prepare(std::span<const Datagram> datagrams) noexcept {
  prepared_first = 0;
  prepared_count = datagrams.size();
  for (size_t i = 0; i < datagrams.size(); ++i) {
    prepared[i].lookup = look_at(datagrams[i], options.vlan_separates_flows);
    if (prepared[i].lookup.is_wanted) {
      flows.prefetch(prepared[i].lookup.hash);
    }
  }
  for (size_t i = 0; i < datagrams.size(); ++i) {
    if (!prepared[i].lookup.is_wanted) {
      continue;
    }
    const uint32_t slot = flows.prefetch_flow(prepared[i].lookup.hash);
    if (slot != FlowTable::none && datagrams[i].protocol == ip_protocol::tcp) {
      const auto* const session = reinterpret_cast<const char*>(&sessions[slot]);
      for (size_t line = 0; line < sizeof(TcpSession); line += 64) {
        __builtin_prefetch(session + line, 1);
      }
    }
  }
}

bool FlowTracker::State::has_room(const TrackedBatch& out) const noexcept {
  const size_t chunks_wanted = chunks_reserve + fed_count * StreamBuffers::blocks_a_stream_max;
  return out.room() >= tracked_reserve && out.chunk_room() >= chunks_wanted &&
         out.app_chunk_room() >= 2 * chunks_reserve && pseudo_count + 4 <= pseudo_max &&
         ends.size() + 2 <= ends_max && resting_count + 2 <= resting.size() &&
         fed_count < fed_max && rewritten_count + rewritten_reserve <= rewritten.size();
}

size_t FlowTracker::State::track(std::span<const Datagram> datagrams, TrackedBatch& out) noexcept {
  begin_call(out);
  if (datagrams.data() != prepared_at) {
    prepared_first = prepared_count = 0;
  }
  prepared_at = nullptr;
  for (size_t done = 0; done < datagrams.size(); ++done) {
    if (prepared_first == prepared_count) {
      prepare(datagrams.subspan(done, std::min(prepared_max, datagrams.size() - done)));
    }
    const Datagram& datagram = datagrams[done];
    const FlowLookup& lookup = prepared[prepared_first].lookup;
    if (!end_due(datagram.clock_ns, out) || !has_room(out) || must_wait(lookup)) {
      prepared_at = &datagram;
      return done;
    }
    take(datagram, lookup, out);
    ++prepared_first;
  }
  return datagrams.size();
}

uint32_t FlowTracker::State::open_flow(const Datagram& datagram, const FlowLookup& lookup,
                                       TrackedBatch& out) noexcept {
  if (live >= options.flows_max) {
    const uint32_t victim = oldest();
    counters.add(FlowCounter::flow_get_used);
    end_flow(victim, FlowEndReason::forced, datagram.clock_ns, out);
  }
  const uint32_t slot = take_slot();
  if (slot == FlowTable::none) {
    counters.add(FlowCounter::flow_memcap);
    return FlowTable::none;
  }
  Flow& flow = flows[slot];
  flow = Flow{};
  flow.is_live = true;
  flow.key = lookup.key;
  flow.hash = lookup.hash;
  flow.client_index = lookup.source_index;
  flow.timeouts = timeouts_index(datagram.protocol);
  flow.start_ns = datagram.time_ns;
  flow.last_ns = datagram.time_ns;
  flow.last_clock_ns = datagram.clock_ns;
  flow.icmp_type = datagram.icmp_type;
  flow.icmp_code = datagram.icmp_code;
  flow.vlan_ids = datagram.vlan_ids;
  flow.vlan_count = datagram.vlan_count;
  flow.capture_index = datagram.capture_index;
  const uint64_t birth = combine64(datagram.time_ns, datagram.number << 4 | datagram.order);
  flow.eve_id = combine64(lookup.hash, birth) & eve_id_mask;
  flows.insert(lookup.hash, slot);
  wheel.insert(slot, due_tick(flow));
  ++live;
  counters.add(FlowCounter::flows);
  counters.add(FlowCounter::flows_active);
  counters.add(opened_counter(datagram.protocol));
  return slot;
}

// A flow whose time was up by the packet's own time, or whose tuple a new connection takes, ends.
uint32_t FlowTracker::State::find_flow(const Datagram& datagram, const FlowLookup& lookup,
                                       TrackedBatch& out) noexcept {
  const uint32_t slot = flows.find(lookup.hash, lookup.key);
  if (slot != FlowTable::none) {
    Flow& flow = flows[slot];
    if (datagram.time_ns >= flow.last_ns && datagram.time_ns - flow.last_ns >= timeout_ns(flow)) {
      counters.add(FlowCounter::flow_timeouts);
      end_flow(slot, FlowEndReason::timeout, datagram.clock_ns, out);
    } else if (datagram.protocol == ip_protocol::tcp && datagram.has_transport &&
               (tcp.is_reuse(flow.has_session ? &sessions[slot] : nullptr, datagram,
                             direction_of(flow, datagram)) ||
                opens_anew(slot, datagram))) {
      counters.add(FlowCounter::flow_tcp_reuse);
      end_flow(slot, FlowEndReason::tcp_reuse, datagram.clock_ns, out);
    } else {
      return slot;
    }
  }
  return lookup.may_open ? open_flow(datagram, lookup, out) : FlowTable::none;
}

void FlowTracker::State::update_flow(Flow& flow, const Datagram& datagram,
                                     Direction direction) noexcept {
  const auto side = static_cast<size_t>(direction);
  flow.last_ns = std::max(flow.last_ns, datagram.time_ns);
  flow.last_clock_ns = std::max(flow.last_clock_ns, datagram.clock_ns);
  flow.last_number = datagram.number;
  ++flow.packets[side];
  flow.bytes[side] += datagram.wire_bytes;
  if (datagram.protocol != ip_protocol::icmp || !is_icmp_error(datagram.icmp_type)) {
    flow.seen |= static_cast<uint8_t>(1 << side);
  }
  const uint8_t ttl = hop_limit(datagram);
  flow.ttl_min[side] = flow.ttl_min[side] == 0 ? ttl : std::min(flow.ttl_min[side], ttl);
  flow.ttl_max[side] = std::max(flow.ttl_max[side], ttl);
  if (datagram.protocol == ip_protocol::tcp) {
    flow.tcp_flags[side] |= datagram.tcp_flags;
  }
}

void FlowTracker::State::fill_view(FlowView& view, uint32_t slot,
                                   Direction direction) const noexcept {
  const Flow& flow = flows[slot];
  const size_t client = flow.client_index;
  view.id = FlowId(slot, direction);
  view.client_end = flow.client_index;
  view.state = flow.state;
  view.verdict = flow.verdict;
  view.packets = flow.packets;
  view.bytes = flow.bytes;
  view.start_ns = flow.start_ns;
  view.last_ns = flow.last_ns;
  view.eve_id = flow.eve_id;
  view.client = flow.key.addresses[client];
  view.server = flow.key.addresses[1 - client];
  if (has_ports(flow.key.protocol)) {
    view.client_port = flow.key.ports[client];
    view.server_port = flow.key.ports[1 - client];
  }
  if (flow.has_session) {
    const TcpSession& session = sessions[slot];
    view.tcp_state = session.state;
    view.is_midstream = session.has(session_flag::midstream);
    view.depth_reached =
        (session.streams[static_cast<size_t>(direction)].flags & stream_flag::depth_reached) != 0;
    for (size_t side = 0; side < 2; ++side) {
      view.stream_bytes[side] =
          session.streams[side].next_sequence - session.streams[side].initial_sequence;
    }
  }
}

void FlowTracker::State::take(const Datagram& datagram, const FlowLookup& lookup,
                              TrackedBatch& out) noexcept {
  const uint32_t slot = lookup.is_wanted ? find_flow(datagram, lookup, out) : FlowTable::none;
  Tracked& tracked = out.push(datagram);
  if (slot == FlowTable::none) {
    counters.add(FlowCounter::no_flow_packets);
    return;
  }
  Flow& flow = flows[slot];
  FlowView& view = tracked.flow;
  view.opened = (flow.packets[0] | flow.packets[1]) == 0;
  const Direction direction = direction_of(flow, datagram);
  const bool is_tcp = datagram.protocol == ip_protocol::tcp;
  // As it stood before this datagram, so far as TCP goes: the third packet of a handshake is not
  // established yet.
  view.is_established = flow.state == FlowState::established;
  update_flow(flow, datagram, direction);
  if (flow.key.protocol == ip_protocol::tcp) {
    view.is_established =
        view.is_established ||
        (flow.has_session && is_at_least(sessions[slot].state, TcpState::established));
  } else if (flow.seen == 3) {
    view.is_established = true;
    set_state(flow, slot, FlowState::established);
  }
  if (flow.verdict == FlowVerdict::bypass || flow.state == FlowState::bypassed) {
    counters.add(FlowCounter::bypassed_packets);
    counters.add(FlowCounter::bypassed_bytes, datagram.wire_bytes);
    skip_stream(datagram, FlowCounter::skipped_bypassed);
    count_shed(flow, datagram);
  } else if (flow.verdict == FlowVerdict::drop || flow.verdict == FlowVerdict::reject) {
    counters.add(FlowCounter::dropped_packets);
    skip_stream(datagram, FlowCounter::skipped_bypassed);
  } else if (is_tcp && datagram.has_transport) {
    view.id = FlowId(slot, direction);
    follow_tcp(slot, datagram, out, tracked);
    return;
  } else if (datagram.protocol == ip_protocol::udp && datagram.has_transport &&
             options.feeds_parsers && (flow.app & app_flag::settled) == 0) {
    feed(slot, {}, tracked);
  }
  fill_view(view, slot, direction);
}

void FlowTracker::State::skip_stream(const Datagram& datagram, FlowCounter reason) noexcept {
  if (datagram.protocol == ip_protocol::tcp && datagram.has_transport) {
    counters.add(FlowCounter::payload_bytes, datagram.payload.size());
    counters.add(reason, datagram.payload.size());
  }
}

void FlowTracker::State::follow_tcp(uint32_t slot, const Datagram& datagram, TrackedBatch& out,
                                    Tracked& tracked) noexcept {
  Flow& flow = flows[slot];
  FlowView& view = tracked.flow;
  if (datagram.checksum_is_bad && options.check_checksums) {
    counters.add(FlowCounter::tcp_invalid_checksum);
    skip_stream(datagram, FlowCounter::skipped_checksum);
    fill_view(view, slot, view.id.direction());
    return;
  }
  TcpSession& session = sessions[slot];
  TcpPacket packet;
  read_tcp(datagram, packet);
  packet.direction = view.id.direction();
  packet.events = &tracked.events;
  packet.app_out = options.feeds_parsers ? &out : nullptr;
  packet.tracked = &tracked;
  counters.add(FlowCounter::payload_bytes, packet.length);
  if ((packet.flags & (tcp_flag::syn | tcp_flag::rst | tcp_flag::urg)) != 0) [[unlikely]] {
    counters.add(FlowCounter::tcp_rst, packet.has(tcp_flag::rst) ? 1 : 0);
    counters.add(FlowCounter::tcp_urg, packet.has(tcp_flag::urg) ? 1 : 0);
    counters.add(packet.is_synack() ? FlowCounter::tcp_synack : FlowCounter::tcp_syn,
                 packet.has(tcp_flag::syn) ? 1 : 0);
  }
  tcp.process(session, packet);
  flow.has_session = session.state != TcpState::none;
  if (packet.was_reversed) {
    swap_sides(flow);
  }
  if (packet.state_changed) {
    set_state(flow, slot, packet.flow_state);
  }
  if (tracked.app_chunk_count != 0) {
    feed(slot, packet, tracked);  // its raw bytes follow with the answer: resume()
  } else if (flow.has_session) {
    tcp.inspect(session, packet, out, tracked);
  }
  if (!packet.instead.empty()) [[unlikely]] {
    tracked.datagram = &with_bytes_instead(datagram, packet.instead);
  }
  view.is_established = view.is_established || packet.counts_as_established;
  view.stream_added = packet.stream_added;
  view.tcp_established = packet.tcp_established;
  fill_view(view, slot, packet.direction);
  if (packet.midstream_refused) {
    apply_midstream_policy(flow, slot, view);
  }
}

// Inline, what was accepted first goes on: to the peer, and to the rules. Source: Suricata's
// StreamTcpInlineSegmentReplacePacket.
const Datagram& FlowTracker::State::with_bytes_instead(const Datagram& datagram,
                                                       Bytes instead) noexcept {
  const Bytes frame = datagram.frame;
  const Bytes payload = datagram.payload;
  const bool is_in_frame =
      std::greater_equal<>()(payload.data(), frame.data()) &&
      std::less_equal<>()(payload.data() + payload.size(), frame.data() + frame.size());
  const Bytes original = is_in_frame ? frame : payload;
  if (original.size() > rewritten.size() - rewritten_count || instead.size() > payload.size()) {
    return datagram;  // larger than any frame of a network
  }
  uint8_t* const bytes = rewritten.data() + rewritten_count;
  rewritten_count += original.size();
  const size_t at = is_in_frame ? static_cast<size_t>(payload.data() - frame.data()) : 0;
  std::memcpy(bytes, original.data(), original.size());
  std::memcpy(bytes + at, instead.data(), instead.size());
  Datagram& changed = pseudo[pseudo_count++];
  changed = datagram;
  changed.payload = {bytes + at, payload.size()};
  if (is_in_frame) {
    changed.frame = {bytes, frame.size()};
  }
  return changed;
}

void FlowTracker::State::swap_sides(Flow& flow) noexcept {
  flow.client_index ^= 1;
  std::swap(flow.packets[0], flow.packets[1]);
  std::swap(flow.bytes[0], flow.bytes[1]);
  std::swap(flow.ttl_min[0], flow.ttl_min[1]);
  std::swap(flow.ttl_max[0], flow.ttl_max[1]);
  std::swap(flow.tcp_flags[0], flow.tcp_flags[1]);
  flow.seen = static_cast<uint8_t>((flow.seen & 1) << 1 | flow.seen >> 1);
}

// What stream.midstream-policy says to a packet that begins in the middle of a connection.
void FlowTracker::State::apply_midstream_policy(Flow& flow, uint32_t slot,
                                                FlowView& view) noexcept {
  switch (options.midstream_policy) {
    case ExceptionPolicy::ignore:
      break;
    case ExceptionPolicy::bypass:
      set_verdict(slot, FlowVerdict::bypass);
      break;
    case ExceptionPolicy::pass_flow:
      flow.verdict = FlowVerdict::pass;
      break;
    case ExceptionPolicy::drop_flow:
      flow.verdict = FlowVerdict::drop;
      break;
    case ExceptionPolicy::reject:
      flow.verdict = FlowVerdict::reject;
      break;
    case ExceptionPolicy::pass_packet:
      view.verdict = FlowVerdict::pass;
      return;
    case ExceptionPolicy::drop_packet:
      view.verdict = FlowVerdict::drop;
      return;
  }
  view.verdict = flow.verdict;
  view.state = flow.state;
}

void FlowTracker::State::set_verdict(uint32_t slot, FlowVerdict verdict) noexcept {
  if (slot >= flows.slots() || !flows[slot].is_live) {
    return;  // it ended meanwhile
  }
  Flow& flow = flows[slot];
  flow.verdict = verdict;
  if (verdict == FlowVerdict::inspect || verdict == FlowVerdict::pass) {
    return;
  }
  if (verdict == FlowVerdict::bypass) {
    set_state(flow, slot, FlowState::bypassed);
  }
  if (flow.has_session) {
    tcp.release(sessions[slot]);
  }
}

FlowTracker::FlowTracker(const FlowOptions& options) : state_(new State(options)) {}
FlowTracker::~FlowTracker() = default;
FlowTracker::FlowTracker(FlowTracker&&) noexcept = default;

size_t FlowTracker::track(std::span<const Datagram> datagrams, TrackedBatch& out) noexcept {
  return state_->track(datagrams, out);
}

bool FlowTracker::expire(uint64_t clock_ns, TrackedBatch& out) noexcept {
  state_->begin_call(out);
  return state_->end_due(clock_ns, out);
}

bool FlowTracker::finish(TrackedBatch& out) noexcept {
  return state_->finish(out);
}

std::span<const FlowEnd> FlowTracker::ends() const noexcept {
  return state_->ends;
}

void FlowTracker::resume(const AppWishes& wishes, TrackedBatch& out, Tracked& tracked) noexcept {
  if (tracked.flow.id.exists()) {
    state_->resume(wishes, out, tracked);
  }
}

void FlowTracker::note_open_transactions(FlowId flow, std::array<bool, 2> open) noexcept {
  state_->note_open_transactions(flow.slot(), open);
}

void FlowTracker::set_verdict(FlowId flow, FlowVerdict verdict) noexcept {
  if (flow.exists()) {
    state_->set_verdict(flow.slot(), verdict);
  }
}

bool FlowTracker::keep_alive(FlowId flow, uint64_t eve_id, uint64_t time_ns,
                             uint64_t clock_ns) noexcept {
  Flow& found = state_->flows[flow.slot()];
  if (!found.is_live || found.eve_id != eve_id) {
    return false;
  }
  // The wheel looks at these when the old second comes, and then holds the flow under its new one.
  found.last_ns = std::max(found.last_ns, time_ns);
  found.last_clock_ns = std::max(found.last_clock_ns, clock_ns);
  return true;
}

uint32_t FlowTracker::slots() const noexcept {
  return state_->flows.slots();
}

std::vector<CounterView> FlowTracker::counters() const {
  std::vector<CounterView> views{state_->counters.view(counter_rows)};
  if (state_->options.can_shed) {
    views.push_back(state_->shed_counters.view());
  }
  return views;
}

}  // namespace shrike::flow
