// The walk over a capture held in memory, one stage more at a time: what a stage costs is the
// difference to the row before. Counters: packets/s, Gbit/s on the wire, cycles a packet.
//
//   SHRIKE_BENCH_CAPTURE=mix.pcap SHRIKE_BENCH_RULES=et.rules build/bench/walk_bench
#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include "shrike/decode.h"
#include "shrike/detect.h"
#include "shrike/flow.h"
#include "traffic.h"
#include "worker/worker.h"

namespace {

using shrike::AlertBatch;
using shrike::Datagram;
using shrike::DatagramBatch;
using shrike::PacketBatch;
using shrike::TrackedBatch;

/// Counts packets, wire bytes and cycles, and turns them into the counters above.
class Meter {
 public:
  void count(const PacketBatch& batch) {
    packets_ += batch.size();
    for (const shrike::Packet& packet : batch.all()) {
      wire_bytes_ += packet.wire_bytes;
    }
  }
  void report(benchmark::State& state) const {
    const auto packets = static_cast<double>(packets_);
    state.counters["packets/s"] = benchmark::Counter(packets, benchmark::Counter::kIsRate);
    state.counters["Gbit/s"] =
        benchmark::Counter(static_cast<double>(wire_bytes_) * 8e-9, benchmark::Counter::kIsRate);
    state.counters["cycles/packet"] = static_cast<double>(__rdtsc() - start_) / packets;
  }

 private:
  uint64_t packets_ = 0;
  uint64_t wire_bytes_ = 0;
  uint64_t start_ = __rdtsc();
};

/// Runs `stages(batch)` over the whole capture once an iteration.
template <typename Stages>
void run(benchmark::State& state, Stages stages) {
  Meter meter;
  PacketBatch batch;
  for (auto _ : state) {
    const auto source = shrike::bench::open(1);
    while (!source->is_finished()) {
      source->receive(batch);
      meter.count(batch);
      stages(batch);
      source->release(batch);
    }
  }
  meter.report(state);
}

void BM_receive(benchmark::State& state) {
  run(state, [](const PacketBatch& batch) { benchmark::DoNotOptimize(batch.size()); });
}

/// Decodes a batch and hands its datagrams on, in as many pieces as it takes.
template <typename Next>
void decode(shrike::decode::Decoder& decoder, DatagramBatch& datagrams, const PacketBatch& batch,
            Next next) {
  for (auto rest = batch.all(); !rest.empty();) {
    rest = rest.subspan(decoder.decode(rest, datagrams));
    next(std::span<const Datagram>(datagrams.all()));
    datagrams.clear();
    decoder.release();
  }
}

void BM_decode(benchmark::State& state) {
  shrike::decode::Decoder decoder({});
  DatagramBatch datagrams;
  run(state, [&](const PacketBatch& batch) {
    decode(decoder, datagrams, batch,
           [](std::span<const Datagram> all) { benchmark::DoNotOptimize(all.size()); });
  });
}

void BM_track(benchmark::State& state) {
  shrike::decode::Decoder decoder({});
  shrike::flow::FlowTracker flows({});
  DatagramBatch datagrams;
  TrackedBatch tracked;
  run(state, [&](const PacketBatch& batch) {
    decode(decoder, datagrams, batch, [&](std::span<const Datagram> all) {
      while (!all.empty()) {
        all = all.subspan(flows.track(all, tracked));
      }
    });
  });
}

/// @param sample_batches  rules are measured in one batch of so many; 0: never.
void inspect(benchmark::State& state, uint32_t sample_batches) {
  const shrike::RuleSet& rules = shrike::bench::rules();
  shrike::decode::Decoder decoder({});
  shrike::flow::FlowTracker flows({});
  shrike::detect::Detector detector(
      {.flow_slots = flows.slots(), .sample_batches = sample_batches});
  shrike::RuleCosts costs(rules.generation(), rules.infos().size());
  detector.use_costs(sample_batches == 0 ? nullptr : &costs);
  DatagramBatch datagrams;
  TrackedBatch tracked;
  AlertBatch alerts;
  run(state, [&](const PacketBatch& batch) {
    decode(decoder, datagrams, batch, [&](std::span<const Datagram> all) {
      while (!all.empty()) {
        all = all.subspan(flows.track(all, tracked));
        detector.begin_batch();
        for (const shrike::Tracked& each : tracked.all()) {
          detector.inspect(rules, each, tracked.chunks_of(each), nullptr, alerts);
        }
        alerts.clear();
      }
    });
  });
}

void BM_inspect(benchmark::State& state) {
  inspect(state, 0);
}

/// What sampling costs: the ratio to the row before, both of one run.
void BM_inspect_sampled(benchmark::State& state) {
  inspect(state, 64);
}

void BM_inspect_measured(benchmark::State& state) {
  inspect(state, 1);
}

/// The whole walk, records included; the ring is emptied as a collector would.
void BM_walk(benchmark::State& state) {
  const shrike::RuleSet& rules = shrike::bench::rules();
  shrike::RecordRing ring(size_t{4} << 20);
  const auto drain = [&ring] {
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  };
  const auto source = shrike::bench::open(UINT32_MAX);
  shrike::worker::Worker worker({}, *source, ring, drain);
  uint64_t packets = 0;
  const uint64_t start = __rdtsc();
  for (auto _ : state) {
    packets += worker.run_once(rules);
    drain();
  }
  state.counters["packets/s"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate);
  state.counters["cycles/packet"] =
      static_cast<double>(__rdtsc() - start) / static_cast<double>(packets);
}

BENCHMARK(BM_receive)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_decode)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_track)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_inspect)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_inspect_sampled)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_inspect_measured)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_walk);

}  // namespace

BENCHMARK_MAIN();
