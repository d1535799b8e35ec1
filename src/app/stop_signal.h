#pragma once
#include <atomic>

namespace shrike::app {

/// Set by the first Ctrl-C or SIGTERM: what was read is inspected and written, then the program
/// ends. A second one ends it at once.
const std::atomic<bool>& install_stop_signal();

}  // namespace shrike::app
