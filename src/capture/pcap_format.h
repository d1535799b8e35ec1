#pragma once
#include "record.h"

namespace shrike::capture {

/// The classic format. Source: draft-ietf-opsawg-pcap sections 4 and 5; the "modified" magic and
/// the exchanged lengths of versions 2.0 to 2.3 as libpcap's sf-pcap.c describes them.
class PcapFormat {
 public:
  static constexpr size_t magic_bytes = 4;
  [[nodiscard]] static bool is_magic(const uint8_t* first) noexcept;

  /// Reads the file header. Gives `record` where records follow.
  Outcome begin(ByteWindow& window) noexcept;
  Outcome next(ByteWindow& window, Record& record) noexcept;
  [[nodiscard]] const FormatFault& fault() const noexcept { return fault_; }

 private:
  /// Which of a record's two lengths comes first.
  enum class Lengths : uint8_t { captured_first, wire_first, shorter_is_captured };

  [[nodiscard]] Outcome stopped(const ByteWindow& window, ReadStatus status) noexcept;
  [[nodiscard]] Outcome too_long(const ByteWindow& window, uint32_t captured) noexcept;

  FileOrder order_;
  uint32_t record_header_bytes_ = 16;
  uint32_t snap_bytes_ = captured_bytes_max;
  uint32_t link_number_ = 0;
  uint32_t nanoseconds_a_fraction_ = 1000;
  Lengths lengths_ = Lengths::captured_first;
  FormatFault fault_;
};

}  // namespace shrike::capture
