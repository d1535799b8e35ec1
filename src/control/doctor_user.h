#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor_machine.h"

namespace shrike::doctor {

/// Capabilities that matter here. Source: linux/capability.h.
enum class Right : uint32_t {
  override_permissions = 1,
  read_everything = 2,
  administer_network = 12,
  raw_sockets = 13,
  lock_memory = 14,
  raw_io = 17,
  administer_system = 21,
};

/// Who asks, as /proc/self/status says: not this process itself, so that a forged machine works.
struct User {
  uint64_t id = 0;
  std::vector<uint64_t> groups;
  uint64_t capabilities = 0;  ///< effective

  [[nodiscard]] bool has(Right right) const noexcept {
    return ((capabilities >> static_cast<uint32_t>(right)) & 1) != 0;
  }
};

constexpr unsigned permission_read = 4;
constexpr unsigned permission_write = 2;
constexpr unsigned permission_search = 1;

[[nodiscard]] User user_of(const Machine& machine);
/// Whether permissions let the user do this. Source: path_resolution(7), "Permissions". Access
/// lists, and the folders above, are not looked at.
[[nodiscard]] bool may(const User& user, const struct stat& entry, unsigned permissions);
/// What stat(2) says of a path of the machine.
[[nodiscard]] std::optional<struct stat> look_up(const Machine& machine, const std::string& path);

}  // namespace shrike::doctor
