#include "http_values.h"

#include <algorithm>
#include <array>

#include "http_text.h"

namespace shrike::protocol::http {

namespace {

bool is_digit(uint8_t byte) noexcept {
  return byte >= '0' && byte <= '9';
}

void skip_spaces(Bytes& text) noexcept {
  while (!text.empty() && is_space(text.front())) {
    text = text.subspan(1);
  }
}

}  // namespace

std::optional<uint64_t> content_length(Bytes text) noexcept {
  const auto first = std::find_if(text.begin(), text.end(), is_digit);
  if (first == text.end()) {
    return std::nullopt;
  }
  uint64_t number = 0;
  for (auto at = first; at != text.end() && is_digit(*at); ++at) {
    const uint64_t digit = *at - uint8_t{'0'};
    if (number > (UINT64_MAX - digit) / 10) {
      return std::nullopt;
    }
    number = number * 10 + digit;
  }
  return number;
}

bool is_chunk_padding(Bytes line) noexcept {
  return std::all_of(line.begin(), line.end(), is_space);
}

bool may_be_chunk_length(Bytes bytes) noexcept {
  skip_spaces(bytes);
  return bytes.empty() || hex_digit(bytes.front()) >= 0;
}

ChunkLength chunk_length(Bytes line) noexcept {
  constexpr uint64_t bytes_max = INT32_MAX;
  skip_spaces(line);
  ChunkLength length;
  size_t digits = 0;
  bool is_huge = false;
  while (digits < line.size() && hex_digit(line[digits]) >= 0) {
    is_huge = is_huge || length.bytes > bytes_max;
    length.bytes = length.bytes << 4 | static_cast<uint64_t>(hex_digit(line[digits]));
    ++digits;
  }
  Bytes rest = line.subspan(digits);
  while (!rest.empty() && is_blank(rest.front())) {
    rest = rest.subspan(1);
  }
  if (digits == 0) {
    length.kind = rest.empty() ? ChunkLength::Kind::none : ChunkLength::Kind::wrong;
    return length;
  }
  constexpr size_t digits_max = 16;  // what fits 64 bits; libhtp takes more for an error
  if (digits > digits_max && is_huge) {
    length.kind = ChunkLength::Kind::wrong;
    return length;
  }
  if (is_huge || length.bytes > bytes_max) {
    length.kind = ChunkLength::Kind::none;
    return length;
  }
  length.kind = ChunkLength::Kind::number;
  length.has_extension = std::find(rest.begin(), rest.end(), ';') != rest.end();
  return length;
}

HttpVersion read_version(Bytes text) noexcept {
  skip_spaces(text);
  if (!starts_any_case(text, "http")) {
    return HttpVersion::invalid;
  }
  text = text.subspan(4);
  skip_spaces(text);
  if (text.empty() || text.front() != '/') {
    return HttpVersion::invalid;
  }
  text = text.subspan(1);
  while (!text.empty() && (is_space(text.front()) || text.front() == '0')) {
    text = text.subspan(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text = text.first(text.size() - 1);
  }
  const std::string_view number = as_text(text);
  if (number == "1.1") {
    return HttpVersion::v1_1;
  }
  if (number == "1.0") {
    return HttpVersion::v1_0;
  }
  return number == ".9" ? HttpVersion::v0_9 : HttpVersion::invalid;
}

HttpMethod read_method(Bytes text) noexcept {
  constexpr std::array<std::string_view, 23> others{
      "DELETE",  "OPTIONS", "TRACE", "PATCH",  "PROPFIND",        "PROPPATCH",  "MKCOL",
      "COPY",    "MOVE",    "LOCK",  "UNLOCK", "VERSION-CONTROL", "CHECKOUT",   "UNCHECKOUT",
      "CHECKIN", "UPDATE",  "LABEL", "REPORT", "MKWORKSPACE",     "MKACTIVITY", "BASELINE-CONTROL",
      "MERGE",   "INVALID"};
  const std::string_view method = as_text(text);
  if (method == "GET") {
    return HttpMethod::get;
  }
  if (method == "POST") {
    return HttpMethod::post;
  }
  if (method == "HEAD") {
    return HttpMethod::head;
  }
  if (method == "PUT") {
    return HttpMethod::put;
  }
  if (method == "CONNECT") {
    return HttpMethod::connect;
  }
  return std::find(others.begin(), others.end(), method) == others.end() ? HttpMethod::unknown
                                                                         : HttpMethod::other;
}

int read_status(Bytes text) noexcept {
  while (!text.empty() && is_blank(text.front())) {
    text = text.subspan(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text = text.first(text.size() - 1);
  }
  int status = 0;
  for (const uint8_t byte : text) {
    if (!is_digit(byte) || status > 999) {
      return -1;
    }
    status = status * 10 + (byte - '0');
  }
  return status >= 100 && status <= 999 ? status : -1;
}

bool is_ignorable(Bytes line) noexcept {
  const std::string_view text = as_text(line);
  return text == "\r" || text == "\n" || text == "\r\n";
}

bool is_body_for_sure(Bytes line) noexcept {
  while (!line.empty() && (is_space(line.front()) || line.front() == 0)) {
    line = line.subspan(1);
  }
  return !starts_any_case(line, "http");
}

size_t line_bytes(Bytes bytes) noexcept {
  const size_t at = as_text(bytes).find('\n');
  return at == std::string_view::npos ? 0 : at + 1;
}

}  // namespace shrike::protocol::http
