#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "shrike/base/bytes.h"

namespace shrike {

/// Writes one JSON value into a string, compactly. The caller keeps the nesting right; commas,
/// quotes and escapes are done here. Source: RFC 8259.
///
/// Texts may hold any bytes: valid UTF-8 stays as it is, a byte that is no UTF-8 is shown as the
/// four characters \xHH, so a line is always valid JSON.
class JsonWriter {
 public:
  /// @param out cleared; borrowed as long as this writer.
  explicit JsonWriter(std::string& out) : out_(&out) { out.clear(); }

  void begin_object();
  void begin_object(std::string_view key);
  void end_object();
  void begin_array(std::string_view key);
  void end_array();

  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, uint64_t value);
  /// With so many digits behind the point.
  void decimal(std::string_view key, double value, unsigned decimals);
  void boolean(std::string_view key, bool value);
  void base64(std::string_view key, Bytes value);
  /// Two lower-case digits for each byte: "0a1f", or with a separator "0a:1f".
  void hex(std::string_view key, Bytes value, std::string_view separator = {});
  /// Bytes as people read them: what is not printable ASCII or a line end becomes a dot.
  void printable(std::string_view key, Bytes value);

  void element(std::string_view value);
  void element(uint64_t value);
  void begin_element_object();
  /// Members that another writer made (with no object around them) go on here. Empty: nothing.
  void members(std::string_view members_of_another);

 private:
  void separate();
  void key(std::string_view key);
  void quote(std::string_view value);
  void quote_byte(unsigned char byte);
  void digits(uint64_t value);

  std::string* out_;
  bool needs_comma_ = false;
};

/// Standard base64 with padding (RFC 4648, section 4), appended.
void append_base64(std::string& out, Bytes bytes);

/// Bytes of the UTF-8 sequence that `text` starts with, 0 where it starts with none.
/// Overlong forms, surrogates and values above U+10FFFF are none (RFC 3629).
[[nodiscard]] size_t utf8_sequence_bytes(std::string_view text) noexcept;
/// Whether the whole text is valid UTF-8. An empty one is.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace shrike
