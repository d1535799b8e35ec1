#include "port_rss.h"

#include <fmt/format.h>
#include <rte_ethdev.h>
#include <rte_thash.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "shrike/base/hex_text.h"
#include "shrike/model/owner.h"

namespace shrike::capture {

namespace {

constexpr size_t key_bytes_max = 64;
constexpr uint8_t usual_key_bytes = 40;
constexpr uint16_t reta_entries_max = 1024;
constexpr uint32_t known_tuples = 1024;

/// The addresses alone: ports would spread what two hosts say to each other over several queues.
constexpr uint64_t address_hash_types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
                                        RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 |
                                        RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;
/// Not asked for: with it, a port takes the addresses that IPv6's routing and destination options
/// name, where the owner table takes the header's. Drivers that cannot tell the two apart may say
/// it all the same.
constexpr uint64_t tolerated_hash_types = address_hash_types | RTE_ETH_RSS_IPV6_EX;
/// What some ports offer only: then ports are hashed too, and software steers.
constexpr uint64_t any_hash_types = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

using Key = std::array<uint8_t, key_bytes_max>;

/// Woo and Park's symmetric key, see model/owner.h.
constexpr Key symmetric_key = [] {
  Key key{};
  for (size_t i = 0; i < key.size(); i += 2) {
    key[i] = 0x6d;
    key[i + 1] = 0x5a;
  }
  return key;
}();

uint64_t wanted_hash_types(const rte_eth_dev_info& info) noexcept {
  const uint64_t offered = info.flow_type_rss_offloads;
  const bool has_addresses = (offered & RTE_ETH_RSS_IPV4) != 0 && (offered & RTE_ETH_RSS_IPV6) != 0;
  return offered & (has_addresses ? address_hash_types : any_hash_types);
}

using Reta = std::vector<rte_eth_rss_reta_entry64>;

Reta make_reta(uint16_t entries) {
  Reta reta((entries + RTE_ETH_RETA_GROUP_SIZE - 1) / RTE_ETH_RETA_GROUP_SIZE);
  for (rte_eth_rss_reta_entry64& group : reta) {
    std::memset(&group, 0, sizeof group);
    group.mask = ~uint64_t{0};
  }
  return reta;
}

uint16_t& reta_entry(Reta& reta, uint32_t index) {
  return reta[index / RTE_ETH_RETA_GROUP_SIZE].reta[index % RTE_ETH_RETA_GROUP_SIZE];
}

/// The owner table, repeated to the size that the port has.
bool write_reta(uint16_t port, uint16_t entries, uint16_t queues) {
  Reta reta = make_reta(entries);
  for (uint32_t i = 0; i < entries; ++i) {
    reta_entry(reta, i) = static_cast<uint16_t>(i % OwnerTable::buckets % queues);
  }
  return rte_eth_dev_rss_reta_update(port, reta.data(), entries) == 0;
}

uint32_t hash_as_the_port(uint32_t source, uint32_t target, const Key& key) {
  uint32_t tuple[2] = {source, target};
  return rte_softrss(tuple, 2, key.data());
}

/// A datagram of two IPv4 hosts, for the owner table.
Datagram datagram_of(uint32_t source, uint32_t target) {
  Datagram datagram;
  datagram.ip_version = 4;
  for (unsigned i = 0; i < 4; ++i) {
    datagram.source.bytes[i] = static_cast<uint8_t>(source >> (24 - 8 * i));
    datagram.target.bytes[i] = static_cast<uint8_t>(target >> (24 - 8 * i));
  }
  return datagram;
}

/// As much of the key that the driver says it has as it hashes with, in hexadecimal digits.
std::string key_text(const Key& key, const rte_eth_dev_info& info) {
  const size_t bytes = info.hash_key_size != 0 ? info.hash_key_size : usual_key_bytes;
  return hex_text(Bytes(key.data(), std::min(bytes, key.size())));
}

/// How many of the known tuples go, in either direction, to another queue than their owner's.
uint32_t misdirected_tuples(const Key& key, Reta& reta, uint16_t entries, uint32_t workers) {
  const OwnerTable owners(workers);
  uint32_t misdirected = 0;
  for (uint32_t i = 0; i < known_tuples; ++i) {
    const uint32_t source = 0x0a000000U + i * 2654435761U % 0xffffffU;
    const uint32_t target = 0xc0a80000U + i * 40503U % 0xffffU;
    const uint32_t owner = owners.owner_of(datagram_of(source, target));
    const uint16_t there = reta_entry(reta, hash_as_the_port(source, target, key) % entries);
    const uint16_t back = reta_entry(reta, hash_as_the_port(target, source, key) % entries);
    misdirected += there != owner || back != owner ? 1 : 0;
  }
  return misdirected;
}

}  // namespace

void PortRss::request(const rte_eth_dev_info& info, uint16_t queues, bool with_hash_types,
                      rte_eth_conf& conf) noexcept {
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  conf.rx_adv_conf.rss_conf = {};
  const uint64_t types = wanted_hash_types(info);
  if (queues < 2 || !with_hash_types || types == 0) {
    return;
  }
  static Key key = symmetric_key;  // ethdev wants it writable
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf.rx_adv_conf.rss_conf.rss_key = key.data();
  conf.rx_adv_conf.rss_conf.rss_key_len =
      info.hash_key_size != 0 ? info.hash_key_size : usual_key_bytes;
  conf.rx_adv_conf.rss_conf.rss_hf = types;
}

bool PortRss::check(uint16_t port, const rte_eth_dev_info& info, uint16_t queues, uint32_t workers,
                    std::string& says) {
  if (queues == 1 && workers == 1) {
    says = "one queue, one worker";
    return true;
  }
  Key key{};
  rte_eth_rss_conf found{};
  found.rss_key = key.data();
  found.rss_key_len = key_bytes_max;
  const bool is_told = rte_eth_dev_rss_hash_conf_get(port, &found) == 0;
  if (!is_told || found.rss_hf == 0) {
    says = "the driver does not hash; workers hand packets over to each other";
    return false;
  }
  if ((found.rss_hf & ~tolerated_hash_types) != 0) {
    says = fmt::format(
        "the driver hashes ports too (types 0x{:x}); workers hand packets over to "
        "each other",
        static_cast<uint64_t>(found.rss_hf));
    return false;
  }
  const uint16_t entries = info.reta_size;
  if (entries == 0 || entries > reta_entries_max || queues != workers ||
      !write_reta(port, entries, queues)) {
    says = fmt::format(
        "no redirection table for {} queues and {} workers; workers hand packets "
        "over to each other",
        queues, workers);
    return false;
  }
  Reta reta = make_reta(entries);
  if (rte_eth_dev_rss_reta_query(port, reta.data(), entries) != 0) {
    says = "the redirection table cannot be read back; workers hand packets over to each other";
    return false;
  }
  const uint32_t misdirected = misdirected_tuples(key, reta, entries, workers);
  says = misdirected == 0
             ? fmt::format(
                   "symmetric hash of addresses (types 0x{:x}, key {}), table of {} read back; {} "
                   "known tuples both ways",
                   static_cast<uint64_t>(found.rss_hf), key_text(key, info), entries, known_tuples)
             : fmt::format(
                   "{} of {} known tuples go astray: the driver kept another key or table; "
                   "workers hand packets over to each other",
                   misdirected, known_tuples);
  return misdirected == 0;
}

}  // namespace shrike::capture
