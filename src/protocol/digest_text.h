#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "shrike/base/digest.h"

/// Digests of bytes as text, for fingerprints. No memory is taken.
namespace shrike::protocol {

/// Hexadecimal digits, lower case; sized for the longest digest and its separators.
class DigestText {
 public:
  enum class Separator : uint8_t { none, colon };

  /// @param digest at most Digest::bytes_max; what is longer is left out.
  explicit DigestText(Bytes digest, Separator separator = Separator::none) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {letters_.data(), length_}; }

 private:
  std::array<char, 3 * Digest::bytes_max> letters_;
  size_t length_ = 0;
};

[[nodiscard]] DigestText md5_text(Bytes bytes) noexcept;
[[nodiscard]] DigestText sha256_text(Bytes bytes) noexcept;
/// "aa:bb:…"
[[nodiscard]] DigestText sha1_text_with_colons(Bytes bytes) noexcept;

}  // namespace shrike::protocol
