#include "link.h"

#include <optional>

#include "network.h"

namespace shrike::decode {
namespace {

constexpr size_t ethernet_header_bytes = 14;

/// A tag that is followed by an EtherType, and then by what that announces.
struct Tag {
  Count count;
  size_t bytes;    ///< of the whole tag
  size_t type_at;  ///< where its EtherType stands
  DecodeEvent too_small;
  /// Where Suricata minds an EtherType that it does not know.
  std::optional<DecodeEvent> unknown = std::nullopt;
};

bool decode_tag(Work& work, const Tag& tag, Bytes bytes) noexcept {
  work.count(tag.count);
  if (bytes.size() < tag.bytes) {
    return work.fail(tag.too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  const uint16_t type = load_big16(bytes.data() + tag.type_at);
  const bool is_known = decode_network(work, type, bytes.subspan(tag.bytes));
  return is_known || !tag.unknown || work.fail(*tag.unknown);
}

constexpr Tag sll = {Count::sll, 16, 14, DecodeEvent::sll_too_small};
constexpr Tag sll2 = {Count::sll2, 20, 0, DecodeEvent::sll2_too_small};
constexpr Tag chdlc = {Count::chdlc, 4, 2, DecodeEvent::chdlc_too_small};
constexpr Tag ieee8021ah = {Count::ieee8021ah, 18, 16, DecodeEvent::ieee8021ah_header_too_small};
constexpr Tag vntag = {Count::vntag, 6, 4, DecodeEvent::vntag_header_too_small,
                       DecodeEvent::vntag_unknown_type};
constexpr Tag etag = {Count::etag, 8, 6, DecodeEvent::etag_header_too_small,
                      DecodeEvent::etag_unknown_type};

void decode_raw(Work& work, Bytes bytes) noexcept {
  work.count(Count::raw);
  if (bytes.size() < 20) {
    work.fail(DecodeEvent::ipv4_too_small);
    return;
  }
  switch (bytes[0] >> 4) {
    case 4:
      decode_ipv4(work, bytes);
      return;
    case 6:
      decode_ipv6(work, bytes);
      return;
    default:
      work.note(DecodeEvent::ipraw_invalid_ip_version);
  }
}

/// The address family is in the writer's byte order, and IPv6's number is the writer's too. Both
/// orders are taken: families are small numbers. Source: tcpdump.org/linktypes.html.
void decode_null(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes = 4;
  work.count(Count::null_link);
  if (bytes.size() < header_bytes) {
    work.fail(DecodeEvent::null_link_too_small);
    return;
  }
  const uint32_t little = load_little32(bytes.data());
  const uint32_t family = little <= 0xffff ? little : load_big32(bytes.data());
  switch (family) {
    case 2:
      decode_ipv4(work, bytes.subspan(header_bytes));
      return;
    case 10:  // Linux
    case 23:  // Windows
    case 24:  // NetBSD, OpenBSD
    case 26:  // Solaris
    case 28:  // FreeBSD
    case 30:  // macOS
      decode_ipv6(work, bytes.subspan(header_bytes));
      return;
    default:
      work.note(DecodeEvent::null_link_unsupported_type);
  }
}

bool decode_fabric_path(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes = 2;
  if (bytes.size() < header_bytes + ethernet_header_bytes) {
    return work.fail(DecodeEvent::dce_too_small);
  }
  return decode_ethernet(work, bytes.subspan(header_bytes));
}

Count count_of_tag(unsigned tags_before) noexcept {
  switch (tags_before) {
    case 0:
      return Count::vlan;
    case 1:
      return Count::vlan_qinq;
    default:
      return Count::vlan_qinqinq;
  }
}

}  // namespace

void decode_link(Work& work, LinkType type, Bytes bytes) noexcept {
  switch (type) {
    case LinkType::ethernet:
      decode_ethernet(work, bytes);
      return;
    case LinkType::linux_sll:
      decode_tag(work, sll, bytes);
      return;
    case LinkType::linux_sll2:
      decode_tag(work, sll2, bytes);
      return;
    case LinkType::raw_ip:
      return decode_raw(work, bytes);
    case LinkType::null:
      return decode_null(work, bytes);
    case LinkType::ppp:
      decode_ppp(work, bytes);
      return;
    case LinkType::cisco_hdlc:
      decode_tag(work, chdlc, bytes);
      return;
    case LinkType::ieee80211_radiotap:
      work.count(Count::skipped_ieee80211);
      return;
    case LinkType::unknown:
      work.count(Count::skipped_link_type);
      return;
  }
}

bool decode_ethernet(Work& work, Bytes bytes) noexcept {
  work.count(Count::ethernet);
  if (bytes.size() < ethernet_header_bytes) [[unlikely]] {
    return work.fail(DecodeEvent::ethernet_too_small);
  }
  if (!work.enter_layer()) [[unlikely]] {
    return false;
  }
  const uint16_t type = load_big16(bytes.data() + 12);
  const Bytes rest = bytes.subspan(ethernet_header_bytes);
  if (type == ethertype::ipv4) [[likely]] {
    decode_ipv4(work, rest);
  } else {
    decode_network(work, type, rest);
  }
  return true;
}

bool decode_vlan(Work& work, Bytes bytes) noexcept {
  Datagram& datagram = work.datagram;
  if (datagram.vlan_count == datagram.vlan_ids.size()) {
    work.note(DecodeEvent::vlan_too_many_layers);
    return false;
  }
  const Tag tag = {count_of_tag(datagram.vlan_count), 4, 2, DecodeEvent::vlan_header_too_small,
                   DecodeEvent::vlan_unknown_type};
  if (bytes.size() >= tag.bytes) {
    datagram.vlan_ids[datagram.vlan_count++] = load_big16(bytes.data()) & 0x0fff;
  }
  return decode_tag(work, tag, bytes);
}

bool decode_network(Work& work, uint16_t type, Bytes bytes) noexcept {
  switch (type) {
    case ethertype::ipv4:
      decode_ipv4(work, bytes);
      return true;
    case ethertype::ipv6:
      decode_ipv6(work, bytes);
      return true;
    case ethertype::vlan:
    case ethertype::service_vlan:
    case ethertype::qinq:
      decode_vlan(work, bytes);
      return true;
    case ethertype::arp:
      decode_arp(work, bytes);
      return true;
    case ethertype::pppoe_session:
      decode_pppoe_session(work, bytes);
      return true;
    case ethertype::pppoe_discovery:
      decode_pppoe_discovery(work, bytes);
      return true;
    case ethertype::mpls:
    case ethertype::mpls_multicast:
      decode_mpls(work, bytes);
      return true;
    case ethertype::ieee8021ah:
      decode_tag(work, ieee8021ah, bytes);
      return true;
    case ethertype::fabric_path:
      decode_fabric_path(work, bytes);
      return true;
    case ethertype::vntag:
      decode_tag(work, vntag, bytes);
      return true;
    case ethertype::etag:
      decode_tag(work, etag, bytes);
      return true;
    case ethertype::nsh:
      decode_nsh(work, bytes);
      return true;
    default:
      work.count(Count::unknown_ethertype);
      work.note(DecodeEvent::ethernet_unknown_ethertype);
      return false;
  }
}

}  // namespace shrike::decode
