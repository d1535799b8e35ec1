#include "control/commands.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "live_sensor.h"

namespace shrike::control {
namespace {

using Json = nlohmann::json;
using test::LiveSensor;

/// Asks as the socket does, of a sensor that runs or not.
class CommandsTest : public testing::Test {
 protected:
  std::optional<Reply> raw(const std::string& request, bool is_again = false) {
    return commands_.answer(request, is_again);
  }
  std::optional<Reply> ask(const std::string& command, const Json& arguments = Json::object(),
                           bool is_again = false) {
    return raw(Json{{"command", command}, {"arguments", arguments}}.dump(), is_again);
  }
  /// The message of a reply that is well.
  Json told(const std::string& command, const Json& arguments = Json::object()) {
    const std::optional<Reply> reply = ask(command, arguments);
    EXPECT_TRUE(reply && reply->is_ok) << command;
    return reply ? Json::parse(reply->message) : Json();
  }
  std::string refusal(const std::optional<Reply>& reply) {
    EXPECT_TRUE(reply && !reply->is_ok);
    return reply ? Json::parse(reply->message).get<std::string>() : "";
  }

  LiveSensor live_;
  Commands commands_{*live_.sensor, live_.requests, "1.2.3",
                     [](const std::string& key) -> std::optional<std::string> {
                       return key == "known.key" ? std::optional<std::string>("its value")
                                                 : std::nullopt;
                     }};
};

TEST_F(CommandsTest, ListsThemselvesAndAnswersEachOfThem) {
  const Json list = told("command-list");
  ASSERT_EQ(list["count"], list["commands"].size());
  EXPECT_EQ(told("help"), list);
  for (const Json& name : list["commands"]) {
    SCOPED_TRACE(name);
    std::optional<Reply> reply = ask(name.get<std::string>());
    if (!reply) {  // a reload is answered once it is over
      EXPECT_TRUE(live_.requests.reload_rules.exchange(false));
      continue;
    }
    EXPECT_FALSE(Json::parse(reply->message, nullptr, false).is_discarded()) << reply->message;
  }
}

TEST_F(CommandsTest, TellsWhatTheSensorIs) {
  EXPECT_EQ(told("version"), "Shrike 1.2.3");
  EXPECT_EQ(told("running-mode"), "workers");
  EXPECT_EQ(told("capture-mode"), "DPDK");
  EXPECT_TRUE(told("uptime").is_number_unsigned());
  EXPECT_EQ(told("ruleset-stats")[0]["rules_loaded"], 1);
  EXPECT_EQ(told("ruleset-failed-rules"), Json::array());
  EXPECT_TRUE(told("ruleset-reload-time")[0]["last_reload"].is_string());
  EXPECT_EQ(told("iface-list"), (Json{{"count", 1}, {"ifaces", {"fake0"}}}));
  const Json status = told("status");
  EXPECT_EQ(status["reload"]["state"], "none");
  EXPECT_EQ(status["rules"]["loaded"], 1);
}

TEST_F(CommandsTest, ReadsArguments) {
  EXPECT_EQ(told("conf-get", {{"variable", "known.key"}}), "its value");
  EXPECT_EQ(refusal(ask("conf-get", {{"variable", "other"}})), "Unable to get value of other");
  const std::string help = "the argument `variable` names the setting: stream.reassembly.depth";
  for (const Json& odd : {Json::object(), Json(1), Json::array(), Json(nullptr),
                          Json{{"variable", 3}}, Json{{"variable", ""}}}) {
    EXPECT_EQ(refusal(ask("conf-get", odd)), help) << odd;
  }
  EXPECT_EQ(refusal(ask("iface-stat", {{"iface", "eth7"}})),
            "there is no port 'eth7'; iface-list names them");
}

TEST_F(CommandsTest, RefusesWhatIsNoRequest) {
  const std::string help = "a request is {\"command\": name, \"arguments\": {…}}";
  const std::string deep(100'000, '[');
  for (const std::string& odd :
       {std::string(), std::string("{"), std::string("[]"), std::string("7"),
        std::string("{\"command\": 7}"), std::string("{\"arguments\": {}}"),
        std::string("\xff\xfe\x00{", 4), std::string("{\"command\": \"version\"} x"), deep}) {
    EXPECT_EQ(refusal(raw(odd)), help) << odd.substr(0, 40);
  }
  EXPECT_EQ(refusal(ask("nonsense")), "Unknown command 'nonsense'; command-list names them all");
}

TEST_F(CommandsTest, SetsRequestsForTheHouseKeepingThread) {
  told("reopen-log-files");
  EXPECT_TRUE(live_.requests.reopen_files);
  told("ruleset-reload-nonblocking");
  EXPECT_TRUE(live_.requests.reload_rules);
  EXPECT_FALSE(live_.requests.stop);
  told("shutdown");
  EXPECT_TRUE(live_.requests.stop);
}

TEST_F(CommandsTest, TellsOfARunningSensor) {
  live_.ports.arrive(shrike::test::datagram(1));
  Json counters;
  Json ports;
  Json top;
  live_.run_until([&] {
    if (live_.counted("detect.alert") != 1 || live_.sensor->status().port_totals.empty()) {
      return false;
    }
    counters = told("dump-counters");
    ports = told("iface-stat", {{"iface", "fake0"}});
    top = told("top-rules");
    return true;
  });
  EXPECT_EQ(counters["detect"]["alert"], 1);
  EXPECT_EQ(counters["decoder"]["pkts"], 1);
  EXPECT_EQ(counters["threads"]["Global"]["detect"]["alert"], 1);
  EXPECT_EQ(counters["threads"].size(), 3u);
  EXPECT_EQ(ports, (Json{{"pkts", 1}, {"invalid-checksums", 0}, {"drop", 5}, {"bypassed", 0}}));
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(top[0]["sid"], 1);
  EXPECT_EQ(top[0]["logged"], 1);
}

TEST_F(CommandsTest, AnswersAReloadWhenItIsOver) {
  std::optional<Reply> over;
  bool is_asked = false;
  bool is_refused_meanwhile = false;
  live_.run_until([&] {
    if (!is_asked) {
      is_asked = true;
      EXPECT_FALSE(ask("reload-rules")) << "not yet";
      is_refused_meanwhile = refusal(ask("reload-rules")) == "Reload already in progress";
      return false;
    }
    over = ask("reload-rules", Json::object(), true);
    return over.has_value();
  });
  EXPECT_TRUE(is_refused_meanwhile);
  ASSERT_TRUE(over);
  EXPECT_TRUE(over->is_ok) << over->message;
}

TEST_F(CommandsTest, SaysThatAReloadFailed) {
  live_.next_rules = "alert udp any any -> any any (nonsense;)";
  std::optional<Reply> over;
  bool is_asked = false;
  live_.run_until([&] {
    over = ask("reload-rules", Json::object(), std::exchange(is_asked, true));
    return over.has_value();
  });
  EXPECT_EQ(refusal(over), "the rules cannot be used; the log says why, those in use stay");
}

/// A peer that asks without end and never reads is let go, and others are served meanwhile.
TEST_F(CommandsTest, AStalledPeerHoldsNobodyUp) {
  const std::string path = testing::TempDir() + "shrike-stalled-" + std::to_string(getpid());
  Diagnostics diagnostics;
  CommandServer server({path, "1.2.3", {}}, *live_.sensor, live_.requests, diagnostics);
  ASSERT_EQ(diagnostics.text(), "");
  const auto connected = [&path] {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return descriptor;
  };
  const auto say = [](int descriptor, const std::string& text) {
    return send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  };
  const int stalled = connected();
  say(stalled, "{\"version\": \"0.2\"}\n");
  bool is_let_go = false;
  for (int turn = 0; turn < 20'000 && !is_let_go; ++turn) {
    is_let_go = say(stalled, "{\"command\": \"dump-counters\"}\n") < 0 && errno == EPIPE;
    server.serve();
  }
  EXPECT_TRUE(is_let_go) << "its replies are not kept without bound";
  const int other = connected();
  server.serve();
  say(other, "{\"version\": \"0.2\"}\n");
  server.serve();
  say(other, "{\"command\": \"version\"}\n");
  server.serve();
  char bytes[256];
  const ssize_t count = recv(other, bytes, sizeof bytes, MSG_DONTWAIT);
  EXPECT_NE(std::string(bytes, count > 0 ? static_cast<size_t>(count) : 0).find("Shrike 1.2.3"),
            std::string::npos);
  close(stalled);
  close(other);
}

}  // namespace
}  // namespace shrike::control
