#include <fmt/format.h>

#include "doctor_probes.h"
#include "doctor_user.h"

namespace shrike::doctor {

namespace {

void judge_logs(const Machine& machine, const User& user, const std::string& folder,
                Findings& findings) {
  Finding finding{.topic = "log-folder", .subject = folder, .way = Way::every};
  std::filesystem::path place = folder;
  auto entry = look_up(machine, place.string());
  while (!entry && place.has_relative_path()) {
    place = place.parent_path();
    entry = look_up(machine, place.string());
  }
  const bool is_there = place == folder;
  const std::string owner = fmt::format("\"$(id -un)\" {}", folder);
  if (entry && !S_ISDIR(entry->st_mode)) {
    finding.level = Level::problem;
    finding.seen = is_there ? "is no folder" : place.string() + " is no folder";
    finding.meaning = "alerts have nowhere to go; name a folder with -l";
  } else if (!entry || !may(user, *entry, permission_write | permission_search)) {
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
  const auto entry = look_up(machine, path);
  if (!entry) {
    finding.level = Level::problem;
    finding.seen = is_pattern ? "its folder is not there" : "is not there";
    finding.meaning = "a sensor without rules finds nothing";
  } else if (!may(user, *entry, permission_read | (is_pattern ? permission_search : 0))) {
    finding.level = Level::problem;
    finding.seen = "cannot be read";
    finding.meaning = "a sensor without rules finds nothing";
    finding.mend = {(is_pattern ? "sudo chmod -R a+rX " : "sudo chmod a+r ") + path};
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
