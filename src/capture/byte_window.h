#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shrike/base/bytes.h"

namespace shrike::capture {

enum class ReadStatus : uint8_t {
  ok,
  end,    ///< no more bytes will come
  later,  ///< a pipe has nothing now
  fault,  ///< the file could not be read, or its compression is broken
};

/// Bytes in order, from a file, a pipe or a decompressor.
class ByteInput {
 public:
  struct Result {
    size_t bytes = 0;  ///< above zero where status is ok, else zero
    ReadStatus status = ReadStatus::ok;
  };
  virtual ~ByteInput() = default;
  /// Puts one to room.size() bytes into `room`. REQUIRES: room is not empty.
  virtual Result read(std::span<uint8_t> room) noexcept = 0;
  /// What is wrong, with a byte offset in the stored file, after a status of fault.
  [[nodiscard]] virtual std::string fault() const = 0;
};

/// A moving view of an input: hands out contiguous bytes and forgets what was skipped. A whole
/// in-memory capture is viewed in place, without copying; its bytes then stay valid for good.
class ByteWindow {
 public:
  /// Room of the buffer: a longest frame and its headers, and a read on top.
  static constexpr size_t capacity_bytes = size_t{512} * 1024;
  /// Bytes a read: worth its system call, and leaves most of L2 to the engines. From 96 to 768 KiB
  /// reading costs the same (41 ns a packet of 290 bytes from the page cache, EPYC, big mix).
  static constexpr size_t read_bytes_max = size_t{128} * 1024;

  explicit ByteWindow(Bytes whole) noexcept : at_(whole.data()), end_(at_ + whole.size()) {}
  explicit ByteWindow(std::unique_ptr<ByteInput> input);

  /// Makes `bytes` contiguous bytes available at data(), at most capacity_bytes of them. At the
  /// end of input fewer may be left(). Moves data(): spans of before die.
  ReadStatus need(size_t bytes) noexcept {
    if (left() >= bytes) [[likely]] {
      return ReadStatus::ok;
    }
    return refill(bytes);
  }
  [[nodiscard]] const uint8_t* data() const noexcept { return at_; }
  [[nodiscard]] size_t left() const noexcept { return static_cast<size_t>(end_ - at_); }
  /// REQUIRES: count <= left().
  void skip(size_t count) noexcept {
    at_ += count;
    offset_ += count;
  }
  /// Bytes skipped so far: the position of data() in the input.
  [[nodiscard]] uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::string fault() const { return input_ ? input_->fault() : std::string(); }

 private:
  ReadStatus refill(size_t bytes) noexcept;

  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  uint64_t offset_ = 0;
  /// The first reads are small: to look into a file must not cost reading much of it.
  size_t next_read_bytes_ = 4096;
  std::unique_ptr<ByteInput> input_;  ///< null for a capture in memory
  std::unique_ptr<uint8_t[]> buffer_;
};

}  // namespace shrike::capture
