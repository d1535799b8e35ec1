#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shrike/craft.h"
#include "shrike/worker.h"

namespace shrike::test {

struct WalkOptions {
  unsigned workers = 1;
  uint32_t batch_packets = 64;
  worker::EngineOptions engines{};
  std::optional<output::FileStoreOptions> file_store = {};
};

/// What a run gave: the EVE lines, and a short form of the alerts that leaves out what depends on
/// how bytes were cut into packets.
struct WalkResult {
  std::string eve;
  std::vector<std::string> alerts;  ///< "sid source:port target:port", sorted, each once
  std::string faults;               ///< diagnostics of the rules
  std::vector<std::string> stored;  ///< what the files hold that were stored, sorted
};

/// The short form of the alerts in EVE lines.
std::vector<std::string> short_alerts(const std::string& eve);

/// Runs crafted frames through the whole walk with the given rules, into a folder of its own.
WalkResult walk(const std::vector<craft::TimedFrame>& frames, const std::string& rules,
                const WalkOptions& options);

}  // namespace shrike::test
