#pragma once
#include <atomic>

#include "shrike/control.h"

namespace shrike::app {

/// Set by the first Ctrl-C or SIGTERM: what was read is inspected and written, then the program
/// ends. A second one ends it at once.
const std::atomic<bool>& install_stop_signal();

/// The same for a live run, and: SIGHUP reloads the rules and opens log files anew, SIGUSR2 only
/// reloads, SIGUSR1 only opens files anew.
control::Requests& install_live_signals();

}  // namespace shrike::app
