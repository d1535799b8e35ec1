// Segments of a handful of connections, as hostile as the input likes. Layout of a segment:
// connection and direction, flags, time step, sequence, acknowledgement, window, options length,
// payload length, options. Small memory, small tables, so that their ends are met often.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "shrike/flow.h"

namespace {

using namespace shrike;

flow::FlowOptions options_of(uint8_t choice) {
  flow::FlowOptions options;
  options.flows_max = 16;
  options.stream_memory_bytes_max = 1 << 16;
  options.chunk_bytes = {64, 64};
  options.depth_bytes = (choice & 1) != 0 ? 0 : 4000;
  options.midstream = (choice & 2) != 0;
  options.async_one_side = (choice & 4) != 0;
  options.is_inline = (choice & 8) != 0;
  options.compare_overlaps = (choice & 16) != 0;
  options.urgent = static_cast<flow::FlowOptions::Urgent>(choice >> 5 & 3);
  IpAddress every;
  every.bytes.fill(0xff);
  options.target_policies = {{{4, {}, every}, static_cast<flow::TargetPolicy>(1 + choice % 15)}};
  return options;
}

struct Reader {
  const uint8_t* at;
  const uint8_t* end;
  uint8_t byte() { return at < end ? *at++ : uint8_t{0}; }
  uint16_t word() { return static_cast<uint16_t>(byte() << 8 | byte()); }
};

/// Touches every byte that is lent out, for the sanitizers; chunks must not lie about each other.
size_t touch(const TrackedBatch& out) {
  size_t sum = 0;
  for (const Tracked& tracked : out.all()) {
    for (const Chunk& chunk : out.chunks_of(tracked)) {
      for (const uint8_t each : chunk.bytes) {
        sum += each;
      }
    }
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader{data, data + size};
  flow::FlowTracker tracker(options_of(reader.byte()));
  TrackedBatch out;
  std::vector<uint8_t> payload(2048);
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<uint8_t>(i * 7);
  }
  std::array<std::array<uint8_t, 60>, 16> headers{};
  std::array<Datagram, 16> batch;
  uint64_t clock_ns = 1'000'000'000'000;
  volatile size_t sum = 0;
  for (uint64_t number = 1; reader.at < reader.end; ++number) {
    const size_t index = (number - 1) % batch.size();
    Datagram& datagram = batch[index] = Datagram{};
    auto& header = headers[index];
    const uint8_t who = reader.byte();
    datagram.tcp_flags = reader.byte() & 0x3f;
    const uint8_t step = reader.byte();
    clock_ns += uint64_t{step} * (step > 250 ? 10'000'000'000 : 10'000'000);
    const uint32_t sequence = reader.word() - 100u;
    const uint32_t number_acked = reader.word() - 100u;
    const uint16_t window = reader.word();
    for (size_t i = 0; i < 4; ++i) {
      header[4 + i] = static_cast<uint8_t>(sequence >> (24 - 8 * i));
      header[8 + i] = static_cast<uint8_t>(number_acked >> (24 - 8 * i));
    }
    header[14] = static_cast<uint8_t>(window >> 8);
    header[15] = static_cast<uint8_t>(window);
    header[19] = reader.byte();
    const size_t option_bytes = reader.byte() % 41;
    for (size_t i = 0; i < option_bytes; ++i) {
      header[20 + i] = reader.byte();
    }
    datagram.transport_header = {header.data(), 20 + option_bytes};
    const size_t length = std::min<size_t>(reader.word() % 1600, payload.size());
    datagram.payload = {payload.data() + who % 32, std::min(length, payload.size() - 32)};
    datagram.time_ns = datagram.clock_ns = clock_ns;
    datagram.number = number;
    datagram.ip_version = 4;
    datagram.protocol = ip_protocol::tcp;
    datagram.has_transport = datagram.wants_flow = true;
    datagram.source_port = static_cast<uint16_t>(1000 + (who >> 1) % 24);
    datagram.target_port = 80;
    datagram.source.bytes[3] = 1;
    datagram.target.bytes[3] = 2;
    if ((who & 1) != 0) {
      std::swap(datagram.source, datagram.target);
      std::swap(datagram.source_port, datagram.target_port);
    }
    if (index + 1 == batch.size() || reader.at >= reader.end) {
      for (auto rest = std::span<const Datagram>(batch).first(index + 1); !rest.empty();) {
        rest = rest.subspan(tracker.track(rest, out));
        sum = sum + touch(out);
      }
      if (who == 255) {
        tracker.set_verdict(FlowId(who % 20, Direction::to_server), FlowVerdict::bypass);
      }
    }
  }
  while (tracker.finish(out)) {
    sum = sum + touch(out);
  }
  const CounterView counters = tracker.counters()[0];
  uint64_t payload_bytes = 0;
  uint64_t fates = 0;
  for (size_t i = 0; i < counters.rows.size(); ++i) {
    const std::string_view name = counters.rows[i].name;
    payload_bytes += name == "stream.payload_bytes" ? counters.values[i] : 0;
    const bool is_fate = name == "stream.inspected_bytes" || name == "stream.discarded_bytes" ||
                         name.starts_with("stream.skipped.");
    fates += is_fate ? counters.values[i] : 0;
    const bool is_gauge =
        name == "flow.active" || name == "tcp.active_sessions" || name == "tcp.reassembly_memuse";
    if (is_gauge && counters.values[i] != 0) {
      std::abort();
    }
  }
  if (payload_bytes != fates) {
    std::abort();
  }
  return 0;
}
