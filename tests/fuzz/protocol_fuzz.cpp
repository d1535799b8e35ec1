// Any flow, any chunks through all parsers: the first bytes choose transport and ports, then each
// command says whose bytes follow, how many, and what else happens.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "shrike/protocol.h"

using namespace shrike;
using namespace shrike::protocol;

namespace {

constexpr uint16_t ports[] = {80,   443, 53,   25,   21,  22,    445,  139,  5060, 88,   389,
                              2049, 502, 1883, 3389, 123, 161,   69,   500,  67,   111,  110,
                              143,  23,  5432, 5353, 135, 20000, 5355, 6881, 5900, 44818};

ProtocolOptions options() {
  ProtocolOptions made;
  made.flow_slots = 2;
  made.memory_bytes_max = 64u << 20;
  return made;
}

struct Command {
  Direction direction;
  bool is_end;
  bool is_gap;
  bool settles;
  uint32_t bytes;
};

Command read_command(ByteReader& reader) {
  const uint8_t flags = reader.u8();
  const auto direction = (flags & 1) != 0 ? Direction::to_client : Direction::to_server;
  const uint32_t bytes = (flags & 16) != 0 ? reader.big16() : reader.u8();
  return {direction, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0, bytes};
}

void inspect(ProtocolParsers& parsers, const Tracked& tracked, const AppView* view) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  for (const Transaction* const each : view->transactions) {
    parsers.describe(*each, json);
    for (size_t side = 0; side < 2; ++side) {
      each->notes[side].is_done |= each->progress[side] == Progress::complete;
    }
  }
  parsers.settle(tracked);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static ProtocolParsers parsers(options());
  ByteReader reader({data, size});
  const uint8_t head = reader.u8();
  Datagram datagram;
  datagram.protocol = (head & 1) != 0 ? ip_protocol::udp : ip_protocol::tcp;
  datagram.has_transport = true;
  datagram.ip_version = 4;
  Tracked tracked;
  tracked.datagram = &datagram;
  tracked.flow.opened = true;
  tracked.flow.is_midstream = (head & 2) != 0;
  tracked.flow.client_port = 40000;
  tracked.flow.server_port = ports[reader.u8() % std::size(ports)];
  tracked.flow.tcp_state = TcpState::established;
  uint64_t offsets[2] = {0, 0};
  while (reader.left() != 0) {
    const Command command = read_command(reader);
    const Bytes bytes = reader.take(std::min<size_t>(command.bytes, reader.left()));
    const bool is_udp = datagram.protocol == ip_protocol::udp;
    auto& offset = offsets[static_cast<size_t>(command.direction)];
    AppChunk chunk{.direction = command.direction, .is_end = command.is_end, .offset = offset};
    chunk.gap_bytes = command.is_gap ? command.bytes : 0;
    chunk.bytes = chunk.gap_bytes != 0 ? Bytes{} : bytes;
    offset += chunk.gap_bytes + chunk.bytes.size();
    datagram.payload = is_udp ? bytes : Bytes{};
    tracked.flow.id = FlowId(0, is_udp ? command.direction : opposite(command.direction));
    const std::span<const AppChunk> chunks{&chunk, is_udp ? size_t{0} : size_t{1}};
    const AppView* const view = parsers.parse(tracked, chunks);
    tracked.flow.opened = false;
    if (view != nullptr && command.settles) {
      inspect(parsers, tracked, view);
    }
    if (parsers.wishes().swap_sides) {
      std::swap(offsets[0], offsets[1]);
      std::swap(tracked.flow.client_port, tracked.flow.server_port);
    }
  }
  parsers.release(FlowId(0, Direction::to_server));
  parsers.reset();
  return 0;
}
