#include "websocket.h"

#include <algorithm>
#include <string>

#include "http_decompress.h"

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr uint8_t fin_flag = 0x80;
constexpr uint8_t compressed_flag = 0x40;
constexpr uint8_t control_opcode = 0x8;
/// Of a message that is kept (Suricata: max-payload-size).
constexpr size_t payload_bytes_max = 0xffff;
/// A message may not unpack to more.
constexpr size_t unpacked_bytes_max = 1 << 20;

/// Reserved bits are zero, but the one that says "compressed".
Probe::Answer probe_frame(Bytes bytes, Direction) {
  if (bytes.empty()) {
    return Probe::Answer::more;
  }
  return (bytes[0] & 0x30) == 0 ? Probe::Answer::yes : Probe::Answer::no;
}

/// No ports: only asked where HTTP has announced it.
constexpr Probe probes[] = {
    {.transport = ip_protocol::tcp, .bytes_min = 0, .bytes_max = 16, .probe = probe_frame}};

bool take_unpacked(void* context, Bytes bytes) {
  auto& unpacked = *static_cast<PoolBytes*>(context);
  const size_t room = unpacked_bytes_max - unpacked.size();
  const Bytes more = bytes.first(std::min(room, bytes.size()));
  unpacked.insert(unpacked.end(), more.begin(), more.end());
  return more.size() == bytes.size();
}

}  // namespace

constinit const ParserRow websocket_row =
    row_of_parser<WebSocketParser>({.protocol = AppProtocol::websocket, .probes = probes});

size_t WebSocketParser::read_frame(Bytes bytes, Frame& frame, size_t& needed) {
  ByteReader reader(bytes);
  frame.first = reader.u8();
  const uint8_t second = reader.u8();
  frame.is_masked = (second & 0x80) != 0;
  uint64_t length = second & 0x7f;
  if (length == 126) {
    length = reader.big16();
  } else if (length == 127) {
    length = reader.big64();
  }
  frame.mask = frame.is_masked ? reader.big32() : 0;
  if (reader.failed()) {
    needed = bytes.size() + 1;
    return 0;
  }
  const auto kept = static_cast<size_t>(std::min<uint64_t>(length, payload_bytes_max));
  frame.skip_bytes = length - kept;
  const size_t header_bytes = bytes.size() - reader.left();
  if (reader.left() < kept) {
    needed = header_bytes + kept;
    return 0;
  }
  frame.payload = reader.take(kept);
  return header_bytes + kept;
}

Consumed WebSocketParser::parse(const Input& input) {
  Lane& lane = lanes_[static_cast<size_t>(input.direction)];
  Bytes left = input.bytes;
  const auto take_skipped = [&] {
    const auto skipped = static_cast<size_t>(std::min<uint64_t>(lane.skip_bytes, left.size()));
    lane.skip_bytes -= skipped;
    left = left.subspan(skipped);
  };
  take_skipped();
  while (!left.empty()) {
    Frame frame;
    size_t needed = 0;
    const size_t taken = read_frame(left, frame, needed);
    if (taken == 0) {
      return {input.bytes.size() - left.size(), needed};
    }
    left = left.subspan(taken);
    take_frame(input.direction, frame);
    lane.skip_bytes = frame.skip_bytes;
    take_skipped();
  }
  return Consumed::all(input);
}

/// Frames of a message are put together; control frames may stand between them.
void WebSocketParser::take_frame(Direction direction, const Frame& frame) {
  Lane& lane = lanes_[static_cast<size_t>(direction)];
  WebSocketTransaction& transaction = session_.open<WebSocketTransaction>();
  transaction.skip(opposite(direction));
  transaction.flags = frame.first & 0xf0;
  transaction.opcode = frame.first & 0x0f;
  transaction.is_masked = frame.is_masked;
  transaction.mask = frame.mask;
  transaction.add_number(direction, Field::websocket_opcode, transaction.opcode);
  transaction.add_number(direction, Field::websocket_flags, transaction.flags);
  if (frame.is_masked) {
    transaction.add_number(direction, Field::websocket_mask, frame.mask);
  }
  if (frame.skip_bytes != 0) {
    transaction.raise(direction, AppEvent::websocket_skip_end_of_payload);
  }
  PoolBytes payload(frame.payload.begin(), frame.payload.end(), session_.pool());
  for (size_t i = 0; frame.is_masked && i < payload.size(); ++i) {
    payload[i] ^= static_cast<uint8_t>(frame.mask >> (24 - 8 * (i % 4)));
  }
  const bool is_final = (frame.first & fin_flag) != 0;
  bool is_compressed = (frame.first & compressed_flag) != 0;
  if ((transaction.opcode & control_opcode) == 0 && (!lane.message.empty() || !is_final)) {
    lane.is_compressed = lane.message.empty() ? is_compressed : lane.is_compressed;
    const size_t room = payload_bytes_max - std::min(payload_bytes_max, lane.message.size());
    const size_t more = std::min(room, payload.size());
    if (more < payload.size()) {
      transaction.raise(direction, AppEvent::websocket_reassembly_limit_reached);
    }
    lane.message.insert(lane.message.end(), payload.begin(),
                        payload.begin() + static_cast<ptrdiff_t>(more));
    is_compressed = lane.is_compressed;
    if (is_final) {
      payload.swap(lane.message);
      lane.message.clear();
    }
  }
  add_payload(transaction, direction, payload, is_final && is_compressed);
  transaction.reach(direction, Progress::complete);
}

void WebSocketParser::add_payload(WebSocketTransaction& transaction, Direction direction,
                                  PoolBytes& payload, bool is_compressed) {
  if (is_compressed) {
    // RFC 7692, section 7.2.2: the sender left these four bytes out.
    constexpr uint8_t tail[] = {0, 0, 0xff, 0xff};
    payload.insert(payload.end(), std::begin(tail), std::end(tail));
    PoolBytes unpacked(session_.pool());
    const DecodedSink sink{&unpacked, take_unpacked};
    ContentDecoder decoder(session_.pool());
    decoder.add_layer(ContentCoding::deflate);
    decoder.decode(payload, sink);
    decoder.finish(sink);
    if (!unpacked.empty()) {
      payload.swap(unpacked);
    }
  }
  transaction.add(direction, Field::websocket_payload, payload);
}

void WebSocketParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const WebSocketTransaction&>(each);
  std::string opcode;
  switch (transaction.opcode) {
    case 0:
      opcode = "continuation";
      break;
    case 1:
      opcode = "text";
      break;
    case 2:
      opcode = "binary";
      break;
    case 8:
      opcode = "connection_close";
      break;
    case 9:
      opcode = "ping";
      break;
    case 10:
      opcode = "pong";
      break;
    default:
      opcode = "unknown-" + std::to_string(transaction.opcode);
      break;
  }
  json.begin_object("websocket");
  json.boolean("fin", (transaction.flags & fin_flag) != 0);
  if (transaction.is_masked) {
    json.number("mask", transaction.mask);
  }
  json.text("opcode", opcode);
  json.end_object();
}

}  // namespace shrike::protocol
