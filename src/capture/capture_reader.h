#pragma once
#include <memory>
#include <optional>
#include <string>

#include "file_input.h"
#include "pcap_format.h"
#include "pcapng_format.h"
#include "record.h"

namespace shrike::capture {

/// Reads one capture: takes off the compression, tells the format, gives record after record.
/// Knows nothing of mbufs.
class CaptureReader {
 public:
  /// @param path "-" is standard input. Nothing is read, and nothing fails, before the first
  /// next().
  explicit CaptureReader(const std::string& path);
  /// @param capture is not compressed and outlives this; frames borrow from it, for good.
  explicit CaptureReader(Bytes capture);

  /// The next record; its frame dies at the next call.
  Outcome next(Record& record) noexcept {
    switch (format_) {
      case Format::pcap:
        return pcap_.next(window_, record);
      case Format::pcapng:
        return pcapng_.next(window_, record);
      case Format::not_known_yet:
        break;
    }
    const Outcome outcome = begin();
    return outcome == Outcome::record ? next(record) : outcome;
  }

  /// Tells compression and format and reads the file header. next() does it by itself.
  /// @return record where all is well; fault with code "capture-format" where it is no capture.
  Outcome begin() noexcept;

  /// Why next() gave fault.
  [[nodiscard]] const FormatFault& fault() const noexcept;
  /// Bytes of the stored file consumed so far, and its size where it is known.
  [[nodiscard]] uint64_t consumed_bytes() const noexcept;
  [[nodiscard]] uint64_t file_bytes() const noexcept;
  [[nodiscard]] bool is_regular_file() const noexcept;
  [[nodiscard]] bool is_compressed() const noexcept { return is_compressed_; }

 private:
  enum class Format : uint8_t { not_known_yet, pcap, pcapng };

  Outcome take_off_compression() noexcept;
  Outcome tell_format() noexcept;
  Outcome not_a_capture() noexcept;

  Format format_ = Format::not_known_yet;
  bool compression_is_known_ = false;
  bool is_compressed_ = false;
  const FileInput* file_ = nullptr;  ///< owned by the window; null in memory
  uint64_t memory_bytes_ = 0;
  ByteWindow window_;
  PcapFormat pcap_;
  PcapngFormat pcapng_;
  FormatFault fault_;
};

}  // namespace shrike::capture
