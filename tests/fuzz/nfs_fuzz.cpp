// NFS: blocks of parser_harness.h, as a stream or, by the first byte, as datagrams.
#include "parser_harness.h"
#include "protocol/nfs.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    const uint8_t transport = (data[0] & 1) != 0 ? ip_protocol::udp : ip_protocol::tcp;
    fuzz::converse(protocol::nfs_row, transport, {data + 1, size - 1});
  }
  return 0;
}
