#pragma once
#include <cstdint>

#include "flow_key.h"
#include "lazy_array.h"
#include "shrike/model/stream.h"

namespace shrike::flow {

/// What is known of one flow, TCP's session apart. Three cache lines: identity, what every
/// datagram writes, and what is rarely needed.
struct alignas(64) Flow {
  FlowKey key;
  uint64_t hash = 0;
  bool is_live = false;
  uint8_t client_index = 0;  ///< which end of the key is the client
  uint8_t seen = 0;          ///< bit per direction in which a datagram counted
  bool has_session = false;  ///< TCP: a handshake or pickup was seen
  FlowState state = FlowState::fresh;
  FlowVerdict verdict = FlowVerdict::inspect;
  uint8_t timeouts = 0;  ///< index of the protocol's timeouts
  bool is_reversed = false;

  uint64_t last_ns = 0;        ///< newest packet time
  uint64_t last_clock_ns = 0;  ///< clock at the last datagram
  uint64_t last_number = 0;
  std::array<uint64_t, 2> bytes{};
  std::array<uint32_t, 2> packets{};
  uint32_t wheel_tick = 0;  ///< where the timer wheel holds it; 0: nowhere
  uint32_t wheel_next = 0;
  uint32_t wheel_previous = 0;
  std::array<uint8_t, 2> tcp_flags{};
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;

  uint64_t start_ns = 0;
  uint64_t eve_id = 0;
  std::array<uint8_t, 2> ttl_min{};
  std::array<uint8_t, 2> ttl_max{};
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};
  uint8_t vlan_count = 0;
  uint8_t app = 0;  ///< bits of app_flag
  uint32_t capture_index = 0;
  uint32_t next = 0;  ///< chain of free slots
};
static_assert(sizeof(Flow) == 192);

/// What the application layer said of a flow. Bits of Flow::app.
namespace app_flag {
inline constexpr uint8_t fed = 1;      ///< got bytes in this call: its answer comes before the next
inline constexpr uint8_t settled = 2;  ///< not TCP: its answers change nothing any more
inline constexpr uint8_t look_to_server = 4;  ///< open transactions: one more look at the end
inline constexpr uint8_t look_to_client = 8;
inline constexpr uint8_t shed_shift = 4;  ///< two bits: the ShedCause plus one, 0 where not shed
}  // namespace app_flag

/// The index of a core's flows: key to slot. Never shared, never locked, never grown.
/// Open addressing over eight entries a cache line; an entry carries 32 bits of the hash, so
/// a flow is touched only where it is, but for one probe in thousands, the right one.
class FlowTable {
 public:
  /// @param flows_max a power of two; the index is at most half full.
  /// @param slots     flows that may be named at once, at least flows_max.
  FlowTable(uint32_t flows_max, uint32_t slots)
      : mask_(flows_max * 2 - 1), entries_(size_t{flows_max} * 2), flows_(slots) {}

  Flow& operator[](uint32_t slot) noexcept { return flows_[slot]; }
  const Flow& operator[](uint32_t slot) const noexcept { return flows_[slot]; }
  [[nodiscard]] uint32_t slots() const noexcept { return static_cast<uint32_t>(flows_.size()); }

  /// Asks for the cache line of the index where `hash` is at home.
  void prefetch(uint64_t hash) const noexcept { __builtin_prefetch(&entries_[home(hash)]); }
  /// Asks for the flow that `hash` probably means. @return its slot, or `none`.
  uint32_t prefetch_flow(uint64_t hash) noexcept {
    const Entry& entry = entries_[home(hash)];
    if (entry.tag != tag(hash) || entry.slot_plus_one == 0) {
      return none;
    }
    const auto* const line = reinterpret_cast<const char*>(&flows_[entry.slot_plus_one - 1]);
    __builtin_prefetch(line);
    __builtin_prefetch(line + 64, 1);
    return entry.slot_plus_one - 1;
  }

  static constexpr uint32_t none = 0xffffffff;
  [[nodiscard]] uint32_t find(uint64_t hash, const FlowKey& key) const noexcept {
    for (uint32_t at = home(hash);; at = (at + 1) & mask_) {
      const Entry& entry = entries_[at];
      if (entry.slot_plus_one == 0) {
        return none;
      }
      if (entry.tag == tag(hash) && flows_[entry.slot_plus_one - 1].key == key) {
        return entry.slot_plus_one - 1;
      }
    }
  }
  /// REQUIRES: fewer than flows_max are in, the key is not.
  void insert(uint64_t hash, uint32_t slot) noexcept {
    uint32_t at = home(hash);
    while (entries_[at].slot_plus_one != 0) {
      at = (at + 1) & mask_;
    }
    entries_[at] = {tag(hash), slot + 1};
  }
  /// REQUIRES: the slot is in under this hash.
  void erase(uint64_t hash, uint32_t slot) noexcept;

 private:
  struct Entry {
    uint32_t tag;
    uint32_t slot_plus_one;  ///< 0: empty
  };
  static uint32_t tag(uint64_t hash) noexcept { return static_cast<uint32_t>(hash); }
  [[nodiscard]] uint32_t home(uint64_t hash) const noexcept {
    return static_cast<uint32_t>(hash) & mask_;
  }

  uint32_t mask_;
  LazyArray<Entry> entries_;
  LazyArray<Flow> flows_;
};

}  // namespace shrike::flow
