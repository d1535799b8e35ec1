#include "thresholds.h"

#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::Parsed;

/// Thresholds of the rules, by sid, after the file was applied: "type track count seconds".
std::string thresholds_of(const std::string& file) {
  Options options;
  options.address_groups = {{"HOME_NET", "10.0.0.0/8"}};
  options.thresholds = {"threshold.config", file};
  const std::string own = "threshold:type limit, track by_src, count 1, seconds 60; ";
  const Parsed parsed(
      "alert ip any any -> any any (sid:1;)\n"
      "alert ip any any -> any any (" +
          own +
          "sid:2;)\n"
          "alert ip any any -> any any (gid:5; sid:3;)\n",
      options);
  if (parsed.diagnostics.errors() + parsed.diagnostics.warnings() != 0) {
    return parsed.diagnostics.text();
  }
  static constexpr const char* types[] = {"limit", "threshold", "both",   "detection_filter",
                                          "rate",  "suppress",  "backoff"};
  static constexpr const char* tracks[] = {"src", "dst", "both", "rule", "flow", "either"};
  std::string out;
  for (const Rule& rule : parsed.rules) {
    for (const Threshold& threshold : rule.info.thresholds) {
      out +=
          fmt::format("{}:{} {} {} {} {};", rule.info.sid, types[static_cast<int>(threshold.type)],
                      tracks[static_cast<int>(threshold.track)], threshold.count, threshold.seconds,
                      threshold.addresses.size());
    }
  }
  return out;
}

struct FileCase {
  const char* file;
  const char* thresholds;
};

TEST(Thresholds, TheFileIsPutOntoTheRules) {
  const std::string own = "2:limit src 1 60 0;";
  const FileCase cases[] = {
      {"# nothing\n\n", "2:limit src 1 60 0;"},
      {"suppress gen_id 1, sig_id 1\n", "1:suppress either 0 0 0;2:limit src 1 60 0;"},
      {"suppress gen_id 1, sig_id 1, track by_src, ip 1.2.3.4\n",
       "1:suppress src 0 0 1;2:limit src 1 60 0;"},
      {"suppress gen_id 1, sig_id 1, track by_dst, ip [1.2.3.4, 5.6.7.8,$HOME_NET]\n",
       "1:suppress dst 0 0 3;2:limit src 1 60 0;"},
      {"suppress gen_id 1, sig_id 1, track by_either, ip !$HOME_NET\n",
       "1:suppress either 0 0 3;2:limit src 1 60 0;"},
      {"suppress gen_id 0, sig_id 0, track by_src, ip 1.2.3.4\n",
       "1:suppress src 0 0 1;2:limit src 1 60 0;2:suppress src 0 0 1;3:suppress src 0 0 1;"},
      {"suppress gen_id 5, sig_id 0\n", "2:limit src 1 60 0;3:suppress either 0 0 0;"},
      // A threshold that names the rule takes the place of the rule's own; one for all does not.
      {"threshold gen_id 1, sig_id 2, type both, track by_dst, count 5, seconds 6\n",
       "2:both dst 5 6 0;"},
      {"event_filter gen_id 0, sig_id 0, type both, track by_rule, count 5, \\\n seconds 6\n",
       "1:both rule 5 6 0;2:limit src 1 60 0;3:both rule 5 6 0;"},
      {"rate_filter gen_id 1, sig_id 1, track by_both, count 5, seconds 6, new_action drop, "
       "timeout 7\n",
       "1:rate both 5 6 0;2:limit src 1 60 0;"},
      {"rate_filter gen_id 1, sig_id 2, track by_both, count 5, seconds 6, new_action drop, "
       "timeout 7\n",
       "2:limit src 1 60 0;"},
  };
  for (const FileCase& test : cases)
    EXPECT_EQ(thresholds_of(test.file), test.thresholds) << test.file;
}

TEST(Thresholds, RulesSayTheirOwn) {
  const std::pair<const char*, const char*> cases[] = {
      {"type limit, track by_src, count 1, seconds 60", ""},
      {"seconds 60, count 1, track by_flow, type both", ""},
      {"type backoff, track by_flow, count 1, multiplier 10", ""},
      {"type limit, track by_either, count 1, seconds 60", "threshold"},
      {"type limit, track by_src, count 1, seconds 60, timeout 3", "threshold"},
      {"type limit, track by_src, count x, seconds 60", "number"},
  };
  for (const auto& [value, code] : cases) {
    const Parsed parsed("alert ip any any -> any any (threshold:" + std::string(value) +
                        "; sid:1;)");
    const auto& all = parsed.diagnostics.all();
    EXPECT_EQ(all.empty() ? "" : all[0].code, code) << value;
  }
}

}  // namespace
}  // namespace shrike::rule
