#include "tunnel.h"

#include <algorithm>

#include "link.h"
#include "network.h"

namespace shrike::decode {
namespace {

// ---- GRE ------------------------------------------------------------------------------------

constexpr size_t gre_header_bytes = 4;

struct GreFlags {
  explicit GreFlags(Bytes header) noexcept
      : has_checksum((header[0] & 0x80) != 0),
        has_route((header[0] & 0x40) != 0),
        has_key((header[0] & 0x20) != 0),
        has_sequence((header[0] & 0x10) != 0),
        has_strict_route((header[0] & 0x08) != 0),
        recursion(header[0] & 0x07),
        has_acknowledgment((header[1] & 0x80) != 0),
        reserved(header[1] & 0x78),
        version(header[1] & 0x07) {}

  bool has_checksum, has_route, has_key, has_sequence, has_strict_route;
  uint8_t recursion;
  bool has_acknowledgment;
  uint8_t reserved;
  uint8_t version;
};

/// The routing field of version 0: entries of family, offset, length and route; zeros end it.
/// @return where it ends, 0 where it is malformed.
size_t end_of_routes(Bytes bytes, size_t at) noexcept {
  for (;;) {
    if (at + 4 > bytes.size()) {
      return 0;
    }
    const uint16_t family = load_big16(bytes.data() + at);
    const size_t length = bytes[at + 3];
    at += 4;
    if (family == 0 && length == 0) {
      return at;
    }
    at += length;
    if (at > bytes.size()) {
      return 0;
    }
  }
}

/// @return bytes of the whole header, 0 where it is malformed.
size_t check_gre_version0(Work& work, Bytes bytes, const GreFlags& flags) noexcept {
  size_t header_bytes = gre_header_bytes;
  if (flags.recursion != 0) {
    work.fail(DecodeEvent::gre_version0_recursion);
    return 0;
  }
  if (flags.reserved != 0) {
    work.fail(DecodeEvent::gre_version0_flags);
    return 0;
  }
  header_bytes += flags.has_key ? 4 : 0;
  header_bytes += flags.has_sequence ? 4 : 0;
  header_bytes += flags.has_checksum || flags.has_route ? 4 : 0;
  if (header_bytes > bytes.size()) {
    work.fail(DecodeEvent::gre_version0_header_too_big);
    return 0;
  }
  if (flags.has_route) {
    header_bytes = end_of_routes(bytes, header_bytes);
    if (header_bytes == 0) {
      work.fail(DecodeEvent::gre_version0_malformed_source_route_header);
    }
  }
  return header_bytes;
}

size_t check_gre_version1(Work& work, Bytes bytes, const GreFlags& flags) noexcept {
  struct Fault {
    bool is_there;
    DecodeEvent event;
  };
  const Fault faults[] = {
      {flags.has_checksum, DecodeEvent::gre_version1_checksum},
      {flags.has_route, DecodeEvent::gre_version1_route},
      {flags.has_strict_route, DecodeEvent::gre_version1_strict_source_route},
      {flags.recursion != 0, DecodeEvent::gre_version1_recursion},
      {flags.reserved != 0, DecodeEvent::gre_version1_flags},
      {load_big16(bytes.data() + 2) != ethertype::ppp, DecodeEvent::gre_version1_wrong_protocol},
      {!flags.has_key, DecodeEvent::gre_version1_no_key},
  };
  for (const Fault& fault : faults) {
    if (fault.is_there) {
      work.fail(fault.event);
      return 0;
    }
  }
  size_t header_bytes = gre_header_bytes + 4;
  header_bytes += flags.has_sequence ? 4 : 0;
  header_bytes += flags.has_acknowledgment ? 4 : 0;
  if (header_bytes > bytes.size()) {
    work.fail(DecodeEvent::gre_version1_header_too_big);
    return 0;
  }
  return header_bytes;
}

InnerKind kind_of_gre_payload(uint16_t type, const GreFlags& flags, bool type1_enabled) noexcept {
  switch (type) {
    case ethertype::ipv4:
      return InnerKind::ipv4;
    case ethertype::ipv6:
      return InnerKind::ipv6;
    case ethertype::ppp:
      return InnerKind::ppp;
    case ethertype::vlan:
      return InnerKind::vlan;
    case ethertype::erspan:
      // The types differ in nothing else (draft-foschiano-erspan section 4.1).
      return flags.has_sequence ? InnerKind::erspan_type2
             : type1_enabled    ? InnerKind::erspan_type1
                                : InnerKind::none;
    case ethertype::bridge:
      return InnerKind::ethernet;
    default:
      return InnerKind::none;
  }
}

// ---- UDP ------------------------------------------------------------------------------------

bool is_listed(uint16_t port, const std::vector<uint16_t>& ports) noexcept {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}
bool is_either_listed(const Datagram& datagram, const std::vector<uint16_t>& ports) noexcept {
  return is_listed(datagram.source_port, ports) || is_listed(datagram.target_port, ports);
}

/// Nothing marks Teredo: it must look like IPv6 of exactly the length that is there, behind an
/// optional origin indication (RFC 4380 section 5.1.1).
bool carry_teredo(Work& work) noexcept {
  constexpr size_t ipv6_header_bytes = 40;
  constexpr size_t origin_bytes = 8;
  Bytes bytes = work.datagram.payload;
  if (bytes.size() >= ipv6_header_bytes + origin_bytes && load_big16(bytes.data()) == 0) {
    bytes = bytes.subspan(origin_bytes);
  }
  if (bytes.size() < ipv6_header_bytes || bytes[0] >> 4 != 6) {
    return false;
  }
  const size_t payload_bytes = load_big16(bytes.data() + 4);
  const bool lacks_hops = bytes[7] == 0;
  const bool lacks_options = bytes[6] == ip_protocol::hop_by_hop && payload_bytes < 8;
  if (lacks_hops || lacks_options || bytes.size() != ipv6_header_bytes + payload_bytes) {
    return false;
  }
  return work.carry(InnerKind::teredo, bytes, DatagramOrigin::teredo_tunnel, Count::teredo);
}

/// Options fill the length that the header gives them (RFC 8926 section 3.5).
bool are_geneve_options_sound(Bytes options) noexcept {
  while (!options.empty()) {
    const size_t bytes = (size_t{options[3] & 0x1fu} + 1) * 4;
    if (bytes > options.size()) {
      return false;
    }
    options = options.subspan(bytes);
  }
  return true;
}

bool carry_geneve(Work& work) noexcept {
  constexpr size_t header_bytes_min = 8;
  const Bytes bytes = work.datagram.payload;
  if (bytes.size() < header_bytes_min || !work.enter_layer()) {
    return false;
  }
  const size_t options_bytes = size_t{bytes[0] & 0x3fu} * 4;
  const size_t header_bytes = header_bytes_min + options_bytes;
  const bool is_version0 = bytes[0] >> 6 == 0;
  const bool is_reserved_zero = (bytes[1] & 0x3f) == 0 && bytes[7] == 0;
  if (bytes.size() < header_bytes || !is_version0 || !is_reserved_zero ||
      !are_geneve_options_sound(bytes.subspan(header_bytes_min, options_bytes))) {
    return false;
  }
  work.count(Count::geneve);
  InnerKind kind = InnerKind::none;
  switch (load_big16(bytes.data() + 2)) {
    case ethertype::ipv4:
      kind = InnerKind::ipv4;
      break;
    case ethertype::ipv6:
      kind = InnerKind::ipv6;
      break;
    case ethertype::bridge:
      kind = InnerKind::ethernet;
      break;
    case ethertype::arp:
      return true;
    default:
      work.fail(DecodeEvent::geneve_unknown_payload_type);
      return true;
  }
  work.carry(kind, bytes.subspan(header_bytes), DatagramOrigin::geneve_tunnel, Count::count_);
  return true;
}

/// Only the I bit may be set, and only known payloads are taken. The inner Ethernet header is not
/// part of the inner datagram.
bool carry_vxlan(Work& work) noexcept {
  constexpr size_t header_bytes = 8;
  constexpr size_t ethernet_bytes = 14;
  const Bytes bytes = work.datagram.payload;
  if (bytes.size() < header_bytes + ethernet_bytes || !work.enter_layer()) {
    return false;
  }
  if (load_big32(bytes.data()) != 0x08000000 || bytes[7] != 0) {
    return false;
  }
  work.count(Count::vxlan);
  InnerKind kind = InnerKind::none;
  switch (load_big16(bytes.data() + header_bytes + 12)) {
    case ethertype::ipv4:
      kind = InnerKind::ipv4;
      break;
    case ethertype::ipv6:
      kind = InnerKind::ipv6;
      break;
    case ethertype::vlan:
    case ethertype::service_vlan:
    case ethertype::qinq:
      kind = InnerKind::vlan;
      break;
    case ethertype::arp:
      return true;
    default:
      work.fail(DecodeEvent::vxlan_unknown_payload_type);
      return true;
  }
  work.carry(kind, bytes.subspan(header_bytes + ethernet_bytes), DatagramOrigin::vxlan_tunnel,
             Count::count_);
  return true;
}

// ---- ERSPAN (draft-foschiano-erspan) ----------------------------------------------------------

bool decode_erspan_type2(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes = 8;
  work.count(Count::erspan);
  if (bytes.size() < header_bytes) {
    work.note(DecodeEvent::erspan_header_too_small);
    return false;
  }
  if (!work.enter_layer()) {
    return false;
  }
  if (bytes[0] >> 4 != 1) {
    work.note(DecodeEvent::erspan_unsupported_version);
    return false;
  }
  Datagram& datagram = work.datagram;
  const uint16_t vlan_id = load_big16(bytes.data()) & 0x0fff;
  if (vlan_id != 0) {
    if (datagram.vlan_count == datagram.vlan_ids.size()) {
      work.note(DecodeEvent::erspan_too_many_vlan_layers);
      return false;
    }
    datagram.vlan_ids[datagram.vlan_count++] = vlan_id;
  }
  return decode_ethernet(work, bytes.subspan(header_bytes));
}

}  // namespace

void decode_gre(Work& work, Bytes bytes) noexcept {
  work.count(Count::gre);
  work.datagram.protocol = ip_protocol::gre;
  if (bytes.size() < gre_header_bytes) {
    work.fail(DecodeEvent::gre_too_small);
    return;
  }
  if (!work.enter_layer()) {
    return;
  }
  const GreFlags flags(bytes);
  size_t header_bytes = 0;
  if (flags.version == 0) {
    header_bytes = check_gre_version0(work, bytes, flags);
  } else if (flags.version == 1) {
    header_bytes = check_gre_version1(work, bytes, flags);
  } else {
    work.fail(DecodeEvent::gre_wrong_version);
  }
  work.datagram.transport_header = bytes.first(gre_header_bytes);
  if (header_bytes == 0) {
    return;
  }
  const uint16_t type = load_big16(bytes.data() + 2);
  const InnerKind kind = kind_of_gre_payload(type, flags, work.shared.options.erspan_type1_enabled);
  const bool is_bare_acknowledgment = flags.version == 1 && load_big16(bytes.data() + 4) == 0;
  if (kind != InnerKind::none && !is_bare_acknowledgment) {
    work.carry(kind, bytes.subspan(header_bytes), DatagramOrigin::gre_tunnel, Count::count_);
  }
}

void decode_udp_tunnels(Work& work) noexcept {
  const DecoderOptions& options = work.shared.options;
  const bool is_teredo_port =
      options.teredo_ports.empty() || is_either_listed(work.datagram, options.teredo_ports);
  if (options.teredo_enabled && is_teredo_port && carry_teredo(work)) {
    return;
  }
  decode_udp_tunnels_after_teredo(work);
}

void decode_udp_tunnels_after_teredo(Work& work) noexcept {
  const DecoderOptions& options = work.shared.options;
  if (options.geneve_enabled && is_either_listed(work.datagram, options.geneve_ports) &&
      carry_geneve(work)) {
    return;
  }
  if (options.vxlan_enabled && is_listed(work.datagram.target_port, options.vxlan_ports)) {
    carry_vxlan(work);
  }
}

bool decode_inner(Work& work, InnerKind kind, Bytes bytes) noexcept {
  switch (kind) {
    case InnerKind::none:
      return false;
    case InnerKind::ipv4:
      return decode_ipv4(work, bytes);
    case InnerKind::ipv6:
    case InnerKind::teredo:
      return decode_ipv6(work, bytes);
    case InnerKind::ethernet:
      return decode_ethernet(work, bytes);
    case InnerKind::vlan:
      return decode_vlan(work, bytes);
    case InnerKind::ppp:
      return decode_ppp(work, bytes);
    case InnerKind::erspan_type1:
      work.count(Count::erspan);
      return decode_ethernet(work, bytes);
    case InnerKind::erspan_type2:
      return decode_erspan_type2(work, bytes);
    case InnerKind::rebuilt:
      return bytes[0] >> 4 == 4 ? decode_ipv4(work, bytes) : decode_ipv6(work, bytes);
  }
  return false;
}

}  // namespace shrike::decode
