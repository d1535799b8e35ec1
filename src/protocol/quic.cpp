#include "quic.h"

namespace shrike::protocol {

Consumed QuicParser::parse(const Input& input) {
  direction_ = input.direction;
  Bytes rest = input.bytes;
  while (!rest.empty()) {
    const auto header = read_quic_header(rest);
    if (!header) {
      return Consumed::broken();
    }
    const size_t packet_bytes = header->header_bytes + header->payload_bytes;
    if (!read_packet(*header, rest.first(packet_bytes))) {
      break;
    }
    rest = rest.subspan(packet_bytes);
  }
  return is_broken_ ? Consumed::broken() : Consumed::all(input);
}

bool QuicParser::read_packet(const QuicHeader& header, Bytes packet) {
  if (side().has_hello || header.type == QuicPacketType::short_header) {
    return false;  // nothing in the clear from here on
  }
  if (header.type == QuicPacketType::initial) {
    if (!keys_) {
      keys_ = quic_initial_keys(header.version, header.target);
    }
    return read_initial(header, packet);
  }
  if (header.type == QuicPacketType::retry && direction_ == Direction::to_client && keys_ &&
      !has_retried_) {
    // The client begins anew, with the server's connection id; once (RFC 9000 section 17.2.5.2).
    has_retried_ = true;
    sides_[static_cast<size_t>(Direction::to_server)].has_hello = false;
    keys_.reset();
  }
  finish(open(header));
  return true;
}

bool QuicParser::read_initial(const QuicHeader& header, Bytes packet) {
  Bytes frames = packet.subspan(header.header_bytes);
  PoolBytes opened(session_.pool());
  if (keys_ && !frames.empty()) {
    const QuicDirectionKeys& keys = keys_->by_direction[static_cast<size_t>(direction_)];
    if (!open_quic_packet(keys, packet, header.header_bytes, opened)) {
      fail(header, AppEvent::quic_failed_decrypt);
      return false;
    }
    frames = opened;
  }
  QuicTransaction& transaction = open(header);
  if (!read_frames(frames, transaction)) {
    transaction.raise(direction_, AppEvent::quic_error_on_data);
    is_broken_ = true;
  }
  finish(transaction);
  return !is_broken_;
}

QuicTransaction& QuicParser::open(const QuicHeader& header) {
  auto& transaction = session_.open<QuicTransaction>();
  transaction.protocol = AppProtocol::quic;
  transaction.is_client = direction_ == Direction::to_server;
  transaction.version = header.version;
  transaction.has_version = header.type != QuicPacketType::short_header;
  if (header.is_long) {
    transaction.add(direction_, Field::quic_version, header.version_bytes);
  }
  return transaction;
}

void QuicParser::finish(QuicTransaction& transaction) {
  transaction.skip(opposite(direction_));
  transaction.reach(direction_, Progress::complete);
}

void QuicParser::fail(const QuicHeader& header, AppEvent event) {
  QuicTransaction& transaction = open(header);
  transaction.raise(direction_, event);
  finish(transaction);
  is_broken_ = true;
}

namespace {

/// "Q043", "v2", or hexadecimal digits without zeros in front.
void write_version(JsonWriter& json, uint32_t version) {
  static constexpr char digits[] = "0123456789abcdef";
  using namespace quic_version;
  std::array<char, 8> text{};
  size_t count = 0;
  if (version == q039 || (version >= q043 && version <= q046)) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      text[count++] = static_cast<char>(version >> shift);
    }
  } else if (version == version2) {
    text[count++] = 'v';
    text[count++] = '2';
  } else {
    for (int shift = 28; shift >= 0; shift -= 4) {
      const unsigned digit = version >> shift & 15;
      if (digit != 0 || count > 0 || shift == 0) {
        text[count++] = digits[digit];
      }
    }
  }
  json.text("version", {text.data(), count});
}

void write_cyu(const QuicTransaction& quic, JsonWriter& json) {
  constexpr auto to_server = Direction::to_server;
  if (quic.find(to_server, Field::quic_cyu_hash) == nullptr) {
    return;
  }
  json.begin_array("cyu");
  std::string_view hash;
  for (const FieldValue& value : quic.values_in(to_server)) {
    if (value.field == Field::quic_cyu_hash) {
      hash = as_text(value.bytes);
    } else if (value.field == Field::quic_cyu_string) {
      json.begin_element_object();
      json.text("hash", hash);
      json.text("string", as_text(value.bytes));
      json.end_object();
    }
  }
  json.end_array();
}

void write_fingerprint(const QuicTransaction& quic, JsonWriter& json) {
  const Direction direction = quic.is_client ? Direction::to_server : Direction::to_client;
  const std::string_view text =
      quic.text(direction, quic.is_client ? Field::ja3_string : Field::ja3s_string);
  if (text.empty()) {
    return;
  }
  json.begin_object(quic.is_client ? "ja3" : "ja3s");
  json.text("hash", quic.text(direction, quic.is_client ? Field::ja3_hash : Field::ja3s_hash));
  json.text("string", text);
  json.end_object();
}

void write_if_any(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    json.text(key, value);
  }
}

Probe::Answer probe_quic(Bytes bytes, Direction) {
  return read_quic_header(bytes) ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr uint16_t ports[] = {443, 80};

constexpr Probe probes[] = {{.transport = ip_protocol::udp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 16,
                             .probe = probe_quic}};

}  // namespace

void QuicParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& quic = static_cast<const QuicTransaction&>(transaction);
  json.begin_object("quic");
  if (quic.has_version) {
    write_version(json, quic.version);
    write_if_any(json, "sni", quic.text(Direction::to_server, Field::quic_sni));
    write_if_any(json, "ua", quic.text(Direction::to_server, Field::quic_ua));
  }
  write_cyu(quic, json);
  write_fingerprint(quic, json);
  write_if_any(json, "ja4", quic.text(Direction::to_server, Field::ja4_hash));
  json.end_object();
}

constinit const ParserRow quic_row =
    row_of_parser<QuicParser>({.protocol = AppProtocol::quic, .probes = probes});

}  // namespace shrike::protocol
