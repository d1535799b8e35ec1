#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "byte_window.h"
#include "shrike/base/bytes.h"

namespace shrike::capture {

/// Captured bytes of one frame: what libpcap takes at most (MAXIMUM_SNAPLEN); more is a fault.
inline constexpr uint32_t captured_bytes_max = 262144;

/// One frame as a capture holds it.
struct Record {
  Bytes frame;  ///< in the window: dies at the next call of the reader
  uint64_t time_ns = 0;
  uint32_t wire_bytes = 0;   ///< at least frame.size()
  uint32_t link_number = 0;  ///< LINKTYPE_ number as stored
};

enum class Outcome : uint8_t {
  record,
  end,
  later,  ///< a pipe has nothing now
  fault,  ///< nothing more can be read
};

/// Why reading stopped.
struct FormatFault {
  std::string_view code;
  std::string what;
};

/// Reads 32- and 16-bit numbers in a file's own byte order.
class FileOrder {
 public:
  explicit FileOrder(bool is_big_endian = false) noexcept : is_big_endian_(is_big_endian) {}
  [[nodiscard]] uint16_t load16(const uint8_t* at) const noexcept {
    return is_big_endian_ ? load_big16(at) : load_little16(at);
  }
  [[nodiscard]] uint32_t load32(const uint8_t* at) const noexcept {
    return is_big_endian_ ? load_big32(at) : load_little32(at);
  }
  [[nodiscard]] uint64_t load64(const uint8_t* at) const noexcept {
    return is_big_endian_ ? load_big64(at) : load_little64(at);
  }

 private:
  bool is_big_endian_;
};

}  // namespace shrike::capture
