#include "config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace shrike::app {

namespace {

/// Turns yaml-cpp's tree into ours. Aliases are copied, so depth and count are bounded here.
class Converter {
 public:
  Converter(const std::string& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  ConfigNode convert(const YAML::Node& from, unsigned depth) {
    ConfigNode to = place(from);
    if (depth > Config::depth_max || ++nodes_ > Config::nodes_max) {
      complain(to);
      return to;
    }
    if (from.IsScalar()) {
      to.text = from.Scalar();
    } else if (from.IsSequence()) {
      to.kind = ConfigNode::Kind::list;
      size_t index = 0;
      for (const YAML::Node& item : from) {
        to.entries.push_back({std::to_string(index++), convert(item, depth + 1)});
      }
    } else if (from.IsMap()) {
      to.kind = ConfigNode::Kind::map;
      for (const auto& pair : from) {
        const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : std::string();
        to.entries.push_back({name, convert(pair.second, depth + 1)});
        if (to.entries.back().value.line == 0) {  // an empty value has no place of its own
          to.entries.back().value.line = place(pair.first).line;
        }
      }
    }
    return to;
  }

 private:
  ConfigNode place(const YAML::Node& from) const {
    ConfigNode to;
    to.file = file_;
    const YAML::Mark mark = from.Mark();
    if (!mark.is_null()) {
      to.line = static_cast<uint32_t>(mark.line) + 1;
      to.column = static_cast<uint32_t>(mark.column) + 1;
    }
    return to;
  }

  void complain(const ConfigNode& at) {
    if (!complained_) {
      diagnostics_.error(at.position(), "config-size",
                         "nested deeper than {} or more than {} values; make the file smaller",
                         Config::depth_max, Config::nodes_max);
    }
    complained_ = true;
  }

  const std::string& file_;
  Diagnostics& diagnostics_;
  size_t nodes_ = 0;
  bool complained_ = false;
};

std::optional<ConfigNode> parse(const std::string& name, const std::string& text,
                                Diagnostics& diagnostics) {
  try {
    const YAML::Node document = YAML::Load(text);
    return Converter(name, diagnostics).convert(document, 0);
  } catch (const YAML::Exception& fault) {
    const bool known = !fault.mark.is_null();
    diagnostics.error({name, known ? static_cast<uint32_t>(fault.mark.line) + 1 : 0,
                       known ? static_cast<uint32_t>(fault.mark.column) + 1 : 0},
                      "yaml", "{}; this line is not YAML that can be understood", fault.msg);
  }
  return std::nullopt;
}

ConfigNode* find_mutable(ConfigNode& node, std::string_view name) {
  const auto hit = std::find_if(node.entries.rbegin(), node.entries.rend(),
                                [&](const ConfigEntry& entry) { return entry.name == name; });
  return hit == node.entries.rend() ? nullptr : &hit->value;
}

/// Lays `from` over `to`: maps merge entry by entry, everything else replaces.
void merge(ConfigNode& to, ConfigNode from) {
  if (to.kind != ConfigNode::Kind::map || from.kind != ConfigNode::Kind::map) {
    to = std::move(from);
    return;
  }
  for (ConfigEntry& entry : from.entries) {
    ConfigNode* const there = find_mutable(to, entry.name);
    if (there != nullptr) {
      merge(*there, std::move(entry.value));
    } else {
      to.entries.push_back(std::move(entry));
    }
  }
}

bool is_index(std::string_view name) {
  return !name.empty() && name.size() <= 4 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The entry `name` below `node`, made where it is not there.
ConfigNode& child_to_set(ConfigNode& node, std::string_view name) {
  if (node.is_scalar()) {
    node.kind = is_index(name) ? ConfigNode::Kind::list : ConfigNode::Kind::map;
    node.text.clear();
  }
  if (ConfigNode* const there = find_mutable(node, name)) {
    return *there;
  }
  node.entries.push_back({std::string(name), ConfigNode{}});
  return node.entries.back().value;
}

/// "outputs.eve-log.types.http" rather than "outputs.1.eve-log.types.2".
std::string path_below(const std::string& path, const ConfigNode& parent,
                       const ConfigEntry& entry) {
  if (parent.kind == ConfigNode::Kind::map) {
    return path.empty() ? entry.name : path + "." + entry.name;
  }
  return entry.value.is_scalar() ? path + "." + entry.value.text : path;
}

void collect_unused(const ConfigNode& node, const std::string& path,
                    std::vector<Config::Unused>& unused) {
  for (const ConfigEntry& entry : node.entries) {
    const std::string here = path_below(path, node, entry);
    const bool is_list_entry = node.kind == ConfigNode::Kind::list && !entry.value.is_scalar();
    if (entry.value.is_used || is_list_entry) {
      collect_unused(entry.value, here, unused);
    } else {
      unused.push_back({here, &entry.value});
    }
  }
}

}  // namespace

const ConfigNode* ConfigNode::child(std::string_view name) const noexcept {
  const auto hit = std::find_if(entries.rbegin(), entries.rend(),
                                [&](const ConfigEntry& entry) { return entry.name == name; });
  return hit == entries.rend() ? nullptr : &hit->value;
}

const ConfigNode* ConfigNode::find(std::string_view path) const noexcept {
  const ConfigNode* node = this;
  while (!path.empty() && node != nullptr) {
    const size_t dot = path.find('.');
    node = node->child(path.substr(0, dot));
    if (node != nullptr) {
      node->is_used = true;
    }
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return node;
}

void ConfigNode::mark_used() const noexcept {
  is_used = true;
  for (const ConfigEntry& entry : entries) {
    entry.value.mark_used();
  }
}

void Config::load_file(const std::string& path, Diagnostics& diagnostics) {
  load_file_at(path, {}, 0, diagnostics);
}

void Config::load_text(const std::string& name, const std::string& text, Diagnostics& diagnostics) {
  load_text_at(name, text, 0, diagnostics);
}

void Config::load_text_at(const std::string& name, const std::string& text, unsigned depth,
                          Diagnostics& diagnostics) {
  std::optional<ConfigNode> parsed = parse(name, text, diagnostics);
  if (!parsed) {
    return;
  }
  if (parsed->is_scalar() && parsed->text.empty()) {
    return;  // an empty file: nothing is configured
  }
  if (parsed->kind != ConfigNode::Kind::map) {
    diagnostics.error({name, 1, 1}, "config-map",
                      "a configuration is a map of keys; write for example \"stream:\"");
    return;
  }
  // What is included lies below what the including file says itself, wherever the line stands.
  for (const ConfigEntry& entry : parsed->entries) {
    if (entry.name == "include") {
      include(entry.value, name, depth, diagnostics);
    }
  }
  std::erase_if(parsed->entries, [](const ConfigEntry& entry) { return entry.name == "include"; });
  merge(root_, std::move(*parsed));
}

void Config::include(const ConfigNode& names, const std::string& from, unsigned depth,
                     Diagnostics& diagnostics) {
  if (depth >= includes_depth_max) {
    diagnostics.error(names.position(), "include-depth",
                      "files include each other more than {} deep; is there a circle?",
                      includes_depth_max);
    return;
  }
  const auto one = [&](const ConfigNode& name) {
    std::filesystem::path path = name.text;
    if (path.is_relative()) {
      path = std::filesystem::path(from).parent_path() / path;
    }
    load_file_at(path.string(), name.position(), depth + 1, diagnostics);
  };
  if (names.is_scalar()) {
    one(names);
  }
  for (const ConfigEntry& entry : names.entries) {
    one(entry.value);
  }
}

void Config::load_file_at(const std::string& path, const Position& from, unsigned depth,
                          Diagnostics& diagnostics) {
  const auto text = read_text_file(path, file_bytes_max, from, diagnostics);
  if (text) {
    load_text_at(path, *text, depth, diagnostics);
  }
}

void Config::set(std::string_view assignment, Diagnostics& diagnostics) {
  const size_t equals = assignment.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    diagnostics.error({"--set"}, "set", "'{}' sets nothing; write --set key.key=value", assignment);
    return;
  }
  std::string_view path = assignment.substr(0, equals);
  ConfigNode* node = &root_;
  for (unsigned depth = 0; !path.empty(); ++depth) {
    if (depth == depth_max) {
      diagnostics.error({"--set"}, "set", "'{}' has more than {} parts", assignment, depth_max);
      return;
    }
    const size_t dot = path.find('.');
    node = &child_to_set(*node, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  *node = ConfigNode{};
  node->text = assignment.substr(equals + 1);
  node->file = "--set " + std::string(assignment.substr(0, equals));
}

std::vector<Config::Unused> Config::unused() const {
  std::vector<Unused> found;
  collect_unused(root_, "", found);
  return found;
}

std::optional<std::string> read_text_file(const std::string& path, size_t bytes_max,
                                          const Position& from, Diagnostics& diagnostics) {
  std::error_code fault;
  if (std::filesystem::is_directory(path, fault)) {
    diagnostics.error(from, "file", "{} is a directory; name a file", path);
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    diagnostics.error(from, "file", "cannot read {}: {}", path, std::strerror(errno));
    return std::nullopt;
  }
  std::string text;
  char block[65536];
  while (file.read(block, sizeof block), file.gcount() > 0) {
    text.append(block, static_cast<size_t>(file.gcount()));
    if (text.size() > bytes_max) {
      diagnostics.error(from, "file-size", "{} is longer than {} bytes", path, bytes_max);
      return std::nullopt;
    }
  }
  return text;
}

}  // namespace shrike::app
