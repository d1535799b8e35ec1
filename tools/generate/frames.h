#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shrike/base/bytes.h"
#include "shrike/base/diagnostics.h"
#include "shrike/craft.h"
#include "shrike/model/packet.h"

namespace shrike::generate {

/// What is sent: Ethernet frames in memory, in order.
class FrameList {
 public:
  struct Frame {
    Bytes bytes;
    uint64_t time_ns = 0;     ///< of the capture; only a file keeps it, a port does not send it
    uint32_t wire_bytes = 0;  ///< more than `bytes` where the capture cut the frame off
  };

  /// Keeps a copy of a frame, as Ethernet. Link types that Ethernet cannot stand in for (PPP,
  /// 802.11) are counted and left out.
  void add(const Packet& packet);

  [[nodiscard]] size_t size() const { return places_.size(); }
  [[nodiscard]] Frame frame(size_t index) const;
  [[nodiscard]] uint32_t longest_bytes() const { return longest_bytes_; }
  [[nodiscard]] uint64_t unsendable() const { return unsendable_; }

 private:
  struct Place {
    size_t begin = 0;
    uint32_t bytes = 0;
    uint32_t wire_bytes = 0;
    uint64_t time_ns = 0;
  };
  std::vector<Place> places_;
  std::vector<uint8_t> bytes_;
  uint32_t longest_bytes_ = 0;
  uint64_t unsendable_ = 0;
};

/// Reads captures (pcap, pcapng, plain, gzip or zstd) and folders of them, recursively and by
/// name. What is no capture is an error where it was named and left out where a folder holds it;
/// a capture that is broken is read as far as it goes, with a warning.
void read_captures(const std::vector<std::string>& paths, FrameList& frames,
                   Diagnostics& diagnostics);

enum class Forgery : uint8_t {
  http,  ///< TCP: handshake, a request, an answer, close
  dns,   ///< UDP: a query and its answer
  tcp,   ///< TCP: handshake, then data segments to and fro, no close
  udp,   ///< datagrams to and fro
};

struct ForgeOptions {
  Forgery kind = Forgery::http;
  uint32_t conversations = 1000;  ///< each of two hosts of its own, all at the same time
  uint32_t frame_bytes = 1514;    ///< of frames with data (tcp, udp: exactly; http: at most)
  uint32_t exchanges = 4;         ///< tcp, udp: frames with data in each direction
};

/// Conversations that nobody held. The same options give the same frames.
void forge(const ForgeOptions& options, FrameList& frames);

}  // namespace shrike::generate
