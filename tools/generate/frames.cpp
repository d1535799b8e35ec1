#include "frames.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "ethernet_frame.h"
#include "shrike/capture.h"

namespace shrike::generate {

namespace {

namespace fs = std::filesystem;

/// Of one gzip or zstd capture, decompressed: it is held in memory.
constexpr uint64_t capture_bytes_max = uint64_t{8} << 30;

std::optional<std::vector<uint8_t>> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff bytes = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (bytes < 0) {
    return std::nullopt;
  }
  std::vector<uint8_t> content(static_cast<size_t>(bytes));
  file.seekg(0);
  // std::ifstream reads char; the bytes are the same.
  file.read(reinterpret_cast<char*>(content.data()), bytes);
  return file ? std::optional(std::move(content)) : std::nullopt;
}

/// @return how many frames came of it, or nothing where the file could not be read.
std::optional<size_t> read_capture(const std::string& path, FrameList& frames,
                                   Diagnostics& faults) {
  const auto content = read_file(path);
  if (!content) {
    faults.warning({.file = path}, "capture-read", "cannot be read");
    return std::nullopt;
  }
  Diagnostics own;
  const auto source =
      capture::open_memory(path, *content, {.decompressed_bytes_max = capture_bytes_max}, own);
  size_t count = 0;
  const auto batch = std::make_unique<PacketBatch>();
  while (source != nullptr && !source->is_finished()) {
    source->receive(*batch);
    for (const Packet& packet : batch->all()) {
      frames.add(packet);
      ++count;
    }
    source->release(*batch);
  }
  if (source != nullptr) {
    for (const Diagnostic& fault : source->faults().all()) {
      faults.warning({.file = fault.file}, fault.code, "{}", fault.what);
    }
  }
  return count;
}

void append(const Diagnostics& faults, Diagnostics& diagnostics) {
  for (const Diagnostic& fault : faults.all()) {
    diagnostics.warning({.file = fault.file}, fault.code, "{}", fault.what);
  }
}

void read_folder(const std::string& path, FrameList& frames, Diagnostics& diagnostics) {
  std::vector<std::string> files;
  std::error_code fault;
  for (fs::recursive_directory_iterator entry(path, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    if (entry->is_regular_file(fault)) {
      files.push_back(entry->path().string());
    }
  }
  if (fault) {
    diagnostics.error({.file = path}, "capture-read", "cannot be read: {}", fault.message());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    Diagnostics faults;
    const auto count = read_capture(file, frames, faults);
    if (!count || *count > 0) {
      append(faults, diagnostics);
    }
  }
}

}  // namespace

void FrameList::add(const Packet& packet) {
  const size_t begin = bytes_.size();
  if (!traffic_mix::append_as_ethernet(packet, bytes_) || bytes_.size() == begin) {
    ++unsendable_;
    return;
  }
  const auto kept = static_cast<uint32_t>(bytes_.size() - begin);
  longest_bytes_ = std::max(longest_bytes_, kept);
  const auto added = static_cast<int64_t>(kept) - static_cast<int64_t>(packet.frame.size());
  const auto wire_bytes = static_cast<uint32_t>(packet.wire_bytes + added);
  places_.push_back({begin, kept, std::max(wire_bytes, kept), packet.time_ns});
}

FrameList::Frame FrameList::frame(size_t index) const {
  const Place& place = places_[index];
  return {Bytes(bytes_).subspan(place.begin, place.bytes), place.time_ns, place.wire_bytes};
}

void read_captures(const std::vector<std::string>& paths, FrameList& frames,
                   Diagnostics& diagnostics) {
  for (const std::string& path : paths) {
    std::error_code fault;
    if (fs::is_directory(path, fault)) {
      read_folder(path, frames, diagnostics);
      continue;
    }
    Diagnostics faults;
    const auto count = read_capture(path, frames, faults);
    if (count.value_or(0) == 0 && !faults.all().empty()) {
      const Diagnostic& first = faults.all().front();
      diagnostics.error({.file = path}, first.code, "{}", first.what);
    } else {
      append(faults, diagnostics);
    }
  }
}

}  // namespace shrike::generate
