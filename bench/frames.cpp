#include "frames.h"

#include <string>
#include <utility>

namespace shrike::bench {

Frames::Frames(std::vector<craft::TimedFrame> frames) : frames_(std::move(frames)) {
  uint64_t number = 0;
  for (const craft::TimedFrame& frame : frames_) {
    Packet& packet = packets_.emplace_back();
    packet.frame = frame.bytes;
    packet.wire_bytes = static_cast<uint32_t>(frame.bytes.size());
    packet.time_ns = packet.clock_ns = frame.time_ns;
    packet.number = ++number;
    packet.link_type = LinkType::ethernet;
    wire_bytes_ += frame.bytes.size();
  }
}

std::vector<craft::TimedFrame> conversations(unsigned flows, unsigned segments,
                                             size_t segment_bytes) {
  std::vector<std::vector<craft::TimedFrame>> parts;
  for (unsigned i = 0; i < flows; ++i) {
    craft::Conversation flow({.client_port = static_cast<uint16_t>(1024 + i % 60000),
                              .server_port = 9999,
                              .start_ns = 1'700'000'000'000'000'000 + i * 1000ULL});
    flow.handshake();
    for (unsigned each = 0; each < segments; ++each) {
      flow.client(std::string(segment_bytes, 'q')).server(std::string(segment_bytes, 'a'));
    }
    parts.push_back(flow.close().frames());
  }
  return craft::merge(parts);
}

}  // namespace shrike::bench
