#include "control/command_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

namespace shrike::control {
namespace {

/// A peer that never waits.
class Peer {
 public:
  explicit Peer(const std::string& path) : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    is_connected_ =
        connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Peer() { close(descriptor_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  void say(const std::string& words) const {
    send(descriptor_, words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  /// What has come; "(closed)" where the other side let go.
  [[nodiscard]] std::string hear() const {
    char bytes[4096];
    const ssize_t count = recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT);
    return count == 0 ? "(closed)" : std::string(bytes, count > 0 ? static_cast<size_t>(count) : 0);
  }

 private:
  int descriptor_;
  bool is_connected_ = false;
};

/// Answers every request with itself; "later" only when asked again.
class CommandSocketTest : public testing::Test {
 protected:
  CommandSocketTest()
      : path_(testing::TempDir() + "shrike-command-" + std::to_string(getpid())),
        socket_(
            path_,
            [](std::string_view request, bool is_again) -> std::optional<Reply> {
              if (request.find("later") != std::string_view::npos && !is_again) {
                return std::nullopt;
              }
              return Reply{request.find("bad") == std::string_view::npos, std::string(request)};
            },
            diagnostics_) {}

  std::string ask(const Peer& peer, const std::string& words) {
    peer.say(words);
    socket_.serve();
    return peer.hear();
  }

  Diagnostics diagnostics_;
  const std::string path_;
  CommandSocket socket_;
};

TEST_F(CommandSocketTest, SpeaksBothVersions) {
  ASSERT_EQ(diagnostics_.text(), "");
  const Peer second(path_);
  EXPECT_EQ(ask(second, "{\"version\": \"0.2\"}\n"), "{\"return\":\"OK\"}\n");
  EXPECT_EQ(ask(second, "{\"a\": 1}\n"), "{\"message\":{\"a\": 1},\"return\":\"OK\"}\n");
  const Peer first(path_);
  EXPECT_EQ(ask(first, "{\"version\": \"0.1\"}"), "{\"return\":\"OK\"}");
  EXPECT_EQ(ask(first, "{\"bad\": 1}"), "{\"message\":{\"bad\": 1},\"return\":\"NOK\"}");
}

TEST_F(CommandSocketTest, PutsRequestsTogetherAndTakesThemApart) {
  const Peer peer(path_);
  EXPECT_EQ(ask(peer, "{\"versio"), "");
  EXPECT_EQ(ask(peer, "n\": \"0.2\"}\n{\"a\":\"}{\\\"\"}\n{\"b\":[]}"),
            "{\"return\":\"OK\"}\n{\"message\":{\"a\":\"}{\\\"\"},\"return\":\"OK\"}\n"
            "{\"message\":{\"b\":[]},\"return\":\"OK\"}\n");
}

TEST_F(CommandSocketTest, AnswersLaterAndOneAfterTheOther) {
  const Peer peer(path_);
  ask(peer, "{\"version\": \"0.2\"}");
  EXPECT_EQ(ask(peer, "{\"later\":1}{\"b\":2}"), "");
  EXPECT_EQ(ask(peer, ""),
            "{\"message\":{\"later\":1},\"return\":\"OK\"}\n"
            "{\"message\":{\"b\":2},\"return\":\"OK\"}\n");
}

TEST_F(CommandSocketTest, LetsGoOfWhoMakesNoSense) {
  const std::string words[] = {"{\"version\": \"7\"}", "[]", "{}", std::string(200'000, '{')};
  for (const std::string& each : words) {
    const Peer peer(path_);
    ask(peer, each);
    socket_.serve();
    EXPECT_EQ(peer.hear(), "(closed)") << each.substr(0, 20);
  }
  EXPECT_EQ(socket_.peers_dropped(), 4U);
}

TEST_F(CommandSocketTest, HasRoomForSoMany) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 17; ++i) {
    peers.push_back(std::make_unique<Peer>(path_));
    socket_.serve();
  }
  EXPECT_EQ(peers[16]->hear(), "(closed)");
  EXPECT_EQ(ask(*peers[0], "{\"version\": \"0.2\"}"), "{\"return\":\"OK\"}\n");
}

TEST_F(CommandSocketTest, TakesNoPlaceFromAnotherSensor) {
  Diagnostics diagnostics;
  const CommandSocket other(
      path_, [](std::string_view, bool) { return Reply{}; }, diagnostics);
  EXPECT_NE(diagnostics.text().find("another program serves"), std::string::npos);
}

TEST(CommandSocketPath, IsTakenOverFromADeadSensorAndRemovedAtTheEnd) {
  const std::string path = testing::TempDir() + "shrike-dead-" + std::to_string(getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(dead);
  {
    Diagnostics diagnostics;
    const CommandSocket socket(
        path, [](std::string_view, bool) { return Reply{}; }, diagnostics);
    EXPECT_EQ(diagnostics.text(), "");
    EXPECT_TRUE(Peer(path).is_connected());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace shrike::control
