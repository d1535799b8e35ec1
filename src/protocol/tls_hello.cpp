#include "tls_hello.h"

#include <algorithm>
#include <array>

#include "digest_text.h"

namespace shrike::protocol {

namespace tls_version {

bool is_draft(uint16_t version) noexcept {
  // Drafts 16 to 28, and the numbers that Facebook used for some.
  return version == before_draft16 || (version >= 0x7f10 && version <= 0x7f1c) ||
         (version >= 0xfb14 && version <= 0xfb17) || version == 0xfb1a;
}

bool is_valid(uint16_t version) noexcept {
  return (version >= ssl3 && version <= tls13) || is_draft(version);
}

}  // namespace tls_version

namespace {

namespace extension {
constexpr uint16_t server_name = 0;
constexpr uint16_t supported_groups = 10;
constexpr uint16_t point_formats = 11;
constexpr uint16_t signature_algorithms = 13;
constexpr uint16_t alpn = 16;
constexpr uint16_t session_ticket = 35;
constexpr uint16_t early_data = 42;
constexpr uint16_t supported_versions = 43;
}  // namespace extension

constexpr size_t random_bytes = 32;
constexpr size_t sni_bytes_max = 255;  ///< of a domain name

/// RFC 8701: values that only test whether servers ignore what they do not know.
constexpr bool is_grease(uint16_t value) noexcept {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/// What stands for any of them where extensions keep them, as in Suricata.
constexpr uint16_t grease_extension = 0xfafa;

/// What reading one extension says about the rest.
enum class Outcome : uint8_t {
  fine,
  enough,  ///< wrong, but the hello counts up to here
  broken,
};

Outcome length_fault(Hello& hello, Outcome outcome) noexcept {
  hello.faults |= hello_fault::length;
  return outcome;
}

Outcome read_server_name(ByteReader reader, Hello& hello) {
  reader.skip(2);
  const uint8_t type = reader.u8();
  if (reader.failed()) {
    return length_fault(hello, Outcome::enough);
  }
  if (type != 0) {
    hello.faults |= hello_fault::sni_type;
    return Outcome::enough;
  }
  const uint16_t length = reader.big16();
  if (reader.failed()) {
    return length_fault(hello, Outcome::enough);
  }
  const Bytes name = reader.take(length);
  if (name.empty() || name.size() > sni_bytes_max) {
    hello.faults |= hello_fault::sni_length;
    return Outcome::enough;
  }
  if (hello.has_sni) {
    hello.faults |= hello_fault::several_sni;
    return Outcome::fine;
  }
  hello.has_sni = true;
  hello.sni = name;
  return Outcome::fine;
}

Outcome read_groups(ByteReader reader, Hello& hello) {
  const uint16_t length = reader.big16();
  if (reader.failed() || length > reader.left()) {
    return length_fault(hello, Outcome::broken);
  }
  if (!hello.is_client) {
    return Outcome::fine;
  }
  for (size_t done = 0; done < length; done += 2) {
    const uint16_t group = reader.big16();
    if (reader.failed()) {
      return length_fault(hello, Outcome::broken);
    }
    if (hello.keeps_grease || !is_grease(group)) {
      hello.curves.push_back(group);
    }
  }
  return Outcome::fine;
}

Outcome read_point_formats(ByteReader reader, Hello& hello) {
  const uint8_t length = reader.u8();
  const Bytes formats = reader.take(length);
  if (reader.failed()) {
    return length_fault(hello, Outcome::broken);
  }
  hello.point_formats = formats;
  return Outcome::fine;
}

Outcome read_signature_algorithms(ByteReader reader, Hello& hello) {
  const uint16_t length = reader.big16();
  if (reader.failed() || length % 2 != 0 || length > reader.left()) {
    return length_fault(hello, Outcome::enough);
  }
  for (size_t done = 0; done < length && hello.is_client; done += 2) {
    hello.signature_algorithms.push_back(reader.big16());
  }
  return Outcome::fine;
}

Outcome read_alpn(ByteReader reader, Hello& hello) {
  const uint16_t length = reader.big16();
  if (reader.failed() || length > reader.left()) {
    return length_fault(hello, Outcome::enough);
  }
  const Bytes all = reader.rest();
  for (size_t done = 0; done < length;) {
    const size_t name_bytes = all[done++];
    if (name_bytes > all.size() - done) {
      return length_fault(hello, Outcome::enough);
    }
    if (name_bytes > length - done) {
      break;
    }
    hello.alpns.push_back(all.subspan(done, name_bytes));
    done += name_bytes;
  }
  return Outcome::fine;
}

void see_version(uint16_t version, Hello& hello) noexcept {
  hello.version = version;
  hello.highest_version = std::max(hello.highest_version, version);
}

Outcome read_client_versions(ByteReader reader, Hello& hello) {
  const uint8_t length = reader.u8();
  ByteReader versions(reader.take(length));
  if (reader.failed() || length < 2) {
    return length_fault(hello, Outcome::enough);
  }
  while (versions.left() >= 2) {
    const uint16_t version = versions.big16();
    if (tls_version::is_valid(version)) {
      see_version(version, hello);
      break;
    }
  }
  hello.has_supported_versions = true;
  return Outcome::fine;
}

Outcome read_supported_versions(ByteReader reader, Hello& hello) {
  if (hello.is_client) {
    return read_client_versions(reader, hello);
  }
  const uint16_t version = reader.big16();
  if (reader.failed()) {
    return length_fault(hello, Outcome::enough);
  }
  if (hello.knows_versions && version > tls_version::tls12) {
    hello.needs_no_certificate = true;
  }
  hello.version = version;
  return Outcome::fine;
}

Outcome read_extension(uint16_t type, Bytes body, Hello& hello) {
  if (type == extension::early_data) {
    hello.has_early_data = hello.is_client;
  } else if (type == extension::session_ticket) {
    hello.has_session_ticket = hello.is_client;
  }
  if (body.empty()) {
    return Outcome::fine;
  }
  const ByteReader reader(body);
  switch (type) {
    case extension::server_name:
      return read_server_name(reader, hello);
    case extension::supported_groups:
      return read_groups(reader, hello);
    case extension::point_formats:
      return read_point_formats(reader, hello);
    case extension::signature_algorithms:
      return read_signature_algorithms(reader, hello);
    case extension::alpn:
      return read_alpn(reader, hello);
    case extension::supported_versions:
      return read_supported_versions(reader, hello);
    default:
      return Outcome::fine;
  }
}

/// @return whether the hello counts.
bool read_extensions(ByteReader& reader, Hello& hello) {
  if (reader.left() < 2) {
    return true;  // extensions are optional
  }
  const uint16_t length = reader.big16();
  if (length > reader.left()) {
    return length_fault(hello, Outcome::broken) != Outcome::broken;
  }
  ByteReader extensions(reader.take(length));
  while (extensions.left() > 0) {
    const uint16_t type = extensions.big16();
    const uint16_t body_bytes = extensions.big16();
    const Bytes body = extensions.take(body_bytes);
    if (extensions.failed()) {
      return length_fault(hello, Outcome::broken) != Outcome::broken;
    }
    const Outcome outcome = read_extension(type, body, hello);
    if (outcome != Outcome::fine) {
      return outcome == Outcome::enough;
    }
    if (hello.keeps_grease || !is_grease(type)) {
      hello.extensions.push_back(is_grease(type) ? grease_extension : type);
      hello.has_sni_extension |= type == extension::server_name;
    }
  }
  return true;
}

bool read_version(ByteReader& reader, Hello& hello) {
  hello.legacy_version = reader.big16();
  if (reader.failed()) {
    return false;
  }
  const uint16_t version = hello.legacy_version;
  see_version(version, hello);
  // Drafts of TLS 1.3 up to 21 said it here, with or without a number of their own.
  if (!hello.is_client && (version == tls_version::tls13 || version >> 8 == 0x7f)) {
    hello.needs_no_certificate = true;
    hello.omits_session = true;
  }
  if ((version >= 0x7f01 && version < 0x7f10) || version == tls_version::tls13) {
    hello.version = tls_version::before_draft16;
  }
  return true;
}

bool read_ciphers(ByteReader& reader, Hello& hello) {
  const size_t length = hello.is_client ? reader.big16() : 2;
  ByteReader ciphers(reader.take(length));
  if (reader.failed() || length % 2 != 0) {
    return false;
  }
  while (ciphers.left() > 0) {
    const uint16_t cipher = ciphers.big16();
    if (hello.keeps_grease || !is_grease(cipher)) {
      hello.ciphers.push_back(cipher);
    }
  }
  return true;
}

/// Everything before the extensions.
bool read_fixed_part(ByteReader& reader, Hello& hello) {
  if (!read_version(reader, hello)) {
    return false;
  }
  hello.random = reader.take(random_bytes);
  if (reader.failed()) {
    return false;
  }
  const bool has_session = hello.is_client || !hello.omits_session;
  if (has_session) {
    hello.session_id = reader.take(reader.u8());
    if (reader.failed()) {
      return false;
    }
  }
  if (!read_ciphers(reader, hello)) {
    return false;
  }
  if (has_session) {
    reader.skip(hello.is_client ? reader.u8() : 1);  // compression methods
  }
  return !reader.failed();
}

void append_number(PoolString& text, unsigned number) {
  std::array<char, 10> digits{};
  size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text.append(&digits[at], digits.size() - at);
}

template <typename List>
void append_ja3_part(PoolString& text, const List& numbers) {
  text.push_back(',');
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) {
      text.push_back('-');
    }
    append_number(text, numbers[i]);
  }
}

void append_hex16(PoolString& text, const PoolVector<uint16_t>& numbers) {
  static constexpr char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) {
      text.push_back(',');
    }
    for (int shift = 12; shift >= 0; shift -= 4) {
      text.push_back(digits[numbers[i] >> shift & 15]);
    }
  }
}

std::string_view ja4_version(uint16_t version) noexcept {
  switch (version) {
    case tls_version::tls13:
      return "13";
    case tls_version::tls12:
      return "12";
    case tls_version::tls11:
      return "11";
    case tls_version::tls10:
      return "10";
    case tls_version::ssl3:
      return "s3";
    default:
      return "00";
  }
}

constexpr bool is_alphanumeric(uint8_t byte) noexcept {
  return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

void append_ja4_alpn(PoolString& text, const PoolVector<Bytes>& alpns) {
  static constexpr char digits[] = "0123456789abcdef";
  const Bytes name = alpns.empty() ? Bytes{} : alpns.front();
  if (name.empty() || (name.size() == 2 && is_grease(load_big16(name.data())))) {
    text += "00";
  } else if (is_alphanumeric(name.front()) && is_alphanumeric(name.back())) {
    text.push_back(static_cast<char>(name.front()));
    text.push_back(static_cast<char>(name.back()));
  } else {
    text.push_back(digits[name.front() >> 4]);
    text.push_back(digits[name.back() & 15]);
  }
}

void append_two_digits(PoolString& text, size_t number) {
  const size_t shown = std::min<size_t>(number, 99);
  text.push_back(static_cast<char>('0' + shown / 10));
  text.push_back(static_cast<char>('0' + shown % 10));
}

void append_short_sha256(PoolString& text, const PoolString& raw) {
  text.push_back('_');
  text += sha256_text(as_bytes(raw)).text().substr(0, 12);
}

}  // namespace

void read_hello(Bytes message, Hello& hello) {
  ByteReader reader(message);
  if (!read_fixed_part(reader, hello)) {
    hello.faults |= hello_fault::length;
    return;
  }
  hello.is_whole = read_extensions(reader, hello);
}

PoolString ja3_of(const Hello& hello, Pool& pool) {
  PoolString text(pool);
  text.reserve(256);
  append_number(text, hello.legacy_version);
  append_ja3_part(text, hello.ciphers);
  append_ja3_part(text, hello.extensions);
  if (hello.is_client) {
    append_ja3_part(text, hello.curves);
    append_ja3_part(text, hello.point_formats);
  }
  return text;
}

PoolString ja4_of(const Hello& hello, bool is_quic, Pool& pool) {
  PoolString text(pool);
  text.reserve(64);
  text.push_back(is_quic ? 'q' : 't');
  text += ja4_version(hello.highest_version);
  text.push_back(hello.has_sni_extension ? 'd' : 'i');
  PoolVector<uint16_t> ciphers(hello.ciphers);
  PoolVector<uint16_t> extensions(hello.extensions);
  std::erase_if(ciphers, is_grease);
  std::erase_if(extensions, is_grease);
  append_two_digits(text, ciphers.size());
  append_two_digits(text, extensions.size());
  append_ja4_alpn(text, hello.alpns);

  std::sort(ciphers.begin(), ciphers.end());
  PoolString raw(pool);
  append_hex16(raw, ciphers);
  append_short_sha256(text, raw);

  std::erase_if(extensions, [](uint16_t type) {
    return type == extension::server_name || type == extension::alpn;
  });
  std::sort(extensions.begin(), extensions.end());
  raw.clear();
  append_hex16(raw, extensions);
  raw.push_back('_');
  append_hex16(raw, hello.signature_algorithms);
  append_short_sha256(text, raw);
  return text;
}

}  // namespace shrike::protocol
