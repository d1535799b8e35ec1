#include "doctor_user.h"

#include <algorithm>
#include <cstdlib>

namespace shrike::doctor {

User user_of(const Machine& machine) {
  const std::string status = machine.text("/proc/self/status").value_or("");
  // Four numbers: real, effective, saved, of files.
  const auto effective = [&](std::string_view key) -> uint64_t {
    const auto words = split_words(value_of(status, key).value_or(""));
    return words.size() > 1 ? std::strtoull(words[1].c_str(), nullptr, 10) : 0;
  };
  User user{.id = effective("Uid"), .groups = {effective("Gid")}};
  for (const std::string& word : split_words(value_of(status, "Groups").value_or(""))) {
    user.groups.push_back(std::strtoull(word.c_str(), nullptr, 10));
  }
  user.capabilities = std::strtoull(value_of(status, "CapEff").value_or("0").c_str(), nullptr, 16);
  return user;
}

bool may(const User& user, const struct stat& entry, unsigned permissions) {
  const bool is_reading = (permissions & permission_write) == 0;
  if (user.has(Right::override_permissions) || (is_reading && user.has(Right::read_everything))) {
    return true;
  }
  unsigned granted = entry.st_mode & 7U;
  if (entry.st_uid == user.id) {
    granted = (entry.st_mode >> 6) & 7U;
  } else if (std::ranges::find(user.groups, entry.st_gid) != user.groups.end()) {
    granted = (entry.st_mode >> 3) & 7U;
  }
  return (granted & permissions) == permissions;
}

std::optional<struct stat> look_up(const Machine& machine, const std::string& path) {
  struct stat entry {};
  if (::stat(machine.place(path).c_str(), &entry) != 0) {
    return std::nullopt;
  }
  return entry;
}

}  // namespace shrike::doctor
