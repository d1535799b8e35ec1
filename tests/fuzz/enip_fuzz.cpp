// EtherNet/IP, over TCP or (first byte odd) UDP: blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/enip.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    fuzz::converse(protocol::enip_row, (data[0] & 1) != 0 ? ip_protocol::udp : ip_protocol::tcp,
                   {data + 1, size - 1});
  }
  return 0;
}
