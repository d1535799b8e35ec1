#pragma once
#include <fmt/format.h>

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/craft.h"
#include "shrike/decode.h"

namespace shrike::decode {

/// A decoder with a batch, that tells what it makes of frames in short lines.
class Telling {
 public:
  explicit Telling(const DecoderOptions& options = {.check_checksums = false})
      : decoder_(options) {}

  /// One line a datagram, in inspection order; see tell(const Datagram&).
  std::string operator()(const craft::Frame& frame) { return tell({frame.at(now_ns)}); }
  std::string operator()(craft::Buffer bytes, LinkType type = LinkType::ethernet) {
    return tell(
        {craft::TimedFrame{.bytes = std::move(bytes), .time_ns = now_ns, .link_type = type}});
  }
  std::string tell(const std::vector<craft::TimedFrame>& frames) {
    decode(frames);
    std::string text;
    for (const Datagram& datagram : batch_.all()) {
      text += (text.empty() ? "" : "\n") + tell(datagram);
    }
    return text;
  }

  /// Decodes into the batch, which is cleared before. The frames live until the next call.
  std::span<const Datagram> decode(const std::vector<craft::TimedFrame>& frames) {
    frames_ = frames;
    packets_ = craft::to_packets(frames_);
    decoder_.release();
    batch_.clear();
    decoder_.decode(packets_, batch_);
    return batch_.all();
  }

  [[nodiscard]] uint64_t counter(std::string_view name) const {
    for (const CounterView& view : decoder_.counters()) {
      for (size_t i = 0; i < view.rows.size(); ++i) {
        if (view.rows[i].name == name) {
          return view.values[i];
        }
      }
    }
    return 0;
  }
  Decoder& decoder() { return decoder_; }

  /// "udp 10.0.0.1:1 > 10.0.0.2:2 'payload'", then in brackets whatever else is true of it, then
  /// its events. A datagram without IP is "-", one without transport has no payload.
  static std::string tell(const Datagram& datagram) {
    std::string text = datagram.ip_version == 0 ? "-" : addresses(datagram);
    if (datagram.has_transport) {
      text += fmt::format(" '{}'", as_text(datagram.payload));
    }
    const std::string marks = marks_of(datagram);
    text += marks.empty() ? "" : fmt::format(" [{}]", marks);
    for (const DecodeEvent event : datagram.events.all()) {
      text += fmt::format(" {}", to_text(event));
    }
    return text;
  }

 private:
  static constexpr uint64_t now_ns = 1'700'000'000'000'000'000;

  static std::string name_of(uint8_t protocol) {
    switch (protocol) {
      case ip_protocol::tcp:
        return "tcp";
      case ip_protocol::udp:
        return "udp";
      case ip_protocol::icmp:
        return "icmp";
      case ip_protocol::icmpv6:
        return "icmpv6";
      default:
        return fmt::format("ip-{}", protocol);
    }
  }
  static std::string addresses(const Datagram& datagram) {
    const bool has_ports = datagram.source_port != 0 || datagram.target_port != 0;
    const auto end = [&](const IpAddress& address, uint16_t port) {
      const std::string text = to_text(address, datagram.ip_version, true);
      return has_ports ? fmt::format("{}:{}", text, port) : text;
    };
    return fmt::format("{} {} > {}", name_of(datagram.protocol),
                       end(datagram.source, datagram.source_port),
                       end(datagram.target, datagram.target_port));
  }
  static std::string marks_of(const Datagram& datagram) {
    std::string text;
    const auto mark = [&text](bool holds, std::string_view word) {
      if (holds) {
        text += (text.empty() ? "" : " ") + std::string(word);
      }
    };
    mark(datagram.origin != DatagramOrigin::wire, to_text(datagram.origin));
    mark(datagram.is_fragment, "fragment");
    mark(datagram.carries_inner, "carries");
    mark(datagram.is_invalid, "invalid");
    mark(datagram.has_transport && !datagram.wants_flow, "no flow");
    mark(datagram.vlan_count > 0, fmt::format("vlan {}", datagram.vlan_ids[0]));
    mark(datagram.vlan_count > 1, fmt::format("vlan {}", datagram.vlan_ids[1]));
    mark(datagram.vlan_count > 2, fmt::format("vlan {}", datagram.vlan_ids[2]));
    return text;
  }

  Decoder decoder_;
  DatagramBatch batch_;
  std::vector<craft::TimedFrame> frames_;
  std::vector<Packet> packets_;
};

/// A row of a table: what a frame is called, the frame, and the lines it gives.
struct FrameCase {
  const char* name;
  craft::Frame frame;
  const char* told;
};

/// The first `count` bytes of a frame.
inline craft::Buffer cut(const craft::Frame& frame, size_t count) {
  craft::Buffer bytes = frame.bytes();
  bytes.resize(std::min(count, bytes.size()));
  return bytes;
}

}  // namespace shrike::decode
