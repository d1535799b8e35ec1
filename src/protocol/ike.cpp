#include "ike.h"

#include <string>

#include "shrike/base/hex_text.h"

namespace shrike::protocol {

namespace {

using enum Direction;

/// RFC 2408, section 3.1, and RFC 7296, section 3.1.
struct IkeHeader {
  uint64_t initiator = 0;
  uint64_t responder = 0;
  uint8_t next_payload = 0;
  uint8_t major_version = 0;
  uint8_t minor_version = 0;
  uint8_t exchange_type = 0;
  uint8_t flags = 0;
  uint32_t message_id = 0;
  uint32_t length = 0;
};

constexpr uint8_t encrypted_flag = 0x01;
constexpr uint8_t association_payload = 1, key_exchange_payload = 4, nonce_payload = 10,
                  vendor_payload = 13;
/// Payloads and vendor identifiers of one message that are looked at.
constexpr size_t payloads_max = 64;
constexpr size_t attributes_max = 64;

IkeHeader read_header(ByteReader& reader) noexcept {
  IkeHeader header;
  header.initiator = reader.big64();
  header.responder = reader.big64();
  header.next_payload = reader.u8();
  const uint8_t version = reader.u8();
  header.major_version = version >> 4;
  header.minor_version = version & 0xf;
  header.exchange_type = reader.u8();
  header.flags = reader.u8();
  header.message_id = reader.big32();
  header.length = reader.big32();
  return header;
}

std::string spi_text(uint64_t spi) {
  uint8_t bytes[8];
  for (size_t i = 0; i < sizeof bytes; ++i) {
    bytes[i] = static_cast<uint8_t>(spi >> (56 - 8 * i));
  }
  return hex_text(bytes);
}

/// The next payload of a list: what a generic header (RFC 2408, section 3.2) stands in front of.
Bytes next_payload(ByteReader& reader, uint8_t& following) noexcept {
  following = reader.u8();
  reader.skip(1);
  const uint16_t length = reader.big16();
  constexpr uint16_t header_bytes = 4;
  return length < header_bytes ? Bytes{} : reader.take(length - header_bytes);
}

/// Attributes of the first transform of the first proposal (RFC 2408, sections 3.3 to 3.6).
void add_association(IkeTransaction& transaction, Bytes association) {
  constexpr size_t domain_and_situation_bytes = 8;
  uint8_t following = 0;
  ByteReader reader(association);
  reader.skip(domain_and_situation_bytes);
  ByteReader proposal(next_payload(reader, following));
  proposal.skip(2);
  const uint8_t spi_bytes = proposal.u8();
  proposal.skip(1 + size_t{spi_bytes});
  ByteReader transform(next_payload(proposal, following));
  transform.skip(4);
  for (size_t i = 0; i < attributes_max && transform.left() >= 4; ++i) {
    const uint16_t type = transform.big16();
    const uint16_t value_or_length = transform.big16();
    uint64_t value = value_or_length;
    if ((type & 0x8000) == 0) {
      const Bytes bytes = transform.take(value_or_length);
      if (bytes.size() != 4) {
        continue;
      }
      value = load_big32(bytes.data());
    }
    transaction.add_number(to_client, Field::ike_chosen_sa_attribute,
                           uint64_t{type & 0x7fffu} << 32 | value);
  }
}

void add_payload(IkeTransaction& transaction, Direction direction, uint8_t type, Bytes payload) {
  switch (type) {
    case association_payload:
      if (direction == to_client) {
        add_association(transaction, payload);
      }
      break;
    case key_exchange_payload:
      transaction.add(direction, Field::ike_key_exchange_payload, payload);
      transaction.add_number(direction, Field::ike_key_exchange_payload_length, payload.size());
      break;
    case nonce_payload:
      transaction.add(direction, Field::ike_nonce_payload, payload);
      transaction.add_number(direction, Field::ike_nonce_payload_length, payload.size());
      break;
    case vendor_payload:
      if (direction == to_server) {
        transaction.add(direction, Field::ike_vendor, hex_text(payload));
      }
      break;
    default:
      break;
  }
}

Probe::Answer probe_ike(Bytes bytes, Direction direction) {
  ByteReader reader(bytes);
  const IkeHeader header = read_header(reader);
  if (reader.failed()) {
    return Probe::Answer::no;
  }
  const bool is_known_exchange = header.exchange_type >= 34 && header.exchange_type <= 37;
  const bool is_second = header.major_version == 2 && header.minor_version == 0 &&
                         is_known_exchange && header.length == bytes.size();
  if (header.major_version != 1 && !is_second) {
    return Probe::Answer::no;
  }
  return header.responder == 0 && direction != to_server ? Probe::Answer::yes_reversed
                                                         : Probe::Answer::yes;
}

constexpr uint16_t ports[] = {500};
constexpr Probe probes[] = {{.transport = ip_protocol::udp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 16,
                             .probe = probe_ike}};

}  // namespace

constinit const ParserRow ike_row =
    row_of_parser<IkeParser>({.protocol = AppProtocol::ike, .probes = probes});

Consumed IkeParser::parse(const Input& input) {
  ByteReader reader(input.bytes);
  const IkeHeader header = read_header(reader);
  if (reader.failed() || (header.major_version != 1 && header.major_version != 2)) {
    return Consumed::all(input);
  }
  const Direction direction = input.direction;
  IkeTransaction& transaction = session_.open<IkeTransaction>();
  transaction.skip(opposite(direction));
  transaction.major_version = header.major_version;
  transaction.minor_version = header.minor_version;
  transaction.exchange_type = header.exchange_type;
  transaction.message_id = header.message_id;
  transaction.initiator = header.initiator;
  transaction.responder = header.responder;
  transaction.flags = header.flags;
  transaction.add_number(direction, Field::ike_exchtype, header.exchange_type);
  const bool is_client = direction == to_server;
  transaction.add(direction, is_client ? Field::ike_init_spi : Field::ike_resp_spi,
                  spi_text(is_client ? header.initiator : header.responder));
  if (header.major_version == 2) {
    read_second_version(transaction, direction, header.next_payload, reader.rest(), chosen_);
    transaction.chosen = chosen_;
  } else if ((header.flags & encrypted_flag) == 0) {
    uint8_t type = header.next_payload;
    for (size_t i = 0; i < payloads_max && type != 0 && reader.left() != 0; ++i) {
      uint8_t following = 0;
      const Bytes payload = next_payload(reader, following);
      if (reader.failed()) {
        transaction.raise(direction, AppEvent::ike_malformed_data);
        break;
      }
      add_payload(transaction, direction, type, payload);
      type = following;
    }
  }
  transaction.reach(direction, Progress::complete);
  return Consumed::all(input);
}

void IkeParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const IkeTransaction&>(each);
  json.begin_object("ike");
  json.number("version_major", transaction.major_version);
  json.number("version_minor", transaction.minor_version);
  json.text("init_spi", spi_text(transaction.initiator));
  json.text("resp_spi", spi_text(transaction.responder));
  json.number("message_id", transaction.message_id);
  json.number("exchange_type", transaction.exchange_type);
  if (transaction.major_version == 2) {
    describe_second_version(transaction, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
