// Building rules: parsing and checking, and the whole compilation with and without its cache on
// disk. Counter: rules/s. Rules from SHRIKE_BENCH_RULES, else a thousand made ones.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "shrike/rule.h"

namespace {

using shrike::Diagnostics;
using shrike::rule::Options;
using shrike::rule::Report;
using shrike::rule::Source;

std::string made_rules() {
  std::string text;
  for (unsigned sid = 1; sid <= 1000; ++sid) {
    text += fmt::format(
        "alert tcp any any -> any {} (msg:\"rule {}\"; flow:established,to_server; "
        "content:\"needle{:05}\"; nocase; content:\"tail\"; distance:0; within:{}; sid:{};)\n",
        sid % 5 == 0 ? "any" : std::to_string(80 + sid % 7), sid, sid * 7919, 4 + sid % 90, sid);
  }
  return text;
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    const char* const path = std::getenv("SHRIKE_BENCH_RULES");
    if (path == nullptr) {
      return std::vector<Source>{{"made.rules", made_rules()}};
    }
    std::ifstream file(path, std::ios::binary);
    return std::vector<Source>{{path, {std::istreambuf_iterator<char>(file), {}}}};
  }();
  return all;
}

Options options_with(const std::string& cache_directory) {
  Options options;
  options.address_groups = {{"HOME_NET", "any"}, {"EXTERNAL_NET", "any"}};
  options.cache_directory = cache_directory;
  return options;
}

template <typename Build>
void build(benchmark::State& state, Build build_once) {
  uint64_t rules = 0;
  for (auto _ : state) {
    Diagnostics diagnostics;
    Report report;
    build_once(diagnostics, report);
    rules += report.rules_loaded;
  }
  state.counters["rules/s"] =
      benchmark::Counter(static_cast<double>(rules), benchmark::Counter::kIsRate);
}

void BM_check(benchmark::State& state) {
  build(state, [](Diagnostics& diagnostics, Report& report) {
    shrike::rule::check(sources(), options_with({}), diagnostics, report);
  });
}

void BM_compile(benchmark::State& state) {
  build(state, [](Diagnostics& diagnostics, Report& report) {
    benchmark::DoNotOptimize(
        shrike::rule::compile(sources(), options_with({}), diagnostics, report));
  });
}

void BM_compile_cached(benchmark::State& state) {
  const auto folder = std::filesystem::temp_directory_path() / "shrike_rule_bench";
  const Options options = options_with(folder.string());
  build(state, [&](Diagnostics& diagnostics, Report& report) {
    benchmark::DoNotOptimize(shrike::rule::compile(sources(), options, diagnostics, report));
  });
  std::filesystem::remove_all(folder);
}

BENCHMARK(BM_check)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_compile)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_compile_cached)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
