#include "scanner.h"

#include <hs/hs_runtime.h>

#include <algorithm>

#include "shrike/base/check.h"

namespace shrike::detect {

/// What Hyperscan hands back with every find.
struct Scanner::Find {
  Scanner* scanner;
  const LiteralDatabase* database;
};

int Scanner::on_find(unsigned literal, unsigned long long /*from*/, unsigned long long to,
                     unsigned /*flags*/, void* context) noexcept {
  const Find& find = *static_cast<const Find*>(context);
  find.scanner->add(*find.database, literal, static_cast<uint32_t>(to));
  return 0;
}

void Scanner::FreeScratch::operator()(hs_scratch* scratch) const noexcept {
  hs_free_scratch(scratch);
}

Scanner::~Scanner() = default;

void Scanner::take_up(const RuleTables& tables) {
  tables_ = &tables;
  hs_scratch_t* scratch = nullptr;
  for (const LiteralDatabase& database : tables.databases) {
    check(hs_alloc_scratch(database.database.get(), &scratch) == HS_SUCCESS,
          "scratch for literal databases");
  }
  scratch_.reset(scratch);
  seen_in_.assign(tables.rules.size(), 0);
  candidates_.assign(tables.rules.size(), 0);
  candidate_count_ = 0;
  epoch_ = 0;
}

void Scanner::begin(uint32_t facts) noexcept {
  facts_ = facts;
  candidate_count_ = 0;
  if (++epoch_ == 0) {  // after 2^32 datagrams the old marks would look new
    std::fill(seen_in_.begin(), seen_in_.end(), 0);
    epoch_ = 1;
  }
}

void Scanner::scan(const RuleGroup::Scan& scan, Bytes bytes) noexcept {
  if (scan.head != no_index) {
    scan_database(scan.head, bytes);
  }
  if (scan.whole != no_index) {
    scan_database(scan.whole, bytes);
  }
}

void Scanner::scan_database(uint32_t index, Bytes bytes) noexcept {
  const LiteralDatabase& database = tables_->databases[index];
  bytes = bytes.first(std::min<size_t>(bytes.size(), database.scan_bytes_max));
  if (bytes.size() < database.shortest_bytes) {
    return;
  }
  ++scans;
  bytes_scanned += bytes.size();
  Find find{this, &database};
  hs_scan(database.database.get(), reinterpret_cast<const char*>(bytes.data()),
          static_cast<unsigned>(bytes.size()), 0, scratch_.get(), on_find, &find);
}

void Scanner::add(const LiteralDatabase& database, uint32_t literal, uint32_t end) noexcept {
  ++literals_found;
  const uint32_t last = database.first_rule[literal + 1];
  for (uint32_t at = database.first_rule[literal]; at < last; ++at) {
    const PatternRule& each = database.rules[at];
    if ((each.needs & facts_) == each.needs && end >= each.end_first && end <= each.end_last &&
        seen_in_[each.rule] != epoch_) {
      seen_in_[each.rule] = epoch_;
      candidates_[candidate_count_++] = each.rule;
    }
  }
}

std::span<const uint32_t> Scanner::candidates() noexcept {
  std::sort(candidates_.data(), candidates_.data() + candidate_count_);
  return {candidates_.data(), candidate_count_};
}

}  // namespace shrike::detect
