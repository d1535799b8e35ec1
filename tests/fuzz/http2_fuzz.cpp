// HTTP/2 connections: frames, headers, bodies, DNS in them. Input: the blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/http2.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::http2_row, ip_protocol::tcp, {data, size});
  return 0;
}
