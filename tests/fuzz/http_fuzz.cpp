// HTTP/1 from both sides. Input: the blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/http.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::http_row, ip_protocol::tcp, {data, size});
  return 0;
}
