#include "flow_key.h"

#include <utility>

#include "shrike/base/bytes.h"

namespace shrike::flow {
namespace {

struct TypePair {
  uint8_t first;
  uint8_t second;
};
// Requests and their answers (IANA icmp-parameters, icmpv6-parameters).
constexpr TypePair icmp_pairs[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
constexpr TypePair icmpv6_pairs[] = {{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}};

template <size_t count>
uint8_t answer_of(const TypePair (&pairs)[count], uint8_t type) noexcept {
  for (const TypePair& pair : pairs) {
    if (pair.first == type) {
      return pair.second;
    }
    if (pair.second == type) {
      return pair.first;
    }
  }
  return 0;
}

/// Puts the smaller end first. @return which end the source became.
uint8_t set_ends(FlowKey& key, const IpAddress& source, const IpAddress& target,
                 std::array<uint16_t, 2> ports) noexcept {
  const int order = std::memcmp(source.bytes.data(), target.bytes.data(), source.bytes.size());
  const bool is_swapped = order > 0 || (order == 0 && ports[0] > ports[1]);
  key.addresses = is_swapped ? std::array{target, source} : std::array{source, target};
  key.ports = is_swapped ? std::array{ports[1], ports[0]} : ports;
  return is_swapped ? 1 : 0;
}

void set_icmp(FlowLookup& lookup, const Datagram& datagram) noexcept {
  const auto& embedded = datagram.embedded;
  if (is_icmp_error(datagram.icmp_type)) {
    lookup.may_open = false;
    lookup.is_wanted = datagram.icmp_type == 3 && embedded.ip_version == 4;
    lookup.is_embedded = lookup.is_wanted;
    lookup.key.protocol = embedded.protocol;
    set_ends(lookup.key, embedded.source, embedded.target,
             {embedded.source_port, embedded.target_port});
    return;
  }
  const uint8_t answer = answer_of(icmp_pairs, datagram.icmp_type);
  lookup.source_index =
      set_ends(lookup.key, datagram.source, datagram.target, {datagram.icmp_type, answer});
}

void set_icmpv6(FlowLookup& lookup, const Datagram& datagram) noexcept {
  const uint8_t answer = answer_of(icmpv6_pairs, datagram.icmp_type);
  const auto type_and_code =
      static_cast<uint16_t>(datagram.icmp_type | uint16_t{datagram.icmp_code} << 8);
  lookup.source_index =
      set_ends(lookup.key, datagram.source, datagram.target, {type_and_code, answer});
}

/// ESP has no ports: its flows go one way and are told apart by the SPI (RFC 4303, section 2.1).
void set_esp(FlowLookup& lookup, const Datagram& datagram) noexcept {
  const Bytes header =
      datagram.transport_header.empty() ? datagram.ip_payload : datagram.transport_header;
  const uint32_t spi = ByteReader(header).big32();
  lookup.key.addresses = {datagram.source, datagram.target};
  lookup.key.ports = {static_cast<uint16_t>(spi >> 16), static_cast<uint16_t>(spi)};
  lookup.key.is_one_way = 1;
}

uint64_t hash_of(const FlowKey& key) noexcept {
  std::array<uint64_t, sizeof(FlowKey) / 8> words;
  std::memcpy(words.data(), &key, sizeof key);
  // Two independent chains of multiplications, joined at the end: half the latency.
  uint64_t first = mix64(words[0] ^ 0x9e3779b97f4a7c15ULL);
  uint64_t second = mix64(words[2] ^ 0xc2b2ae3d27d4eb4fULL);
  if ((words[1] | words[3]) != 0) {
    first = mix64(first ^ words[1]);
    second = mix64(second ^ words[3]);
  }
  return mix64(first ^ words[4] ^ mix64(second + words[5]));
}

}  // namespace

FlowLookup look_at(const Datagram& datagram, bool vlan_separates) noexcept {
  FlowLookup lookup;
  if (!datagram.wants_flow) {
    return lookup;
  }
  lookup.is_wanted = true;
  FlowKey& key = lookup.key;
  key.protocol = datagram.protocol;
  key.ip_version = datagram.ip_version;
  key.depth = datagram.depth;
  if (vlan_separates) {
    key.vlan_ids = datagram.vlan_ids;
  }
  switch (datagram.protocol) {
    case ip_protocol::icmp:
      set_icmp(lookup, datagram);
      break;
    case ip_protocol::icmpv6:
      set_icmpv6(lookup, datagram);
      break;
    case ip_protocol::esp:
      set_esp(lookup, datagram);
      break;
    default:
      lookup.source_index = set_ends(key, datagram.source, datagram.target,
                                     {datagram.source_port, datagram.target_port});
  }
  lookup.hash = hash_of(key);
  return lookup;
}

}  // namespace shrike::flow
