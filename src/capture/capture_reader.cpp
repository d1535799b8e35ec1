#include "capture_reader.h"

#include "decompress.h"

namespace shrike::capture {

CaptureReader::CaptureReader(const std::string& path) : window_(Bytes{}) {
  auto file = std::make_unique<FileInput>(path);
  file_ = file.get();
  window_ = ByteWindow(std::move(file));
}

CaptureReader::CaptureReader(Bytes capture)
    : compression_is_known_(true), memory_bytes_(capture.size()), window_(capture) {}

Outcome CaptureReader::begin() noexcept {
  if (!compression_is_known_) {
    const Outcome outcome = take_off_compression();
    if (outcome != Outcome::record) {
      return outcome;
    }
  }
  const Outcome outcome = tell_format();
  if (outcome == Outcome::fault && fault_.code.empty()) {
    return not_a_capture();
  }
  return outcome;
}

Outcome CaptureReader::take_off_compression() noexcept {
  const ReadStatus status = window_.need(compression_magic_bytes);
  if (status == ReadStatus::later) {
    return Outcome::later;
  }
  if (status == ReadStatus::fault) {
    fault_ = {"capture-read", window_.fault()};
    return Outcome::fault;
  }
  const Compression compression = tell_compression({window_.data(), window_.left()});
  if (compression != Compression::none) {
    window_ = ByteWindow(decompress(compression, std::move(window_)));
    is_compressed_ = true;
  }
  compression_is_known_ = true;
  return Outcome::record;
}

Outcome CaptureReader::tell_format() noexcept {
  const ReadStatus status = window_.need(PcapFormat::magic_bytes);
  if (status == ReadStatus::later) {
    return Outcome::later;
  }
  if (status == ReadStatus::fault) {
    fault_ = {"capture-read", window_.fault()};
    return Outcome::fault;
  }
  if (status == ReadStatus::end) {
    return Outcome::fault;
  }
  if (PcapngFormat::is_magic(window_.data())) {
    format_ = Format::pcapng;
    return Outcome::record;
  }
  if (!PcapFormat::is_magic(window_.data())) {
    return Outcome::fault;
  }
  const Outcome outcome = pcap_.begin(window_);
  if (outcome == Outcome::record) {
    format_ = Format::pcap;
  } else if (outcome == Outcome::fault) {
    fault_ = pcap_.fault();
  }
  return outcome;
}

Outcome CaptureReader::not_a_capture() noexcept {
  const bool is_empty = window_.offset() == 0 && window_.left() == 0;
  fault_ = {"capture-format", is_empty ? "is empty, not a capture"
                                       : "is no capture: neither pcap nor pcapng, plain, gzip or "
                                         "zstd"};
  return Outcome::fault;
}

const FormatFault& CaptureReader::fault() const noexcept {
  switch (format_) {
    case Format::pcap:
      return pcap_.fault();
    case Format::pcapng:
      return pcapng_.fault();
    case Format::not_known_yet:
      return fault_;
  }
  return fault_;
}

uint64_t CaptureReader::consumed_bytes() const noexcept {
  const bool counts_stored = is_compressed_ && file_ != nullptr;
  return counts_stored ? file_->read_bytes() : window_.offset();
}

uint64_t CaptureReader::file_bytes() const noexcept {
  return file_ != nullptr ? file_->size_bytes() : memory_bytes_;
}

bool CaptureReader::is_regular_file() const noexcept {
  return file_ != nullptr && file_->is_regular();
}

}  // namespace shrike::capture
