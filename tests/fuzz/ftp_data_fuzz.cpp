// FTP's data connections, announced by a control connection. Input: one byte that chooses command
// and mode, the file's name behind a byte of length, then blocks: a byte of flags (bit 0: to the
// client, 1: the direction ends, 2: a gap of that length, 3: the transactions are inspected) and
// two bytes of length.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>

#include "shrike/base/check.h"
#include "shrike/protocol.h"

using namespace shrike;
using namespace shrike::protocol;

namespace {

constexpr uint16_t data_port = 5 * 256 + 6;

ProtocolOptions options() {
  ProtocolOptions made;
  made.flow_slots = 2;
  made.memory_bytes_max = 64u << 20;
  made.file_digests = {true, true, true};
  made.file_storing = FileStoring::all;
  made.stored_file_bytes_max = 4096;
  return made;
}

/// One TCP flow of the engine, fed chunk by chunk.
class Flow {
 public:
  Flow(ProtocolParsers& parsers, uint32_t slot, uint16_t client_port, uint16_t server_port)
      : parsers_(parsers), slot_(slot) {
    datagram_.protocol = ip_protocol::tcp;
    datagram_.has_transport = true;
    datagram_.ip_version = 4;
    tracked_.datagram = &datagram_;
    tracked_.flow.opened = true;
    tracked_.flow.eve_id = slot + 1;
    tracked_.flow.client_port = client_port;
    tracked_.flow.server_port = server_port;
    tracked_.flow.tcp_state = TcpState::established;
    std::ranges::copy(as_bytes("client-address-0"), tracked_.flow.client.bytes.begin());
    std::ranges::copy(as_bytes("server-address-0"), tracked_.flow.server.bytes.begin());
  }

  const AppView* say(Direction direction, Bytes bytes, uint32_t gap_bytes = 0,
                     bool is_end = false) {
    uint64_t& offset = offsets_[static_cast<size_t>(direction)];
    AppChunk chunk{.direction = direction, .is_end = is_end, .offset = offset};
    chunk.gap_bytes = gap_bytes;
    chunk.bytes = gap_bytes != 0 ? Bytes{} : bytes;
    offset += chunk.gap_bytes + chunk.bytes.size();
    tracked_.flow.id = FlowId(slot_, opposite(direction));
    const AppView* const view = parsers_.parse(tracked_, {&chunk, 1});
    tracked_.flow.opened = false;
    return view;
  }
  const AppView* say(Direction direction, const std::string& text) {
    return say(direction, as_bytes(text));
  }
  void settle() { parsers_.settle(tracked_); }
  [[nodiscard]] FlowId id() const { return tracked_.flow.id; }

 private:
  ProtocolParsers& parsers_;
  uint32_t slot_;
  Datagram datagram_;
  Tracked tracked_;
  std::array<uint64_t, 2> offsets_{};
};

/// A control connection up to the command that opens the data connection.
void announce(Flow& control, uint8_t choice, const std::string& name) {
  static constexpr const char* commands[] = {"RETR", "STOR", "APPE", "STOU",
                                             "LIST", "NLST", "MLSD"};
  const bool is_active = (choice & 128) != 0;
  control.say(Direction::to_client, "220 ready\r\n");
  control.say(Direction::to_server, "USER a\r\n");
  control.say(Direction::to_client, "331 and\r\n");
  control.say(Direction::to_server, is_active ? "PORT 99,108,105,101,5,6\r\n" : "PASV\r\n");
  control.say(Direction::to_client, is_active ? "200 so\r\n" : "227 it is (99,1,2,3,5,6).\r\n");
  control.say(Direction::to_server,
              std::string(commands[choice % std::size(commands)]) + " " + name + "\r\n");
  control.say(Direction::to_client, "150 now\r\n");
}

void inspect(ProtocolParsers& parsers, Flow& data, const AppView* view) {
  std::string text;
  for (const Transaction* const each : view->transactions) {
    JsonWriter json(text);
    json.begin_object();
    parsers.describe(*each, json);
    parsers.describe_files(*each, Direction::to_client, json);
    for (size_t i = 0; i < parsers.count_files(*each); ++i) {
      while (const auto piece = parsers.next_file_piece(data.id(), *each, i, 7, false)) {
        check(piece->offset + piece->bytes.size() <= 4096, "no more is stored than was allowed");
      }
    }
    for (size_t side = 0; side < 2; ++side) {
      each->notes[side].is_done |= each->progress[side] == Progress::complete;
    }
  }
  data.settle();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static ProtocolParsers parsers(options());
  ByteReader reader({data, size});
  const uint8_t choice = reader.u8();
  const size_t name_bytes = reader.u8();
  const Bytes name = reader.take(std::min(name_bytes, reader.left()));
  Flow control(parsers, 0, 40000, 21);
  announce(control, choice, std::string(as_text(name)));
  const bool is_active = (choice & 128) != 0;
  Flow transfer(parsers, 1, is_active ? 20 : 40001, data_port);
  while (reader.left() > 3) {
    const uint8_t flags = reader.u8();
    const uint32_t length = reader.big16();
    const bool is_gap = (flags & 4) != 0;
    const Bytes bytes = is_gap ? Bytes{} : reader.take(std::min<size_t>(length, reader.left()));
    const AppView* const view = transfer.say(static_cast<Direction>(flags & 1), bytes,
                                             is_gap ? length : 0, (flags & 2) != 0);
    if (view != nullptr && (flags & 8) != 0) {
      inspect(parsers, transfer, view);
    }
  }
  for (const uint32_t slot : {0u, 1u}) {
    parsers.release(FlowId(slot, Direction::to_server));
  }
  parsers.reset();
  return 0;
}
