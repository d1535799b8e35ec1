#include "top_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "assemble.h"
#include "run.h"
#include "screen.h"
#include "subcommand.h"
#include "terminal.h"
#include "top_view.h"

namespace shrike::app {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* footer =
    R"(Shows a sensor that runs live: rates, what was lost and why, how busy each worker
is and how full its rings and buffers ever were, how long packets and alerts take,
which signatures fire, and which rules cost most (measured in a sample of batches,
shrike.profiling.sample-batches). Rates, latencies and alerts are those of the last
interval; slow rules and how full things were at most (the ring to the collector,
those from other workers, the pool of packet buffers) are since the sensor's start.

Keys: q ends, blank pauses and goes on.

Examples:
  The sensor of this machine, as root or as its user:
    shrike top
  One that was started with -l out by another user than root:
    shrike top --socket out/shrike-command.socket
  One frame for a mail or a ticket, without control codes:
    shrike top --once
  The load of every worker, once a minute, for a script:
    shrike top --json --interval 60 | jq -c '[.workers[].load_permille]'

Exit status: 0 done; 1 the sensor does not answer; 2 the command line is wrong.)";

struct Words {
  CommandLine line;  ///< what names the socket, where --socket does not
  std::string socket;
  double interval_seconds = 1;
  bool is_once = false;
  bool is_json = false;

  [[nodiscard]] Clock::duration interval() const {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(interval_seconds));
  }
};

void add_options(CLI::App& app, Words& words) {
  app.footer(footer);
  app.add_option("--socket", words.socket,
                 "Control socket of the sensor; else that of the configuration")
      ->type_name("PATH");
  app.add_option("-c", words.line.config_file, "Configuration of the sensor")->type_name("FILE");
  app.add_option("--interval", words.interval_seconds, "Seconds between two frames, 0.1 to 3600")
      ->type_name("S")
      ->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--once", words.is_once, "One frame of one interval, as plain text, and end");
  app.add_flag("--json", words.is_json, "One JSON object a line for each interval");
}

/// Where a sensor with this configuration would have its socket.
bool find_socket(Words& words, Diagnostics& diagnostics) {
  if (words.socket.empty()) {
    words.socket = assemble_settings(words.line, diagnostics).command_socket;
  }
  return diagnostics.errors() == 0;
}

std::string styled(const TopLine& line, bool has_colours) {
  switch (line.style) {
    case TopLine::Style::plain:
      return line.text;
    case TopLine::Style::heading:
      return "\x1b[1m" + line.text + "\x1b[0m";
    case TopLine::Style::alarm:
      return has_colours ? "\x1b[31m" + line.text + "\x1b[0m" : "\x1b[7m" + line.text + "\x1b[0m";
    case TopLine::Style::faint:
      return "\x1b[2m" + line.text + "\x1b[0m";
  }
  return line.text;
}

/// Lines for a screen; what stood to the right of them before is wiped out.
std::string on_screen(const std::vector<TopLine>& lines) {
  const char* const no_colour = std::getenv("NO_COLOR");
  const bool has_colours = no_colour == nullptr || *no_colour == 0;
  std::string text;
  for (const TopLine& line : lines) {
    text += (text.empty() ? "" : "\r\n") + styled(line, has_colours) + "\x1b[K";
  }
  return text;
}

/// --once and --json: what scripts read.
int print_frames(const Words& words, top::Client& client) {
  std::optional<top::Sample> before = client.ask();
  while (before) {
    std::this_thread::sleep_for(words.interval());
    std::optional<top::Sample> now = client.ask();
    if (!now) {
      break;
    }
    if (words.is_json) {
      fmt::print("{}\n", top_json(*before, *now));
    } else {
      for (const TopLine& line : top_lines(*before, *now, {})) {
        fmt::print("{}\n", line.text);
      }
    }
    if (std::fflush(stdout) != 0 || words.is_once) {
      return exit_done;  // who read is gone, or has what it wanted
    }
    before = std::move(now);
  }
  fmt::print(stderr, "{}\n", client.fault());
  return exit_faults;
}

/// What the screen shows, and what it knows of the sensor.
class Viewer {
 public:
  Viewer(const Words& words, top::Client& client, top::Sample first)
      : words_(words), client_(client), before_(std::move(first)) {}

  void run() {
    const Screen screen;
    draw();
    for (Clock::time_point next = Clock::now() + first_interval(); !Screen::is_over(); draw()) {
      if (Clock::now() >= next) {
        next = Clock::now() + words_.interval();
        take();
        draw();
      }
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      const std::optional<char> key = screen.key(wait);
      if (key == 'q' || key == 'Q') {
        return;
      }
      if (key == ' ') {
        is_paused_ = !is_paused_;
      }
    }
  }

 private:
  /// The first frame has something to show soon.
  [[nodiscard]] Clock::duration first_interval() const {
    return std::min<Clock::duration>(words_.interval(), std::chrono::milliseconds(300));
  }

  void take() {
    if (is_paused_) {
      return;
    }
    std::optional<top::Sample> sample = client_.ask();
    has_answer_ = sample.has_value();
    if (sample) {
      before_ = now_ ? std::move(*now_) : std::move(before_);
      now_ = std::move(sample);
    }
  }

  void draw() const {
    const auto [columns, rows] = Screen::size();
    std::vector<TopLine> lines =
        top_lines(before_, now_ ? *now_ : before_, {.columns = columns, .rows = rows});
    if (is_paused_ || !has_answer_) {
      const std::string note = has_answer_ ? "paused; blank goes on, q ends"
                                           : "no answer, trying again: " + client_.fault();
      lines[0] = {TopLine::Style::alarm, note.substr(0, columns)};
    }
    Screen::show(on_screen(lines));
  }

  const Words& words_;
  top::Client& client_;
  top::Sample before_;
  std::optional<top::Sample> now_;
  bool is_paused_ = false;
  bool has_answer_ = true;
};

int view(const Words& words, top::Client& client) {
  if (!Screen::is_possible()) {
    fmt::print(stderr,
               "standard output: error[terminal]: this is no terminal that can show "
               "frames; write shrike top --once or shrike top --json\n");
    return exit_usage;
  }
  std::optional<top::Sample> first = client.ask();
  if (!first) {
    fmt::print(stderr, "{}\n", client.fault());
    return exit_faults;
  }
  Viewer(words, client, std::move(*first)).run();
  return exit_done;
}

}  // namespace

int run_top(const std::vector<std::string>& given) {
  Words words;
  CLI::App app("Shows what a running sensor does.", "shrike top");
  add_options(app, words);
  if (const std::optional<int> ending = read_words(app, given)) {
    return *ending;
  }
  Diagnostics diagnostics;
  if (!find_socket(words, diagnostics)) {
    tell(diagnostics, Tell::errors);
    return exit_usage;
  }
  top::Client client(words.socket);
  return words.is_once || words.is_json ? print_frames(words, client) : view(words, client);
}

}  // namespace shrike::app
