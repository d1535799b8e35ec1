#include "reputation.h"

#include <algorithm>
#include <tuple>

#include "addresses.h"
#include "words.h"

namespace shrike::rule {

namespace {

constexpr uint8_t category_max = 59;  // Suricata: SREP_MAX_CATS
constexpr uint8_t score_max = 127;    // Suricata: SREP_MAX_VAL

/// Calls `line(word)` for every line that is neither empty nor a comment.
template <typename Visit>
void for_each_line(const Source& source, const Visit& visit) {
  Word rest{source.text, {source.name, 1, 1}};
  while (!rest.empty()) {
    const size_t end = std::min(rest.text.find('\n'), rest.text.size());
    const Word line = rest.part(0, end).trimmed();
    if (!line.empty() && line.text[0] != '#') visit(line);
    const uint32_t next = rest.position.line + 1;
    rest = rest.from(std::min(end + 1, rest.text.size()));
    rest.position = {source.name, next, 1};
  }
}

void read_categories(const Source& source, Reputation& reputation, Diagnostics& diagnostics) {
  for_each_line(source, [&](const Word& line) {
    Word rest = line;
    const auto number = to_number<uint8_t>(rest.take_until(',').text);
    const Word name = rest.take_until(',');
    if (!number || *number > category_max || name.empty()) {
      diagnostics.error(line.position, "reputation",
                        "'{}' is no category; write '<1 to {}>,<name>,<text>'", line.text,
                        category_max);
      return;
    }
    reputation.categories.resize(std::max<size_t>(reputation.categories.size(), *number + 1u));
    reputation.categories[*number] = name.text;
  });
}

void read_list(const Source& source, Reputation& reputation, Diagnostics& diagnostics) {
  for_each_line(source, [&](const Word& line) {
    Word rest = line;
    const auto range = parse_address_range(rest.take_until(',').text);
    const auto category = to_number<uint8_t>(rest.take_until(',').text);
    const auto score = to_number<uint8_t>(rest.trimmed().text);
    const bool is_known = category && *category < reputation.categories.size() &&
                          !reputation.categories[*category].empty();
    if (!range || !is_known || !score || *score > score_max) {
      diagnostics.error(line.position, "reputation",
                        "'{}' is no entry; write '<address or network>,<known category>,<0 to {}>'",
                        line.text, score_max);
      return;
    }
    const Reputation::Entry entry{range->first, range->last, range->version, *category, *score};
    (range->first == range->last ? reputation.hosts : reputation.networks).push_back(entry);
  });
}

/// How many leading bits the ends of a network share.
unsigned prefix_of(const Reputation::Entry& entry) {
  unsigned bits = 0;
  for (size_t i = 0; i < entry.first.bytes.size(); ++i) {
    unsigned differing = entry.first.bytes[i] ^ entry.last.bytes[i];
    if (differing == 0) {
      bits += 8;
      continue;
    }
    while ((differing & 0x80) == 0) {
      ++bits;
      differing <<= 1;
    }
    break;
  }
  return bits;
}

}  // namespace

Reputation read_reputation(const std::optional<Source>& categories,
                           const std::vector<Source>& lists, Diagnostics& diagnostics) {
  Reputation reputation;
  if (categories) read_categories(*categories, reputation, diagnostics);
  for (const Source& list : lists) read_list(list, reputation, diagnostics);
  std::stable_sort(reputation.hosts.begin(), reputation.hosts.end(),
                   [](const Reputation::Entry& one, const Reputation::Entry& other) {
                     return std::tie(one.version, one.first, one.category) <
                            std::tie(other.version, other.first, other.category);
                   });
  std::stable_sort(reputation.networks.begin(), reputation.networks.end(),
                   [](const Reputation::Entry& one, const Reputation::Entry& other) {
                     return prefix_of(one) > prefix_of(other);
                   });
  return reputation;
}

}  // namespace shrike::rule
