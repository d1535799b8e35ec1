#include "mime_headers.h"

#include <algorithm>
#include <charconv>

namespace shrike::protocol {

namespace {

constexpr bool is_blank(uint8_t byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

constexpr uint8_t lower(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte | 32) : byte;
}

Bytes skip_blanks(Bytes text) noexcept {
  const auto first = std::find_if_not(text.begin(), text.end(), is_blank);
  return text.subspan(static_cast<size_t>(first - text.begin()));
}

Bytes without_blanks_behind(Bytes text) noexcept {
  const auto last = std::find_if_not(text.rbegin(), text.rend(), is_blank);
  return last == text.rend() ? text : text.first(static_cast<size_t>(text.rend() - last));
}

/// Takes a text in quotes from the front; nothing where there is none, or it never ends.
std::optional<Bytes> take_quoted(Bytes& text) noexcept {
  if (text.empty() || text[0] != '"') {
    return std::nullopt;
  }
  size_t end = 1;
  for (bool is_escaped = false; end < text.size(); ++end) {
    if (text[end] == '"' && !is_escaped) {
      break;
    }
    is_escaped = text[end] == '\\';
  }
  if (end == text.size()) {
    // No unescaped quote: the first one of any kind ends it.
    end = static_cast<size_t>(std::find(text.begin() + 1, text.end(), '"') - text.begin());
    if (end == text.size()) {
      return std::nullopt;
    }
  }
  const Bytes quoted = text.subspan(1, end - 1);
  text = text.subspan(end + 1);
  return quoted;
}

struct Parameter {
  Bytes name;
  Bytes value;
};

/// Takes `name=value` and the semicolon behind it from the front.
std::optional<Parameter> take_parameter(Bytes& text) noexcept {
  const Bytes rest = skip_blanks(text);
  const auto equals = std::find(rest.begin(), rest.end(), '=');
  if (equals == rest.end()) {
    return std::nullopt;
  }
  const auto name_bytes = static_cast<size_t>(equals - rest.begin());
  Parameter parameter{.name = rest.first(name_bytes), .value = {}};
  text = rest.subspan(name_bytes + 1);
  if (const std::optional<Bytes> quoted = take_quoted(text)) {
    parameter.value = *quoted;
  } else {
    const auto end = std::find(text.begin(), text.end(), ';');
    const auto value_bytes = static_cast<size_t>(end - text.begin());
    parameter.value = without_blanks_behind(text.first(value_bytes));
    text = text.subspan(value_bytes);
  }
  text = skip_blanks(text);
  if (!text.empty() && text[0] == ';') {
    text = text.subspan(1);
  }
  return parameter;
}

/// The last parameter of that name, as a map would keep it.
std::optional<Bytes> find_last(Bytes parameters, std::string_view name) noexcept {
  std::optional<Bytes> found;
  while (!parameters.empty()) {
    const std::optional<Parameter> parameter = take_parameter(parameters);
    if (!parameter) {
      break;
    }
    if (as_text(parameter->name) == name) {
      found = parameter->value;
    }
  }
  return found;
}

constexpr uint8_t no_digit = 255;

constexpr std::array<uint8_t, 256> base64_digits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(no_digit);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}();

/// Only upper-case letters are digits here (RFC 2045, 6.7, rule 1).
constexpr std::optional<uint8_t> hex_digit(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') {
    return static_cast<uint8_t>(byte - '0');
  }
  if (byte >= 'A' && byte <= 'F') {
    return static_cast<uint8_t>(byte - 'A' + 10);
  }
  return std::nullopt;
}

}  // namespace

bool is_same_nocase(Bytes text, std::string_view lower_text) noexcept {
  return text.size() == lower_text.size() && starts_nocase(text, lower_text);
}

bool starts_nocase(Bytes text, std::string_view lower_text) noexcept {
  return text.size() >= lower_text.size() &&
         std::equal(
             lower_text.begin(), lower_text.end(), text.begin(),
             [](char wanted, uint8_t byte) { return static_cast<uint8_t>(wanted) == lower(byte); });
}

std::optional<HeaderLine> split_header(Bytes line) noexcept {
  const auto colon = std::find(line.begin(), line.end(), ':');
  if (colon == line.end()) {
    return std::nullopt;
  }
  const auto name_bytes = static_cast<size_t>(colon - line.begin());
  return HeaderLine{line.first(name_bytes), skip_blanks(line.subspan(name_bytes + 1))};
}

std::optional<Bytes> find_parameter(Bytes value, std::string_view name, PoolBytes& joined) {
  constexpr unsigned sections_max = 64;  // a name longer than that is cut anyway
  const auto semicolon = std::find(value.begin(), value.end(), ';');
  if (semicolon == value.end()) {
    return std::nullopt;
  }
  const Bytes parameters = value.subspan(static_cast<size_t>(semicolon - value.begin()) + 1);
  if (const std::optional<Bytes> whole = find_last(parameters, name)) {
    return whole;
  }
  joined.clear();
  unsigned section = 0;
  for (; section < sections_max; ++section) {
    std::array<char, 32> text{};
    char* at = std::copy(name.begin(), name.begin() + std::min<ptrdiff_t>(std::ssize(name), 16),
                         text.data());
    *at++ = '*';
    at = std::to_chars(at, text.data() + text.size(), section).ptr;
    const std::string_view section_name(text.data(), static_cast<size_t>(at - text.data()));
    const std::optional<Bytes> part = find_last(parameters, section_name);
    if (!part) {
      break;
    }
    joined.insert(joined.end(), part->begin(), part->end());
  }
  return section == 0 ? std::nullopt : std::optional<Bytes>(joined);
}

bool Base64Lines::decode_four(PoolBytes& out) {
  const uint8_t first = base64_digits[held_[0]];
  const uint8_t second = base64_digits[held_[1]];
  if (first == no_digit || second == no_digit) {
    return false;
  }
  out.push_back(static_cast<uint8_t>(first << 2 | second >> 4));
  if (held_[2] == '=') {
    return true;
  }
  const uint8_t third = base64_digits[held_[2]];
  out.push_back(static_cast<uint8_t>(second << 4 | third >> 2));
  if (held_[3] != '=') {
    out.push_back(static_cast<uint8_t>(third << 6 | base64_digits[held_[3]]));
  }
  return true;
}

bool Base64Lines::decode(Bytes line, PoolBytes& out) {
  const size_t was = out.size();
  for (const uint8_t byte : line) {
    if (is_broken_) {
      break;
    }
    if (base64_digits[byte] == no_digit && byte != '=') {
      continue;
    }
    held_[held_count_++] = byte;
    if (held_count_ == held_.size()) {
      held_count_ = 0;
      is_broken_ = !decode_four(out);
    }
  }
  if (is_broken_) {
    out.resize(was);
  }
  return !is_broken_;
}

void Base64Lines::flush(PoolBytes& out) {
  if (held_count_ > 0 && !is_broken_) {
    std::fill(held_.begin() + held_count_, held_.end(), '=');
    held_count_ = 0;
    is_broken_ = !decode_four(out);
  }
}

bool decode_quoted_printable(Bytes line, Bytes line_end, PoolBytes& out) {
  bool is_right = true;
  for (size_t at = 0; at < line.size();) {
    if (line[at] != '=') {
      out.push_back(line[at++]);
      continue;
    }
    if (at + 1 == line.size()) {
      return is_right;  // a soft line break: the next line goes on here
    }
    if (at + 2 >= line.size()) {
      is_right = false;
      break;
    }
    const std::optional<uint8_t> high = hex_digit(line[at + 1]);
    const std::optional<uint8_t> low = hex_digit(line[at + 2]);
    if (high && low) {
      out.push_back(static_cast<uint8_t>(*high << 4 | *low));
    } else {
      is_right = false;
    }
    at += 3;
  }
  out.insert(out.end(), line_end.begin(), line_end.end());
  return is_right;
}

}  // namespace shrike::protocol
