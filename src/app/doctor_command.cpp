#include "doctor_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apply.h"
#include "assemble.h"
#include "run.h"
#include "shrike/capture/memory.h"
#include "shrike/doctor.h"
#include "subcommand.h"
#include "terminal.h"

namespace shrike::app {

namespace {

constexpr const char* footer =
    R"(It looks and changes nothing. Each finding is a level, what was seen, what that
does to the sensor and, behind $, the commands that mend it:
  problem   the sensor cannot run this way before it is mended
  warning   it runs, and may lose packets or see less than it should
  note      worth knowing
  ok        as it should be (--all)
Without -i and --port everything that the machine has is looked at, and one way in is enough.

Examples:
  What can this machine do?
    shrike doctor
  May I listen on this interface, with the rules and logs of this configuration?
    shrike doctor -i eth1 -c /etc/shrike/shrike.yaml
  What is missing before DPDK can drive this NIC?
    shrike doctor --port 0000:03:00.0
  Only the commands, to read before they are run:
    shrike doctor --json | jq -r '.findings[] | select(.level == "problem") | .mend[]'

Exit status: 0 no problems; 1 problems; 2 the command line or the configuration is wrong.)";

struct Words {
  doctor::Request request;
  CommandLine line;  ///< what names rules and logs
  std::string root = "/";
  bool is_json = false;
  bool all = false;
};

void add_options(CLI::App& app, Words& words) {
  app.footer(footer);
  app.add_option("-i", words.request.interfaces, "Interface that the kernel keeps; repeatable")
      ->type_name("IFACE")
      ->allow_extra_args(false);
  app.add_option("--port", words.request.ports, "NIC for DPDK, by PCI address; repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_option("-c", words.line.config_file, "Configuration whose rules and logs are looked at")
      ->type_name("FILE");
  app.add_option("-S", words.line.only_rules, "Rules that the sensor will load; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("-l", words.line.log_directory, "Folder that it will log to")->type_name("DIR");
  app.add_flag("--all", words.all, "Show what is well, too");
  app.add_flag("--json", words.is_json, "One JSON object, for machines");
  app.add_option("--root", words.root, "A copy of /proc, /sys and /dev to look at instead")
      ->type_name("DIR")
      ->group("");
}

/// As a run would start DPDK on these ports; of one that nobody has named yet as well.
uint64_t wanted_huge_bytes(const Settings& settings) {
  capture::PortsOptions ports = settings.ports;
  if (ports.ports.empty()) {
    ports.ports.emplace_back();
  }
  capture::PacketMemoryOptions memory = settings.memory;
  memory.extra_bytes = capture::buffer_bytes_for(ports);
  return capture::memory_bytes_for(memory);
}

void name_needs(const Settings& settings, doctor::Request& request) {
  request.huge_bytes_min = wanted_huge_bytes(settings);
  for (const capture::PortOptions& port : settings.ports.ports) {
    if (!port.name.empty()) {
      request.ring_frames.push_back({port.name, frame_bytes_in_ring(port.mtu)});
    }
  }
}

/// Rules, logs and memory: as a run with these options would have them.
void name_wishes(Words& words, Diagnostics& diagnostics) {
  words.line.interfaces = words.request.interfaces;
  words.line.interfaces.insert(words.line.interfaces.end(), words.request.ports.begin(),
                               words.request.ports.end());
  if (!words.line.log_directory.empty()) {
    words.line.sets.push_back("default-log-dir=" + words.line.log_directory);
  }
  const Settings settings = assemble_settings(words.line, diagnostics);
  for (const RuleFile& file : settings.rule_files) {
    words.request.rule_files.push_back(file.path);
  }
  words.request.log_folder = settings.sinks.directory;
  name_needs(settings, words.request);
}

/// A program's own folder means nothing on another machine's tree.
std::filesystem::path absolute(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

void complete_request(Words& words) {
  for (std::string& file : words.request.rule_files) {
    file = absolute(file).string();
  }
  words.request.log_folder = absolute(*words.request.log_folder).string();
  words.request.root = words.root;
  words.request.kernel = words.root == "/" ? &doctor::running_kernel() : nullptr;
}

}  // namespace

int run_doctor(const std::vector<std::string>& given) {
  Words words;
  CLI::App app("Says whether this machine can run the sensor live, and what to do about it.",
               "shrike doctor");
  add_options(app, words);
  if (const std::optional<int> ending = read_words(app, given)) {
    return *ending;
  }
  Diagnostics diagnostics;
  name_wishes(words, diagnostics);
  if (diagnostics.errors() > 0) {
    tell(diagnostics, Tell::errors);
    return exit_usage;
  }
  complete_request(words);
  const doctor::Report report = doctor::examine(words.request);
  fmt::print("{}", words.is_json ? as_json(report) + "\n" : as_text(report, words.all));
  return report.has_problems() ? exit_faults : exit_done;
}

}  // namespace shrike::app
