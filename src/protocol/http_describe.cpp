// The "http" object of EVE records: keys and order are Suricata's.
#include <charconv>

#include "http.h"
#include "http_text.h"

namespace shrike::protocol {

using namespace http;

namespace {

/// "bytes 0-99/200", "bytes */200", "bytes 0-99/*" (RFC 9110, section 14.4).
struct ContentRange {
  std::optional<uint64_t> start;
  std::optional<uint64_t> end;
  std::optional<uint64_t> size;
};

std::optional<uint64_t> take_number(std::string_view& text) noexcept {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{}) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return number;
}

bool take(std::string_view& text, char wanted) noexcept {
  if (text.empty() || text.front() != wanted) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<ContentRange> read_content_range(std::string_view text) noexcept {
  constexpr std::string_view unit = "bytes ";
  ContentRange range;
  if (!text.starts_with(unit)) {
    return std::nullopt;
  }
  text.remove_prefix(unit.size());
  if (!take(text, '*')) {
    range.start = take_number(text);
    if (!range.start || !take(text, '-')) {
      return std::nullopt;
    }
    range.end = take_number(text);
    if (!range.end) {
      return std::nullopt;
    }
  }
  if (!take(text, '/')) {
    return std::nullopt;
  }
  if (!take(text, '*')) {
    range.size = take_number(text);
    if (!range.size) {
      return std::nullopt;
    }
  }
  return range;
}

void describe_content_range(std::string_view text, JsonWriter& json) {
  json.begin_object("content_range");
  json.text("raw", text);
  if (const auto range = read_content_range(text)) {
    if (range->start) {
      json.number("start", *range->start);
    }
    if (range->end) {
      json.number("end", *range->end);
    }
    if (range->size) {
      json.number("size", *range->size);
    }
  }
  json.end_object();
}

void describe_field(const HeaderList& headers, std::string_view name, std::string_view key,
                    JsonWriter& json) {
  if (const HeaderField* const field = headers.find(name)) {
    json.text(key, as_text(field->value));
  }
}

}  // namespace

void HttpParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& http = static_cast<const HttpTransaction&>(transaction);
  json.begin_object("http");
  if (http.has_host) {
    json.text("hostname", as_text(http.host));
  }
  if (http.port != 0) {
    json.number("http_port", http.port);
  }
  if (http.uri.data() != nullptr) {
    json.text("url", as_text(http.uri));
  }
  describe_field(http.request_headers, "user-agent", "http_user_agent", json);
  describe_field(http.request_headers, "x-forwarded-for", "xff", json);
  if (const HeaderField* const type = http.response_headers.find("content-type")) {
    const std::string_view text = as_text(type->value);
    json.text("http_content_type", text.substr(0, text.find_first_of(std::string_view(";\0", 2))));
  }
  if (const HeaderField* const range = http.response_headers.find("content-range")) {
    describe_content_range(as_text(range->value), json);
  }
  describe_field(http.request_headers, "referer", "http_refer", json);
  if (http.method_text.data() != nullptr) {
    json.text("http_method", as_text(http.method_text));
  }
  if (!http.version_text.empty()) {
    json.text("protocol", as_text(http.version_text));
  }
  if (http.status > 0) {
    json.number("status", static_cast<uint64_t>(http.status));
  } else if (!http.status_text.empty()) {
    json.text("status_string", as_text(http.status_text));
  }
  describe_field(http.response_headers, "location", "redirect", json);
  json.number("length", http.response_bytes);
  json.end_object();
}

}  // namespace shrike::protocol
