// DNS messages over UDP and TCP, mDNS, and their probes. Input: one byte that chooses, then the
// blocks of parser_harness.h.
#include "parser_harness.h"
#include "protocol/dns.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const Bytes script{data + 1, size - 1};
  for (const protocol::Probe& probe : protocol::dns_row.probes) {
    static_cast<void>(probe.probe(script, Direction::to_server));
  }
  const bool is_mdns = (data[0] & 2) != 0;
  const bool is_stream = (data[0] & 1) != 0;
  fuzz::converse(is_mdns ? protocol::mdns_row : protocol::dns_row,
                 is_stream && !is_mdns ? ip_protocol::tcp : ip_protocol::udp, script);
  return 0;
}
