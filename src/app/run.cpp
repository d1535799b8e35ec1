#include "run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <filesystem>

#include "assemble.h"
#include "rule_files.h"
#include "rule_profile.h"
#include "run_parts.h"
#include "shrike/base/clock.h"
#include "shrike/worker.h"
#include "shrike/worker/profile.h"
#include "stop_signal.h"
#include "summary.h"
#include "terminal.h"

namespace shrike::app {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

worker::OfflineOptions offline_options(const Settings& settings, const RuleSet& rules) {
  worker::OfflineOptions options;
  options.engines = engine_options(settings, rules);
  options.engines.records.per_capture = settings.files.per_file;
  options.workers = settings.workers;
  return options;
}

void write_statistics(const worker::OfflineRun& run, const RunFacts& facts,
                      output::Collector& collector) {
  std::vector<worker::ThreadCounters> threads = run.counters();
  threads.push_back({"Global", collector.counters()});
  worker::write_statistics(threads, static_cast<uint64_t>(facts.seconds + facts.start_seconds),
                           {wall_clock_ns(), facts.rules.rules_loaded, facts.rules.rules_failed,
                            facts.rules.rules_skipped},
                           collector);
}

/// --profile-rules: what every rule cost.
void write_profile(const CommandLine& line, const worker::OfflineRun& run, const RuleSet& rules,
                   Diagnostics& diagnostics) {
  if (line.profile_file.empty()) {
    return;
  }
  const std::vector<const RuleCosts*> tables = run.rule_costs();
  const worker::CostSummary costs = worker::RuleProfile().summary(rules, tables, SIZE_MAX);
  write_text(line.profile_file, line.profile_is_json ? profile_json(costs) : profile_text(costs),
             diagnostics);
}

CounterSums sums_of(const worker::OfflineRun& run) {
  CounterSums sums;
  for (const worker::ThreadCounters& thread : run.counters()) {
    for (const CounterView& view : thread.views) {
      sums.add(view);
    }
  }
  return sums;
}

void collect_facts(const worker::OfflineRun& run, const capture::PacketSource& source,
                   const output::Collector& collector, RunFacts& facts) {
  facts.progress = run.progress();
  facts.captures = source.captures().size();
  facts.output = collector.summary();
  facts.counters = sums_of(run);
  for (const CounterView& view : collector.counters()) {
    facts.counters.add(view);
  }
}

/// The run itself, once everything stands ready. @return the exit code.
int run_ready(const CommandLine& line, const Settings& settings, capture::PacketSource& source,
              const RuleSet& rules, RunFacts& facts) {
  Diagnostics diagnostics;
  output::Collector collector(settings.collector, settings.sinks, diagnostics);
  tell(diagnostics, Tell::problems);
  if (diagnostics.errors() > 0) {
    return exit_usage;
  }
  collector.use_rules(rules.generation(),
                      {rules.infos(), rules.bit_names(), rules.integer_names()});
  const std::atomic<bool>& stop = install_stop_signal();
  ProgressLine progress(line.quiet);
  worker::OfflineRun run(offline_options(settings, rules), source, rules, collector);
  const Clock::time_point start = Clock::now();
  run.run(stop, [&](const worker::Progress& now) {
    for (const std::string& notice : collector.take_notices()) {
      progress.clear();
      fmt::print(stderr, "{}\n", notice);
    }
    progress.show(now, sums_of(run).get("capture.wire_bytes"));
  });
  facts.seconds = seconds_since(start);
  facts.was_stopped = stop.load();
  write_statistics(run, facts, collector);
  progress.clear();
  for (const std::string& notice : collector.take_notices()) {
    fmt::print(stderr, "{}\n", notice);
  }
  tell(source.faults(), Tell::problems);
  collect_facts(run, source, collector, facts);
  write_profile(line, run, rules, diagnostics);
  tell(diagnostics, Tell::problems);
  if (diagnostics.errors() > 0) {
    return exit_faults;
  }
  const bool has_faults = source.faults().errors() > 0 || has_lost_lines(facts.output);
  return has_faults ? exit_faults : exit_done;
}

}  // namespace

int run_captures(const CommandLine& line) {
  const Clock::time_point start = Clock::now();
  Diagnostics diagnostics;
  const Settings settings = assemble_settings(line, diagnostics);
  if (diagnostics.errors() == 0) {
    make_directory(settings.sinks.directory, diagnostics);
  }
  std::unique_ptr<capture::PacketSource> source;
  if (diagnostics.errors() == 0 && capture::start_packet_memory(settings.memory, diagnostics)) {
    source = capture::open_files(settings.files, diagnostics);
  }
  tell(diagnostics, told_of_settings(line));
  if (diagnostics.errors() > 0 || source == nullptr) {
    return exit_usage;
  }
  RunFacts facts;
  const std::optional<RuleSet> rules = load_rules(line, settings, facts.rules);
  if (!rules) {
    return exit_faults;
  }
  facts.start_seconds = seconds_since(start);
  const int code = run_ready(line, settings, *source, *rules, facts);
  if (code == exit_usage || line.quiet) {
    return code;
  }
  if (line.verbosity > 0) {
    facts.cost = cost_so_far();
  }
  fmt::print("{}", summary_text(facts));
  return code;
}

int test_configuration(const CommandLine& line) {
  Diagnostics diagnostics;
  const Settings settings = assemble_settings(line, diagnostics);
  const size_t settings_errors = diagnostics.errors();
  const std::vector<rule::Source> sources = read_rule_files(settings, diagnostics);
  rule::Report report;
  rule::check(sources, settings.rules, diagnostics, report);
  tell(diagnostics, line.quiet ? Tell::errors : Tell::all);
  if (!line.quiet) {
    fmt::print("{} rules are fine, {} broken, {} skipped; {} errors, {} warnings\n",
               with_commas(report.rules_loaded), with_commas(report.rules_failed),
               with_commas(report.rules_skipped), diagnostics.errors(), diagnostics.warnings());
  }
  if (settings_errors > 0) {
    return exit_usage;
  }
  return diagnostics.errors() > 0 ? exit_faults : exit_done;
}

}  // namespace shrike::app
