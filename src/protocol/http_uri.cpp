#include "http_uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http_text.h"

namespace shrike::protocol::http {

namespace {

constexpr size_t npos = std::string_view::npos;
constexpr size_t host_bytes_max = 255;  // RFC 1035, section 2.3.4
constexpr size_t label_bytes_max = 63;  // RFC 1035, section 2.3.4
constexpr uint8_t replacement = '?';    // where no single byte stands for a character

/// The bytes before the first of `stops`.
Bytes until_any(Bytes text, std::string_view stops) noexcept {
  const size_t at = as_text(text).find_first_of(stops);
  return at == npos ? text : text.first(at);
}

Bytes without_blanks_before(Bytes text) noexcept {
  while (!text.empty() && text.front() == ' ') {
    text = text.subspan(1);
  }
  return text;
}

Bytes without_blanks_behind(Bytes text) noexcept {
  while (!text.empty() && text.back() == ' ') {
    text = text.first(text.size() - 1);
  }
  return text;
}

/// Takes a host from the front, which a path (or nothing) cannot be. @return whether there is one.
bool take_host(Bytes& text, Bytes& host) noexcept {
  Bytes rest = text;
  if (as_text(rest).starts_with("//")) {
    rest = rest.subspan(2);
  }
  if (!rest.empty() && rest.front() == '/') {
    return false;
  }
  rest = without_blanks_before(rest);
  size_t bytes = 0;
  if (!rest.empty() && rest.front() == '[') {
    const Bytes address = until_any(rest.subspan(1), "/?#]");
    bytes = address.empty() ? 0 : 1 + address.size();
    if (bytes != 0 && bytes < rest.size() && rest[bytes] == ']') {
      ++bytes;
    }
  }
  if (bytes == 0) {
    bytes = until_any(rest, "/?#:").size();
  }
  if (bytes == 0) {
    return false;
  }
  host = without_blanks_behind(rest.first(bytes));
  text = rest.subspan(bytes);
  return true;
}

/// Takes ":port" from the front.
bool take_port(Bytes& text, Bytes& port) noexcept {
  if (text.empty() || text.front() != ':') {
    return false;
  }
  const Bytes rest = without_blanks_before(text.subspan(1));
  const Bytes digits = until_any(rest, "/?#");
  const Bytes first_word = until_any(digits, " ");
  if (digits.empty() || first_word.empty()) {
    return false;
  }
  port = first_word;
  text = without_blanks_before(rest.subspan(digits.size()));
  return true;
}

int hex_byte(Bytes text) noexcept {
  if (text.size() < 2) {
    return -1;
  }
  const int high = hex_digit(text[0]);
  const int low = hex_digit(text[1]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/// The single byte that comes nearest to a character.
uint8_t best_fit(uint32_t character) noexcept {
  if (character < 0x100) {
    return static_cast<uint8_t>(character);
  }
  if (character >= 0xff01 && character <= 0xff5e) {  // full-width forms of ASCII
    return static_cast<uint8_t>(character - 0xfee0);
  }
  return replacement;
}

/// Decodes one %-sequence at the front ('%' itself is there). @return its bytes; 1 where it is none
/// and stays as it is.
size_t decode_percent(Bytes text, uint8_t& out) noexcept {
  out = '%';
  if (text.size() < 2) {
    return 1;
  }
  if (to_lower(text[1]) == 'u') {
    const int high = hex_byte(text.subspan(2));
    const int low = text.size() < 6 ? -1 : hex_byte(text.subspan(4));
    if (high < 0 || low < 0) {
      return 1;
    }
    out = best_fit(static_cast<uint32_t>(high << 8 | low));
    return 6;
  }
  const int byte = hex_byte(text.subspan(1));
  if (byte < 0) {
    return 1;
  }
  out = static_cast<uint8_t>(byte);
  return 3;
}

/// Decoded, '\' turned into '/', and of several '/' one kept.
void decode_path(Bytes path, PoolBytes& out) {
  for (size_t at = 0; at < path.size();) {
    uint8_t byte = path[at];
    at += byte == '%' ? decode_percent(path.subspan(at), byte) : 1;
    byte = byte == '\\' ? '/' : byte;
    if (byte != '/' || out.empty() || out.back() != '/') {
      out.push_back(byte);
    }
  }
}

/// How many bytes the UTF-8 sequence with this first byte has; 0: none starts so. Overlong forms
/// are read on purpose.
size_t sequence_bytes(uint8_t first) noexcept {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc0 && first < 0xe0) {
    return 2;
  }
  if (first >= 0xe0 && first < 0xf0) {
    return 3;
  }
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// UTF-8 to single bytes, in place (the result is never longer).
void fold_utf8(PoolBytes& text) {
  size_t to = 0;
  for (size_t from = 0; from < text.size();) {
    const size_t bytes = sequence_bytes(text[from]);
    if (bytes == 1) {
      text[to++] = text[from++];
      continue;
    }
    if (bytes == 0) {
      text[to++] = replacement;
      ++from;
      continue;
    }
    uint32_t character = text[from] & (0xffu >> (bytes + 1));
    size_t taken = 1;
    while (taken < bytes && from + taken < text.size() && (text[from + taken] & 0xc0) == 0x80) {
      character = character << 6 | (text[from + taken] & 0x3fu);
      ++taken;
    }
    if (taken == bytes) {
      text[to++] = best_fit(character);
    } else if (from + taken < text.size()) {
      text[to++] = replacement;
    }
    from += taken;
  }
  text.resize(to);
}

/// Drops the last segment of what was written.
void drop_segment(PoolBytes& out) {
  while (!out.empty() && out.back() != '/') {
    out.pop_back();
  }
  if (!out.empty()) {
    out.pop_back();
  }
}

/// "." and ".." segments taken out: RFC 3986, section 5.2.4, as libhtp does it (a slash behind the
/// last of them goes too).
void remove_dot_segments(PoolBytes& path) {
  PoolBytes out(path.get_allocator());
  out.reserve(path.size());
  size_t at = 0;
  bool follows_dots = false;
  bool is_at_start = true;
  while (at < path.size()) {
    const bool has_slash = path[at] == '/';
    const size_t name_at = at + (has_slash ? 1 : 0);
    size_t end = name_at;
    while (end < path.size() && path[end] != '/') {
      ++end;
    }
    const std::string_view name = as_text(Bytes(path).subspan(name_at, end - name_at));
    const bool is_dot = name == ".";
    const bool is_dots = name == "..";
    if (is_at_start && !has_slash && (is_dot || is_dots)) {
      at = std::min(end + 1, path.size());
      continue;
    }
    is_at_start = false;
    if (is_dot || is_dots) {
      if (is_dots) {
        drop_segment(out);
      }
      follows_dots = true;
    } else if (!(name.empty() && follows_dots)) {
      if (has_slash) {
        out.push_back('/');
      }
      out.insert(out.end(), name.begin(), name.end());
      follows_dots = false;
    }
    at = end;
  }
  path.swap(out);
}

}  // namespace

uint16_t port_number(Bytes text) noexcept {
  uint32_t port = 0;
  for (const uint8_t byte : text) {
    if (byte < '0' || byte > '9' || port > 65535) {
      return 0;
    }
    port = port * 10 + (byte - '0');
  }
  return port > 65535 ? 0 : static_cast<uint16_t>(port);
}

UriParts split_uri(Bytes uri) noexcept {
  UriParts parts;
  Bytes rest = uri;
  const size_t colon = as_text(rest).find(':');
  if (!rest.empty() && rest.front() != '/' && colon != npos) {
    parts.scheme = {rest.first(colon), true};
    rest = rest.subspan(colon + 1);
    const bool is_authority =
        as_text(rest).starts_with("//") && !(rest.size() > 2 && rest[2] == '/');
    const size_t at_sign = as_text(rest).find('@');
    if (is_authority && at_sign != npos) {
      parts.user_info = {rest.subspan(2, at_sign - 2), true};
      rest = rest.subspan(at_sign + 1);
    }
    if (take_host(rest, parts.host.text)) {
      parts.host.exists = true;
      parts.port.exists = take_port(rest, parts.port.text);
    }
  }
  const Bytes path = until_any(rest, "#?");
  parts.path = {path, !path.empty()};
  rest = rest.subspan(path.size());
  if (!rest.empty() && rest.front() == '?') {
    const Bytes query = until_any(rest.subspan(1), "#");
    parts.query = {query, true};
    rest = rest.subspan(1 + query.size());
  }
  if (!rest.empty() && rest.front() == '#') {
    parts.fragment = {rest.subspan(1), true};
  }
  return parts;
}

bool is_valid_host(Bytes host) noexcept {
  if (host.empty() || host.size() > host_bytes_max) {
    return false;
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    std::array<char, host_bytes_max + 1> text{};
    std::memcpy(text.data(), host.data() + 1, host.size() - 2);
    in6_addr address{};
    return inet_pton(AF_INET6, text.data(), &address) == 1;
  }
  if (host.front() == '.' || as_text(host).find("..") != npos) {
    return false;
  }
  size_t label_bytes = 0;
  for (const uint8_t byte : host) {
    if (byte == '.') {
      label_bytes = 0;
      continue;
    }
    const uint8_t lower = to_lower(byte);
    // Latin-1 letters pass as well: libhtp asks for characters, not for ASCII.
    const bool is_letter = (lower >= 'a' && lower <= 'z') || byte == 0xaa || byte == 0xb5 ||
                           byte == 0xba || (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7) ||
                           byte == 0xb2 || byte == 0xb3 || (byte >= 0xb9 && byte <= 0xbe);
    const bool is_digit = byte >= '0' && byte <= '9';
    if ((!is_letter && !is_digit && byte != '-' && byte != '_') ||
        ++label_bytes > label_bytes_max) {
      return false;
    }
  }
  return true;
}

Authority split_authority(Bytes text) noexcept {
  Authority authority;
  Bytes rest = text;
  if (!take_host(rest, authority.host)) {
    return authority;
  }
  authority.exists = true;
  authority.is_valid = is_valid_host(authority.host);
  Bytes port;
  if (take_port(rest, port)) {
    authority.has_port = true;
    authority.port = port_number(port);
    authority.is_valid = authority.is_valid && authority.port != 0;
  } else if (!rest.empty()) {
    authority.is_valid = false;
  }
  return authority;
}

void normalize_path(Bytes path, PoolBytes& out) {
  out.clear();
  out.reserve(path.size());
  decode_path(path, out);
  fold_utf8(out);
  remove_dot_segments(out);
}

void decode_uri_part(Bytes text, bool plus_is_space, PoolBytes& out) {
  for (size_t at = 0; at < text.size();) {
    uint8_t byte = text[at];
    if (byte == '%') {
      at += decode_percent(text.subspan(at), byte);
    } else {
      byte = byte == '+' && plus_is_space ? ' ' : byte;
      ++at;
    }
    out.push_back(byte);
  }
}

void normalize_host(Bytes host, PoolBytes& out) {
  out.clear();
  decode_uri_part(host, false, out);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  while (!out.empty() && out.back() == '.') {
    out.pop_back();
  }
}

bool normalize_uri(const UriParts& parts, const HttpOptions& options, Pool& pool, PoolBytes& path,
                   PoolBytes& out) {
  bool is_double = false;
  const auto add_twice = [&](Bytes once) {
    PoolBytes twice(pool);
    decode_uri_part(once, options.query_plus_is_space, twice);
    is_double = is_double || twice.size() < once.size();
    out.insert(out.end(), twice.begin(), twice.end());
  };
  path.clear();
  out.clear();
  if (parts.path.exists) {
    normalize_path(parts.path.text, path);
    if (options.double_decode_path) {
      add_twice(path);
    } else {
      out.insert(out.end(), path.begin(), path.end());
    }
  }
  if (parts.query.exists) {
    out.push_back('?');
    if (options.double_decode_query) {
      PoolBytes once(pool);
      decode_uri_part(parts.query.text, options.query_plus_is_space, once);
      add_twice(once);
    } else {
      decode_uri_part(parts.query.text, options.query_plus_is_space, out);
    }
  }
  if (parts.fragment.exists) {
    out.push_back('#');
    decode_uri_part(parts.fragment.text, options.query_plus_is_space, out);
  }
  return is_double;
}

}  // namespace shrike::protocol::http
