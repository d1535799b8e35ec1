#pragma once
#include <string>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/model/app_protocol.h"

namespace shrike::protocol {

/// What is counted for each protocol; names are those of EVE stats.
enum class ProtocolCounter : uint8_t {
  flows,            ///< app_layer.flow.<protocol>
  transactions,     ///< app_layer.tx.<protocol>
  gap_errors,       ///< app_layer.error.<protocol>.gap
  memory_errors,    ///< … .alloc: data that the pools had no room for
  parser_errors,    ///< … .parser: the parser gave up
  internal_errors,  ///< … .internal: a bound of the engine was reached
  count_,
};

/// The counters of one core's parsers, which another thread may read (CounterView::value). A
/// protocol that runs over TCP and UDP has one set of each, told apart by _tcp and _udp as in
/// Suricata.
class ProtocolCounters {
 public:
  ProtocolCounters();
  void add(AppProtocol protocol, bool is_udp, ProtocolCounter counter, uint64_t by = 1) noexcept {
    const uint16_t first = first_[static_cast<size_t>(protocol)][is_udp ? 1 : 0];
    if (first != 0) {
      relaxed::add(values_[first + static_cast<size_t>(counter)], by);
    }
  }
  void add_failed(bool is_udp) noexcept { relaxed::add(values_[is_udp ? 1 : 0], 1); }
  void set_expectations(uint64_t count) noexcept { relaxed::store(values_[2], count); }
  void add_encrypted(uint64_t bytes) noexcept { relaxed::add(values_[3], bytes); }
  [[nodiscard]] CounterView view() const noexcept;

 private:
  std::array<std::array<uint16_t, 2>, static_cast<size_t>(AppProtocol::count_)> first_{};
  std::vector<uint64_t> values_;
};

}  // namespace shrike::protocol
