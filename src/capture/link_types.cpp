#include "link_types.h"

#include <pcap/dlt.h>

namespace shrike::capture {

LinkType to_link_type(uint32_t link_number) noexcept {
  switch (link_number) {
    case 0:    // NULL
    case 108:  // LOOP: the family in network order; the decoder takes either
      return LinkType::null;
    case 1:
      return LinkType::ethernet;
    case 9:
      return LinkType::ppp;
    case 12:  // DLT_RAW of Linux and most BSDs, as some writers store it
    case 14:  // DLT_RAW of OpenBSD
    case 101:
    case 228:  // IPV4
    case 229:  // IPV6
      return LinkType::raw_ip;
    case 104:
      return LinkType::cisco_hdlc;
    case 113:
      return LinkType::linux_sll;
    case 127:
      return LinkType::ieee80211_radiotap;
    case 276:
      return LinkType::linux_sll2;
    default:
      return LinkType::unknown;
  }
}

int to_pcap_number(uint32_t link_number) noexcept {
  const bool is_raw = link_number == 101 || link_number == 12 || link_number == 14;
  return is_raw ? DLT_RAW : static_cast<int>(link_number);
}

}  // namespace shrike::capture
