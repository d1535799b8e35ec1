#include "krb5.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

/// DER: lengths take as few bytes as they need.
Wire element(uint8_t tag, const Wire& content) {
  Wire wire{tag};
  if (content.size() >= 0x80) {
    wire.push_back(0x82);
    wire.push_back(static_cast<uint8_t>(content.size() >> 8));
  }
  wire.push_back(static_cast<uint8_t>(content.size()));
  wire.insert(wire.end(), content.begin(), content.end());
  return wire;
}

Wire operator+(Wire first, const Wire& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Wire member(uint8_t number, const Wire& content) {
  return element(static_cast<uint8_t>(0xa0 | number), content);
}
Wire integer(uint8_t value) {
  return {2, 1, value};
}
Wire text(std::string_view value) {
  return element(0x1b, Wire(value.begin(), value.end()));
}
Wire name(std::string_view first, std::string_view second) {
  return element(0x30,
                 member(0, integer(1)) + member(1, element(0x30, text(first) + text(second))));
}
Wire encrypted(uint8_t type) {
  return element(0x30, member(0, integer(type)) + member(2, element(4, Wire(20, 7))));
}

Wire request() {
  const Wire body = element(
      0x30, member(0, element(3, {0, 1, 2, 3, 4})) + member(1, name("falcon", "peregrine")) +
                member(2, text("SHRIKE.EXAMPLE")) + member(3, name("krbtgt", "SHRIKE.EXAMPLE")));
  return element(0x6a,
                 element(0x30, member(1, {2, 1, 5}) + member(2, integer(10)) + member(4, body)));
}

Wire reply() {
  const Wire ticket =
      element(0x61, element(0x30, member(0, integer(5)) + member(1, text("SHRIKE.EXAMPLE")) +
                                      member(2, name("http", "nest")) + member(3, encrypted(23))));
  return element(0x6d, element(0x30, member(0, integer(5)) + member(1, integer(13)) +
                                         member(3, text("SHRIKE.EXAMPLE")) +
                                         member(4, name("falcon", "peregrine")) +
                                         member(5, ticket) + member(6, encrypted(18))));
}

Wire fault() {
  return element(0x7e, element(0x30, member(0, integer(5)) + member(1, integer(30)) +
                                         member(6, integer(25)) + member(10, name("krbtgt", "X"))));
}

Wire framed(const Wire& message) {
  return Wire{0, 0, static_cast<uint8_t>(message.size() >> 8),
              static_cast<uint8_t>(message.size())} +
         message;
}

struct Scene {
  explicit Scene(uint8_t transport) : session(pool, options), parser(session) {
    datagram.protocol = transport;
    tracked.datagram = &datagram;
    session.attend(tracked);
  }
  std::string described(size_t index) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    Krb5Parser::describe(*session.transactions()[index], json);
    json.end_object();
    return out;
  }

  Pool pool{16 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  Krb5Parser parser;
};

TEST(Krb5, ShowsRequestsRepliesAndErrors) {
  Scene scene(ip_protocol::udp);
  const Wire messages[] = {request(), reply(), fault()};
  scene.parser.parse({.direction = to_server, .bytes = messages[0]});
  scene.parser.parse({.direction = to_client, .bytes = messages[1]});
  scene.parser.parse({.direction = to_client, .bytes = messages[2]});
  ASSERT_EQ(scene.session.transactions().size(), 3u);
  EXPECT_EQ(scene.described(0),
            R"({"krb5":{"msg_type":"KRB_AS_REQ","cname":"falcon/peregrine",)"
            R"("realm":"SHRIKE.EXAMPLE","sname":"krbtgt/SHRIKE.EXAMPLE","encryption":"<none>",)"
            R"("weak_encryption":false}})");
  EXPECT_EQ(scene.described(1),
            R"({"krb5":{"msg_type":"KRB_TGS_REP","cname":"falcon/peregrine",)"
            R"("realm":"SHRIKE.EXAMPLE","sname":"http/nest","encryption":"18",)"
            R"("weak_encryption":false,"ticket_encryption":"23","ticket_weak_encryption":true}})");
  const AppTransaction& error = *scene.session.transactions()[2];
  EXPECT_EQ(error.find(to_client, Field::krb5_err_code)->number, 25u);
  EXPECT_EQ(error.find(to_client, Field::krb5_msg_type)->number, 30u);
  EXPECT_TRUE(error.skips[0]);
}

TEST(Krb5, GivesTheSameForAnySegmentation) {
  const Wire all = framed(reply()) + framed(fault()) + framed(reply());
  std::vector<std::string> whole;
  std::mt19937 random(9);
  for (unsigned round = 0; round < 30; ++round) {
    Scene scene(ip_protocol::tcp);
    Wire held;
    for (size_t at = 0; at < all.size();) {
      const size_t cut = round == 0 ? all.size() : round == 1 ? 1 : 1 + random() % 90;
      const size_t count = std::min(cut, all.size() - at);
      held.insert(held.end(), all.begin() + static_cast<ptrdiff_t>(at),
                  all.begin() + static_cast<ptrdiff_t>(at + count));
      at += count;
      const Consumed consumed = scene.parser.parse({.direction = to_client, .bytes = held});
      ASSERT_FALSE(consumed.is_broken);
      held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(consumed.bytes));
    }
    std::vector<std::string> seen;
    for (size_t i = 0; i < scene.session.transactions().size(); ++i) {
      seen.push_back(scene.described(i));
    }
    whole = round == 0 ? seen : whole;
    EXPECT_EQ(seen, whole);
  }
  EXPECT_EQ(whole.size(), 3u);
}

TEST(Krb5Probe, AsksForTheVersion) {
  const auto probe = krb5_row.probes[0].probe;
  EXPECT_EQ(probe(request(), to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(reply(), to_client), Probe::Answer::yes);
  EXPECT_EQ(probe(Wire(40, 0x6a), to_server), Probe::Answer::no);
  EXPECT_EQ(krb5_row.probes[1].probe(framed(request()), to_server), Probe::Answer::yes);
}

}  // namespace
}  // namespace shrike::protocol
