#include "http_headers.h"

#include <algorithm>

#include "http_text.h"

namespace shrike::protocol::http {

namespace {

/// Folds beyond are the next field's: the same bound as libhtp, so that folding costs no more.
constexpr int folds_max = 128;

enum class Cut : uint8_t { no, yes, more };

bool starts_with(Bytes input, std::string_view text) noexcept {
  return as_text(input).starts_with(text);
}

/// Bytes of the plain line end at the front, 0 where there is none.
size_t plain_line_end(Bytes input, HeaderSide side) noexcept {
  if (starts_with(input, "\r\n")) {
    return 2;
  }
  if (side == HeaderSide::response && starts_with(input, "\n\r")) {
    return 2;
  }
  if (starts_with(input, "\n")) {
    return 1;
  }
  return side == HeaderSide::response && starts_with(input, "\r") ? 1 : 0;
}

bool is_empty_line_next(Bytes input) noexcept {
  return starts_with(input, "\n") || starts_with(input, "\r\n");
}

/// CR LF CR, then blanks and CRs, perhaps LF: one deformed line end of a response.
Cut deformed_by_blanks(Bytes input, size_t& bytes) noexcept {
  size_t at = 3;
  while (at < input.size() && (input[at] == '\r' || is_blank(input[at]))) {
    ++at;
  }
  if (at == input.size()) {
    return Cut::more;
  }
  if (at == 3) {
    return Cut::no;
  }
  at += input[at] == '\n' ? 1 : 0;
  if (is_empty_line_next(input.subspan(at))) {
    return Cut::no;
  }
  bytes = at;
  return Cut::yes;
}

Cut deformed_line_end(Bytes input, HeaderSide side, size_t& bytes) noexcept {
  if (starts_with(input, "\n\r\r\n") && is_empty_line_next(input.subspan(4))) {
    bytes = 4;
    return Cut::yes;
  }
  if (side == HeaderSide::response) {
    return starts_with(input, "\r\n\r") ? deformed_by_blanks(input, bytes) : Cut::no;
  }
  if (starts_with(input, "\n\r") && starts_with(input.subspan(2), "\r\n")) {
    bytes = 2;
    return Cut::yes;
  }
  return Cut::no;
}

struct LineEnd {
  size_t bytes = 0;
  bool is_fold = false;  ///< the next byte is a blank (or NUL), and the value goes on behind it
};

bool is_fold_byte(uint8_t byte) noexcept {
  return is_blank(byte) || byte == 0;
}

/// The end of a value's line: a fold, or the end of the value.
Cut cut_line_end(Bytes input, HeaderSide side, bool is_complete, LineEnd& end) noexcept {
  size_t bytes = 0;
  Cut deformed = Cut::no;
  if (side == HeaderSide::request) {
    deformed = deformed_line_end(input, side, bytes);
  }
  if (deformed != Cut::yes) {
    bytes = plain_line_end(input, side);
  }
  if (bytes == 0) {
    return Cut::no;
  }
  if (bytes == input.size()) {
    end = {bytes, false};
    return is_complete ? Cut::yes : Cut::more;
  }
  if (is_fold_byte(input[bytes])) {
    end = {bytes, true};
    return Cut::yes;
  }
  if (side == HeaderSide::response) {
    size_t deformed_bytes = 0;
    deformed = deformed_line_end(input, side, deformed_bytes);
    if (deformed == Cut::more && !is_complete) {
      return Cut::more;
    }
    if (deformed == Cut::yes) {
      if (deformed_bytes == input.size() && !is_complete) {
        return Cut::more;
      }
      const bool folds =
          deformed_bytes < input.size() && is_fold_byte(input[deformed_bytes]) && !is_complete;
      bytes = folds ? bytes : deformed_bytes;
    }
  }
  end = {bytes, false};
  return Cut::yes;
}

/// A line of a value, and what ends it.
struct ValueLine {
  Bytes text;
  LineEnd end;
  Bytes rest;  ///< behind the end (and the fold's one blank)
  uint8_t fold_byte = ' ';
};

Cut cut_value_line(Bytes input, HeaderSide side, bool is_complete, ValueLine& line) noexcept {
  size_t at = 0;
  while (at < input.size() && input[at] != '\n' &&
         !(side == HeaderSide::response && input[at] == '\r')) {
    ++at;
  }
  if (at == input.size()) {
    return Cut::more;
  }
  if (at > 0 && input[at - 1] == '\r') {
    --at;
  }
  line.text = input.first(at);
  const Cut cut = cut_line_end(input.subspan(at), side, is_complete, line.end);
  if (cut != Cut::yes) {
    return cut;
  }
  line.rest = input.subspan(at + line.end.bytes);
  if (line.end.is_fold) {
    line.fold_byte = line.rest.front();
    line.rest = line.rest.subspan(1);
  }
  return Cut::yes;
}

/// Whether what looks like a folded line of a response is rather a field of its own.
Cut is_field_with_leading_space(Bytes input) noexcept {
  size_t at = 0;
  while (at < input.size() && is_blank(input[at])) {
    ++at;
  }
  const size_t name_from = at;
  while (at < input.size() && is_token(input[at])) {
    ++at;
  }
  const bool has_name = at > name_from;
  while (at < input.size() && is_blank(input[at])) {
    ++at;
  }
  if (at == input.size()) {
    return Cut::more;
  }
  if (input[at] != ':') {
    return Cut::no;
  }
  ++at;
  while (at < input.size() && is_blank(input[at])) {
    ++at;
  }
  if (at == input.size()) {
    return Cut::more;
  }
  return has_name ? Cut::yes : Cut::no;
}

/// Reads a value with its folded lines. @param rest out: what is behind it.
Cut scan_value(Bytes input, HeaderSide side, bool is_complete, PoolBytes& value, Bytes& rest) {
  value.clear();
  ValueLine line;
  Cut cut = cut_value_line(input, side, is_complete, line);
  if (cut != Cut::yes) {
    return cut;
  }
  value.assign(line.text.begin(), line.text.end());
  rest = line.rest;
  Bytes at = rest;
  for (int folds = 0; line.end.is_fold && folds < folds_max; ++folds) {
    if (side == HeaderSide::response) {
      const Cut is_field = is_field_with_leading_space(at);
      if (is_field == Cut::more) {
        return Cut::more;
      }
      if (is_field == Cut::yes) {
        rest = at;
        return Cut::yes;
      }
    }
    const uint8_t fold_byte = line.fold_byte;
    cut = cut_value_line(at, side, is_complete, line);
    if (cut != Cut::yes) {
      return cut;
    }
    at = line.rest;
    if (!value.empty()) {
      value.push_back(fold_byte);
    }
    if (!line.text.empty() || line.end.bytes > 1) {
      rest = at;
      value.insert(value.end(), line.text.begin(), line.text.end());
    } else if (starts_with(at, "\n")) {
      rest = at;
    }
  }
  return Cut::yes;
}

/// Where the name ends: at a colon, or before the line end that no blank follows.
size_t name_bytes(Bytes input, HeaderSide side) noexcept {
  uint8_t ended_by = 0;
  for (size_t at = 0; at < input.size(); ++at) {
    const uint8_t byte = input[at];
    if (ended_by == 0) {
      if (byte == ':') {
        return at;
      }
      if (byte == '\n' || (side == HeaderSide::response && byte == '\r')) {
        ended_by = byte;
      }
    } else if (byte == ' ') {
      ended_by = 0;
    } else if (byte == '\n' && ended_by == '\r') {
      ended_by = byte;
    } else {
      return at - 1;
    }
  }
  return 0;
}

HeaderFlags flags_of_name(Bytes name) noexcept {
  HeaderFlags flags;
  if (name.empty()) {
    flags.name_empty = true;
    return flags;
  }
  flags.name_leading_space = is_blank(name.front());
  flags.name_trailing_space = is_blank(name.back());
  size_t at = 0;
  while (at < name.size() && is_blank(name[at])) {
    ++at;
  }
  while (at < name.size() && is_token(name[at])) {
    ++at;
  }
  while (at < name.size() && is_blank(name[at])) {
    ++at;
  }
  flags.name_not_token = at < name.size();
  return flags;
}

void trim_in_place(PoolBytes& value) {
  const Bytes kept = trimmed(value);
  const auto from = kept.empty() ? 0 : kept.data() - value.data();
  const size_t bytes = kept.size();
  std::copy_n(value.begin() + from, bytes, value.begin());
  value.resize(bytes);
}

/// @return no: not a field with a colon.
Cut scan_with_colon(Bytes input, HeaderSide side, bool is_complete, ScannedHeader& header,
                    Bytes& rest) {
  const size_t bytes = name_bytes(input, side);
  if (bytes >= input.size() || input[bytes] != ':') {
    return Cut::no;
  }
  size_t at = bytes + 1;
  while (at < input.size() && is_blank(input[at])) {
    ++at;
  }
  if (at == input.size()) {
    return Cut::more;
  }
  header.flags = flags_of_name(input.first(bytes));
  header.name = trimmed(input.first(bytes));
  return scan_value(input.subspan(at), side, is_complete, header.value, rest);
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): what one scan needs and gives
HeaderScan scan_header(Bytes input, HeaderSide side, bool is_complete, bool is_first,
                       ScannedHeader& header, size_t& consumed) {
  consumed = 0;
  Bytes rest;
  Cut cut = scan_with_colon(input, side, is_complete, header, rest);
  if (cut != Cut::yes) {
    if (starts_with(input, "\r\n")) {
      consumed = is_first ? 2 : 0;
      return is_first ? HeaderScan::end : HeaderScan::more;
    }
    cut = scan_value(input, side, is_complete, header.value, rest);
    if (cut != Cut::yes) {
      return HeaderScan::more;
    }
    header.name = {};
    header.flags = {.missing_colon = true, .name_empty = true};
  }
  trim_in_place(header.value);
  consumed = input.size() - rest.size();
  const size_t end_bytes = plain_line_end(rest, side);
  consumed += end_bytes;
  return end_bytes > 0 ? HeaderScan::last : HeaderScan::field;
}

const HeaderField* HeaderList::find(std::string_view lower_name) const noexcept {
  for (const HeaderField& field : fields_) {
    if (equals_any_case(field.name, lower_name)) {
      return &field;
    }
  }
  return nullptr;
}

const HeaderField* HeaderList::find_without_nul(std::string_view lower_name) const noexcept {
  for (const HeaderField& field : fields_) {
    if (equals_without_nul(field.name, lower_name)) {
      return &field;
    }
  }
  return nullptr;
}

HeaderField* HeaderList::find_same(Bytes name) noexcept {
  const auto same = [&](const HeaderField& field) {
    return std::equal(field.name.begin(), field.name.end(), name.begin(), name.end(),
                      [](uint8_t a, uint8_t b) { return to_lower(a) == to_lower(b); });
  };
  const auto at = std::find_if(fields_.begin(), fields_.end(), same);
  return at == fields_.end() ? nullptr : &*at;
}

}  // namespace shrike::protocol::http
