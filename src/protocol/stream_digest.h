#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "shrike/base/bytes.h"

namespace shrike::protocol {

/// A digest of bytes that come piece by piece. The library's contexts are kept by thread and used
/// again, so that after warm-up no memory is taken.
class StreamDigest {
 public:
  enum class Kind : uint8_t { md5, sha1, sha256 };
  static constexpr size_t kinds_count = 3;
  static constexpr size_t bytes_max = 32;

  explicit StreamDigest(Kind kind) noexcept;
  ~StreamDigest();
  StreamDigest(const StreamDigest&) = delete;
  StreamDigest& operator=(const StreamDigest&) = delete;

  void update(Bytes bytes) noexcept;
  /// Nothing follows. Called again it gives the same.
  /// @return 16, 20 or 32 bytes, which live as long as this; empty where the library failed.
  [[nodiscard]] Bytes finish() noexcept;

 private:
  void* context_ = nullptr;  ///< the library's; null when finished
  std::array<uint8_t, bytes_max> digest_{};
  uint8_t digest_bytes_ = 0;
};

/// Lower-case hexadecimal digits, appended by twos.
struct HexText {
  explicit HexText(Bytes bytes) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {letters.data(), count}; }
  std::array<char, 2 * StreamDigest::bytes_max> letters{};
  size_t count = 0;
};

}  // namespace shrike::protocol
