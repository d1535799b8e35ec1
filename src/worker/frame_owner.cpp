#include "frame_owner.h"

#include "shrike/model/limits.h"

namespace shrike::worker {

namespace {

constexpr size_t ethertype_at = 12;
constexpr size_t vlan_tag_bytes = 4;
constexpr uint16_t ethertype_ipv4 = 0x0800, ethertype_ipv6 = 0x86dd;

bool is_vlan(uint16_t ethertype) noexcept {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

}  // namespace

uint32_t owner_of_frame(const Packet& packet, const OwnerTable& owners,
                        uint32_t otherwise) noexcept {
  const Bytes frame = packet.frame;
  if (packet.link_type != LinkType::ethernet || frame.size() < ethertype_at + 2) {
    return otherwise;
  }
  size_t at = ethertype_at;
  uint16_t ethertype = load_big16(frame.data() + at);
  for (size_t tags = 0; is_vlan(ethertype) && tags < limits::vlan_tags_max; ++tags) {
    at += vlan_tag_bytes;
    if (frame.size() < at + 2) {
      return otherwise;
    }
    ethertype = load_big16(frame.data() + at);
  }
  const size_t header = at + 2;
  struct Addresses {
    size_t at;
    size_t bytes;
  };
  const Addresses place = ethertype == ethertype_ipv4   ? Addresses{12, 8}
                          : ethertype == ethertype_ipv6 ? Addresses{8, 32}
                                                        : Addresses{0, 0};
  if (place.bytes == 0 || frame.size() < header + place.at + place.bytes) {
    return otherwise;
  }
  return owners.owner_of_addresses(frame.subspan(header + place.at, place.bytes));
}

}  // namespace shrike::worker
