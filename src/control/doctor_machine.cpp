#include "doctor_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "shrike/base/system_file.h"

namespace shrike::doctor {

namespace fs = std::filesystem;

namespace {

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\0';
}

std::string_view strip(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  return text;
}

/// Shorter names of the same letters first, so that cpu2 comes before cpu10.
bool comes_before(const std::string& first, const std::string& second) {
  const auto stem = [](const std::string& name) {
    return std::string_view(name).substr(0, name.find_last_not_of("0123456789") + 1);
  };
  if (stem(first) == stem(second) && first.size() != second.size()) {
    return first.size() < second.size();
  }
  return first < second;
}

}  // namespace

fs::path Machine::place(std::string_view path) const {
  return root_ / fs::path(path).relative_path();
}

std::optional<std::string> Machine::text(std::string_view path) const {
  std::optional<std::string> text = read_system_file(place(path));
  while (text && !text->empty() && is_blank(text->back())) {
    text->pop_back();
  }
  return text;
}

std::optional<int64_t> Machine::number(std::string_view path) const {
  const auto read = text(path);
  int64_t value = 0;
  if (!read ||
      std::from_chars(read->data(), read->data() + read->size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> Machine::names(std::string_view path) const {
  std::vector<std::string> names;
  std::error_code fault;
  for (fs::directory_iterator entry(place(path), fault), end; !fault && entry != end;
       entry.increment(fault)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end(), comes_before);
  return names;
}

std::string Machine::link_text(std::string_view path) const {
  std::error_code fault;
  const fs::path target = fs::read_symlink(place(path), fault);
  return fault ? std::string() : target.string();
}

std::string Machine::link_name(std::string_view path) const {
  return fs::path(link_text(path)).filename().string();
}

bool Machine::exists(std::string_view path) const {
  std::error_code fault;
  return fs::exists(place(path), fault);
}

std::vector<Process> processes(const Machine& machine) {
  std::vector<Process> found;
  for (const std::string& name : machine.names("/proc")) {
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      if (auto command = machine.text("/proc/" + name + "/comm")) {
        found.push_back({name, std::move(*command)});
      }
    }
  }
  return found;
}

bool has_module(const Machine& machine, std::string_view name) {
  return machine.exists(fmt::format("/sys/module/{}", name));
}

std::string bytes_text(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (unit + 1 < units.size() && bytes >= 1024 &&
         (bytes % 1024 == 0 || bytes >= uint64_t{10} * 1024)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, units[unit]);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = strip(text)).empty()) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::string> value_of(std::string_view text, std::string_view key) {
  for (const std::string& line : split_lines(text)) {
    if (!line.starts_with(key)) {
      continue;
    }
    std::string_view rest = strip(std::string_view(line).substr(key.size()));
    if (rest.starts_with(':')) {
      rest.remove_prefix(1);
    }
    return std::string(strip(rest));
  }
  return std::nullopt;
}

}  // namespace shrike::doctor
