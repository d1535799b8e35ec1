// SIP messages and session descriptions. Input: the blocks of parser_harness.h, behind one byte
// that chooses TCP (odd) or UDP.
#include "parser_harness.h"
#include "protocol/sip.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  fuzz::converse(protocol::sip_row, (data[0] & 1) != 0 ? ip_protocol::tcp : ip_protocol::udp,
                 {data + 1, size - 1});
  return 0;
}
