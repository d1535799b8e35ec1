#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "shrike/base/bytes.h"

namespace shrike {

/// A digest of bytes that come piece by piece. It holds all its state itself and never takes
/// memory, so that the packet path can use it: libcrypto takes some for every digest.
/// Source: RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-256).
class Digest {
 public:
  enum class Kind : uint8_t { md5, sha1, sha256 };
  static constexpr size_t kinds_count = 3;
  static constexpr size_t bytes_max = 32;

  explicit Digest(Kind kind) noexcept;
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  /// REQUIRES: not finished.
  void update(Bytes bytes) noexcept;
  /// Nothing follows. Called again it gives the same.
  /// @return 16, 20 or 32 bytes, which live as long as this.
  [[nodiscard]] Bytes finish() noexcept;

 private:
  static constexpr size_t state_bytes = 112;  ///< of the largest of the library's three
  alignas(8) std::array<std::byte, state_bytes> state_;
  std::array<uint8_t, bytes_max> digest_{};
  uint8_t digest_bytes_ = 0;  ///< 0: not finished
  Kind kind_;
};

}  // namespace shrike
