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
     parse_dormant_value, may_be_quoted, Field::http2_frametype},
    {"http2.errorcode", "", required, "<code>", "Compares the error code of a frame.",
     parse_dormant_value, may_be_quoted, Field::http2_errorcode},
    {"http2.priority", "", required, number_syntax, "Compares a stream's priority.",
     parse_dormant_number, 0, Field::http2_priority},
    {"http2.window", "", required, number_syntax, "Compares a window update.", parse_dormant_number,
     0, Field::http2_window},
    {"http2.size_update", "", required, number_syntax, "Compares the size of the header table.",
     parse_dormant_number, 0, Field::http2_size_update},
    {"http2.settings", "", required, "<setting> <op> <n>", "Compares a setting.",
     parse_dormant_value, may_be_quoted, Field::http2_settings},
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
    {"filestore", "", optional, "[request|response|both|to_server|to_client,file|tx|ssn]",
     "Stores the file after a match.", parse_dormant_value, may_be_quoted | not_inspected},
    {"filemd5", "", required, "[!]<list>", "Looks the file's MD5 up in a list.",
     parse_dormant_value, may_be_quoted | negatable | not_inspected},
    {"filesha1", "", required, "[!]<list>", "Looks the file's SHA-1 up in a list.",
     parse_dormant_value, may_be_quoted | negatable | not_inspected},
    {"filesha256", "", required, "[!]<list>", "Looks the file's SHA-256 up in a list.",
     parse_dormant_value, may_be_quoted | negatable | not_inspected},
};

}  // namespace

std::span<const Keyword> http_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
