// Between a flow and its application layer: what it is fed, and what its answers change.
#include <algorithm>
#include <utility>

#include "flow_state.h"

namespace shrike::flow {

namespace {

/// What was said of a datagram's flow, seen from the other side.
void turn_view(FlowView& view) noexcept {
  view.id = FlowId(view.id.slot(), opposite(view.id.direction()));
  view.client_end ^= 1;
  std::swap(view.packets[0], view.packets[1]);
  std::swap(view.bytes[0], view.bytes[1]);
  std::swap(view.stream_bytes[0], view.stream_bytes[1]);
  std::swap(view.client, view.server);
  std::swap(view.client_port, view.server_port);
}

}  // namespace

void FlowTracker::State::feed(uint32_t slot, const TcpPacket& packet,
                              const Tracked& tracked) noexcept {
  flows[slot].app |= app_flag::fed;
  fed[fed_count++] = {&tracked, slot, packet};
}

// Whether a datagram may change, or end, a flow whose answer is still due.
bool FlowTracker::State::must_wait(const FlowLookup& lookup) const noexcept {
  if (fed_count == 0 || !lookup.is_wanted) {
    return false;
  }
  const uint32_t slot = flows.find(lookup.hash, lookup.key);
  if (slot != FlowTable::none) {
    return is_fed(slot);
  }
  return live >= options.flows_max;  // the oldest must go: it may be one of these
}

void FlowTracker::State::resume(const AppWishes& wishes, TrackedBatch& out,
                                Tracked& tracked) noexcept {
  const uint32_t slot = tracked.flow.id.slot();
  Flow& flow = flows[slot];
  if (!flow.is_live) {  // a last look: it ended in this call
    if (wishes.swap_sides) {
      turn_view(tracked.flow);
    }
    return;
  }
  const bool has_session = flow.has_session;
  if (wishes != AppWishes{}) {
    if (has_session) {
      tcp.apply(sessions[slot], wishes);
    }
    flow.app |= wishes.is_settled ? app_flag::settled : uint8_t{0};
  }
  const Fed* const found = std::find_if(fed.data(), fed.data() + fed_count,
                                        [&](const Fed& each) { return each.tracked == &tracked; });
  if (found != fed.data() + fed_count) {
    if (has_session) {
      tcp.inspect(sessions[slot], found->packet, out, tracked);
    }
    flow.app &= static_cast<uint8_t>(~app_flag::fed);
  }
  if (wishes.swap_sides) {
    turn_round(slot, tracked);
  }
  if (wishes.bypass) {
    set_verdict(slot, FlowVerdict::bypass);
  }
}

// The datagram at hand turns with its flow: rules see it as of the other direction. Its view is not
// filled anew, as the flow may have counted later datagrams of the batch already.
void FlowTracker::State::turn_round(uint32_t slot, Tracked& tracked) noexcept {
  swap_sides(flows[slot]);
  if (flows[slot].has_session) {
    TcpTracker::swap_sides(sessions[slot]);
  }
  turn_view(tracked.flow);
}

void FlowTracker::State::note_open_transactions(uint32_t slot, std::array<bool, 2> open) noexcept {
  constexpr auto neither =
      static_cast<uint8_t>(~(app_flag::look_to_server | app_flag::look_to_client));
  Flow& flow = flows[slot];
  flow.app = static_cast<uint8_t>((flow.app & neither) |
                                  (open[0] ? app_flag::look_to_server : uint8_t{0}) |
                                  (open[1] ? app_flag::look_to_client : uint8_t{0}));
}

}  // namespace shrike::flow
