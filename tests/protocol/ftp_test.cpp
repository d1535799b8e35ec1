#include "ftp.h"

#include <gtest/gtest.h>

#include "ftp_data.h"
#include "talk.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Cut;
using test::Said;
using test::server;
using FtpTalk = test::Talk<FtpParser>;

std::vector<Said> whole_session() {
  return {server("220-Welcome\r\n220 here\r\n"),
          client("USER ann\r\n"),
          server("331 password?\r\n"),
          client("XPWD\r\n"),
          server("257 \"/\"\r\n"),
          client("NONSENSE\r\n"),
          client("pasv\r\n"),
          server("227 Entering Passive Mode (10,0,0,2,82,11).\r\n"),
          client("RETR notes.txt\r\n"),
          server("150 Opening\r\n"),
          server("226 Done\r\n"),
          client("PORT 10,0,0,9,1,2\r\n"),
          server("200 ok\r\n"),
          client("QUIT \r\n")};
}

constexpr std::string_view whole_dump =
    "tx 0 5/5\n"
    " < ftp.reply=220-Welcome\n"
    " < ftp.reply_received= 1\n"
    " < ftp.completion_code=220\n"
    " < ftp.reply=here\n"
    "tx 1 5/5\n"
    " > ftp.command=USER\n"
    " > ftp.command_data=ann\n"
    " < ftp.completion_code=331\n"
    " < ftp.reply=password?\n"
    " < ftp.reply_received= 1\n"
    "tx 2 5/5\n"
    " > ftp.command=PWD\n"
    " < ftp.completion_code=257\n"
    " < ftp.reply=\"/\"\n"
    " < ftp.reply_received= 1\n"
    "tx 3 5/5\n"
    " > ftp.command=PASV\n"
    " < ftp.completion_code=227\n"
    " < ftp.reply=Entering Passive Mode (10,0,0,2,82,11).\n"
    " < ftp.dynamic_port= 21003\n"
    " < ftp.mode=\n"
    " < ftp.reply_received= 1\n"
    "tx 4 5/5\n"
    " > ftp.command=RETR\n"
    " > ftp.command_data=notes.txt\n"
    " < ftp.completion_code=150\n"
    " < ftp.reply=Opening\n"
    " < ftp.completion_code=226\n"
    " < ftp.reply=Done\n"
    " < ftp.reply_received= 1\n"
    "tx 5 5/5\n"
    " > ftp.command=PORT\n"
    " > ftp.command_data=10,0,0,9,1,2\n"
    " > ftpbounce= 1\n"
    " < ftp.completion_code=200\n"
    " < ftp.reply=ok\n"
    " < ftp.dynamic_port= 258\n"
    " < ftp.mode= 1\n"
    " < ftp.reply_received= 1\n"
    "tx 6 1/0\n"
    " > ftp.command=QUIT\n";

TEST(Ftp, GivesTheSameCommandsForAnySegments) {
  const std::vector<Cut> cuts{
      {}, {.bytes_max = 1}, {.bytes_max = 5}, {.bytes_max = 30, .is_random = true}};
  for (const Cut& cut : cuts) {
    SCOPED_TRACE(cut.bytes_max);
    FtpTalk talk;
    talk.datagram.ip_version = 4;
    talk.tracked.flow.client.bytes = {10, 0, 0, 1};
    talk.say(whole_session(), cut);
    EXPECT_FALSE(talk.is_broken);
    EXPECT_EQ(talk.dump(), whole_dump);
  }
}

TEST(Ftp, DescribesCommandsAndReplies) {
  FtpTalk talk;
  talk.say(whole_session());
  EXPECT_EQ(talk.describe(0), R"({"ftp":{"completion_code":["220"],"reply":["220-Welcome","here"],)"
                              R"("reply_received":"yes","reply_truncated":false}})");
  EXPECT_EQ(talk.describe(3),
            R"({"ftp":{"command":"PASV","command_truncated":false,"completion_code":["227"],)"
            R"("reply":["Entering Passive Mode (10,0,0,2,82,11)."],"dynamic_port":21003,)"
            R"("mode":"passive","reply_received":"yes","reply_truncated":false}})");
  EXPECT_EQ(talk.describe(6),
            R"({"ftp":{"command":"QUIT","command_truncated":false,"reply_received":"no",)"
            R"("reply_truncated":false}})");
}

struct EventCase {
  const char* name;
  std::vector<Said> said;
  AppEvent event;
};

const EventCase event_cases[] = {
    {"a transfer without a port", {client("RETR a.txt\r\n")}, AppEvent::ftp_file_before_port},
    {"a long command",
     {client("USER " + std::string(5000, 'a') + "\r\nPASS b\r\n")},
     AppEvent::ftp_request_command_too_long},
    {"a long reply",
     {client("USER a\r\n"), server("331 " + std::string(5000, 'a') + "\r\n")},
     AppEvent::ftp_response_command_too_long},
};

TEST(Ftp, SaysWhatIsOdd) {
  for (const EventCase& each : event_cases) {
    SCOPED_TRACE(each.name);
    for (const size_t bytes_max : {SIZE_MAX, size_t{1}, size_t{1000}}) {
      FtpTalk talk;
      talk.say(each.said, {.bytes_max = bytes_max});
      EXPECT_FALSE(talk.is_broken);
      const auto events = talk.session.transactions()[0]->events[0];
      ASSERT_EQ(events.size(), 1u);
      EXPECT_EQ(events[0], each.event);
    }
  }
}

TEST(Ftp, KeepsTheBeginningOfALongCommand) {
  FtpTalk talk;
  talk.say({client("RETR " + std::string(5000, 'a') + "\r\nPASS b\r\n")}, {.bytes_max = 100});
  const auto all = talk.session.transactions();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->text(Direction::to_server, Field::ftp_command_data).size(), 4091u);
  EXPECT_EQ(all[1]->text(Direction::to_server, Field::ftp_command), "PASS");
}

TEST(Ftp, StopsWhereTooManyCommandsWait) {
  ProtocolOptions options;
  options.others.emplace_back("ftp.max-tx", "1");
  FtpTalk talk(options);
  talk.say({client("PWD\r\nPWD\r\nPWD\r\n")});
  EXPECT_TRUE(talk.is_broken);
  const auto all = talk.session.transactions();
  ASSERT_EQ(all.size(), 2u);
  ASSERT_EQ(all[0]->events[0].size(), 1u);
  EXPECT_EQ(all[0]->events[0][0], AppEvent::ftp_too_many_transactions);
}

struct PortCase {
  uint16_t (*read)(Bytes);
  const char* line;
  uint16_t port;
};

uint16_t port_of_command(Bytes line) {
  return read_port_command(line).value_or(FtpAddress{}).port;
}

const PortCase port_cases[] = {
    {&port_of_command, "PORT 192,168,0,13,234,10", 59914},
    {&port_of_command, "port 192,168,0,13,256,10", 0},
    {&port_of_command, "PORT 192,168,0,13,234", 0},
    {&port_of_command, "PORT", 0},
    {&read_eprt_command, "EPRT |2|2001:db8::1|41813|", 41813},
    {&read_eprt_command, "EPRT |2|2001:db8::1|81813|", 0},
    {&read_eprt_command, "EPRT |2|2001:db8::1|41813", 0},
    {&read_pasv_reply, "227 Entering Passive Mode (212,27,32,66,221,243).", 56819},
    {&read_pasv_reply, "227 Entering Passive Mode (212,27,32,66,221,243)", 56819},
    {&read_pasv_reply, "227 Entering Passive Mode 212,27,32,66,221,243", 0},
    {&read_epsv_reply, "229 Entering Extended Passive Mode (|||48758|).", 48758},
    {&read_epsv_reply, "229 Entering Extended Passive Mode (|||758758|).", 0},
};

TEST(FtpPorts, AreReadOrLeft) {
  for (const PortCase& each : port_cases) {
    SCOPED_TRACE(each.line);
    EXPECT_EQ(each.read(as_bytes(each.line)), each.port);
  }
}

TEST(FtpData, NeedsAnAnnouncement) {
  test::Talk<FtpDataParser> talk;
  talk.say({server("bytes")});
  EXPECT_TRUE(talk.is_broken);
}

}  // namespace
}  // namespace shrike::protocol
