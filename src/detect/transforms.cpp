#include "transforms.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "buffer_checks.h"
#include "domains.h"
#include "shrike/base/check.h"
#include "shrike/base/digest.h"

namespace shrike::detect {

namespace {

/// What gunzip and zlib_deflate give at most where the rule says nothing (Suricata: max-size).
constexpr uint32_t inflated_bytes_default = 1024;
constexpr int gzip_window_bits = 15 + 16;
constexpr int zlib_window_bits = 15;

bool is_space(uint8_t byte) noexcept {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

uint8_t lower(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte | 0x20) : byte;
}

uint8_t upper(uint8_t byte) noexcept {
  return byte >= 'a' && byte <= 'z' ? static_cast<uint8_t>(byte & ~0x20) : byte;
}

int hex_digit(uint8_t byte) noexcept {
  const uint8_t small = lower(byte);
  return small >= '0' && small <= '9'   ? small - '0'
         : small >= 'a' && small <= 'f' ? small - 87
                                        : -1;
}

/// Each byte as `change(byte)`.
template <typename Change>
Bytes mapped(Bytes value, ByteScratch& scratch, Change&& change) noexcept {
  uint8_t* const out = scratch.take(value.size());
  if (out == nullptr) {
    return value;
  }
  std::transform(value.begin(), value.end(), out, change);
  return {out, value.size()};
}

Bytes dot_prefixed(Bytes value, ByteScratch& scratch) noexcept {
  uint8_t* const out = value.empty() ? nullptr : scratch.take(value.size() + 1);
  if (out == nullptr) {
    return value;
  }
  out[0] = '.';
  std::memcpy(out + 1, value.data(), value.size());
  return {out, value.size() + 1};
}

/// Without white space, or with one of each run of it.
Bytes despaced(Bytes value, ByteScratch& scratch, bool keeps_one) noexcept {
  uint8_t* const out = scratch.take(value.size());
  if (out == nullptr) {
    return value;
  }
  size_t written = 0;
  bool after_space = false;
  for (const uint8_t byte : value) {
    const bool is_white = is_space(byte);
    if (!is_white || (keeps_one && !after_space)) {
      out[written++] = byte;
    }
    after_space = is_white;
  }
  return {out, written};
}

Bytes url_decoded(Bytes value, ByteScratch& scratch) noexcept {
  uint8_t* const out = scratch.take(value.size());
  if (out == nullptr) {
    return value;
  }
  size_t written = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const bool may_be_code = value[i] == '%' && i + 2 < value.size();
    const int high = may_be_code ? hex_digit(value[i + 1]) : -1;
    const int low = may_be_code ? hex_digit(value[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out[written++] = static_cast<uint8_t>(high << 4 | low);
      i += 2;
    } else {
      out[written++] = value[i] == '+' ? ' ' : value[i];
    }
  }
  return {out, written};
}

Bytes keyed(Bytes value, ByteScratch& scratch, const std::vector<uint8_t>& key) noexcept {
  if (key.empty()) {
    return value;
  }
  size_t at = 0;
  return mapped(value, scratch, [&](uint8_t byte) {
    const uint8_t mixed = byte ^ key[at];
    at = at + 1 == key.size() ? 0 : at + 1;
    return mixed;
  });
}

/// Names of "Name: value" lines in lower case.
Bytes with_small_names(Bytes value, ByteScratch& scratch) noexcept {
  bool in_name = true;
  return mapped(value, scratch, [&](uint8_t byte) {
    const uint8_t made = in_name ? lower(byte) : byte;
    in_name = byte == '\n' || (in_name && byte != ':');
    return made;
  });
}

/// Without the lines that begin with a colon (HTTP/2 pseudo headers).
Bytes without_pseudo_headers(Bytes value, ByteScratch& scratch) noexcept {
  uint8_t* const out = scratch.take(value.size());
  if (out == nullptr) {
    return value;
  }
  size_t written = 0;
  bool is_kept = true;
  bool at_start = true;
  for (const uint8_t byte : value) {
    is_kept = at_start ? byte != ':' : is_kept;
    at_start = byte == '\n';
    if (is_kept) {
      out[written++] = byte;
    }
  }
  return {out, written};
}

constexpr uint8_t base64_loose = 0;   ///< RFC 2045: foreign bytes are skipped
constexpr uint8_t base64_strict = 2;  ///< all of it must be Base64

bool is_base64(uint8_t byte) noexcept {
  const uint8_t small = lower(byte);
  return (small >= 'a' && small <= 'z') || (byte >= '0' && byte <= '9') || byte == '+' ||
         byte == '/';
}

/// Nothing where it does not decode: then the value stays.
Bytes base64_of(const TransformStep& step, Bytes value, ByteScratch& scratch) noexcept {
  if (step.offset > value.size() || (step.bytes != 0 && step.bytes > value.size() - step.offset)) {
    return value;
  }
  Bytes text =
      value.subspan(step.offset, step.bytes != 0 ? step.bytes : value.size() - step.offset);
  uint8_t* const kept = scratch.take(text.size());
  uint8_t* const out = scratch.take(text.size());
  if (kept == nullptr || out == nullptr) {
    return value;
  }
  if (step.mode == base64_loose) {
    const auto* const end = std::copy_if(text.begin(), text.end(), kept, is_base64);
    text = {kept, static_cast<size_t>(end - kept)};
  } else if (step.mode == base64_strict) {
    const auto foreign = std::find_if_not(text.begin(), text.end(), is_base64);
    const auto padding =
        std::find_if(foreign, text.end(), [](uint8_t byte) { return byte != '='; });
    if (padding != text.end() || text.size() % 4 != 0) {
      return value;
    }
  }
  const size_t decoded = base64_decoded(text, {out, text.size()});
  return decoded == 0 ? value : Bytes{out, decoded};
}

std::unique_ptr<z_stream> new_stream(int window_bits) {
  auto stream = std::make_unique<z_stream>();
  check(inflateInit2(stream.get(), window_bits) == Z_OK, "memory for inflating");
  return stream;
}

Bytes digest_of(Digest::Kind kind, Bytes value, ByteScratch& scratch) noexcept {
  uint8_t* const out = scratch.take(Digest::bytes_max);
  if (out == nullptr) {
    return value;
  }
  Digest digest(kind);
  digest.update(value);
  const Bytes made = digest.finish();
  std::memcpy(out, made.data(), made.size());
  return {out, made.size()};
}

}  // namespace

void Transformer::Free::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

Transformer::Transformer(uint32_t pcre_match_limit, uint32_t pcre_recursion_limit)
    : pcre_(pcre_match_limit, pcre_recursion_limit),
      gzip_(new_stream(gzip_window_bits).release()),
      zlib_(new_stream(zlib_window_bits).release()) {}

Transformer::~Transformer() = default;

Bytes Transformer::apply(const RuleTables& tables, const std::vector<TransformStep>& list,
                         Bytes value, ByteScratch& scratch) noexcept {
  for (const TransformStep& step : list) {
    value = apply_step(tables, step, value, scratch);
  }
  return value;
}

Bytes Transformer::apply_step(const RuleTables& tables, const TransformStep& step, Bytes value,
                              ByteScratch& scratch) noexcept {
  using Kind = TransformStep::Kind;
  switch (step.kind) {
    case Kind::dotprefix:
      return dot_prefixed(value, scratch);
    case Kind::domain:
      return domain_part(value, DomainPart::registered, scratch);
    case Kind::tld:
      return domain_part(value, DomainPart::suffix, scratch);
    case Kind::strip_whitespace:
      return despaced(value, scratch, false);
    case Kind::compress_whitespace:
      return despaced(value, scratch, true);
    case Kind::to_lowercase:
      return mapped(value, scratch, lower);
    case Kind::to_uppercase:
      return mapped(value, scratch, upper);
    case Kind::to_md5:
      return digest_of(Digest::Kind::md5, value, scratch);
    case Kind::to_sha1:
      return digest_of(Digest::Kind::sha1, value, scratch);
    case Kind::to_sha256:
      return digest_of(Digest::Kind::sha256, value, scratch);
    case Kind::pcrexform:
      return step.pcre == no_index ? value : match(tables.pcres[step.pcre], value);
    case Kind::url_decode:
      return url_decoded(value, scratch);
    case Kind::xor_key:
      return keyed(value, scratch, step.key);
    case Kind::header_lowercase:
      return with_small_names(value, scratch);
    case Kind::strip_pseudo_headers:
      return without_pseudo_headers(value, scratch);
    case Kind::from_base64:
      return base64_of(step, value, scratch);
    case Kind::gunzip:
      return inflate(*gzip_, step.bytes, value, scratch);
    case Kind::zlib_deflate:
      return inflate(*zlib_, step.bytes, value, scratch);
  }
  return value;
}

/// The first group, where the expression matches.
Bytes Transformer::match(const PcreCode& code, Bytes value) noexcept {
  if (pcre_.run(code, value, 0) != PcreRunner::Outcome::match) {
    return value;
  }
  const auto group = pcre_.group(1);
  return group ? value.subspan(group->first, group->last - group->first) : value;
}

Bytes Transformer::inflate(z_stream_s& stream, uint32_t bytes_max, Bytes value,
                           ByteScratch& scratch) noexcept {
  const uint32_t room = bytes_max != 0 ? bytes_max : inflated_bytes_default;
  uint8_t* const out = value.empty() ? nullptr : scratch.take(room);
  if (out == nullptr || inflateReset(&stream) != Z_OK) {
    return value;
  }
  stream.next_in = const_cast<uint8_t*>(value.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(value.size());
  stream.next_out = out;
  stream.avail_out = room;
  const int result = ::inflate(&stream, Z_SYNC_FLUSH);
  const bool is_sound = result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
  return is_sound ? Bytes{out, room - stream.avail_out} : value;
}

}  // namespace shrike::detect
