#include "walk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "memory_source.h"
#include "shrike/rule.h"

namespace shrike::test {

namespace {

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> contents_below(const std::filesystem::path& folder) {
  std::vector<std::string> contents;
  if (std::filesystem::exists(folder)) {
    for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
      if (each.is_regular_file()) {
        contents.push_back(contents_of(each.path()));
      }
    }
  }
  std::sort(contents.begin(), contents.end());
  return contents;
}

}  // namespace

std::vector<std::string> short_alerts(const std::string& eve) {
  static const std::regex alert(
      R"re("src_ip":"([^"]+)"(?:,"src_port":(\d+))?,"dest_ip":"([^"]+)")re"
      R"re((?:,"dest_port":(\d+))?.*"signature_id":(\d+))re");
  std::vector<std::string> found;
  size_t at = 0;
  while (at < eve.size()) {
    const size_t end = eve.find('\n', at);
    const std::string line = eve.substr(at, end - at);
    std::smatch part;
    if (line.find("\"event_type\":\"alert\"") != std::string::npos &&
        std::regex_search(line, part, alert)) {
      found.push_back(fmt::format("{} {}:{} {}:{}", part[5].str(), part[1].str(), part[2].str(),
                                  part[3].str(), part[4].str()));
    }
    at = end + 1;
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

WalkResult walk(const std::vector<craft::TimedFrame>& frames, const std::string& rules,
                const WalkOptions& options) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("shrike-walk-{}", getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  WalkResult result;
  Diagnostics diagnostics;
  rule::Report report;
  const std::vector<rule::Source> sources{{"test.rules", rules}};
  const std::optional<RuleSet> compiled =
      rule::compile(sources, rule::Options{}, diagnostics, report);
  result.faults = diagnostics.text();
  if (!compiled) {
    return result;
  }

  output::SinkOptions sinks;
  sinks.directory = folder.string();
  sinks.eve.emplace_back().flows = true;
  sinks.file_store = options.file_store;
  worker::OfflineOptions offline{options.engines, options.workers};
  offline.engines.records = output::records_for(sinks);
  output::Collector collector({}, sinks, diagnostics);
  collector.use_rules(compiled->generation(),
                      {compiled->infos(), compiled->bit_names(), compiled->integer_names()});
  MemorySource source(frames, options.batch_packets);
  {
    worker::OfflineRun run(offline, source, *compiled, collector);
    run.run(std::atomic<bool>{false}, [](const worker::Progress&) {});
  }
  result.eve = contents_of(folder / "eve.json");
  result.alerts = short_alerts(result.eve);
  result.stored = contents_below(folder / "filestore");
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace shrike::test
