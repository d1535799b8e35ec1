// Any bytes as a capture: plain or compressed, pcap or pcapng. Every byte of every frame is read,
// so that a span that reaches too far is noticed.
#include <cstdint>
#include <memory>
#include <numeric>

#include "shrike/base/check.h"
#include "shrike/capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  shrike::Diagnostics diagnostics;
  const auto source = shrike::capture::open_memory(
      "fuzz", {data, size}, {.decompressed_bytes_max = 1 << 20}, diagnostics);
  static const auto batch = std::make_unique<shrike::PacketBatch>();
  static volatile uint64_t sum = 0;
  uint64_t clock_ns = 0;
  while (!source->is_finished()) {
    source->receive(*batch);
    for (const shrike::Packet& packet : batch->all()) {
      sum = std::accumulate(packet.frame.begin(), packet.frame.end(), uint64_t{sum});
      shrike::check(packet.clock_ns >= clock_ns, "the clock does not run backwards");
      shrike::check(packet.wire_bytes >= packet.frame.size(), "frames are as long on the wire");
      clock_ns = packet.clock_ns;
    }
    source->release(*batch);
  }
  return 0;
}
