#include "pgsql.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;

std::string framed(char type, std::string_view content) {
  std::string wire(1, type);
  wire += std::string(3, '\0') + static_cast<char>(content.size() + 4);
  return wire + std::string(content);
}

std::vector<Said> conversation() {
  using namespace std::string_view_literals;
  return {client("\0\0\0\x13\0\3\0\0user\0oryx\0\0"sv),
          server(framed('R', "\0\0\0\0"sv) + framed('Z', "I")),
          client(framed('Q', "SELECT 1;\0"sv)),
          server(framed('D', "\0\1\0\0\0\1x"sv) + framed('C', "SELECT 1\0"sv) + framed('Z', "I")),
          client(framed('X', ""))};
}

TEST(Pgsql, TellsQueriesHoweverTheyAreCut) {
  Talk<PgsqlParser> whole;
  whole.say(conversation());
  EXPECT_EQ(whole.session.opened(), 3u);
  EXPECT_EQ(whole.session.transactions()[1]->text(Direction::to_server, Field::pgsql_query),
            "SELECT 1;");
  EXPECT_EQ(whole.describe(1),
            R"({"pgsql":{"tx_id":2,"request":{"simple_query":"SELECT 1;"},)"
            R"("response":{"data_rows":1,"data_size":1,"command_completed":"SELECT 1"}}})");
  for (const Cut& cut : {Cut{1}, Cut{7, true}, Cut{20, true}}) {
    Talk<PgsqlParser> parts;
    parts.say(conversation(), cut);
    EXPECT_EQ(parts.dump(), whole.dump());
  }
}

TEST(Pgsql, NamesAnUnknownStartupMalformed) {
  using namespace std::string_view_literals;
  Talk<PgsqlParser> talk;
  talk.say({client("\0\0\0\x08\0\xff\0\xff"sv)});
  EXPECT_NE(talk.dump().find("!pgsql.malformed_request"), std::string::npos);
}

}  // namespace
}  // namespace shrike::protocol
