#include <algorithm>

#include "content_text.h"
#include "pcre_text.h"
#include "values.h"

/// Transforms: what changes a buffer before it is looked into.
namespace shrike::rule {

namespace {

using Kind = Transform::Kind;

template <Kind kind>
void parse_plain(Builder& builder, const Keyword&, const Argument& argument) {
  builder.add_transform({kind, std::string(argument.value.text)}, argument.name);
}

/// `xor:"0d0ac8ff"`: the key in hexadecimal, kept as bytes.
void parse_xor(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const std::string_view digits = argument.value.text;
  std::string key;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) break;
    key += static_cast<char>(high * 16 + low);
  }
  if (key.empty() || key.size() * 2 != digits.size()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add_transform({Kind::xor_key, std::move(key)}, argument.name);
}

/// `pcrexform:"expression"`: no slashes and no flags; the first group is what remains.
void parse_pcrexform(Builder& builder, const Keyword&, const Argument& argument) {
  const Word& expression = argument.value;
  if (check_expression(expression, builder.report())) {
    builder.add_transform({Kind::pcrexform, std::string(expression.text)}, argument.name);
  }
}

/// Where a registered domain begins is known from the public suffix list only.
template <Kind kind>
void parse_domain_part(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (!builder.context().options.has_public_suffixes) builder.leave_to_later(keyword);
  builder.add_transform({kind, {}}, argument.name);
}

/// A script over a buffer is not run.
void parse_luaxform(Builder& builder, const Keyword& keyword, const Argument& argument) {
  builder.leave_to_later(keyword);
  builder.add_transform({Kind::luaxform, std::string(argument.value.text)}, argument.name);
}

/// `gunzip: max-size 4096`: what is unpacked at most.
template <Kind kind>
void parse_unpack(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr int64_t bytes_max = 1 << 20;  // bounds the memory of one inspection
  Transform transform{kind, {}};
  if (!argument.value.empty()) {
    if (!argument.value.text.starts_with("max-size ")) {
      report_value(keyword, argument.value, builder.report());
      return;
    }
    const auto bytes =
        parse_number(argument.value.from(9).trimmed(), 1, bytes_max, builder.report());
    if (!bytes) return;
    transform.bytes = static_cast<uint32_t>(*bytes);
  }
  builder.add_transform(std::move(transform), argument.name);
}

/// `from_base64: bytes 10, offset 4, mode rfc4648`.
void parse_from_base64(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr int64_t position_max = 65535;
  static constexpr std::string_view modes[] = {"rfc2045", "rfc4648", "strict"};
  Transform transform{Kind::from_base64, {}};
  transform.mode = 1;  // as Suricata: RFC 4648 unless said otherwise
  for (Word rest = argument.value; !rest.empty();) {
    const Word entry = rest.take_until(',');
    const size_t blank = std::min(entry.text.find(' '), entry.text.size());
    const std::string_view name = entry.text.substr(0, blank);
    const Word value = entry.from(blank).trimmed();
    const auto* const mode = std::find(std::begin(modes), std::end(modes), value.text);
    if (name == "mode" && mode != std::end(modes)) {
      transform.mode = static_cast<uint8_t>(mode - std::begin(modes));
      continue;
    }
    if (name != "bytes" && name != "offset") {
      report_value(keyword, entry, builder.report());
      return;
    }
    const auto number =
        parse_number(value, name == "bytes" ? 1 : 0, position_max, builder.report());
    if (!number) return;
    (name == "bytes" ? transform.bytes : transform.offset) = static_cast<uint32_t>(*number);
  }
  builder.add_transform(std::move(transform), argument.name);
}

using enum ArgumentNeed;
using namespace trait;

constexpr Keyword rows[] = {
    {"dotprefix", "", none, "", "Puts a dot before the buffer.", parse_plain<Kind::dotprefix>},
    {"domain", "", none, "", "Leaves the registered domain of a name.",
     parse_domain_part<Kind::domain>},
    {"tld", "", none, "", "Leaves the top-level domain of a name.", parse_domain_part<Kind::tld>},
    {"strip_whitespace", "", none, "", "Takes all white space out.",
     parse_plain<Kind::strip_whitespace>},
    {"compress_whitespace", "", none, "", "Makes one blank of each run of white space.",
     parse_plain<Kind::compress_whitespace>},
    {"to_lowercase", "", none, "", "Makes all letters lower case.",
     parse_plain<Kind::to_lowercase>},
    {"to_uppercase", "", none, "", "Makes all letters upper case.",
     parse_plain<Kind::to_uppercase>},
    {"to_md5", "", none, "", "Replaces the buffer by its MD5, 16 bytes.",
     parse_plain<Kind::to_md5>},
    {"to_sha1", "", none, "", "Replaces the buffer by its SHA-1, 20 bytes.",
     parse_plain<Kind::to_sha1>},
    {"to_sha256", "", none, "", "Replaces the buffer by its SHA-256, 32 bytes.",
     parse_plain<Kind::to_sha256>},
    {"pcrexform", "", required, "\"<expression with a group>\"",
     "Leaves what the expression's first group matched.", parse_pcrexform, must_be_quoted},
    {"url_decode", "", none, "", "Decodes percent signs and pluses.",
     parse_plain<Kind::url_decode>},
    {"xor", "", required, "\"<hex>\"", "Combines the buffer with a key by exclusive or.", parse_xor,
     may_be_quoted},
    {"header_lowercase", "", none, "", "Makes the names of headers lower case.",
     parse_plain<Kind::header_lowercase>},
    {"strip_pseudo_headers", "", none, "", "Takes HTTP/2's pseudo headers out.",
     parse_plain<Kind::strip_pseudo_headers>},
    {"from_base64", "", optional, "bytes <n>, offset <n>, mode strict|rfc2045|rfc4648",
     "Decodes base64.", parse_from_base64},
    {"luaxform", "", required, "<script>[,<arguments>]", "Runs a script over the buffer.",
     parse_luaxform, not_inspected},
    {"gunzip", "", optional, "max-size <n>", "Unpacks gzip.", parse_unpack<Kind::gunzip>},
    {"zlib_deflate", "", optional, "max-size <n>", "Unpacks zlib.",
     parse_unpack<Kind::zlib_deflate>},
};

}  // namespace

std::span<const Keyword> transform_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
