#include "krb5.h"

#include <algorithm>
#include <string>

#include "der.h"

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr size_t record_mark_bytes = 4;
/// Of one message on a stream; implementations take less.
constexpr size_t message_bytes_max = 65536;
/// Parts of a principal's name that rules see.
constexpr size_t name_parts_max = 32;

// Message types, which are application tags too.
constexpr uint8_t as_request = 10, as_reply = 11, tgs_request = 12, tgs_reply = 13, error = 30;

/// AES and Camellia are held for strong (RFC 3962, 6803, 8009).
constexpr bool is_weak(int32_t encryption) noexcept {
  return !((encryption >= 17 && encryption <= 20) || encryption == 25 || encryption == 26);
}

int32_t read_integer(Bytes content) noexcept {
  if (content.empty() || content.size() > 4) {
    return 0;
  }
  uint32_t value = (content[0] & 0x80) != 0 ? 0xffffffffu : 0;
  for (const uint8_t byte : content) {
    value = value << 8 | byte;
  }
  return static_cast<int32_t>(value);
}

/// The content of the element [number] of a sequence, or empty.
Bytes find_member(Bytes sequence, uint8_t number) noexcept {
  DerReader reader(sequence);
  while (reader.left() != 0) {
    const Der element = reader.next();
    if (reader.failed()) {
      break;
    }
    if (element.tag == der_tag::context(number)) {
      return element.content;
    }
  }
  return {};
}

Bytes open(Bytes bytes, uint8_t tag) noexcept {
  DerReader reader(bytes);
  return reader.next(tag).content;
}

int32_t integer_in(Bytes sequence, uint8_t number) noexcept {
  return read_integer(open(find_member(sequence, number), der_tag::integer));
}

/// A PrincipalName: its strings, one value each (RFC 4120, section 5.2.2).
void add_name(Krb5Transaction& transaction, Field field, Bytes name) {
  DerReader parts(open(find_member(open(name, der_tag::sequence), 1), der_tag::sequence));
  for (size_t i = 0; i < name_parts_max && parts.left() != 0; ++i) {
    const Der part = parts.next();
    if (parts.failed()) {
      return;
    }
    transaction.add(transaction.direction, field, part.content);
  }
}

void set_realm(Krb5Transaction& transaction, Bytes realm) {
  transaction.realm = transaction.keep(as_text(open(realm, der_tag::general_string)));
}

/// EncryptedData begins with its encryption type (RFC 4120, section 5.2.9).
int32_t encryption_of(Bytes encrypted) noexcept {
  return integer_in(open(encrypted, der_tag::sequence), 0);
}

void read_request(Krb5Transaction& transaction, Bytes sequence) {
  const Bytes body = open(find_member(sequence, 4), der_tag::sequence);
  add_name(transaction, Field::krb5_cname, find_member(body, 1));
  set_realm(transaction, find_member(body, 2));
  add_name(transaction, Field::krb5_sname, find_member(body, 3));
}

void read_reply(Krb5Transaction& transaction, Bytes sequence) {
  constexpr uint8_t ticket_tag = 0x61;
  const Bytes ticket = open(open(find_member(sequence, 5), ticket_tag), der_tag::sequence);
  set_realm(transaction, find_member(sequence, 3));
  add_name(transaction, Field::krb5_cname, find_member(sequence, 4));
  add_name(transaction, Field::krb5_sname, find_member(ticket, 2));
  transaction.has_encryption = true;
  transaction.encryption = encryption_of(find_member(sequence, 6));
  transaction.ticket_encryption = encryption_of(find_member(ticket, 3));
  transaction.add_number(transaction.direction, Field::krb5_ticket_encryption,
                         static_cast<uint32_t>(transaction.ticket_encryption));
  if (is_weak(transaction.encryption)) {
    transaction.raise(transaction.direction, AppEvent::krb5_weak_encryption);
  }
}

void read_error(Krb5Transaction& transaction, Bytes sequence) {
  transaction.add_number(transaction.direction, Field::krb5_err_code,
                         static_cast<uint32_t>(integer_in(sequence, 6)));
  set_realm(transaction, find_member(sequence, 7));
  add_name(transaction, Field::krb5_cname, find_member(sequence, 8));
  add_name(transaction, Field::krb5_sname, find_member(sequence, 10));
}

/// An application element around a sequence whose first member is the version, 5.
bool looks_like_message(Bytes bytes, Bytes whole) noexcept {
  if (whole.size() <= 10 || (bytes[0] & 0xc0) != 0x40 || (bytes[0] & 0x1f) >= error) {
    return false;
  }
  ByteReader reader(bytes);
  const auto skip_header = [&] {
    reader.skip(1);
    const uint8_t length = reader.u8();
    reader.skip(length < 0x80 ? 0 : length & 0x7fu);
  };
  skip_header();
  if (reader.left() == 0 || reader.rest()[0] != der_tag::sequence) {
    return false;
  }
  skip_header();
  const Bytes version = reader.rest();
  return !reader.failed() && version.size() > 5 && version[2] == der_tag::integer &&
         version[3] == 1 && version[4] == 5;
}

Probe::Answer probe_datagram(Bytes bytes, Direction) {
  return looks_like_message(bytes, bytes) ? Probe::Answer::yes : Probe::Answer::no;
}

Probe::Answer probe_stream(Bytes bytes, Direction direction) {
  constexpr uint32_t mark_max = 16384;
  if (bytes.size() <= record_mark_bytes + 10) {
    return Probe::Answer::no;
  }
  return load_big32(bytes.data()) > mark_max
             ? Probe::Answer::no
             : probe_datagram(bytes.subspan(record_mark_bytes), direction);
}

constexpr uint16_t ports[] = {88};
constexpr Probe probes[] = {{.transport = ip_protocol::udp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 16,
                             .probe = probe_datagram},
                            {.transport = ip_protocol::tcp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 16,
                             .probe = probe_stream}};

std::string_view type_name(uint8_t type) noexcept {
  switch (type) {
    case as_request:
      return "KRB_AS_REQ";
    case as_reply:
      return "KRB_AS_REP";
    case tgs_request:
      return "KRB_TGS_REQ";
    case tgs_reply:
      return "KRB_TGS_REP";
    default:
      return "KRB_ERROR";
  }
}

}  // namespace

constinit const ParserRow krb5_row =
    row_of_parser<Krb5Parser>({.protocol = AppProtocol::krb5, .probes = probes});

/// @return false where the message cannot be read at all.
bool Krb5Parser::take_message(Direction direction, Bytes bytes) {
  DerReader reader(bytes);
  const Der message = reader.next();
  if (reader.failed()) {
    if (!session_.transactions().empty()) {
      AppTransaction& last = *session_.transactions().back();
      last.raise(last.skips[0] ? to_client : to_server, AppEvent::krb5_malformed_data);
    }
    return false;
  }
  const uint8_t type = message.tag & 0x1f;
  const bool is_request = type == as_request || type == tgs_request;
  const bool is_reply = type == as_reply || type == tgs_reply;
  const Bytes sequence = open(message.content, der_tag::sequence);
  if ((message.tag & 0xc0) != 0x40 || (!is_request && !is_reply && type != error) ||
      sequence.empty()) {
    return true;
  }
  Krb5Transaction& transaction = session_.open<Krb5Transaction>();
  transaction.skip(opposite(direction));
  transaction.direction = direction;
  transaction.type = type;
  transaction.add_number(direction, Field::krb5_msg_type, type);
  if (is_request) {
    read_request(transaction, sequence);
  } else if (is_reply) {
    read_reply(transaction, sequence);
  } else {
    read_error(transaction, sequence);
  }
  transaction.reach(direction, Progress::complete);
  return true;
}

Consumed Krb5Parser::parse(const Input& input) {
  if (session_.tracked().datagram->protocol != ip_protocol::tcp) {
    take_message(input.direction, input.bytes);
    return Consumed::all(input);
  }
  Bytes left = input.bytes;
  while (left.size() >= record_mark_bytes) {
    const size_t length = load_big32(left.data());
    if (length > message_bytes_max) {
      return Consumed::broken();
    }
    if (left.size() < record_mark_bytes + length) {
      return {input.bytes.size() - left.size(), record_mark_bytes + length};
    }
    session_.inspect_raw_now(input.direction);
    if (!take_message(input.direction, left.subspan(record_mark_bytes, length))) {
      return Consumed::broken();
    }
    left = left.subspan(record_mark_bytes + length);
  }
  return {input.bytes.size() - left.size(), left.empty() ? size_t{0} : record_mark_bytes};
}

void Krb5Parser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const Krb5Transaction&>(each);
  const auto name_text = [&](Field field) {
    std::string text;
    for (const FieldValue& value : transaction.values_in(transaction.direction)) {
      if (value.field == field) {
        text += text.empty() ? "" : "/";
        text += as_text(value.bytes);
      }
    }
    return text.empty() ? std::string("<empty>") : text;
  };
  json.begin_object("krb5");
  json.text("msg_type", type_name(transaction.type));
  if (const FieldValue* const code =
          transaction.find(transaction.direction, Field::krb5_err_code)) {
    json.text("error_code", std::to_string(code->number));
  }
  json.text("cname", name_text(Field::krb5_cname));
  json.text("realm", transaction.realm.empty() ? "<empty>" : transaction.realm);
  json.text("sname", name_text(Field::krb5_sname));
  json.text("encryption",
            transaction.has_encryption ? std::to_string(transaction.encryption) : "<none>");
  json.boolean("weak_encryption", transaction.has_encryption && is_weak(transaction.encryption));
  if (transaction.has_encryption) {
    json.text("ticket_encryption", std::to_string(transaction.ticket_encryption));
    json.boolean("ticket_weak_encryption", is_weak(transaction.ticket_encryption));
  }
  json.end_object();
}

}  // namespace shrike::protocol
