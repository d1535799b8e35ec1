#include "link.h"
#include "network.h"

namespace shrike::decode {
namespace {

/// PPP protocol numbers (IANA ppp-numbers).
namespace ppp {
constexpr uint16_t ip = 0x0021, van_jacobson = 0x002f, ipv6 = 0x0057;
}

/// Control protocols, silently accepted in PPP itself.
bool is_control(uint16_t protocol) noexcept {
  switch (protocol) {
    case 0x8021:  // IPCP
    case 0x8057:  // IPV6CP
    case 0xc021:  // LCP
    case 0xc023:  // PAP
    case 0xc025:  // LQM
    case 0xc223:  // CHAP
      return true;
    default:
      return false;
  }
}

/// More of them, which Suricata's PPPoE has never heard of.
bool is_late_control(uint16_t protocol) noexcept {
  switch (protocol) {
    case 0x00fd:  // compressed datagram
    case 0x80fd:  // CCP
    case 0x8207:  // CDPCP
    case 0xc029:  // CBCP
      return true;
    default:
      return false;
  }
}

/// Other network protocols, and their control protocols.
bool is_other_network(uint16_t protocol) noexcept {
  switch (protocol) {
    case 0x0023:  // OSI
    case 0x0025:  // Xerox NS
    case 0x0027:  // DECnet
    case 0x0029:  // AppleTalk
    case 0x002b:  // IPX
    case 0x002d:  // Van Jacobson compressed
    case 0x0031:  // bridging
    case 0x0033:  // ST-II
    case 0x0035:  // VINES
    case 0x0201:  // 802.1d hello
    case 0x0231:  // Luxcom
    case 0x0233:  // Sigma
    case 0x0281:  // MPLS unicast
    case 0x0283:  // MPLS multicast
    case 0x8023:
    case 0x8025:
    case 0x8027:
    case 0x8029:
    case 0x802b:
    case 0x8033:
    case 0x8035:
    case 0x8281:
      return true;
    default:
      return false;
  }
}

bool decode_ppp_ipv4(Work& work, Bytes bytes, DecodeEvent too_small) noexcept {
  return bytes.size() < 20 ? work.fail(too_small) : decode_ipv4(work, bytes);
}

bool decode_van_jacobson(Work& work, Bytes bytes) noexcept {
  if (bytes.size() < 20) {
    return work.fail(DecodeEvent::ppp_van_jacobson_too_small);
  }
  return bytes[0] >> 4 == 4 && decode_ipv4(work, bytes);
}

bool decode_ppp_ipv6(Work& work, Bytes bytes) noexcept {
  return bytes.size() < 40 ? work.fail(DecodeEvent::ppp_ipv6_too_small) : decode_ipv6(work, bytes);
}

/// A protocol field of one byte (RFC 1661 section 6.5).
bool decode_short_protocol(Work& work, uint8_t protocol, Bytes bytes) noexcept {
  switch (protocol) {
    case ppp::ip:
      return decode_ppp_ipv4(work, bytes, DecodeEvent::ppp_van_jacobson_too_small);
    case ppp::ipv6:
      return decode_ppp_ipv6(work, bytes);
    case ppp::van_jacobson:
      work.van_jacobson = true;
      return decode_van_jacobson(work, bytes);
    default:
      work.note(DecodeEvent::ppp_unsupported_protocol);
      return true;
  }
}

bool decode_long_protocol(Work& work, uint16_t protocol, Bytes bytes) noexcept {
  switch (protocol) {
    case ppp::ip:
      return decode_ppp_ipv4(work, bytes, DecodeEvent::ppp_ipv4_too_small);
    case ppp::ipv6:
      return decode_ppp_ipv6(work, bytes);
    case ppp::van_jacobson:
      return decode_van_jacobson(work, bytes);
    default:
      break;
  }
  if (is_other_network(protocol)) {
    work.note(DecodeEvent::ppp_unsupported_protocol);
  } else if (!is_control(protocol) && !is_late_control(protocol)) {
    work.fail(DecodeEvent::ppp_wrong_type);
  }
  return true;
}

}  // namespace

/// Source: RFC 1661, RFC 1662 (address and control field 0xff03, which may be left out).
bool decode_ppp(Work& work, Bytes bytes) noexcept {
  work.count(Count::ppp);
  const size_t protocol_at = !bytes.empty() && bytes[0] == 0xff ? 2 : 0;
  if (bytes.size() <= protocol_at) {
    return work.fail(DecodeEvent::ppp_too_small);
  }
  const size_t protocol_bytes = (bytes[protocol_at] & 1) != 0 ? 1 : 2;
  const size_t header_bytes = protocol_at + protocol_bytes;
  if (bytes.size() < header_bytes) {
    return work.fail(DecodeEvent::ppp_too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  const Bytes rest = bytes.subspan(header_bytes);
  return protocol_bytes == 1
             ? decode_short_protocol(work, bytes[protocol_at], rest)
             : decode_long_protocol(work, load_big16(bytes.data() + protocol_at), rest);
}

/// Source: RFC 2516. Tags are only counted against the length.
bool decode_pppoe_discovery(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes = 6;
  work.count(Count::pppoe);
  if (bytes.size() < header_bytes) {
    return work.fail(DecodeEvent::pppoe_too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  switch (bytes[1]) {
    case 0x07:  // offer
    case 0x09:  // initiation
    case 0x19:  // request
    case 0x65:  // session
    case 0xa7:  // termination
      break;
    default:
      work.fail(DecodeEvent::pppoe_wrong_code);
      return true;
  }
  if (load_big16(bytes.data() + 4) > bytes.size() - header_bytes) {
    work.fail(DecodeEvent::pppoe_malformed_tags);
  }
  return true;
}

/// Source: RFC 2516, RFC 1661 section 2 for the short protocol field.
bool decode_pppoe_session(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes = 6;
  work.count(Count::pppoe);
  if (bytes.size() < header_bytes + 1) {
    return work.fail(DecodeEvent::pppoe_too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  if (load_big16(bytes.data() + 4) == 0) {
    return true;
  }
  const bool is_short = (bytes[header_bytes] & 1) != 0;
  if (!is_short && bytes.size() < header_bytes + 2) {
    return work.fail(DecodeEvent::pppoe_too_small);
  }
  const uint16_t protocol =
      is_short ? bytes[header_bytes] : load_big16(bytes.data() + header_bytes);
  const Bytes rest = bytes.subspan(header_bytes + (is_short ? 1 : 2));
  switch (protocol) {
    case ppp::ip:
      decode_ppp_ipv4(work, rest, DecodeEvent::ppp_ipv4_too_small);
      return true;
    case ppp::ipv6:
      decode_ppp_ipv6(work, rest);
      return true;
    case ppp::van_jacobson:
      decode_van_jacobson(work, rest);
      return true;
    default:
      break;
  }
  if (is_other_network(protocol) || is_control(protocol)) {
    work.note(DecodeEvent::ppp_unsupported_protocol);
  } else {
    work.fail(DecodeEvent::ppp_wrong_type);
  }
  return true;
}

}  // namespace shrike::decode
