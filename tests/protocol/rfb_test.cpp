#include "rfb.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;
using namespace std::string_literals;

TEST(Rfb, ShowsTheSameHoweverItIsCut) {
  const std::vector<Said> said = {server("RFB 003.008\n"),
                                  client("RFB 003.008\n"),
                                  server("\x02\x01\x02"),
                                  client("\x02"),
                                  server("0123456789abcdef"),
                                  client("fedcba9876543210"),
                                  server("\0\0\0\0"s),
                                  client("\x01"),
                                  server(std::string(20, '\1') + "\0\0\0\4name"s)};
  for (const Cut& cut : {Cut{}, Cut{1}, Cut{5, true}}) {
    Talk<RfbParser> talk;
    talk.say(said, cut);
    EXPECT_EQ(talk.dump(), "tx 0 5/5\n > rfb.sectype= 2\n < rfb.secresult=\n < rfb.name=name\n");
  }
}

/// Rules for the type look at the client's side alone: it fires once.
TEST(Rfb, TellsTheTypeThatAServerChoosesToRulesForTheClient) {
  Talk<RfbParser> talk;
  talk.say({server("RFB 003.003\n"), client("RFB 003.003\n"), server("\0\0\0\1"s)});
  const AppTransaction& transaction = *talk.session.transactions()[0];
  EXPECT_EQ(transaction.find(Direction::to_server, Field::rfb_sectype)->number, 1u);
  EXPECT_EQ(transaction.find(Direction::to_client, Field::rfb_sectype), nullptr);
}

}  // namespace
}  // namespace shrike::protocol
