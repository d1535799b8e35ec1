#include <filesystem>

#include "apply.h"
#include "rule_files.h"
#include "shrike/detect.h"

namespace shrike::app {

namespace {

/// vars.address-groups or vars.port-groups; a YAML list is as good as "[a, b]".
void apply_groups(const ConfigReader& config, std::string_view path,
                  std::map<std::string, std::string>& groups) {
  const ConfigNode* const section = config.find(path);
  if (section == nullptr) {
    return;
  }
  section->mark_used();
  for (const ConfigEntry& entry : section->entries) {
    std::string text = entry.value.text;
    for (const ConfigEntry& part : entry.value.entries) {
      text += (text.empty() ? "[" : ", ") + part.value.text;
    }
    groups[entry.name] = entry.value.is_scalar() ? text : text + "]";
  }
}

void apply_stock_groups(rule::Options& rules, Diagnostics& diagnostics) {
  Config stock;
  stock.load_text("shrike.yaml", std::string(stock_config_text()), diagnostics);
  const ConfigReader reader(stock.root(), diagnostics);
  if (rules.address_groups.empty()) {
    apply_groups(reader, "vars.address-groups", rules.address_groups);
  }
  if (rules.port_groups.empty()) {
    apply_groups(reader, "vars.port-groups", rules.port_groups);
  }
}

void apply_action_order(const ConfigReader& config, std::vector<std::string>& order) {
  const std::vector<ConfigNode> items = config.list("action-order");
  if (items.empty()) {
    return;
  }
  order.clear();
  for (const ConfigNode& item : items) {
    const bool known =
        item.text == "pass" || item.text == "drop" || item.text == "reject" || item.text == "alert";
    const bool twice = std::find(order.begin(), order.end(), item.text) != order.end();
    if (!known || twice) {
      config.diagnostics().error(item.position(), "action-order",
                                 "'{}' {}; name pass, drop, reject and alert once each", item.text,
                                 known ? "stands twice" : "is no action");
    }
    order.push_back(item.text);
  }
  if (order.size() < 4) {
    config.diagnostics().error(items[0].position(), "action-order",
                               "only {} actions; name pass, drop, reject and alert once each",
                               order.size());
  }
}

void apply_rule_files(const ConfigReader& config, Settings& settings) {
  std::string folder;
  config.text("default-rule-path", folder);
  for (const ConfigNode& item : config.list("rule-files")) {
    settings.rule_files.push_back({(std::filesystem::path(folder) / item.text).string(), false});
  }
}

void apply_limits(const ConfigReader& config, Settings& settings) {
  detect::DetectorOptions& detector = settings.detector;
  config.number("detect.inspection-recursion-limit", detector.recursion_limit, {0, 1u << 30});
  config.number("pcre.match-limit", detector.pcre_match_limit, {1, 1u << 30});
  config.number("pcre.match-limit-recursion", detector.pcre_recursion_limit, {1, 1u << 30});
  const ConfigNode* const alerts_max = config.find_scalar("packet-alert-max");
  if (alerts_max == nullptr) {
    return;
  }
  const auto number = parse_number(trim(alerts_max->text));
  if (number && *number >= 1 && *number <= 255) {
    detector.alerts_per_packet_max = static_cast<uint32_t>(*number);
    settings.collector.alerts_per_packet_max = detector.alerts_per_packet_max;
    return;
  }
  // Suricata takes its default here and says so; configurations that rely on it exist.
  config.diagnostics().warning(alerts_max->position(), "packet-alert-max",
                               "'{}' is not 1 to 255: {} is taken", alerts_max->text,
                               detector.alerts_per_packet_max);
}

/// The lists that `iprep` looks addresses up in; without categories there are none.
void apply_reputation(const ConfigReader& config, rule::Options& rules) {
  std::string folder;
  config.text("default-reputation-path", folder);
  if (const ConfigNode* const node = config.find_scalar("reputation-categories-file")) {
    rules.reputation_categories = read_named_file(config, *node, "");
  }
  for (const ConfigNode& item : config.list("reputation-files")) {
    if (auto list = read_named_file(config, item, folder)) {
      rules.reputation_lists.push_back(std::move(*list));
    }
  }
}

}  // namespace

void apply_rules(const ConfigReader& config, const Mode& mode, Settings& settings) {
  rule::Options& rules = settings.rules;
  apply_groups(config, "vars.address-groups", rules.address_groups);
  apply_groups(config, "vars.port-groups", rules.port_groups);
  apply_stock_groups(rules, config.diagnostics());
  rules.has_public_suffixes = detect::knows_public_suffixes();
  config.text("geoip-database", rules.geoip_database);
  rules.simulate_ips = mode.simulate_ips;
  settings.detector.simulate_ips = mode.simulate_ips;
  settings.collector.simulate_ips = mode.simulate_ips;
  config.flag("ignore-unknown-requirements", rules.ignore_unknown_requirements);
  apply_action_order(config, rules.action_order);
  apply_rule_files(config, settings);
  apply_limits(config, settings);
  rules.classification = read_companion(config, "classification-file", Companion::classification);
  rules.references = read_companion(config, "reference-config-file", Companion::references);
  rules.thresholds = read_companion(config, "threshold-file", Companion::thresholds);
  apply_reputation(config, rules);
}

std::optional<std::string> expand_ports(const std::string& text, const rule::Options& rules,
                                        const Position& at, Diagnostics& diagnostics) {
  constexpr unsigned steps_max = 16;
  std::string expanded = text;
  for (unsigned step = 0; step < steps_max; ++step) {
    const size_t dollar = expanded.find('$');
    if (dollar == std::string::npos) {
      return expanded;
    }
    const size_t end = expanded.find_first_of(" ,]", dollar);
    const std::string name = expanded.substr(
        dollar + 1, end == std::string::npos ? std::string::npos : end - dollar - 1);
    const auto group = rules.port_groups.find(name);
    if (group == rules.port_groups.end()) {
      diagnostics.error(at, "port-variable", "${} is not in vars.port-groups; define it there",
                        name);
      return std::nullopt;
    }
    std::string value(trim(group->second));
    if (value.size() >= 2 && value.front() == '[' && dollar > 0) {
      value = value.substr(1, value.size() - 2);  // the list stands in a list already
    }
    expanded.replace(dollar, name.size() + 1, value);
  }
  diagnostics.error(at, "port-variable", "'{}' does not end: variables stand for each other", text);
  return std::nullopt;
}

}  // namespace shrike::app
