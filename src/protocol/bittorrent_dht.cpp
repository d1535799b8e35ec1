#include "bittorrent_dht.h"

#include <string>

#include "bencode.h"
#include "shrike/base/hex_text.h"

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr std::string_view first_query = "d1:ad2:id20:";
constexpr std::array<Pattern, 2> patterns{{
    {.transport = ip_protocol::udp, .text = first_query, .depth = first_query.size()},
    {.transport = ip_protocol::udp,
     .direction = to_client,
     .text = first_query,
     .depth = first_query.size()},
}};

constexpr size_t node_id_bytes = 20, port_bytes = 2, ipv4_bytes = 4, ipv6_bytes = 16;

/// Other datagrams of such a flow are left alone: µTP runs on the same ports.
bool is_message(Bytes bytes) noexcept {
  constexpr size_t prefix_bytes = 5;
  if (bytes.size() <= prefix_bytes) {
    return false;
  }
  const std::string_view prefix = as_text(bytes.first(prefix_bytes));
  return prefix == "d1:ad" || prefix == "d1:rd" || prefix == "d2:ip" || prefix == "d1:el";
}

/// What a message holds, borrowed from its datagram; a null Bytes is absent.
struct Message {
  Bytes kind, query, id, version;
  bool has_arguments = false, has_reply = false, has_error = false;
};

constexpr bool is_there(Bytes bytes) noexcept {
  return bytes.data() != nullptr;
}

/// A text that must be UTF-8. @return false where it is none, or not there.
bool read_utf8(BencodeReader& reader, Bytes& to) noexcept {
  to = reader.text();
  return !reader.failed() && is_utf8(as_text(to));
}

bool read_arguments(BencodeReader& reader, DhtTransaction& transaction) {
  Bytes last, node;
  reader.open_dictionary();
  while (!reader.ends()) {
    const std::string_view key = as_text(reader.key(last));
    if (key == "id") {
      node = reader.text();
    } else if (key == "target") {
      transaction.target = transaction.keep(reader.text());
      transaction.has_target = true;
    } else if (key == "info_hash") {
      transaction.info_hash = transaction.keep(reader.text());
      transaction.has_info_hash = true;
    } else if (key == "token") {
      transaction.token = transaction.keep(reader.text());
      transaction.has_token = true;
    } else if (key == "implied_port") {
      transaction.implied_port = static_cast<uint8_t>(reader.number_to(UINT8_MAX));
      transaction.has_implied_port = true;
    } else if (key == "port") {
      transaction.port = reader.number_to(UINT16_MAX);
      transaction.has_port = true;
    } else {
      reader.skip();
    }
  }
  transaction.request_node = transaction.keep(node);
  return !reader.failed() && is_there(node);
}

bool read_peers(BencodeReader& reader, DhtTransaction& transaction) {
  if (reader.peek() != BencodeReader::Kind::list) {
    reader.skip();
    return true;
  }
  reader.open_list();
  while (!reader.ends()) {
    const Bytes peer = reader.text();
    if (reader.failed() || peer.size() < ipv4_bytes + port_bytes) {
      return false;
    }
    const bool is_ipv6 = peer.size() >= ipv6_bytes + port_bytes;
    transaction.peers.push_back(
        transaction.keep(peer.first((is_ipv6 ? ipv6_bytes : ipv4_bytes) + port_bytes)));
  }
  return true;
}

bool read_reply(BencodeReader& reader, DhtTransaction& transaction) {
  Bytes last, node;
  reader.open_dictionary();
  while (!reader.ends()) {
    const std::string_view key = as_text(reader.key(last));
    if (key == "id") {
      node = reader.text();
    } else if (key == "nodes") {
      transaction.nodes = transaction.keep(reader.text());
    } else if (key == "nodes6") {
      transaction.nodes6 = transaction.keep(reader.text());
    } else if (key == "values") {
      if (!read_peers(reader, transaction)) {
        return false;
      }
    } else if (key == "token") {
      transaction.token = transaction.keep(reader.text());
      transaction.has_token = true;
    } else {
      reader.skip();
    }
  }
  transaction.response_node = transaction.keep(node);
  return !reader.failed() && is_there(node);
}

bool read_error(BencodeReader& reader, DhtTransaction& transaction) {
  bool has_number = false, has_text = false;
  Bytes text;
  reader.open_list();
  while (!reader.ends()) {
    switch (reader.peek()) {
      case BencodeReader::Kind::number:
        transaction.error_number = reader.number_to(UINT16_MAX);
        has_number = true;
        break;
      case BencodeReader::Kind::text:
        if (!read_utf8(reader, text)) {
          return false;
        }
        transaction.error_text = transaction.keep(text);
        has_text = true;
        break;
      default:
        reader.skip();
        break;
    }
  }
  return !reader.failed() && has_number && has_text;
}

/// One pair of the message. @return false where it is malformed.
bool read_pair(BencodeReader& reader, std::string_view key, Message& message,
               DhtTransaction& transaction) {
  if (key == "y") {
    return read_utf8(reader, message.kind);
  }
  if (key == "q") {
    return read_utf8(reader, message.query);
  }
  if (key == "a") {
    message.has_arguments = true;
    return read_arguments(reader, transaction);
  }
  if (key == "r") {
    message.has_reply = true;
    return read_reply(reader, transaction);
  }
  if (key == "e") {
    message.has_error = true;
    return read_error(reader, transaction);
  }
  if (key == "t") {
    message.id = reader.text();
  } else if (key == "v") {
    message.version = reader.text();
  } else {
    reader.skip();
  }
  return !reader.failed();
}

/// The kind that a message says it is decides what it must hold, and what is shown of it.
bool choose_kind(const Message& message, DhtTransaction& transaction) {
  const std::string_view kind = as_text(message.kind);
  if (kind == "q") {
    transaction.request_type = transaction.keep(message.query);
    transaction.has_request = is_there(message.query) && message.has_arguments;
    return transaction.has_request;
  }
  if (kind == "r") {
    transaction.has_response = message.has_reply;
    return message.has_reply;
  }
  if (kind == "e") {
    transaction.has_error = message.has_error;
    return message.has_error;
  }
  return false;
}

bool read_message(Bytes bytes, DhtTransaction& transaction) {
  BencodeReader reader(bytes);
  Message message;
  Bytes last;
  reader.open_dictionary();
  while (!reader.ends()) {
    const std::string_view key = as_text(reader.key(last));
    if (reader.failed() || !read_pair(reader, key, message, transaction)) {
      return false;
    }
  }
  if (reader.failed() || !choose_kind(message, transaction) || !is_there(message.id)) {
    return false;
  }
  transaction.id = transaction.keep(message.id);
  transaction.has_version = is_there(message.version);
  transaction.version = transaction.keep(message.version);
  return true;
}

}  // namespace

constinit const ParserRow bittorrent_dht_row =
    row_of_parser<DhtParser>({.protocol = AppProtocol::bittorrent_dht, .patterns = patterns});

Consumed DhtParser::parse(const Input& input) {
  if (!is_message(input.bytes)) {
    return Consumed::all(input);
  }
  DhtTransaction& transaction = session_.open<DhtTransaction>();
  transaction.skip(opposite(input.direction));
  if (!read_message(input.bytes, transaction)) {
    transaction.raise(input.direction, AppEvent::bittorrent_dht_malformed_packet);
  }
  transaction.reach(input.direction, Progress::complete);
  return Consumed::all(input);
}

namespace {

/// As the reference writes them: IPv6 in full, every group with its four digits.
std::string address_text(Bytes address) {
  std::string text;
  if (address.size() == ipv4_bytes) {
    for (const uint8_t byte : address) {
      text += (text.empty() ? "" : ".") + std::to_string(byte);
    }
    return text;
  }
  for (size_t i = 0; i < address.size(); i += 2) {
    text += (text.empty() ? "" : ":") + hex_text(address.subspan(i, 2));
  }
  return text;
}

void describe_endpoint(Bytes endpoint, JsonWriter& json) {
  const size_t address_bytes = endpoint.size() - port_bytes;
  json.text("ip", address_text(endpoint.first(address_bytes)));
  json.number("port", load_big16(endpoint.data() + address_bytes));
}

void describe_nodes(std::string_view key, Bytes nodes, size_t address_bytes, JsonWriter& json) {
  const size_t node_bytes = node_id_bytes + address_bytes + port_bytes;
  if (nodes.size() < node_bytes) {
    return;
  }
  json.begin_array(key);
  for (; nodes.size() >= node_bytes; nodes = nodes.subspan(node_bytes)) {
    json.begin_element_object();
    json.hex("id", nodes.first(node_id_bytes));
    describe_endpoint(nodes.first(node_bytes).subspan(node_id_bytes), json);
    json.end_object();
  }
  json.end_array();
}

void describe_request(const DhtTransaction& transaction, JsonWriter& json) {
  json.begin_object("request");
  json.hex("id", transaction.request_node);
  if (transaction.has_target) {
    json.hex("target", transaction.target);
  }
  if (transaction.has_info_hash) {
    json.hex("info_hash", transaction.info_hash);
  }
  if (transaction.has_token) {
    json.hex("token", transaction.token);
  }
  if (transaction.has_implied_port) {
    json.number("implied_port", transaction.implied_port);
  }
  if (transaction.has_port) {
    json.number("port", transaction.port);
  }
  json.end_object();
}

void describe_response(const DhtTransaction& transaction, JsonWriter& json) {
  json.begin_object("response");
  json.hex("id", transaction.response_node);
  describe_nodes("nodes", transaction.nodes, ipv4_bytes, json);
  describe_nodes("nodes6", transaction.nodes6, ipv6_bytes, json);
  if (!transaction.peers.empty()) {
    json.begin_array("values");
    for (const Bytes peer : transaction.peers) {
      json.begin_element_object();
      describe_endpoint(peer, json);
      json.end_object();
    }
    json.end_array();
  }
  if (transaction.has_token) {
    json.hex("token", transaction.token);
  }
  json.end_object();
}

}  // namespace

void DhtParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const DhtTransaction&>(each);
  json.begin_object("bittorrent_dht");
  json.hex("transaction_id", transaction.id);
  if (transaction.has_version) {
    json.hex("client_version", transaction.version);
  }
  if (transaction.has_request) {
    json.text("request_type", as_text(transaction.request_type));
  }
  if (transaction.has_error) {
    json.begin_object("error");
    json.number("num", transaction.error_number);
    json.text("msg", as_text(transaction.error_text));
    json.end_object();
  }
  if (transaction.has_request) {
    describe_request(transaction, json);
  }
  if (transaction.has_response) {
    describe_response(transaction, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
