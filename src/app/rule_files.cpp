#include "rule_files.h"

#include <glob.h>

#include <filesystem>
#include <utility>

#include "build_info.h"
#include "stock_config.h"

namespace shrike::app {

namespace {

constexpr size_t rule_file_bytes_max = size_t{1} << 30;
constexpr size_t companion_bytes_max = 64u << 20;

struct CompanionRow {
  std::string_view file;     ///< its name in the configuration directory
  std::string_view bundled;  ///< the text that is compiled in
};

CompanionRow row_of(Companion companion) {
  switch (companion) {
    case Companion::classification:
      return {"classification.config", stock_classification};
    case Companion::references:
      return {"reference.config", stock_references};
    case Companion::thresholds:
      break;
  }
  return {};
}

std::optional<rule::Source> installed_or_bundled(Companion companion) {
  const CompanionRow row = row_of(companion);
  if (row.file.empty()) {
    return std::nullopt;
  }
  const std::string installed =
      (std::filesystem::path(build_info::config_directory) / row.file).string();
  Diagnostics unheard;  // it is no fault that nothing is installed
  if (auto text = read_text_file(installed, companion_bytes_max, {}, unheard)) {
    return rule::Source{installed, std::move(*text)};
  }
  return rule::Source{std::string(row.file), std::string(row.bundled)};
}

bool is_pattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

/// The files that a pattern names, by name; the path itself where it is none.
std::vector<std::string> expand(const std::string& path) {
  if (!is_pattern(path) || std::filesystem::exists(path)) {
    return {path};
  }
  std::vector<std::string> paths;
  glob_t found{};
  if (glob(path.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

/// The same complaint as an error or as a warning.
void complain(bool is_error, const std::string& what, Diagnostics& diagnostics) {
  if (is_error) {
    diagnostics.error({}, "rule-file", "{}", what);
  } else {
    diagnostics.warning({}, "rule-file", "{}", what);
  }
}

}  // namespace

std::optional<rule::Source> read_companion(const ConfigReader& config, std::string_view key,
                                           Companion companion) {
  const ConfigNode* const node = config.find_scalar(key);
  if (node == nullptr) {
    return installed_or_bundled(companion);
  }
  Diagnostics faults;
  auto text = read_text_file(node->text, companion_bytes_max, {}, faults);
  if (text) {
    return rule::Source{node->text, std::move(*text)};
  }
  const bool has_other = companion != Companion::thresholds;
  config.diagnostics().warning(node->position(), "companion-file", "{}; {}",
                               faults.all().front().what,
                               has_other ? "Shrike's own is used" : "there are no thresholds");
  return installed_or_bundled(companion);
}

std::optional<rule::Source> read_named_file(const ConfigReader& config, const ConfigNode& node,
                                            const std::string& folder) {
  std::string path = (std::filesystem::path(folder) / node.text).string();
  Diagnostics faults;
  auto text = read_text_file(path, companion_bytes_max, {}, faults);
  if (text) {
    return rule::Source{std::move(path), std::move(*text)};
  }
  config.diagnostics().error(node.position(), "companion-file", "{}", faults.all().front().what);
  return std::nullopt;
}

std::vector<rule::Source> read_rule_files(const Settings& settings, Diagnostics& diagnostics) {
  std::vector<rule::Source> sources;
  for (const RuleFile& file : settings.rule_files) {
    const std::vector<std::string> paths = expand(file.path);
    if (paths.empty()) {
      complain(file.is_required, fmt::format("no file is named like {}", file.path), diagnostics);
    }
    for (const std::string& path : paths) {
      Diagnostics faults;
      if (auto text = read_text_file(path, rule_file_bytes_max, {}, faults)) {
        sources.push_back({path, std::move(*text)});
      } else {
        complain(file.is_required, faults.all().front().what, diagnostics);
      }
    }
  }
  return sources;
}

}  // namespace shrike::app
