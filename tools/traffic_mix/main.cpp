#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "mixer.h"
#include "shrike/capture.h"

namespace {

using namespace shrike;

struct Arguments {
  std::vector<std::string> paths;
  std::string output;
  uint64_t megabytes = 500;
  uint64_t window_seconds = 60;
  uint64_t seed = 1;
};

int run(const Arguments& arguments) {
  Diagnostics diagnostics;
  std::vector<traffic_mix::Recording> recordings;
  if (capture::start_packet_memory({}, diagnostics)) {
    recordings = traffic_mix::read_recordings(arguments.paths, diagnostics);
  }
  if (!diagnostics.all().empty()) {
    fmt::print(stderr, "{}\n", diagnostics.text());
  }
  if (recordings.empty()) {
    fmt::print(stderr, "traffic_mix: no capture with IP in Ethernet, raw or cooked frames\n");
    return 1;
  }
  craft::PcapWriter writer(arguments.output, {.has_nanoseconds = true});
  const traffic_mix::MixReport report =
      traffic_mix::write_mix(recordings,
                             {.bytes = arguments.megabytes * 1'000'000,
                              .window_ns = arguments.window_seconds * 1'000'000'000,
                              .seed = arguments.seed},
                             writer);
  if (!writer.finish()) {
    fmt::print(stderr, "traffic_mix: {} could not be written whole\n", arguments.output);
    return 1;
  }
  fmt::print("{}: {} bytes, {} frames, {} copies of {} captures\n", arguments.output,
             writer.bytes(), report.frames, report.copies, recordings.size());
  return 0;
}

int parse_and_run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "Makes a large capture of many small ones: copies of them, each under addresses of its\n"
      "own, run at the same time. The same input and seed give the same file, byte by byte."};
  app.add_option("captures", arguments.paths, "Captures and folders of captures, read recursively")
      ->required();
  app.add_option("-o,--output", arguments.output, "The pcap file to write")->required();
  app.add_option("--megabytes", arguments.megabytes, "Size of the file, in 10^6 bytes, at least")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--seconds", arguments.window_seconds,
                 "Capture time that the mix covers; longer captures are sped up")
      ->capture_default_str()
      ->check(CLI::Range(1, 86'400));
  app.add_option("--seed", arguments.seed, "Chooses addresses, order and begin of the copies")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& fault) {  // of CLI11, and of memory that is not there
    std::fprintf(stderr, "traffic_mix: %s\n", fault.what());
    return 1;
  }
}
