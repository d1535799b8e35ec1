#include "rdp.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

using enum Direction;
using Kind = RdpTransaction::Kind;

constexpr uint8_t packet_version = 3;
constexpr size_t packet_header_bytes = 4;
constexpr size_t record_header_bytes = 5;
/// Of a TLS record (RFC 5246, section 6.2.3), as the reference takes it.
constexpr size_t record_bytes_max = (1 << 14) + 256;
constexpr uint8_t handshake_record = 22;
/// Blocks of a client that are looked at, channels that it asks for (MS-RDPBCGR 2.2.1.3.4: 31), and
/// certificates of a chain.
constexpr size_t blocks_max = 64, channels_max = 256, certificates_max = 32;

Probe::Answer probe_rdp(Bytes bytes, Direction) {
  return !bytes.empty() && bytes[0] == packet_version ? Probe::Answer::yes : Probe::Answer::more;
}

constexpr uint16_t ports[] = {3389};
constexpr Probe probes[] = {{.server_ports = ports, .bytes_max = 16, .probe = probe_rdp}};

/// The variable part of a connection request or confirm of class 0 (X.224, sections 13.3, 13.4).
/// @return false where it is none.
bool open_unit(Bytes unit, uint8_t type, Bytes& variable) noexcept {
  constexpr uint8_t reserved_length = 0xff, fixed_bytes = 6;
  ByteReader reader(unit);
  const uint8_t length = reader.u8();
  const uint8_t code = reader.u8();
  const uint16_t destination = reader.big16();
  reader.skip(2);
  const uint8_t class_and_options = reader.u8();
  if (reader.failed() || length == reserved_length || length < fixed_bytes ||
      (code & 0xf0) != type || (code & 0xf) > 1 || destination != 0 || class_and_options != 0) {
    return false;
  }
  variable = reader.take(length - fixed_bytes);
  return !reader.failed();
}

/// RDP_NEG_REQ, _RSP and _FAILURE (MS-RDPBCGR, sections 2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
struct Negotiation {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t value = 0;
};

bool read_negotiation(Bytes bytes, Negotiation& to) noexcept {
  constexpr uint16_t negotiation_bytes = 8;
  ByteReader reader(bytes);
  to.type = reader.u8();
  to.flags = reader.u8();
  const uint16_t length = reader.little16();
  to.value = reader.little32();
  return !reader.failed() && length == negotiation_bytes;
}

constexpr bool is_protocol(uint32_t value) noexcept {
  return value == 0 || value == 1 || value == 2 || value == 4 || value == 8;
}

/// The length in front of a PER octet string (X.691, section 10.9), up to 16383.
bool read_per_length(ByteReader& reader, size_t& to) noexcept {
  const uint8_t first = reader.u8();
  if (first < 0x80) {
    to = first;
  } else {
    to = (first & 0x3fu) << 8 | reader.u8();
  }
  return !reader.failed() && first < 0xc0;
}

/// What TS_UD_CS_CORE has at least, behind its header.
constexpr size_t core_bytes_min = 128;
constexpr size_t channel_bytes = 12;

/// Handshake messages that the reference knows; the bytes of others end the flow's parsing.
constexpr bool is_handshake_type(uint8_t type) noexcept {
  return type <= 6 || (type >= 11 && type <= 16) || (type >= 20 && type <= 22) || type == 24 ||
         type == 67;
}

}  // namespace

constinit const ParserRow rdp_row =
    row_of_parser<RdpParser>({.protocol = AppProtocol::rdp, .probes = probes});

Consumed RdpParser::parse(const Input& input) {
  size_t at = 0;
  while (at < input.bytes.size() && !is_passed_over_) {
    const Bytes rest = input.bytes.subspan(at);
    Step step = is_tls_ ? take_record(input.direction, rest) : take_packet(input.direction, rest);
    if (step.outcome == Outcome::is_other && !is_tls_ && rest[0] == handshake_record) {
      is_tls_ = true;  // for both sides: what each says from now on is in records
      step = take_record(input.direction, rest);
    }
    if (step.outcome == Outcome::is_other) {
      return Consumed::broken();
    }
    if (step.outcome == Outcome::needs_more) {
      return {.bytes = at, .needed = step.bytes};
    }
    at += step.bytes;
  }
  return Consumed::all(input);
}

RdpParser::Step RdpParser::take_packet(Direction direction, Bytes bytes) {
  if (bytes[0] != packet_version) {
    return {.outcome = Outcome::is_other};
  }
  if (bytes.size() < packet_header_bytes) {
    return {.outcome = Outcome::needs_more, .bytes = packet_header_bytes};
  }
  const size_t length = load_big16(bytes.data() + 2);
  if (length < packet_header_bytes) {
    return {.outcome = Outcome::is_other};
  }
  if (bytes.size() < length) {
    return {.outcome = Outcome::needs_more, .bytes = length};
  }
  read_unit(direction, bytes.first(length).subspan(packet_header_bytes));
  return {.bytes = length};
}

/// What is no such unit, or comes from the wrong side, is passed over.
void RdpParser::read_unit(Direction direction, Bytes unit) {
  const bool is_connecting = direction == to_server ? read_request(unit) : read_confirm(unit);
  if (!is_connecting) {
    read_data(direction, unit);
  }
}

bool RdpParser::read_request(Bytes unit) {
  constexpr uint8_t request = 0xe0, negotiation_request = 1, known_flags = 0x0b;
  constexpr uint32_t known_protocols = 0xf;
  constexpr std::string_view cookie_start = "Cookie: mstshash=", cookie_end = "\r\n";
  Bytes variable;
  if (!open_unit(unit, request, variable)) {
    return false;
  }
  RdpTransaction& transaction = open(to_server, Kind::initial_request);
  const std::string_view text = as_text(variable);
  const size_t end = text.find(cookie_end);
  if (text.starts_with(cookie_start) && end != text.npos) {
    const Bytes cookie = variable.first(end).subspan(cookie_start.size());
    if (is_utf8(as_text(cookie))) {
      transaction.has_cookie = true;
      transaction.cookie = transaction.keep(cookie);
      variable = variable.subspan(end + cookie_end.size());
    }
  }
  Negotiation negotiation;
  if (read_negotiation(variable, negotiation) && negotiation.type == negotiation_request &&
      (negotiation.flags & ~known_flags) == 0 && (negotiation.value & ~known_protocols) == 0) {
    transaction.has_negotiation = true;
    transaction.flags = negotiation.flags;
  }
  return true;
}

bool RdpParser::read_confirm(Bytes unit) {
  constexpr uint8_t confirm = 0xd0, response = 2, failure = 3, known_flags = 0x1f;
  constexpr uint32_t last_reason = 6;
  Bytes variable;
  if (!open_unit(unit, confirm, variable)) {
    return false;
  }
  RdpTransaction& transaction = open(to_client, Kind::initial_response);
  Negotiation negotiation;
  if (!read_negotiation(variable, negotiation)) {
    return true;
  }
  const bool is_response = negotiation.type == response && is_protocol(negotiation.value) &&
                           (negotiation.flags & ~known_flags) == 0;
  const bool is_failure =
      negotiation.type == failure && negotiation.value >= 1 && negotiation.value <= last_reason;
  transaction.has_negotiation = is_response || is_failure;
  transaction.is_refused = is_failure;
  transaction.flags = is_response ? negotiation.flags : 0;
  transaction.selected = negotiation.value;
  return true;
}

/// MCS connects within X.224 data (T.125, section 7, part 2).
void RdpParser::read_data(Direction direction, Bytes unit) {
  constexpr std::string_view data_header = "\x02\xf0\x80", request = "\x7f\x65",
                             response = "\x7f\x66";
  if (!as_text(unit).starts_with(data_header)) {
    return;
  }
  const Bytes content = unit.subspan(data_header.size());
  if (direction == to_server && as_text(content).starts_with(request)) {
    read_connect_request(content.subspan(request.size()));
  } else if (direction == to_client && as_text(content).starts_with(response)) {
    open(to_client, Kind::connect_response);
    pass_over();
  }
}

/// Client data blocks behind the H.221 key of the client (MS-RDPBCGR, section 2.2.1.3).
void RdpParser::read_connect_request(Bytes content) {
  constexpr std::string_view client_key = "Duca";
  constexpr uint16_t core_type = 0xc001, network_type = 0xc003, header_bytes = 4;
  const size_t key = as_text(content).find(client_key);
  if (key == std::string_view::npos) {
    return;
  }
  ByteReader outer(content.subspan(key + client_key.size()));
  size_t length = 0;
  if (!read_per_length(outer, length) || outer.left() < length) {
    return;
  }
  RdpTransaction& transaction = open(to_server, Kind::connect_request);
  ByteReader reader(outer.take(length));
  for (size_t i = 0; i < blocks_max && reader.left() != 0; ++i) {
    const uint16_t type = reader.little16();
    const uint16_t bytes = reader.little16();
    const Bytes block = reader.take(bytes < header_bytes ? SIZE_MAX : bytes - header_bytes);
    if (reader.failed()) {
      return;
    }
    if (type == core_type && block.size() >= core_bytes_min) {
      transaction.core = transaction.keep(block);
    } else if (type == network_type && block.size() >= 4) {
      const size_t count = std::min<size_t>(load_little32(block.data()), channels_max);
      const Bytes entries = block.subspan(4);
      const size_t whole = std::min(count, entries.size() / channel_bytes);
      transaction.channels = transaction.keep(entries.first(whole * channel_bytes));
    }
  }
}

RdpParser::Step RdpParser::take_record(Direction direction, Bytes bytes) {
  constexpr uint8_t first_type = 20, last_type = 24;
  if (bytes.size() < record_header_bytes) {
    return {.outcome = Outcome::needs_more, .bytes = record_header_bytes};
  }
  const size_t length = load_big16(bytes.data() + 3);
  const uint8_t type = bytes[0];
  if (length > record_bytes_max || type < first_type || type > last_type) {
    return {.outcome = Outcome::is_other};
  }
  const size_t record_bytes = record_header_bytes + length;
  if (bytes.size() < record_bytes) {
    return {.outcome = Outcome::needs_more, .bytes = record_bytes};
  }
  const Bytes content = bytes.first(record_bytes).subspan(record_header_bytes);
  if (type == handshake_record && !read_handshake(direction, content)) {
    return {.outcome = Outcome::is_other};
  }
  return {.bytes = record_bytes};
}

/// Messages that are whole in their record; the first must be.
bool RdpParser::read_handshake(Direction direction, Bytes content) {
  constexpr uint8_t certificate = 11;
  ByteReader reader(content);
  for (size_t count = 0; reader.left() != 0; ++count) {
    const uint8_t type = reader.u8();
    const size_t length = static_cast<size_t>(reader.u8()) << 16 | reader.big16();
    const Bytes message = reader.take(length);
    if (reader.failed() || !is_handshake_type(type)) {
      return count != 0;
    }
    if (type == certificate && direction == to_client && !read_certificates(message)) {
      return count != 0;
    }
  }
  return !content.empty();
}

bool RdpParser::read_certificates(Bytes message) {
  ByteReader reader(message);
  const size_t chain_bytes = static_cast<size_t>(reader.u8()) << 16 | reader.big16();
  ByteReader chain(reader.take(chain_bytes));
  if (reader.failed()) {
    return false;
  }
  RdpTransaction& transaction = open(to_client, Kind::tls_handshake);
  for (size_t i = 0; i < certificates_max && chain.left() != 0; ++i) {
    const size_t length = static_cast<size_t>(chain.u8()) << 16 | chain.big16();
    const Bytes certificate = chain.take(length);
    if (chain.failed()) {
      break;
    }
    transaction.certificates.push_back(transaction.keep(certificate));
  }
  pass_over();
  return true;
}

RdpTransaction& RdpParser::open(Direction direction, Kind kind) {
  RdpTransaction& transaction = session_.open<RdpTransaction>(kind, ++opened_);
  transaction.skip(opposite(direction));
  transaction.reach(direction, Progress::complete);
  return transaction;
}

void RdpParser::pass_over() {
  is_passed_over_ = true;
  session_.stop_parsing();
}

}  // namespace shrike::protocol
