#include "link.h"
#include "network.h"

namespace shrike::decode {
namespace {

/// Reserved labels (RFC 3032 section 2.1).
constexpr uint32_t label_ipv4 = 0, label_router_alert = 1, label_ipv6 = 2, label_implicit_null = 3,
                   label_reserved_max = 15;

/// Nothing says what follows an ordinary label: the first nibble decides, as routers do.
bool guess_behind_label(Work& work, Bytes bytes) noexcept {
  constexpr size_t control_word_bytes = 4;  // RFC 4448
  if (bytes.size() < control_word_bytes) {
    return work.fail(DecodeEvent::mpls_too_small);
  }
  switch (bytes[0] >> 4) {
    case 4:
      decode_ipv4(work, bytes);
      return true;
    case 6:
      decode_ipv6(work, bytes);
      return true;
    case 0:
      decode_ethernet(work, bytes.subspan(control_word_bytes));
      return true;
    default:
      work.fail(DecodeEvent::mpls_unknown_payload_type);
      return true;
  }
}

}  // namespace

bool decode_mpls(Work& work, Bytes bytes) noexcept {
  constexpr size_t shim_bytes = 4;
  work.count(Count::mpls);
  if (!work.enter_layer()) {
    return false;
  }
  uint32_t shim = 0;
  do {
    if (bytes.size() < shim_bytes) {
      return work.fail(DecodeEvent::mpls_header_too_small);
    }
    shim = load_big32(bytes.data());
    bytes = bytes.subspan(shim_bytes);
  } while ((shim & 0x100) == 0);
  const uint32_t label = shim >> 12;
  switch (label) {
    case label_ipv4:
      return decode_ipv4(work, bytes);
    case label_ipv6:
      return decode_ipv6(work, bytes);
    case label_router_alert:
      work.note(DecodeEvent::mpls_bad_label_router_alert);
      return true;
    case label_implicit_null:
      work.note(DecodeEvent::mpls_bad_label_implicit_null);
      return true;
    default:
      break;
  }
  if (label < label_reserved_max) {
    work.note(DecodeEvent::mpls_bad_label_reserved);
    return true;
  }
  return guess_behind_label(work, bytes);
}

/// Source: RFC 8300 section 2.
bool decode_nsh(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes_min = 8;
  work.count(Count::nsh);
  if (bytes.size() < header_bytes_min) {
    return work.fail(DecodeEvent::nsh_header_too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  if (bytes[0] >> 6 != 0) {
    work.note(DecodeEvent::nsh_unsupported_version);
    return true;
  }
  const size_t header_bytes = size_t{load_big16(bytes.data()) & 0x3fu} * 4;
  if (header_bytes >= bytes.size()) {
    return work.fail(DecodeEvent::nsh_bad_header_length);
  }
  const uint8_t metadata_type = bytes[2];
  if (metadata_type == 0 || metadata_type == 0x0f) {
    work.note(DecodeEvent::nsh_reserved_type);
    return true;
  }
  if (metadata_type > 2) {
    work.note(DecodeEvent::nsh_unsupported_type);
    return true;
  }
  if (metadata_type == 1 && header_bytes != 24) {
    return work.fail(DecodeEvent::nsh_bad_header_length);
  }
  const Bytes rest = bytes.subspan(header_bytes);
  switch (bytes[3]) {
    case 1:
      return decode_ipv4(work, rest);
    case 2:
      return decode_ipv6(work, rest);
    case 3:
      return decode_ethernet(work, rest);
    case 5:
      return decode_mpls(work, rest);
    default:
      work.note(DecodeEvent::nsh_unknown_payload);
      return true;
  }
}

/// Only ARP for IPv4 over Ethernet is taken as sound. Source: RFC 826, 903, 1931, 2390.
bool decode_arp(Work& work, Bytes bytes) noexcept {
  constexpr size_t header_bytes_min = 8;
  constexpr size_t message_bytes = 28;
  work.count(Count::arp);
  if (bytes.size() < header_bytes_min) {
    return work.fail(DecodeEvent::arp_too_small);
  }
  if (!work.enter_layer()) {
    return false;
  }
  if (load_big16(bytes.data()) != 1) {
    return work.fail(DecodeEvent::arp_unsupported_hardware);
  }
  if (load_big16(bytes.data() + 2) != ethertype::ipv4) {
    return work.fail(DecodeEvent::arp_unsupported_protocol);
  }
  if (bytes.size() < message_bytes) {
    return work.fail(DecodeEvent::arp_unsupported_packet);
  }
  if (bytes[4] != 6) {
    return work.fail(DecodeEvent::arp_invalid_hardware_size);
  }
  if (bytes[5] != 4) {
    return work.fail(DecodeEvent::arp_invalid_protocol_size);
  }
  const uint16_t operation = load_big16(bytes.data() + 6);
  if (operation < 1 || operation > 9) {
    return work.fail(DecodeEvent::arp_unsupported_opcode);
  }
  return true;
}

}  // namespace shrike::decode
