#include <bit>

#include "apply.h"

namespace shrike::app {

void apply_own(const ConfigReader& config, Settings& settings) {
  config.number("shrike.workers", settings.workers, {1, 128});
  config.number("shrike.batch-packets", settings.files.batch_packets,
                {1, limits::batch_packets_max});
  config.number("shrike.packet-buffers", settings.memory.buffers, {1024, 1u << 20});
  config.number("shrike.compile-threads", settings.rules.compile_threads, {0, 256});
  config.number("shrike.profiling.sample-batches", settings.detector.sample_batches, {0, 1u << 20});
  bool huge_pages = !settings.memory.force_ordinary_pages;
  config.flag("shrike.huge-pages", huge_pages);
  settings.memory.force_ordinary_pages = !huge_pages;

  bool cache = true;
  std::string directory = settings.rules.cache_directory;
  config.flag("shrike.cache", cache);
  config.text("shrike.cache-directory", directory);
  settings.rules.cache_directory = cache ? directory : std::string();

  const ConfigNode* const flows = config.find_scalar("shrike.flows-max");
  config.number("shrike.flows-max", settings.flow.flows_max, {1024, 1u << 24});
  if (!std::has_single_bit(settings.flow.flows_max)) {
    config.diagnostics().error(flows->position(), "flows-max", "{} is not a power of two; write {}",
                               settings.flow.flows_max, std::bit_ceil(settings.flow.flows_max));
  }
}

}  // namespace shrike::app
