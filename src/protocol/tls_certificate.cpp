#include "tls_certificate.h"

#include <algorithm>
#include <array>

#include "der.h"
#include "shrike/base/json_writer.h"

namespace shrike::protocol {

namespace {

constexpr size_t alternative_names_max = 1024;  ///< authorities allow 100, a few sites have 250
constexpr size_t name_parts_max = 128;          ///< attributes of a subject or issuer
constexpr size_t extensions_max = 128;

constexpr char upper_digits[] = "0123456789ABCDEF";

using Fault = std::optional<AppEvent>;

/// One attribute type by its encoding, and how names of it are shown.
struct AttributeName {
  std::string_view oid;
  std::string_view text;
};

using namespace std::string_view_literals;

/// As the X.509 library that Suricata uses calls them.
constexpr AttributeName attribute_names[] = {
    {"\x55\x04\x03"sv, "CN"},
    {"\x55\x04\x06"sv, "C"},
    {"\x55\x04\x07"sv, "L"},
    {"\x55\x04\x08"sv, "ST"},
    {"\x55\x04\x0a"sv, "O"},
    {"\x55\x04\x0b"sv, "OU"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "Email"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"sv, "unstructuredName"},
    {"\x55\x04\x04"sv, "surname"},
    {"\x55\x04\x05"sv, "serialNumber"},
    {"\x55\x04\x09"sv, "streetAddress"},
    {"\x55\x04\x0c"sv, "title"},
    {"\x55\x04\x0d"sv, "description"},
    {"\x55\x04\x0e"sv, "searchGuide"},
    {"\x55\x04\x0f"sv, "businessCategory"},
    {"\x55\x04\x10"sv, "postalAddress"},
    {"\x55\x04\x11"sv, "postalCode"},
    {"\x55\x04\x29"sv, "name"},
    {"\x55\x04\x2a"sv, "givenName"},
    {"\x55\x04\x2b"sv, "initials"},
    {"\x55\x04\x2c"sv, "generationQualifier"},
    {"\x55\x04\x2d"sv, "uniqueIdentifier"},
    {"\x55\x04\x2e"sv, "dnQualifier"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"sv, "msJurisdictionLocality"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"sv, "msJurisdictionStateOrProvince"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"sv, "msJurisdictionCountry"},
};

constexpr std::string_view alternative_name_oid = "\x55\x1d\x11"sv;

void append_number(PoolString& text, uint64_t number) {
  std::array<char, 20> digits{};
  size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text.append(&digits[at], digits.size() - at);
}

/// "1.2.840.113549"
void append_oid(PoolString& text, Bytes oid) {
  uint64_t part = 0;
  bool is_first = true;
  for (const uint8_t byte : oid) {
    part = part << 7 | (byte & 0x7f);
    if ((byte & 0x80) != 0) {
      continue;
    }
    if (is_first) {
      const uint64_t root = std::min<uint64_t>(part / 40, 2);
      append_number(text, root);
      part -= root * 40;
      is_first = false;
    }
    text.push_back('.');
    append_number(text, part);
    part = 0;
  }
}

void append_attribute_name(PoolString& text, Bytes oid) {
  for (const AttributeName& each : attribute_names) {
    if (each.oid == as_text(oid)) {
      text += each.text;
      return;
    }
  }
  text += "OID(";
  append_oid(text, oid);
  text.push_back(')');
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const size_t bytes = utf8_sequence_bytes(text);
    if (bytes == 0) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

void append_utf8(PoolString& text, uint32_t point) {
  if (point < 0x80) {
    text.push_back(static_cast<char>(point));
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static constexpr uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
  text.push_back(static_cast<char>(marks[more] | point >> (6 * more)));
  for (int left = more - 1; left >= 0; --left) {
    text.push_back(static_cast<char>(0x80 | (point >> (6 * left) & 0x3f)));
  }
}

/// Code points of `width` bytes each. @return whether all are characters.
bool append_wide(PoolString& text, Bytes value, size_t width) {
  ByteReader reader(value);
  while (reader.left() >= width) {
    const uint32_t point = width == 2 ? reader.big16() : reader.big32();
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    append_utf8(text, point);
  }
  return reader.left() == 0;
}

/// @return whether the value is what its type says.
bool append_attribute_value(PoolString& text, const Der& value) {
  switch (value.tag) {
    case der_tag::object_descriptor:
    case der_tag::utf8_string:
    case der_tag::numeric_string:
    case der_tag::printable_string:
    case der_tag::t61_string:
    case der_tag::videotex_string:
    case der_tag::ia5_string:
    case der_tag::graphic_string:
    case der_tag::visible_string:
    case der_tag::general_string:
      text += as_text(value.content);
      return is_utf8(as_text(value.content));
    case der_tag::universal_string:
      return append_wide(text, value.content, 4);
    case der_tag::bmp_string:
      return append_wide(text, value.content, 2);
    default:
      for (const uint8_t byte : value.content) {
        text.push_back(upper_digits[byte >> 4]);
        text.push_back(upper_digits[byte & 15]);
      }
      return true;
  }
}

/// A relative distinguished name: one attribute, or several joined by " + ".
struct NameText {
  PoolString text;
  size_t parts = 0;
  bool is_valid = true;  ///< as text; its encoding is sound
};

/// Appends the attributes up to one that is not sound. @return false where there is none.
bool append_relative_name(NameText& name, Bytes set) {
  DerReader reader(set);
  bool is_first = true;
  while (reader.left() > 0) {
    const Der pair = reader.next(der_tag::sequence);
    DerReader members(pair.content);
    const Der type = members.next(der_tag::oid);
    const Der value = members.next();
    if (reader.failed() || members.failed() || name.parts == name_parts_max) {
      break;
    }
    ++name.parts;
    if (!name.text.empty()) {
      name.text += is_first ? ", " : " + ";
    }
    is_first = false;
    append_attribute_name(name.text, type.content);
    name.text.push_back('=');
    name.is_valid &= append_attribute_value(name.text, value);
  }
  return !is_first;
}

/// A name ends at the first part that is not sound; the certificate goes on (as in Suricata).
void append_name(NameText& name, Bytes sequence) {
  DerReader reader(sequence);
  while (reader.left() > 0) {
    const Der set = reader.next(der_tag::set);
    if (reader.failed() || !append_relative_name(name, set.content)) {
      return;
    }
  }
}

Fault read_name(DerReader& reader, AppTransaction& keeper, std::string_view& text) {
  const Der sequence = reader.next(der_tag::sequence);
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length
                           : AppEvent::tls_certificate_invalid_x509name;
  }
  NameText name{PoolString(keeper.pool())};
  append_name(name, sequence.content);
  text = name.is_valid ? keeper.keep(std::string_view(name.text))
                       : "<X509Error: Invalid X.509 name>"sv;
  return std::nullopt;
}

/// Days since the Unix epoch, proleptic Gregorian. Source: H. Hinnant, "chrono-compatible
/// low-level date algorithms".
constexpr int64_t days_from_civil(int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

/// The digits of a time, two at a time.
class TimeDigits {
 public:
  explicit TimeDigits(Bytes text) noexcept : text_(text) {}
  unsigned two() noexcept {
    if (text_.size() < 2 || !is_digit(text_[0]) || !is_digit(text_[1])) {
      failed_ = true;
      return 0;
    }
    const unsigned value = (text_[0] - '0') * 10U + (text_[1] - '0');
    text_ = text_.subspan(2);
    return value;
  }
  [[nodiscard]] bool has_digit() const noexcept { return !text_.empty() && is_digit(text_[0]); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] Bytes rest() const noexcept { return text_; }

 private:
  static bool is_digit(uint8_t byte) noexcept { return byte >= '0' && byte <= '9'; }
  Bytes text_;
  bool failed_ = false;
};

/// Seconds to subtract for "+hhmm" or "-hhmm"; nothing where it is neither these nor "Z".
std::optional<int64_t> read_zone(Bytes zone) noexcept {
  if (zone.empty() || (zone.size() == 1 && zone[0] == 'Z')) {
    return 0;
  }
  if (zone.size() != 5 || (zone[0] != '+' && zone[0] != '-')) {
    return std::nullopt;
  }
  TimeDigits digits(zone.subspan(1));
  const int64_t seconds = int64_t{digits.two()} * 3600 + int64_t{digits.two()} * 60;
  if (digits.failed()) {
    return std::nullopt;
  }
  return zone[0] == '+' ? seconds : -seconds;
}

/// UTCTime (two digits of year) or GeneralizedTime.
std::optional<int64_t> read_time(const Der& time) noexcept {
  if (time.tag != der_tag::utc_time && time.tag != der_tag::generalized_time) {
    return std::nullopt;
  }
  TimeDigits digits(time.content);
  unsigned year = digits.two();
  if (time.tag == der_tag::generalized_time) {
    year = year * 100 + digits.two();
  } else {
    year += year < 50 ? 2000 : 1900;
  }
  const unsigned month = digits.two();
  const unsigned day = digits.two();
  const unsigned hour = digits.two();
  const unsigned minute = digits.two();
  const unsigned second = digits.has_digit() ? digits.two() : 0;
  const std::optional<int64_t> zone = read_zone(digits.rest());
  if (digits.failed() || !zone || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
      minute > 59 || second > 59) {
    return std::nullopt;
  }
  const int64_t seconds = int64_t{hour} * 3600 + int64_t{minute} * 60 + second;
  return days_from_civil(year, month, day) * 86400 + seconds - *zone;
}

Fault read_validity(DerReader& reader, Certificate& certificate) {
  DerReader times(reader.next(der_tag::sequence).content);
  const Der first = times.next();
  const Der last = times.next();
  if (reader.is_cut() || times.is_cut()) {
    return AppEvent::tls_certificate_invalid_length;
  }
  const auto not_before = read_time(first);
  const auto not_after = read_time(last);
  if (reader.failed() || times.failed() || !not_before || !not_after) {
    return AppEvent::tls_certificate_invalid_date;
  }
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return std::nullopt;
}

/// Steps over the next element. @return what is wrong where it is not of that tag.
Fault step_over(DerReader& reader, uint8_t tag, AppEvent wrong) {
  reader.next(tag);
  if (!reader.failed()) {
    return std::nullopt;
  }
  return reader.is_cut() ? AppEvent::tls_certificate_invalid_length : wrong;
}

/// An AlgorithmIdentifier: which, and perhaps one parameter (RFC 5280, section 4.1.1.2).
Fault step_over_algorithm(DerReader& reader, AppEvent wrong) {
  DerReader members(reader.next(der_tag::sequence).content);
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length : wrong;
  }
  const Fault fault =
      step_over(members, der_tag::oid, AppEvent::tls_certificate_invalid_algorithmidentifier);
  if (fault || members.left() == 0) {
    return fault;
  }
  members.next();
  return members.failed() ? Fault(AppEvent::tls_certificate_invalid_length) : std::nullopt;
}

Fault read_serial(DerReader& reader, AppTransaction& keeper, Certificate& certificate) {
  const Der serial = reader.next(der_tag::integer);
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length
                           : AppEvent::tls_certificate_invalid_serial;
  }
  PoolString text(keeper.pool());
  for (const uint8_t byte : serial.content) {
    if (!text.empty()) {
      text.push_back(':');
    }
    text.push_back(upper_digits[byte >> 4]);
    text.push_back(upper_digits[byte & 15]);
  }
  certificate.serial = keeper.keep(std::string_view(text));
  return std::nullopt;
}

namespace general_name {
constexpr uint8_t other = 0xa0;
constexpr uint8_t mail = 0x81;
constexpr uint8_t dns = 0x82;
constexpr uint8_t directory = 0xa4;
constexpr uint8_t uri = 0x86;
constexpr uint8_t ip = 0x87;
constexpr uint8_t registered_id = 0x88;
}  // namespace general_name

void append_byte_list(PoolString& text, Bytes bytes) {
  text.push_back('[');
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) {
      text += ", ";
    }
    append_number(text, bytes[i]);
  }
  text.push_back(']');
}

void append_directory_name(NameText& name, Bytes content) {
  DerReader reader(content);
  const Der sequence = reader.next(der_tag::sequence);
  name.text += "DirectoryName(";
  NameText inner{PoolString(name.text.get_allocator())};
  name.is_valid = !reader.failed();
  append_name(inner, sequence.content);
  name.text += inner.text;
  name.text.push_back(')');
}

/// DNS names and addresses of web pages as they are, everything else with its kind around it.
void append_alternative_name(NameText& name, const Der& entry) {
  switch (entry.tag) {
    case general_name::dns:
    case general_name::uri:
      name.text += as_text(entry.content);
      name.is_valid = is_utf8(as_text(entry.content));
      return;
    case general_name::mail:
      name.text += "RFC822Name(";
      name.text += as_text(entry.content);
      name.text.push_back(')');
      name.is_valid = is_utf8(as_text(entry.content));
      return;
    case general_name::ip:
      append_byte_list(name.text, entry.content);
      return;
    case general_name::directory:
      append_directory_name(name, entry.content);
      return;
    case general_name::registered_id:
      name.text += "RegisteredID(";
      append_oid(name.text, entry.content);
      name.text.push_back(')');
      return;
    case general_name::other: {
      DerReader reader(entry.content);
      const Der type = reader.next(der_tag::oid);
      name.text += "OtherName(";
      append_oid(name.text, type.content);
      name.text += ", ";
      append_byte_list(name.text, reader.rest());
      name.text.push_back(')');
      return;
    }
    default:
      name.text += "Unknown";
  }
}

/// A fault in here costs the names, not the certificate.
void read_alternative_names(Bytes extension, AppTransaction& keeper, Certificate& certificate) {
  DerReader outer(extension);
  DerReader reader(outer.next(der_tag::sequence).content);
  NameText name{PoolString(keeper.pool())};
  while (reader.left() > 0 && certificate.alternative_names.size() < alternative_names_max) {
    const Der entry = reader.next();
    if (reader.failed()) {
      certificate.alternative_names.clear();
      return;
    }
    name.text.clear();
    append_alternative_name(name, entry);
    if (!name.is_valid) {
      certificate.alternative_names.clear();
      return;
    }
    certificate.alternative_names.push_back(keeper.keep(std::string_view(name.text)));
  }
}

Fault read_extensions(Bytes content, AppTransaction& keeper, Certificate& certificate) {
  DerReader outer(content);
  DerReader reader(outer.next(der_tag::sequence).content);
  bool is_fresh = true;
  for (size_t count = 0; reader.left() > 0 && count < extensions_max; ++count) {
    DerReader members(reader.next(der_tag::sequence).content);
    const Der type = members.next(der_tag::oid);
    if (members.next_is(der_tag::boolean)) {
      members.next();
    }
    const Der value = members.next(der_tag::octet_string);
    if (reader.is_cut() || members.is_cut()) {
      return AppEvent::tls_certificate_invalid_length;
    }
    if (reader.failed() || members.failed()) {
      return AppEvent::tls_certificate_invalid_extensions;
    }
    if (as_text(type.content) != alternative_name_oid) {
      continue;
    }
    if (is_fresh) {
      read_alternative_names(value.content, keeper, certificate);
    } else {
      certificate.alternative_names.clear();  // twice: neither counts
    }
    is_fresh = false;
  }
  if (outer.failed() || outer.left() > 0) {
    return AppEvent::tls_certificate_invalid_extensions;
  }
  return std::nullopt;
}

Fault read_version(DerReader& reader) {
  if (!reader.next_is(der_tag::context(0))) {
    return std::nullopt;  // version 1
  }
  DerReader inner(reader.next().content);
  inner.next(der_tag::integer);
  if (reader.is_cut() || inner.is_cut()) {
    return AppEvent::tls_certificate_invalid_length;
  }
  return inner.failed() ? Fault(AppEvent::tls_certificate_invalid_version) : std::nullopt;
}

/// Everything behind the subject: the key, unique identifiers, extensions.
Fault read_tail(DerReader& reader, AppTransaction& keeper, Certificate& certificate) {
  DerReader key(reader.next(der_tag::sequence).content);
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length
                           : AppEvent::tls_invalid_certificate;
  }
  if (const Fault fault = step_over_algorithm(key, AppEvent::tls_certificate_invalid_der)) {
    return fault;
  }
  if (const Fault fault = step_over(key, der_tag::bit_string, AppEvent::tls_invalid_certificate)) {
    return fault;
  }
  while (reader.left() > 0 && !reader.next_is(der_tag::context(3))) {
    reader.next();
  }
  // The extensions are last, and end where the body ends (as for Suricata).
  const Bytes extensions = reader.left() > 0 ? reader.enter() : Bytes{};
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length
                           : AppEvent::tls_certificate_invalid_der;
  }
  return extensions.empty() ? std::nullopt : read_extensions(extensions, keeper, certificate);
}

Fault read_body(Bytes content, AppTransaction& keeper, Certificate& certificate) {
  DerReader reader(content);
  if (const Fault fault = read_version(reader)) {
    return fault;
  }
  if (const Fault fault = read_serial(reader, keeper, certificate)) {
    return fault;
  }
  if (const Fault fault =
          step_over_algorithm(reader, AppEvent::tls_certificate_invalid_algorithmidentifier)) {
    return fault;
  }
  if (const Fault fault = read_name(reader, keeper, certificate.issuer)) {
    return fault;
  }
  if (const Fault fault = read_validity(reader, certificate)) {
    return fault;
  }
  if (const Fault fault = read_name(reader, keeper, certificate.subject)) {
    return fault;
  }
  return read_tail(reader, keeper, certificate);
}

}  // namespace

std::optional<AppEvent> read_certificate(Bytes der, AppTransaction& keeper,
                                         Certificate& certificate) {
  DerReader outer(der);
  const Der whole = outer.next(der_tag::sequence);
  if (outer.failed()) {
    return outer.is_cut() ? AppEvent::tls_certificate_invalid_length
                          : AppEvent::tls_certificate_invalid_der;
  }
  DerReader reader(whole.content);
  const Der body = reader.next(der_tag::sequence);
  if (reader.failed()) {
    return reader.is_cut() ? AppEvent::tls_certificate_invalid_length
                           : AppEvent::tls_certificate_invalid_der;
  }
  if (const Fault fault = read_body(body.content, keeper, certificate)) {
    return fault;
  }
  if (const Fault fault =
          step_over_algorithm(reader, AppEvent::tls_certificate_invalid_algorithmidentifier)) {
    return fault;
  }
  return step_over(reader, der_tag::bit_string, AppEvent::tls_invalid_certificate);
}

IsoTime iso_time_of(int64_t seconds) noexcept {
  const int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
  const auto of_day = static_cast<unsigned>(seconds - days * 86400);
  // The inverse of days_from_civil, from the same source.
  const int64_t shifted = days + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year = static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));

  IsoTime text{};
  size_t at = 0;
  const auto append = [&text, &at](unsigned number, unsigned unit, char after) {
    for (; unit > 0; unit /= 10) {
      text[at++] = static_cast<char>('0' + number / unit % 10);
    }
    if (at < text.size()) {
      text[at++] = after;
    }
  };
  append(year, 1000, '-');
  append(month, 10, '-');
  append(day, 10, 'T');
  append(of_day / 3600, 10, ':');
  append(of_day / 60 % 60, 10, ':');
  append(of_day % 60, 10, ' ');
  return text;
}

}  // namespace shrike::protocol
