#pragma once
#include <array>
#include <cstdint>
#include <cstring>

#include "shrike/base/hash.h"
#include "shrike/model/datagram.h"

namespace shrike::flow {

/// What tells flows apart. Both directions of a connection give the same key: its ends are
/// ordered. Compared and hashed as bytes, so every byte is set.
struct FlowKey {
  std::array<IpAddress, 2> addresses{};  ///< ordered
  std::array<uint16_t, 2> ports{};       ///< beside the addresses; ICMP: types; ESP: the SPI
  uint8_t protocol = 0;
  uint8_t ip_version = 0;
  uint8_t depth = 0;  ///< layers of tunnels: an inner flow is never mixed with an outer one
  uint8_t is_one_way = 0;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};
  uint16_t unused = 0;

  friend bool operator==(const FlowKey& first, const FlowKey& second) noexcept {
    return std::memcmp(&first, &second, sizeof(FlowKey)) == 0;
  }
};
static_assert(sizeof(FlowKey) == 48);

/// A datagram's place among the flows.
struct FlowLookup {
  FlowKey key;
  uint64_t hash = 0;
  bool is_wanted = false;    ///< false: this datagram belongs to no flow
  bool may_open = true;      ///< false: only joins a flow that is there already
  uint8_t source_index = 0;  ///< which end of the key is the datagram's source
  bool is_embedded = false;  ///< an ICMP error, tied to the flow it speaks of
};

/// Finds out where a datagram belongs. Source: Suricata's FlowGetHash and FlowCompare.
[[nodiscard]] FlowLookup look_at(const Datagram& datagram, bool vlan_separates) noexcept;

/// True for ICMPv4 types that report an error; they open no flow.
[[nodiscard]] constexpr bool is_icmp_error(uint8_t type) noexcept {
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

}  // namespace shrike::flow
