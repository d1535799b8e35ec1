#include "ssh.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "talk.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Said;
using test::server;
using SshTalk = test::Talk<SshParser>;

std::string number32(size_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift));
  }
  return text;
}

std::string packet(char code, const std::string& content) {
  return number32(content.size() + 2) + '\0' + code + content;
}

std::string key_exchange(std::string_view prefix) {
  std::string content(16, 'c');
  for (const char* list : {"kex", "host", "cipher-up", "cipher-down", "mac-up", "mac-down",
                           "zip-up", "zip-down", "", ""}) {
    const std::string text = *list == '\0' ? "" : std::string(prefix) + list;
    content += number32(text.size()) + text;
  }
  return packet(20, content + std::string(5, '\0') + "padding");
}

const std::string new_keys = packet(21, std::string(10, '\0'));

std::vector<Said> session() {
  return {
      server("SSH-2.0-ShrikeSSH_1.0 with comment\r\n"),
      client("SSH-2.0-bird\r\n" + key_exchange("c-")),
      server(key_exchange("s-")),
      client(packet(30, std::string(40, 'e'))),
      server(packet(31, std::string(400, 'r')) + new_keys),
      client(new_keys),
      client(std::string(100, '\xee')),
  };
}

TEST(Ssh, ReadsBannersAndFingerprints) {
  SshTalk talk;
  talk.say(session());
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& ssh = *talk.session.transactions()[0];
  EXPECT_EQ(ssh.text(Direction::to_server, Field::ssh_proto), "2.0");
  EXPECT_EQ(ssh.text(Direction::to_server, Field::ssh_software), "bird");
  EXPECT_EQ(ssh.text(Direction::to_client, Field::ssh_software), "ShrikeSSH_1.0");
  EXPECT_EQ(ssh.text(Direction::to_server, Field::ssh_hassh_string),
            "c-kex;c-cipher-up;c-mac-up;c-zip-up");
  EXPECT_EQ(ssh.text(Direction::to_client, Field::ssh_hassh_server_string),
            "s-kex;s-cipher-down;s-mac-down;s-zip-down");
  EXPECT_EQ(ssh.text(Direction::to_server, Field::ssh_hassh).size(), 32u);
  EXPECT_TRUE(ssh.is_complete());
  EXPECT_EQ(talk.describe(0).substr(0, 72),
            R"({"ssh":{"client":{"proto_version":"2.0","software_version":"bird","hassh)");
}

TEST(Ssh, GivesTheSameForAnySegmentation) {
  SshTalk whole;
  whole.say(session());
  for (const test::Cut& cut : {test::Cut{1}, test::Cut{7}, test::Cut{40, true}}) {
    SshTalk talk;
    talk.say(session(), cut);
    EXPECT_EQ(talk.dump(), whole.dump());
  }
}

struct FaultCase {
  const char* what;
  std::string bytes;
  const char* event;
  bool is_broken;
};

TEST(Ssh, NamesWhatIsWrong) {
  const FaultCase cases[] = {
      {"banner", "SSH-2.0\r\n", "ssh.invalid_banner", true},
      {"other text", "HELLO-2.0-x\r\n", "ssh.invalid_banner", true},
      {"long", "SSH-2.0-" + std::string(300, 'a') + "\r\n", "ssh.long_banner", false},
      {"endless", "SSH-2.0-" + std::string(300, 'a'), "ssh.long_banner", false},
      {"record", "SSH-2.0-x\r\n" + number32(1) + "xx", "ssh.invalid_record", true},
      {"exchange", "SSH-2.0-x\r\n" + number32(70000) + std::string("\0\x14xxxx", 6),
       "ssh.long_kex_record", false},
  };
  for (const FaultCase& each : cases) {
    SCOPED_TRACE(each.what);
    SshTalk talk;
    talk.say({client(each.bytes)});
    EXPECT_NE(talk.dump().find("!" + std::string(each.event)), std::string::npos) << talk.dump();
    EXPECT_EQ(talk.is_broken, each.is_broken);
  }
}

TEST(Ssh, IsNotCompleteBeforeBothHaveNewKeys) {
  SshTalk talk;
  talk.say({server("SSH-1.99-x\n"), client("SSH-2.0-y\n" + new_keys)});
  const AppTransaction& ssh = *talk.session.transactions()[0];
  EXPECT_EQ(ssh.progress_in(Direction::to_server), Progress::line);
  talk.say({server(new_keys)});
  EXPECT_TRUE(ssh.is_complete());
}

}  // namespace
}  // namespace shrike::protocol
