#include "backend/anchors.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace shrike::rule {

namespace {

constexpr size_t key_bytes_max = 4;

/// A literal in the form and order in which the table holds it.
struct Anchor {
  uint32_t offset = 0;
  bool is_nocase = false;
  uint32_t key_bytes = 0;
  std::string bytes;
  PatternRule rule;

  [[nodiscard]] auto order() const {
    return std::tie(offset, is_nocase, key_bytes, bytes, rule.rule);
  }
  [[nodiscard]] bool shares_probe_with(const Anchor& other) const {
    return offset == other.offset && is_nocase == other.is_nocase && key_bytes == other.key_bytes;
  }
};

std::string lower(std::string text) {
  for (char& each : text) {
    each = each >= 'A' && each <= 'Z' ? static_cast<char>(each + ('a' - 'A')) : each;
  }
  return text;
}

std::vector<Anchor> anchors_of(const std::vector<Literal>& literals) {
  std::vector<Anchor> anchors;
  for (const Literal& literal : literals) {
    Anchor anchor;
    anchor.offset = literal.rule.end_last - static_cast<uint32_t>(literal.bytes.size());
    anchor.is_nocase = literal.is_nocase;
    anchor.key_bytes = static_cast<uint32_t>(std::min(literal.bytes.size(), key_bytes_max));
    anchor.bytes = literal.is_nocase ? lower(literal.bytes) : literal.bytes;
    anchor.rule = literal.rule;
    anchors.push_back(std::move(anchor));
  }
  std::sort(anchors.begin(), anchors.end(),
            [](const Anchor& one, const Anchor& other) { return one.order() < other.order(); });
  return anchors;
}

uint32_t key_of(const Anchor& anchor) {
  uint32_t key = 0;
  for (uint32_t i = 0; i < anchor.key_bytes; ++i) {
    key = key << 8 | static_cast<uint8_t>(anchor.bytes[i]);
  }
  return key;
}

void mark_first_byte(AnchorTable::Place& place, const Anchor& anchor) {
  const auto mark = [&](uint8_t byte) {
    place.first_bytes[byte >> 6] |= uint64_t{1} << (byte & 63);
  };
  const auto first = static_cast<uint8_t>(anchor.bytes[0]);
  mark(first);
  if (anchor.is_nocase && first >= 'a' && first <= 'z') {
    mark(static_cast<uint8_t>(first - ('a' - 'A')));
  }
}

/// Adds the hash table for anchors [first, last), which share a probe and are sorted by bytes.
void add_probe(AnchorTable& table, const Anchor* first, const Anchor* last) {
  const auto count = static_cast<size_t>(last - first);
  AnchorTable::Probe probe;
  probe.key_bytes = first->key_bytes;
  probe.is_nocase = first->is_nocase;
  probe.slot_index = static_cast<uint32_t>(table.slots.size());
  probe.slot_mask = static_cast<uint32_t>(std::bit_ceil(2 * count)) - 1;
  table.slots.resize(table.slots.size() + probe.slot_mask + 1);
  AnchorTable::Slot* const slots = table.slots.data() + probe.slot_index;
  for (const Anchor* each = first; each != last; ++each) {
    const auto entry = static_cast<uint32_t>(table.entries.size());
    table.entries.push_back({each->rule.rule, each->rule.needs,
                             static_cast<uint32_t>(table.bytes.size()),
                             static_cast<uint32_t>(each->bytes.size())});
    table.bytes.insert(table.bytes.end(), each->bytes.begin(), each->bytes.end());
    const uint32_t key = key_of(*each);
    uint32_t slot = AnchorTable::slot_of(key, probe.slot_mask);
    while (slots[slot].first != slots[slot].last && slots[slot].key != key) {
      slot = (slot + 1) & probe.slot_mask;
    }
    // Equal keys are neighbours, so a slot's entries are one run.
    if (slots[slot].first == slots[slot].last) {
      slots[slot] = {key, entry, entry};
    }
    slots[slot].last = entry + 1;
  }
  table.probes.push_back(probe);
}

AnchorTable made(const std::vector<Anchor>& anchors) {
  AnchorTable table;
  const Anchor* const end = anchors.data() + anchors.size();
  for (const Anchor* first = anchors.data(); first != end;) {
    const Anchor* last = first;
    while (last != end && last->shares_probe_with(*first)) {
      ++last;
    }
    if (table.places.empty() || table.places.back().offset != first->offset) {
      AnchorTable::Place place;
      place.offset = first->offset;
      place.probe_first = static_cast<uint32_t>(table.probes.size());
      table.places.push_back(place);
    }
    add_probe(table, first, last);
    AnchorTable::Place& place = table.places.back();
    place.probe_last = static_cast<uint32_t>(table.probes.size());
    std::for_each(first, last, [&](const Anchor& anchor) { mark_first_byte(place, anchor); });
    first = last;
  }
  return table;
}

}  // namespace

uint32_t AnchorBuilder::ask(const std::vector<Literal>& literals) {
  if (literals.empty()) {
    return no_index;
  }
  const std::vector<Anchor> anchors = anchors_of(literals);
  std::string key;
  for (const Anchor& anchor : anchors) {
    for (const uint32_t number : {anchor.offset, anchor.is_nocase ? 1u : 0u, anchor.rule.rule,
                                  static_cast<uint32_t>(anchor.bytes.size())}) {
      key.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    key += anchor.bytes;
  }
  const auto [at, is_new] =
      known_.try_emplace(std::move(key), static_cast<uint32_t>(tables_.anchors.size()));
  if (is_new) {
    tables_.anchors.push_back(made(anchors));
  }
  return at->second;
}

}  // namespace shrike::rule
