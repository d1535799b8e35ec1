// Decoding alone, by kind of frame. Counters: frames/s, and Gbit/s of frames.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "frames.h"
#include "shrike/decode.h"

namespace {

using shrike::DatagramBatch;
using shrike::Packet;
using shrike::bench::Frames;
using shrike::craft::Frame;
using shrike::craft::TimedFrame;

constexpr size_t batch_frames = 64;

/// The same frame as often as a batch holds packets, under other IP identifications.
template <typename Build>
std::vector<TimedFrame> batch_of(Build build) {
  std::vector<TimedFrame> frames;
  for (size_t i = 0; i < batch_frames; ++i) {
    frames.push_back({.bytes = build(static_cast<uint16_t>(i)).bytes(), .time_ns = 1000 + i});
  }
  return frames;
}

void decode(benchmark::State& state, std::vector<TimedFrame> timed) {
  const Frames frames(std::move(timed));
  shrike::decode::Decoder decoder({});
  DatagramBatch datagrams;
  for (auto _ : state) {
    for (auto rest = frames.packets(); !rest.empty();) {
      rest = rest.subspan(decoder.decode(rest, datagrams));
      benchmark::DoNotOptimize(datagrams.size());
      datagrams.clear();
      decoder.release();
    }
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["frames/s"] = benchmark::Counter(
      rounds * static_cast<double>(frames.packets().size()), benchmark::Counter::kIsRate);
  state.counters["Gbit/s"] = benchmark::Counter(
      rounds * static_cast<double>(frames.wire_bytes()) * 8e-9, benchmark::Counter::kIsRate);
}

void BM_decode_ipv4_tcp(benchmark::State& state) {
  const std::string payload(static_cast<size_t>(state.range(0)), 'x');
  decode(state,
         batch_of([&](uint16_t) { return Frame().ethernet().ipv4().tcp().payload(payload); }));
}

void BM_decode_vlan_ipv6_udp(benchmark::State& state) {
  decode(state, batch_of([](uint16_t) {
           return Frame().ethernet().vlan({.id = 7}).ipv6().udp().payload("0123456789");
         }));
}

void BM_decode_gre_tunnel(benchmark::State& state) {
  decode(state, batch_of([](uint16_t) {
           return Frame().ethernet().ipv4().gre().ipv4().tcp().payload("0123456789");
         }));
}

void BM_decode_fragments(benchmark::State& state) {
  std::vector<TimedFrame> frames;
  for (uint16_t id = 0; id < batch_frames / 2; ++id) {
    const Frame whole = Frame().ethernet().ipv4({.id = id}).udp().payload(std::string(120, 'f'));
    for (auto& piece : shrike::craft::fragment(whole, 64)) {
      frames.push_back({.bytes = std::move(piece), .time_ns = 1000U + id});
    }
  }
  decode(state, std::move(frames));
}

BENCHMARK(BM_decode_ipv4_tcp)->Arg(0)->Arg(256)->Arg(1400);
BENCHMARK(BM_decode_vlan_ipv6_udp);
BENCHMARK(BM_decode_gre_tunnel);
BENCHMARK(BM_decode_fragments);

}  // namespace

BENCHMARK_MAIN();
