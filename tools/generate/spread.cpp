#include "spread.h"

#include <algorithm>

namespace shrike::generate {

namespace {

constexpr uint16_t ether_type_ipv4 = 0x0800;
constexpr uint16_t ether_type_ipv6 = 0x86dd;

bool is_vlan(uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

bool read_address(ByteReader& reader, size_t bytes, IpAddress& address) {
  const Bytes found = reader.take(bytes);
  if (reader.failed()) {
    return false;
  }
  address = {};
  std::copy(found.begin(), found.end(), address.bytes.begin());
  return true;
}

/// The addresses of the first IP header. @return false where there is none.
bool read_hosts(Bytes frame, Datagram& hosts) {
  ByteReader reader(frame);
  reader.skip(12);
  uint16_t ether_type = reader.big16();
  while (is_vlan(ether_type) && !reader.failed()) {
    reader.skip(2);
    ether_type = reader.big16();
  }
  if (ether_type != ether_type_ipv4 && ether_type != ether_type_ipv6) {
    return false;
  }
  const bool is_ipv4 = ether_type == ether_type_ipv4;
  const size_t address_bytes = is_ipv4 ? 4 : 16;
  reader.skip(is_ipv4 ? 12 : 8);
  return read_address(reader, address_bytes, hosts.source) &&
         read_address(reader, address_bytes, hosts.target);
}

}  // namespace

QueueChooser::QueueChooser(Spread spread, uint32_t queues)
    : spread_(spread), queues_(queues), owners_(queues) {}

uint32_t QueueChooser::queue_of(Bytes frame) noexcept {
  if (!read_hosts(frame, hosts_)) {
    return 0;
  }
  const uint32_t queue = owners_.owner_of(hosts_);
  const bool takes_next = spread_ == Spread::asymmetric && hosts_.target < hosts_.source;
  return takes_next ? (queue + 1) % queues_ : queue;
}

}  // namespace shrike::generate
