// The whole walk over any bytes: the input is an Ethernet capture without a file header, records of
// a 2-byte length and the frame. Rules exercise every engine.
#include <cstdint>
#include <functional>
#include <vector>

#include "shrike/craft.h"
#include "shrike/rule.h"
#include "worker/memory_source.h"
#include "worker/worker.h"

namespace {

const shrike::RuleSet& rules() {
  static const auto compiled = [] {
    shrike::Diagnostics diagnostics;
    shrike::rule::Report report;
    return shrike::rule::compile(
        {{"fuzz.rules",
          "alert tcp any any -> any any (content:\"GET\"; content:\"a\"; distance:0; sid:1;)\n"
          "alert udp any any -> any any (content:\"e\"; byte_jump:1,0,relative; isdataat:1; "
          "sid:2;)\n"
          "alert ip any any -> any any (ip_proto:>0; pcre:\"/a.*b/\"; sid:3;)\n"
          "alert tcp any any -> any any (flags:S; flowbits:set,s; noalert; sid:4;)\n"
          "alert pkthdr any any -> any any (decode-event:ipv4.pkt_too_small; sid:5;)\n"
          "alert icmp any any -> any any (itype:>0; ttl:<100; sid:6;)\n"}},
        {}, diagnostics, report);
  }();
  return *compiled;
}

std::vector<shrike::craft::TimedFrame> frames_of(shrike::ByteReader input) {
  std::vector<shrike::craft::TimedFrame> frames;
  uint64_t time_ns = 1'700'000'000'000'000'000;
  while (input.left() >= 2) {
    const shrike::Bytes frame = input.take(std::min<size_t>(input.big16(), input.left()));
    frames.push_back({{frame.begin(), frame.end()}, time_ns += 1'000'000});
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  shrike::test::MemorySource source(frames_of(shrike::ByteReader({data, size})), 64);
  shrike::RecordRing ring(1 << 20);
  const std::function<void()> drain = [&ring] {
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  };
  shrike::worker::EngineOptions options;
  options.flow.flows_max = 256;
  options.flow.stream_memory_bytes_max = 1 << 20;
  options.decode.defrag_trackers_max = 64;
  options.decode.defrag_fragments_max = 256;
  shrike::worker::Worker worker(options, source, ring, drain);
  while (!source.is_finished()) {
    worker.run_once(rules());
    drain();
  }
  worker.finish(rules());
  return 0;
}
