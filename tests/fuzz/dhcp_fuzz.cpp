// DHCP and NTP datagrams. Input: one byte that chooses NTP (odd) or DHCP, then the blocks of
// parser_harness.h.
#include "parser_harness.h"
#include "protocol/dhcp.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const protocol::ParserRow& row = (data[0] & 1) != 0 ? protocol::ntp_row : protocol::dhcp_row;
  fuzz::converse(row, ip_protocol::udp, {data + 1, size - 1});
  return 0;
}
