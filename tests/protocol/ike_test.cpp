#include "ike.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

Wire operator+(Wire first, const Wire& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Wire header(uint8_t next, uint8_t version, uint8_t exchange, uint8_t flags) {
  return Wire{1, 2, 3, 4, 5, 6, 7, 8, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11} +
         Wire{next, version, exchange, flags, 0, 0, 0, 9, 0, 0, 0, 28};
}

Wire payload(uint8_t next, const Wire& content) {
  return Wire{next, 0, 0, static_cast<uint8_t>(content.size() + 4)} + content;
}

/// A proposal with one transform: AES with keys of 128 bits for 86400 seconds.
Wire association() {
  const Wire attributes = {0x80, 1, 0, 7, 0x80, 14, 0, 128, 0, 12, 0, 4, 0, 1, 0x51, 0x80};
  const Wire transform = payload(0, Wire{1, 1, 0, 0} + attributes);
  return Wire{0, 0, 0, 1, 0, 0, 0, 1} + payload(0, Wire{1, 1, 0, 1} + transform);
}

struct Scene {
  Scene() : session(pool, options), parser(session) {
    tracked.datagram = &datagram;
    session.attend(tracked);
  }
  Pool pool{1 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  IkeParser parser;
};

TEST(Ike, ShowsPayloadsOfTheFirstVersion) {
  Scene scene;
  const Wire message = header(1, 0x10, 2, 0) + payload(13, association()) +
                       payload(4, {0xab, 0xcd}) + payload(10, {7, 7, 7}) + payload(0, {9, 9});
  scene.parser.parse({.direction = to_client, .bytes = message});
  scene.parser.parse({.direction = to_server, .bytes = message});
  ASSERT_EQ(scene.session.transactions().size(), 2u);
  const AppTransaction& reply = *scene.session.transactions()[0];
  EXPECT_EQ(reply.text(to_client, Field::ike_resp_spi), "0a0b0c0d0e0f1011");
  std::vector<uint64_t> attributes;
  for (const FieldValue& value : reply.values_in(to_client)) {
    if (value.field == Field::ike_chosen_sa_attribute) {
      attributes.push_back(value.number);
    }
  }
  const std::vector<uint64_t> expected = {uint64_t{1} << 32 | 7, uint64_t{14} << 32 | 128,
                                          uint64_t{12} << 32 | 86400};
  EXPECT_EQ(attributes, expected);
  EXPECT_EQ(reply.find(to_client, Field::ike_key_exchange_payload)->bytes.size(), 3u);
  EXPECT_EQ(reply.find(to_client, Field::ike_nonce_payload_length)->number, 2u);
  const AppTransaction& request = *scene.session.transactions()[1];
  EXPECT_EQ(request.text(to_server, Field::ike_init_spi), "0102030405060708");
  EXPECT_EQ(request.text(to_server, Field::ike_vendor), "abcd");
  EXPECT_EQ(request.find(to_server, Field::ike_exchtype)->number, 2u);
}

TEST(Ike, TellsPayloadsThatAreCutOff) {
  Scene scene;
  const Wire message = header(4, 0x10, 2, 0) + Wire{0, 0, 0, 99, 1};
  scene.parser.parse({.direction = to_server, .bytes = message});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.session.transactions()[0]->events[0].front(), AppEvent::ike_malformed_data);
}

TEST(IkeProbe, AsksForAVersion) {
  const auto probe = ike_row.probes[0].probe;
  EXPECT_EQ(probe(header(1, 0x10, 2, 0), to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(header(1, 0x20, 34, 0), to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(header(1, 0x20, 2, 0), to_server), Probe::Answer::no);
  EXPECT_EQ(probe(header(1, 0x30, 34, 0), to_server), Probe::Answer::no);
}

}  // namespace
}  // namespace shrike::protocol
