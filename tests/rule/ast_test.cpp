#include "ast.h"

#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::Scene;

TEST(Ast, KnowsEveryWordAndItsPlace) {
  Scene scene(
      "alert tcp [1.2.3.4, 5.6.7.8] any -> any [80, 81] (msg:\"a\\;b\"; nocase ; sid : 1;)");
  const auto node = parse_shape(scene.rule, scene.report);
  ASSERT_TRUE(node) << scene.diagnostics.text();
  EXPECT_EQ(tokens_text(*node, scene.rule),
            "test.rules:1:1 action alert\n"
            "test.rules:1:7 protocol tcp\n"
            "test.rules:1:11 source [1.2.3.4, 5.6.7.8]\n"
            "test.rules:1:30 source-port any\n"
            "test.rules:1:34 direction ->\n"
            "test.rules:1:37 target any\n"
            "test.rules:1:41 target-port [80, 81]\n"
            "test.rules:1:51 keyword msg\n"
            "test.rules:1:55 value \"a\\;b\"\n"
            "test.rules:1:63 keyword nocase\n"
            "test.rules:1:72 keyword sid\n"
            "test.rules:1:78 value 1\n");
  EXPECT_NE(to_text(*node, scene.rule).find("  1:51 option 'msg'\n    1:55 value"),
            std::string::npos);
}

TEST(Ast, OptionsMayFollowTheHeaderWithoutABlank) {
  Scene scene("alert tcp any any -> any any(sid:1;)");
  const auto node = parse_shape(scene.rule, scene.report);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->target_port.text, "any");
  EXPECT_EQ(node->options.size(), 1U);
}

TEST(Ast, ARuleMayHaveNoOptions) {
  Scene scene("alert tcp any any -> any any ()");
  const auto node = parse_shape(scene.rule, scene.report);
  ASSERT_TRUE(node);
  EXPECT_TRUE(node->options.empty());
}

}  // namespace
}  // namespace shrike::rule
