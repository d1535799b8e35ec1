#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "shrike/control.h"

namespace shrike::control {

namespace {

/// What the sensor may not do to files outside of its own folders, by kernels as of Landlock's
/// first version. Reading stays free: rules and configuration are read again at a reload.
constexpr uint64_t guarded_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr uint64_t own_folder_rights = guarded_rights & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};

/// Closes a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

bool allow(int ruleset, const std::string& path, uint64_t rights) noexcept {
  const Descriptor folder(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (folder.get() < 0) {
    return false;
  }
  landlock_path_beneath_attr beneath{};
  beneath.allowed_access = rights;
  beneath.parent_fd = folder.get();
  return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
}

/// @return what is in the way, or nothing.
std::string fence_files_in(const std::vector<std::string>& writable_folders) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = guarded_rights;
  const Descriptor ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (ruleset.get() < 0) {
    return "this kernel has no Landlock (5.13 or later, with landlock among its lsm=)";
  }
  for (const std::string& folder : writable_folders) {
    if (!folder.empty() && !allow(ruleset.get(), folder, own_folder_rights)) {
      return folder + ": " + std::strerror(errno);
    }
  }
  allow(ruleset.get(), "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return std::strerror(errno);
  }
  return {};
}

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
};

std::optional<Identity> find_identity(const ConfineOptions& options, Diagnostics& diagnostics) {
  const passwd* const user = getpwnam(options.user.c_str());
  if (user == nullptr) {
    diagnostics.error({}, "run-as", "there is no user {}; make it with useradd --system {}",
                      options.user, options.user);
    return std::nullopt;
  }
  Identity identity{user->pw_uid, user->pw_gid};
  if (!options.group.empty()) {
    const group* const named = getgrnam(options.group.c_str());
    if (named == nullptr) {
      diagnostics.error({}, "run-as", "there is no group {}; make it with groupadd --system {}",
                        options.group, options.group);
      return std::nullopt;
    }
    identity.group = named->gr_gid;
  }
  return identity;
}

bool become(const ConfineOptions& options, Diagnostics& diagnostics) {
  const std::optional<Identity> identity = find_identity(options, diagnostics);
  if (!identity) {
    return false;
  }
  for (const std::string& folder : options.writable_folders) {
    if (chown(folder.c_str(), identity->user, identity->group) != 0) {
      diagnostics.error({}, "run-as", "{} cannot be given to {}: {}", folder, options.user,
                        std::strerror(errno));
      return false;
    }
  }
  if (setgroups(0, nullptr) != 0 || setgid(identity->group) != 0 || setuid(identity->user) != 0) {
    diagnostics.error({}, "run-as", "cannot become {}: {}; only root can", options.user,
                      std::strerror(errno));
    return false;
  }
  return true;
}

/// Ports are open: nothing that needs a capability comes any more.
void drop_capabilities() {
  capng_clear(CAPNG_SELECT_BOTH);
  capng_apply(CAPNG_SELECT_CAPS);
}

}  // namespace

bool confine(const ConfineOptions& options, Diagnostics& diagnostics) {
  const bool is_root = geteuid() == 0;
  if (!options.user.empty() && is_root && !become(options, diagnostics)) {
    return false;
  }
  if (!options.is_fenced) {
    return true;
  }
  const std::string fault = fence_files_in(options.writable_folders);
  if (!fault.empty()) {
    diagnostics.warning({}, "sandbox",
                        "files are not fenced in: {}; shrike.live.sandbox: no says that this is "
                        "known",
                        fault);
  }
  drop_capabilities();
  return true;
}

}  // namespace shrike::control
