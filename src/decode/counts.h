#pragma once
#include <cstdint>
#include <span>

#include "shrike/base/counters.h"

namespace shrike::decode {

/// What the decoder counts, one row each in counts.cpp.
enum class Count : uint8_t {
  packets,
  bytes,
  invalid,
  ethernet,
  vlan,
  vlan_qinq,
  vlan_qinqinq,
  ieee8021ah,
  vntag,
  etag,
  mpls,
  pppoe,
  ppp,
  chdlc,
  sll,
  sll2,
  raw,
  null_link,
  nsh,
  arp,
  unknown_ethertype,
  ipv4,
  ipv6,
  tcp,
  udp,
  icmpv4,
  icmpv6,
  sctp,
  esp,
  gre,
  erspan,
  vxlan,
  geneve,
  teredo,
  ipv4_in_ipv4,
  ipv6_in_ipv4,
  ipv4_in_ipv6,
  ipv6_in_ipv6,
  skipped_ieee80211,
  skipped_link_type,
  count_,
};
[[nodiscard]] std::span<const CounterRow> count_rows() noexcept;

/// What defragmentation counts.
enum class FragmentCount : uint8_t {
  ipv4_fragments,
  ipv4_reassembled,
  ipv6_fragments,
  ipv6_reassembled,
  trackers_full,
  fragments_full,
  tracker_timeout,
  tracker_evicted,
  memory_bytes,
  count_,
};
[[nodiscard]] std::span<const CounterRow> fragment_count_rows() noexcept;

/// "decoder.event.ipv4.pkt_too_small" and so on, by DecodeEvent.
[[nodiscard]] std::span<const CounterRow> event_count_rows();

}  // namespace shrike::decode
