#pragma once
#include "addresses.h"
#include "ast.h"
#include "builder.h"
#include "ports.h"

namespace shrike::rule {

/// Reads what stands before the options: action, protocol and hook, addresses, ports, direction.
/// One for all rules, for equal addresses and ports are read once.
class HeaderReader {
 public:
  explicit HeaderReader(const Options& options)
      : addresses_(options.address_groups), ports_(options.port_groups) {}

  /// Fills rule.header and rule.info.action; every fault is reported.
  void read(const RuleNode& node, Builder& builder);

 private:
  AddressReader addresses_;
  PortReader ports_;
};

/// The IP protocols over which flows of an application protocol come.
std::bitset<256> transports_of(AppProtocol protocol);

}  // namespace shrike::rule
