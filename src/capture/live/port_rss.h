#pragma once
#include <array>
#include <cstdint>
#include <string>

struct rte_eth_conf;
struct rte_eth_dev_info;

namespace shrike::capture {

/// How a port spreads packets over its queues, and whether that is what the owner table says
/// (model/owner.h): the Toeplitz hash of both addresses under the symmetric key, bucket by bucket.
class PortRss {
 public:
  /// Asks for it in `conf`, as far as the port offers it. @param with_hash_types false: ask for
  /// queues only, because the driver refused the rest.
  static void request(const rte_eth_dev_info& info, uint16_t queues, bool with_hash_types,
                      rte_eth_conf& conf) noexcept;

  /// Writes the redirection table of a started port and reads everything back.
  /// @param workers  each has the queue of its own number.
  /// @param says     what was found, in words.
  /// @return whether every known tuple, both ways, goes to the queue of the worker that owns it.
  static bool check(uint16_t port, const rte_eth_dev_info& info, uint16_t queues, uint32_t workers,
                    std::string& says);
};

}  // namespace shrike::capture
