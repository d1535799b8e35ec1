#include "shrike/model/datagram.h"

namespace shrike {

std::string_view to_text(DatagramOrigin origin) noexcept {
  switch (origin) {
    case DatagramOrigin::wire:
      return "wire/pcap";
    case DatagramOrigin::gre_tunnel:
      return "gre tunnel";
    case DatagramOrigin::ipv4_tunnel:
      return "ipv4 tunnel";
    case DatagramOrigin::ipv6_tunnel:
      return "ipv6 tunnel";
    case DatagramOrigin::teredo_tunnel:
      return "teredo tunnel";
    case DatagramOrigin::geneve_tunnel:
      return "geneve encapsulation";
    case DatagramOrigin::vxlan_tunnel:
      return "vxlan encapsulation";
    case DatagramOrigin::erspan_tunnel:
      return "erspan tunnel";
    case DatagramOrigin::defrag:
      return "defrag";
    case DatagramOrigin::protocol_change:
      return "stream (detect/log)";
    case DatagramOrigin::stream_end:
      return "stream (flow timeout)";
  }
  return "";
}

}  // namespace shrike
