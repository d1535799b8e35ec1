#include <algorithm>

#include "identify.h"

namespace shrike::protocol {

namespace {

constexpr uint8_t lower(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte | 0x20) : byte;
}

}  // namespace

void PatternTable::add(const Pattern& pattern, AppProtocol protocol) {
  entries_.push_back({&pattern, protocol});
  depth_max_ = std::max(depth_max_, pattern.depth);
  if (pattern.confirms != nullptr) {
    confirm_bytes_max_ = std::max({confirm_bytes_max_, pattern.depth, pattern.bytes_min});
  }
}

void PatternTable::build() {
  std::array<std::vector<uint16_t>, 256> buckets;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Pattern& pattern = *entries_[i].pattern;
    if (pattern.text.empty()) {
      continue;
    }
    const auto first = static_cast<uint8_t>(pattern.text[0]);
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool same =
          pattern.is_nocase ? lower(static_cast<uint8_t>(byte)) == lower(first) : byte == first;
      if (same) {
        buckets[byte].push_back(static_cast<uint16_t>(i));
      }
    }
  }
  candidates_.clear();
  for (size_t byte = 0; byte < 256; ++byte) {
    first_[byte] = static_cast<uint16_t>(candidates_.size());
    candidates_.insert(candidates_.end(), buckets[byte].begin(), buckets[byte].end());
  }
  first_[256] = static_cast<uint16_t>(candidates_.size());
}

bool PatternTable::is_at(const Pattern& pattern, Bytes bytes, size_t position) noexcept {
  const size_t length = pattern.text.size();
  if (position < pattern.offset || position + length > pattern.depth ||
      position + length > bytes.size()) {
    return false;
  }
  for (size_t i = 0; i < length; ++i) {
    const auto wanted = static_cast<uint8_t>(pattern.text[i]);
    const uint8_t actual = bytes[position + i];
    if (actual != wanted && !(pattern.is_nocase && lower(actual) == lower(wanted))) {
      return false;
    }
  }
  return true;
}

bool PatternTable::confirm(const Entry& entry, Bytes bytes, Direction direction,
                           Identified& identified) noexcept {
  const Pattern& pattern = *entry.pattern;
  // A pattern counts only when its whole depth is there, found or not, as Suricata has it.
  if (pattern.depth > bytes.size()) {
    return false;
  }
  bool is_reversed = pattern.direction != direction;
  if (pattern.confirms != nullptr) {
    is_reversed = false;
    if (bytes.size() < pattern.bytes_min || !pattern.confirms(bytes, direction, is_reversed)) {
      return false;
    }
  }
  identified = {entry.protocol, is_reversed};
  return true;
}

PatternTable::Result PatternTable::look(Bytes bytes, Direction direction,
                                        AppProtocol other) const noexcept {
  const size_t searched = std::min<size_t>(bytes.size(), depth_max_);
  Result result;
  bool has_hit = false;
  for (size_t position = 0; position < searched; ++position) {
    const uint8_t byte = bytes[position];
    for (size_t at = first_[byte]; at < first_[byte + size_t{1}]; ++at) {
      const Entry& entry = entries_[candidates_[at]];
      if (!is_at(*entry.pattern, bytes.first(searched), position)) {
        continue;
      }
      has_hit = true;
      const bool suits = entry.pattern->suits == nullptr || entry.pattern->suits(other);
      if (suits && confirm(entry, bytes, direction, result.identified)) {
        result.outcome = Outcome::found;
        return result;
      }
    }
  }
  const size_t enough = has_hit ? confirm_bytes_max_ : depth_max_;
  result.outcome = bytes.size() >= enough ? Outcome::never : Outcome::maybe_later;
  return result;
}

}  // namespace shrike::protocol
