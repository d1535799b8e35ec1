#include "datasets.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "addresses.h"
#include "json_values.h"
#include "words.h"

namespace shrike::rule {

namespace {

using Type = Dataset::Type;

constexpr std::array<std::string_view, 5> type_names{"string", "md5", "sha256", "ipv4", "ip"};
constexpr size_t name_bytes_max = 63;  // Suricata: DATASET_NAME_MAX_LEN
constexpr size_t sets_max = 1024;

int base64_value(char letter) noexcept {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (is_digit(letter)) return letter - '0' + 52;
  if (letter == '+') return 62;
  return letter == '/' ? 63 : -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.empty() || text.size() % 4 == 1) return std::nullopt;
  std::string out;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const int value = base64_value(letter);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return out;
}

std::optional<std::string> decode_hex(std::string_view text, size_t bytes) {
  if (text.size() != 2 * bytes) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

/// An address as a key: 4 bytes, or 16 with IPv4 as ::ffff:a.b.c.d.
std::optional<std::string> decode_address(std::string_view text, Type type) {
  const auto range = parse_address_range(text);
  if (!range || range->first != range->last) return std::nullopt;
  const auto* const bytes = reinterpret_cast<const char*>(range->first.bytes.data());
  if (range->version == 6) {
    return type == Type::ip ? std::optional(std::string(bytes, 16)) : std::nullopt;
  }
  if (type == Type::ipv4) return std::string(bytes, 4);
  return std::string(10, '\0') + "\xff\xff" + std::string(bytes, 4);
}

}  // namespace

std::optional<Type> find_dataset_type(std::string_view name) noexcept {
  const auto* const at = std::find(type_names.begin(), type_names.end(), name);
  if (at == type_names.end()) return std::nullopt;
  return static_cast<Type>(at - type_names.begin());
}

std::optional<std::string> read_dataset_key(std::string_view text, Type type) {
  switch (type) {
    case Type::text:
      return decode_base64(text);
    case Type::md5:
      return decode_hex(text, 16);
    case Type::sha256:
      return decode_hex(text, 32);
    case Type::ipv4:
    case Type::ip:
      return decode_address(text, type);
  }
  return std::nullopt;
}

std::string find_data_file(const std::string& path, const std::string& rule_file) {
  namespace fs = std::filesystem;
  std::error_code fault;
  const fs::path beside = fs::path(rule_file).parent_path() / path;
  return fs::exists(beside, fault) ? beside.string() : path;
}

std::optional<uint32_t> DatasetRegistry::ask(const DatasetRequest& request, RuleReport& report) {
  if (request.name.empty() || request.name.size() > name_bytes_max) {
    report.error(request.at, "dataset", "'{}' is no name for a dataset; write 1 to {} letters",
                 request.name, name_bytes_max);
    return std::nullopt;
  }
  if (const auto known = known_.find(request.name); known != known_.end()) {
    Dataset& set = sets_[known->second];
    if (request.type && *request.type != set.type) {
      report.error(request.at, "dataset", "dataset {} is of type {} already; write 'type {}'",
                   set.name, type_names[static_cast<size_t>(set.type)],
                   type_names[static_cast<size_t>(set.type)]);
      return std::nullopt;
    }
    set.has_changes |= request.changes;
    return known->second;
  }
  if (!request.type || sets_.size() == sets_max) {
    report.error(request.at, "dataset",
                 "dataset {} is not known yet; add 'type string', md5, sha256, ipv4 or ip",
                 request.name);
    return std::nullopt;
  }
  Dataset set;
  set.name = request.name;
  set.type = *request.type;
  set.has_changes = request.changes;
  if (!load(set, request, report)) return std::nullopt;
  const auto index = static_cast<uint32_t>(sets_.size());
  sets_.push_back(std::move(set));
  known_.emplace(request.name, index);
  return index;
}

std::optional<uint32_t> DatasetRegistry::ask_digests(const Word& path, size_t digest_bytes,
                                                     RuleReport& report) {
  const std::string found =
      find_data_file(std::string(path.text), std::string(report.locate(path.position).file));
  const std::string name = found + " " + std::to_string(digest_bytes);
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  std::ifstream file(found, std::ios::binary);
  if (!file || sets_.size() == sets_max) {
    report.error(path, "data-file", "'{}' cannot be read; write the path of a file", found);
    return std::nullopt;
  }
  Dataset set;
  set.name = name;
  std::string text;
  for (uint32_t line = 1; std::getline(file, text); ++line) {
    const std::string_view rest = trim(text);
    if (rest.empty() || rest.front() == '#') continue;
    const auto key = decode_hex(rest.substr(0, 2 * digest_bytes), digest_bytes);
    if (!key) {
      report.error(path, "data-line", "line {} of '{}' is no digest of {} bytes; correct the line",
                   line, found, digest_bytes);
      return std::nullopt;
    }
    set.keys.emplace(*key, 0);
  }
  const auto index = static_cast<uint32_t>(sets_.size());
  sets_.push_back(std::move(set));
  known_.emplace(name, index);
  return index;
}

bool DatasetRegistry::load(Dataset& set, const DatasetRequest& request, RuleReport& report) {
  const Word& word = request.load.empty() ? request.state : request.load;
  if (word.empty()) return true;
  const std::string path =
      find_data_file(std::string(word.text), std::string(report.locate(word.position).file));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (request.load.empty()) return true;  // a state that nobody wrote yet
    report.error(word, "data-file", "'{}' cannot be read; write the path of a file", path);
    return false;
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return request.is_json ? read_json(text, path, set, request, report)
                         : read_lines(text, path, set, request, report);
}

bool DatasetRegistry::read_lines(const std::string& text, const std::string& path, Dataset& set,
                                 const DatasetRequest& request, RuleReport& report) {
  const Word& word = request.load.empty() ? request.state : request.load;
  std::string_view left = text;
  for (uint32_t line = 1; !left.empty(); ++line) {
    const size_t end = std::min(left.find('\n'), left.size());
    const std::string_view rest = trim(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
    if (rest.empty()) continue;
    const size_t comma = rest.find(',');
    const auto key = read_dataset_key(trim(rest.substr(0, comma)), set.type);
    const auto score = comma == std::string_view::npos
                           ? std::optional<uint16_t>(0)
                           : to_number<uint16_t>(trim(rest.substr(comma + 1)));
    const bool is_complete = !request.has_reputation || comma != std::string_view::npos;
    if (!key || !score || !is_complete) {
      report.error(word, "data-line", "line {} of '{}' is no {}{}; correct the line", line, path,
                   type_names[static_cast<size_t>(set.type)],
                   request.has_reputation ? " with a score behind a ','" : "");
      return false;
    }
    set.keys.insert_or_assign(*key, *score);
  }
  return true;
}

bool DatasetRegistry::read_json(const std::string& text, const std::string& path, Dataset& set,
                                const DatasetRequest& request, RuleReport& report) {
  const Word& word = request.load.empty() ? request.state : request.load;
  const std::string wanted =
      request.array_key.empty() ? request.value_key : request.array_key + "." + request.value_key;
  std::string bad;
  const bool is_json =
      for_each_json_value(text, [&](const std::string& name, const std::string& value) {
        if (name != wanted) return;
        // Texts stand as they are here, not in base64.
        const auto key =
            set.type == Type::text ? std::optional(value) : read_dataset_key(value, set.type);
        if (key) {
          set.keys.try_emplace(*key, uint16_t{0});
        } else if (bad.empty()) {
          bad = value;
        }
      });
  if (is_json && bad.empty()) return true;
  if (is_json) {
    report.error(word, "data-line", "'{}' in '{}' is no {}; correct it", bad, path,
                 type_names[static_cast<size_t>(set.type)]);
  } else {
    report.error(word, "data-line", "'{}' is no JSON; correct it, or remove 'format'", path);
  }
  return false;
}

}  // namespace shrike::rule
