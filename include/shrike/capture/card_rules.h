#pragma once
#include <array>
#include <cstdint>

#include "shrike/model/address.h"

namespace shrike::capture {

/// One direction of a flow, as a network card can tell its packets. Not of tunnels or fragments.
struct CardTuple {
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;
  uint16_t target_port = 0;
  uint8_t ip_version = 4;
  uint8_t protocol = 0;   ///< TCP or UDP
  bool has_vlan = false;  ///< of one tag; none: without tags
  uint16_t vlan_id = 0;
};

/// One port's rules to drop flows before they cost anything (rte_flow). Every call may take the
/// card's firmware milliseconds: cold, one thread.
class CardRules {
 public:
  /// The port's own name of a rule; null: none.
  using Rule = void*;

  CardRules() = default;
  CardRules(const CardRules&) = delete;
  CardRules& operator=(const CardRules&) = delete;
  virtual ~CardRules() = default;

  /// From now on the port drops such packets; beginnings and ends of TCP connections still come
  /// where the card can tell them. @return null where the card refuses.
  virtual Rule install(const CardTuple& tuple) noexcept = 0;
  virtual void remove(Rule rule) noexcept = 0;
  /// What a rule dropped since it was installed. @return false where the card does not count.
  virtual bool count(Rule rule, uint64_t& packets, uint64_t& bytes) noexcept = 0;
};

}  // namespace shrike::capture
