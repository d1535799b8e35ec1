#include "order.h"

#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::Parsed;

std::vector<uint32_t> order_of(const std::vector<std::string>& rules, Options options = {}) {
  std::string text;
  for (const std::string& rule : rules) text += rule + "\n";
  const Parsed parsed(text, std::move(options));
  std::vector<uint32_t> sids;
  for (const Rule& rule : parsed.rules) sids.push_back(rule.info.sid);
  return sids;
}

std::string rule(const std::string& options, uint32_t sid, const std::string& action = "alert") {
  return action + " tcp any any -> any any (" + options + " sid:" + std::to_string(sid) + ";)";
}

using Sids = std::vector<uint32_t>;

TEST(Order, ActionsFirst) {
  const std::vector<std::string> rules{rule("", 1), rule("", 2, "reject"), rule("", 3, "drop"),
                                       rule("", 4, "pass")};
  EXPECT_EQ(order_of(rules), (Sids{4, 3, 2, 1}));
  Options options;
  options.action_order = {"alert", "drop", "pass", "reject"};
  EXPECT_EQ(order_of(rules, options), (Sids{1, 3, 4, 2}));
}

TEST(Order, SettersBeforeReaders) {
  const char* const kinds[][3] = {
      {"flowbits:set,a;", "flowbits:isset,a;", "flowbits:set,a; flowbits:isnotset,b;"},
      {"flowint:ab,+,1;", "flowint:ab,>,1;", "flowint:ab,+,1; flowint:ab,>,1;"},
      {"pcre:\"/(?P<flow_ab>a)/\";", "flowvar:ab,x;", "pcre:\"/(?P<flow_ab>a)/\"; flowvar:ab,x;"},
      {"pcre:\"/(?P<pkt_ab>a)/\";", "pktvar:ab,x;", "pcre:\"/(?P<pkt_ab>a)/\"; pktvar:ab,x;"},
      {"hostbits:set,a;", "hostbits:isset,a;", "hostbits:set,a; hostbits:isset,b;"},
      {"xbits:set,a,track ip_pair;", "xbits:isset,a,track ip_pair;",
       "xbits:set,a,track ip_pair; xbits:isset,b,track ip_pair;"},
  };
  for (const auto& [setter, reader, both] : kinds) {
    EXPECT_EQ(order_of({rule("", 1), rule(reader, 2), rule(both, 3), rule(setter, 4)}),
              (Sids{4, 3, 2, 1}))
        << setter;
  }
}

TEST(Order, ThenPriorityThenSid) {
  EXPECT_EQ(order_of({rule("priority:3;", 1), rule("priority:1;", 9), rule("priority:1;", 5)}),
            (Sids{5, 9, 1}));
  // Bits weigh more than priority, the action more than bits.
  EXPECT_EQ(order_of({rule("priority:1;", 1), rule("flowbits:isset,a; priority:3;", 2),
                      rule("priority:9;", 3, "pass")}),
            (Sids{3, 2, 1}));
}

}  // namespace
}  // namespace shrike::rule
