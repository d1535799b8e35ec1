#include "dns.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

using enum Direction;
using PerSection = std::array<Field, 3>;

/// Where a message's names go.
struct Target {
  AppTransaction& transaction;
  const DnsMessage& message;
  Direction direction;
};

/// The first names of a list, up to the first empty one: Suricata's rules see no further.
template <typename Items>
void add_names(const Target& target, Field field, const Items& items) {
  for (const auto& item : items) {
    const Bytes name = target.message.text_of(item.name);
    if (name.empty()) {
      return;
    }
    target.transaction.add_kept(target.direction, field, name);
  }
}

/// Whether rules see the name in a record's data.
bool shows_target(const DnsRecord& record) noexcept {
  return record.has_target && record.type != dns_type::srv;
}

/// All names of a response: dns.response.rrname.
void add_response_names(const Target& target, Field field) {
  const DnsMessage& message = target.message;
  add_names(target, field, message.questions);
  for (const auto& records : message.sections) {
    for (const DnsRecord& record : records) {
      const Bytes name = message.text_of(record.name);
      if (name.empty()) {
        break;
      }
      target.transaction.add_kept(target.direction, field, name);
      const Bytes in_data = message.text_of(record.target);
      if (shows_target(record) && !in_data.empty()) {
        target.transaction.add_kept(target.direction, field, in_data);
      }
    }
  }
}

void add_sections(const Target& target, const PerSection& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    add_names(target, fields[i], target.message.sections[i]);
  }
}

void add_llmnr_fields(DnsTransaction& transaction, Direction direction) {
  const Target target{transaction, transaction.message, direction};
  add_names(target, Field::llmnr_queries_rrname, transaction.message.questions);
  if (direction == to_server) {
    add_names(target, Field::llmnr_answers_rrname,
              transaction.message.section(DnsSection::answers));
    return;
  }
  add_sections(target, {Field::llmnr_answers_rrname, Field::llmnr_authorities_rrname,
                        Field::llmnr_additionals_rrname});
  add_response_names(target, Field::llmnr_response_rrname);
}

void add_mdns_fields(DnsTransaction& transaction) {
  const DnsMessage& message = transaction.message;
  const Target target{transaction, message, to_server};
  if (!message.is_response()) {
    add_names(target, Field::mdns_queries_rrname, message.questions);
    add_names(target, Field::mdns_answers_rrname, message.section(DnsSection::answers));
    return;
  }
  add_sections(target, {Field::mdns_answers_rrname, Field::mdns_authorities_rrname,
                        Field::mdns_additionals_rrname});
  add_response_names(target, Field::mdns_response_rrname);
}

/// Opcodes from here on are not assigned (RFC 6895, section 2.2).
constexpr uint8_t opcodes_end = 7;
constexpr uint16_t reserved_flag = 0x0040;

void raise_dns_events(DnsTransaction& transaction, Direction direction) {
  const DnsMessage& message = transaction.message;
  const std::pair<bool, AppEvent> found[] = {
      {direction == to_client && !message.is_response(), AppEvent::dns_not_response},
      {(message.flags & reserved_flag) != 0, AppEvent::dns_z_flag_set},
      {message.opcode() >= opcodes_end, AppEvent::dns_invalid_opcode},
      {message.name_is_too_long, AppEvent::dns_name_too_long},
      {message.has_infinite_loop, AppEvent::dns_infinite_loop},
      {message.has_too_many_labels, AppEvent::dns_too_many_labels},
      {message.has_too_many[0], AppEvent::dns_too_many_answers},
      {message.has_too_many[1], AppEvent::dns_too_many_authorities},
      {message.has_too_many[2], AppEvent::dns_too_many_additionals},
  };
  for (const auto& [is_so, event] : found) {
    if (is_so) {
      transaction.raise(direction, event);
    }
  }
}

void raise_mdns_events(DnsTransaction& transaction) {
  const DnsMessage& message = transaction.message;
  const std::pair<bool, AppEvent> found[] = {
      {(message.flags & reserved_flag) != 0, AppEvent::mdns_z_flag_set},
      {message.opcode() >= opcodes_end, AppEvent::mdns_invalid_opcode},
      {message.name_is_too_long, AppEvent::mdns_name_too_long},
      {message.has_infinite_loop, AppEvent::mdns_infinite_loop},
      {message.has_too_many_labels, AppEvent::mdns_too_many_labels},
  };
  for (const auto& [is_so, event] : found) {
    if (is_so) {
      transaction.raise(to_server, event);
    }
  }
}

DnsTransaction& open(Session& session, DnsMessage&& message, AppProtocol protocol,
                     Direction direction) {
  DnsTransaction& transaction = session.open<DnsTransaction>(std::move(message));
  transaction.protocol = protocol;
  transaction.skip(opposite(direction));
  return transaction;
}

/// A message that cannot be read is told with the last one that could, where that is still there.
void raise_on_last(Session& session, AppEvent event) {
  if (session.transactions().empty()) {
    return;
  }
  AppTransaction& last = *session.transactions().back();
  last.raise(last.skips[static_cast<size_t>(to_server)] ? to_client : to_server, event);
}

Probe::Answer probe_datagram(Bytes bytes, Direction direction) {
  bool is_request = false;
  if (bytes.size() < dns_header_bytes || !is_dns_message(bytes, bytes.size(), is_request)) {
    return Probe::Answer::no;
  }
  return is_request == (direction == to_server) ? Probe::Answer::yes : Probe::Answer::yes_reversed;
}

Probe::Answer probe_stream(Bytes bytes, Direction direction) {
  if (bytes.size() < 2 + dns_header_bytes) {
    return Probe::Answer::more;
  }
  bool is_request = false;
  if (!is_dns_message(bytes.subspan(2), load_big16(bytes.data()), is_request)) {
    return Probe::Answer::no;
  }
  return is_request == (direction == to_server) ? Probe::Answer::yes : Probe::Answer::yes_reversed;
}

/// mDNS has no clients: whoever speaks first is one.
Probe::Answer probe_mdns(Bytes bytes, Direction direction) {
  const Probe::Answer answer = probe_datagram(bytes, direction);
  if (answer == Probe::Answer::no) {
    return answer;
  }
  return direction == to_server ? Probe::Answer::yes : Probe::Answer::yes_reversed;
}

constexpr uint16_t dns_ports[] = {53};
constexpr uint16_t mdns_ports[] = {5353};
constexpr uint16_t llmnr_ports[] = {5355};

constexpr Probe dns_probes[] = {
    {.transport = ip_protocol::udp,
     .server_ports = dns_ports,
     .bytes_min = 0,
     .bytes_max = dns_header_bytes,
     .probe = probe_datagram},
    {.transport = ip_protocol::tcp,
     .server_ports = dns_ports,
     .bytes_min = 0,
     .bytes_max = dns_header_bytes + 2,
     .probe = probe_stream},
};
constexpr Probe mdns_probes[] = {{.transport = ip_protocol::udp,
                                  .server_ports = mdns_ports,
                                  .bytes_min = 0,
                                  .bytes_max = dns_header_bytes,
                                  .probe = probe_mdns}};
constexpr Probe llmnr_probes[] = {{.transport = ip_protocol::udp,
                                   .server_ports = llmnr_ports,
                                   .bytes_min = 0,
                                   .bytes_max = dns_header_bytes,
                                   .probe = probe_datagram}};

}  // namespace

void add_dns_fields(AppTransaction& transaction, const DnsMessage& message, Direction direction) {
  const bool is_request = direction == to_server;
  const Target target{transaction, message, direction};
  const auto& answers = message.section(DnsSection::answers);
  transaction.add_number(direction, Field::dns_opcode, message.opcode());
  transaction.add_number(direction, Field::dns_rcode, message.rcode());
  if (is_request) {
    for (const DnsQuestion& question : message.questions) {
      transaction.add_number(direction, Field::dns_rrtype, question.type);
    }
    add_names(target, Field::dns_query, message.questions);
  }
  add_names(target, Field::dns_query_name, message.questions);
  add_names(target, Field::dns_queries_rrname, message.questions);
  add_names(target, Field::dns_answer_name, answers);
  if (is_request) {
    add_names(target, Field::dns_answers_rrname, answers);
    return;
  }
  for (const DnsRecord& record : answers) {
    transaction.add_number(direction, Field::dns_rrtype, record.type);
  }
  add_sections(target, {Field::dns_answers_rrname, Field::dns_authorities_rrname,
                        Field::dns_additionals_rrname});
  add_response_names(target, Field::dns_response_rrname);
}

constinit const ParserRow dns_row = row_of_parser<DnsParser>(
    {.protocol = AppProtocol::dns, .probes = dns_probes, .accepts_gaps = true});
const ParserRow mdns_row =
    row_of_parser<MdnsParser>({.protocol = AppProtocol::mdns, .probes = mdns_probes});
const ParserRow llmnr_row =
    row_of_parser<LlmnrParser>({.protocol = AppProtocol::llmnr, .probes = llmnr_probes});

/// @return whether a stream may go on behind this message.
bool DnsParser::parse_message(Direction direction, Bytes bytes, bool is_stream) {
  DnsMessage message(session_.pool());
  switch (read_dns_message(bytes, message)) {
    case DnsVerdict::good:
      break;
    case DnsVerdict::bad_header:
      return !is_stream;
    case DnsVerdict::malformed:
      raise_on_last(session_, AppEvent::dns_malformed_data);
      return false;
  }
  if (direction == to_server && message.is_response()) {
    raise_on_last(session_, AppEvent::dns_not_request);
    return false;
  }
  DnsTransaction& transaction = open(session_, std::move(message), protocol_, direction);
  if (protocol_ == AppProtocol::llmnr) {
    add_llmnr_fields(transaction, direction);
  } else {
    add_dns_fields(transaction, transaction.message, direction);
    raise_dns_events(transaction, direction);
  }
  transaction.reach(direction, Progress::complete);
  return true;
}

Consumed DnsParser::parse_stream(const Input& input) {
  if (input.gap_bytes != 0) {
    is_behind_gap_ = true;
    return {};
  }
  Bytes left = input.bytes;
  if (is_behind_gap_ && !left.empty()) {
    const Probe::Answer answer = probe_stream(left, input.direction);
    is_behind_gap_ = answer == Probe::Answer::no;
    if (is_behind_gap_ && input.direction == to_client) {
      return Consumed::all(input);
    }
  }
  while (left.size() >= 2) {
    const size_t length = load_big16(left.data());
    if (left.size() < 2 + length) {
      return {input.bytes.size() - left.size(), 2 + length};
    }
    if (length != 0) {
      session_.inspect_raw_now(input.direction);
      if (!parse_message(input.direction, left.subspan(2, length), true)) {
        return Consumed::broken();
      }
    }
    left = left.subspan(2 + length);
  }
  return {input.bytes.size() - left.size(), left.empty() ? size_t{0} : size_t{2}};
}

Consumed DnsParser::parse(const Input& input) {
  if (session_.tracked().datagram->protocol == ip_protocol::tcp) {
    return parse_stream(input);
  }
  if (!input.bytes.empty()) {
    parse_message(input.direction, input.bytes, false);
  }
  return Consumed::all(input);
}

Consumed MdnsParser::parse(const Input& input) {
  DnsMessage message(session_.pool());
  switch (read_dns_message(input.bytes, message)) {
    case DnsVerdict::good: {
      DnsTransaction& transaction =
          open(session_, std::move(message), AppProtocol::mdns, to_server);
      add_mdns_fields(transaction);
      raise_mdns_events(transaction);
      transaction.reach(to_server, Progress::complete);
      break;
    }
    case DnsVerdict::bad_header:
      break;
    case DnsVerdict::malformed:
      raise_on_last(session_, AppEvent::mdns_malformed_data);
      break;
  }
  return Consumed::all(input);
}

}  // namespace shrike::protocol
