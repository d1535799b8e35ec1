#include "worker/overload.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "compiled.h"
#include "folder.h"
#include "memory_source.h"
#include "shrike/model/owner.h"
#include "worker/frame_owner.h"
#include "worker/inspection.h"
#include "worker/overload_report.h"

namespace shrike::worker {
namespace {

using craft::Conversation;
using craft::ConversationOptions;
using craft::TimedFrame;
using test::Folder;

constexpr uint64_t millisecond_ns = 1'000'000;
constexpr uint64_t second_ns = 1000 * millisecond_ns;
constexpr uint64_t start_ns = 1'700'000'000'000'000'000;
constexpr const char* rules_text = R"(
alert tcp any any -> any any (msg:"attack"; flow:established; content:"attack"; sid:1;)
alert udp any any -> any any (msg:"attack"; content:"attack"; sid:2;)
)";

output::SinkOptions eve_in(const Folder& folder) {
  output::SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.eve.emplace_back().flows = true;
  return sinks;
}

EngineOptions live_engines(const output::SinkOptions& sinks) {
  EngineOptions engines;
  engines.flow.flows_max = 1024;
  engines.flow.stream_memory_bytes_max = 16 << 20;
  engines.flow.can_shed = true;
  engines.records = output::records_for(sinks);
  return engines;
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

/// One live core without its ports: what is inspected, the policy, and what is told of it. The
/// test says what time it is and whether queues are full.
class Core {
 public:
  explicit Core(const OverloadOptions& options)
      : sinks_(eve_in(folder_)),
        rules_(test::compiled(rules_text)),
        collector_({}, sinks_, diagnostics_),
        inspection_(live_engines(sinks_), ring_, [this] { collector_.poll(); }),
        overload_(options, inspection_.flow_slots()),
        reporter_("W#01", overload_, inspection_.shed_counters(), options.report_ms) {
    inspection_.set_overload(overload_);
    collector_.use_rules(rules_.generation(),
                         {rules_.infos(), rules_.bit_names(), rules_.integer_names()});
    RecordRing* const rings[] = {&ring_};
    collector_.attach(rings);
  }

  void note(bool has_backlog, uint64_t milliseconds) {
    for (uint64_t i = 0; i < milliseconds; ++i) {
      now_ns_ += millisecond_ns;
      overload_.note(has_backlog, now_ns_);
    }
  }
  void inspect(const std::vector<TimedFrame>& frames) {
    frames_ = frames;
    std::vector<Packet> packets = craft::to_packets(frames_);
    for (Packet& packet : packets) {
      packet.number = ++number_;
      clock_ns_ = packet.clock_ns = std::max(clock_ns_, packet.clock_ns);
    }
    std::span<const Packet> rest = packets;
    while (!rest.empty()) {
      rest = rest.subspan(decoder_.decode(rest, datagrams_));
      inspection_.inspect(rules_, datagrams_.all());
      datagrams_.clear();
      decoder_.release();
    }
  }
  void report(uint64_t at_ns, bool is_last = false) { reporter_.look(at_ns, is_last, collector_); }
  /// Ends all flows. @return all lines
  std::string finish() {
    inspection_.finish(rules_);
    reporter_.look(now_ns_, true, collector_);
    collector_.finish();
    return folder_.read("eve.json");
  }

  [[nodiscard]] uint64_t counter(std::string_view name) const {
    std::vector<CounterView> views = inspection_.counters();
    views.push_back(overload_.counters());
    for (const CounterView& view : views) {
      for (size_t i = 0; i < view.size(); ++i) {
        if (view.rows[i].name == name) {
          return view.value(i);
        }
      }
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  /// Flows that were given up so far: encrypted, large, elephants.
  [[nodiscard]] std::array<uint64_t, 3> shed() const {
    return {counter("overload.encrypted.flows"), counter("overload.large.flows"),
            counter("overload.elephant.flows")};
  }
  [[nodiscard]] Overload& overload() noexcept { return overload_; }

  /// The law of accounting, of the packets and of the bytes of streams; after finish().
  void expect_accounts_close() const {
    uint64_t skipped = 0;
    for (const CounterView& view : inspection_.counters()) {
      for (size_t i = 0; i < view.size(); ++i) {
        skipped += view.rows[i].name.starts_with("stream.skipped.") ? view.value(i) : 0;
      }
    }
    EXPECT_EQ(counter("stream.payload_bytes"), counter("stream.kept_bytes") + skipped);
    EXPECT_EQ(counter("stream.kept_bytes"),
              counter("stream.inspected_bytes") + counter("stream.discarded_bytes"));
    EXPECT_EQ(number_, counter("detect.inspected") - counter("tcp.pseudo") + shed_packets());
    EXPECT_EQ(shed_packets(), counter("flow_bypassed.local_pkts"));
    EXPECT_EQ(shed_bytes(), counter("flow_bypassed.local_bytes"));
  }
  [[nodiscard]] uint64_t shed_packets() const { return sum_of_shed("packets"); }
  [[nodiscard]] uint64_t shed_bytes() const { return sum_of_shed("bytes"); }

 private:
  [[nodiscard]] uint64_t sum_of_shed(const std::string& what) const {
    return counter("overload.encrypted." + what) + counter("overload.large." + what) +
           counter("overload.elephant." + what);
  }

  Folder folder_;
  output::SinkOptions sinks_;
  RuleSet rules_;
  Diagnostics diagnostics_;
  output::Collector collector_;
  RecordRing ring_{1 << 22};
  decode::Decoder decoder_{{}};
  DatagramBatch datagrams_;
  Inspection inspection_;
  Overload overload_;
  OverloadReporter reporter_;
  std::vector<TimedFrame> frames_;
  uint64_t now_ns_ = second_ns;
  uint64_t clock_ns_ = 0;
  uint64_t number_ = 0;
};

/// A connection that goes on as long as the test wants.
class Flow {
 public:
  explicit Flow(uint16_t port, bool is_udp = false)
      : talk_({.client_port = port, .is_udp = is_udp, .start_ns = start_ns}) {}

  Conversation& talk() noexcept { return talk_; }
  /// What was said since the last call.
  std::vector<TimedFrame> next() {
    const std::vector<TimedFrame>& all = talk_.frames();
    std::vector<TimedFrame> frames(all.begin() + static_cast<std::ptrdiff_t>(said_), all.end());
    said_ = all.size();
    return frames;
  }
  std::vector<TimedFrame> say(const std::string& data) {
    talk_.client(data);
    return next();
  }
  std::vector<TimedFrame> open() {
    talk_.handshake();
    return next();
  }

 private:
  Conversation talk_;
  size_t said_ = 0;
};

std::string ssh_packet(char code, const std::string& content) {
  return std::string(3, '\0') + static_cast<char>(content.size() + 2) + '\0' + code + content;
}

/// Past its key exchange.
Flow encrypted_flow(uint16_t port) {
  Flow flow(port);
  const std::string new_keys = ssh_packet(21, std::string(10, '\0'));
  flow.talk().handshake().client("SSH-2.0-one\r\n").server("SSH-2.0-two\r\n");
  flow.talk().client(new_keys).server(new_keys);
  return flow;
}

constexpr OverloadOptions quick{.after_ms = 10, .step_ms = 10, .depth_bytes = 4096};

TEST(Overload, NothingIsGivenUpWithoutABacklogThatLasts) {
  Core core(quick);
  Flow flow(1000);
  core.inspect(flow.open());
  core.note(true, 9);
  core.inspect(flow.say(std::string(20'000, 'x')));
  for (int i = 0; i < 100; ++i) {  // full for three quarters of the time: it keeps up
    core.note(false, 1);
    core.note(true, 3);
    core.inspect(flow.say(std::string(2'000, 'x')));
  }
  EXPECT_EQ(core.overload().began_ns(), 0U);
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 0, 0}));
  EXPECT_EQ(core.finish().find("\"overload\""), std::string::npos);
  core.expect_accounts_close();
}

TEST(Overload, GivesUpNothingWhereItIsSwitchedOff) {
  OverloadOptions off = quick;
  off.sheds = false;
  Core core(off);
  Flow flow = encrypted_flow(1000);
  core.note(true, 1000);
  core.inspect(flow.next());
  core.inspect(flow.say(std::string(20'000, 'x')));
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 0, 0}));
}

TEST(Overload, EncryptedFlowsGoFirstThenTheLargestDownToTheDepth) {
  Core core(quick);
  Flow small(1000);
  Flow middle(1001);
  Flow large(1002);
  Flow secret = encrypted_flow(1003);
  Flow query(1004, true);
  for (Flow* flow : {&small, &middle, &large}) {
    core.inspect(flow->open());
  }
  core.inspect(secret.next());
  core.inspect(middle.say(std::string(20'000, 'm')));
  core.inspect(large.say(std::string(200'000, 'l')));
  const auto everyone_speaks = [&] {
    for (Flow* flow : {&small, &middle, &large, &secret, &query}) {
      core.inspect(flow->say("."));
    }
    return core.shed();
  };
  EXPECT_EQ(everyone_speaks(), (std::array<uint64_t, 3>{0, 0, 0}));
  core.note(true, 11);
  EXPECT_EQ(everyone_speaks(), (std::array<uint64_t, 3>{1, 0, 0}));
  core.note(true, 10);
  EXPECT_EQ(everyone_speaks(), (std::array<uint64_t, 3>{1, 1, 0}));
  EXPECT_EQ(core.counter("overload.large.packets"), 0U);  // it was inspected when it was chosen
  core.note(true, 10);
  EXPECT_EQ(everyone_speaks(), (std::array<uint64_t, 3>{1, 2, 0}));
  EXPECT_EQ(core.counter("overload.large.packets"), 2U);  // of the large one: data, and its ACK
  core.note(true, 100);
  EXPECT_EQ(everyone_speaks(), (std::array<uint64_t, 3>{1, 2, 0}));
  EXPECT_EQ(core.counter("overload.steps"), 2U);

  for (Flow* flow : {&small, &middle, &large, &query}) {
    core.inspect(flow->say("attack"));
  }
  const std::string eve = core.finish();
  EXPECT_EQ(count(eve, "\"signature_id\":1,"), 1U) << eve;
  EXPECT_EQ(count(eve, "\"signature_id\":2,"), 1U) << eve;
  EXPECT_EQ(count(eve, "\"state\":\"bypassed\",\"bypass\":\"local\""), 3U) << eve;
  core.expect_accounts_close();
}

TEST(Overload, LargeDatagramsOfOthersThanTcpAreGivenUpToo) {
  Core core(quick);
  Flow flow(1000, true);
  core.inspect(flow.say(std::string(20'000, 'u')));
  core.note(true, 11);
  core.inspect(flow.say("u"));
  core.note(true, 10);
  core.inspect(flow.say("u"));
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 1, 0}));
  core.inspect(flow.say("attack"));
  EXPECT_EQ(count(core.finish(), "\"event_type\":\"alert\""), 0U);
  EXPECT_EQ(core.counter("overload.large.packets"), 1U);
  core.expect_accounts_close();
}

TEST(Overload, WhenLoadFallsNewFlowsAreInspectedAndThoseGivenUpStaySo) {
  Core core(quick);
  Flow large(1000);
  core.inspect(large.open());
  core.inspect(large.say(std::string(50'000, 'l')));
  core.note(true, 11);
  core.inspect(large.say("."));
  core.note(true, 10);
  core.inspect(large.say("."));
  ASSERT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 1, 0}));
  core.note(false, 100);
  EXPECT_EQ(core.overload().began_ns(), 0U);

  Flow other(1001);
  core.inspect(other.open());
  core.inspect(other.say(std::string(50'000, 'o')));
  core.inspect(other.say("attack"));
  core.inspect(large.say("attack"));
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 1, 0}));
  EXPECT_EQ(count(core.finish(), "\"event_type\":\"alert\""), 1U);
  core.expect_accounts_close();
}

TEST(Overload, ANewConnectionOfTheSamePortsIsInspected) {
  Core core(quick);
  Flow large(1000);
  core.inspect(large.open());
  core.inspect(large.say(std::string(50'000, 'l')));
  core.note(true, 21);
  core.inspect(large.say("."));
  core.note(true, 10);
  core.inspect(large.say("."));
  ASSERT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 1, 0}));
  Conversation again({.client_port = 1000, .client_sequence = 777'777, .start_ns = start_ns});
  core.inspect(again.handshake().client("attack").frames());
  EXPECT_EQ(count(core.finish(), "\"event_type\":\"alert\""), 1U);
  EXPECT_EQ(core.counter("flow.tcp_reuse"), 1U);
  core.expect_accounts_close();
}

/// The sum of the numbers that follow a pattern in overload events.
uint64_t sum_of(const std::string& eve, const std::string& pattern) {
  static const std::string line = R"re("event_type":"overload".*)re";
  const std::regex wanted(line + pattern + R"re((\d+))re");
  uint64_t sum = 0;
  for (std::sregex_iterator at(eve.begin(), eve.end(), wanted), end; at != end; ++at) {
    sum += std::stoull((*at)[1]);
  }
  return sum;
}

TEST(Overload, RecordsSumUpToTheCounters) {
  OverloadOptions options = quick;
  options.report_ms = 5000;
  Core core(options);
  Flow large(1000);
  Flow secret = encrypted_flow(1003);
  core.report(start_ns);
  core.inspect(large.open());
  core.inspect(secret.next());
  core.inspect(large.say(std::string(100'000, 'l')));
  core.note(true, 11);
  core.inspect(secret.say("."));
  core.report(start_ns + 100 * millisecond_ns);
  for (uint64_t i = 1; i <= 12; ++i) {  // twelve seconds, a look in each
    core.note(true, 10);
    core.inspect(large.say(std::string(3000, 'l')));
    core.inspect(secret.say("."));
    core.report(start_ns + i * second_ns);
  }
  core.note(false, 100);
  core.report(start_ns + 13 * second_ns);
  core.inspect(large.say("after it all"));
  const std::string eve = core.finish();

  EXPECT_GE(count(eve, "\"event_type\":\"overload\""), 3U) << eve;
  EXPECT_GE(count(eve, "\"state\":\"overloaded\""), 2U) << eve;
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":)re"), 2U);
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":\d+,"packets":)re"), core.shed_packets());
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":\d+,"packets":\d+,"bytes":)re"),
            core.shed_bytes());
  EXPECT_EQ(sum_of(eve, R"re("large":\{"flows":\d+,"packets":)re"),
            core.counter("overload.large.packets"));
  EXPECT_EQ(sum_of(eve, R"re("encrypted":\{"flows":\d+,"packets":)re"),
            core.counter("overload.encrypted.packets"));
  EXPECT_GT(core.counter("overload.large.packets"), 0U);
  EXPECT_GT(core.counter("overload.encrypted.packets"), 0U);
  core.expect_accounts_close();
}

TEST(Overload, ElephantsAreGivenUpByTheirRateAlone) {
  OverloadOptions options;
  options.elephant_mbit = 8;  // a million bytes a window
  options.elephant_depth_bytes = 100'000;
  Core core(options);
  Flow patient(1000);  // more bytes, in more time
  core.inspect(patient.open());
  for (int i = 0; i < 20; ++i) {
    core.inspect(patient.say(std::string(100'000, 'p')));
    patient.talk().wait(second_ns);
  }
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 0, 0}));
  Flow elephant(1002);
  elephant.talk().wait(21 * second_ns);
  core.inspect(elephant.open());
  core.inspect(elephant.say(std::string(1'500'000, 'e')));
  EXPECT_EQ(core.shed(), (std::array<uint64_t, 3>{0, 0, 1}));
  core.inspect(elephant.say("attack"));
  core.inspect(patient.say("attack"));
  EXPECT_EQ(count(core.finish(), "\"event_type\":\"alert\""), 1U);
  core.expect_accounts_close();
}

/// Forged ports: a queue that is always full, of frames in memory.
class FullSource final : public capture::PacketSource {
 public:
  explicit FullSource(std::vector<TimedFrame> frames) : frames_(std::move(frames), 64) {}
  void receive(PacketBatch& batch) noexcept override {
    frames_.receive(batch);
    received_.fetch_add(batch.size(), std::memory_order_relaxed);
    is_done_.store(frames_.is_finished(), std::memory_order_release);
  }
  void release(PacketBatch& batch) noexcept override { frames_.release(batch); }
  [[nodiscard]] bool is_finished() const noexcept override { return false; }
  [[nodiscard]] const std::vector<capture::CaptureInfo>& captures() const noexcept override {
    return frames_.captures();
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return frames_.faults(); }
  [[nodiscard]] CounterView counters() const noexcept override { return {}; }
  [[nodiscard]] bool has_backlog() const noexcept override { return true; }

  [[nodiscard]] bool is_done() const noexcept { return is_done_.load(std::memory_order_acquire); }
  [[nodiscard]] uint64_t received() const noexcept { return received_.load(); }

 private:
  test::MemorySource frames_;
  std::atomic<uint64_t> received_{0};
  std::atomic<bool> is_done_{false};
};

class FullPorts final : public capture::Ports {
 public:
  explicit FullPorts(std::vector<TimedFrame> frames) : source_(std::move(frames)) {}
  /// Everything comes to the first worker.
  capture::PacketSource& source(uint32_t index) noexcept override {
    return index == 0 ? static_cast<capture::PacketSource&>(source_) : nothing_;
  }
  void enter_thread() noexcept override {}
  void leave_thread() noexcept override {}
  const std::vector<capture::PortFacts>& facts() const noexcept override { return facts_; }
  bool are_steered() const noexcept override { return true; }
  std::vector<capture::PortTotals> totals() override { return {}; }
  std::vector<capture::PoolUse> pools() const override { return {{}, {}}; }
  std::vector<capture::CardRules*> card_rules() override { return {}; }
  std::vector<std::string> take_notices() override { return {}; }
  [[nodiscard]] const FullSource& queue() const noexcept { return source_; }

 private:
  FullSource source_;
  test::MemorySource nothing_{{}, 64};
  std::vector<capture::PortFacts> facts_;
};

struct LiveResult {
  std::string eve;
  std::vector<std::map<std::string, uint64_t>> counters;  ///< of each worker
};

/// Everything that comes, with a policy that waits for nothing.
LiveResult run_live(FullPorts& ports, LiveOptions options) {
  const Folder folder;
  const output::SinkOptions sinks = eve_in(folder);
  const RuleSet rules = test::compiled(rules_text);
  Diagnostics diagnostics;
  output::Collector collector({}, sinks, diagnostics);
  collector.use_rules(rules.generation(),
                      {rules.infos(), rules.bit_names(), rules.integer_names()});
  options.engines = live_engines(sinks);
  options.overload = {.after_ms = 0, .step_ms = 0, .depth_bytes = 65536};
  LiveRun run(options, ports, rules, collector);
  run.start();
  while (!ports.queue().is_done()) {
    collector.poll();
    run.report_overload();
    std::this_thread::yield();
  }
  run.stop();
  LiveResult result;
  for (const ThreadCounters& thread : run.counters()) {
    std::map<std::string, uint64_t>& counters = result.counters.emplace_back();
    for (const CounterView& view : thread.views) {
      for (size_t i = 0; i < view.size(); ++i) {
        counters[std::string(view.rows[i].name)] += view.value(i);
      }
    }
  }
  result.eve = folder.read("eve.json");
  return result;
}

/// The whole live walk: one large flow and many small ones behind a queue that never empties.
TEST(Overload, TheLiveWalkTellsWhatItGaveUpAndSeesTheRest) {
  std::vector<std::vector<TimedFrame>> parts;
  Conversation large({.client_port = 999, .start_ns = start_ns, .step_ns = 1000});
  parts.push_back(large.handshake().client(std::string(8'000'000, 'l')).close().frames());
  for (uint16_t i = 0; i < 50; ++i) {
    Conversation small(
        {.client_port = static_cast<uint16_t>(2000 + i), .start_ns = start_ns + i * 200'000ULL});
    parts.push_back(small.handshake().client("an attack").close().frames());
  }
  FullPorts ports(craft::merge(parts));
  const auto [eve, all] = run_live(ports, {});
  std::map<std::string, uint64_t> counters = all.front();
  EXPECT_EQ(count(eve, "\"event_type\":\"alert\""), 50U);
  EXPECT_EQ(counters["overload.large.flows"], 1U);
  EXPECT_GT(counters["overload.large.packets"], 5000U);
  EXPECT_EQ(counters["worker.frames_decoded"], ports.queue().received());
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":)re"), 1U);
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":\d+,"packets":)re"),
            counters["flow_bypassed.local_pkts"]);
  EXPECT_EQ(sum_of(eve, R"re("end":"[^"]+","flows":\d+,"packets":\d+,"bytes":)re"),
            counters["flow_bypassed.local_bytes"]);
}

/// Its own queue is empty.
TEST(Overload, AFullRingIsTheBacklogOfWhoOwnsThePackets) {
  const OwnerTable owners(2);
  std::vector<TimedFrame> frames;
  for (int last = 1; frames.empty(); ++last) {
    const std::string client = fmt::format("10.0.1.{}", last);
    Conversation large({.client = client.c_str(), .start_ns = start_ns, .step_ns = 1000});
    large.handshake().client(std::string(8'000'000, 'l')).close();
    if (owner_of_frame(craft::to_packets(large.frames()).front(), owners, 0) == 1) {
      frames = large.frames();
    }
  }
  FullPorts ports(frames);
  LiveOptions options;
  options.workers = 2;
  options.hand_over_bytes = 1U << 16;
  std::vector<std::map<std::string, uint64_t>> counters = run_live(ports, options).counters;
  EXPECT_GT(counters[0]["worker.hand_over_waits"], 0U);
  EXPECT_GT(counters[1]["overload.periods"], 0U);
  EXPECT_EQ(counters[0]["worker.frames_handed_over"], ports.queue().received());
  EXPECT_EQ(counters[1]["worker.taken_over"], ports.queue().received());
}

}  // namespace
}  // namespace shrike::worker
