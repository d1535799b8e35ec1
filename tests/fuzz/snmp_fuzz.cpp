// SNMP and TFTP datagrams. Input: the blocks of parser_harness.h, behind one byte that chooses TFTP
// (odd) or SNMP.
#include "parser_harness.h"
#include "protocol/snmp.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const protocol::ParserRow& row = (data[0] & 1) != 0 ? protocol::tftp_row : protocol::snmp_row;
  fuzz::converse(row, ip_protocol::udp, {data + 1, size - 1});
  return 0;
}
