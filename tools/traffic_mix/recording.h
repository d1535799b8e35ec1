#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/model/packet.h"

namespace shrike::traffic_mix {

/// The frames of one capture, as Ethernet frames that carry IP, in the order of the capture.
class Recording {
 public:
  struct Frame {
    std::span<const uint8_t> bytes;
    uint64_t time_ns = 0;  ///< since the first frame, never running backwards
    uint32_t wire_bytes = 0;
  };

  /// Keeps a copy of a packet's frame; link headers of other kinds become Ethernet headers.
  /// @return false where there is no IP in it.
  bool add(const Packet& packet);

  [[nodiscard]] size_t size() const { return places_.size(); }
  [[nodiscard]] Frame frame(size_t index) const;
  [[nodiscard]] uint64_t duration_ns() const {
    return places_.empty() ? 0 : places_.back().time_ns;
  }
  /// Bytes of a pcap file that it would fill.
  [[nodiscard]] uint64_t stored_bytes() const { return bytes_.size() + 16 * places_.size(); }

 private:
  struct Place {
    size_t begin = 0;
    uint32_t bytes = 0;
    uint32_t wire_bytes = 0;
    uint64_t time_ns = 0;
  };
  std::vector<Place> places_;
  std::vector<uint8_t> bytes_;
  uint64_t begin_ns_ = 0;
};

/// Reads every capture of the given files and folders. Captures without a usable frame are left
/// out. Faults of single captures are warnings; @return empty where nothing could be read.
[[nodiscard]] std::vector<Recording> read_recordings(const std::vector<std::string>& paths,
                                                     Diagnostics& diagnostics);

}  // namespace shrike::traffic_mix
