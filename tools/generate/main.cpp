#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "frames.h"
#include "port.h"
#include "rate.h"
#include "report.h"
#include "sender.h"
#include "split.h"

namespace {

using namespace shrike;
using namespace shrike::generate;

struct Arguments {
  std::vector<std::string> paths;
  bool forges = false;
  ForgeOptions forgery;
  PortOptions port;
  SendOptions send;
  std::string rate = "max";
  std::string split_prefix;
  uint64_t wait_for_peer_seconds = 0;
  uint64_t linger_seconds = 0;
  bool writes_json = false;
  bool is_quiet = false;
};

std::atomic<bool> stop_asked{false};

void ask_to_stop(int /*signal*/) {
  stop_asked.store(true, std::memory_order_relaxed);
}

void install_stop_signal() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;  // a second signal ends it at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void nap() {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

/// Waits until `seconds` are over, a stop is asked for, or `is_enough`.
template <typename IsEnough>
bool wait(uint64_t seconds, IsEnough is_enough) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!stop_asked.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end) {
    if (is_enough()) {
      return true;
    }
    nap();
  }
  return is_enough();
}

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::done:
      return "done";
    case Ending::duration:
      return "duration";
    case Ending::stopped:
      return "stopped";
    case Ending::stalled:
      return "stalled";
  }
  return {};
}

void print(const Arguments& arguments, const Summary& summary) {
  if (arguments.writes_json) {
    fmt::print("{}\n", to_json(summary));
  } else if (!arguments.is_quiet) {
    fmt::print("{}", to_text(summary));
  }
  std::fflush(stdout);
}

void load_frames(const Arguments& arguments, FrameList& frames, Diagnostics& diagnostics) {
  read_captures(arguments.paths, frames, diagnostics);
  if (arguments.forges) {
    forge(arguments.forgery, frames);
  }
  if (frames.size() == 0 && diagnostics.errors() == 0) {
    diagnostics.error({}, "no-frames", "there is nothing to send; name captures or --forge");
  }
}

bool run_split(const Arguments& arguments, const FrameList& frames, Diagnostics& diagnostics) {
  Summary summary{.ending = "done", .rounds = 1, .unsendable = frames.unsendable()};
  if (!split(frames,
             {.prefix = arguments.split_prefix,
              .queues = arguments.port.queues,
              .spread = arguments.send.spread,
              .copies = arguments.send.copies},
             summary.queues, diagnostics)) {
    return false;
  }
  print(arguments, summary);
  return true;
}

bool run_port(const Arguments& arguments, const FrameList& frames, Diagnostics& diagnostics) {
  PortOptions options = arguments.port;
  options.longest_frame_bytes = frames.longest_bytes();
  const auto port = Port::open(options, diagnostics);
  if (port == nullptr) {
    return false;
  }
  if (arguments.wait_for_peer_seconds > 0) {
    if (!wait(arguments.wait_for_peer_seconds, [&] { return port->is_up(); })) {
      diagnostics.error({}, "no-peer", "{}: nobody came within {} s", arguments.port.name,
                        arguments.wait_for_peer_seconds);
      return false;
    }
    // The link is up before the last queue is: what is refused until then is not lost.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  Sender sender(*port, frames, arguments.send, stop_asked);
  const SendReport report = sender.run();
  print(arguments, {.ending = name_of(report.ending),
                    .seconds = report.seconds,
                    .rounds = report.rounds,
                    .too_long = report.too_long,
                    .unsendable = frames.unsendable(),
                    .queues = port->totals(),
                    .driver = port->driver_totals()});
  if (report.ending == Ending::stalled) {
    diagnostics.error({}, "stalled", "{}: the port took nothing for {} s", arguments.port.name,
                      arguments.send.stall_seconds_max);
    return false;
  }
  wait(arguments.linger_seconds, [] { return false; });
  return true;
}

int run(Arguments& arguments) {
  Diagnostics diagnostics;
  FrameList frames;
  const std::optional<Rate> rate = parse_rate(arguments.rate);
  if (!rate) {
    diagnostics.error({}, "rate", "'{}' is no rate; write 50000pps, 2.5Gbit/s or max",
                      arguments.rate);
  } else if (arguments.port.name.empty() == arguments.split_prefix.empty()) {
    diagnostics.error({}, "target", "name one of --port and --split");
  } else {
    arguments.send.rate = *rate;
    arguments.send.shows_progress = !arguments.is_quiet && isatty(STDERR_FILENO) != 0;
    install_stop_signal();
    load_frames(arguments, frames, diagnostics);
  }
  bool is_good = diagnostics.errors() == 0;
  if (is_good) {
    is_good = arguments.split_prefix.empty() ? run_port(arguments, frames, diagnostics)
                                             : run_split(arguments, frames, diagnostics);
  }
  if (!diagnostics.all().empty()) {
    fmt::print(stderr, "{}\n", diagnostics.text());
  }
  return is_good ? 0 : 1;
}

void add_source_options(CLI::App& app, Arguments& arguments) {
  const std::map<std::string, Forgery> forgeries{
      {"http", Forgery::http}, {"dns", Forgery::dns}, {"tcp", Forgery::tcp}, {"udp", Forgery::udp}};
  app.add_option("captures", arguments.paths, "Captures and folders of captures, read recursively");
  ForgeOptions& forgery = arguments.forgery;
  app.add_option("--forge", forgery.kind, "Conversations that nobody held")
      ->option_text("http|dns|tcp|udp")
      ->transform(CLI::CheckedTransformer(forgeries))
      ->each([&](const std::string&) { arguments.forges = true; });
  app.add_option("--conversations", forgery.conversations, "How many to forge")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--exchanges", forgery.exchanges, "Of forged tcp and udp, frames each way")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--frame-bytes", forgery.frame_bytes, "Of forged frames with data")
      ->capture_default_str()
      ->check(CLI::Range(60, 9014));
}

void add_send_options(CLI::App& app, Arguments& arguments) {
  const std::map<std::string, Spread> spreads{{"symmetric", Spread::symmetric},
                                              {"asymmetric", Spread::asymmetric}};
  SendOptions& send = arguments.send;
  app.add_option("--rate", arguments.rate, "50000pps, 1.5Mpps, 200Mbit/s, 2.5Gbit/s … or max")
      ->capture_default_str();
  app.add_option("--nap-us", send.nap_us_min,
                 "Sleep at least so long between bursts of --rate, which leaves the processor to "
                 "others; 0: even gaps")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  app.add_flag("--lossless", send.is_lossless, "Wait where the port has no room");
  auto* const loops = app.add_option("--loops", send.loops, "Rounds over all frames; 0: no end");
  loops->capture_default_str();
  app.add_option("--duration", send.duration_seconds,
                 "Seconds to send for; without --loops, over and over")
      ->check(CLI::Range(1, 1'000'000))
      ->each([&send, loops](const std::string&) {
        send.loops = loops->count() == 0 ? 0 : send.loops;
      });
  app.add_option("--flows", send.copies, "Copies of each frame, each under other addresses")
      ->capture_default_str()
      ->check(CLI::Range(1U, FlowCopies::copies_max));
  app.add_flag("--new-hosts", send.changes_hosts, "Other addresses in each round of --loops");
  app.add_option("--spread", send.spread, "Over queues; asymmetric: both directions of hosts apart")
      ->option_text("symmetric|asymmetric")
      ->transform(CLI::CheckedTransformer(spreads));
  app.add_option("--stall-timeout", send.stall_seconds_max,
                 "Seconds after which --lossless gives up on a port that takes nothing")
      ->capture_default_str();
  app.add_option("--wait-for-peer", arguments.wait_for_peer_seconds,
                 "Seconds to wait at most for the port's link");
  app.add_option("--linger", arguments.linger_seconds,
                 "Seconds to stay after the summary, or until a signal");
  app.add_flag("--json", arguments.writes_json, "The summary as one line of JSON");
  app.add_flag("-q,--quiet", arguments.is_quiet, "No progress, no summary but --json's");
}

void add_port_options(CLI::App& app, Arguments& arguments) {
  PortOptions& port = arguments.port;
  app.add_option("--port", port.name,
                 "Where to send: a virtual device in DPDK's words, or a PCI address");
  app.add_option("--split", arguments.split_prefix,
                 "Sends nothing: writes PREFIX.QUEUE.pcap, with the captures' times");
  app.add_option("--queues", port.queues, "Queues to spread over by addresses")
      ->capture_default_str()
      ->check(CLI::Range(1U, OwnerTable::buckets));
  app.add_option("--descriptors", port.descriptors, "Of each queue")
      ->capture_default_str()
      ->check(CLI::Range(64, 32'768));
  app.add_option("--frame-bytes-max", port.frame_bytes_max,
                 "Longer frames are left out and counted; 0: as the port says")
      ->check(CLI::Range(0, 65'535));
  app.add_option("--core", port.core, "Pins itself to this core")->check(CLI::Range(0, 1023));
  app.add_option("--memory", port.memory_megabytes, "MiB of ordinary pages for DPDK")
      ->capture_default_str()
      ->check(CLI::Range(64, 1 << 20));
  app.add_flag("--huge", port.uses_huge_pages, "Huge pages (always so with a PCI address)");
  app.add_option("--file-prefix", port.file_prefix, "Of DPDK's own files");
  app.add_flag("-v,--verbose", port.is_verbose, "DPDK's log on the standard error");
}

int parse_and_run(int argc, char** argv) {
  Arguments arguments;
  arguments.port.file_prefix = fmt::format("generate-{}", getpid());
  CLI::App app{
      "Sends captures, or conversations that nobody held, over any DPDK port: to try a sensor\n"
      "live. Times of captures are not sent; --rate says how fast."};
  add_source_options(app, arguments);
  add_port_options(app, arguments);
  add_send_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  return run(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& fault) {  // of CLI11, and of memory that is not there
    std::fprintf(stderr, "generate: %s\n", fault.what());
    return 1;
  }
}
