#include <cstdint>
#include <string>
#include <vector>

#include "shrike/base/check.h"
#include "shrike/rule.h"

/// Any bytes as a file of rules, and as a file of thresholds for them: read, checked, linted.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shrike;
  const std::string text(reinterpret_cast<const char*>(data), size);
  rule::Options options;
  options.address_groups = {{"HOME_NET", "[10.0.0.0/8,!10.1.0.0/16]"}, {"LOOP", "![$LOOP,$LOOP]"}};
  options.port_groups = {{"HTTP_PORTS", "[80,8080:8090]"}};
  options.thresholds = rule::Source{"thresholds", text};
  Diagnostics diagnostics;
  rule::Report report;
  rule::check({{"rules", text}}, options, diagnostics, report);
  check(report.rules_seen == report.rules_loaded + report.rules_failed + report.rules_skipped,
        "every rule is loaded, failed or skipped");
  return 0;
}
