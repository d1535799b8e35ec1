#pragma once
#include <termios.h>

#include <chrono>
#include <optional>
#include <string>

namespace shrike::app {

/// A terminal that shows one frame after the other in place of what stood there, which is there
/// again when this ends: by the operator's key, by Ctrl-C, by SIGTERM or by a fault. Plain ANSI
/// (ECMA-48), which every terminal of today understands. One a process.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Whether standard output is a terminal that can do this.
  [[nodiscard]] static bool is_possible();

  struct Size {
    size_t columns = 80;
    size_t rows = 24;
  };
  [[nodiscard]] static Size size();

  /// @param text  lines, each ended by "\r\n" but the last.
  static void show(const std::string& text);

  /// A key that was struck, or nothing after `wait_max`. Returns at once, with nothing, when the
  /// terminal's size changes or the process is to end.
  std::optional<char> key(std::chrono::milliseconds wait_max) const;
  /// Asked to end by a signal.
  [[nodiscard]] static bool is_over() noexcept;

 private:
  std::optional<termios> saved_;  ///< of standard input, where that is a terminal
};

}  // namespace shrike::app
