#include "content_text.h"

namespace shrike::rule {

namespace {

bool is_plain(char letter) {
  return letter > ' ' && letter < 0x7F && letter != '|' && letter != '"' && letter != ';' &&
         letter != ':' && letter != '\\';
}

/// Reads the hexadecimal digits up to the closing '|'; `at` stands behind the opening one and ends
/// on the closing one. @return false where a fault was reported.
bool decode_hex(const Word& text, size_t& at, std::string& bytes, RuleReport& report) {
  const size_t begin = at;
  int high = -1;
  for (; at < text.text.size() && text.text[at] != '|'; ++at) {
    const char letter = text.text[at];
    const int digit = hex_value(letter);
    if (digit < 0 && (letter == ' ' || letter == ',')) continue;
    if (digit < 0) {
      report.error(text.from(at), "content-hex", "'{}' is no hexadecimal digit; write |0d 0a|",
                   letter);
      return false;
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  if (at == text.text.size()) {
    report.error(text.from(begin - 1), "content-hex", "'|' is not closed; write |0d 0a|");
    return false;
  }
  if (high >= 0) {
    report.error(text.from(begin), "content-hex",
                 "an odd number of hexadecimal digits; write two for each byte");
    return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> decode_content(const Word& text, RuleReport& report) {
  std::string bytes;
  bytes.reserve(text.text.size());
  for (size_t at = 0; at < text.text.size(); ++at) {
    const char letter = text.text[at];
    if (letter == '|') {
      ++at;
      if (!decode_hex(text, at, bytes, report)) return std::nullopt;
    } else if (letter == '\\') {
      ++at;
      const char escaped = at < text.text.size() ? text.text[at] : '\0';
      if (escaped != ';' && escaped != '"' && escaped != '\\' && escaped != ':') {
        report.error(text.from(at - 1), "content-escape",
                     "a '\\' must stand before ';', '\"', ':' or '\\'; write |5c| for it");
        return std::nullopt;
      }
      bytes += escaped;
    } else if (letter == '"') {
      report.error(text.from(at), "content-escape",
                   "a quote within the content; write \\\" or |22|");
      return std::nullopt;
    } else {
      bytes += letter;
    }
  }
  return bytes;
}

std::string encode_content(std::string_view bytes) {
  std::string text;
  bool is_hex = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool is_inner_blank = bytes[i] == ' ' && i != 0 && i + 1 != bytes.size();
    const bool wants_hex = !is_plain(bytes[i]) && !(is_inner_blank && !is_hex);
    if (wants_hex != is_hex) text += '|';
    if (wants_hex && is_hex) text += ' ';
    is_hex = wants_hex;
    text += wants_hex ? fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]))
                      : std::string(1, bytes[i]);
  }
  if (is_hex) text += '|';
  return text;
}

}  // namespace shrike::rule
