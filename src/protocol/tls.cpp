// Records: their headers, what passes unread, alerts, heartbeats.
#include "tls.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

namespace content_type {
constexpr uint8_t change_cipher = 20;
constexpr uint8_t alert = 21;
constexpr uint8_t handshake = 22;
constexpr uint8_t application_data = 23;
constexpr uint8_t heartbeat = 24;
}  // namespace content_type

constexpr size_t header_bytes = 5;
constexpr size_t record_bytes_max = (1 << 14) + 1024;  ///< RFC 5246 section 6.2.2, as Suricata
constexpr size_t heartbeat_header_bytes = 3;
constexpr size_t heartbeat_padding_bytes_min = 16;  ///< RFC 6520 section 4

constexpr bool is_known(uint8_t type) noexcept {
  return type >= content_type::change_cipher && type <= content_type::heartbeat;
}

/// What ssl_version compares: one number for all drafts of TLS 1.3, 0 for what it knows not.
uint16_t family_of(uint16_t version) noexcept {
  if (version == tls_version::ssl2 ||
      (version >= tls_version::ssl3 && version <= tls_version::tls13)) {
    return version;
  }
  const bool is_draft =
      version == tls_version::before_draft16 || (version >= 0x7f10 && version <= 0x7f1c);
  return is_draft ? tls_version::tls13 : 0;
}

}  // namespace

Consumed TlsParser::parse(const Input& input) {
  open();
  direction_ = input.direction;
  if (!side().is_in_record) {
    current_flags_ = 0;
  }
  const Step step = read_records(input.bytes);
  if (!step.is_broken && step.bytes == input.bytes.size() && !input.bytes.empty()) {
    finish_parse();
  }
  tell_versions();
  tell_state();
  if (input.is_end) {
    end_direction(input.direction);
  }
  return {step.bytes, step.needed, step.is_broken};
}

void TlsParser::open() {
  if (transaction_ == nullptr) {
    transaction_ = &session_.open<TlsTransaction>();
    transaction_->protocol = AppProtocol::tls;
    transaction_->stay();
  }
}

TlsParser::Step TlsParser::read_records(Bytes bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const Step step = read_record(bytes.subspan(done));
    done += step.bytes;
    if (step.is_broken || step.needed != 0) {
      return {done, step.needed, step.is_broken};
    }
  }
  return {done};
}

TlsParser::Step TlsParser::read_record(Bytes bytes) {
  Side& from = side();
  if (!from.is_in_record) {
    if ((bytes[0] & 0xc0) != 0) {  // no type of a TLS record has these bits
      from.version = tls_version::ssl2;
    } else if (from.version == tls_version::ssl2) {
      from.version = tls_version::unknown;
    }
  }
  if (from.version == tls_version::ssl2) {
    return read_ssl2_record(bytes);
  }
  if (!from.is_in_record) {
    return read_header(bytes);
  }
  if (from.content_type == content_type::application_data) {
    return skip_application_data(bytes);
  }
  if (bytes.size() < from.record_bytes) {
    return {.needed = from.record_bytes};
  }
  if (!read_content(bytes.first(from.record_bytes))) {
    return broken();
  }
  finish_record();
  return {from.record_bytes};
}

TlsParser::Step TlsParser::read_header(Bytes bytes) {
  constexpr size_t version_end = 3;
  if (bytes.size() < version_end) {
    return {.needed = version_end};
  }
  Side& from = side();
  const uint16_t version_before = from.version;
  from.content_type = bytes[0];
  // A hello knows better.
  const uint32_t hello = is_to_client() ? tls_flag::server_hello : tls_flag::client_hello;
  if ((flags_ & hello) == 0 || from.version == tls_version::unknown) {
    from.version = load_big16(&bytes[1]);
  }
  if (bytes.size() < header_bytes) {
    return {.needed = header_bytes};  // rules see the version of half a header, too
  }
  from.record_bytes = load_big16(&bytes[3]);
  if (!is_known(from.content_type)) {
    raise(AppEvent::tls_invalid_record_type);
    if (version_before != tls_version::tls10 && version_before != tls_version::tls11) {
      return broken();
    }
    from.version = version_before;  // these may carry what we do not know
    return {bytes.size()};
  }
  if (!accept_header()) {
    return broken();
  }
  from.is_in_record = true;
  from.record_left = from.record_bytes;
  return {header_bytes};
}

bool TlsParser::accept_header() {
  const Side& from = side();
  if (from.record_bytes == 0) {
    return false;
  }
  if (!tls_version::is_valid(from.version)) {
    raise(AppEvent::tls_invalid_record_version);
    return false;
  }
  return from.record_bytes <= record_bytes_max;
}

TlsParser::Step TlsParser::skip_application_data(Bytes bytes) {
  Side& from = side();
  see_application_data();
  const size_t count = std::min<size_t>(bytes.size(), from.record_left);
  from.record_left -= static_cast<uint32_t>(count);
  session_.pass_encrypted(count);
  if (from.record_left == 0) {
    finish_record();
  }
  return {count};
}

void TlsParser::finish_record() {
  side().is_in_record = false;
  session_.inspect_raw_now(direction_);
}

/// @return whether this is still TLS.
bool TlsParser::read_content(Bytes content) {
  switch (side().content_type) {
    case content_type::change_cipher:
      see_change_of_cipher();
      return true;
    case content_type::alert:
      return see_alert(content);
    case content_type::handshake:
      return read_handshake_record(content);
    case content_type::heartbeat:
      return read_heartbeat(content);
    default:
      return true;
  }
}

void TlsParser::see_change_of_cipher() {
  flags_ |= tls_flag::change_cipher;
  side().has_changed_cipher = true;
  if (!is_to_client()) {
    reach(Direction::to_server, Progress::trailer);
  }
}

/// A fatal alert in the clear ends the session; a longer one is encrypted.
bool TlsParser::see_alert(Bytes content) {
  if (content.size() < 2) {
    return false;
  }
  if (content.size() == 2 && content[0] == 2) {
    transaction_->complete();
  }
  return true;
}

void TlsParser::see_application_data() {
  if ((flags_ & tls_flag::early_data) != 0 && (flags_ & tls_flag::server_hello) == 0) {
    return;  // sent before the handshake is over (RFC 8446 section 2.3)
  }
  reach(direction_, Progress::trailer);
  session_.stop_raw(Direction::to_server);
  session_.stop_raw(Direction::to_client);
  if (session_.options().tls_encrypted_bypass) {
    session_.bypass();
  }
}

bool TlsParser::read_handshake_record(Bytes content) {
  if ((flags_ & tls_flag::change_cipher) != 0) {
    // Encrypted from here on, but in TLS 1.3, where the change of cipher means nothing (RFC 8446
    // appendix D.4): there the server's hello may still come.
    const bool may_come = (flags_ & tls_flag::client_hello) != 0 &&
                          sides_[0].version > tls_version::tls12 &&
                          (flags_ & tls_flag::server_hello) == 0;
    if (!may_come) {
      session_.pass_encrypted(content.size());
      return true;
    }
  }
  if (content.size() < 4) {
    raise(AppEvent::tls_invalid_ssl_record);
    return false;
  }
  if (!read_handshake(content)) {
    raise(AppEvent::tls_invalid_handshake_message);
    return false;
  }
  return true;
}

/// Heartbleed (CVE-2014-0160): a request that claims more than it brings, or an encrypted answer
/// that is longer than its request.
bool TlsParser::read_heartbeat(Bytes content) {
  if (content.size() < heartbeat_header_bytes) {
    return true;
  }
  const bool is_encrypted = (flags_ & tls_flag::change_cipher) != 0;
  if (!is_encrypted && content[0] != 1 && content[0] != 2) {
    raise(AppEvent::tls_invalid_heartbeat_message);
    return false;
  }
  const auto bytes = static_cast<uint32_t>(content.size());
  const uint32_t mine =
      is_to_client() ? tls_flag::heartbeat_by_server : tls_flag::heartbeat_by_client;
  if ((flags_ & tls_flag::heartbeat_in_flight) == 0) {
    flags_ |= tls_flag::heartbeat_in_flight | mine;
    if (is_encrypted) {
      heartbeat_bytes_ = bytes;
      return true;
    }
    const uint32_t claimed = load_big16(&content[1]) + uint32_t{heartbeat_header_bytes};
    if (claimed > bytes) {
      raise(AppEvent::tls_overflow_heartbeat_message);
      return false;
    }
    if (bytes - claimed < heartbeat_padding_bytes_min) {
      raise(AppEvent::tls_invalid_heartbeat_message);
      return false;
    }
    return true;
  }
  if ((flags_ & mine) != 0) {  // a second one in flight
    raise(AppEvent::tls_invalid_heartbeat_message);
    return false;
  }
  flags_ &= ~(tls_flag::heartbeat_in_flight | tls_flag::heartbeat_by_client |
              tls_flag::heartbeat_by_server);
  const uint32_t asked = heartbeat_bytes_;
  heartbeat_bytes_ = 0;
  if (is_encrypted && asked > 0 && asked < bytes) {
    raise(AppEvent::tls_dataleak_heartbeat_mismatch);
    return false;
  }
  return true;
}

/// All that came was read: with the certificates at hand nothing more is in the clear.
void TlsParser::finish_parse() {
  const bool needs_client = (flags_ & tls_flag::needs_client_certificate) != 0;
  if (sides_[needs_client ? 0 : 1].has_subject) {
    reach(Direction::to_server, Progress::trailer);
    reach(Direction::to_client, Progress::trailer);
  }
}

/// Versions change while the hello is read; rules may ask for each of them. What looks like SSL 2
/// behind the handshake is none: the reference's rules do not see it.
void TlsParser::tell_versions() {
  Side& from = side();
  transaction_->versions[static_cast<size_t>(direction_)] = from.version;
  if (from.version == tls_version::ssl2 &&
      transaction_->progress[static_cast<size_t>(direction_)] >= Progress::trailer) {
    return;
  }
  if (from.version != from.told_version && from.version != tls_version::unknown) {
    transaction_->add_number(direction_, Field::tls_version, from.version);
    from.told_version = from.version;
  }
  const uint16_t family = family_of(from.version);
  if (family != from.told_family && family != 0) {
    transaction_->add_number(direction_, Field::ssl_version, family);
    from.told_family = family;
  }
}

/// Both directions are told: the rules' state is that of the session.
void TlsParser::tell_state() {
  constexpr uint32_t states = tls_flag::client_hello | tls_flag::server_hello |
                              tls_flag::client_key_exchange | tls_flag::server_key_exchange;
  const uint32_t fresh = current_flags_ & states & ~told_flags_;
  for (uint32_t state = 1; state <= tls_flag::server_key_exchange; state <<= 1) {
    if ((fresh & state) != 0) {
      transaction_->add_number(Direction::to_server, Field::ssl_state, state);
      transaction_->add_number(Direction::to_client, Field::ssl_state, state);
    }
  }
  told_flags_ |= fresh;
  transaction_->is_resumed = (flags_ & tls_flag::resumed) != 0 && !sides_[1].has_subject &&
                             (flags_ & tls_flag::server_hello) != 0 &&
                             (flags_ & tls_flag::no_certificate_needed) == 0;
}

void TlsParser::end_direction(Direction direction) {
  has_ended_[static_cast<size_t>(direction)] = true;
  reach(direction, Progress::complete);
}

namespace {

// A client's record may also be the hello of SSL 2, that of a server an alert or, where we came
// late, encrypted.
constexpr bool is_ssl2_hello(Bytes bytes, Direction, bool&) {
  return bytes.size() >= 3 && (bytes[0] & 0x80) != 0 && bytes[2] == 0x01;
}

using namespace std::string_view_literals;

constexpr Pattern to_server(std::string_view text) {
  return {.direction = Direction::to_server, .text = text, .offset = 0, .depth = 3};
}
constexpr Pattern to_client(std::string_view text) {
  return {.direction = Direction::to_client, .text = text, .offset = 0, .depth = 3};
}

constexpr Pattern patterns[] = {
    {.direction = Direction::to_server,
     .text = "\x01\x00\x02"sv,
     .offset = 2,
     .depth = 5,
     .confirms = is_ssl2_hello,
     .bytes_min = 3},
    to_server("\x01\x03\x00"sv),
    to_server("\x16\x03\x00"sv),
    to_server("\x01\x03\x01"sv),
    to_server("\x16\x03\x01"sv),
    to_server("\x01\x03\x02"sv),
    to_server("\x16\x03\x02"sv),
    to_server("\x01\x03\x03"sv),
    to_server("\x16\x03\x03"sv),
    to_client("\x15\x03\x00"sv),
    to_client("\x16\x03\x00"sv),
    to_client("\x17\x03\x00"sv),
    to_client("\x15\x03\x01"sv),
    to_client("\x16\x03\x01"sv),
    to_client("\x17\x03\x01"sv),
    to_client("\x15\x03\x02"sv),
    to_client("\x16\x03\x02"sv),
    to_client("\x17\x03\x02"sv),
    to_client("\x15\x03\x03"sv),
    to_client("\x16\x03\x03"sv),
    to_client("\x17\x03\x03"sv),
};

constexpr uint16_t ports[] = {443};

Probe::Answer probe_ssl2(Bytes bytes, Direction direction) {
  if (bytes.size() < 3) {
    return Probe::Answer::more;
  }
  bool reversed = false;
  return is_ssl2_hello(bytes, direction, reversed) ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr Probe probes[] = {
    {.server_ports = ports,
     .bytes_min = 0,
     .bytes_max = 3,
     .probe = probe_ssl2,
     .to_client_too = false},
};

}  // namespace

constinit const ParserRow tls_row =
    row_of_parser<TlsParser>({.protocol = AppProtocol::tls,
                              .patterns = patterns,
                              .probes = probes,
                              .speaks_first = FieldDirections::to_server});

}  // namespace shrike::protocol
