#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace shrike::app {

namespace {

size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return 80;
  }
  return size.ws_col;
}

bool is_told(Severity severity, Tell what) {
  switch (what) {
    case Tell::errors:
    case Tell::errors_and_count:
      return severity == Severity::error;
    case Tell::problems:
      return severity != Severity::note;
    case Tell::all:
      return true;
  }
  return true;
}

}  // namespace

std::string with_commas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, 1, ',');
  }
  return text;
}

std::string with_unit(uint64_t bytes) {
  constexpr std::string_view units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double amount = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; amount >= 999.95 && unit + 1 < std::size(units); ++unit) {
    amount /= 1000;
  }
  return fmt::format("{:.1f} {}", amount, units[unit]);
}

std::string as_clock(double seconds) {
  const auto whole = static_cast<uint64_t>(std::lround(std::clamp(seconds, 0.0, 360000.0)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string as_rate(uint64_t bytes, double seconds) {
  if (seconds <= 0) {
    return "-";
  }
  const double bits = static_cast<double>(bytes) * 8 / seconds;
  return bits < 1e9 ? fmt::format("{:.1f} Mbit/s", bits / 1e6)
                    : fmt::format("{:.2f} Gbit/s", bits / 1e9);
}

void tell(const Diagnostics& diagnostics, Tell what) {
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (is_told(diagnostic.severity, what)) {
      fmt::print(stderr, "{}\n", diagnostic.text());
    }
  }
  if (what == Tell::errors_and_count && diagnostics.warnings() > 0) {
    fmt::print(stderr, "{} warnings; -v or -T shows them\n", with_commas(diagnostics.warnings()));
  }
}

std::string progress_text(const worker::Progress& progress, uint64_t wire_bytes, double seconds) {
  std::string text;
  const auto read = static_cast<double>(progress.read_bytes);
  const auto total = static_cast<double>(progress.total_bytes);
  if (progress.total_bytes > 0) {
    text = fmt::format("{:3.0f} %  ", 100 * std::min(1.0, read / total));
  }
  text += fmt::format("{} packets  {}  {} alerts", with_commas(progress.packets),
                      as_rate(wire_bytes, seconds), with_commas(progress.alerts));
  // The first moments say little about how long it takes.
  if (progress.total_bytes > 0 && progress.read_bytes > 0 && seconds >= 1) {
    text += fmt::format("  {} left", as_clock(seconds * std::max(0.0, total - read) / read));
  }
  return text;
}

ProgressLine::ProgressLine(bool quiet) : is_shown_(!quiet && isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const worker::Progress& progress, uint64_t wire_bytes) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  say(progress_text(progress, wire_bytes, passed.count()));
}

void ProgressLine::say(std::string_view text) {
  if (!is_shown_) {
    return;
  }
  // A line that wraps could not be overwritten: the last column stays free.
  fmt::print(stderr, "\r{}\x1b[K", text.substr(0, terminal_columns() - 1));
  std::fflush(stderr);
  is_dirty_ = true;
}

void ProgressLine::clear() {
  if (is_dirty_) {
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    is_dirty_ = false;
  }
}

}  // namespace shrike::app
