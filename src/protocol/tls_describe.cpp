// EVE's "tls".
#include <algorithm>

#include "tls.h"
#include "tls_certificate.h"

namespace shrike::protocol {

namespace {

constexpr auto to_server = Direction::to_server;
constexpr auto to_client = Direction::to_client;

void write_if_any(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    json.text(key, value);
  }
}

void write_list(const TlsTransaction& tls, Direction direction, Field field, JsonWriter& json,
                std::string_view key) {
  bool is_open = false;
  for (const FieldValue& value : tls.values_in(direction)) {
    if (value.field != field) {
      continue;
    }
    if (!is_open) {
      json.begin_array(key);
      is_open = true;
    }
    json.element(as_text(value.bytes));
  }
  if (is_open) {
    json.end_array();
  }
}

void write_hex16(JsonWriter& json, std::string_view key, uint16_t number) {
  static constexpr char digits[] = "0123456789abcdef";
  const std::array<char, 6> text{'0',
                                 'x',
                                 digits[number >> 12],
                                 digits[number >> 8 & 15],
                                 digits[number >> 4 & 15],
                                 digits[number & 15]};
  json.text(key, {text.data(), text.size()});
}

void write_version(JsonWriter& json, uint16_t version) {
  struct Name {
    uint16_t version;
    std::string_view text;
  };
  static constexpr Name names[] = {
      {tls_version::unknown, "UNDETERMINED"}, {tls_version::ssl2, "SSLv2"},
      {tls_version::ssl3, "SSLv3"},           {tls_version::tls10, "TLSv1"},
      {tls_version::tls11, "TLS 1.1"},        {tls_version::tls12, "TLS 1.2"},
      {tls_version::tls13, "TLS 1.3"},        {tls_version::before_draft16, "TLS 1.3 draft-<16"},
  };
  for (const Name& each : names) {
    if (each.version == version) {
      json.text("version", each.text);
      return;
    }
  }
  if (tls_version::is_draft(version)) {
    const unsigned draft = version & 0xff;
    std::array<char, 16> text{'T', 'L', 'S', ' ', '1', '.', '3', ' ', 'd', 'r', 'a', 'f', 't', '-'};
    text[14] = static_cast<char>('0' + draft / 10);
    text[15] = static_cast<char>('0' + draft % 10);
    json.text("version", {text.data(), text.size()});
    return;
  }
  write_hex16(json, "version", version);
}

void write_dates(const TlsTransaction& tls, Direction direction, JsonWriter& json) {
  const TlsTransaction::Dates& dates = tls.dates[static_cast<size_t>(direction)];
  if (dates.not_before != 0) {
    const IsoTime time = iso_time_of(dates.not_before);
    json.text("notbefore", {time.data(), time.size()});
  }
  if (dates.not_after != 0) {
    const IsoTime time = iso_time_of(dates.not_after);
    json.text("notafter", {time.data(), time.size()});
  }
}

// NOLINTNEXTLINE(readability-function-size): a pair of members
void write_pair(const TlsTransaction& tls, Direction direction, JsonWriter& json,
                std::string_view key, Field hash, Field string) {
  const std::string_view text = tls.text(direction, string);
  if (text.empty()) {
    return;
  }
  json.begin_object(key);
  write_if_any(json, "hash", tls.text(direction, hash));
  json.text("string", text);
  json.end_object();
}

void write_client_certificate(const TlsTransaction& tls, JsonWriter& json) {
  if (tls.find(to_server, Field::tls_cert_subject) == nullptr) {
    return;
  }
  json.begin_object("client");
  json.text("subject", tls.text(to_server, Field::tls_cert_subject));
  json.text("issuerdn", tls.text(to_server, Field::tls_cert_issuer));
  json.text("fingerprint", tls.text(to_server, Field::tls_cert_fingerprint));
  json.text("serial", tls.text(to_server, Field::tls_cert_serial));
  write_dates(tls, to_server, json);
  json.end_object();
}

}  // namespace

void TlsParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& tls = static_cast<const TlsTransaction&>(transaction);
  json.begin_object("tls");
  if (tls.find(to_client, Field::tls_cert_subject) != nullptr) {
    json.text("subject", tls.text(to_client, Field::tls_cert_subject));
    json.text("issuerdn", tls.text(to_client, Field::tls_cert_issuer));
    write_list(tls, to_client, Field::tls_subjectaltname, json, "subjectaltname");
    json.text("serial", tls.text(to_client, Field::tls_cert_serial));
    json.text("fingerprint", tls.text(to_client, Field::tls_cert_fingerprint));
  }
  write_if_any(json, "sni", tls.text(to_server, Field::tls_sni));
  write_version(json, tls.versions[static_cast<size_t>(to_client)]);
  write_dates(tls, to_client, json);
  write_pair(tls, to_server, json, "ja3", Field::ja3_hash, Field::ja3_string);
  write_pair(tls, to_client, json, "ja3s", Field::ja3s_hash, Field::ja3s_string);
  write_if_any(json, "ja4", tls.text(to_server, Field::ja4_hash));
  write_list(tls, to_server, Field::tls_alpn, json, "client_alpns");
  write_list(tls, to_client, Field::tls_alpn, json, "server_alpns");
  write_client_certificate(tls, json);
  json.end_object();
}

}  // namespace shrike::protocol
