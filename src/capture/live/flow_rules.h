#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "shrike/capture/card_rules.h"

namespace shrike::capture {

/// A port's rules by DPDK's generic flow API (rte_flow): drop what is of one direction of a flow.
/// What else a rule should do is tried once, on a connection that no wire has (RFC 5737).
class FlowRules final : public CardRules {
 public:
  /// Asks a started port. @return null where it takes no such rule; `says` tells either way.
  static std::unique_ptr<FlowRules> probe(uint16_t port, std::string& says);
  /// Takes all its rules out of the card.
  ~FlowRules() override;

  Rule install(const CardTuple& tuple) noexcept override;
  void remove(Rule rule) noexcept override;
  bool count(Rule rule, uint64_t& packets, uint64_t& bytes) noexcept override;

 private:
  /// What a rule does beside its first duty; bits, the dearest highest.
  enum Wish : unsigned { spares_ends = 1, counts = 2, tells_tags = 4 };

  FlowRules(uint16_t port, unsigned wishes) : port_(port), wishes_(wishes) {}

  const uint16_t port_;
  const unsigned wishes_;
};

}  // namespace shrike::capture
