#pragma once
#include <optional>

#include "http.h"

/// Numbers and words of HTTP's header section, read as libhtp reads them.
namespace shrike::protocol::http {

/// The first decimal number in the text; none: there is none, or it is too large.
[[nodiscard]] std::optional<uint64_t> content_length(Bytes text) noexcept;

/// A chunk's size line (RFC 9112, section 7.1).
struct ChunkLength {
  enum class Kind : uint8_t { number, none, wrong } kind = Kind::none;
  uint64_t bytes = 0;
  bool has_extension = false;
};
[[nodiscard]] ChunkLength chunk_length(Bytes line) noexcept;

/// Whether the line has nothing but blanks and line ends, which may stand before a chunk's size.
[[nodiscard]] bool is_chunk_padding(Bytes line) noexcept;
/// Whether what came can be the beginning of a chunk's size.
[[nodiscard]] bool may_be_chunk_length(Bytes bytes) noexcept;

/// "HTTP/1.1", with some spaces and zeros too many.
[[nodiscard]] HttpVersion read_version(Bytes text) noexcept;
[[nodiscard]] HttpMethod read_method(Bytes text) noexcept;
/// 100 to 999, or -1.
[[nodiscard]] int read_status(Bytes text) noexcept;

/// Whether a line before a message is passed over.
[[nodiscard]] bool is_ignorable(Bytes line) noexcept;
/// Whether the line is no status line even for the most patient browser, so it is body.
[[nodiscard]] bool is_body_for_sure(Bytes line) noexcept;

/// Bytes up to and with the first LF; 0: there is none.
[[nodiscard]] size_t line_bytes(Bytes bytes) noexcept;

}  // namespace shrike::protocol::http
