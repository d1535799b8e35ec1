#include "shrike/base/diagnostics.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

TEST(Diagnostics, WritesFileLineColumnSeverityAndCode) {
  Diagnostics diagnostics;
  diagnostics.error({"web.rules", 12, 31}, "port", "'{}' is not a port, 0 to 65535", "http");
  diagnostics.warning({"web.rules", 13, 0}, "class", "unknown");
  diagnostics.note({}, "keys", "ignored");
  EXPECT_EQ(diagnostics.text(),
            "web.rules:12:31: error[port]: 'http' is not a port, 0 to 65535\n"
            "web.rules:13: warning[class]: unknown\n"
            "note[keys]: ignored");
  EXPECT_EQ(diagnostics.errors(), 1U);
  EXPECT_EQ(diagnostics.warnings(), 1U);
}

}  // namespace
}  // namespace shrike
