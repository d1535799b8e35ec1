// Kerberos messages. Input: the blocks of parser_harness.h, behind one byte that chooses TCP (odd)
// or UDP.
#include "parser_harness.h"
#include "protocol/krb5.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  fuzz::converse(protocol::krb5_row, (data[0] & 1) != 0 ? ip_protocol::tcp : ip_protocol::udp,
                 {data + 1, size - 1});
  return 0;
}
