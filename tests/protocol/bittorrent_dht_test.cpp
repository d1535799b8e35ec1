#include "bittorrent_dht.h"

#include <gtest/gtest.h>

#include "bencode.h"
#include "conversation.h"

namespace shrike::protocol {
namespace {

using namespace std::string_literals;
using enum Direction;

constexpr std::string_view node = "abcdefghij0123456789";

struct Scene {
  Scene() : session(pool, options), parser(session) {}
  const AppTransaction* say(std::string_view text, Direction direction = to_server) {
    const size_t before = session.transactions().size();
    const Consumed consumed = parser.parse({.direction = direction, .bytes = as_bytes(text)});
    EXPECT_EQ(consumed.bytes, text.size());
    return session.transactions().size() == before ? nullptr : session.transactions().back();
  }
  Pool pool{1 << 20};
  ProtocolOptions options;
  Session session;
  DhtParser parser;
};

std::string described(const AppTransaction& transaction) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  DhtParser::describe(transaction, json);
  json.end_object();
  return text;
}

bool is_malformed(const AppTransaction& transaction) {
  return !transaction.events[0].empty() &&
         transaction.events[0].front() == AppEvent::bittorrent_dht_malformed_packet;
}

TEST(BittorrentDht, ShowsMessages) {
  struct Row {
    std::string text;
    std::string expected;
  };
  const std::string id = "2:id20:" + std::string(node);
  const std::string hex = "6162636465666768696a30313233343536373839";
  const Row rows[] = {
      {"d1:ad" + id +
           "12:implied_porti1e9:info_hash2:HH4:porti6881e5:token2:ttee1:q13:announce_peer1:t2:aa"
           "1:v4:UT011:y1:qe",
       ""},
      {"d1:ad" + id + "6:target2:TTe1:q9:find_node1:t2:aa1:y1:qe",
       R"({"bittorrent_dht":{"transaction_id":"6161","request_type":"find_node",)"
       R"("request":{"id":")" +
           hex + R"(","target":"5454"}}})"},
      {"d1:ad" + id +
           "12:implied_porti1e9:info_hash2:HH4:porti6881e5:token2:tte1:q13:announce_peer1:t2:aa"
           "1:v4:UT011:y1:qe",
       R"({"bittorrent_dht":{"transaction_id":"6161","client_version":"55543031",)"
       R"("request_type":"announce_peer","request":{"id":")" +
           hex + R"(","info_hash":"4848","token":"7474","implied_port":1,"port":6881}}})"},
      {"d1:rd" + id + "5:nodes28:" + std::string(node) + "\1\2\3\4\x1a\xe1xx" + "5:token1:t" +
           "6:valuesl6:\5\6\7\x08\0P18:0123456789abcdef\0Qee1:t2:aa1:y1:re"s,
       R"({"bittorrent_dht":{"transaction_id":"6161","response":{"id":")" + hex +
           R"(","nodes":[{"id":")" + hex +
           R"(","ip":"1.2.3.4","port":6881}],"values":[{"ip":"5.6.7.8","port":80},)"
           R"({"ip":"3031:3233:3435:3637:3839:6162:6364:6566","port":81}],"token":"74"}}})"},
      {"d1:eli201e5:Errore1:t2:aa1:y1:ee",
       R"({"bittorrent_dht":{"transaction_id":"6161","error":{"num":201,"msg":"Error"}}})"},
  };
  for (const Row& row : rows) {
    Scene scene;
    const AppTransaction* const transaction = scene.say(row.text);
    ASSERT_NE(transaction, nullptr);
    EXPECT_EQ(is_malformed(*transaction), row.expected.empty()) << row.text;
    if (!row.expected.empty()) {
      EXPECT_EQ(described(*transaction), row.expected);
    }
  }
}

TEST(BittorrentDht, FindsEveryCutMalformed) {
  const std::string whole = "d1:ad2:id20:" + std::string(node) + "e1:q4:ping1:t2:aa1:y1:qe";
  for (size_t bytes = 6; bytes < whole.size(); ++bytes) {
    Scene scene;
    const AppTransaction* const transaction = scene.say(whole.substr(0, bytes));
    ASSERT_NE(transaction, nullptr);
    EXPECT_TRUE(is_malformed(*transaction)) << bytes;
  }
}

TEST(BittorrentDht, FindsWhatIsMissingOrWrong) {
  const std::string start = "d1:ad2:id20:" + std::string(node) + "e";
  for (const std::string& rest :
       {"1:q4:ping1:t2:aa1:y1:ze"s, "1:q4:ping1:t2:aae"s, "1:q4:ping1:y1:qe"s, "1:t2:aa1:y1:qe"s,
        "1:q4:ping1:t2:aa1:y1:re"s, "1:t2:aa1:q4:ping1:y1:qe"s,
        "1:q1:\xff"
        "1:t2:aa1:y1:qe"s}) {
    Scene scene;
    const AppTransaction* const transaction = scene.say(start + rest);
    ASSERT_NE(transaction, nullptr);
    EXPECT_TRUE(is_malformed(*transaction)) << rest;
  }
}

TEST(BittorrentDht, LeavesOtherDatagramsAlone) {
  Scene scene;
  EXPECT_EQ(scene.say("\x21\0uTP"s), nullptr);
  EXPECT_EQ(scene.say("d1:ad"), nullptr);
}

TEST(BittorrentDht, IsToldByItsFirstQuery) {
  ProtocolParsers parsers(test::small_options());
  test::Conversation talk(parsers, {.transport = ip_protocol::udp, .server_port = 6881});
  const AppView* const view =
      talk.ask("d1:ad2:id20:" + std::string(node) + "e1:q4:ping1:t2:aa1:y1:qe");
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->protocol, AppProtocol::bittorrent_dht);
}

TEST(Bencode, IsStrict) {
  for (const std::string_view good :
       {"i0e", "i-7e", "4:spam", "le", "de", "d1:ai1e1:bi2ee", "ld1:aleee"}) {
    BencodeReader reader(as_bytes(good));
    reader.skip();
    EXPECT_FALSE(reader.failed()) << good;
  }
  for (const std::string_view bad :
       {"", "e", "ie", "i-0e", "i01e", "i1", "4:spa", "4spam", "l", "d1:ae", "di1ei1ee",
        "d1:bi1e1:ai2ee", "d1:ai1e1:ai2ee", "llllleeeee", "i9999999999999999999e", "x"}) {
    BencodeReader reader(as_bytes(bad));
    reader.skip();
    EXPECT_TRUE(reader.failed()) << bad;
  }
}

}  // namespace
}  // namespace shrike::protocol
