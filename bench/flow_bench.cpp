// Flow tracking alone, over datagrams that were decoded before. Counters: datagrams/s and ns each.
#include <benchmark/benchmark.h>

#include <string>

#include "frames.h"
#include "shrike/decode.h"
#include "shrike/flow.h"

namespace {

using shrike::Datagram;
using shrike::DatagramBatch;
using shrike::TrackedBatch;
using shrike::bench::Frames;
using shrike::craft::Conversation;
using shrike::craft::TimedFrame;

/// Decodes once; the datagrams borrow from the frames.
std::vector<Datagram> decoded(const Frames& frames) {
  std::vector<Datagram> all;
  shrike::decode::Decoder decoder({});
  DatagramBatch batch;
  for (auto rest = frames.packets(); !rest.empty();) {
    rest = rest.subspan(decoder.decode(rest.first(std::min<size_t>(rest.size(), 64)), batch));
    for (const Datagram& datagram : batch.all()) {
      all.push_back(datagram);
    }
    batch.clear();
    decoder.release();
  }
  return all;
}

/// Tracks all datagrams and ends all flows, once an iteration.
void track(benchmark::State& state, std::vector<TimedFrame> timed) {
  const Frames frames(std::move(timed));
  const std::vector<Datagram> datagrams = decoded(frames);
  shrike::flow::FlowTracker flows({});
  TrackedBatch tracked;
  for (auto _ : state) {
    for (std::span<const Datagram> rest = datagrams; !rest.empty();) {
      const auto batch = rest.first(std::min<size_t>(rest.size(), 64));
      rest = rest.subspan(flows.track(batch, tracked));
    }
    while (flows.finish(tracked)) {
    }
  }
  const double count =
      static_cast<double>(state.iterations()) * static_cast<double>(datagrams.size());
  state.counters["datagrams/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
  state.counters["s/datagram"] =
      benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_track_tcp_in_order(benchmark::State& state) {
  track(state, shrike::bench::conversations(static_cast<unsigned>(state.range(0)), 20, 512));
}

void BM_track_tcp_shuffled(benchmark::State& state) {
  std::vector<std::vector<TimedFrame>> parts;
  for (unsigned i = 0; i < 500; ++i) {
    Conversation flow({.client_port = static_cast<uint16_t>(1024 + i),
                       .start_ns = 1'700'000'000'000'000'000 + i * 1000ULL});
    flow.handshake().client(std::string(20000, 'q')).shuffle(4, i);
    parts.push_back(flow.close().frames());
  }
  track(state, shrike::craft::merge(parts));
}

void BM_track_udp(benchmark::State& state) {
  std::vector<std::vector<TimedFrame>> parts;
  for (unsigned i = 0; i < 5000; ++i) {
    Conversation flow({.client_port = static_cast<uint16_t>(1024 + i),
                       .is_udp = true,
                       .start_ns = 1'700'000'000'000'000'000 + i * 1000ULL});
    parts.push_back(flow.client("question").server("answer").frames());
  }
  track(state, shrike::craft::merge(parts));
}

/// Every segment opens a flow: what a scan costs.
void BM_track_open(benchmark::State& state) {
  std::vector<TimedFrame> frames;
  for (unsigned i = 0; i < 20000; ++i) {
    Conversation flow({.client_port = static_cast<uint16_t>(1024 + i)});
    frames.push_back(flow.handshake().frames().front());
  }
  track(state, std::move(frames));
}

BENCHMARK(BM_track_tcp_in_order)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_track_tcp_shuffled)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_track_udp)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_track_open)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
