#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// Who asks, as /proc/self/status says: not this process itself, so that a forged machine works.
struct User {
  uint64_t id = 0;
  std::vector<uint64_t> groups;
  bool may_read_all = false;
  bool may_write_all = false;
};

User user_of(const Machine& machine) {
  const std::string status = machine.text("/proc/self/status").value_or("");
  const auto effective = [&](std::string_view key) -> uint64_t {
    const auto words = split_words(value_of(status, key).value_or(""));
    return words.size() > 1 ? std::strtoull(words[1].c_str(), nullptr, 10) : 0;
  };
  User user{.id = effective("Uid"), .groups = {effective("Gid")}};
  for (const std::string& word : split_words(value_of(status, "Groups").value_or(""))) {
    user.groups.push_back(std::strtoull(word.c_str(), nullptr, 10));
  }
  // CAP_DAC_OVERRIDE is 1, CAP_DAC_READ_SEARCH 2. Source: linux/capability.h.
  const uint64_t held =
      std::strtoull(value_of(status, "CapEff").value_or("0").c_str(), nullptr, 16);
  user.may_write_all = (held & 2) != 0;
  user.may_read_all = (held & 6) != 0;
  return user;
}

constexpr unsigned permission_read = 4;
constexpr unsigned permission_write = 2;
constexpr unsigned permission_search = 1;

/// Source: path_resolution(7), "Permissions". Access lists are not looked at.
bool may(const User& user, const struct stat& entry, unsigned permissions) {
  if ((permissions & permission_write) != 0 ? user.may_write_all : user.may_read_all) {
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

bool look_up(const Machine& machine, const std::string& path, struct stat& entry) {
  return ::stat(machine.place(path).c_str(), &entry) == 0;
}

void judge_logs(const Machine& machine, const User& user, const std::string& folder,
                Findings& findings) {
  Finding finding{.topic = "log-folder", .subject = folder, .way = Way::every};
  std::filesystem::path place = folder;
  struct stat entry {};
  while (!look_up(machine, place.string(), entry) && place.has_relative_path()) {
    place = place.parent_path();
  }
  const bool is_there = place == folder;
  const std::string owner = fmt::format("\"$(id -un)\" {}", folder);
  if (is_there && !S_ISDIR(entry.st_mode)) {
    finding.level = Level::problem;
    finding.seen = "is no folder";
    finding.meaning = "alerts have nowhere to go; name a folder with -l";
  } else if (!may(user, entry, permission_write | permission_search)) {
    finding.level = Level::problem;
    finding.seen = is_there ? "cannot be written to" : "is not there, and cannot be made";
    finding.meaning = "alerts have nowhere to go";
    finding.mend = {is_there ? "sudo chown " + owner : "sudo install -d -o " + owner};
  } else {
    finding.seen = is_there ? "can be written to" : "is not there; the sensor makes it";
  }
  findings.push_back(std::move(finding));
}

void judge_rules(const Machine& machine, const User& user, const std::string& file,
                 Findings& findings) {
  Finding finding{.topic = "rules", .subject = file, .way = Way::every};
  const bool is_pattern = file.find_first_of("*?[") != std::string::npos;
  const std::string path = is_pattern ? std::filesystem::path(file).parent_path().string() : file;
  struct stat entry {};
  if (!look_up(machine, path, entry)) {
    finding.level = Level::problem;
    finding.seen = is_pattern ? "its folder is not there" : "is not there";
    finding.meaning = "a sensor without rules finds nothing";
  } else if (!may(user, entry, permission_read | (is_pattern ? permission_search : 0))) {
    finding.level = Level::problem;
    finding.seen = "cannot be read";
    finding.meaning = "a sensor without rules finds nothing";
    finding.mend = {is_pattern ? "sudo chmod -R a+rX " + path : "sudo chmod a+r " + path};
  } else {
    finding.seen = "can be read";
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void probe_folders(const Machine& machine, const Request& request, Findings& findings) {
  const User user = user_of(machine);
  for (const std::string& file : request.rule_files) {
    judge_rules(machine, user, file, findings);
  }
  if (request.log_folder) {
    judge_logs(machine, user, *request.log_folder, findings);
  }
}

}  // namespace shrike::doctor
