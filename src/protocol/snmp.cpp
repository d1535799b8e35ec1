#include "snmp.h"

#include <algorithm>

#include "der.h"

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr uint8_t trap_v1_tag = 0xa4;
constexpr uint8_t last_pdu_tag = 0xa8;
constexpr uint8_t user_security_model = 3;

uint32_t read_number(const Der& element) noexcept {
  uint32_t value = 0;
  for (const uint8_t byte : element.content.first(std::min<size_t>(element.content.size(), 4))) {
    value = value << 8 | byte;
  }
  return value;
}

/// The message's parts up to its PDU; empty spans where they are not there.
struct SnmpMessage {
  uint32_t version = 0;  ///< 1 to 3
  Bytes community;
  Bytes user;
  bool has_user_model = true;
  Der pdu;
  bool is_encrypted = false;
  bool is_good = false;
};

void read_version_3(DerReader& reader, SnmpMessage& message) {
  DerReader header(reader.next(der_tag::sequence).content);
  header.next(der_tag::integer);
  header.next(der_tag::integer);
  const Der flags = header.next(der_tag::octet_string);
  message.has_user_model = read_number(header.next(der_tag::integer)) == user_security_model;
  const Der security = reader.next(der_tag::octet_string);
  if (message.has_user_model) {
    DerReader model(security.content);
    DerReader user(model.next(der_tag::sequence).content);
    user.next(der_tag::octet_string);
    user.next(der_tag::integer);
    user.next(der_tag::integer);
    message.user = user.next(der_tag::octet_string).content;
  }
  message.is_encrypted = !flags.content.empty() && (flags.content[0] & 2) != 0;
  if (!message.is_encrypted) {
    DerReader scoped(reader.next(der_tag::sequence).content);
    scoped.next(der_tag::octet_string);
    scoped.next(der_tag::octet_string);
    message.pdu = scoped.next();
    message.is_good = !scoped.failed();
    return;
  }
  message.is_good = !header.failed() && !reader.failed();
}

SnmpMessage read_message(Bytes bytes) {
  SnmpMessage message;
  DerReader outer(bytes);
  DerReader reader(outer.next(der_tag::sequence).content);
  const Der version = reader.next(der_tag::integer);
  const uint32_t number = read_number(version);
  if (outer.failed() || reader.failed() || version.content.size() != 1 || number > 3 ||
      number == 2) {
    return message;
  }
  message.version = number == 3 ? 3 : number + 1;
  if (number == 3) {
    read_version_3(reader, message);
    return message;
  }
  message.community = reader.next(der_tag::octet_string).content;
  message.pdu = reader.next();
  message.is_good = !reader.failed() && message.pdu.tag >= 0xa0 && message.pdu.tag <= last_pdu_tag;
  return message;
}

/// Version, and what must follow it.
Probe::Answer probe_snmp(Bytes bytes, Direction) {
  DerReader outer(bytes);
  DerReader reader(outer.next(der_tag::sequence).content);
  const Der version = reader.next(der_tag::integer);
  if (bytes.size() < 4 || outer.failed() || reader.failed() || version.content.size() != 1) {
    return Probe::Answer::no;
  }
  const uint8_t number = version.content[0];
  const uint8_t follows = number == 3 ? der_tag::sequence : der_tag::octet_string;
  return (number <= 1 || number == 3) && reader.next_is(follows) ? Probe::Answer::yes
                                                                 : Probe::Answer::no;
}

Probe::Answer probe_tftp(Bytes bytes, Direction) {
  constexpr size_t frame_bytes_min = 4;
  const bool is_tftp =
      bytes.size() >= frame_bytes_min && bytes[0] == 0 && bytes[1] >= 1 && bytes[1] <= 5;
  return is_tftp ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr uint16_t snmp_ports[] = {161, 162};
constexpr uint16_t tftp_ports[] = {69};
constexpr Probe snmp_probes[] = {{.transport = ip_protocol::udp,
                                  .server_ports = snmp_ports,
                                  .bytes_min = 0,
                                  .bytes_max = 16,
                                  .probe = probe_snmp}};
constexpr Probe tftp_probes[] = {{.transport = ip_protocol::udp,
                                  .server_ports = tftp_ports,
                                  .bytes_min = 0,
                                  .bytes_max = 4,
                                  .probe = probe_tftp}};

std::string_view pdu_name(uint64_t type) noexcept {
  static constexpr std::string_view names[] = {
      "get_request",      "get_next_request", "response", "set_request", "trap_v1",
      "get_bulk_request", "inform_request",   "trap_v2",  "report"};
  return type < std::size(names) ? names[type] : "unknown";
}

}  // namespace

constinit const ParserRow snmp_row =
    row_of_parser<SnmpParser>({.protocol = AppProtocol::snmp, .probes = snmp_probes});
constinit const ParserRow tftp_row =
    row_of_parser<TftpParser>({.protocol = AppProtocol::tftp, .probes = tftp_probes});

Consumed SnmpParser::parse(const Input& input) {
  const SnmpMessage message = read_message(input.bytes);
  if (!message.is_good) {
    if (!session_.transactions().empty()) {
      AppTransaction& last = *session_.transactions().back();
      last.raise(last.skips[0] ? to_client : to_server, AppEvent::snmp_malformed_data);
    }
    return Consumed::all(input);
  }
  version_ = version_ == 0 ? message.version : version_;
  SnmpTransaction& transaction = session_.open<SnmpTransaction>();
  const Direction direction = input.direction;
  transaction.skip(opposite(direction));
  transaction.direction = direction;
  transaction.version = message.version;
  transaction.is_encrypted = message.is_encrypted;
  transaction.add_number(direction, Field::snmp_version, message.version);
  if (message.version == 3) {
    transaction.add(direction, Field::snmp_usm, message.user);
    if (!message.has_user_model) {
      transaction.raise(direction, AppEvent::snmp_unknown_security_model);
    }
  } else {
    transaction.add(direction, Field::snmp_community, message.community);
  }
  if (!message.is_encrypted) {
    transaction.add_number(direction, Field::snmp_pdu_type, message.pdu.tag & 0x1f);
  }
  if (message.pdu.tag == trap_v1_tag) {
    DerReader trap(message.pdu.content);
    trap.next();
    trap.next();
    const Der type = trap.next(der_tag::integer);
    if (!trap.failed()) {
      transaction.add_number(direction, Field::snmp_trap_type, read_number(type));
    }
  }
  if (message.version != version_) {
    transaction.raise(direction, AppEvent::snmp_version_mismatch);
  }
  transaction.reach(direction, Progress::complete);
  return Consumed::all(input);
}

void SnmpParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const SnmpTransaction&>(each);
  const Direction direction = transaction.direction;
  json.begin_object("snmp");
  json.number("version", transaction.version);
  if (transaction.is_encrypted) {
    json.text("pdu_type", "encrypted");
  } else if (const FieldValue* const type = transaction.find(direction, Field::snmp_pdu_type)) {
    json.text("pdu_type", pdu_name(type->number));
  }
  if (transaction.version == 3) {
    json.text("usm", transaction.text(direction, Field::snmp_usm));
  } else {
    json.text("community", transaction.text(direction, Field::snmp_community));
  }
  json.end_object();
}

/// Requests name a file and a mode, each with a zero behind it. What follows them tells nothing.
Consumed TftpParser::parse(const Input& input) {
  constexpr uint16_t read_request = 1, write_request = 2;
  ByteReader reader(input.bytes);
  const uint16_t opcode = reader.big16();
  if (opcode != read_request && opcode != write_request) {
    return Consumed::all(input);
  }
  const std::string_view text = as_text(reader.rest());
  const size_t file_end = text.find('\0');
  const size_t mode_end =
      file_end == std::string_view::npos ? file_end : text.find('\0', file_end + 1);
  if (mode_end == std::string_view::npos) {
    return Consumed::all(input);
  }
  TftpTransaction& transaction = session_.open<TftpTransaction>();
  transaction.skip(opposite(input.direction));
  transaction.is_write = opcode == write_request;
  transaction.file = transaction.keep(text.substr(0, file_end));
  transaction.mode = transaction.keep(text.substr(file_end + 1, mode_end - file_end - 1));
  transaction.reach(input.direction, Progress::complete);
  return Consumed::all(input);
}

void TftpParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const TftpTransaction&>(each);
  json.begin_object("tftp");
  json.text("packet", transaction.is_write ? "write" : "read");
  json.text("file", transaction.file);
  json.text("mode", transaction.mode);
  json.end_object();
}

}  // namespace shrike::protocol
