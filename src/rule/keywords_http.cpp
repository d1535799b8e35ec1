#include "keywords_files.h"
#include "values.h"

/// Keywords about HTTP/1, HTTP/2 and the files that protocols carry.
namespace shrike::rule {

namespace {

/// `urilen:10<>20,raw`.
void parse_urilen(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word number = rest.take_until(',');
  const Word kind = rest.trimmed();
  if (!kind.empty() && kind.text != "norm" && kind.text != "raw") {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (const auto comparison = parse_comparison<uint16_t>(number, builder.report())) {
    const bool is_raw = kind.text == "raw";
    builder.add_shared_check(is_raw ? Field::http_uri_raw : keyword.field,
                             UriLength{*comparison, is_raw}, argument.name);
  }
}

/// `fileext:"exe"`: the name ends with ".exe".
void parse_file_extension(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (argument.value.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  add_field_text(builder, keyword.field, argument, "." + std::string(argument.value.text),
                 TextMatch::ends_nocase);
}

/// The settings of HTTP/2, RFC 9113 section 6.5.2.
constexpr NumberName setting_names[] = {
    {"SETTINGS_HEADER_TABLE_SIZE", 1},      {"SETTINGS_ENABLE_PUSH", 2},
    {"SETTINGS_MAX_CONCURRENT_STREAMS", 3}, {"SETTINGS_INITIAL_WINDOW_SIZE", 4},
    {"SETTINGS_MAX_FRAME_SIZE", 5},         {"SETTINGS_MAX_HEADER_LIST_SIZE", 6}};

/// What a comparison of a setting's value means for the field, which holds the setting's number
/// above 32 bits of value: ranges without their ends.
FieldNumbers compare_setting(uint64_t setting, const Comparison& comparison) {
  using enum Comparison::Operator;
  const uint64_t base = setting << 32;
  const uint64_t first = base + comparison.first;
  const uint64_t second = base + comparison.second;
  const uint64_t before = base - 1;
  const uint64_t behind = base + (uint64_t{1} << 32);
  const auto ranges = [](std::initializer_list<Comparison> any_of) {
    return FieldNumbers{.any_of = any_of};
  };
  switch (comparison.op) {
    case equal:
      return ranges({{equal, first}});
    case not_equal:
      return ranges({{between, before, first}, {between, first, behind}});
    case less:
      return ranges({{between, before, first}});
    case less_or_equal:
      return ranges({{between, before, first + 1}});
    case greater:
      return ranges({{between, first, behind}});
    case greater_or_equal:
      return ranges({{between, first - 1, behind}});
    case between:
      return ranges({{between, first, second}});
    case not_between:
      return ranges({{between, before, first + 1}, {between, second - 1, behind}});
    case masked_equal:
    case masked_not_equal:
      break;
  }
  return ranges({{between, before, behind}});
}

/// `http2.settings:SETTINGS_ENABLE_PUSH=1`; a name alone asks whether the setting is there.
void parse_setting(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const Word value = argument.value.trimmed();
  const size_t name_bytes =
      std::min(value.text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), value.text.size());
  const std::string_view name = value.text.substr(0, name_bytes);
  const auto* const setting =
      std::find_if(std::begin(setting_names), std::end(setting_names),
                   [&](const NumberName& each) { return each.name == name; });
  if (setting == std::end(setting_names)) {
    report_value(keyword, value, builder.report());
    return;
  }
  const Word rest = value.from(name_bytes).trimmed();
  if (rest.empty()) {
    add_field_numbers(
        builder, keyword, argument,
        compare_setting(setting->number, {Comparison::Operator::greater_or_equal, 0, 0}));
  } else if (const auto comparison = parse_comparison<uint32_t>(rest, builder.report())) {
    add_field_numbers(builder, keyword, argument, compare_setting(setting->number, *comparison));
  }
}

/// Frame types and error codes of HTTP/2, as Suricata writes them.
constexpr NumberName frame_names[] = {
    {"DATA", 0},        {"HEADERS", 1}, {"PRIORITY", 2}, {"RSTSTREAM", 3},    {"SETTINGS", 4},
    {"PUSHPROMISE", 5}, {"PING", 6},    {"GOAWAY", 7},   {"WINDOWUPDATE", 8}, {"CONTINUATION", 9}};
constexpr NumberSyntax frame_syntax{.max = UINT8_MAX, .names = frame_names};
constexpr NumberName error_names[] = {{"NO_ERROR", 0},
                                      {"PROTOCOL_ERROR", 1},
                                      {"INTERNAL_ERROR", 2},
                                      {"FLOW_CONTROL_ERROR", 3},
                                      {"SETTINGS_TIMEOUT", 4},
                                      {"STREAM_CLOSED", 5},
                                      {"FRAME_SIZE_ERROR", 6},
                                      {"REFUSED_STREAM", 7},
                                      {"CANCEL", 8},
                                      {"COMPRESSION_ERROR", 9},
                                      {"CONNECT_ERROR", 10},
                                      {"ENHANCE_YOUR_CALM", 11},
                                      {"INADEQUATE_SECURITY", 12},
                                      {"HTTP_1_1_REQUIRED", 13}};
constexpr NumberSyntax error_syntax{.max = UINT32_MAX, .names = error_names};

using enum ArgumentNeed;
using namespace trait;

constexpr std::string_view number_syntax = "<n>|!<n>|<<n>|><n>|<n>-<n>";

constexpr Keyword rows[] = {
    {"http.uri", "", none, "", "Buffer of the request's URI, normalised.", parse_sticky_buffer,
     sticky, Field::http_uri},
    {"http_uri", "", none, "", "The content before it is for http.uri.", parse_content_modifier,
     modifier, Field::http_uri},
    {"http.uri.raw", "", none, "", "Buffer of the request's URI as sent.", parse_sticky_buffer,
     sticky, Field::http_uri_raw},
    {"http_raw_uri", "", none, "", "The content before it is for http.uri.raw.",
     parse_content_modifier, modifier, Field::http_uri_raw},
    {"http.method", "", none, "", "Buffer of the request's method.", parse_sticky_buffer, sticky,
     Field::http_method},
    {"http_method", "", none, "", "The content before it is for http.method.",
     parse_content_modifier, modifier, Field::http_method},
    {"http.protocol", "http_protocol", optional, "to_server|to_client",
     "Buffer of the protocol's name and version.", parse_sticky_buffer, sticky,
     Field::http_protocol},
    {"http.start", "http_start", optional, "to_server|to_client",
     "Buffer of the first line and the headers.", parse_sticky_buffer, sticky, Field::http_start},
    {"http.request_line", "http_request_line", none, "", "Buffer of the request's first line.",
     parse_sticky_buffer, sticky, Field::http_request_line},
    {"http.response_line", "http_response_line", none, "", "Buffer of the response's first line.",
     parse_sticky_buffer, sticky, Field::http_response_line},
    {"http.request_body", "", none, "", "Buffer of the request's body.", parse_sticky_buffer,
     sticky, Field::http_request_body},
    {"http_client_body", "", none, "", "The content before it is for http.request_body.",
     parse_content_modifier, modifier, Field::http_request_body},
    {"http.response_body", "", none, "", "Buffer of the response's body, unpacked.",
     parse_sticky_buffer, sticky, Field::http_response_body},
    {"http_server_body", "", none, "", "The content before it is for http.response_body.",
     parse_content_modifier, modifier, Field::http_response_body},
    {"http.header", "", optional, "to_server|to_client",
     "Buffer of all headers but cookies, normalised.", parse_sticky_buffer, sticky,
     Field::http_header},
    {"http_header", "", none, "", "The content before it is for http.header.",
     parse_content_modifier, modifier, Field::http_header},
    {"http.header.raw", "", optional, "to_server|to_client", "Buffer of all headers as sent.",
     parse_sticky_buffer, sticky, Field::http_header_raw},
    {"http_raw_header", "", none, "", "The content before it is for http.header.raw.",
     parse_content_modifier, modifier, Field::http_header_raw},
    {"http.header_names", "http_header_names", optional, "to_server|to_client",
     "Buffer of the names of all headers.", parse_sticky_buffer, sticky, Field::http_header_names},
    {"http.request_header", "", none, "", "Buffer of one header of the request, name and value.",
     parse_sticky_buffer, sticky, Field::http_request_header},
    {"http.response_header", "", none, "", "Buffer of one header of the response, name and value.",
     parse_sticky_buffer, sticky, Field::http_response_header},
    {"http.accept", "http_accept", none, "", "Buffer of the Accept header.", parse_sticky_buffer,
     sticky, Field::http_accept},
    {"http.accept_lang", "http_accept_lang", none, "", "Buffer of the Accept-Language header.",
     parse_sticky_buffer, sticky, Field::http_accept_lang},
    {"http.accept_enc", "http_accept_enc", none, "", "Buffer of the Accept-Encoding header.",
     parse_sticky_buffer, sticky, Field::http_accept_enc},
    {"http.connection", "http_connection", optional, "to_server|to_client",
     "Buffer of the Connection header.", parse_sticky_buffer, sticky, Field::http_connection},
    {"http.content_len", "http_content_len", optional, "to_server|to_client",
     "Buffer of the Content-Length header.", parse_sticky_buffer, sticky, Field::http_content_len},
    {"http.content_type", "http_content_type", optional, "to_server|to_client",
     "Buffer of the Content-Type header.", parse_sticky_buffer, sticky, Field::http_content_type},
    {"http.location", "", none, "", "Buffer of the Location header.", parse_sticky_buffer, sticky,
     Field::http_location},
    {"http.server", "", none, "", "Buffer of the Server header.", parse_sticky_buffer, sticky,
     Field::http_server},
    {"http.referer", "http_referer", none, "", "Buffer of the Referer header.", parse_sticky_buffer,
     sticky, Field::http_referer},
    {"http.cookie", "", optional, "to_server|to_client",
     "Buffer of the Cookie or Set-Cookie headers' values.", parse_sticky_buffer, sticky,
     Field::http_cookie},
    {"http_cookie", "", none, "", "The content before it is for http.cookie.",
     parse_content_modifier, modifier, Field::http_cookie},
    {"http.user_agent", "", none, "", "Buffer of the User-Agent header.", parse_sticky_buffer,
     sticky, Field::http_user_agent},
    {"http_user_agent", "", none, "", "The content before it is for http.user_agent.",
     parse_content_modifier, modifier, Field::http_user_agent},
    {"http.host", "", none, "", "Buffer of the host's name in lower case, without port.",
     parse_sticky_buffer, sticky, Field::http_host},
    {"http_host", "", none, "", "The content before it is for http.host.", parse_content_modifier,
     modifier, Field::http_host},
    {"http.host.raw", "", none, "", "Buffer of the host's name as sent.", parse_sticky_buffer,
     sticky, Field::http_host_raw},
    {"http_raw_host", "", none, "", "The content before it is for http.host.raw.",
     parse_content_modifier, modifier, Field::http_host_raw},
    {"http.stat_code", "", none, "", "Buffer of the response's status code.", parse_sticky_buffer,
     sticky, Field::http_stat_code},
    {"http_stat_code", "", none, "", "The content before it is for http.stat_code.",
     parse_content_modifier, modifier, Field::http_stat_code},
    {"http.stat_msg", "", none, "", "Buffer of the response's status text.", parse_sticky_buffer,
     sticky, Field::http_stat_msg},
    {"http_stat_msg", "", none, "", "The content before it is for http.stat_msg.",
     parse_content_modifier, modifier, Field::http_stat_msg},
    {"urilen", "", required, "<n>|<<n>|><n>|<n><><n>[,norm|raw]", "Compares the length of the URI.",
     parse_urilen, 0, Field::http_uri},
    {"http2.frametype", "", required, "<type>", "Compares the type of a frame.",
     parse_field_numbers<frame_syntax>, may_be_quoted, Field::http2_frametype},
    {"http2.errorcode", "", required, "<code>", "Compares the error code of a frame.",
     parse_field_numbers<error_syntax>, may_be_quoted, Field::http2_errorcode},
    {"http2.priority", "", required, number_syntax, "Compares a stream's priority.",
     parse_field_number<uint8_t>, 0, Field::http2_priority},
    {"http2.window", "", required, number_syntax, "Compares a window update.",
     parse_field_number<uint32_t>, 0, Field::http2_window},
    {"http2.size_update", "", required, number_syntax, "Compares the size of the header table.",
     parse_field_number<uint64_t>, 0, Field::http2_size_update},
    {"http2.settings", "", required, "<setting> <op> <n>", "Compares a setting.", parse_setting,
     may_be_quoted, Field::http2_settings},
    {"http2.header_name", "", none, "", "Buffer of the name of one header.", parse_sticky_buffer,
     sticky, Field::http2_header_name},
    {"file.data", "file_data", optional, "to_server|to_client",
     "Buffer of the data of a file in transfer.", parse_sticky_buffer, sticky, Field::file_data},
    {"file.name", "", optional, "to_server|to_client", "Buffer of the name of a file in transfer.",
     parse_sticky_buffer, sticky, Field::file_name},
    {"filename", "", required, "[!]\"<text>\"", "Looks for a text in the name of a file.",
     parse_field_text<TextMatch::contains_nocase>, may_be_quoted | negatable, Field::file_name},
    {"fileext", "", required, "[!]\"<text>\"", "Compares the extension of a file's name.",
     parse_file_extension, may_be_quoted | negatable, Field::file_name},
    {"file.magic", "", optional, "to_server|to_client",
     "Buffer of the kind of a file, as libmagic tells it.", parse_sticky_buffer, sticky,
     Field::file_magic},
    {"filemagic", "", required, "[!]\"<text>\"", "Looks for a text in the kind of a file.",
     parse_field_text<TextMatch::contains_nocase>, may_be_quoted | negatable, Field::file_magic},
    {"filesize", "", required, number_syntax, "Compares the size of a file.",
     parse_field_number<uint64_t>, 0, Field::filesize},
    {"filestore", "", optional, "[request|response|both|to_server|to_client[,file|tx|ssn|flow]]",
     "Asks the file store for a file.", parse_filestore, may_be_quoted, Field::filestore},
    {"filemd5", "", required, "[!]<list>", "Looks the file's MD5 up in a list.", parse_file_digest,
     may_be_quoted | negatable, Field::file_md5},
    {"filesha1", "", required, "[!]<list>", "Looks the file's SHA-1 up in a list.",
     parse_file_digest, may_be_quoted | negatable, Field::file_sha1},
    {"filesha256", "", required, "[!]<list>", "Looks the file's SHA-256 up in a list.",
     parse_file_digest, may_be_quoted | negatable, Field::file_sha256},
};

}  // namespace

std::span<const Keyword> http_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
