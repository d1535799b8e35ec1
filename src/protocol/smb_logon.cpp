// Session setup: who logs on, by NTLMSSP, alone or in SPNEGO.
// Source: MS-NLMP 2.2.1.3, RFC 4178.
#include <algorithm>

#include "der.h"
#include "smb.h"

namespace shrike::protocol {

namespace {

constexpr std::string_view signature("NTLMSSP\0", 8);
constexpr uint32_t authenticate_message = 3;
constexpr uint32_t negotiate_version_flag = 0x02000000;

struct Authentication {
  Bytes domain;
  Bytes user;
  Bytes host;
  Bytes version;  ///< 8 bytes, or none
  bool is_unusual = false;
};

/// A length, its maximum, and an offset from the start of the message.
struct Part {
  uint16_t bytes = 0;
  uint32_t offset = 0;
};

Part read_part(ByteReader& reader) noexcept {
  Part part;
  part.bytes = reader.little16();
  reader.skip(2);
  part.offset = reader.little32();
  return part;
}

std::optional<Bytes> part_of(Bytes message, const Part& part) noexcept {
  constexpr uint32_t header_bytes = 12;
  const uint64_t end = uint64_t{part.offset} + part.bytes;
  if (part.offset < header_bytes || end > message.size()) {
    return std::nullopt;
  }
  return message.subspan(part.offset, part.bytes);
}

/// @param message from the signature on.
std::optional<Authentication> read_authentication(Bytes message) noexcept {
  ByteReader reader(message);
  reader.skip(signature.size());
  if (reader.little32() != authenticate_message) {
    return std::nullopt;
  }
  std::array<Part, 6> parts;  // LM, NTLM, domain, user, host, session key
  uint32_t data_from = UINT32_MAX;
  for (Part& part : parts) {
    part = read_part(reader);
    if (part.bytes >= message.size() || part.offset >= message.size()) {
      return std::nullopt;
    }
    data_from = std::min(data_from, part.offset);
  }
  const uint32_t flags = reader.little32();
  const bool has_version =
      (flags & negotiate_version_flag) != 0 && data_from >= message.size() - reader.left() + 8;
  const auto domain = part_of(message, parts[2]);
  const auto user = part_of(message, parts[3]);
  const auto host = part_of(message, parts[4]);
  if (reader.failed() || !domain || !user || !host) {
    return std::nullopt;
  }
  const auto begins_within = [](const Part& part, const Part& before) {
    return part.offset > 0 && part.offset < before.offset + before.bytes;
  };
  return Authentication{
      .domain = *domain,
      .user = *user,
      .host = *host,
      .version = has_version ? reader.take(8) : Bytes{},
      .is_unusual = begins_within(parts[3], parts[2]) || begins_within(parts[4], parts[3])};
}

Bytes find_message(Bytes blob) noexcept {
  const Bytes wanted = as_bytes(signature);
  const auto at = std::search(blob.begin(), blob.end(), wanted.begin(), wanted.end());
  return blob.subspan(static_cast<size_t>(at - blob.begin()));
}

bool is_oid(const Der& element, std::string_view oid) noexcept {
  return element.tag == der_tag::oid && as_text(element.content) == oid;
}

/// The token of a SPNEGO that offers NTLMSSP; the blob itself where it is no such SPNEGO.
Bytes unwrap(Bytes blob) noexcept {
  constexpr std::string_view spnego_oid("\x2b\x06\x01\x05\x05\x02", 6);
  constexpr std::string_view ntlmssp_oid("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 10);
  const Der outer = DerReader(blob).next();
  DerReader inside(outer.content);
  if (!is_oid(inside.next(), spnego_oid)) {
    return blob;
  }
  const Der choice = inside.next();
  const Der sequence = DerReader(choice.content).next();
  if (inside.failed() || sequence.tag != der_tag::sequence) {
    return blob;
  }
  DerReader members(sequence.content);
  bool offers_ntlmssp = false;
  while (members.left() != 0) {
    const Der member = DerReader(members.next().content).next();
    if (member.tag == der_tag::octet_string && offers_ntlmssp) {
      return member.content;
    }
    DerReader mechanisms(member.tag == der_tag::sequence ? member.content : Bytes{});
    while (mechanisms.left() != 0) {
      offers_ntlmssp = is_oid(mechanisms.next(), ntlmssp_oid) || offers_ntlmssp;
    }
  }
  return {};
}

/// "10.0 build 10586 rev 15"
ShortText version_text(Bytes version) {
  return ShortText::format("{}.{} build {} rev {}", version[0], version[1],
                           load_little16(version.data() + 2), version[7]);
}

}  // namespace

void SmbParser::read_security_blob(Transaction& transaction, Bytes blob) {
  const auto found = read_authentication(find_message(unwrap(blob)));
  if (!found) {
    return;
  }
  auto& logon = transaction.logon;
  logon.has_ntlmssp = true;
  logon.domain = transaction.keep(Bytes(smb::without_zeros(found->domain, pool())));
  logon.user = transaction.keep(Bytes(smb::without_zeros(found->user, pool())));
  logon.host = transaction.keep(Bytes(smb::without_zeros(found->host, pool())));
  if (found->version.size() == 8) {
    logon.client_version = transaction.keep(std::string_view(version_text(found->version)));
  }
  transaction.add_kept(Direction::to_server, Field::smb_ntlmssp_user, logon.user);
  transaction.add_kept(Direction::to_server, Field::smb_ntlmssp_domain, logon.domain);
  if (found->is_unusual) {
    transaction.raise_both(AppEvent::smb_unusual_ntlmssp_order);
  }
}

void SmbParser::set_up_session(const smb::Record2& record) {
  constexpr size_t fixed_bytes = 24;
  if (record.data.size() < fixed_bytes) {
    return;
  }
  Transaction& transaction =
      open(Kind::session_setup, 2, record.command, smb::key_of(record, smb::KeyKind::header));
  read_security_blob(transaction, record.data.subspan(fixed_bytes));
  finish(transaction, Direction::to_server);
}

/// The session's number is new in the answer to the first question.
void SmbParser::take_session(const smb::Record2& record) {
  const smb::Key key = smb::key_of(record, smb::KeyKind::header);
  Transaction* transaction = record.session_id != 0 ? find(Kind::session_setup, key) : nullptr;
  if (transaction == nullptr) {
    transaction =
        find(Kind::session_setup, {.message = record.message_id, .kind = smb::KeyKind::header});
  }
  if (transaction != nullptr) {
    transaction->key = key;
    answer(*transaction, record.status, false);
  }
}

namespace {

/// The texts behind a security blob: aligned where they are UTF-16.
SmbTransaction::Logon::Host read_host(SmbTransaction& transaction, const smb::Record1& record,
                                      Bytes texts) {
  SmbTransaction::Logon::Host host{.is_known = true, .system = {}, .lan_manager = {}};
  const bool is_unicode = texts.size() > 1 && record.is_unicode();
  const bool is_odd = (record.data.size() - texts.size()) % 2 == 1;
  ByteReader reader(is_unicode && is_odd ? texts.subspan(1) : texts);
  if (const auto system = smb::read_text(reader, is_unicode, transaction.pool())) {
    host.system = transaction.keep(Bytes(*system));
    if (const auto manager = smb::read_text(reader, is_unicode, transaction.pool())) {
      host.lan_manager = transaction.keep(Bytes(*manager));
    }
  }
  return host;
}

}  // namespace

void SmbParser::set_up_session(const smb::Record1& record, size_t at) {
  ByteReader reader(record.data.subspan(at));
  reader.skip(15);
  const uint16_t blob_bytes = reader.little16();
  reader.skip(10);
  const Bytes blob = reader.take(blob_bytes);
  if (reader.failed()) {
    return;
  }
  const smb::Key key{
      .session = record.user_id, .message = record.multiplex_id, .kind = smb::KeyKind::header};
  Transaction& transaction = open(Kind::session_setup, 1, record.command, key);
  read_security_blob(transaction, blob);
  transaction.logon.request = read_host(transaction, record, reader.rest());
  finish(transaction, Direction::to_server);
}

void SmbParser::take_session(const smb::Record1& record, size_t at) {
  const smb::Key key{
      .session = record.user_id, .message = record.multiplex_id, .kind = smb::KeyKind::header};
  Transaction* transaction = record.user_id != 0 ? find(Kind::session_setup, key) : nullptr;
  if (transaction == nullptr) {
    transaction =
        find(Kind::session_setup, {.message = record.multiplex_id, .kind = smb::KeyKind::header});
  }
  if (transaction == nullptr) {
    return;
  }
  ByteReader reader(record.data.subspan(at));
  const uint8_t words = reader.u8();
  reader.skip(words == 0 ? 2 : 6);
  if (words != 0) {
    const uint16_t blob_bytes = words == 3 ? uint16_t{0} : reader.little16();
    reader.skip(2);
    reader.skip(blob_bytes);
  }
  if (reader.failed()) {
    transaction->raise_both(AppEvent::smb_malformed_data);
  } else {
    transaction->logon.response = read_host(*transaction, record, reader.rest());
  }
  transaction->key = smb::key_of(record, smb::KeyKind::header);
  answer(*transaction, record.status, record.is_dos_error());
}

}  // namespace shrike::protocol
