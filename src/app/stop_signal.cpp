#include "stop_signal.h"

#include <csignal>

namespace shrike::app {

namespace {

control::Requests requests;

void ask_to_stop(int /*signal*/) {
  requests.stop.store(true, std::memory_order_relaxed);
}

void ask_for_more(int signal) {
  if (signal != SIGUSR1) {
    requests.reload_rules.store(true, std::memory_order_relaxed);
  }
  if (signal != SIGUSR2) {
    requests.reopen_files.store(true, std::memory_order_relaxed);
  }
}

}  // namespace

const std::atomic<bool>& install_stop_signal() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return requests.stop;
}

control::Requests& install_live_signals() {
  install_stop_signal();
  struct sigaction action {};
  action.sa_handler = ask_for_more;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) {
    sigaction(signal, &action, nullptr);
  }
  return requests;
}

}  // namespace shrike::app
