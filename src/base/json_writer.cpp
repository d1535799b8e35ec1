#include "shrike/base/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "shrike/base/hex_text.h"

namespace shrike {

namespace {

/// What a byte in a JSON string needs: nothing, an escape letter, \u00XX, or a look at UTF-8.
enum class Care : uint8_t { none, letter, number, utf8 };

constexpr char escape_letter(unsigned char byte) {
  switch (byte) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

constexpr std::array<Care, 256> cares = [] {
  std::array<Care, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    if (escape_letter(static_cast<unsigned char>(i)) != 0) {
      table[i] = Care::letter;
    } else if (i < 0x20) {
      table[i] = Care::number;
    } else if (i >= 0x80) {
      table[i] = Care::utf8;
    }
  }
  return table;
}();

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const size_t count = utf8_sequence_bytes(text);
    if (count == 0) {
      return false;
    }
    text.remove_prefix(count);
  }
  return true;
}

size_t utf8_sequence_bytes(std::string_view text) noexcept {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) {
    return 0;
  }
  if (at(0) < 0x80) {
    return 1;
  }
  // Lead byte, sequence length, and the range of the second byte (RFC 3629, section 4).
  size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (at(0) >= 0xc2 && at(0) <= 0xdf) {
    length = 2;
  } else if (at(0) >= 0xe0 && at(0) <= 0xef) {
    length = 3;
    low = at(0) == 0xe0 ? 0xa0 : low;
    high = at(0) == 0xed ? 0x9f : high;
  } else if (at(0) >= 0xf0 && at(0) <= 0xf4) {
    length = 4;
    low = at(0) == 0xf0 ? 0x90 : low;
    high = at(0) == 0xf4 ? 0x8f : high;
  }
  if (length == 0 || text.size() < length || at(1) < low || at(1) > high) {
    return 0;
  }
  for (size_t i = 2; i < length; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
  }
  return length;
}

void append_base64(std::string& out, Bytes bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
    const uint32_t group = uint32_t{bytes[0]} << 16 | uint32_t{bytes[1]} << 8 | bytes[2];
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63];
    *to++ = alphabet[group >> 6 & 63];
    *to++ = alphabet[group & 63];
  }
  if (!bytes.empty()) {
    const uint32_t group =
        uint32_t{bytes[0]} << 16 | (bytes.size() == 2 ? uint32_t{bytes[1]} << 8 : 0);
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63];
    *to++ = bytes.size() == 2 ? alphabet[group >> 6 & 63] : '=';
    *to++ = '=';
  }
}

void JsonWriter::members(std::string_view members_of_another) {
  if (!members_of_another.empty()) {
    separate();
    *out_ += members_of_another;
  }
}

void JsonWriter::separate() {
  if (needs_comma_) {
    out_->push_back(',');
  }
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view key) {
  separate();
  quote(key);
  out_->push_back(':');
}

void JsonWriter::begin_object() {
  separate();
  out_->push_back('{');
  needs_comma_ = false;
}

void JsonWriter::begin_element_object() {
  begin_object();
}

void JsonWriter::begin_object(std::string_view name) {
  key(name);
  out_->push_back('{');
  needs_comma_ = false;
}

void JsonWriter::end_object() {
  out_->push_back('}');
  needs_comma_ = true;
}

void JsonWriter::begin_array(std::string_view name) {
  key(name);
  out_->push_back('[');
  needs_comma_ = false;
}

void JsonWriter::end_array() {
  out_->push_back(']');
  needs_comma_ = true;
}

void JsonWriter::text(std::string_view name, std::string_view value) {
  key(name);
  quote(value);
}

void JsonWriter::number(std::string_view name, uint64_t value) {
  key(name);
  digits(value);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  key(name);
  out_->append(value ? "true" : "false");
}

void JsonWriter::base64(std::string_view name, Bytes value) {
  key(name);
  out_->push_back('"');
  append_base64(*out_, value);
  out_->push_back('"');
}

void JsonWriter::hex(std::string_view name, Bytes value, std::string_view separator) {
  key(name);
  out_->push_back('"');
  append_hex(*out_, value, separator);
  out_->push_back('"');
}

void JsonWriter::decimal(std::string_view name, double value, unsigned decimals) {
  key(name);
  fmt::format_to(std::back_inserter(*out_), "{:.{}f}", value, decimals);
}

void JsonWriter::printable(std::string_view name, Bytes value) {
  key(name);
  out_->push_back('"');
  for (const uint8_t byte : value) {
    const bool is_shown = (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\r';
    quote_byte(is_shown ? byte : uint8_t{'.'});
  }
  out_->push_back('"');
}

void JsonWriter::element(std::string_view value) {
  separate();
  quote(value);
}

void JsonWriter::element(uint64_t value) {
  separate();
  digits(value);
}

void JsonWriter::digits(uint64_t value) {
  const fmt::format_int text(value);
  out_->append(text.data(), text.size());
}

/// One byte below 0x80, escaped where JSON wants it.
void JsonWriter::quote_byte(unsigned char byte) {
  switch (cares[byte]) {
    case Care::letter:
      out_->push_back('\\');
      out_->push_back(escape_letter(byte));
      return;
    case Care::number:
      out_->append("\\u00");
      append_hex(*out_, Bytes(&byte, 1));
      return;
    case Care::none:
    case Care::utf8:
      out_->push_back(static_cast<char>(byte));
      return;
  }
}

void JsonWriter::quote(std::string_view value) {
  out_->push_back('"');
  while (!value.empty()) {
    size_t plain = 0;
    while (plain < value.size() && cares[static_cast<unsigned char>(value[plain])] == Care::none) {
      ++plain;
    }
    out_->append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) {
      break;
    }
    const auto byte = static_cast<unsigned char>(value.front());
    size_t used = 1;
    if (byte < 0x80) {
      quote_byte(byte);
    } else if (used = utf8_sequence_bytes(value); used != 0) {
      out_->append(value.substr(0, used));
    } else {
      used = 1;
      out_->append("\\\\x");
      append_hex(*out_, Bytes(&byte, 1));
    }
    value.remove_prefix(used);
  }
  out_->push_back('"');
}

}  // namespace shrike
