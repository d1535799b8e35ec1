// Modbus: blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/modbus.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::modbus_row, ip_protocol::tcp, {data, size});
  return 0;
}
