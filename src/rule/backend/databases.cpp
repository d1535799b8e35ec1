#include "backend/databases.h"

#include <hs/hs_compile.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "backend/database_cache.h"
#include "shrike/base/hash.h"

namespace shrike::rule {

namespace {

void free_database(hs_database* database) {
  hs_free_database(database);
}

struct Compiled {
  hs_database* database = nullptr;
  bool from_cache = false;
  std::string fault;
};

Compiled load(const DatabaseCache& cache, const std::string& key) {
  Compiled result{.database = cache.load(key)};
  result.from_cache = result.database != nullptr;
  return result;
}

void keep(const DatabaseCache& cache, const std::string& key, const Compiled& result) {
  if (result.database != nullptr) {
    cache.store(key, result.database);
  }
}

void compile_literals(const std::vector<std::string>& literals, const std::vector<unsigned>& flags,
                      Compiled& result) {
  std::vector<const char*> expressions;
  std::vector<size_t> lengths;
  std::vector<unsigned> ids;
  for (const std::string& literal : literals) {
    ids.push_back(static_cast<unsigned>(expressions.size()));
    expressions.push_back(literal.data());
    lengths.push_back(literal.size());
  }
  hs_compile_error_t* error = nullptr;
  hs_database_t* database = nullptr;
  if (hs_compile_lit_multi(expressions.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(expressions.size()), HS_MODE_BLOCK, nullptr,
                           &database, &error) == HS_SUCCESS) {
    result.database = database;
    return;
  }
  result.fault = error != nullptr && error->message != nullptr ? error->message : "no memory";
  hs_free_compile_error(error);
}

bool comes_before(const Literal& one, const Literal& other) {
  if (one.bytes != other.bytes) {
    return one.bytes < other.bytes;
  }
  if (one.is_nocase != other.is_nocase) {
    return other.is_nocase;
  }
  return one.rule.rule < other.rule.rule;
}

void append_number(std::string& key, uint64_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

uint64_t hash_of(const std::string& text) {
  uint64_t hash = text.size();
  for (const char each : text) {
    hash = combine64(hash, static_cast<uint8_t>(each));
  }
  return hash;
}

}  // namespace

uint32_t DatabaseBuilder::ask(std::vector<Literal> literals) {
  if (literals.empty()) {
    return no_index;
  }
  std::sort(literals.begin(), literals.end(), comes_before);
  Job job;
  LiteralDatabase made;
  made.shortest_bytes = UINT32_MAX;
  made.scan_bytes_max = 0;
  std::string rules_key;
  const Literal* before = nullptr;
  for (const Literal& literal : literals) {
    if (before == nullptr || before->bytes != literal.bytes ||
        before->is_nocase != literal.is_nocase) {
      made.first_rule.push_back(static_cast<uint32_t>(made.rules.size()));
      job.literals.push_back(literal.bytes);
      job.flags.push_back(literal.is_nocase ? HS_FLAG_CASELESS : 0);
      append_number(job.key, literal.bytes.size() << 1 | (literal.is_nocase ? 1u : 0u));
      job.key += literal.bytes;
    }
    before = &literal;
    made.rules.push_back(literal.rule);
    append_number(rules_key, made.first_rule.size());
    append_number(rules_key, literal.rule.rule);
    made.shortest_bytes =
        std::min(made.shortest_bytes, static_cast<uint32_t>(literal.bytes.size()));
    made.scan_bytes_max = std::max(made.scan_bytes_max, literal.rule.end_last);
  }
  made.first_rule.push_back(static_cast<uint32_t>(made.rules.size()));
  made.content_hash = hash_of(job.key);
  const auto index = static_cast<uint32_t>(tables_.databases.size());
  const auto [at, is_new] = known_.try_emplace(job.key + rules_key, index);
  if (is_new) {
    job.database = index;
    jobs_.push_back(std::move(job));
    tables_.databases.push_back(std::move(made));
  }
  return at->second;
}

bool DatabaseBuilder::compile(Diagnostics& diagnostics, Report& report) {
  const DatabaseCache cache(options_.cache_directory, diagnostics);
  std::vector<Compiled> results(jobs_.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t at = next++; at < jobs_.size(); at = next++) {
      const Job& job = jobs_[at];
      results[at] = load(cache, job.key);
      if (results[at].database == nullptr) {
        compile_literals(job.literals, job.flags, results[at]);
        keep(cache, job.key, results[at]);
      }
    }
  };
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned wanted = options_.compile_threads == 0 ? cores : options_.compile_threads;
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < std::min<size_t>(wanted, jobs_.size()); ++i) {
    helpers.emplace_back(work);
  }
  work();
  helpers.clear();  // joins

  bool is_whole = true;
  for (size_t at = 0; at < jobs_.size(); ++at) {
    report.databases_from_cache += results[at].from_cache ? 1 : 0;
    if (results[at].database == nullptr) {
      diagnostics.error({}, "database", "Hyperscan cannot compile {} literals: {}",
                        jobs_[at].literals.size(), results[at].fault);
      is_whole = false;
    }
    tables_.databases[jobs_[at].database].database = {results[at].database, free_database};
  }
  report.databases = static_cast<uint32_t>(jobs_.size());
  if (cache.faults() != 0) {
    diagnostics.warning({}, "cache-write",
                        "{} databases could not be kept in '{}'; make it writable, or go without "
                        "a cache with --no-cache",
                        cache.faults(), options_.cache_directory);
  }
  return is_whole;
}

}  // namespace shrike::rule
