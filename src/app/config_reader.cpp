#include "config_reader.h"

namespace shrike::app {

const ConfigNode* ConfigReader::find(std::string_view path) const {
  const ConfigNode* const node = root_.find(path);
  const bool is_empty = node != nullptr && node->is_scalar() && trim(node->text).empty();
  return is_empty ? nullptr : node;
}

const ConfigNode* ConfigReader::find_scalar(std::string_view path) const {
  const ConfigNode* const node = find(path);
  if (node == nullptr || node->is_scalar()) {
    return node;
  }
  node->mark_used();
  diagnostics_.error(node->position(), "config-type", "{} is one value; write \"{}: value\"", path,
                     path.substr(path.rfind('.') + 1));
  return nullptr;
}

std::vector<ConfigNode> ConfigReader::list(std::string_view path) const {
  std::vector<ConfigNode> items;
  const ConfigNode* const node = find(path);
  if (node == nullptr) {
    return items;
  }
  node->mark_used();
  const auto append = [&items](const ConfigNode& from) {
    for (const std::string_view part : split_list(from.text)) {
      items.push_back(from);
      items.back().text = part;
    }
  };
  if (node->is_scalar()) {
    append(*node);
  }
  for (const ConfigEntry& entry : node->entries) {
    if (!entry.value.is_scalar()) {
      diagnostics_.error(entry.value.position(), "config-type",
                         "{} is a list of plain values; write \"- value\"", path);
      continue;
    }
    append(entry.value);
  }
  return items;
}

void ConfigReader::flag(std::string_view path, bool& value) const {
  const ConfigNode* const node = find_scalar(path);
  if (node == nullptr) {
    return;
  }
  if (const auto flag = parse_flag(node->text)) {
    value = *flag;
    return;
  }
  diagnostics_.error(node->position(), "flag", "'{}' is not a value of {}; write yes or no",
                     node->text, path);
}

void ConfigReader::text(std::string_view path, std::string& value) const {
  if (const ConfigNode* const node = find_scalar(path)) {
    value = node->text;
  }
}

void ConfigReader::size(std::string_view path, uint64_t& bytes, Bounds bounds) const {
  const ConfigNode* const node = find_scalar(path);
  if (node == nullptr) {
    return;
  }
  const auto size = parse_size(node->text);
  if (!size) {
    diagnostics_.error(node->position(), "size",
                       "'{}' is not a size; write bytes, or for example 64kb, 16mb, 2gb",
                       node->text);
  } else if (is_within(*node, path, *size, bounds)) {
    bytes = *size;
  }
}

void ConfigReader::number_within(std::string_view path, uint64_t& value, Bounds bounds) const {
  const ConfigNode* const node = find_scalar(path);
  if (node == nullptr) {
    return;
  }
  const auto number = parse_number(trim(node->text));
  if (!number) {
    diagnostics_.error(node->position(), "number", "'{}' is not a number; write {} to {}",
                       node->text, bounds.lowest, bounds.highest);
  } else if (is_within(*node, path, *number, bounds)) {
    value = *number;
  }
}

bool ConfigReader::is_within(const ConfigNode& node, std::string_view path, uint64_t value,
                             Bounds bounds) const {
  if (value >= bounds.lowest && value <= bounds.highest) {
    return true;
  }
  diagnostics_.error(node.position(), "range", "{} is out of range for {}; write {} to {}",
                     node.text, path, bounds.lowest, bounds.highest);
  return false;
}

}  // namespace shrike::app
