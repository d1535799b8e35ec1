#include "json_values.h"

#include <optional>

#include "words.h"

namespace shrike::rule {

namespace {

constexpr unsigned depth_max = 32;

/// Appends a code point as UTF-8.
void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class JsonWalk {
 public:
  using Visit = std::function<void(const std::string&, const std::string&)>;
  JsonWalk(std::string_view text, const Visit& visit) : rest_(text), visit_(visit) {}

  bool walk() {
    for (skip_blanks(); !rest_.empty(); skip_blanks()) {
      if (!value(0)) return false;
    }
    return true;
  }

 private:
  void skip_blanks() { rest_ = trim_left(rest_); }

  bool take(char letter) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool value(unsigned depth) {
    skip_blanks();
    if (depth == depth_max || rest_.empty()) return false;
    if (rest_.front() == '{') return object(depth);
    if (rest_.front() == '[') return array(depth);
    if (rest_.front() == '"') {
      const auto text = string();
      if (text) visit_(path_, *text);
      return text.has_value();
    }
    const size_t size = std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
    if (size == 0) return false;
    const std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    if (word == "true" || word == "false" || word == "null") return true;
    if (word.find_first_not_of("0123456789+-.eE") != std::string::npos) return false;
    visit_(path_, word);
    return true;
  }

  bool object(unsigned depth) {
    take('{');
    if (take('}')) return true;
    const size_t before = path_.size();
    do {
      skip_blanks();
      const auto name = string();
      if (!name || !take(':')) return false;
      path_ += (before == 0 ? "" : ".") + *name;
      if (!value(depth + 1)) return false;
      path_.resize(before);
    } while (take(','));
    return take('}');
  }

  bool array(unsigned depth) {
    take('[');
    if (take(']')) return true;
    do {
      if (!value(depth + 1)) return false;
    } while (take(','));
    return take(']');
  }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!rest_.empty()) {
      const char letter = rest_.front();
      rest_.remove_prefix(1);
      if (letter == '"') return out;
      if (letter != '\\') {
        out += letter;
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  /// What stands behind a backslash.
  bool escape(std::string& out) {
    if (rest_.empty()) return false;
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (const size_t at = names.find(letter); at != std::string_view::npos) {
      out += values[at];
      return true;
    }
    if (letter != 'u' || rest_.size() < 4) return false;
    uint32_t code = 0;
    for (size_t i = 0; i < 4; ++i) {
      const int digit = hex_value(rest_[i]);
      if (digit < 0) return false;
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    append_utf8(out, code);
    return true;
  }

  std::string_view rest_;
  const Visit& visit_;
  std::string path_;
};

}  // namespace

bool for_each_json_value(std::string_view text,
                         const std::function<void(const std::string&, const std::string&)>& visit) {
  return JsonWalk(text, visit).walk();
}

}  // namespace shrike::rule
