#include "ldap.h"

#include <algorithm>
#include <string>

#include "der.h"

namespace shrike::protocol {

namespace {

using enum Direction;

/// Application tags. Source: RFC 4511, appendix B.
namespace operation {
constexpr uint8_t bind_request = 0, bind_response = 1, unbind_request = 2, search_request = 3,
                  search_entry = 4, search_done = 5, modify_request = 6, modify_response = 7,
                  add_request = 8, add_response = 9, delete_request = 10, delete_response = 11,
                  rename_request = 12, rename_response = 13, compare_request = 14,
                  compare_response = 15, abandon_request = 16, search_reference = 19,
                  extended_request = 23, extended_response = 24, intermediate_response = 25;
}  // namespace operation

constexpr size_t message_bytes_max = 1 << 20;
constexpr size_t responses_max = 64;   // kept of one transaction
constexpr size_t open_max = 256;       // Suricata: max-tx
constexpr size_t attributes_max = 64;  // that are values, of one message

bool is_request(uint8_t number) noexcept {
  switch (number) {
    case operation::bind_request:
    case operation::unbind_request:
    case operation::search_request:
    case operation::modify_request:
    case operation::add_request:
    case operation::delete_request:
    case operation::rename_request:
    case operation::compare_request:
    case operation::abandon_request:
    case operation::extended_request:
      return true;
    default:
      return false;
  }
}

bool is_response(uint8_t number) noexcept {
  switch (number) {
    case operation::search_entry:
    case operation::search_reference:
    case operation::intermediate_response:
    case operation::bind_response:
    case operation::search_done:
    case operation::modify_response:
    case operation::add_response:
    case operation::delete_response:
    case operation::rename_response:
    case operation::compare_response:
    case operation::extended_response:
      return true;
    default:
      return false;
  }
}

/// Others follow it.
bool is_partial(uint8_t number) noexcept {
  return number == operation::search_entry || number == operation::search_reference ||
         number == operation::intermediate_response;
}

std::string_view operation_name(uint8_t number) noexcept {
  switch (number) {
    case operation::bind_request:
      return "bind_request";
    case operation::bind_response:
      return "bind_response";
    case operation::unbind_request:
      return "unbind_request";
    case operation::search_request:
      return "search_request";
    case operation::search_entry:
      return "search_result_entry";
    case operation::search_done:
      return "search_result_done";
    case operation::modify_request:
      return "modify_request";
    case operation::modify_response:
      return "modify_response";
    case operation::add_request:
      return "add_request";
    case operation::add_response:
      return "add_response";
    case operation::delete_request:
      return "del_request";
    case operation::delete_response:
      return "del_response";
    case operation::rename_request:
      return "mod_dn_request";
    case operation::rename_response:
      return "mod_dn_response";
    case operation::compare_request:
      return "compare_request";
    case operation::compare_response:
      return "compare_response";
    case operation::abandon_request:
      return "abandon_request";
    case operation::search_reference:
      return "search_result_reference";
    case operation::extended_request:
      return "extended_request";
    case operation::extended_response:
      return "extended_response";
    case operation::intermediate_response:
      return "intermediate_response";
    default:
      return "unknown";
  }
}

uint32_t read_number(Bytes content) noexcept {
  uint32_t number = 0;
  for (const uint8_t byte : content.first(std::min<size_t>(content.size(), sizeof number))) {
    number = number << 8 | byte;
  }
  return number;
}

/// LDAPResult: code, matched name, message.
void read_result(DerReader& reader, LdapOperation& operation) {
  constexpr uint8_t enumerated = 0x0a;
  operation.result_code = read_number(reader.next(enumerated).content);
  operation.name = reader.next(der_tag::octet_string).content;
  operation.message = reader.next(der_tag::octet_string).content;
  operation.has_result = !reader.failed();
}

LdapOperation read_operation(uint8_t number, Bytes content) {
  LdapOperation read{.number = number};
  DerReader reader(content);
  switch (number) {
    case operation::bind_request:
      reader.next(der_tag::integer);
      read.name = reader.next(der_tag::octet_string).content;
      break;
    case operation::delete_request:
      read.name = content;
      break;
    case operation::search_request:
    case operation::search_entry:
    case operation::modify_request:
    case operation::add_request:
    case operation::rename_request:
    case operation::compare_request:
      read.name = reader.next(der_tag::octet_string).content;
      break;
    default:
      if (is_response(number) && !is_partial(number)) {
        read_result(reader, read);
      }
      break;
  }
  return read;
}

/// How many bytes a message has, 0: not known yet; UINT32_MAX: none begins here.
size_t message_bytes(Bytes bytes) noexcept {
  if (bytes[0] != der_tag::sequence) {
    return UINT32_MAX;
  }
  if (bytes.size() < 2) {
    return 0;
  }
  const size_t digits = bytes[1] < 0x80 ? 0 : bytes[1] & 0x7fU;
  if (bytes[1] == 0x80 || digits > sizeof(uint32_t)) {
    return UINT32_MAX;
  }
  if (bytes.size() < 2 + digits) {
    return 0;
  }
  size_t length = digits == 0 ? bytes[1] : 0;
  for (size_t i = 0; i < digits; ++i) {
    length = length << 8 | bytes[2 + i];
  }
  return 2 + digits + length;
}

Probe::Answer probe(Bytes bytes, Direction direction) {
  const size_t length = bytes.empty() ? 0 : message_bytes(bytes);
  if (length == 0) {
    return Probe::Answer::more;
  }
  if (length > message_bytes_max) {
    return Probe::Answer::no;
  }
  // The first elements, which may be cut: sequence, message ID, operation.
  ByteReader reader(bytes);
  reader.skip(1);
  const uint8_t first = reader.u8();
  reader.skip(first < 0x80 ? 0 : first & 0x7fU);
  const uint8_t id_tag = reader.u8();
  const uint8_t id_bytes = reader.u8();
  reader.skip(id_bytes);
  const uint8_t tag = reader.u8();
  if (reader.failed()) {
    return Probe::Answer::more;
  }
  constexpr uint8_t application_class = 0x40, class_mask = 0xc0, number_mask = 0x1f;
  const uint8_t number = tag & number_mask;
  if (id_tag != der_tag::integer || id_bytes == 0 || id_bytes > sizeof(uint32_t) ||
      (tag & class_mask) != application_class || (!is_request(number) && !is_response(number))) {
    return Probe::Answer::no;
  }
  return (direction == to_server) == is_request(number) ? Probe::Answer::yes
                                                        : Probe::Answer::yes_reversed;
}

constexpr uint16_t ports[] = {389, 3268};
constexpr Probe probes[] = {
    {.transport = ip_protocol::tcp,
     .server_ports = ports,
     .bytes_min = 0,
     .bytes_max = 16,
     .probe = probe},
    {.transport = ip_protocol::udp,
     .server_ports = ports,
     .bytes_min = 0,
     .bytes_max = 16,
     .probe = probe},
};

}  // namespace

constinit const ParserRow ldap_row =
    row_of_parser<LdapParser>({.protocol = AppProtocol::ldap, .probes = probes});

Consumed LdapParser::parse(const Input& input) {
  size_t at = 0;
  while (at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    const size_t length = message_bytes(rest);
    if (length > message_bytes_max) {
      session_.raise(input.direction, AppEvent::ldap_invalid_data);
      return Consumed::broken();
    }
    if (length == 0 || rest.size() < length) {
      return {.bytes = at, .needed = std::max(length, rest.size() + 1)};
    }
    if (!take(input.direction, rest.first(length))) {
      session_.raise(input.direction, AppEvent::ldap_invalid_data);
      return Consumed::broken();
    }
    at += length;
  }
  return {.bytes = at};
}

bool LdapParser::take(Direction direction, Bytes message) {
  DerReader outer(message);
  DerReader reader(outer.next(der_tag::sequence).content);
  const uint32_t id = read_number(reader.next(der_tag::integer).content);
  const Der element = reader.next();
  if (outer.failed() || reader.failed()) {
    return false;
  }
  const LdapOperation operation = read_operation(element.tag & 0x1f, element.content);
  if (direction == to_server ? !is_request(operation.number) : !is_response(operation.number)) {
    auto& transaction = session_.open<LdapTransaction>();
    transaction.message_id = id;
    transaction.raise(direction, AppEvent::ldap_unknown_operation);
    transaction.complete();
  } else if (direction == to_server) {
    take_request(id, operation, element.content);
  } else {
    take_response(id, operation, element.content);
  }
  return true;
}

void LdapParser::take_request(uint32_t id, const LdapOperation& operation, Bytes content) {
  auto& transaction = session_.open<LdapTransaction>();
  if (session_.transactions().size() > open_max) {
    transaction.raise(to_server, AppEvent::ldap_too_many_transactions);
  }
  transaction.message_id = id;
  transaction.has_request = true;
  transaction.request = operation;
  transaction.request.name = transaction.keep(operation.name);
  transaction.add_number(to_server, Field::ldap_request_operation, operation.number);
  if (!operation.name.empty()) {
    transaction.add(to_server, Field::ldap_request_dn, transaction.request.name);
  }
  if (operation.number == operation::search_request) {
    DerReader reader(content);
    constexpr size_t elements_before = 7;  // name, scope, aliases, two limits, types only, filter
    for (size_t i = 0; i < elements_before; ++i) {
      reader.next();
    }
    DerReader attributes(reader.next(der_tag::sequence).content);
    for (size_t i = 0; i < attributes_max && attributes.left() != 0; ++i) {
      transaction.add(to_server, Field::ldap_request_attribute_type,
                      transaction.keep(attributes.next().content));
    }
  }
  transaction.reach(to_server, Progress::complete);
  if (operation.number == operation::unbind_request ||
      operation.number == operation::abandon_request) {
    complete(transaction);
  }
}

namespace {

/// SearchResultEntry: a name, then attributes, each its type and values (RFC 4511, section 4.5.2).
void add_entry_attributes(LdapTransaction& transaction, Bytes entry) {
  DerReader reader(entry);
  reader.next();
  DerReader attributes(reader.next(der_tag::sequence).content);
  for (size_t i = 0; i < attributes_max && attributes.left() != 0; ++i) {
    DerReader attribute(attributes.next(der_tag::sequence).content);
    const Bytes type = attribute.next().content;
    if (attributes.failed() || attribute.failed()) {
      return;
    }
    transaction.add(to_client, Field::ldap_responses_attribute_type, type);
  }
}

}  // namespace

LdapTransaction* LdapParser::find(uint32_t id) const noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<LdapTransaction*>(each);
    if (transaction->message_id == id && transaction->has_request && !transaction->is_complete()) {
      return transaction;
    }
  }
  return nullptr;
}

void LdapParser::take_response(uint32_t id, const LdapOperation& operation, Bytes content) {
  LdapTransaction* transaction = find(id);
  const bool is_answer = transaction != nullptr;
  if (!is_answer) {
    transaction = &session_.open<LdapTransaction>();
    transaction->message_id = id;
    // An unsolicited notification (RFC 4511, section 4.4) has the identifier 0.
    if (id != 0) {
      transaction->raise(to_client, AppEvent::ldap_request_not_found);
    }
  }
  transaction->response_count += 1;
  if (transaction->responses.size() < responses_max) {
    LdapOperation kept = operation;
    kept.name = transaction->keep(operation.name);
    kept.message = transaction->keep(operation.message);
    transaction->responses.push_back(kept);
    transaction->add_number(to_client, Field::ldap_responses_operation, kept.number);
    if (!kept.name.empty()) {
      transaction->add(to_client, Field::ldap_responses_dn, kept.name);
    }
    if (kept.has_result) {
      transaction->add_number(to_client, Field::ldap_responses_result_code, kept.result_code);
      transaction->add(to_client, Field::ldap_responses_message, kept.message);
    }
    if (kept.number == operation::search_entry) {
      add_entry_attributes(*transaction, content);
    }
  }
  if (!is_answer || !is_partial(operation.number)) {
    complete(*transaction);
  }
}

void LdapParser::complete(LdapTransaction& transaction) {
  transaction.add_number(to_client, Field::ldap_responses_count, transaction.response_count);
  transaction.complete();
}

namespace {

void describe_operation(const LdapOperation& operation, JsonWriter& json) {
  json.text("operation", operation_name(operation.number));
  if (operation.name.empty() && !operation.has_result) {
    return;
  }
  json.begin_object(operation_name(operation.number));
  if (operation.has_result) {
    json.number("result_code", operation.result_code);
    json.printable("matched_dn", operation.name);
    json.printable("message", operation.message);
  } else {
    json.printable(
        operation.number == operation::search_request || operation.number == operation::search_entry
            ? "base_object"
            : "name",
        operation.name);
  }
  json.end_object();
}

}  // namespace

void LdapParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const LdapTransaction&>(each);
  json.begin_object("ldap");
  if (transaction.has_request) {
    json.begin_object("request");
    json.number("message_id", transaction.message_id);
    describe_operation(transaction.request, json);
    json.end_object();
  }
  if (!transaction.responses.empty()) {
    json.begin_array("responses");
    for (const LdapOperation& response : transaction.responses) {
      json.begin_element_object();
      json.number("message_id", transaction.message_id);
      describe_operation(response, json);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace shrike::protocol
