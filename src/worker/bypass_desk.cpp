#include "bypass_desk.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "shrike/base/check.h"

namespace shrike::worker {

namespace {

/// Places of the table that a flow may have.
constexpr uint32_t places_a_slot = 8;
/// A card's rule costs its firmware up to a millisecond.
constexpr uint32_t wishes_a_second = 2000;
/// After a flow that the card did not take, or gave back.
constexpr uint64_t retry_ns = 5'000'000'000;
constexpr size_t record_bytes = 8 + ((sizeof(BypassWish) + 7) & ~size_t{7});

constexpr CounterRow rows[] = {
    {"nic_bypass.wishes", "flows", "Bypassed flows that the network card was to drop."},
    {"nic_bypass.not_asked", "flows",
     "Bypassed packets whose flow found no place to be asked for."},
    {"nic_bypass.too_many", "flows", "Bypassed packets whose flow was one too many that second."},
};

/// Whether a card can tell the flow's packets by their outermost headers alone.
bool is_plain(const Datagram& datagram) noexcept {
  const bool has_ports =
      datagram.protocol == ip_protocol::tcp || datagram.protocol == ip_protocol::udp;
  return datagram.origin == DatagramOrigin::wire && datagram.depth == 0 && has_ports &&
         datagram.has_transport && !datagram.is_fragment && datagram.ipv6_extensions == 0 &&
         datagram.vlan_count <= 1;
}

capture::CardTuple tuple_of(const Tracked& tracked) noexcept {
  const FlowView& flow = tracked.flow;
  const Datagram& datagram = *tracked.datagram;
  return {.source = flow.client,
          .target = flow.server,
          .source_port = flow.client_port,
          .target_port = flow.server_port,
          .ip_version = datagram.ip_version,
          .protocol = datagram.protocol,
          .has_vlan = datagram.vlan_count == 1,
          .vlan_id = datagram.vlan_ids[0]};
}

template <typename T>
bool put(RecordRing& ring, const T& record) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  return ring.write({reinterpret_cast<const uint8_t*>(&record), sizeof record});
}

template <typename T>
bool take(RecordRing& ring, T& record) noexcept {
  const Bytes bytes = ring.front();
  if (bytes.size() != sizeof record) {
    return false;
  }
  std::memcpy(static_cast<void*>(&record), bytes.data(), sizeof record);
  ring.pop();
  return true;
}

}  // namespace

// A wish to install is made only while all flows spoken of could end at once, see want(); that
// much is asked for in one piece, which is a quarter of a ring at most.
BypassDesk::BypassDesk(uint32_t flows_max)
    : asked_(std::bit_ceil(std::max(flows_max, places_a_slot))),
      wishes_(std::bit_ceil(4 * (asked_.size() + 2) * record_bytes + 4096)),
      reports_(std::bit_ceil(asked_.size() * record_bytes + 4096)) {}

BypassDesk::Asked* BypassDesk::find(uint32_t slot, uint64_t eve_id) noexcept {
  for (uint32_t i = 0; i < places_a_slot; ++i) {
    Asked& place = asked_[(slot + i) & (asked_.size() - 1)];
    if (place.is_used && place.slot == slot && place.eve_id == eve_id) {
      return &place;
    }
  }
  return nullptr;
}

BypassDesk::Asked* BypassDesk::take_place(uint32_t slot, uint64_t eve_id) noexcept {
  for (uint32_t i = 0; i < places_a_slot; ++i) {
    Asked& place = asked_[(slot + i) & (asked_.size() - 1)];
    if (!place.is_used) {
      place = Asked{};
      place.eve_id = eve_id;
      place.slot = slot;
      place.is_used = true;
      return &place;
    }
  }
  return nullptr;
}

bool BypassDesk::has_budget(uint64_t clock_ns) noexcept {
  const uint64_t second = clock_ns / 1'000'000'000;
  if (second != budget_second_) {
    budget_second_ = second;
    wishes_in_second_ = 0;
  }
  return ++wishes_in_second_ <= wishes_a_second;
}

void BypassDesk::want(const Tracked& tracked) noexcept {
  if (tracked.flow.state != FlowState::bypassed || !is_plain(*tracked.datagram)) {
    return;
  }
  const uint32_t slot = tracked.flow.id.slot();
  const uint64_t eve_id = tracked.flow.eve_id;
  Asked* asked = find(slot, eve_id);
  // Either its packets were under way already, or the card did not want it a moment ago.
  if (asked != nullptr && (asked->is_open || tracked.datagram->clock_ns < asked->again_ns)) {
    return;
  }
  if (!has_budget(tracked.datagram->clock_ns)) {
    counters_.add(Counter::too_many);
    return;
  }
  const bool has_room = wishes_.claim((asked_.size() + 2) * record_bytes).data() != nullptr;
  if (has_room && asked == nullptr) {
    asked = take_place(slot, eve_id);
  }
  const BypassWish wish{BypassWish::Kind::install, slot, eve_id, tuple_of(tracked)};
  if (!has_room || asked == nullptr || !put(wishes_, wish)) {
    counters_.add(Counter::table_full);
    return;
  }
  asked->is_open = true;
  counters_.add(Counter::wishes);
}

bool BypassDesk::end(FlowEnd& end) noexcept {
  Asked* const asked = find(end.view.id.slot(), end.view.eve_id);
  if (asked == nullptr) {
    return false;
  }
  const BypassWish wish{BypassWish::Kind::end, asked->slot, asked->eve_id, {}};
  check(put(wishes_, wish), "the end of a flow in the card finds room");
  end.is_in_card = asked->was_in_card;
  for (size_t side = 0; side < 2; ++side) {
    end.card_packets[side] = asked->packets[side];
    end.card_bytes[side] = asked->bytes[side];
    end.view.packets[side] += static_cast<uint32_t>(asked->packets[side]);
    end.view.bytes[side] += asked->bytes[side];
  }
  asked->is_used = false;
  return end.is_in_card;
}

void BypassDesk::take_reports(flow::FlowTracker& flows, uint64_t clock_ns) noexcept {
  for (BypassReport report; take(reports_, report);) {
    Asked* const asked = find(report.slot, report.eve_id);
    if (asked == nullptr) {
      continue;  // it ended meanwhile
    }
    switch (report.kind) {
      case BypassReport::Kind::installed:
        asked->was_in_card = true;
        break;
      case BypassReport::Kind::removed:
        asked->is_open = false;
        asked->again_ns = clock_ns + retry_ns;
        break;
      case BypassReport::Kind::traffic:
        asked->was_in_card = true;
        for (size_t side = 0; side < 2; ++side) {
          asked->packets[side] += report.packets[side];
          asked->bytes[side] += report.bytes[side];
        }
        flows.keep_alive(FlowId(report.slot, Direction::to_server), report.eve_id, clock_ns,
                         clock_ns);
        break;
    }
  }
}

bool BypassDesk::next_wish(BypassWish& wish) noexcept {
  return take(wishes_, wish);
}

bool BypassDesk::report(const BypassReport& report) noexcept {
  return put(reports_, report);
}

CounterView BypassDesk::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::worker
