// PostgreSQL: blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/pgsql.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::pgsql_row, ip_protocol::tcp, {data, size});
  return 0;
}
