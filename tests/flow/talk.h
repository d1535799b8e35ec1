#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/flow.h"

/// Says segments to a FlowTracker and writes down what came of them. Sequence numbers are relative
/// to each side's first one, so that a conversation reads like a trace.
namespace shrike::flow::test {

inline constexpr uint64_t second_ns = 1'000'000'000;

struct Segment {
  char from = 'c';         ///< 'c'lient or 's'erver
  std::string_view flags;  ///< of "SFRPAU"
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  std::string_view payload = {};
  uint16_t window = 8192;
  std::vector<uint8_t> options = {};
  uint16_t urgent_pointer = 0;
  double after_seconds = 0;  ///< since the segment before
  bool checksum_is_bad = false;
};

/// What one datagram gave, as text that a test can compare.
struct Result {
  std::string events;   ///< joined by ' '
  std::string payload;  ///< as it goes on
  std::string frame;
  std::string chunks;  ///< "offset:bytes" joined by ' '; '+' in front behind a gap
  TcpState state = TcpState::none;
  FlowState flow_state = FlowState::fresh;
  FlowVerdict verdict = FlowVerdict::inspect;
  Direction direction = Direction::to_server;
  bool has_flow = false;
  bool opened = false;
  bool is_established = false;
  bool tcp_established = false;
  bool stream_added = false;
  bool stream_end = false;
  bool depth_reached = false;
  bool is_midstream = false;
  uint32_t slot = 0;
  uint64_t number = 0;
  uint64_t clock_ns = 0;
  std::array<uint32_t, 2> stream_bytes{};
};

inline std::vector<uint8_t> timestamps(uint32_t value, uint32_t echo) {
  std::vector<uint8_t> option = {1, 1, 8, 10};
  for (const uint32_t each : {value, echo}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      option.push_back(static_cast<uint8_t>(each >> shift));
    }
  }
  return option;
}

class Talk {
 public:
  explicit Talk(const FlowOptions& options = small()) : tracker(options) {}

  /// Options as a test wants them: little memory, everything else as shipped.
  static FlowOptions small() {
    FlowOptions options;
    options.flows_max = 64;
    options.stream_memory_bytes_max = 4 << 20;
    return options;
  }

  /// Tracks one segment alone. @return what came of it; of ended flows, see `ended` and `looks`.
  Result say(const Segment& segment) { return track(tcp(segment)); }

  /// The usual three packets. The client's bytes begin at sequence 1, the server's too.
  void shake_hands() {
    say({'c', "S", 0});
    say({'s', "SA", 0, 1});
    say({'c', "A", 1, 1});
  }

  Result track(const Datagram& datagram) {
    Result last;
    looks.clear();
    ended.clear();
    size_t taken = 0;
    do {
      taken = tracker.track({&datagram, 1}, out);
      collect(last);
    } while (taken == 0);
    return last;
  }
  std::vector<Result> finish() {
    std::vector<Result> all;
    ended.clear();
    for (bool is_more = true; is_more;) {
      is_more = tracker.finish(out);
      looks.clear();
      Result last;
      collect(last);
      all.insert(all.end(), looks.begin(), looks.end());
    }
    return all;
  }
  std::vector<Result> expire(double seconds) {
    std::vector<Result> all;
    ended.clear();
    for (bool is_done = false; !is_done;) {
      is_done = tracker.expire(static_cast<uint64_t>(seconds * 1e9), out);
      looks.clear();
      Result last;
      collect(last);
      all.insert(all.end(), looks.begin(), looks.end());
    }
    return all;
  }

  Datagram tcp(const Segment& segment) {
    const bool from_client = segment.from == 'c';
    Datagram datagram = ip(from_client, ip_protocol::tcp, segment.after_seconds);
    std::vector<uint8_t> header(20);
    put32(header, 4, segment.sequence + (from_client ? client_isn : server_isn));
    const bool has_ack = segment.flags.find('A') != std::string_view::npos;
    if (has_ack) {
      put32(header, 8, segment.acknowledgement + (from_client ? server_isn : client_isn));
    } else {
      put32(header, 8, segment.acknowledgement);
    }
    header[14] = static_cast<uint8_t>(segment.window >> 8);
    header[15] = static_cast<uint8_t>(segment.window);
    header[18] = static_cast<uint8_t>(segment.urgent_pointer >> 8);
    header[19] = static_cast<uint8_t>(segment.urgent_pointer);
    for (const char flag : segment.flags) {
      datagram.tcp_flags |= static_cast<uint8_t>(1 << std::string_view("FSRPAU").find(flag));
    }
    header.insert(header.end(), segment.options.begin(), segment.options.end());
    datagram.transport_header = keep(header);
    const std::string frame = "frame:" + std::string(segment.payload);
    datagram.frame = keep({frame.begin(), frame.end()});
    datagram.payload = datagram.frame.subspan(6);
    datagram.checksum_is_bad = segment.checksum_is_bad;
    return datagram;
  }

  Datagram udp(bool from_client, double after_seconds = 0) {
    return ip(from_client, ip_protocol::udp, after_seconds);
  }

  Datagram ip(bool from_client, uint8_t protocol, double after_seconds) {
    now_ns += static_cast<uint64_t>(after_seconds * 1e9);
    Datagram datagram;
    datagram.time_ns = datagram.clock_ns = now_ns;
    datagram.number = ++number;
    datagram.ip_version = 4;
    datagram.protocol = protocol;
    datagram.wants_flow = true;
    datagram.has_transport = true;
    datagram.wire_bytes = 100;
    datagram.source.bytes = {10, 0, 0, 1};
    datagram.target.bytes = {10, 0, 0, 2};
    datagram.source_port = client_port;
    datagram.target_port = 80;
    if (!from_client) {
      std::swap(datagram.source, datagram.target);
      std::swap(datagram.source_port, datagram.target_port);
    }
    return datagram;
  }

  [[nodiscard]] uint64_t count(std::string_view name) const {
    const CounterView view = tracker.counters()[0];
    for (size_t i = 0; i < view.rows.size(); ++i) {
      if (view.rows[i].name == name) {
        return view.values[i];
      }
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  /// The accounting law of streams, after finish().
  void expect_sums_to_close() const {
    const CounterView view = tracker.counters()[0];
    uint64_t skipped = 0;
    for (size_t i = 0; i < view.rows.size(); ++i) {
      if (view.rows[i].name.starts_with("stream.skipped.")) {
        skipped += view.values[i];
      }
    }
    EXPECT_EQ(count("stream.payload_bytes"), count("stream.kept_bytes") + skipped);
    EXPECT_EQ(count("stream.kept_bytes"),
              count("stream.inspected_bytes") + count("stream.discarded_bytes"));
    EXPECT_EQ(count("tcp.active_sessions"), 0u);
    EXPECT_EQ(count("flow.active"), 0u);
  }

  FlowTracker tracker;
  TrackedBatch out;
  std::vector<Result> looks;   ///< pseudo datagrams of the last call
  std::vector<FlowEnd> ended;  ///< flows that ended in it
  uint64_t now_ns = 1000 * second_ns;
  uint64_t number = 0;
  uint32_t client_isn = 1000;
  uint32_t server_isn = 500000;
  uint16_t client_port = 40000;

 private:
  static void put32(std::vector<uint8_t>& bytes, size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) {
      bytes[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
    }
  }
  Bytes keep(std::vector<uint8_t> bytes) { return kept_.emplace_back(std::move(bytes)); }

  void collect(Result& last) {
    for (const Tracked& tracked : out.all()) {
      Result result;
      for (const StreamEvent event : tracked.events.all()) {
        result.events += (result.events.empty() ? "" : " ") + std::string(to_text(event));
      }
      for (const Chunk& chunk : out.chunks_of(tracked)) {
        result.chunks += (result.chunks.empty() ? "" : " ") +
                         std::string(chunk.after_gap ? "+" : "") + std::to_string(chunk.offset) +
                         ":" + std::string(as_text(chunk.bytes));
      }
      const FlowView& view = tracked.flow;
      result.state = view.tcp_state;
      result.flow_state = view.state;
      result.verdict = view.verdict;
      result.has_flow = view.id.exists();
      result.direction = view.id.direction();
      result.slot = view.id.slot();
      result.opened = view.opened;
      result.is_established = view.is_established;
      result.tcp_established = view.tcp_established;
      result.stream_added = view.stream_added;
      result.stream_end = view.stream_end;
      result.depth_reached = view.depth_reached;
      result.is_midstream = view.is_midstream;
      result.stream_bytes = view.stream_bytes;
      result.payload = as_text(tracked.datagram->payload);
      result.frame = as_text(tracked.datagram->frame);
      result.number = tracked.datagram->number;
      result.clock_ns = tracked.datagram->clock_ns;
      if (view.stream_end) {
        looks.push_back(result);
      } else {
        last = result;
      }
    }
    ended.insert(ended.end(), tracker.ends().begin(), tracker.ends().end());
  }

  std::deque<std::vector<uint8_t>> kept_;
};

}  // namespace shrike::flow::test
