#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "ir.h"
#include "shrike/base/bytes.h"
#include "shrike/model/stream.h"
#include "shrike/model/transaction.h"

namespace shrike::test {

/// Runs rules straight from their IR: no fast patterns, no groups, no programs, recursion instead
/// of a list of retries, one byte at a time. Slow and obvious; the engine must agree with it.
/// It knows the checks that random rules are made of: header, flow, flags, dsize, flow bits,
/// content, pcre, byte_test, byte_jump, byte_extract, isdataat.
class Oracle {
 public:
  explicit Oracle(const std::vector<rule::Rule>& rules) : rules_(rules) {}

  /// Indices of the rules that match one datagram, ascending; flow bits change as they match.
  std::vector<uint32_t> inspect(const Tracked& tracked, std::span<const Chunk> chunks);

  /// Indices of the rules that match a transaction, as it is now, in the datagram's direction for
  /// the first time. Knows fields of whole values, and `absent`.
  std::vector<uint32_t> inspect(const Tracked& tracked, const Transaction& transaction);

  uint32_t recursion_limit = 3000;

 private:
  /// What Suricata's recursive inspection returns: 1, 0, -1.
  enum class Answer : uint8_t { match, no_match, give_up };
  struct Inspection {
    const std::vector<rule::BufferCheck>* checks = nullptr;
    Bytes buffer;
    uint32_t cursor = 0;
    uint32_t calls = 0;
    std::map<int, uint64_t> variables;
  };

  bool matches(const rule::Rule& rule, const Tracked& tracked, std::span<const Chunk> chunks);
  bool header_matches(const rule::Header& header, const Datagram& datagram) const;
  bool packet_check(const rule::PacketCheck& check, const Tracked& tracked);
  bool payload_matches(const rule::Rule& rule, const Tracked& tracked,
                       std::span<const Chunk> chunks);
  bool field_matches(const rule::Buffer& buffer, const Transaction& transaction,
                     Direction direction);
  bool buffer_matches(const std::vector<rule::BufferCheck>& checks, Bytes buffer);
  Answer run(Inspection& inspection, size_t index);
  Answer next(Inspection& inspection, size_t index);
  Answer run_content(Inspection& inspection, size_t index);
  Answer run_pcre(Inspection& inspection, size_t index);
  Answer run_other(Inspection& inspection, size_t index);
  void after_match(const rule::Rule& rule, const Tracked& tracked);

  const std::vector<rule::Rule>& rules_;
  std::map<uint32_t, std::set<std::string>> bits_;             ///< by flow slot
  std::set<std::tuple<uint32_t, uint64_t, Direction>> fired_;  ///< rule, transaction, direction
};

}  // namespace shrike::test
