#include "recording.h"

#include <algorithm>
#include <memory>

#include "address_rewriter.h"
#include "ethernet_frame.h"
#include "shrike/capture.h"

namespace shrike::traffic_mix {

bool Recording::add(const Packet& packet) {
  const size_t begin = bytes_.size();
  if (!append_as_ethernet(packet, bytes_) ||
      !AddressRewriter::carries_ip(Bytes(bytes_).subspan(begin))) {
    bytes_.resize(begin);
    return false;
  }
  if (places_.empty()) {
    begin_ns_ = packet.clock_ns;
  }
  const auto kept = static_cast<uint32_t>(bytes_.size() - begin);
  const uint32_t added_bytes = packet.link_type == LinkType::ethernet ? 0 : 14;
  places_.push_back(
      {begin, kept, std::max(packet.wire_bytes + added_bytes, kept), packet.clock_ns - begin_ns_});
  return true;
}

Recording::Frame Recording::frame(size_t index) const {
  const Place& place = places_[index];
  return {std::span(bytes_).subspan(place.begin, place.bytes), place.time_ns, place.wire_bytes};
}

std::vector<Recording> read_recordings(const std::vector<std::string>& paths,
                                       Diagnostics& diagnostics) {
  std::vector<Recording> recordings;
  const auto source =
      capture::open_files({.paths = paths, .recursive = true, .per_file = true}, diagnostics);
  if (source == nullptr) {
    return recordings;
  }
  const auto batch = std::make_unique<PacketBatch>();
  size_t open = SIZE_MAX;
  while (!source->is_finished()) {
    source->receive(*batch);
    for (const Packet& packet : batch->all()) {
      if (packet.capture_index != open) {
        open = packet.capture_index;
        recordings.emplace_back();
      }
      recordings.back().add(packet);
    }
    source->release(*batch);
  }
  std::erase_if(recordings, [](const Recording& recording) { return recording.size() == 0; });
  for (const Diagnostic& fault : source->faults().all()) {
    diagnostics.warning({.file = fault.file}, fault.code, "{}", fault.what);
  }
  return recordings;
}

}  // namespace shrike::traffic_mix
