#pragma once
#include <vector>

#include "record.h"

namespace shrike::capture {

/// The block format. Source: draft-ietf-opsawg-pcapng-02, sections 3 and 4 and appendix A (the
/// obsolete Packet Block). Blocks of other types are skipped.
class PcapngFormat {
 public:
  static constexpr size_t magic_bytes = 4;
  [[nodiscard]] static bool is_magic(const uint8_t* first) noexcept;

  Outcome next(ByteWindow& window, Record& record) noexcept;
  [[nodiscard]] const FormatFault& fault() const noexcept { return fault_; }

 private:
  /// Interfaces of one section; more than anyone has, yet hostile files stay bounded.
  static constexpr size_t interfaces_max = 65536;

  struct Interface {
    uint32_t link_number = 0;
    uint32_t snap_bytes = 0;  ///< 0: no limit
    uint8_t resolution = 6;   ///< if_tsresol
    int64_t offset_seconds = 0;
    /// Where a time stamp is below ticks_max, ns = ticks * nanoseconds_a_tick exactly.
    uint64_t nanoseconds_a_tick = 1000;
    uint64_t ticks_max = 0;
  };
  struct Block {
    uint32_t type = 0;
    uint32_t bytes = 0;  ///< all of it, as its header says
  };
  /// Where a packet block keeps its frame.
  struct PacketPlace {
    uint32_t header_bytes = 0;
    uint32_t captured = 0;
    uint32_t wire = 0;
    uint32_t interface = 0;
    uint64_t time_ns = 0;
  };

  Outcome begin_block(ByteWindow& window, Block& block) noexcept;
  Outcome finish_block(ByteWindow& window) noexcept;
  Outcome read_section(ByteWindow& window, Block& block) noexcept;
  Outcome read_interface(ByteWindow& window, const Block& block) noexcept;
  void read_interface_options(ByteReader options, Interface& interface) const noexcept;
  Outcome read_packet(ByteWindow& window, const Block& block, Record& record) noexcept;
  Outcome locate_packet(ByteWindow& window, const Block& block, PacketPlace& place) noexcept;
  /// Makes `bytes` of the block at hand available; a block that is too small for them is a fault.
  Outcome need(ByteWindow& window, const Block& block, uint32_t bytes) noexcept;
  [[nodiscard]] static uint64_t to_nanoseconds(uint64_t ticks, const Interface& interface) noexcept;
  Outcome broken(const ByteWindow& window, std::string_view why) noexcept;
  Outcome stopped(const ByteWindow& window, ReadStatus status) noexcept;

  FileOrder order_;
  bool is_in_section_ = false;
  std::vector<Interface> interfaces_;
  uint64_t last_time_ns_ = 0;     ///< Simple Packet Blocks carry no time: they take this
  uint64_t rest_bytes_ = 0;       ///< of the block before that are still to be skipped
  uint32_t trailer_expects_ = 0;  ///< its length again, in its last four bytes
  FormatFault fault_;
};

}  // namespace shrike::capture
