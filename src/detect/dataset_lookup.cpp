#include "dataset_lookup.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

namespace shrike::detect {

namespace {

using Type = Dataset::Type;

bool has_form(Type type, size_t bytes) noexcept {
  switch (type) {
    case Type::text:
      return true;
    case Type::md5:
      return bytes == 16;
    case Type::sha256:
      return bytes == 32;
    case Type::ipv4:
      return bytes == 4;
    case Type::ip:
      return bytes == 4 || bytes == 16;
  }
  return false;
}

uint64_t hash_of(uint32_t dataset, Bytes key) noexcept {
  return std::hash<std::string_view>{}(as_text(key)) + dataset * uint64_t{0x9e3779b97f4a7c15};
}

}  // namespace

Datasets::Datasets()
    : slots_(new uint32_t[slots]),
      changes_(new Change[changes_max]),
      key_bytes_(new uint8_t[key_bytes_max]) {
  std::fill_n(slots_.get(), slots, none);
}

void Datasets::clear() noexcept {
  if (change_count_ != 0) {
    std::fill_n(slots_.get(), slots, none);
  }
  change_count_ = key_bytes_used_ = 0;
}

bool Datasets::matches(const RuleTables& tables, const DatasetArguments& arguments,
                       Bytes buffer) noexcept {
  using Command = DatasetArguments::Command;
  const Dataset& dataset = tables.datasets[arguments.dataset];
  if (!has_form(dataset.type, buffer.size())) {
    return arguments.command == Command::is_not_set;
  }
  std::array<uint8_t, address_bytes> mapped{};
  if (dataset.type == Type::ip && buffer.size() == 4) {
    mapped[10] = mapped[11] = 0xff;
    std::copy(buffer.begin(), buffer.end(), mapped.begin() + 12);
    buffer = mapped;
  }
  const Found found = find(dataset, arguments.dataset, buffer);
  switch (arguments.command) {
    case Command::is_set:
      return found.is_in;
    case Command::is_not_set:
      return !found.is_in;
    case Command::set:
      if (!found.is_in) {
        change(arguments.dataset, buffer, true);
      }
      return !found.is_in;
    case Command::unset:
      if (found.is_in) {
        change(arguments.dataset, buffer, false);
      }
      return found.is_in;
    case Command::reputation_below:
      return found.is_in && found.reputation < arguments.reputation;
    case Command::reputation_above:
      return found.is_in && found.reputation > arguments.reputation;
    case Command::reputation_equal:
      return found.is_in && found.reputation == arguments.reputation;
  }
  return false;
}

Datasets::Found Datasets::find(const Dataset& dataset, uint32_t number, Bytes key) const noexcept {
  if (dataset.has_changes && change_count_ != 0) {
    const uint32_t slot = slots_[slot_of(number, key, hash_of(number, key))];
    if (slot != none) {
      return {changes_[slot].is_in, 0};
    }
  }
  const auto at = dataset.keys.find(as_text(key));
  return at == dataset.keys.end() ? Found{} : Found{true, at->second};
}

/// The slot that holds the key, or the empty one where it would stand.
uint32_t Datasets::slot_of(uint32_t dataset, Bytes key, uint64_t hash) const noexcept {
  auto slot = static_cast<uint32_t>(hash % slots);
  for (; slots_[slot] != none; slot = (slot + 1) % slots) {
    const Change& each = changes_[slots_[slot]];
    if (each.hash == hash && each.dataset == dataset && each.bytes == key.size() &&
        std::equal(key.begin(), key.end(), key_bytes_.get() + each.bytes_at)) {
      break;
    }
  }
  return slot;
}

void Datasets::change(uint32_t dataset, Bytes key, bool is_in) noexcept {
  const uint64_t hash = hash_of(dataset, key);
  uint32_t& slot = slots_[slot_of(dataset, key, hash)];
  if (slot != none) {
    changes_[slot].is_in = is_in;
    return;
  }
  if (change_count_ == changes_max || key.size() > key_bytes_max - key_bytes_used_) {
    ++refused;
    return;
  }
  std::copy(key.begin(), key.end(), key_bytes_.get() + key_bytes_used_);
  changes_[change_count_] = {hash, dataset, key_bytes_used_, static_cast<uint32_t>(key.size()),
                             is_in};
  key_bytes_used_ += static_cast<uint32_t>(key.size());
  slot = change_count_++;
}

}  // namespace shrike::detect
