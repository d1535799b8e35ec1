#include "frame_owner.h"

namespace shrike::worker {

uint32_t owner_of_frame(const Packet& packet, const OwnerTable& owners,
                        uint32_t otherwise) noexcept {
  if (packet.link_type != LinkType::ethernet) {
    return otherwise;
  }
  const Bytes addresses = OwnerTable::addresses_of_frame(packet.frame);
  return addresses.empty() ? otherwise : owners.owner_of_addresses(addresses);
}

}  // namespace shrike::worker
