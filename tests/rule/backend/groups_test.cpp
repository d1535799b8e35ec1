#include <gtest/gtest.h>

#include <algorithm>

#include "backend/dump.h"
#include "shrike/model/ruleset.h"
#include "shrike/rule.h"

namespace shrike::rule {
namespace {

RuleSet compiled(const char* text) {
  Diagnostics diagnostics;
  Report report;
  auto rules = compile({{"test.rules", text}}, {}, diagnostics, report);
  EXPECT_TRUE(rules.has_value()) << diagnostics.text();
  return std::move(*rules);
}

/// Whether a datagram to or from this server port meets the rule at all.
bool meets(const RuleSet& rules, uint32_t sid, Direction direction, uint16_t server_port) {
  Datagram datagram;
  datagram.ip_version = 4;
  datagram.protocol = ip_protocol::tcp;
  (direction == Direction::to_server ? datagram.target_port : datagram.source_port) = server_port;
  const std::string name =
      rules.tables().groups[group_of(rules.tables(), datagram, direction)].name;
  return dump_groups(rules.tables(), sid).find("(" + name + ")") != std::string::npos;
}

TEST(Groups, HoldTheRulesOfTheirDirectionAndPort) {
  const RuleSet rules = compiled(
      R"(alert tcp any any -> any any (content:"any"; sid:1;)
alert tcp any any -> any 80 (content:"eighty"; sid:2;)
alert tcp any any -> any any (flow:to_client; content:"answer"; sid:3;)
alert tcp any any -> any [7000:7100] (content:"rare"; sid:4;)
alert tcp any any -> any any (pcre:"/open/"; sid:5;)
alert udp any any -> any any (content:"udp"; sid:6;))");
  constexpr Direction to_server = Direction::to_server;
  constexpr Direction to_client = Direction::to_client;
  const struct {
    uint32_t sid;
    Direction direction;
    uint16_t port;
    bool meets;
  } cases[] = {
      {1, to_server, 80, true},   {1, to_client, 80, true},    {2, to_server, 80, true},
      {2, to_server, 443, false}, {3, to_client, 80, true},    {3, to_server, 80, false},
      {4, to_server, 7050, true}, {4, to_server, 80, false},   {4, to_server, 50000, false},
      {5, to_server, 7050, true}, {6, to_server, 7050, false},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(std::to_string(each.sid) + " " + std::to_string(each.port));
    EXPECT_EQ(meets(rules, each.sid, each.direction, each.port), each.meets);
  }
}

TEST(Groups, ShareWhatIsEqual) {
  const RuleSet rules = compiled(
      R"(alert tcp any any -> any any (content:"any"; sid:1;)
alert tcp any any -> any 80 (flow:to_server; content:"eighty"; sid:2;)
alert tcp any any -> any 25 (flow:to_server; content:"eighty"; sid:3;))");
  const RuleTables& tables = rules.tables();
  // "any" is compiled once for all groups of both directions; the two rules on "eighty" differ.
  EXPECT_EQ(tables.databases.size(), 3u);
  EXPECT_TRUE(std::all_of(tables.databases.begin(), tables.databases.end(),
                          [](const auto& each) { return each.first_rule.size() == 2; }));
}

TEST(Groups, LeaveDormantRulesOut) {
  const RuleSet rules = compiled(
      R"(alert irc any any -> any any (content:"sleeps"; sid:1;)
alert tcp any any -> any any (content:"wakes"; sid:2;))");
  EXPECT_EQ(rules.infos().size(), 2u);
  EXPECT_EQ(dump_groups(rules.tables(), 1), "");
  EXPECT_NE(dump_groups(rules.tables(), 2), "");
}

TEST(Programs, AreShownAsText) {
  const RuleSet rules = compiled(
      R"(alert tcp any any -> any 80 (flow:established,to_server; content:"a|00|b"; nocase; )"
      R"(offset:2; content:"c"; within:5; flowbits:set,seen; sid:7;))");
  EXPECT_EQ(dump_programs(rules.tables(), 7),
            "rule 0 sid 7 packet_and_stream needs payload flow established to_server\n"
            "  in payload\n"
            "    content \"a|00|b\" offset 2 nocase anchors retries\n"
            "    content \"c\" within 5 last\n"
            "  then 0 #0 0\n");
}

}  // namespace
}  // namespace shrike::rule
