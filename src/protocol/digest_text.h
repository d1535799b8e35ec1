#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "shrike/base/bytes.h"

/// Digests of bytes as text, for fingerprints. No memory is taken after the first call of a thread.
namespace shrike::protocol {

/// Hexadecimal digits, lower case; sized for the longest digest and its separators.
class DigestText {
 public:
  [[nodiscard]] std::string_view text() const noexcept { return {letters_.data(), length_}; }

 private:
  friend class DigestMaker;
  std::array<char, 96> letters_{};
  size_t length_ = 0;
};

[[nodiscard]] DigestText md5_text(Bytes bytes) noexcept;
[[nodiscard]] DigestText sha256_text(Bytes bytes) noexcept;
/// "aa:bb:…"
[[nodiscard]] DigestText sha1_text_with_colons(Bytes bytes) noexcept;

}  // namespace shrike::protocol
