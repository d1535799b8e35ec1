#include "ike.h"

#include <gtest/gtest.h>

#include <algorithm>
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

Wire transform(uint8_t type, uint8_t id, bool is_last = false) {
  return Wire{static_cast<uint8_t>(is_last ? 0 : 3), 0, 0, 8, type, 0, 0, id};
}

/// One proposal (RFC 7296, section 3.3.1).
Wire proposal(uint8_t protocol, uint8_t count, const Wire& transforms) {
  return Wire{0, 0, 0, static_cast<uint8_t>(8 + transforms.size()), 1, protocol, 0, count} +
         transforms;
}

bool has_event(const AppTransaction& transaction, Direction direction, AppEvent event) {
  const auto events = transaction.events[static_cast<size_t>(direction)];
  return std::find(events.begin(), events.end(), event) != events.end();
}

TEST(IkeSecond, JudgesProposals) {
  struct Row {
    uint8_t protocol;
    Wire transforms;
    std::vector<AppEvent> expected;
  };
  const Row rows[] = {
      {1, transform(1, 12) + transform(2, 5) + transform(3, 12) + transform(4, 14, true), {}},
      {1, transform(1, 20) + transform(2, 5) + transform(4, 31, true), {}},
      {1,
       transform(1, 3) + transform(2, 2) + transform(3, 2) + transform(4, 2, true),
       {AppEvent::ike_weak_crypto_enc, AppEvent::ike_weak_crypto_prf,
        AppEvent::ike_weak_crypto_auth, AppEvent::ike_weak_crypto_dh}},
      {2,
       transform(1, 12) + transform(2, 0) + transform(3, 0) + transform(9, 7, true),
       {AppEvent::ike_invalid_proposal, AppEvent::ike_unknown_proposal,
        AppEvent::ike_weak_crypto_no_dh, AppEvent::ike_no_encryption,
        AppEvent::ike_weak_crypto_no_auth}},
  };
  for (const Row& row : rows) {
    Scene scene;
    const auto count = static_cast<uint8_t>(row.transforms.size() / 8);
    scene.parser.parse({.direction = to_server,
                        .bytes = header(33, 0x20, 34, 8) +
                                 payload(0, proposal(row.protocol, count, row.transforms))});
    const AppTransaction& transaction = *scene.session.transactions().back();
    EXPECT_EQ(transaction.events[0].size(), row.expected.size());
    for (const AppEvent event : row.expected) {
      EXPECT_TRUE(has_event(transaction, to_server, event)) << static_cast<int>(event);
    }
  }
}

std::string described(const AppTransaction& transaction) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  IkeParser::describe(transaction, json);
  json.end_object();
  return text;
}

TEST(IkeSecond, ShowsWhatTheResponderChose) {
  Scene scene;
  const Wire transforms =
      transform(1, 12) + transform(2, 9) + transform(3, 12) + transform(4, 31, true);
  const Wire message = header(33, 0x20, 34, 0x20) + payload(41, proposal(1, 4, transforms)) +
                       payload(99, {0, 0, 0, 14}) + payload(0, {1});
  scene.parser.parse({.direction = to_client, .bytes = message});
  const AppTransaction& transaction = *scene.session.transactions().back();
  std::vector<uint64_t> attributes;
  for (const FieldValue& value : transaction.values_in(to_client)) {
    if (value.field == Field::ike_chosen_sa_attribute) {
      attributes.push_back(value.number);
    }
  }
  const std::vector<uint64_t> expected = {uint64_t{1} << 32 | 12, uint64_t{13} << 32 | 9,
                                          uint64_t{3} << 32 | 12, uint64_t{4} << 32 | 31};
  EXPECT_EQ(attributes, expected);
  EXPECT_EQ(described(transaction),
            R"({"ike":{"version_major":2,"version_minor":0,"init_spi":"0102030405060708",)"
            R"("resp_spi":"0a0b0c0d0e0f1011","message_id":9,"exchange_type":34,"role":"responder",)"
            R"("alg_enc":"ENCR_AES_CBC","alg_auth":"AUTH_HMAC_SHA2_256_128",)"
            R"x("alg_prf":"IkeTransformPRFType(9 / 0x9)","alg_dh":"Curve25519","alg_esn":"NoESN",)x"
            R"x("payload":["SecurityAssociation","Notify","IkePayloadType(99 / 0x63)",)x"
            R"("NoNextPayload"],"ikev2":{"errors":1,"notify":["NO_PROPOSAL_CHOSEN"]}}})");
}

TEST(IkeSecond, ShowsNothingOfAMessageThatIsNotWhole) {
  const Wire good = payload(40, proposal(1, 1, transform(1, 3, true)));
  for (const Wire& bad : {Wire{0, 0, 0, 3}, Wire{0, 0, 0, 99, 1}, Wire{0}}) {
    Scene scene;
    scene.parser.parse({.direction = to_server, .bytes = header(33, 0x20, 34, 8) + good + bad});
    const AppTransaction& transaction = *scene.session.transactions().back();
    EXPECT_TRUE(transaction.events[0].empty());
    EXPECT_NE(described(transaction).find(R"("payload":[],"ikev2":{"errors":0})"),
              std::string::npos);
  }
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
