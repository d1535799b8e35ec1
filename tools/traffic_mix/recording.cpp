#include "recording.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "address_rewriter.h"
#include "shrike/capture.h"

namespace shrike::traffic_mix {

namespace {

/// A frame without its link header.
struct Inner {
  uint16_t ether_type = 0;
  Bytes bytes;
};

std::optional<Inner> ip_inside(Bytes bytes) {
  if (bytes.empty()) {
    return std::nullopt;
  }
  const unsigned version = bytes[0] >> 4;
  return Inner{static_cast<uint16_t>(version == 6 ? 0x86dd : 0x0800), bytes};
}

/// Takes the link header off, of the kinds that an Ethernet header can stand in for.
std::optional<Inner> take_off_link(const Packet& packet) {
  ByteReader reader(packet.frame);
  Inner inner;
  switch (packet.link_type) {
    case LinkType::raw_ip:
      return ip_inside(packet.frame);
    case LinkType::null:
      return reader.skip(4) ? ip_inside(reader.rest()) : std::nullopt;
    case LinkType::linux_sll:
      reader.skip(14);
      inner = {reader.big16(), reader.rest()};
      break;
    case LinkType::linux_sll2:
      inner.ether_type = reader.big16();
      reader.skip(18);
      inner.bytes = reader.rest();
      break;
    default:
      return std::nullopt;
  }
  return reader.failed() ? std::nullopt : std::optional(inner);
}

}  // namespace

bool Recording::add(const Packet& packet) {
  const size_t begin = bytes_.size();
  uint32_t added_bytes = 0;
  if (packet.link_type == LinkType::ethernet) {
    bytes_.insert(bytes_.end(), packet.frame.begin(), packet.frame.end());
  } else if (const auto inner = take_off_link(packet)) {
    constexpr std::array<uint8_t, 12> addresses{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    bytes_.insert(bytes_.end(), addresses.begin(), addresses.end());
    bytes_.push_back(static_cast<uint8_t>(inner->ether_type >> 8));
    bytes_.push_back(static_cast<uint8_t>(inner->ether_type));
    bytes_.insert(bytes_.end(), inner->bytes.begin(), inner->bytes.end());
    added_bytes = 14;
  }
  if (!AddressRewriter::carries_ip(Bytes(bytes_).subspan(begin))) {
    bytes_.resize(begin);
    return false;
  }
  if (places_.empty()) {
    begin_ns_ = packet.clock_ns;
  }
  const auto kept = static_cast<uint32_t>(bytes_.size() - begin);
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
