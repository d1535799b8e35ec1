#include "backend/fast_pattern.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace shrike::rule {

namespace {

/// Where a content may begin to be searched and where its end may lie.
struct Window {
  int64_t start_first = 0;
  int64_t end_last = INT64_MAX;
};

bool is_variable(const std::optional<Operand>& operand) noexcept {
  return operand && operand->variable >= 0;
}

int64_t literal(const std::optional<Operand>& operand) noexcept {
  return operand ? operand->literal : 0;
}

int64_t plus(int64_t end, int64_t by) noexcept {
  return end == INT64_MAX ? end : end + by;
}

/// The window of a content without distance or within.
Window absolute_window(const Content& content) noexcept {
  Window window;
  if (content.starts_with) {
    window.end_last = static_cast<int64_t>(content.bytes.size());
    return window;
  }
  if (is_variable(content.offset) || is_variable(content.depth)) {
    return window;
  }
  window.start_first = literal(content.offset);
  if (content.depth) {
    window.end_last = literal(content.offset) + literal(content.depth);
  }
  return window;
}

/// The window of a content behind another one whose end lies in `before`: (first, last) end.
Window relative_window(const Content& content, const Window& before) noexcept {
  Window window;
  if (is_variable(content.distance) || is_variable(content.within) || is_variable(content.offset) ||
      is_variable(content.depth)) {
    return window;
  }
  const int64_t distance = literal(content.distance);
  window.start_first =
      std::max({before.start_first + distance, literal(content.offset), int64_t{0}});
  // An end before the buffer's start is no bound at all: Suricata's unsigned sum wraps around.
  const bool wraps = before.start_first + distance + literal(content.within) < 0;
  if (content.within && !wraps) {
    window.end_last = plus(before.end_last, distance + literal(content.within));
  }
  if (content.depth) {
    // Counted from the end of the content before where both kinds are mixed.
    window.end_last = std::min(
        window.end_last, plus(before.end_last, literal(content.offset) + literal(content.depth)));
  }
  return window;
}

struct Candidate {
  const Content* content = nullptr;
  const Buffer* buffer = nullptr;  ///< null: the payload
  uint8_t rank = 0;                ///< lower first
  Window window;
};

/// Where the match before ends: start_first the least, end_last the greatest end.
using Cursor = Window;

/// Adds the contents of a buffer with their windows. A check that moves the cursor otherwise leaves
/// nothing known for those that are relative to it.
void add_candidates(const Buffer& buffer, Cursor& cursor, std::vector<Candidate>& all) {
  const bool is_payload = buffer.field == Field::payload;
  for (const BufferCheck& check : buffer.checks) {
    const auto* const content = std::get_if<Content>(&check);
    if (content == nullptr) {
      const bool moves =
          std::holds_alternative<Pcre>(check) || std::holds_alternative<ByteJump>(check) ||
          std::holds_alternative<ByteExtract>(check) || std::holds_alternative<ByteMath>(check);
      cursor = moves ? Cursor{} : cursor;
      continue;
    }
    const bool is_relative = content->distance || content->within;
    const Window window =
        is_relative ? relative_window(*content, cursor) : absolute_window(*content);
    all.push_back({content, is_payload ? nullptr : &buffer,
                   row_of(buffer.field).fast_pattern_priority, window});
    if (!content->is_negated) {
      const auto length = static_cast<int64_t>(content->bytes.size());
      cursor = {window.start_first + length, window.end_last};
    }
  }
}

/// A rule that holds without its buffer cannot be found by what is in it.
bool can_be_absent(const Buffer& buffer) {
  return std::any_of(buffer.checks.begin(), buffer.checks.end(), [](const BufferCheck& check) {
    return std::holds_alternative<Absent>(check);
  });
}

/// Buffers that have a place of their own to look for literals. Those of packet headers do not: a
/// rule is found by another literal, or always tried.
bool has_databases(const Buffer& buffer) noexcept {
  switch (buffer.field) {
    case Field::ipv4_hdr:
    case Field::ipv6_hdr:
    case Field::tcp_hdr:
    case Field::udp_hdr:
    case Field::icmpv4_hdr:
    case Field::icmpv6_hdr:
    case Field::ip_src:
    case Field::ip_dst:
    case Field::ether_hdr:
    case Field::igmp_hdr:
    case Field::sctp_hdr:
    case Field::sctp_chunk_data:
    case Field::frame:
      return false;
    default:
      return row_of(buffer.field).fast_pattern_priority != 0;
  }
}

/// Of a whole transaction the direction that comes first, else any (Suricata: "=>").
bool is_wanted(const Rule& rule, const Buffer& buffer) {
  if (!rule.header.is_transactional) return true;
  const auto is_to_server = [](const Buffer& each) {
    return row_of(each.field).directions == FieldDirections::to_server;
  };
  return is_to_server(buffer) ||
         std::none_of(rule.buffers.begin(), rule.buffers.end(), is_to_server);
}

/// All contents by which the rule can be found. Those of the payload share one cursor, whatever
/// stands between them.
std::vector<Candidate> candidates_of(const Rule& rule) {
  std::vector<Candidate> all;
  Cursor payload;
  for (const Buffer& buffer : rule.buffers) {
    if (buffer.field == Field::payload) {
      add_candidates(buffer, payload, all);
    } else if (has_databases(buffer) && !can_be_absent(buffer) && is_wanted(rule, buffer)) {
      Cursor own;
      add_candidates(buffer, own, all);
    }
  }
  return all;
}

bool is_better(const Candidate& first, const Candidate& second) noexcept {
  if (first.rank != second.rank) {
    return first.rank < second.rank;
  }
  const Content& one = *first.content;
  const Content& other = *second.content;
  if (one.bytes.size() != other.bytes.size()) {
    return one.bytes.size() > other.bytes.size();
  }
  return pattern_strength(one.bytes) > pattern_strength(other.bytes);
}

/// How many bytes to leave off the end of a literal. Hyperscan 5.4.0 misses literals that end in 34
/// and more of the same byte (found with contents of ET Open: measured over 11,480 of them).
int64_t excess_of_run(std::string_view literal) noexcept {
  constexpr size_t run_bytes_max = 16;
  const auto lower = [](char each) { return std::tolower(static_cast<uint8_t>(each)); };
  const auto other = std::find_if(literal.rbegin(), literal.rend(),
                                  [&](char each) { return lower(each) != lower(literal.back()); });
  const auto run = static_cast<size_t>(other - literal.rbegin());
  return static_cast<int64_t>(run - std::min(run, run_bytes_max));
}

FastPattern made(const Candidate& chosen, const Rule& rule) {
  const Content& content = *chosen.content;
  FastPattern result;
  result.content = &content;
  result.buffer = chosen.buffer;
  result.in_streams = rule.needs_stream || rule.kind == RuleKind::packet_and_stream;
  result.in_packets = rule.needs_packet || !rule.needs_stream;
  result.is_nocase = content.is_nocase;
  const auto length = static_cast<int64_t>(content.bytes.size());
  int64_t first = 0;
  int64_t taken = length;
  if (content.fast_pattern_slice) {
    first = content.fast_pattern_slice->first;
    taken = content.fast_pattern_slice->second;
  }
  taken -= excess_of_run(std::string_view(content.bytes)
                             .substr(static_cast<size_t>(first), static_cast<size_t>(taken)));
  result.bytes = content.bytes.substr(static_cast<size_t>(first), static_cast<size_t>(taken));
  const int64_t behind = length - first - taken;
  result.end_first = static_cast<uint32_t>(
      std::clamp<int64_t>(chosen.window.start_first + first + taken, 0, INT32_MAX));
  if (chosen.window.end_last != INT64_MAX) {
    result.end_last =
        static_cast<uint32_t>(std::clamp<int64_t>(chosen.window.end_last - behind, 0, INT32_MAX));
  }
  return result;
}

}  // namespace

uint32_t pattern_strength(std::string_view pattern) noexcept {
  std::array<bool, 256> seen{};
  uint32_t strength = 0;
  for (const char each : pattern) {
    const auto byte = static_cast<uint8_t>(each);
    if (seen[byte]) {
      strength += 1;
      continue;
    }
    seen[byte] = true;
    if (std::isalpha(byte) != 0) {
      strength += 3;
    } else if (std::isprint(byte) != 0 || byte == 0x00 || byte == 0x01 || byte == 0xff) {
      strength += 4;
    } else {
      strength += 6;
    }
  }
  return strength;
}

std::optional<FastPattern> choose_fast_pattern(const Rule& rule) {
  const std::vector<Candidate> all = candidates_of(rule);
  const Candidate* best = nullptr;
  for (const Candidate& candidate : all) {
    if (candidate.content->is_negated) {
      continue;
    }
    if (candidate.content->is_fast_pattern) {
      return made(candidate, rule);
    }
    if (best == nullptr || is_better(candidate, *best)) {
      best = &candidate;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  return made(*best, rule);
}

}  // namespace shrike::rule
