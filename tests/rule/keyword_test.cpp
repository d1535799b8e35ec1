#include "keyword.h"

#include <gtest/gtest.h>

#include <set>

#include "project_files.h"
#include "shrike/model/app_event.h"
#include "shrike/model/decode_event.h"
#include "shrike/model/stream_event.h"
#include "shrike/rule.h"

namespace shrike::rule {
namespace {

using test::project_root;
using test::read_file;

TEST(Keywords, EveryNameOfTheLanguageIsInTheTable) {
  const std::string names = read_file(project_root() / "tests" / "rule" / "keyword_names.txt");
  size_t count = 0;
  for (size_t begin = 0; begin < names.size();) {
    const size_t end = names.find('\n', begin);
    const std::string name = names.substr(begin, end - begin);
    EXPECT_NE(find_keyword(name), nullptr) << name;
    ++count;
    begin = end + 1;
  }
  EXPECT_GE(count, 394U);
}

TEST(Keywords, NamesAreUniqueAndRowsAreComplete) {
  std::set<std::string_view> names;
  for (const KeywordGroup& group : keyword_groups()) {
    for (const Keyword& row : group.rows) {
      SCOPED_TRACE(row.name);
      EXPECT_TRUE(names.insert(row.name).second);
      EXPECT_NE(row.parse, nullptr);
      EXPECT_TRUE(row.meaning.ends_with('.'));
      EXPECT_EQ(row.need == ArgumentNeed::none, row.arguments.empty());
      EXPECT_EQ(find_keyword(row.name), &row);
      for (std::string_view rest = row.aliases; !rest.empty();) {
        const std::string_view alias = rest.substr(0, rest.find(' '));
        EXPECT_TRUE(names.insert(alias).second) << alias;
        EXPECT_EQ(find_keyword(alias), &row) << alias;
        rest.remove_prefix(std::min(alias.size() + 1, rest.size()));
      }
    }
  }
  EXPECT_EQ(find_keyword("no-such-keyword"), nullptr);
  EXPECT_EQ(find_keyword(""), nullptr);
}

TEST(Keywords, StatesFollowWhatIsFilled) {
  const std::pair<const char*, KeywordState> cases[] = {
      {"content", KeywordState::inspected},     {"tcp.hdr", KeywordState::inspected},
      {"base64_data", KeywordState::inspected}, {"frame", KeywordState::waits_for_field},
      {"tls.sni", KeywordState::inspected},     {"lua", KeywordState::not_inspected},
      {"geoip", KeywordState::inspected},       {"dataset", KeywordState::inspected},
      {"rawbytes", KeywordState::no_effect},
  };
  for (const auto& [name, state] : cases) EXPECT_EQ(state_of(*find_keyword(name)), state) << name;
}

/// The text between a heading's fences in rules/README.md.
std::string block_of(const std::string& readme, const std::string& heading) {
  const size_t at = readme.find("\n## " + heading + "\n");
  const size_t begin = readme.find("```text\n", at) + 8;
  return readme.substr(begin, readme.find("```", begin) - begin);
}

TEST(Keywords, TheReadmeShowsTheTable) {
  const std::string readme = read_file(project_root() / "rules" / "README.md");
  ASSERT_FALSE(readme.empty()) << "is SHRIKE_SOURCE_ROOT set?";
  EXPECT_EQ(block_of(readme, "Keywords"), keyword_list());
}

TEST(Keywords, TheReadmeShowsTheEvents) {
  const std::string readme = read_file(project_root() / "rules" / "README.md");
  std::string decode;
  for (unsigned i = 0; i < static_cast<unsigned>(DecodeEvent::count_); ++i) {
    decode += std::string(to_text(static_cast<DecodeEvent>(i))) + "\n";
  }
  EXPECT_EQ(block_of(readme, "Decode events"), decode);
  std::string stream;
  for (unsigned i = 0; i < static_cast<unsigned>(StreamEvent::count_); ++i) {
    stream += std::string(to_text(static_cast<StreamEvent>(i))) + "\n";
  }
  EXPECT_EQ(block_of(readme, "Stream events"), stream);
  std::string app;
  for (unsigned i = 0; i < static_cast<unsigned>(AppEvent::count_); ++i) {
    app += std::string(to_text(static_cast<AppEvent>(i))) + "\n";
  }
  EXPECT_EQ(block_of(readme, "Application events"), app);
}

}  // namespace
}  // namespace shrike::rule
