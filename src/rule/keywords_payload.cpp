#include <algorithm>

#include "content_text.h"
#include "keywords_bytes.h"
#include "pcre_text.h"
#include "values.h"

/// Keywords that look into the payload or the current buffer, all but the byte operations.
namespace shrike::rule {

namespace {

constexpr int64_t position_max = 65535;                 // offset, depth
constexpr int64_t distance_max = int64_t{1024} * 1024;  // Suricata: DETECT_CONTENT_VALUE_MAX

void parse_content(Builder& builder, const Keyword&, const Argument& argument) {
  auto bytes = decode_content(argument.value, builder.report());
  if (!bytes) bytes = "?";  // broken and reported; what follows may still refer to a content
  if (bytes->empty() || bytes->size() > content_bytes_max) {
    builder.report().error(argument.value, "content-size",
                           "a content of {} bytes; write 1 to {}, longer ones as several with "
                           "'distance:0; within:…;'",
                           bytes->size(), content_bytes_max);
  }
  Content content;
  content.bytes = std::move(*bytes);
  content.is_negated = argument.is_negated;
  content.position = builder.report().locate(argument.value.position);
  builder.add_check(std::move(content), argument.name);
}

void parse_uricontent(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (builder.has_open_buffer()) {
    builder.report().error(argument.name, "modifier-buffer",
                           "uricontent cannot follow a buffer; write 'http.uri; content:…'");
    return;
  }
  const size_t before = builder.nodes().size();
  parse_content(builder, keyword, argument);
  if (builder.nodes().size() != before) builder.move_last_check(Field::http_uri, argument.name);
}

/// The content a modifier is for, or a diagnostic.
Content* find_content(Builder& builder, const Argument& argument) {
  Content* const content = builder.last_content();
  if (content == nullptr) {
    builder.report().error(argument.name, "no-content",
                           "'{}' needs a content before it; write 'content:\"…\"; {};'",
                           argument.name.text, argument.name.text);
  }
  return content;
}

/// Reports a modifier that is there already or that cannot stand beside another.
bool is_refused(bool is_repeated, std::string_view other, Builder& builder,
                const Argument& argument) {
  if (is_repeated) {
    builder.report().error(argument.name, "repeated", "a second '{}' for the content; remove one",
                           argument.name.text);
    return true;
  }
  if (other.empty()) return false;
  builder.report().error(argument.name, "modifier-conflict",
                         "'{}' cannot stand beside '{}' of the same content; keep one of them",
                         argument.name.text, other);
  return true;
}

std::string_view absolute_of(const Content& content) {
  return content.offset ? "offset" : content.depth ? "depth" : "";
}
std::string_view relative_of(const Content& content) {
  return content.distance ? "distance" : content.within ? "within" : "";
}
std::string_view start_of(const Content& content) {
  return content.starts_with ? "startswith" : "";
}
std::string_view only_of(const Content& content) {
  return content.is_fast_pattern_only ? "fast_pattern:only" : "";
}
std::string_view first_of(std::string_view first, std::string_view second) {
  return first.empty() ? second : first;
}

void parse_nocase(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr || is_refused(content->is_nocase, "", builder, argument)) return;
  content->is_nocase = true;
}

void parse_offset(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr) return;
  const auto other =
      first_of(first_of(start_of(*content), only_of(*content)), relative_of(*content));
  if (is_refused(content->offset.has_value(), other, builder, argument)) return;
  content->offset = parse_operand(argument.value, 0, position_max, builder);
}

void parse_depth(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr) return;
  const auto other =
      first_of(first_of(start_of(*content), only_of(*content)), relative_of(*content));
  if (is_refused(content->depth.has_value(), other, builder, argument)) return;
  content->depth = parse_operand(argument.value, 0, position_max, builder);
  const bool is_number = content->depth && content->depth->variable < 0;
  if (is_number && content->depth->literal < static_cast<int64_t>(content->bytes.size())) {
    builder.report().error(argument.value, "depth-size",
                           "depth {} is smaller than the content of {} bytes; write depth:{}",
                           content->depth->literal, content->bytes.size(), content->bytes.size());
  }
}

void parse_distance(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr) return;
  const auto other =
      first_of(first_of(start_of(*content), only_of(*content)), absolute_of(*content));
  if (is_refused(content->distance.has_value(), other, builder, argument)) return;
  content->distance = parse_operand(argument.value, -distance_max, distance_max, builder);
  content->is_relative = true;
}

void parse_within(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr) return;
  const auto other =
      first_of(first_of(start_of(*content), only_of(*content)), absolute_of(*content));
  if (is_refused(content->within.has_value(), other, builder, argument)) return;
  content->within = parse_operand(argument.value, -distance_max, distance_max, builder);
  content->is_relative = true;
  const bool is_number = content->within && content->within->variable < 0;
  if (is_number && content->within->literal < static_cast<int64_t>(content->bytes.size())) {
    builder.report().error(argument.value, "within-size",
                           "within {} is smaller than the content of {} bytes; write within:{}",
                           content->within->literal, content->bytes.size(), content->bytes.size());
  }
}

void parse_startswith(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr) return;
  const auto other =
      first_of(first_of(absolute_of(*content), only_of(*content)), relative_of(*content));
  if (is_refused(content->starts_with, other, builder, argument)) return;
  content->starts_with = true;
}

void parse_endswith(Builder& builder, const Keyword&, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content != nullptr) content->ends_with = true;
}

/// `fast_pattern`, `fast_pattern:only`, `fast_pattern:2,5`.
void parse_fast_pattern(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Content* const content = find_content(builder, argument);
  if (content == nullptr || is_refused(content->is_fast_pattern, "", builder, argument)) return;
  if (builder.has_fast_pattern_in_payload()) {
    builder.report().error(argument.name, "fast-pattern",
                           "a second fast_pattern in the rule; keep one of them");
    return;
  }
  content->is_fast_pattern = true;
  if (argument.value.empty()) return;
  if (argument.value.text == "only") {
    content->is_fast_pattern_only = true;
    const auto position = first_of(absolute_of(*content), relative_of(*content));
    const auto other =
        first_of(first_of(position, start_of(*content)), content->is_negated ? "!" : "");
    is_refused(false, other, builder, argument);
    return;
  }
  Word rest = argument.value;
  const auto first = to_number<uint16_t>(rest.take_until(',').text);
  const auto size = to_number<uint16_t>(rest.trimmed().text);
  if (!first || !size || *size == 0) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (*first + *size > static_cast<int>(content->bytes.size())) {
    builder.report().error(argument.value, "fast-pattern",
                           "{},{} is beyond the content of {} bytes; choose a part of it", *first,
                           *size, content->bytes.size());
    return;
  }
  content->fast_pattern_slice = {*first, *size};
}

void parse_rawbytes(Builder& builder, const Keyword&, const Argument& argument) {
  find_content(builder, argument);
}

/// `isdataat:10,relative`. Behind a content `isdataat:!1,relative` is `endswith` (as in Suricata).
void parse_isdataat(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  IsDataAt check;
  check.is_negated = !rest.empty() && rest.text[0] == '!';
  if (check.is_negated) rest = rest.from(1).trimmed();
  const Word position = rest.take_until(',');
  while (!rest.empty()) {
    const Word flag = rest.take_until(',');
    check.is_relative |= flag.text == "relative";
    if (flag.text == "relative" || flag.text == "rawbytes") continue;
    report_value(keyword, flag, builder.report());
    return;
  }
  const auto operand = parse_operand(position, 0, position_max, builder);
  if (!operand) return;
  check.position_bytes = *operand;
  const bool says_no_more =
      check.is_relative && check.is_negated && operand->variable < 0 && operand->literal == 1;
  if (Content* const content = says_no_more ? builder.preceding_content() : nullptr) {
    content->ends_with = true;  // of a negated content too: it may stand elsewhere
  } else if (check.is_relative) {
    builder.add_relative_check(check, argument.name);
  } else {
    builder.add_check(check, argument.name);
  }
}

void parse_bsize(Builder& builder, const Keyword&, const Argument& argument) {
  if (!builder.has_open_buffer()) {
    builder.report().error(
        argument.name, "no-buffer",
        "'bsize' needs a buffer before it; write 'http.uri; bsize:10;', or dsize "
        "for packets");
    return;
  }
  if (const auto comparison = parse_comparison<uint64_t>(argument.value, builder.report())) {
    builder.add_check(BufferSize{*comparison}, argument.name);
  }
}

void parse_absent(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (!builder.has_open_buffer()) {
    builder.report().error(argument.name, "no-buffer",
                           "'absent' needs a buffer before it; write 'http.referer; absent;'");
    return;
  }
  if (!argument.value.empty() && argument.value.text != "or_else") {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add_check(Absent{!argument.value.empty()}, argument.name);
}

void parse_pkt_data(Builder& builder, const Keyword&, const Argument& argument) {
  builder.close_buffer(argument.name);
}

void parse_pcre(Builder& builder, const Keyword&, const Argument& argument) {
  Word text = argument.value;
  const bool has_inner_sign = text.text.starts_with('!');  // old: pcre:"!/…/"
  if (has_inner_sign) text = text.from(1).trimmed();
  auto parsed = parse_pcre_text(text, builder.report());
  if (!parsed) return;
  Pcre& pcre = parsed->pcre;
  pcre.is_negated = argument.is_negated || has_inner_sign;
  if (pcre.is_negated) pcre.captures.clear();
  const auto open = builder.open_field();
  const bool is_body = parsed->field == Field::file_data && open == Field::http_response_body;
  if (parsed->field && open && *open != *parsed->field && !is_body) {
    builder.report().error(argument.value, "pcre-flag",
                           "the flag is for {}, but {} is the current buffer; remove the flag",
                           to_text(*parsed->field), to_text(*open));
    return;
  }
  const bool is_chained = pcre.is_relative && !open && !parsed->field;
  if (pcre.is_relative && !open && !builder.has_anchor()) {
    builder.report().error(argument.value, "no-anchor",
                           "flag R needs a match before it in the same buffer; remove it");
    return;
  }
  if (is_chained) {
    builder.add_relative_check(std::move(pcre), argument.name);
    return;
  }
  builder.add_check(std::move(pcre), argument.name);
  if (parsed->field && !open) builder.move_last_check(*parsed->field, argument.name);
}

/// `base64_decode:bytes 10, offset 2, relative`.
void parse_base64_decode(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Base64Decode check;
  for (Word rest = argument.value; !rest.empty();) {
    const Word entry = rest.take_until(',');
    uint32_t* target = nullptr;
    size_t name_size = 0;
    if (entry.text.starts_with("bytes")) {
      target = &check.bytes;
      name_size = 5;
    } else if (entry.text.starts_with("offset")) {
      target = &check.offset;
      name_size = 6;
    }
    if (target == nullptr) {
      check.is_relative |= entry.text == "relative";
      if (entry.text == "relative") continue;
      report_value(keyword, entry, builder.report());
      return;
    }
    const auto number =
        parse_number(entry.from(name_size).trimmed(), 0, position_max, builder.report());
    if (!number) return;
    *target = static_cast<uint32_t>(*number);
  }
  builder.set_decodes_base64();
  if (check.is_relative) {
    builder.add_relative_check(check, argument.name);
  } else {
    builder.add_check(check, argument.name);
  }
}

void parse_base64_data(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (!builder.decodes_base64()) {
    builder.report().error(
        argument.name, "no-buffer",
        "'base64_data' needs base64_decode before it; write 'base64_decode:bytes "
        "100, offset 0, relative; base64_data;'");
    return;
  }
  builder.open_buffer(keyword.field, argument.name);
}

void parse_asn1(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Asn1 check;
  for (Word rest = argument.value; !rest.empty();) {
    Word entry = rest.take_until(',');
    Word number =
        entry.from(std::min(entry.text.find_first_of(" \t"), entry.text.size())).trimmed();
    const std::string_view name = entry.part(0, entry.text.find_first_of(" \t")).text;
    const auto value = to_number<int32_t>(number.text);
    if (name == "bitstring_overflow" || name == "double_overflow") {
      (name[0] == 'b' ? check.bitstring_overflow : check.double_overflow) = true;
    } else if (name == "oversize_length" && value && *value >= 0) {
      check.oversize_length = static_cast<uint32_t>(*value);
    } else if (name == "absolute_offset" && value && *value >= 0) {
      check.absolute_offset = static_cast<uint32_t>(*value);
    } else if (name == "relative_offset" && value) {
      check.relative_offset = *value;
    } else {
      report_value(keyword, entry, builder.report());
      return;
    }
  }
  builder.add_check_to_payload(check, argument.name);
}

void parse_rpc(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word program = rest.take_until(',');
  const Word version = rest.take_until(',');
  const Word procedure = rest.trimmed();
  Rpc check;
  const auto number = to_number<uint32_t>(program.text);
  const auto read = [](const Word& word, std::optional<uint32_t>& target) {
    if (word.empty() || word.text == "*") return true;
    target = to_number<uint32_t>(word.text);
    return target.has_value();
  };
  if (!number || !read(version, check.version) || !read(procedure, check.procedure)) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  check.program = *number;
  builder.add_check_to_payload(check, argument.name);
}

void parse_ftpbounce(Builder& builder, const Keyword& keyword, const Argument& argument) {
  add_field_numbers(builder, keyword, argument, {.any_of = {{Comparison::Operator::equal, 1, 0}}});
}

/// `entropy: bytes 0, offset 0, value >= 4.5`: the comparison is of numbers with fractions.
void parse_entropy(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Entropy check{};
  bool has_value = false;
  for (Word rest = argument.value; !rest.empty();) {
    const Word entry = rest.take_until(',');
    const auto number_behind = [&](size_t size) {
      return to_number<uint32_t>(entry.from(size).trimmed().text);
    };
    std::optional<uint32_t> number;
    if (entry.text.starts_with("bytes") && (number = number_behind(5))) {
      check.bytes = *number;
    } else if (entry.text.starts_with("offset") && (number = number_behind(6))) {
      check.offset = *number;
    } else if (const bool is_named = entry.text.starts_with("value");
               parse_fraction_comparison(entry.from(is_named ? 5 : 0).trimmed().text, check)) {
      has_value = true;
    } else {
      report_value(keyword, entry, builder.report());
      return;
    }
  }
  if (!has_value) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add_check(check, argument.name);
}

/// Frames wait for the protocols that cut them; the name is kept in the rule's text only.
void parse_frame(Builder& builder, const Keyword& keyword, const Argument& argument) {
  builder.open_buffer(keyword.field, argument.name);
}

using enum ArgumentNeed;
using namespace trait;

constexpr Keyword rows[] = {
    {"content", "", required, "[!]\"<bytes, |hex|>\"",
     "Bytes that must be there, or with '!' must not.", parse_content, must_be_quoted | negatable},
    {"uricontent", "", required, "[!]\"<bytes, |hex|>\"", "Old form of a content in http.uri.",
     parse_uricontent, must_be_quoted | negatable, Field::http_uri},
    {"nocase", "", none, "", "The content matches in upper and lower case.", parse_nocase,
     modifier},
    {"offset", "", required, "<n or variable>",
     "First byte of the buffer at which the content may begin.", parse_offset, modifier},
    {"depth", "", required, "<n or variable>",
     "Bytes from offset on within which the content must lie.", parse_depth, modifier},
    {"distance", "", required, "<n or variable>",
     "Least distance of the content from the match before it.", parse_distance, modifier},
    {"within", "", required, "<n or variable>",
     "Bytes behind the match before it within which the content must end.", parse_within, modifier},
    {"startswith", "", none, "", "The content is at the beginning of the buffer.", parse_startswith,
     modifier},
    {"endswith", "", none, "", "The content is at the end of the buffer.", parse_endswith,
     modifier},
    {"rawbytes", "", none, "", "Accepted for rules of other engines.", parse_rawbytes,
     modifier | no_effect},
    {"fast_pattern", "", optional, "only or <offset>,<length>",
     "The content, or a part of it, decides whether the rule is looked at.", parse_fast_pattern,
     modifier},
    {"replace", "", required, "\"<bytes>\"",
     "Other bytes for the content where packets are forwarded.", parse_nothing,
     modifier | no_effect | must_be_quoted | after_match | ip_only},
    {"pcre", "", required, "[!]\"/<expression>/<flags>[,<captures>]\"", "A regular expression.",
     parse_pcre, may_be_quoted | negatable},
    {"isdataat", "", required, "[!]<n or variable>[,relative]",
     "Whether the buffer has a byte there.", parse_isdataat, may_be_quoted},
    {"byte_test", "", required,
     "<n>,[!]<op>,<value>,<offset>[,relative][,big|little|dce][,string,hex|dec|oct][,bitmask <n>]",
     "Compares a number in the buffer.", parse_byte_test},
    {"byte_jump", "", required,
     "<n>,<offset>[,relative][,multiplier <n>][,big|little|dce][,string,hex|dec|oct][,align]"
     "[,from_beginning][,from_end][,post_offset <n>][,bitmask <n>]",
     "Moves the cursor by a number in the buffer.", parse_byte_jump},
    {"byte_extract", "", required,
     "<n>,<offset>,<variable>[,relative][,multiplier <n>][,big|little|dce][,string,hex|dec|oct]"
     "[,align 2|4]",
     "Puts a number of the buffer into a variable.", parse_byte_extract},
    {"byte_math", "", required,
     "bytes <n>, offset <n>, oper +|-|*|/|<<|>>, rvalue <n>, result <variable>[, relative]"
     "[, endian big|little][, dce][, string hex|dec|oct][, bitmask <n>]",
     "Calculates with a number of the buffer.", parse_byte_math},
    {"bsize", "", required, "<n>|<<n>|><n>|<n><><n>", "Compares the size of the buffer.",
     parse_bsize},
    {"absent", "", optional, "or_else", "True where the buffer is not there.", parse_absent},
    {"pkt_data", "", none, "", "What follows looks into the payload again.", parse_pkt_data, sticky,
     Field::payload},
    {"base64_decode", "", optional, "bytes <n>, offset <n>, relative",
     "Decodes base64 for base64_data.", parse_base64_decode},
    {"base64_data", "", none, "", "Buffer of what base64_decode decoded.", parse_base64_data,
     sticky, Field::base64_data},
    {"asn1", "", required,
     "bitstring_overflow, double_overflow, oversize_length <n>, absolute_offset <n>, "
     "relative_offset <n>",
     "Finds malformed ASN.1.", parse_asn1, packet_match},
    {"rpc", "", required, "<program>[,<version or *>[,<procedure or *>]]",
     "Compares a call of ONC RPC.", parse_rpc, packet_match | needs_packet},
    {"ftpbounce", "", none, "", "True where FTP's PORT names another host.", parse_ftpbounce, 0,
     Field::ftpbounce},
    {"entropy", "", required, "[bytes <n>,] [offset <n>,] value <op> <n>",
     "Compares the entropy of the buffer's bytes.", parse_entropy},
    {"frame", "", required, "<protocol>.<frame>", "Buffer of a protocol's unit.", parse_frame,
     sticky, Field::frame},
};

}  // namespace

std::span<const Keyword> payload_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
