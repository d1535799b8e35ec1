#include "address_rewriter.h"

#include <algorithm>
#include <array>

#include "shrike/base/hash.h"
#include "shrike/craft.h"
#include "shrike/model/datagram.h"

namespace shrike::traffic_mix {

namespace {

constexpr uint16_t ether_type_ipv4 = 0x0800;
constexpr uint16_t ether_type_ipv6 = 0x86dd;
constexpr uint16_t ether_type_bridging = 0x6558;
constexpr size_t ethernet_bytes = 14;
constexpr size_t ipv4_bytes_min = 20;
constexpr size_t ipv6_bytes = 40;
/// Frames in frames: more than tunnels of real traffic have.
constexpr unsigned depth_max = 6;
constexpr uint8_t ipv6_fragment = 44;

bool is_vlan(uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

void store_big16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void store_big32(uint8_t* at, uint32_t value) {
  store_big16(at, static_cast<uint16_t>(value >> 16));
  store_big16(at + 2, static_cast<uint16_t>(value));
}

bool is_ipv6_extension(uint8_t next) {
  return next == 0 || next == 43 || next == ipv6_fragment || next == 60 || next == 135;
}

/// Multicast, broadcast and "this host" mean the same to everyone.
bool is_for_all(const uint8_t* ipv4) {
  return ipv4[0] >= 224 || ipv4[0] == 0;
}

}  // namespace

AddressRewriter::AddressRewriter(uint64_t mix) {
  const uint64_t first = mix64(mix);
  const uint64_t second = mix64(first);
  mix_ipv4_ = {.factor = static_cast<uint32_t>(first) | 1,
               .addend = static_cast<uint32_t>(first >> 32),
               .mask = 0x00ffffff};
  mix_ipv6_ = {.factor = static_cast<uint32_t>(second) | 1,
               .addend = static_cast<uint32_t>(second >> 32)};
}

/// Where the first IP header is, behind Ethernet header and tags; 0 where there is none.
size_t AddressRewriter::ip_begin(Bytes frame) {
  size_t at = ethernet_bytes - 2;
  while (at + 6 <= frame.size() && is_vlan(load_big16(frame.data() + at))) {
    at += 4;
  }
  if (at + 3 > frame.size()) {
    return 0;
  }
  const uint16_t ether_type = load_big16(frame.data() + at);
  const size_t ip = at + 2;
  const unsigned version = frame[ip] >> 4;
  const bool is_ipv4 =
      ether_type == ether_type_ipv4 && version == 4 && ip + ipv4_bytes_min <= frame.size();
  const bool is_ipv6 =
      ether_type == ether_type_ipv6 && version == 6 && ip + ipv6_bytes <= frame.size();
  return is_ipv4 || is_ipv6 ? ip : 0;
}

bool AddressRewriter::rewrite(std::span<uint8_t> frame) {
  const size_t ip = ip_begin(frame);
  if (ip == 0) {
    return false;
  }
  frame_ = frame;
  covers_.clear();
  depth_ = 0;
  rewrite_ip(ip);
  return true;
}

void AddressRewriter::rewrite_link(size_t at) {
  if (!has(at, ethernet_bytes)) {
    return;
  }
  at += ethernet_bytes - 2;
  while (has(at, 6) && is_vlan(load_big16(from(at)))) {
    at += 4;
  }
  rewrite_ether_type(load_big16(from(at)), at + 2);
}

void AddressRewriter::rewrite_ether_type(uint16_t ether_type, size_t at) {
  if (ether_type == ether_type_bridging) {
    rewrite_link(at);
  } else if (ether_type == ether_type_ipv4 || ether_type == ether_type_ipv6) {
    rewrite_ip(at);
  }
}

void AddressRewriter::rewrite_ip(size_t at) {
  if (!has(at, 1) || depth_ == depth_max) {
    return;
  }
  ++depth_;
  const unsigned version = *from(at) >> 4;
  if (version == 4 && has(at, ipv4_bytes_min)) {
    rewrite_ipv4(at);
  } else if (version == 6 && has(at, ipv6_bytes)) {
    rewrite_ipv6(at);
  }
  --depth_;
}

void AddressRewriter::rewrite_ipv4(size_t at) {
  const size_t header_bytes = static_cast<size_t>(*from(at) & 15) * 4;
  const size_t transport = at + std::max(header_bytes, ipv4_bytes_min);
  const bool is_first = (load_big16(from(at + 6)) & 0x1fff) == 0;
  const bool is_whole = (load_big16(from(at + 6)) & 0x3fff) == 0;
  const uint8_t protocol = *from(at + 9);
  const Checksum checksum = is_first ? find_checksum(protocol, transport) : Checksum{};
  for (const size_t address_at : {at + 12, at + 16}) {
    if (!is_for_all(from(address_at))) {
      mix_in(address_at, mix_ipv4_, {.at = at + 10}, checksum);
    }
  }
  if (is_whole) {
    rewrite_transport(protocol, transport);
  }
}

void AddressRewriter::rewrite_ipv6(size_t at) {
  uint8_t next = *from(at + 6);
  size_t transport = at + ipv6_bytes;
  bool is_first = true;
  bool is_whole = true;
  while (is_ipv6_extension(next) && has(transport, 8)) {
    const bool is_fragment = next == ipv6_fragment;
    if (is_fragment) {
      const uint16_t place = load_big16(from(transport + 2));
      is_first = is_first && place >> 3 == 0;
      is_whole = is_whole && (place & 0xfff9) == 0;
    }
    next = *from(transport);
    transport += is_fragment ? 8 : (static_cast<size_t>(*from(transport + 1)) + 1) * 8;
  }
  const Checksum checksum = is_first ? find_checksum(next, transport) : Checksum{};
  for (const size_t address_at : {at + 8, at + 24}) {
    const bool is_multicast = *from(address_at) == 0xff;
    if (!is_multicast) {
      mix_in(address_at + 8, mix_ipv6_, {}, checksum);
    }
  }
  if (is_whole) {
    rewrite_transport(next, transport);
  }
}

/// The transport checksum, which covers the addresses too.
AddressRewriter::Checksum AddressRewriter::find_checksum(uint8_t protocol, size_t transport) const {
  if (protocol == ip_protocol::tcp && has(transport, 18)) {
    return {.at = transport + 16};
  }
  if (protocol == ip_protocol::udp && has(transport, 8) && load_big16(from(transport + 6)) != 0) {
    return {.at = transport + 6, .is_udp = true};
  }
  const bool is_icmpv6 = protocol == ip_protocol::icmpv6 && has(transport, 4);
  return {.at = is_icmpv6 ? transport + 2 : 0};
}

void AddressRewriter::rewrite_transport(uint8_t protocol, size_t at) {
  constexpr std::array<uint8_t, 5> icmp_errors{3, 4, 5, 11, 12};
  if (!has(at, 8)) {
    return;
  }
  switch (protocol) {
    case ip_protocol::ipip:
    case ip_protocol::ipv6:
      return rewrite_ip(at);
    case ip_protocol::gre:
      return rewrite_gre(at);
    case ip_protocol::udp:
      return rewrite_udp(at);
    case ip_protocol::icmp:
      if (std::find(icmp_errors.begin(), icmp_errors.end(), *from(at)) != icmp_errors.end()) {
        rewrite_quoted(at + 8, {.at = at + 2});
      }
      return;
    case ip_protocol::icmpv6:
      if (*from(at) >= 1 && *from(at) <= 4) {
        rewrite_quoted(at + 8, {.at = at + 2});
      }
      return;
    default:
      return;
  }
}

/// The datagram that an ICMP error is about.
void AddressRewriter::rewrite_quoted(size_t at, const Checksum& checksum) {
  covers_.push_back(checksum);
  rewrite_ip(at);
  covers_.pop_back();
}

void AddressRewriter::rewrite_udp(size_t at) {
  constexpr uint16_t vxlan_port = 4789;
  constexpr uint16_t geneve_port = 6081;
  constexpr uint16_t teredo_port = 3544;
  const uint16_t source_port = load_big16(from(at));
  const uint16_t target_port = load_big16(from(at + 2));
  const bool has_checksum = load_big16(from(at + 6)) != 0;
  if (has_checksum) {
    covers_.push_back({.at = at + 6, .is_udp = true});
  }
  if (target_port == vxlan_port && has(at, 16)) {
    rewrite_link(at + 16);
  } else if (target_port == geneve_port && has(at, 16)) {
    const size_t options_bytes = static_cast<size_t>(*from(at + 8) & 0x3f) * 4;
    rewrite_ether_type(load_big16(from(at + 10)), at + 16 + options_bytes);
  } else if ((target_port == teredo_port || source_port == teredo_port) && has(at, 9) &&
             *from(at + 8) >> 4 == 6) {
    rewrite_ip(at + 8);
  }
  if (has_checksum) {
    covers_.pop_back();
  }
}

void AddressRewriter::rewrite_gre(size_t at) {
  const uint8_t flags = *from(at);
  const bool has_checksum = (flags & 0x80) != 0;
  const bool is_version_0 = (*from(at + 1) & 7) == 0;
  const bool has_routing = (flags & 0x40) != 0;
  if (!is_version_0 || has_routing) {
    return;
  }
  const size_t inner = at + 4 + (has_checksum ? 4 : 0) + ((flags & 0x20) != 0 ? 4 : 0) +
                       ((flags & 0x10) != 0 ? 4 : 0);
  if (has_checksum) {
    covers_.push_back({.at = at + 4});
  }
  rewrite_ether_type(load_big16(from(at + 2)), inner);
  if (has_checksum) {
    covers_.pop_back();
  }
}

void AddressRewriter::mix_in(size_t at, const Mix& mix, const Checksum& header,
                             const Checksum& transport) {
  std::array<uint8_t, 4> before{};
  std::array<uint8_t, 4> after{};
  const uint32_t value = load_big32(from(at));
  store_big32(before.data(), value);
  store_big32(after.data(), mix.of(value));
  change(at, after, covers_.size());
  move_checksum(header, before, after, covers_.size());
  move_checksum(transport, before, after, covers_.size());
}

void AddressRewriter::change(size_t at, Bytes after, size_t covers) {
  std::array<uint8_t, 4> before{};
  std::copy_n(from(at), after.size(), before.begin());
  std::copy(after.begin(), after.end(), frame_.data() + at);
  while (covers-- > 0) {
    move_checksum(covers_[covers], Bytes(before).first(after.size()), after, covers);
  }
}

/// @param covers how many of covers_ lie around the checksum itself.
void AddressRewriter::move_checksum(const Checksum& checksum, Bytes before, Bytes after,
                                    size_t covers) {
  if (checksum.at == 0 || !has(checksum.at, 2)) {
    return;
  }
  const uint16_t sum = craft::updated_checksum(load_big16(from(checksum.at)), before, after);
  std::array<uint8_t, 2> moved{};
  store_big16(moved.data(), sum == 0 && checksum.is_udp ? 0xffff : sum);
  change(checksum.at, moved, covers);
}

}  // namespace shrike::traffic_mix
