#include "websocket.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

/// A frame; `mask` 0 stands for none.
Wire frame(uint8_t first, std::string_view payload, uint32_t mask = 0) {
  Wire wire{first, static_cast<uint8_t>(payload.size() | (mask != 0 ? 0x80u : 0u))};
  for (int shift = 24; mask != 0 && shift >= 0; shift -= 8) {
    wire.push_back(static_cast<uint8_t>(mask >> shift));
  }
  for (size_t i = 0; i < payload.size(); ++i) {
    wire.push_back(static_cast<uint8_t>(payload[i] ^ (mask >> (24 - 8 * (i % 4)))));
  }
  return wire;
}

Wire operator+(Wire first, const Wire& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// "Hello" compressed: the example of RFC 7692, section 7.2.3.1.
constexpr std::string_view packed_hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);

Wire conversation() {
  return frame(0x81, "whole", 0x12345678) + frame(0x01, "first, ") + frame(0x89, "ping") +
         frame(0x80, "last") + frame(0xc1, packed_hello);
}

std::vector<std::string> payloads_of(const Wire& wire, size_t cut_max) {
  Pool pool(16 << 20);
  const ProtocolOptions options;
  Session session(pool, options);
  const Datagram datagram;
  Tracked tracked;
  tracked.datagram = &datagram;
  session.attend(tracked);
  WebSocketParser parser(session);
  std::mt19937 random(5);
  Wire held;
  for (size_t at = 0; at < wire.size();) {
    const size_t count = std::min<size_t>(1 + random() % cut_max, wire.size() - at);
    held.insert(held.end(), wire.begin() + static_cast<ptrdiff_t>(at),
                wire.begin() + static_cast<ptrdiff_t>(at + count));
    at += count;
    const Consumed consumed = parser.parse({.direction = to_server, .bytes = held});
    held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(consumed.bytes));
  }
  std::vector<std::string> payloads;
  for (const AppTransaction* const each : session.transactions()) {
    EXPECT_TRUE(each->is_complete());
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    WebSocketParser::describe(*each, json);
    json.end_object();
    payloads.push_back(std::string(each->text(to_server, Field::websocket_payload)) + ' ' + text);
  }
  return payloads;
}

TEST(WebSocket, PutsMessagesTogether) {
  const std::vector<std::string> expected = {
      R"(whole {"websocket":{"fin":true,"mask":305419896,"opcode":"text"}})",
      R"(first,  {"websocket":{"fin":false,"opcode":"text"}})",
      R"(ping {"websocket":{"fin":true,"opcode":"ping"}})",
      R"(first, last {"websocket":{"fin":true,"opcode":"continuation"}})",
      R"(Hello {"websocket":{"fin":true,"opcode":"text"}})"};
  for (const size_t cut_max : {1000u, 1u, 2u, 5u, 9u}) {
    SCOPED_TRACE(cut_max);
    EXPECT_EQ(payloads_of(conversation(), cut_max), expected);
  }
}

TEST(WebSocket, SkipsTheEndOfALongFrame) {
  Wire wire{0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70};
  wire.resize(wire.size() + 70000, 'x');
  const std::vector<std::string> payloads = payloads_of(wire + frame(0x81, "next"), 3000);
  ASSERT_EQ(payloads.size(), 2u);
  EXPECT_EQ(payloads[0].find_first_not_of('x'), 0xffffu);
  EXPECT_EQ(payloads[1].substr(0, 4), "next");
}

TEST(WebSocketProbe, AsksForReservedBits) {
  const auto probe = websocket_row.probes[0].probe;
  EXPECT_EQ(probe(Wire{0xc1}, to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(Wire{0x91}, to_server), Probe::Answer::no);
}

}  // namespace
}  // namespace shrike::protocol
