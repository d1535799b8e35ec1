#include "ethernet_frame.h"

#include <array>
#include <optional>

#include "shrike/base/bytes.h"

namespace shrike::traffic_mix {

namespace {

/// A frame without its link header.
struct Inner {
  uint16_t ether_type = 0;
  Bytes bytes;
};

std::optional<Inner> ip_inside(Bytes bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  const unsigned version = bytes[0] >> 4;
  return Inner{static_cast<uint16_t>(version == 6 ? 0x86dd : 0x0800), bytes};
}

/// Takes the link header off, of the kinds that an Ethernet header can stand in for.
std::optional<Inner> take_off_link(const Packet& packet) {
  ByteReader reader(packet.frame);
  Inner inner;
  switch (packet.link_type) {
    case LinkType::raw_ip:
      return ip_inside(packet.frame);
    case LinkType::null:
      return reader.skip(4) ? ip_inside(reader.rest()) : std::nullopt;
    case LinkType::linux_sll:
      reader.skip(14);
      inner = {reader.big16(), reader.rest()};
      break;
    case LinkType::linux_sll2:
      inner.ether_type = reader.big16();
      reader.skip(18);
      inner.bytes = reader.rest();
      break;
    default:
      return std::nullopt;
  }
  return reader.failed() ? std::nullopt : std::optional(inner);
}

}  // namespace

bool append_as_ethernet(const Packet& packet, std::vector<uint8_t>& bytes) {
  if (packet.link_type == LinkType::ethernet) {
    bytes.insert(bytes.end(), packet.frame.begin(), packet.frame.end());
    return true;
  }
  const auto inner = take_off_link(packet);
  if (!inner) {
    return false;
  }
  constexpr std::array<uint8_t, 12> addresses{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  bytes.insert(bytes.end(), addresses.begin(), addresses.end());
  bytes.push_back(static_cast<uint8_t>(inner->ether_type >> 8));
  bytes.push_back(static_cast<uint8_t>(inner->ether_type));
  bytes.insert(bytes.end(), inner->bytes.begin(), inner->bytes.end());
  return true;
}

}  // namespace shrike::traffic_mix
