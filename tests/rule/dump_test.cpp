#include <gtest/gtest.h>

#include "shrike/rule.h"

namespace shrike::rule {
namespace {

const std::vector<Source> sources{{"d.rules",
                                   "alert tcp any any -> any 80 (content:\"a\"; depth:4; sid:7;)\n"
                                   "alert ip any any -> any any (sid:8;)\n"}};

std::string dumped(Stage stage, std::optional<uint32_t> sid) {
  Diagnostics diagnostics;
  std::string text = dump(sources, {}, stage, sid, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  return text;
}

TEST(Dump, EveryStageIsText) {
  EXPECT_EQ(dumped(Stage::tokens, 8),
            "d.rules:2:1 action alert\n"
            "d.rules:2:7 protocol ip\n"
            "d.rules:2:10 source any\n"
            "d.rules:2:14 source-port any\n"
            "d.rules:2:18 direction ->\n"
            "d.rules:2:21 target any\n"
            "d.rules:2:25 target-port any\n"
            "d.rules:2:30 keyword sid\n"
            "d.rules:2:34 value 8\n");
  EXPECT_TRUE(dumped(Stage::ast, 7).starts_with("rule d.rules:1:1\n  1:1 action 'alert'\n"));
  EXPECT_EQ(dumped(Stage::ir, 7),
            "rule 1:7:0 alert packet-and-stream priority 3 needs-packet needs-stream\n"
            "  message \"\"\n"
            "  header protocols 6 from any any -> any 80\n"
            "  buffer payload\n"
            "    content \"a\" depth 4\n");
  EXPECT_FALSE(dumped(Stage::program, 7).empty());
  EXPECT_FALSE(dumped(Stage::groups, std::nullopt).empty());
}

TEST(Dump, AnUnknownSidGivesNothing) {
  for (const Stage stage : {Stage::tokens, Stage::ast, Stage::ir}) {
    EXPECT_EQ(dumped(stage, 99), "");
  }
}

}  // namespace
}  // namespace shrike::rule
