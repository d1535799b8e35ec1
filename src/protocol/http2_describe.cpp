// The EVE object "http" of HTTP/2, with "http2" in it; and "dns" where the stream carries that.
#include <charconv>
#include <string>

#include "dns.h"
#include "http2.h"

namespace shrike::protocol {

namespace {

using enum Direction;
using Side = Http2Transaction::Side;

constexpr std::string_view setting_names[] = {
    "SETTINGSHEADERTABLESIZE",   "SETTINGSENABLEPUSH",   "SETTINGSMAXCONCURRENTSTREAMS",
    "SETTINGSINITIALWINDOWSIZE", "SETTINGSMAXFRAMESIZE", "SETTINGSMAXHEADERLISTSIZE"};
constexpr std::string_view error_names[] = {
    "NOERROR",      "PROTOCOLERROR",   "INTERNALERROR",      "FLOWCONTROLERROR", "SETTINGSTIMEOUT",
    "STREAMCLOSED", "FRAMESIZEERROR",  "REFUSEDSTREAM",      "CANCEL",           "COMPRESSIONERROR",
    "CONNECTERROR", "ENHANCEYOURCALM", "INADEQUATESECURITY", "HTTP11REQUIRED"};

void write_headers(const Side& side, std::string_view key, JsonWriter& json) {
  if (side.headers.empty()) {
    return;
  }
  json.begin_array(key);
  for (const Http2Header& header : side.headers) {
    json.begin_element_object();
    switch (header.kind) {
      case Http2Header::Kind::header:
        json.text("name", as_text(header.name));
        json.text("value", as_text(header.value));
        break;
      case Http2Header::Kind::table_size:
        json.number("table_size_update", header.table_bytes);
        break;
      case Http2Header::Kind::fault:
        json.text("error", "HTTP2HeaderDecodeError");
        break;
    }
    json.end_object();
  }
  json.end_array();
}

/// The last value of a header on either side, or null.
const Http2Header* find_last(const Http2Transaction& transaction, std::string_view name) {
  const Http2Header* found = nullptr;
  for (const Side& side : transaction.sides) {
    for (const Http2Header& header : side.headers) {
      if (header.kind == Http2Header::Kind::header && as_text(header.name) == name) {
        found = &header;
      }
    }
  }
  return found;
}

void write_common(const Http2Transaction& transaction, JsonWriter& json) {
  struct Common {
    std::string_view header;
    std::string_view key;
    bool is_number;
  };
  static constexpr Common all[] = {
      {":method", "http_method", false},  {":path", "url", false},
      {"host", "hostname", false},        {"user-agent", "http_user_agent", false},
      {"content-length", "length", true}, {":status", "status", true},
  };
  for (const auto& [name, key, is_number] : all) {
    const Http2Header* const header = find_last(transaction, name);
    if (header == nullptr) {
      continue;
    }
    const std::string_view value = as_text(header->value);
    if (!is_number) {
      json.text(key, value);
      continue;
    }
    uint64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, fault] = std::from_chars(value.data(), end, number);
    if (fault == std::errc{} && stop == end) {
      json.number(key, number);
    }
  }
}

void write_frames(const Side& side, std::string_view key, JsonWriter& json) {
  json.begin_object(key);
  if (!side.settings.empty()) {
    json.begin_array("settings");
    for (const Http2Setting& setting : side.settings) {
      json.begin_element_object();
      json.text("settings_id", setting_names[setting.id - 1]);
      json.number("settings_value", setting.value);
      json.end_object();
    }
    json.end_array();
  }
  if (side.error_code) {
    const uint32_t code = *side.error_code;
    json.text("error_code", code < std::size(error_names) ? std::string(error_names[code])
                                                          : std::to_string(code));
  }
  if (side.priority) {
    json.number("priority", *side.priority);
  }
  if (!side.has_multiple.empty()) {
    json.text("has_multiple", side.has_multiple);
  }
  json.end_object();
}

}  // namespace

void Http2Parser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const Http2Transaction&>(each);
  const Side& request = transaction.side(to_server);
  const Side& response = transaction.side(to_client);
  json.begin_object("http");
  json.text("version", "2");
  write_headers(request, "request_headers", json);
  write_headers(response, "response_headers", json);
  write_common(transaction, json);
  json.begin_object("http2");
  json.number("stream_id", transaction.stream_id);
  write_frames(request, "request", json);
  write_frames(response, "response", json);
  json.end_object();
  json.end_object();
  if (request.dns != nullptr || response.dns != nullptr) {
    const bool is_request = response.dns == nullptr;
    describe_dns("dns", is_request ? *request.dns : *response.dns, transaction.id, is_request,
                 json);
  }
}

}  // namespace shrike::protocol
