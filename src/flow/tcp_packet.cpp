#include "tcp_packet.h"

namespace shrike::flow {
namespace {

namespace option {
constexpr uint8_t end = 0, none = 1, window_scale = 3, sack_permitted = 4, sack = 5, timestamps = 8,
                  md5 = 19, authentication = 29, fast_open = 34, experiment1 = 253,
                  experiment2 = 254;
}
constexpr uint8_t window_scale_max = 14;
constexpr uint16_t fast_open_magic = 0xf989;
constexpr size_t header_bytes = 20;

bool is_fast_open_length(size_t bytes) noexcept {
  return bytes == 2 || (bytes >= 4 && bytes <= 18 && bytes % 2 == 0);
}

/// @param body the option without its kind and length bytes.
void read_option(uint8_t kind, Bytes body, TcpPacket& packet) noexcept {
  switch (kind) {
    case option::window_scale:
      if (body.size() == 1 && body[0] <= window_scale_max && !packet.has_window_scale) {
        packet.has_window_scale = true;
        packet.window_scale = body[0];
      }
      break;
    case option::sack_permitted:
      packet.sack_permitted = packet.sack_permitted || body.empty();
      break;
    case option::sack:
      if (!body.empty() && body.size() <= 32 && body.size() % 8 == 0 &&
          packet.sack_blocks.empty()) {
        packet.sack_blocks = body;
      }
      break;
    case option::timestamps:
      if (body.size() == 8 && !packet.has_timestamp) {
        packet.has_timestamp = true;
        packet.timestamp = load_big32(body.data());
        packet.timestamp_echo = load_big32(body.data() + 4);
      }
      break;
    case option::md5:
      packet.has_signature = packet.has_signature || body.size() == 16;
      break;
    case option::authentication:
      packet.has_signature = packet.has_signature || body.size() >= 2;
      break;
    case option::fast_open:
      packet.has_fast_open = packet.has_fast_open || is_fast_open_length(body.size() + 2);
      break;
    case option::experiment1:
    case option::experiment2:
      // RFC 6994: a magic number says whose experiment it is.
      if (body.size() >= 2 && load_big16(body.data()) == fast_open_magic) {
        packet.has_fast_open = packet.has_fast_open || is_fast_open_length(body.size());
      }
      break;
    default:
      break;
  }
}

void read_options(Bytes options, TcpPacket& packet) noexcept {
  ByteReader reader(options);
  while (reader.left() > 0) {
    const uint8_t kind = reader.u8();
    if (kind == option::none) {
      continue;
    }
    const uint8_t bytes = reader.u8();
    if (kind == option::end || reader.failed() || bytes < 2) {
      return;
    }
    const Bytes body = reader.take(bytes - size_t{2});
    if (reader.failed()) {
      return;
    }
    read_option(kind, body, packet);
  }
}

}  // namespace

void read_tcp(const Datagram& datagram, TcpPacket& packet) noexcept {
  packet.datagram = &datagram;
  packet.payload = datagram.payload;
  packet.length = static_cast<uint32_t>(datagram.payload.size());
  packet.flags = datagram.tcp_flags;
  packet.seconds = static_cast<uint32_t>(datagram.time_ns / 1'000'000'000);
  const Bytes header = datagram.transport_header;
  if (header.size() < header_bytes) {
    return;
  }
  packet.sequence = load_big32(header.data() + 4);
  packet.acknowledgement = load_big32(header.data() + 8);
  packet.window = load_big16(header.data() + 14);
  packet.urgent_pointer = load_big16(header.data() + 18);
  const Bytes options = header.subspan(header_bytes);
  // What nearly every segment of a modern system carries: two fillers and timestamps.
  if (options.size() == 12 && load_big32(options.data()) == 0x0101080a) [[likely]] {
    packet.has_timestamp = true;
    packet.timestamp = load_big32(options.data() + 4);
    packet.timestamp_echo = load_big32(options.data() + 8);
    return;
  }
  read_options(options, packet);
}

}  // namespace shrike::flow
