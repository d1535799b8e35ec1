#include <algorithm>
#include <cstdio>

#include "shrike/craft.h"

namespace shrike::craft {

namespace {

constexpr uint64_t nanoseconds_a_second = 1'000'000'000;
constexpr size_t write_bytes = 1 << 20;

/// Number of a link type in a file. Source: the tcpdump group's registry of LINKTYPE_ values.
uint32_t file_number_of(LinkType link_type) {
  switch (link_type) {
    case LinkType::ethernet:
      return 1;
    case LinkType::linux_sll:
      return 113;
    case LinkType::linux_sll2:
      return 276;
    case LinkType::raw_ip:
      return 101;
    case LinkType::null:
      return 0;
    case LinkType::ppp:
      return 9;
    case LinkType::cisco_hdlc:
      return 104;
    case LinkType::ieee80211_radiotap:
      return 127;
    case LinkType::unknown:
      return 147;  // LINKTYPE_USER0
  }
  return 147;
}

void append16(Buffer& buffer, uint16_t value, bool is_big_endian) {
  const auto low = static_cast<uint8_t>(value);
  const auto high = static_cast<uint8_t>(value >> 8);
  buffer.push_back(is_big_endian ? high : low);
  buffer.push_back(is_big_endian ? low : high);
}

void append32(Buffer& buffer, uint64_t value, bool is_big_endian) {
  const auto low = static_cast<uint16_t>(value);
  const auto high = static_cast<uint16_t>(value >> 16);
  append16(buffer, is_big_endian ? high : low, is_big_endian);
  append16(buffer, is_big_endian ? low : high, is_big_endian);
}

void append_file_header(Buffer& buffer, const PcapOptions& options) {
  const bool big = options.is_big_endian;
  append32(buffer, options.has_nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, big);
  append16(buffer, 2, big);
  append16(buffer, 4, big);
  append32(buffer, 0, big);
  append32(buffer, 0, big);
  append32(buffer, options.snap_bytes, big);
  append32(buffer, file_number_of(options.link_type), big);
}

struct Record {
  Bytes frame;
  uint64_t time_ns;
  uint32_t wire_bytes;
};

void append_record(Buffer& buffer, const PcapOptions& options, const Record& record) {
  const bool big = options.is_big_endian;
  const size_t kept = std::min<size_t>(record.frame.size(), options.snap_bytes);
  const uint64_t rest_ns = record.time_ns % nanoseconds_a_second;
  append32(buffer, record.time_ns / nanoseconds_a_second, big);
  append32(buffer, options.has_nanoseconds ? rest_ns : rest_ns / 1000, big);
  append32(buffer, kept, big);
  append32(buffer, std::max<uint64_t>(record.wire_bytes, record.frame.size()), big);
  buffer.insert(buffer.end(), record.frame.begin(),
                record.frame.begin() + static_cast<ptrdiff_t>(kept));
}

}  // namespace

Buffer to_pcap(std::span<const TimedFrame> frames, const PcapOptions& options) {
  Buffer file;
  append_file_header(file, options);
  for (const TimedFrame& frame : frames) {
    append_record(file, options, {frame.bytes, frame.time_ns, frame.wire_bytes});
  }
  return file;
}

Buffer to_pcap(std::span<const TimedFrame> frames) {
  return to_pcap(frames,
                 {.link_type = frames.empty() ? LinkType::ethernet : frames.front().link_type});
}

bool write_pcap(const std::string& path, std::span<const TimedFrame> frames) {
  PcapWriter writer(path,
                    {.link_type = frames.empty() ? LinkType::ethernet : frames.front().link_type});
  for (const TimedFrame& frame : frames) {
    writer.write(frame.bytes, frame.time_ns, frame.wire_bytes);
  }
  return writer.finish();
}

struct PcapWriter::State {
  PcapOptions options;
  std::FILE* file = nullptr;
  bool failed = false;
  uint64_t bytes_before = 0;  ///< of the file, without `buffer`
  Buffer buffer;

  void flush() {
    failed = failed || std::fwrite(buffer.data(), 1, buffer.size(), file) != buffer.size();
    bytes_before += buffer.size();
    buffer.clear();
  }
};

PcapWriter::PcapWriter(const std::string& path, const PcapOptions& options)
    : state_(std::make_unique<State>()) {
  state_->options = options;
  state_->file = std::fopen(path.c_str(), "wb");
  state_->failed = state_->file == nullptr;
  append_file_header(state_->buffer, options);
}

PcapWriter::~PcapWriter() {
  if (state_ != nullptr) {
    [[maybe_unused]] const bool written = finish();
  }
}

PcapWriter::PcapWriter(PcapWriter&&) noexcept = default;

void PcapWriter::write(Bytes frame, uint64_t time_ns, uint32_t wire_bytes) {
  if (state_->failed) {
    return;
  }
  append_record(state_->buffer, state_->options, {frame, time_ns, wire_bytes});
  if (state_->buffer.size() >= write_bytes) {
    state_->flush();
  }
}

bool PcapWriter::finish() {
  if (state_->file != nullptr) {
    state_->flush();
    state_->failed = std::fclose(state_->file) != 0 || state_->failed;
    state_->file = nullptr;
  }
  return !state_->failed;
}

uint64_t PcapWriter::bytes() const {
  return state_->bytes_before + state_->buffer.size();
}

}  // namespace shrike::craft
