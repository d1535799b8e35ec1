#include "host_bits.h"

#include <array>
#include <random>
#include <span>

namespace shrike::output {

uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

namespace {

constexpr uint64_t microseconds = 1'000'000;  // in a second

/// The one or two hosts, or the pair, that a track means.
struct Tracked {
  std::array<Hosts, 2> hosts;
  size_t count = 1;
  bool is_pair = false;
  [[nodiscard]] std::span<const Hosts> all() const noexcept { return {hosts.data(), count}; }
};

Tracked tracked_of(HostBitOperation::Track track, const Hosts& hosts) {
  switch (track) {
    case HostBitOperation::Track::source:
      return {.hosts = {hosts.only_source()}};
    case HostBitOperation::Track::target:
      return {.hosts = {hosts.only_target()}};
    case HostBitOperation::Track::pair:
      return {.hosts = {hosts.ordered()}, .count = 1, .is_pair = true};
    case HostBitOperation::Track::both:
      return {.hosts = {hosts.only_source(), hosts.only_target()}, .count = 2};
  }
  return {};
}

}  // namespace

HostBits::HostBits(size_t bits_max) : bits_(bits_max, KeyHash{random_seed()}) {}

std::vector<HostBits::Operation> HostBits::prepare(
    const std::vector<HostBitOperation>& operations) {
  std::vector<Operation> prepared;
  for (const HostBitOperation& operation : operations) {
    Operation& added = prepared.emplace_back(
        Operation{operation.command, operation.track, {}, operation.expire_seconds});
    for (const std::string& name : operation.names) {
      const auto next = static_cast<uint32_t>(names_.size());
      added.names.push_back(names_.try_emplace(name, next).first->second);
    }
  }
  return prepared;
}

bool HostBits::is_set(const Key& key, uint64_t time_us) {
  const uint64_t* const last_us = bits_.find(key);
  if (last_us == nullptr) {
    return false;
  }
  if (*last_us >= time_us) {
    return true;
  }
  bits_.erase(key);
  return false;
}

bool HostBits::any_is_set(const Operation& operation, const Hosts& hosts, uint64_t time_us) {
  const Tracked tracked = tracked_of(operation.track, hosts);
  for (const uint32_t name : operation.names) {
    for (const Hosts& each : tracked.all()) {
      if (is_set({name, tracked.is_pair, each}, time_us)) {
        return true;
      }
    }
  }
  return false;
}

bool HostBits::conditions_hold(const std::vector<Operation>& operations, const Hosts& hosts,
                               uint64_t time_us) {
  for (const Operation& operation : operations) {
    if (operation.command == HostBitOperation::Command::is_set &&
        !any_is_set(operation, hosts, time_us)) {
      return false;
    }
    if (operation.command == HostBitOperation::Command::is_not_set &&
        any_is_set(operation, hosts, time_us)) {
      return false;
    }
  }
  return true;
}

void HostBits::apply(const std::vector<Operation>& operations, const Hosts& hosts,
                     uint64_t time_us) {
  for (const Operation& operation : operations) {
    const Tracked tracked = tracked_of(operation.track, hosts);
    for (const uint32_t name : operation.names) {
      for (const Hosts& each : tracked.all()) {
        change(operation, {name, tracked.is_pair, each}, time_us);
      }
    }
  }
}

void HostBits::change(const Operation& operation, const Key& key, uint64_t time_us) {
  const bool was_set = is_set(key, time_us);
  const uint64_t last_us = operation.expire_seconds == 0
                               ? UINT64_MAX
                               : time_us + operation.expire_seconds * microseconds;
  switch (operation.command) {
    case HostBitOperation::Command::set:
      if (!was_set) {
        *bits_.find_or_add(key).first = last_us;
      }
      return;
    case HostBitOperation::Command::unset:
      bits_.erase(key);
      return;
    case HostBitOperation::Command::toggle:
      if (was_set) {
        bits_.erase(key);
      } else {
        *bits_.find_or_add(key).first = last_us;
      }
      return;
    case HostBitOperation::Command::is_set:
    case HostBitOperation::Command::is_not_set:
      return;
  }
}

}  // namespace shrike::output
