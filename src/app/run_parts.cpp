#include "run_parts.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "rule_files.h"
#include "terminal.h"

namespace shrike::app {

namespace {

/// Rule sets come with warnings by the hundred, which are not the operator's to mend.
Tell told_of_rules(const CommandLine& line) {
  if (line.verbosity > 0) {
    return Tell::all;
  }
  return line.quiet ? Tell::errors : Tell::errors_and_count;
}

/// What is costly to work out for files is worked out where a rule or an event wants it.
void wish_for_files(const RuleSet& rules, const output::SinkOptions& sinks,
                    protocol::ProtocolOptions& options) {
  for (const output::EveOptions& eve : sinks.eve) {
    options.file_magic |= eve.files && eve.file_magic;
    for (size_t i = 0; i < eve.file_digests.size(); ++i) {
      options.file_digests[i] |= eve.files && eve.file_digests[i];
    }
  }
  if (const auto& store = sinks.file_store) {
    options.file_storing = store->all ? protocol::FileStoring::all : protocol::FileStoring::by_rule;
    options.stored_file_bytes_max = store->file_bytes_max;
    options.file_magic |= store->magic;
    for (size_t i = 0; i < store->digests.size(); ++i) {
      options.file_digests[i] |= store->digests[i];
    }
  }
  for (const BufferProgram& program : rules.tables().buffer_programs) {
    options.file_magic |= program.field == Field::file_magic;
    options.file_digests[0] |= program.field == Field::file_md5;
    options.file_digests[1] |= program.field == Field::file_sha1;
    options.file_digests[2] |= program.field == Field::file_sha256;
  }
}

}  // namespace

/// Command line and configuration are the operator's own words: all that is odd in them is told.
Tell told_of_settings(const CommandLine& line) {
  return line.quiet ? Tell::errors : Tell::all;
}

/// Rules compiled; nothing where they must not be used or cannot be built.
std::optional<RuleSet> load_rules(const CommandLine& line, const Settings& settings,
                                  rule::Report& report, std::vector<Diagnostic>* faults) {
  Diagnostics diagnostics;
  const std::vector<rule::Source> sources = read_rule_files(settings, diagnostics);
  const bool unreadable = diagnostics.errors() > 0;
  ProgressLine progress(line.quiet);
  progress.say("compiling rules");
  std::optional<RuleSet> rules = rule::compile(sources, settings.rules, diagnostics, report);
  progress.clear();
  tell(diagnostics, told_of_rules(line));
  if (faults != nullptr) {
    std::copy_if(diagnostics.all().begin(), diagnostics.all().end(), std::back_inserter(*faults),
                 [](const Diagnostic& each) { return each.severity == Severity::error; });
  }
  if (unreadable || (line.init_errors_fatal && diagnostics.errors() > 0)) {
    return std::nullopt;
  }
  return rules;
}

worker::EngineOptions engine_options(const Settings& settings, const RuleSet& rules) {
  worker::EngineOptions options;
  options.decode = settings.decoder;
  options.flow = settings.flow;
  options.protocols = settings.protocols;
  wish_for_files(rules, settings.sinks, options.protocols);
  options.detect = settings.detector;
  options.records = output::records_for(settings.sinks);
  return options;
}

std::string unmet_wishes(const Settings& settings, const RuleSet& rules,
                         const worker::EngineOptions& running) {
  const protocol::ProtocolOptions wanted = engine_options(settings, rules).protocols;
  std::string unmet;
  const auto note = [&](bool is_wanted, bool is_there, std::string_view name) {
    if (is_wanted && !is_there) {
      unmet += (unmet.empty() ? "" : ", ") + std::string(name);
    }
  };
  note(wanted.file_magic, running.protocols.file_magic, "file.magic");
  constexpr std::array<std::string_view, 3> digests{"filemd5", "filesha1", "filesha256"};
  for (size_t i = 0; i < digests.size(); ++i) {
    note(wanted.file_digests[i], running.protocols.file_digests[i], digests[i]);
  }
  return unmet;
}

RunFacts::Cost cost_so_far() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_maxrss) * 1024};
}

bool make_directory(const std::string& path, Diagnostics& diagnostics) {
  std::error_code fault;
  std::filesystem::create_directories(path, fault);
  if (fault && !std::filesystem::is_directory(path)) {
    diagnostics.error({}, "log-directory", "cannot make {}: {}; name another with -l", path,
                      fault.message());
    return false;
  }
  return true;
}

bool has_lost_lines(const output::Summary& output) {
  for (const output::SinkTotals& sink : output.sinks) {
    if (sink.lost > 0) {
      return true;
    }
  }
  return false;
}

}  // namespace shrike::app
