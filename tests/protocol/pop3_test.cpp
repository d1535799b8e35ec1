#include "pop3.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Cut;
using test::Said;
using test::server;
using Pop3Talk = test::Talk<Pop3Parser>;

std::vector<Said> whole_session() {
  return {server("+OK ready\r\n"),
          client("user ann\r\n"),
          server("+OK\r\n"),
          client("PASS a b c\r\nLIST\r\nLIST 2\r\n"),
          server("-ERR no\r\n+OK two\r\n1 100\r\n2 200\r\n.\r\n+OK 2 200\r\n"),
          client("RETR 1\r\n"),
          server("+OK 10 octets\r\n+OK this is mail\r\n..\r\n.\r\n"),
          client("AUTH PLAIN\r\n"),
          server("+ \r\n"),
          client("AGFubgBzZWNyZXQ=\r\n"),
          server("+OK\r\n")};
}

TEST(Pop3, GivesTheSameCommandsForAnySegments) {
  const std::vector<Cut> cuts{
      {}, {.bytes_max = 1}, {.bytes_max = 3}, {.bytes_max = 20, .is_random = true}};
  for (const Cut& cut : cuts) {
    SCOPED_TRACE(cut.bytes_max);
    Pop3Talk talk;
    talk.say(whole_session(), cut);
    EXPECT_FALSE(talk.is_broken);
    const auto all = talk.session.transactions();
    ASSERT_EQ(all.size(), 8u);
    for (const AppTransaction* const each : all) {
      EXPECT_TRUE(each->progress_in(Direction::to_client) == Progress::complete);
    }
    EXPECT_EQ(talk.describe(0),
              R"({"pop3":{"response":{"success":true,"status":"OK","header":"ready","data":[]}}})");
    EXPECT_EQ(talk.describe(2),
              R"({"pop3":{"request":{"command":"PASS","args":["a","b","c"]},)"
              R"("response":{"success":false,"status":"ERR","header":"no","data":[]}}})");
    EXPECT_EQ(talk.describe(3),
              R"({"pop3":{"request":{"command":"LIST","args":[]},"response":{"success":true,)"
              R"("status":"OK","header":"two","data":["1 100","2 200"]}}})");
    EXPECT_EQ(talk.describe(5),
              R"({"pop3":{"request":{"command":"RETR","args":["1"]},"response":{"success":true,)"
              R"("status":"OK","header":"10 octets","data":[]}}})");
    EXPECT_EQ(talk.describe(7),
              R"({"pop3":{"request":{"command":"<SASL DATA>","args":[]},)"
              R"("response":{"success":true,"status":"OK","header":"","data":[]}}})");
  }
}

struct EventCase {
  const char* name;
  std::vector<Said> said;
  AppEvent event;
};

const EventCase cases[] = {
    {"an unknown command", {client("HELO a\r\n")}, AppEvent::pop3_unknown_command},
    {"too many arguments", {client("DELE 1 2\r\n")}, AppEvent::pop3_incorrect_argument_count},
    {"a long command",
     {client("PASS " + std::string(300, 'x') + "\r\n")},
     AppEvent::pop3_command_too_long},
    {"a long response",
     {server("+OK " + std::string(600, 'x') + "\r\n")},
     AppEvent::pop3_response_too_long},
};

TEST(Pop3, SaysWhatIsOdd) {
  for (const EventCase& each : cases) {
    SCOPED_TRACE(each.name);
    Pop3Talk talk;
    talk.say(each.said);
    const auto events = talk.session.transactions()[0]->events[0];
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0], each.event);
  }
}

TEST(Pop3, GivesUpWhereTooManyCommandsWait) {
  ProtocolOptions options;
  options.others.emplace_back("pop3.max-tx", "2");
  Pop3Talk talk(options);
  talk.say({client("NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n")});
  EXPECT_TRUE(talk.is_broken);
  ASSERT_EQ(talk.session.transactions().size(), 3u);
  ASSERT_EQ(talk.session.transactions()[0]->events[0].size(), 1u);
}

TEST(Pop3, IsNotWhatAnswersOtherwise) {
  Pop3Talk talk;
  talk.say({server("220 mail\r\n")});
  EXPECT_TRUE(talk.is_broken);
}

}  // namespace
}  // namespace shrike::protocol
