// QUIC datagrams: first as they are, through the blocks of parser_harness.h; then as what an
// Initial packet would hold, which no fuzzer could encrypt, in one of Google's versions that are in
// the clear.
#include "parser_harness.h"
#include "protocol/quic.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::quic_row, ip_protocol::udp, {data, size});
  // Public header of Q043: connection id, version, packet number, authentication hash.
  std::vector<uint8_t> script{0, 0, 0, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 'Q', '0', '4', '3', 0};
  script.insert(script.end(), 12, 0);
  script.insert(script.end(), data, data + std::min<size_t>(size, 1400));
  const size_t block_bytes = script.size() - 3;
  script[1] = static_cast<uint8_t>(block_bytes >> 8);
  script[2] = static_cast<uint8_t>(block_bytes);
  fuzz::converse(protocol::quic_row, ip_protocol::udp, script);
  return 0;
}
