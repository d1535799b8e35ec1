#include "scanner.h"

#include <hs/hs_runtime.h>

#include <algorithm>

#include "search.h"
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

void Scanner::scan(const RuleGroup::Layer& layer, Bytes bytes) noexcept {
  if (layer.anchors != no_index) {
    look_up(tables_->anchors[layer.anchors], bytes);
  }
  if (layer.database != no_index) {
    scan_database(tables_->databases[layer.database], bytes);
  }
}

void Scanner::scan_database(const LiteralDatabase& database, Bytes bytes) noexcept {
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
    if (end >= each.end_first && end <= each.end_last) {
      add_candidate(each.rule, each.needs);
    }
  }
}

/// One bit test a place; only where a literal may begin there are its bytes looked up.
void Scanner::look_up(const AnchorTable& anchors, Bytes bytes) noexcept {
  for (const AnchorTable::Place& place : anchors.places) {
    if (place.offset >= bytes.size()) {
      return;
    }
    const uint8_t byte = bytes[place.offset];
    if ((place.first_bytes[byte >> 6] >> (byte & 63) & 1) != 0) {
      look_up_place(anchors, place, bytes.subspan(place.offset));
    }
  }
}

void Scanner::look_up_place(const AnchorTable& anchors, const AnchorTable::Place& place,
                            Bytes bytes) noexcept {
  for (uint32_t i = place.probe_first; i < place.probe_last; ++i) {
    const AnchorTable::Probe& probe = anchors.probes[i];
    if (bytes.size() < probe.key_bytes) {
      continue;
    }
    uint32_t key = 0;
    for (uint32_t at = 0; at < probe.key_bytes; ++at) {
      const uint8_t byte = bytes[at];
      const bool is_upper = probe.is_nocase && byte >= 'A' && byte <= 'Z';
      key = key << 8 | (is_upper ? byte | 0x20u : byte);
    }
    const AnchorTable::Slot* const slots = anchors.slots.data() + probe.slot_index;
    uint32_t slot = AnchorTable::slot_of(key, probe.slot_mask);
    while (slots[slot].first != slots[slot].last && slots[slot].key != key) {
      slot = (slot + 1) & probe.slot_mask;
    }
    for (uint32_t at = slots[slot].first; at < slots[slot].last; ++at) {
      const AnchorTable::Entry& entry = anchors.entries[at];
      if (entry.length <= bytes.size() &&
          equals_bytes(bytes.data(), anchors.bytes.data() + entry.bytes_at, entry.length,
                       probe.is_nocase)) {
        ++literals_found;
        add_candidate(entry.rule, entry.needs);
      }
    }
  }
}

std::span<const uint32_t> Scanner::candidates() noexcept {
  std::sort(candidates_.data(), candidates_.data() + candidate_count_);
  return {candidates_.data(), candidate_count_};
}

}  // namespace shrike::detect
