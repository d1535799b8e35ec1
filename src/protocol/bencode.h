#pragma once
#include "shrike/base/bytes.h"

namespace shrike::protocol {

/// Reads bencode, one value at a time, strictly: keys of a dictionary ascend, numbers are written
/// in one way only. Fails for good, like a ByteReader. Source: BEP 3, "bencoding".
class BencodeReader {
 public:
  enum class Kind : uint8_t { none, number, text, list, dictionary, end };

  explicit BencodeReader(Bytes bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// What stands here; none: nothing that bencode knows, or failed.
  [[nodiscard]] Kind peek() const noexcept;
  /// A string. Fails where there is none.
  Bytes text() noexcept;
  int64_t number() noexcept;
  /// A number of [0, max].
  uint16_t number_to(uint16_t max) noexcept;
  void open_list() noexcept { open('l'); }
  void open_dictionary() noexcept { open('d'); }
  /// @return true, and the list or dictionary is left, where it ends here (or reading failed).
  [[nodiscard]] bool ends() noexcept;
  /// The key of the next pair, which must be behind the one before. `last` starts out empty.
  Bytes key(Bytes& last) noexcept;
  /// Steps over a value and all within it.
  void skip() noexcept;

 private:
  /// Of lists and dictionaries within each other; DHT messages need three.
  static constexpr unsigned depth_max = 3;

  void open(uint8_t letter) noexcept;
  void skip_one(Kind kind) noexcept;
  void fail() noexcept { failed_ = true; }

  Bytes bytes_;
  size_t at_ = 0;
  unsigned depth_ = 0;
  bool failed_ = false;
};

}  // namespace shrike::protocol
