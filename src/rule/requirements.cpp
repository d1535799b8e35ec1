#include "requirements.h"

#include <algorithm>

#include "keyword.h"
#include "words.h"

namespace shrike::rule {

namespace {

using Version = std::array<uint32_t, 3>;

constexpr Version spoken_version{8, 0, 7};

/// Features that Suricata builds name; all but ja4, which the configuration turns off, are there
/// always.
constexpr std::array<std::string_view, 6> features{
    "output::file-store", "output::eve-json", "ja3", "ja4", "suricata", "pcre-jit"};

bool holds(std::string_view op, const Version& wanted) {
  if (op == ">=") return spoken_version >= wanted;
  if (op == ">") return spoken_version > wanted;
  if (op == "<=") return spoken_version <= wanted;
  return spoken_version < wanted;
}

/// ">= 7.0.4 < 8": all must hold. Nothing where it cannot be read.
std::optional<bool> check_version_range(std::string_view text) {
  bool is_met = true;
  text = trim(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t op_size = text.find_first_not_of("<>=");
    const std::string_view op = text.substr(0, op_size);
    if (op != ">=" && op != ">" && op != "<=" && op != "<") return std::nullopt;
    text = trim_left(text.substr(op.size()));
    const size_t size = std::min(text.find_first_of(" \t<>="), text.size());
    const auto version = parse_version(text.substr(0, size));
    if (!version) return std::nullopt;
    is_met &= holds(op, *version);
    text = trim_left(text.substr(size));
  }
  return is_met;
}

Requirement check_version(std::string_view text) {
  bool is_met = false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    const auto range = check_version_range(text.substr(begin, end - begin));
    if (!range) return Requirement::malformed;
    is_met |= *range;
    begin = end + 1;
  }
  return is_met ? Requirement::met : Requirement::not_met;
}

Requirement check_one(std::string_view key, std::string_view value, bool has_ja4) {
  if (key == "version") return check_version(value);
  if (value.empty()) return key.empty() ? Requirement::malformed : Requirement::unknown;
  if (key == "feature") {
    const bool is_known = std::find(features.begin(), features.end(), value) != features.end();
    const bool is_on = value != "ja4" || has_ja4;
    return is_known && is_on ? Requirement::met : Requirement::not_met;
  }
  if (key == "keyword") {
    const Keyword* const row = find_keyword(value);
    return row != nullptr && !row->has(trait::later) ? Requirement::met : Requirement::not_met;
  }
  return Requirement::unknown;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  Version version{};
  text = trim(text.substr(0, text.find('-')));  // "8.0.0-dev" counts as 8.0.0
  for (size_t i = 0; i < version.size(); ++i) {
    const size_t dot = text.find('.');
    const auto number = to_number<uint32_t>(text.substr(0, dot));
    if (!number) return std::nullopt;
    version[i] = *number;
    if (dot == std::string_view::npos) return version;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

Requirement check_requirements(std::string_view value, bool has_ja4) {
  Requirement worst = Requirement::met;
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    const std::string_view entry = trim(value.substr(begin, end - begin));
    begin = end + 1;
    const size_t blank = entry.find_first_of(" \t<>=");
    const std::string_view rest = blank == std::string_view::npos ? "" : entry.substr(blank);
    const Requirement one = check_one(entry.substr(0, blank), trim(rest), has_ja4);
    worst = std::max(worst, one);
  }
  return worst;
}

}  // namespace shrike::rule
