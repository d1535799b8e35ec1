// RFB: blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/rfb.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::rfb_row, ip_protocol::tcp, {data, size});
  return 0;
}
