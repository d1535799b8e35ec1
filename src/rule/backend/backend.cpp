#include "backend/backend.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <atomic>
#include <thread>

#include "backend/address_table.h"
#include "backend/app_groups.h"
#include "backend/databases.h"
#include "backend/fast_pattern.h"
#include "backend/groups.h"
#include "backend/program.h"

namespace shrike::rule {

namespace {

std::atomic<uint64_t> generations{0};

bool is_awake(const Rule& rule) {
  return rule.dormant_reason.empty() && !rule.header.only_ethernet_or_arp;
}

void free_code(pcre2_real_code_8* code) {
  pcre2_code_free(code);
}

/// Compiles the expressions on several cores; the JIT makes each cost up to a millisecond.
void compile_pcres(const std::vector<ProgramBuilder::PendingPcre>& pending, unsigned threads,
                   RuleTables& tables, Diagnostics& diagnostics) {
  tables.pcres.resize(pending.size());
  std::vector<int> faults(pending.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t at = next++; at < pending.size(); at = next++) {
      PCRE2_SIZE place = 0;
      pcre2_code* const code = pcre2_compile(
          reinterpret_cast<PCRE2_SPTR>(pending[at].pattern.data()), pending[at].pattern.size(),
          pending[at].options, &faults[at], &place, nullptr);
      if (code == nullptr) {
        continue;
      }
      faults[at] = 0;
      pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter runs it
      pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &tables.pcres[at].captures);
      tables.pcres[at].code = {code, free_code};
    }
  };
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < threads && i < pending.size(); ++i) {
    helpers.emplace_back(work);
  }
  work();
  helpers.clear();  // joins
  for (size_t at = 0; at < pending.size(); ++at) {
    if (faults[at] != 0) {
      std::array<PCRE2_UCHAR, 256> text{};
      pcre2_get_error_message(faults[at], text.data(), text.size());
      diagnostics.error(pending[at].position, "pcre", "the expression does not compile: {}",
                        reinterpret_cast<const char*>(text.data()));
    }
  }
}

}  // namespace

std::unique_ptr<RuleTables> build_tables(std::vector<Rule> rules, RuleData data,
                                         const Options& options, Diagnostics& diagnostics,
                                         Report& report) {
  auto tables = std::make_unique<RuleTables>();
  tables->datasets = std::move(data.datasets);
  tables->reputation = std::move(data.reputation);
  tables->generation = ++generations;
  Interner interner(*tables);
  ProgramBuilder programs(*tables, interner);
  std::vector<bool> awake;
  std::vector<std::optional<FastPattern>> patterns;
  for (const Rule& rule : rules) {
    awake.push_back(is_awake(rule));
    if (awake.back()) {
      programs.add(rule);
    } else {
      programs.add_dormant(rule);
    }
    patterns.push_back(awake.back() ? choose_fast_pattern(rule) : std::nullopt);
  }
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  compile_pcres(programs.pcres(), options.compile_threads == 0 ? cores : options.compile_threads,
                *tables, diagnostics);
  DatabaseBuilder databases(*tables, options);
  build_groups(*tables, patterns, awake, databases);
  build_app_groups(*tables, {rules, patterns, awake}, programs, databases);
  file_address_only_rules(*tables);
  report.groups = static_cast<uint32_t>(tables->groups.size());
  if (!databases.compile(diagnostics, report)) {
    return nullptr;
  }
  for (Rule& rule : rules) {
    tables->infos.push_back(std::move(rule.info));
  }
  return tables;
}

}  // namespace shrike::rule
