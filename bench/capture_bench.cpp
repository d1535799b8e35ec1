// Reading captures alone, plain and compressed, from memory. Counter: packets/s.
#include <benchmark/benchmark.h>
#include <zlib.h>
#include <zstd.h>

#include "traffic.h"

namespace {

using shrike::PacketBatch;

std::vector<uint8_t> gzip(const std::vector<uint8_t>& plain) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, 6, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::vector<uint8_t> packed(deflateBound(&stream, plain.size()));
  stream.next_in = const_cast<Bytef*>(plain.data());  // zlib's type; it only reads
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::vector<uint8_t> zstd(const std::vector<uint8_t>& plain) {
  std::vector<uint8_t> packed(ZSTD_compressBound(plain.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

void read(benchmark::State& state, const std::vector<uint8_t>& bytes) {
  uint64_t packets = 0;
  PacketBatch batch;
  for (auto _ : state) {
    shrike::Diagnostics diagnostics;
    const auto source = shrike::capture::open_memory("bench", bytes, {}, diagnostics);
    while (!source->is_finished()) {
      source->receive(batch);
      packets += batch.size();
      source->release(batch);
    }
  }
  state.counters["packets/s"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate);
}

void BM_read_pcap(benchmark::State& state) {
  read(state, shrike::bench::capture());
}
void BM_read_pcap_gzip(benchmark::State& state) {
  read(state, gzip(shrike::bench::capture()));
}
void BM_read_pcap_zstd(benchmark::State& state) {
  read(state, zstd(shrike::bench::capture()));
}

BENCHMARK(BM_read_pcap);
BENCHMARK(BM_read_pcap_gzip);
BENCHMARK(BM_read_pcap_zstd);

}  // namespace

BENCHMARK_MAIN();
