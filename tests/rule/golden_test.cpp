#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "project_files.h"
#include "shrike/rule.h"

namespace shrike::rule {
namespace {

namespace fs = std::filesystem;
using test::project_root;
using test::read_file;

fs::path golden_folder() {
  return project_root() / "tests" / "golden";
}

std::vector<fs::path> golden_cases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(golden_folder())) {
    if (entry.path().extension() == ".rules") cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

/// The file beside a case that has another extension; nothing where there is none.
std::optional<Source> companion(fs::path path, const char* extension) {
  path.replace_extension(extension);
  if (!fs::exists(path)) return std::nullopt;
  return Source{path.filename().string(), read_file(path)};
}

Options options_of(const fs::path& path) {
  std::string huge = "[10.0.0.1";
  for (int i = 0; i < 70000; ++i) huge += ",10.0.0.1";
  Options options;
  options.address_groups = {{"ALL", "any"}, {"LOOP", "[$LOOP,10.0.0.1]"}, {"HUGE", huge + "]"}};
  options.classification = companion(path, ".classification");
  if (!options.classification) {
    options.classification = {"classification.config", "config classification: known,Known,2\n"};
  }
  options.references = {"reference.config", "config reference: url https://\n"};
  options.thresholds = companion(path, ".threshold");
  options.reputation_categories = companion(path, ".categories");
  if (auto list = companion(path, ".reputation")) options.reputation_lists.push_back(*list);
  return options;
}

TEST(Golden, EveryFaultIsToldAsWritten) {
  const auto cases = golden_cases();
  ASSERT_GT(cases.size(), 70U) << "is SHRIKE_SOURCE_ROOT set?";
  fs::current_path(golden_folder());  // rules name files beside them
  for (const fs::path& path : cases) {
    SCOPED_TRACE(path.filename().string());
    const std::vector<Source> sources{{path.filename().string(), read_file(path)}};
    Diagnostics diagnostics;
    Report report;
    check(sources, options_of(path), diagnostics, report);
    fs::path expected = path;
    expected.replace_extension(".expected");
    EXPECT_EQ(diagnostics.text() + "\n", read_file(expected));
    EXPECT_EQ(report.rules_seen, report.rules_loaded + report.rules_failed + report.rules_skipped);
  }
}

/// The codes in calls of error(…) and warning(…): their first string, a word.
std::set<std::string> codes_in(const std::string& text) {
  std::set<std::string> codes;
  for (const std::string call : {"error(", "warning("}) {
    for (size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
      const size_t begin = text.find('"', at) + 1;
      const size_t end = text.find('"', begin);
      if (begin == 0 || end == std::string::npos) break;
      const std::string code = text.substr(begin, end - begin);
      const bool is_word =
          !code.empty() &&
          code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
      if (is_word) codes.insert(code);
    }
  }
  return codes;
}

TEST(Golden, EveryCodeHasACase) {
  std::set<std::string> codes;
  for (const auto& entry : fs::directory_iterator(project_root() / "src" / "rule")) {
    if (entry.is_regular_file()) codes.merge(codes_in(read_file(entry.path())));
  }
  ASSERT_GT(codes.size(), 60U);
  std::string all_expected;
  for (const fs::path& path : golden_cases()) {
    fs::path expected = path;
    expected.replace_extension(".expected");
    all_expected += read_file(expected);
  }
  for (const std::string& code : codes) {
    EXPECT_NE(all_expected.find("[" + code + "]"), std::string::npos) << code << " has no case";
  }
}

}  // namespace
}  // namespace shrike::rule
