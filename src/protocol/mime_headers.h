#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "memory.h"
#include "shrike/base/bytes.h"

/// The letters of MIME: header lines, their parameters, and the transfer encodings. No state of a
/// message is kept here; mime.h has that. Sources: RFC 5322, 2045, 2231.
namespace shrike::protocol {

struct HeaderLine {
  Bytes name;
  Bytes value;  ///< without leading blanks
};

/// Splits "Name: value"; nothing where there is no colon.
[[nodiscard]] std::optional<HeaderLine> split_header(Bytes line) noexcept;

/// A parameter of a header's value: `boundary` of `multipart/mixed; boundary="x"`. The name is
/// compared exactly. One that comes in sections (`name*0=a; name*1=b`, RFC 2231) is put together in
/// `joined`, to which the result may point.
[[nodiscard]] std::optional<Bytes> find_parameter(Bytes value, std::string_view name,
                                                  PoolBytes& joined);

/// `lower` has no upper-case letters.
[[nodiscard]] bool is_same_nocase(Bytes text, std::string_view lower) noexcept;
[[nodiscard]] bool starts_nocase(Bytes text, std::string_view lower) noexcept;

/// Base64 that comes line by line. What is not of the alphabet is skipped (RFC 2045, 6.8).
class Base64Lines {
 public:
  /// Appends what can be decoded. False where the text is wrong: then nothing was appended, and
  /// nothing will be any more.
  [[nodiscard]] bool decode(Bytes line, PoolBytes& out);
  /// The text ends here, perhaps without its padding.
  void flush(PoolBytes& out);

 private:
  [[nodiscard]] bool decode_four(PoolBytes& out);
  std::array<uint8_t, 4> held_{};
  uint8_t held_count_ = 0;
  bool is_broken_ = false;
};

/// Appends one decoded line of quoted-printable and its end, unless it is to be joined with the
/// next one. False where an escape is wrong; the rest is appended all the same.
[[nodiscard]] bool decode_quoted_printable(Bytes line, Bytes line_end, PoolBytes& out);

}  // namespace shrike::protocol
