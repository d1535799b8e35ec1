// Handshake messages: hellos and certificates, in one record or over several.
#include <algorithm>

#include "digest_text.h"
#include "tls.h"
#include "tls_certificate.h"

namespace shrike::protocol {

namespace {

namespace message {
constexpr uint8_t hello_request = 0;
constexpr uint8_t client_hello = 1;
constexpr uint8_t server_hello = 2;
constexpr uint8_t new_session_ticket = 4;
constexpr uint8_t certificate = 11;
constexpr uint8_t server_key_exchange = 12;
constexpr uint8_t certificate_request = 13;
constexpr uint8_t server_hello_done = 14;
constexpr uint8_t certificate_verify = 15;
constexpr uint8_t client_key_exchange = 16;
constexpr uint8_t finished = 20;
constexpr uint8_t certificate_url = 21;
constexpr uint8_t certificate_status = 22;

constexpr bool is_known(uint8_t type) noexcept {
  switch (type) {
    case hello_request:
    case client_hello:
    case server_hello:
    case new_session_ticket:
    case certificate:
    case server_key_exchange:
    case certificate_request:
    case server_hello_done:
    case certificate_verify:
    case client_key_exchange:
    case finished:
    case certificate_url:
    case certificate_status:
      return true;
    default:
      return false;
  }
}
}  // namespace message

constexpr size_t header_bytes = 4;
/// Of a message over several records. Chains of real servers stay below 20 KiB; what claims more
/// than this passes unread.
constexpr size_t message_bytes_max = 256 << 10;
constexpr size_t certificates_max = 64;  ///< of a chain

}  // namespace

/// Messages of one record, and the rest of one that began before.
/// @return whether this is still TLS.
bool TlsParser::read_handshake(Bytes content) {
  Side& from = side();
  while (!content.empty()) {
    if (from.message_bytes != 0) {
      bool is_sound = true;
      content = content.subspan(collect_message(content, is_sound));
      if (!is_sound) {
        return false;
      }
      continue;
    }
    if (content.size() < header_bytes) {
      raise(AppEvent::tls_invalid_ssl_record);
      return false;
    }
    const uint8_t type = content[0];
    const uint32_t bytes = load_big32(content.data()) & 0xffffff;
    content = content.subspan(header_bytes);
    if (!message::is_known(type)) {
      if (!from.has_changed_cipher) {  // else it is encrypted
        raise(AppEvent::tls_invalid_handshake_message);
      }
      content = content.subspan(std::min<size_t>(bytes, content.size()));
      continue;
    }
    if (bytes > content.size()) {
      from.message_type = type;
      from.message_bytes = bytes;
      from.message.assign(content.begin(), content.end());
      return true;
    }
    if (!read_message(type, content.first(bytes))) {
      return false;
    }
    content = content.subspan(bytes);
  }
  return true;
}

/// Adds to the message that began before, and reads it where it is whole.
/// @return bytes that were of it.
size_t TlsParser::collect_message(Bytes content, bool& is_sound) {
  Side& from = side();
  const bool is_kept = from.message_bytes <= message_bytes_max;
  const size_t have = is_kept ? from.message.size() : 0;
  const size_t count = std::min<size_t>(from.message_bytes - have, content.size());
  if (!is_kept) {
    from.message.clear();
    from.message_bytes -= static_cast<uint32_t>(count);
    return count;
  }
  from.message.insert(from.message.end(), content.begin(),
                      content.begin() + static_cast<ptrdiff_t>(count));
  if (from.message.size() == from.message_bytes) {
    is_sound = read_message(from.message_type, from.message);
    from.message_bytes = 0;
    PoolBytes(session_.pool()).swap(from.message);
  }
  return count;
}

bool TlsParser::read_message(uint8_t type, Bytes body) {
  switch (type) {
    case message::client_hello:
      current_flags_ = tls_flag::client_hello;
      read_hello_message(body, true);
      break;
    case message::server_hello:
      current_flags_ = tls_flag::server_hello;
      read_hello_message(body, false);
      break;
    case message::server_key_exchange:
      current_flags_ = tls_flag::server_key_exchange;
      break;
    case message::client_key_exchange:
      current_flags_ = tls_flag::client_key_exchange;
      break;
    case message::certificate:
      read_certificates(body);
      break;
    case message::certificate_request:
      if (is_to_client()) {
        current_flags_ = tls_flag::needs_client_certificate;
      }
      break;
    case message::server_hello_done:
      if (is_to_client()) {
        reach(Direction::to_client, Progress::body);
      }
      break;
    default:
      break;
  }
  flags_ |= current_flags_;
  return true;
}

void TlsParser::read_hello_message(Bytes body, bool is_client) {
  Side& from = side();
  Hello hello(session_.pool());
  hello.is_client = is_client;
  hello.omits_session = !is_client && (flags_ & tls_flag::no_certificate_needed) != 0;
  hello.has_sni = from.has_sni;
  hello.knows_versions = (flags_ & tls_flag::client_versions) != 0;
  read_hello(body, hello);
  note_hello(hello);
  add_hello_values(hello);
  if (hello.is_whole) {
    add_fingerprints(hello);
    reach(direction_, Progress::line);
  }
}

void TlsParser::note_hello(const Hello& hello) {
  Side& from = side();
  if (hello.version != tls_version::unknown) {
    from.version = hello.version;
  }
  from.has_sni = hello.has_sni;
  flags_ |= hello.needs_no_certificate ? tls_flag::no_certificate_needed : 0;
  flags_ |= hello.has_early_data ? tls_flag::early_data : 0;
  flags_ |= hello.has_supported_versions ? tls_flag::client_versions : 0;
  flags_ |= hello.has_session_ticket ? tls_flag::resumed : 0;
  struct Fault {
    uint8_t bit;
    AppEvent event;
  };
  static constexpr Fault faults[] = {
      {hello_fault::length, AppEvent::tls_handshake_invalid_length},
      {hello_fault::sni_type, AppEvent::tls_invalid_sni_type},
      {hello_fault::sni_length, AppEvent::tls_invalid_sni_length},
      {hello_fault::several_sni, AppEvent::tls_multiple_sni_extensions},
  };
  for (const Fault& each : faults) {
    if ((hello.faults & each.bit) != 0) {
      raise(each.event);
    }
  }
}

void TlsParser::add_hello_values(const Hello& hello) {
  Side& from = side();
  if (!hello.random.empty() && !from.has_hello) {
    from.has_hello = true;
    const Bytes random = transaction_->keep(hello.random);
    transaction_->add_kept(direction_, Field::tls_random, random);
    transaction_->add_kept(direction_, Field::tls_random_time, random.first(4));
    transaction_->add_kept(direction_, Field::tls_random_bytes, random.subspan(4));
  }
  note_session_id(hello.session_id);
  if (!hello.sni.empty()) {
    transaction_->add(direction_, Field::tls_sni, hello.sni);
  }
  if (!from.has_alpn) {
    for (const Bytes name : hello.alpns) {
      transaction_->add(direction_, Field::tls_alpn, name);
    }
    from.has_alpn = !hello.alpns.empty();
  }
}

/// A server that repeats the client's session id resumes the session.
void TlsParser::note_session_id(Bytes session_id) {
  Side& from = side();
  if (session_id.empty() || from.has_session_id) {
    return;
  }
  from.has_session_id = true;
  session_ids_[static_cast<size_t>(direction_)] = transaction_->keep(session_id);
  if (is_to_client() && as_text(session_ids_[0]) == as_text(session_ids_[1])) {
    flags_ |= tls_flag::resumed;
  }
}

void TlsParser::add_fingerprints(const Hello& hello) {
  Side& from = side();
  if (from.has_fingerprint || !session_.options().tls_fingerprints) {
    return;
  }
  from.has_fingerprint = true;
  const PoolString text = ja3_of(hello, session_.pool());
  const DigestText hash = md5_text(as_bytes(text));
  if (is_to_client()) {
    transaction_->add(direction_, Field::ja3s_string, std::string_view(text));
    transaction_->add(direction_, Field::ja3s_hash, hash.text());
    return;
  }
  transaction_->add(direction_, Field::ja3_string, std::string_view(text));
  transaction_->add(direction_, Field::ja3_hash, hash.text());
  transaction_->add(direction_, Field::ja4_hash,
                    std::string_view(ja4_of(hello, false, session_.pool())));
}

/// The certificates of a direction; only the first message of them counts.
void TlsParser::read_certificates(Bytes body) {
  Side& from = side();
  ByteReader reader(body);
  const size_t high = reader.u8();
  const size_t bytes = high << 16 | reader.big16();
  const Bytes chain = reader.take(bytes);
  if (!reader.failed() && !from.has_certificates) {
    from.has_certificates = true;
    read_chain(transaction_->keep(chain));
  }
  reach(direction_, Progress::headers);
}

/// @param chain kept by the transaction.
void TlsParser::read_chain(Bytes chain) {
  ByteReader reader(chain);
  size_t count = 0;
  bool is_sound = true;
  while (reader.left() > 0 && is_sound && count < certificates_max) {
    const size_t high = reader.u8();
    const size_t bytes = high << 16 | reader.big16();
    const Bytes der = reader.take(bytes);
    if (reader.failed()) {
      raise(AppEvent::tls_invalid_certificate);
      is_sound = false;
    } else if (read_chain_member(der)) {
      ++count;
    }
  }
  transaction_->add_number(direction_, Field::tls_cert_chain_len, count);
}

/// The first certificate that can be read gives the fields; all but those that cannot are listed.
bool TlsParser::read_chain_member(Bytes der) {
  Side& from = side();
  if (!from.has_subject) {
    Certificate certificate(session_.pool());
    if (const auto fault = read_certificate(der, *transaction_, certificate)) {
      raise(*fault);
      return false;
    }
    from.has_subject = true;
    TlsTransaction& to = *transaction_;
    to.add_kept(direction_, Field::tls_cert_subject, as_bytes(certificate.subject));
    to.add_kept(direction_, Field::tls_cert_issuer, as_bytes(certificate.issuer));
    to.add_kept(direction_, Field::tls_cert_serial, as_bytes(certificate.serial));
    to.add(direction_, Field::tls_cert_fingerprint, sha1_text_with_colons(der).text());
    for (const std::string_view name : certificate.alternative_names) {
      to.add_kept(direction_, Field::tls_subjectaltname, as_bytes(name));
    }
    to.add_dates(direction_, {certificate.not_before, certificate.not_after}, session_.time_ns());
  }
  transaction_->add_kept(direction_, Field::tls_certs, der);
  return true;
}

void TlsTransaction::add_dates(Direction direction, const Dates& valid, uint64_t now_ns) {
  constexpr uint64_t second_ns = 1'000'000'000;
  dates[static_cast<size_t>(direction)] = valid;
  // 0 says that there is no date, as in Suricata; what lies before 1970 cannot be asked for.
  if (valid.not_before > 0) {
    add_number(direction, Field::tls_cert_notbefore, static_cast<uint64_t>(valid.not_before));
  }
  if (valid.not_after > 0) {
    const auto last = static_cast<uint64_t>(valid.not_after);
    const bool is_expired = now_ns / second_ns > last;
    add_number(direction, Field::tls_cert_notafter, last);
    add_number(direction, Field::tls_cert_expired, is_expired ? 1 : 0);
    add_number(direction, Field::tls_cert_valid, is_expired ? 0 : 1);
  }
}

}  // namespace shrike::protocol
