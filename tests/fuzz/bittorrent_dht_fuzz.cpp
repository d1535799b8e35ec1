// BitTorrent's DHT: blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/bittorrent_dht.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::converse(protocol::bittorrent_dht_row, ip_protocol::udp, {data, size});
  return 0;
}
