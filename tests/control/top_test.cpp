#include "shrike/top.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "control/command_socket.h"

namespace shrike::top {
namespace {

Answers forged() {
  return {.version = R"("Shrike 0.1.0")",
          .status = R"({"uptime_ms": 2500, "generation": 3, "rules": {"loaded": 12, "failed": 1},
        "ports": [{"name": "eth0", "driver": "net_ice", "link_up": true, "received": 100,
                   "bytes": 6400, "missed": 2, "no_buffer": 3, "errors": 4}],
        "workers": [{"name": "W#01", "load_permille": 420, "packets": 90,
                     "record_ring": {"bytes": 4096, "waiting_bytes_max": 512},
                     "hand_over_ring": {"bytes": 8192, "waiting_bytes_max": 0},
                     "pool": {"buffers": 1023, "in_use": 5, "in_use_max": 77}}],
        "latency": {"inspected": {"buckets": [0, 4, 1]}, "alert": {"buckets": "no list"}}})",
          .counters = R"({"capture": {"packets": 100, "wire_bytes": 6400},
        "detect": {"inspected": 95, "alert": 7, "alert_queue_overflow": 0},
        "flow": {"total": 11, "active": 4}, "port": {"missed": {"total": 2, "more": 9}},
        "overload": {"large": {"packets": 5}}})",
          .top_rules = R"([{"gid": 1, "sid": 5, "signature": "fires", "logged": 7, "suppressed": 1},
        {"gid": 1, "sid": 6, "signature": "only costs", "logged": 0, "suppressed": 0}, 8])",
          .rule_costs = R"({"batches": 64, "batches_sampled": 1, "cycles": 1000,
        "scanning": {"cycles": 600}, "rules": {"cycles": 300},
        "signatures": [{"gid": 1, "sid": 6, "signature": "only costs", "checks": 3, "matches": 0,
                        "cycles": 300, "cycles_max": 120}]})"};
}

TEST(Top, ReadsWhatASensorSays) {
  const std::optional<Sample> sample = read_sample(forged());
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->version, "Shrike 0.1.0");
  EXPECT_EQ(sample->generation, 3U);
  EXPECT_EQ(sample->packets, 100U);
  EXPECT_EQ(sample->alerts, 7U);
  EXPECT_EQ(sample->flows_active, 4U);
  ASSERT_EQ(sample->ports.size(), 1U);
  EXPECT_TRUE(sample->ports[0].link_is_up);
  EXPECT_EQ(sample->ports[0].lost, 9U);
  ASSERT_EQ(sample->workers.size(), 1U);
  EXPECT_EQ(sample->workers[0].load_permille, 420U);
  EXPECT_EQ(sample->workers[0].pool.most, 77U);
  EXPECT_EQ(sample->workers[0].record_ring.room, 4096U);
  EXPECT_EQ(percentile_us(sample->latencies[0], 0.5), 2U);
  EXPECT_EQ(count_of(sample->latencies[1]), 0U);
  ASSERT_EQ(sample->signatures.size(), 1U);  // what never fired is none
  EXPECT_EQ(sample->signatures[0].suppressed, 1U);
  ASSERT_EQ(sample->costs.rules.size(), 1U);
  EXPECT_EQ(sample->costs.rules[0].cycles_max, 120U);
  std::map<std::string_view, uint64_t> losses;
  for (const Loss& loss : sample->losses) {
    losses[loss.cause] = loss.count;
  }
  const std::map<std::string_view, uint64_t> expected{{"missed: the port's queue was full", 2},
                                                      {"shed, large flows", 5},
                                                      {"too many alerts in a packet", 0}};
  EXPECT_EQ(losses, expected);  // those that the sensor does not count are not there
}

TEST(Top, ReadsSensorsOfOtherVersionsAndNoNonsense) {
  const std::optional<Sample> old =
      read_sample({"null", "{}", R"({"capture": 5, "flow": {"total": "x"}})", "{}", "null"});
  ASSERT_TRUE(old);
  EXPECT_EQ(old->packets, 0U);
  EXPECT_TRUE(old->workers.empty());
  Answers broken = forged();
  broken.counters.pop_back();
  EXPECT_FALSE(read_sample(broken));
}

using Messages = std::map<std::string, std::string>;

/// A control socket that gives forged answers, on a thread of its own.
class Server {
 public:
  explicit Server(Messages answers)
      : path_(testing::TempDir() + "shrike-top-" + std::to_string(getpid())),
        answers_(std::move(answers)),
        socket_(
            path_, [this](std::string_view request, bool) { return answer(request); },
            diagnostics_),
        thread_([this] {
          while (!is_over_.load()) {
            socket_.serve();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }) {}
  ~Server() {
    is_over_.store(true);
    thread_.join();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  control::Reply answer(std::string_view request) {
    for (const auto& [command, message] : answers_) {
      if (request.find('"' + command + '"') != std::string_view::npos) {
        return {true, message};
      }
    }
    return {false, "\"Unknown command\""};
  }

  const std::string path_;
  const Messages answers_;
  Diagnostics diagnostics_;
  control::CommandSocket socket_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

TEST(Top, AsksASensorAgainAndAgain) {
  // As the sensor writes it: without line ends.
  const Server server({{"version", R"("Shrike 9")"},
                       {"status", R"({"uptime_ms":7})"},
                       {"dump-counters", R"({"capture":{"packets":8}})"},
                       {"top-rules", "[]"}});  // rule-costs: unknown to this version
  Client client(server.path());
  for (unsigned i = 0; i < 3; ++i) {
    const std::optional<Sample> sample = client.ask();
    ASSERT_TRUE(sample) << client.fault();
    EXPECT_EQ(sample->version, "Shrike 9");
    EXPECT_EQ(sample->packets, 8U);
    EXPECT_EQ(sample->costs.batches, 0U);
  }
}

TEST(Top, SaysWhatToDoWhereNoSensorAnswers) {
  Client nowhere(testing::TempDir() + "no/such/socket");
  EXPECT_FALSE(nowhere.ask());
  EXPECT_NE(nowhere.fault().find("error[control-socket]: no sensor answers here: No such file or "
                                 "directory; start the sensor with unix-command.enabled, or name "
                                 "its socket with --socket"),
            std::string::npos)
      << nowhere.fault();
  Client too_long(std::string(200, 'x'));
  EXPECT_FALSE(too_long.ask());
  EXPECT_NE(too_long.fault().find("File name too long"), std::string::npos);
}

TEST(Top, LooksForASensorThatCameBack) {
  std::string path;
  {
    const Server server(Messages{{"version", "\"1\""}});
    path = server.path();
  }
  Client client(path);
  EXPECT_FALSE(client.ask());
  const Server again(Messages{{"version", "\"2\""}});
  const std::optional<Sample> sample = client.ask();
  ASSERT_TRUE(sample) << client.fault();
  EXPECT_EQ(sample->version, "2");
}

}  // namespace
}  // namespace shrike::top
