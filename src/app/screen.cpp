#include "screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace shrike::app {

namespace {

volatile std::sig_atomic_t is_asked_to_end = 0;

void ask_to_end(int /*signal*/) {
  is_asked_to_end = 1;
}

/// Only so that waiting for a key ends.
void note_new_size(int /*signal*/) {}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return;
    }
    text.remove_prefix(static_cast<size_t>(count));
  }
}

constexpr std::string_view other_screen = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view own_screen = "\x1b[0m\x1b[?25h\x1b[?1049l";

}  // namespace

bool Screen::is_possible() {
  const char* const kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != 0 &&
         std::string_view(kind) != "dumb";
}

Screen::Screen() {
  struct sigaction action {};
  action.sa_handler = ask_to_end;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    sigaction(signal, &action, nullptr);
  }
  action.sa_handler = note_new_size;
  sigaction(SIGWINCH, &action, nullptr);
  termios now{};
  if (tcgetattr(STDIN_FILENO, &now) == 0) {
    saved_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    now.c_cc[VMIN] = 0;
    now.c_cc[VTIME] = 0;
    now.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave its frame behind
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  write_all(other_screen);
}

Screen::~Screen() {
  write_all(own_screen);
  if (saved_) {
    tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
  }
}

Screen::Size Screen::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

void Screen::show(const std::string& text) {
  write_all("\x1b[H" + text + "\x1b[J");
}

std::optional<char> Screen::key(std::chrono::milliseconds wait_max) const {
  pollfd input{.fd = saved_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
  const auto wait_ms = static_cast<int>(std::max<int64_t>(0, wait_max.count()));
  char key = 0;
  if (poll(&input, 1, wait_ms) > 0 && read(STDIN_FILENO, &key, 1) == 1) {
    return key;
  }
  if ((input.revents & POLLHUP) != 0) {  // the terminal is gone
    is_asked_to_end = 1;
  }
  return std::nullopt;
}

bool Screen::is_over() noexcept {
  return is_asked_to_end != 0;
}

}  // namespace shrike::app
