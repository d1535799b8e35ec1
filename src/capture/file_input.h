#pragma once
#include <string>

#include "byte_window.h"

namespace shrike::capture {

/// A file, a pipe or standard input. Reading a pipe waits a moment at most, so that a worker
/// can be stopped while nothing comes.
class FileInput final : public ByteInput {
 public:
  /// @param path "-" is standard input. Fails at the first read where it cannot be opened.
  explicit FileInput(const std::string& path);
  ~FileInput() override;
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  Result read(std::span<uint8_t> room) noexcept override;
  [[nodiscard]] std::string fault() const override;

  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] bool is_regular() const noexcept { return is_regular_; }
  [[nodiscard]] uint64_t size_bytes() const noexcept { return size_bytes_; }  ///< 0: not known
  [[nodiscard]] uint64_t read_bytes() const noexcept { return read_bytes_; }

 private:
  int descriptor_ = -1;
  bool is_regular_ = false;
  uint64_t size_bytes_ = 0;
  uint64_t read_bytes_ = 0;
  int error_ = 0;  ///< errno of what failed
};

}  // namespace shrike::capture
