#include "tag_table.h"

namespace shrike::detect {

namespace {

/// A rule may start its tag again this often (Suricata: DETECT_TAG_MATCH_LIMIT).
constexpr uint8_t restarts_max = 10;
/// Hosts that are tagged at once; looked for one by one, as there are hardly ever more than a few.
constexpr uint32_t hosts_max = 256;
constexpr uint64_t nanoseconds_per_second = 1'000'000'000;

}  // namespace

TagTable::TagTable() : tags_(new Tag[limits::tags_max]), hosts_(new Host[hosts_max]) {}

uint32_t TagTable::take() noexcept {
  if (free_ != none) {
    const uint32_t taken = free_;
    free_ = tags_[taken].next;
    ++running_;
    return taken;
  }
  if (unused_ == limits::tags_max) {
    ++refused;
    return none;
  }
  ++running_;
  return unused_++;
}

void TagTable::add(uint32_t& chain, const TagOperation& operation, uint32_t rule,
                   const Datagram& datagram) noexcept {
  const uint64_t now = datagram.time_ns / nanoseconds_per_second;
  uint32_t count = 0;
  for (uint32_t at = chain; at != none; at = tags_[at].next, ++count) {
    Tag& tag = tags_[at];
    if (tag.rule != rule) {
      continue;
    }
    if (++tag.matches < restarts_max) {
      tag.first_seconds = now;
      tag.packets = tag.bytes = 0;
    }
    return;
  }
  const uint32_t fresh = count < limits::tags_per_owner_max ? take() : none;
  if (fresh != none) {
    tags_[fresh] = {chain, rule, operation.metric, false, 1, operation.count, 0, 0, now};
    chain = fresh;
  }
}

TagTable::Host* TagTable::find_host(const IpAddress& address, uint8_t version, bool make) noexcept {
  Host* vacant = nullptr;
  for (uint32_t i = 0; i < host_count_; ++i) {
    Host& host = hosts_[i];
    if (host.tags == none) {
      vacant = &host;
    } else if (host.version == version && host.address == address) {
      return &host;
    }
  }
  if (!make) {
    return nullptr;
  }
  if (vacant == nullptr && host_count_ == hosts_max) {
    ++refused;
    return nullptr;
  }
  vacant = vacant == nullptr ? &hosts_[host_count_++] : vacant;
  *vacant = {address, version, none};
  return vacant;
}

void TagTable::start(const TagOperation& operation, uint32_t rule, const Datagram& datagram,
                     uint32_t* chain) noexcept {
  if (!operation.by_host) {
    if (chain != nullptr) {
      add(*chain, operation, rule, datagram);
    }
    return;
  }
  const IpAddress& address = operation.host_is_target ? datagram.target : datagram.source;
  Host* const host = find_host(address, datagram.ip_version, true);
  if (host != nullptr) {
    add(host->tags, operation, rule, datagram);
  }
}

bool TagTable::advance_chain(uint32_t& chain, const Datagram& datagram) noexcept {
  const uint64_t now = datagram.time_ns / nanoseconds_per_second;
  bool is_tagged = false;
  uint32_t* link = &chain;
  while (*link != none) {
    Tag& tag = tags_[*link];
    tag.packets += 1;
    tag.bytes += datagram.wire_bytes;
    if (!tag.skipped_first) {
      tag.skipped_first = true;
      link = &tag.next;
      continue;
    }
    const uint64_t used = tag.metric == TagOperation::Metric::packets ? tag.packets
                          : tag.metric == TagOperation::Metric::bytes ? tag.bytes
                          : now > tag.first_seconds                   ? now - tag.first_seconds
                                                                      : 0;
    if (used > tag.limit) {
      const uint32_t over = *link;
      *link = tag.next;
      tags_[over].next = free_;
      free_ = over;
      --running_;
      continue;
    }
    is_tagged = true;
    link = &tag.next;
  }
  return is_tagged;
}

bool TagTable::advance(const Datagram& datagram, uint32_t* chain) noexcept {
  bool is_tagged = chain != nullptr && *chain != none && advance_chain(*chain, datagram);
  if (host_count_ != 0 && datagram.ip_version != 0) {
    for (const IpAddress* const address : {&datagram.source, &datagram.target}) {
      Host* const host = find_host(*address, datagram.ip_version, false);
      is_tagged = (host != nullptr && advance_chain(host->tags, datagram)) || is_tagged;
    }
  }
  return is_tagged;
}

void TagTable::release(uint32_t& chain) noexcept {
  while (chain != none) {
    const uint32_t next = tags_[chain].next;
    tags_[chain].next = free_;
    free_ = chain;
    chain = next;
    --running_;
  }
}

void TagTable::clear() noexcept {
  free_ = none;
  unused_ = running_ = host_count_ = 0;
}

}  // namespace shrike::detect
