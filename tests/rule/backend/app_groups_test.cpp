#include <gtest/gtest.h>

#include "shrike/model/ruleset.h"
#include "shrike/rule.h"

namespace shrike::rule {
namespace {

RuleSet compiled(const char* text) {
  Diagnostics diagnostics;
  Report report;
  Options options;
  options.assume_inspected = true;
  auto rules = compile({{"test.rules", text}}, options, diagnostics, report);
  EXPECT_TRUE(rules.has_value() && report.rules_failed == 0) << diagnostics.text();
  return std::move(*rules);
}

const AppGroup& group_of(const RuleSet& rules, Direction direction, AppProtocol protocol) {
  return rules.tables().app_groups[static_cast<size_t>(direction)][static_cast<size_t>(protocol)];
}

/// "field transforms literals" of each buffer, and how many rules have no literal.
std::string shape_of(const RuleSet& rules, Direction direction, AppProtocol protocol) {
  const AppGroup& group = group_of(rules, direction, protocol);
  std::string text;
  for (const AppGroup::Buffer& buffer : group.buffers) {
    const RuleTables& tables = rules.tables();
    size_t literals = 0;
    if (buffer.layer.database != no_index) {
      literals += tables.databases[buffer.layer.database].rules.size();
    }
    if (buffer.layer.anchors != no_index) {
      literals += tables.anchors[buffer.layer.anchors].entries.size();
    }
    text += std::string(to_text(buffer.field)) + " " +
            std::to_string(tables.transform_lists[buffer.transforms].size()) + " " +
            std::to_string(literals) + ", ";
  }
  return text + "open " + std::to_string(group.open_rules.size());
}

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

TEST(AppGroups, FileRulesByDirectionProtocolAndField) {
  const RuleSet rules = compiled(
      R"(alert http any any -> any any (http.uri; content:"/one"; sid:1;)
alert http any any -> any any (http.uri; content:"/two"; startswith; sid:2;)
alert http1 any any -> any any (http.method; content:"GET"; http.uri; content:"/three"; sid:3;)
alert http any any -> any any (http.header; content:"Both"; sid:4;)
alert http any any -> any any (http.stat_code; content:!"200"; sid:5;)
alert dns any any -> any any (dns.query; dotprefix; content:".example"; sid:6;)
alert dns any any -> any any (dns.query; content:"example"; sid:7;))");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::http1),
            "http.uri 0 3, http.header 0 1, open 0");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::http2),
            "http.uri 0 2, http.header 0 1, open 0");
  EXPECT_EQ(shape_of(rules, to_client, AppProtocol::http1), "http.header 0 1, open 1");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::dns), "dns.query 0 1, dns.query 1 1, open 0");
  EXPECT_EQ(shape_of(rules, to_client, AppProtocol::dns), "open 0");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::doh2),
            shape_of(rules, to_server, AppProtocol::dns));
}

TEST(AppGroups, HoldNoRuleThatThePayloadFinds) {
  const RuleSet rules =
      compiled(R"(alert http any any -> any any (content:"payload"; fast_pattern; )"
               R"(http.uri; content:"/"; sid:1;))");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::http1), "open 0");
  EXPECT_EQ(group_of(rules, to_server, AppProtocol::http1).rules, 1U);
  size_t literals = 0;
  for (const LiteralDatabase& database : rules.tables().databases) {
    literals += database.rules.size();
  }
  EXPECT_EQ(literals, 1U);  // a content without a place in a TCP rule: of the stream alone
}

TEST(AppGroups, TryEventsAndNumbersWithEveryTransaction) {
  const RuleSet rules = compiled(
      R"(alert http any any -> any any (app-layer-event:http.missing_host_header; sid:1;)
alert dns any any -> any any (dns.opcode:4; sid:2;)
alert tcp any any -> any any (app-layer-event:applayer_unexpected_protocol; sid:3;))");
  EXPECT_EQ(shape_of(rules, to_client, AppProtocol::http1), "open 1");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::dns), "open 1");
  const RuleTables& tables = rules.tables();
  for (size_t i = 0; i < tables.rules.size(); ++i) {
    const CompiledRule& rule = tables.rules[i];
    if (tables.infos[i].sid == 3) {
      EXPECT_EQ(rule.kind, VerifyKind::packet);
      EXPECT_EQ(tables.packet_instructions[rule.packet_index].opcode, PacketOpcode::app_event);
      continue;
    }
    EXPECT_EQ(rule.kind, VerifyKind::transaction);
    ASSERT_EQ(rule.buffer_count, 1U);
    EXPECT_EQ(
        tables.buffer_programs[rule.buffer_index].source,
        tables.infos[i].sid == 1 ? BufferProgram::Source::event : BufferProgram::Source::number);
  }
}

TEST(AppGroups, PreferFieldsToPayloadAndSkipWhatMayBeAbsent) {
  const RuleSet rules = compiled(
      R"(alert http any any -> any any (content:"a long payload"; http.uri; content:"/ab"; sid:1;)
alert http any any -> any any (http.method; content:"POSTPOST"; http.uri; content:"/xy"; sid:2;)
alert http any any -> any any (http.referer; absent:or_else; )"
      R"(content:"longest"; http.uri; content:"/z"; sid:3;))");
  EXPECT_EQ(shape_of(rules, to_server, AppProtocol::http1), "http.uri 0 3, open 0");
}

}  // namespace
}  // namespace shrike::rule
