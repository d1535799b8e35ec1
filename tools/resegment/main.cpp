#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shrike/capture.h"
#include "shrike/craft.h"

namespace {

using namespace shrike;

struct Arguments {
  std::string input;
  std::string output;
  craft::ResegmentOptions options;
};

/// Frames read before they are sent anew: bounds the memory that one-byte pieces take.
constexpr size_t frames_at_once = 256;

std::vector<craft::TimedFrame> read_frames(capture::PacketSource& source, PacketBatch& batch) {
  std::vector<craft::TimedFrame> frames;
  while (frames.size() < frames_at_once && !source.is_finished()) {
    source.receive(batch);
    for (const Packet& packet : batch.all()) {
      frames.push_back({.bytes = {packet.frame.begin(), packet.frame.end()},
                        .time_ns = packet.time_ns,
                        .link_type = packet.link_type,
                        .wire_bytes = packet.wire_bytes});
    }
    source.release(batch);
  }
  return frames;
}

/// Reads, sends anew and writes. @return the reason where that did not work.
std::string convert(const Arguments& arguments, capture::PacketSource& source) {
  craft::Resegmenter resegmenter(arguments.options);
  const auto batch = std::make_unique<PacketBatch>();
  std::vector<craft::TimedFrame> frames = read_frames(source, *batch);
  const LinkType link_type = frames.empty() ? LinkType::ethernet : frames.front().link_type;
  if (link_type == LinkType::unknown) {
    return "frames of a link type without a name";
  }
  craft::PcapWriter writer(arguments.output, {.link_type = link_type});
  uint64_t read = 0;
  uint64_t written = 0;
  for (; !frames.empty(); frames = read_frames(source, *batch)) {
    read += frames.size();
    for (const craft::TimedFrame& frame : resegmenter.resegment(frames)) {
      if (frame.link_type != link_type) {
        return "frames of several link types, which a pcap file cannot hold";
      }
      writer.write(frame.bytes, frame.time_ns, frame.wire_bytes);
      ++written;
    }
  }
  if (!writer.finish()) {
    return fmt::format("{} could not be written whole", arguments.output);
  }
  fmt::print("{}: {} frames made of {}\n", arguments.output, written, read);
  return {};
}

int run(const Arguments& arguments) {
  Diagnostics diagnostics;
  std::string fault = "no capture";
  if (capture::start_packet_memory({}, diagnostics)) {
    const auto source = capture::open_files({.paths = {arguments.input}}, diagnostics);
    if (source != nullptr) {
      fault = convert(arguments, *source);
    }
  }
  if (!diagnostics.all().empty()) {
    fmt::print(stderr, "{}\n", diagnostics.text());
  }
  if (!fault.empty()) {
    fmt::print(stderr, "resegment: {}: {}\n", arguments.input, fault);
  }
  return fault.empty() ? 0 : 1;
}

int parse_and_run(int argc, char** argv) {
  Arguments arguments;
  craft::ResegmentOptions& options = arguments.options;
  CLI::App app{
      "Sends the TCP streams of a capture anew, in other segments: a sensor should say the same\n"
      "of both captures. The same input and seeds give the same file, byte by byte."};
  app.add_option("capture", arguments.input, "The capture to read")->required();
  app.add_option("-o,--output", arguments.output, "The pcap file to write")->required();
  auto* const bytes = app.add_option("--bytes", options.piece_bytes_max,
                                     "Cut segments into pieces of so many bytes of payload");
  bytes->check(CLI::Range(1, 65'535));
  app.add_option("--random", options.cut_seed, "Cut into pieces of 1 to 1460 bytes, by this seed")
      ->excludes(bytes);
  app.add_option("--shuffle", options.order_seed,
                 "Reorder up to 8 pieces that follow one another, by this seed");
  app.add_flag("--duplicate", options.duplicate, "Send every piece twice");
  app.add_flag("--fragment", options.fragment, "Cut IP datagrams above 64 bytes into fragments");
  CLI11_PARSE(app, argc, argv);
  return run(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& fault) {  // of CLI11, and of memory that is not there
    std::fprintf(stderr, "resegment: %s\n", fault.what());
    return 1;
  }
}
