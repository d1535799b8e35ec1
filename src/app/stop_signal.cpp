#include "stop_signal.h"

#include <csignal>

namespace shrike::app {

namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only set a flag");

void ask_to_stop(int /*signal*/) {
  stop_asked.store(true, std::memory_order_relaxed);
}

}  // namespace

const std::atomic<bool>& install_stop_signal() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_asked;
}

}  // namespace shrike::app
