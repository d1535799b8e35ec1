#include "pcap_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shrike::capture {

namespace {

constexpr size_t file_header_bytes = 24;
constexpr uint32_t magic_microseconds = 0xa1b2c3d4;
constexpr uint32_t magic_nanoseconds = 0xa1b23c4d;
/// Alexey Kuznetzov's patch of 1999: eight more bytes in each record's header.
constexpr uint32_t magic_modified = 0xa1b2cd34;

bool is_known(uint32_t magic) {
  return magic == magic_microseconds || magic == magic_nanoseconds || magic == magic_modified;
}

}  // namespace

bool PcapFormat::is_magic(const uint8_t* first) noexcept {
  return is_known(load_little32(first)) || is_known(load_big32(first));
}

Outcome PcapFormat::begin(ByteWindow& window) noexcept {
  const ReadStatus status = window.need(file_header_bytes);
  if (status == ReadStatus::end) {
    fault_ = {"capture-truncated",
              fmt::format("the file ends inside its header, after {} bytes", window.left())};
    return Outcome::fault;
  }
  if (status != ReadStatus::ok) {
    return stopped(window, status);
  }
  const uint8_t* const header = window.data();
  order_ = FileOrder(is_known(load_big32(header)));
  const uint32_t magic = order_.load32(header);
  const uint16_t minor = order_.load16(header + 6);
  const uint32_t snap_bytes = order_.load32(header + 16);
  nanoseconds_a_fraction_ = magic == magic_nanoseconds ? 1 : 1000;
  record_header_bytes_ = magic == magic_modified ? 24 : 16;
  if (order_.load16(header + 4) == 2 && minor <= 3) {
    lengths_ = minor == 3 ? Lengths::shorter_is_captured : Lengths::wire_first;
  }
  // Zero and nonsense mean "no limit", as in libpcap.
  snap_bytes_ = snap_bytes == 0 ? captured_bytes_max : std::min(snap_bytes, captured_bytes_max);
  link_number_ = order_.load32(header + 20) & 0xffff;  // above: length of the check sequence
  window.skip(file_header_bytes);
  return Outcome::record;
}

Outcome PcapFormat::next(ByteWindow& window, Record& record) noexcept {
  ReadStatus status = window.need(record_header_bytes_);
  if (status != ReadStatus::ok) [[unlikely]] {
    return stopped(window, status);
  }
  const uint8_t* header = window.data();
  const uint64_t seconds = order_.load32(header);
  const uint64_t fraction = order_.load32(header + 4);
  uint32_t captured = order_.load32(header + 8);
  uint32_t wire = order_.load32(header + 12);
  if (lengths_ != Lengths::captured_first && (lengths_ == Lengths::wire_first || captured > wire))
      [[unlikely]] {
    std::swap(captured, wire);
  }
  if (captured > captured_bytes_max) [[unlikely]] {
    return too_long(window, captured);
  }
  status = window.need(record_header_bytes_ + captured);
  if (status != ReadStatus::ok) [[unlikely]] {
    return stopped(window, status);
  }
  header = window.data();
  // Bytes above the file's own snap length are dropped, as in libpcap.
  const uint32_t kept = std::min(captured, snap_bytes_);
  record.frame = {header + record_header_bytes_, kept};
  record.time_ns = seconds * 1'000'000'000 + fraction * nanoseconds_a_fraction_;
  record.wire_bytes = std::max(wire, kept);
  record.link_number = link_number_;
  window.skip(record_header_bytes_ + captured);
  return Outcome::record;
}

Outcome PcapFormat::stopped(const ByteWindow& window, ReadStatus status) noexcept {
  if (status == ReadStatus::later) {
    return Outcome::later;
  }
  if (status == ReadStatus::fault) {
    fault_ = {"capture-read", window.fault()};
    return Outcome::fault;
  }
  if (window.left() == 0) {
    return Outcome::end;
  }
  fault_ = {"capture-truncated",
            fmt::format("the packet record at byte {} is cut off: {} bytes of it are there",
                        window.offset(), window.left())};
  return Outcome::fault;
}

Outcome PcapFormat::too_long(const ByteWindow& window, uint32_t captured) noexcept {
  fault_ = {"capture-record",
            fmt::format("the packet record at byte {} claims {} captured bytes, the limit is {}; "
                        "nothing behind it was read",
                        window.offset(), captured, captured_bytes_max)};
  return Outcome::fault;
}

}  // namespace shrike::capture
