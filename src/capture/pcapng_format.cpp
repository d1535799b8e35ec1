#include "pcapng_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace shrike::capture {

namespace {

constexpr uint32_t type_section = 0x0a0d0d0a;  // the same in both byte orders
constexpr uint32_t type_interface = 1;
constexpr uint32_t type_obsolete_packet = 2;
constexpr uint32_t type_simple_packet = 3;
constexpr uint32_t type_enhanced_packet = 6;
constexpr uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr uint32_t block_header_bytes = 8;
constexpr uint32_t block_trailer_bytes = 4;
constexpr uint32_t block_bytes_min = block_header_bytes + block_trailer_bytes;
/// An interface's options above this are not looked at: real ones are a few hundred bytes.
constexpr uint32_t interface_bytes_max = 65536;
constexpr uint16_t option_resolution = 9;
constexpr uint16_t option_offset = 14;
constexpr uint64_t nanoseconds_a_second = 1'000'000'000;
/// Times above, in the year 2262, would not fit in 63 bits of nanoseconds.
constexpr int64_t seconds_max = 9'223'372'035;

struct Split {
  uint64_t seconds = 0;
  uint64_t nanoseconds = 0;
};

uint64_t power_of_ten(unsigned exponent) {
  uint64_t power = 1;
  for (; exponent > 0; --exponent) {
    power *= 10;
  }
  return power;
}

/// @param resolution if_tsresol: ticks are 2^-n seconds where the top bit is set, else 10^-n.
Split split_ticks(uint64_t ticks, uint8_t resolution) {
  const unsigned exponent = resolution & 0x7fU;
  if (resolution != exponent) {
    constexpr unsigned bits_max = 34;  // a 34-bit fraction times 10^9 fits in 64 bits
    const unsigned bits = std::min(exponent, bits_max);
    const unsigned surplus = exponent - bits;
    if (exponent >= 64) {
      return {};
    }
    const uint64_t fraction = (ticks & ((uint64_t{1} << exponent) - 1)) >> surplus;
    return {ticks >> exponent, fraction * nanoseconds_a_second >> bits};
  }
  constexpr unsigned digits_max = 19;  // 10^19 fits in 64 bits, 10^20 does not
  if (exponent > digits_max) {
    return {};
  }
  const uint64_t unit = power_of_ten(exponent);
  const uint64_t rest = ticks % unit;
  return {ticks / unit,
          exponent <= 9 ? rest * power_of_ten(9 - exponent) : rest / power_of_ten(exponent - 9)};
}

}  // namespace

bool PcapngFormat::is_magic(const uint8_t* first) noexcept {
  return load_little32(first) == type_section;
}

Outcome PcapngFormat::next(ByteWindow& window, Record& record) noexcept {
  for (;;) {
    Block block;
    Outcome outcome = begin_block(window, block);
    if (outcome != Outcome::record) {
      return outcome;
    }
    if (!is_in_section_ && block.type != type_section) {
      return broken(window, "comes before any section header");
    }
    switch (block.type) {
      case type_enhanced_packet:
      case type_simple_packet:
      case type_obsolete_packet:
        return read_packet(window, block, record);
      case type_section:
        outcome = read_section(window, block);
        break;
      case type_interface:
        outcome = read_interface(window, block);
        break;
      default:
        break;
    }
    if (outcome != Outcome::record) {
      return outcome;
    }
    rest_bytes_ = block.bytes;
    trailer_expects_ = block.bytes;
  }
}

/// Leaves the block before, and shows the header of the next one.
Outcome PcapngFormat::begin_block(ByteWindow& window, Block& block) noexcept {
  if (rest_bytes_ != 0) {
    const Outcome outcome = finish_block(window);
    if (outcome != Outcome::record) {
      return outcome;
    }
  }
  const ReadStatus status = window.need(block_header_bytes);
  if (status != ReadStatus::ok) [[unlikely]] {
    return stopped(window, status);
  }
  block.type = order_.load32(window.data());
  block.bytes = order_.load32(window.data() + 4);
  if (block.type == type_section) {
    return Outcome::record;  // its byte order, so its length, is not known yet
  }
  if (block.bytes < block_bytes_min || block.bytes % 4 != 0) [[unlikely]] {
    return broken(window, fmt::format("claims a length of {} bytes", block.bytes));
  }
  return Outcome::record;
}

/// Skips what is left of a block, however long, and checks the length at its end.
Outcome PcapngFormat::finish_block(ByteWindow& window) noexcept {
  while (rest_bytes_ > block_trailer_bytes) {
    const ReadStatus status = window.need(1);
    if (status != ReadStatus::ok) {
      return stopped(window, status);
    }
    const uint64_t skipped = std::min<uint64_t>(rest_bytes_ - block_trailer_bytes, window.left());
    window.skip(skipped);
    rest_bytes_ -= skipped;
  }
  const ReadStatus status = window.need(block_trailer_bytes);
  if (status != ReadStatus::ok) {
    return stopped(window, status);
  }
  if (order_.load32(window.data()) != trailer_expects_) {
    fault_ = {"capture-block",
              fmt::format("the block that ends at byte {} has another length there than at its "
                          "beginning; nothing behind it was read",
                          window.offset() + block_trailer_bytes)};
    return Outcome::fault;
  }
  window.skip(block_trailer_bytes);
  rest_bytes_ = 0;
  return Outcome::record;
}

Outcome PcapngFormat::need(ByteWindow& window, const Block& block, uint32_t bytes) noexcept {
  if (block.bytes < bytes + block_trailer_bytes) {
    return broken(window,
                  fmt::format("claims a length of {} bytes, too few for its type", block.bytes));
  }
  const ReadStatus status = window.need(bytes);
  return status == ReadStatus::ok ? Outcome::record : stopped(window, status);
}

/// Learns byte order and length of a section, which its header alone tells.
Outcome PcapngFormat::read_section(ByteWindow& window, Block& block) noexcept {
  constexpr uint32_t fixed_bytes = 24;
  const ReadStatus status = window.need(fixed_bytes);
  if (status != ReadStatus::ok) {
    return stopped(window, status);
  }
  const uint8_t* const header = window.data();
  const bool is_big_endian = load_big32(header + 8) == byte_order_magic;
  if (!is_big_endian && load_little32(header + 8) != byte_order_magic) {
    return broken(window, "is a section header without a byte order mark");
  }
  order_ = FileOrder(is_big_endian);
  const uint32_t bytes = order_.load32(header + 4);
  if (bytes < fixed_bytes + block_trailer_bytes || bytes % 4 != 0) {
    return broken(window, fmt::format("claims a length of {} bytes", bytes));
  }
  if (order_.load16(header + 12) != 1) {
    return broken(window,
                  fmt::format("has major version {}; 1 is known", order_.load16(header + 12)));
  }
  block.bytes = bytes;
  interfaces_.clear();
  is_in_section_ = true;
  return Outcome::record;
}

Outcome PcapngFormat::read_interface(ByteWindow& window, const Block& block) noexcept {
  constexpr uint32_t fixed_bytes = 16;
  const uint32_t seen = std::min(block.bytes - block_trailer_bytes, interface_bytes_max);
  const Outcome outcome = need(window, block, std::max(seen, fixed_bytes));
  if (outcome != Outcome::record) {
    return outcome;
  }
  if (interfaces_.size() == interfaces_max) {
    return broken(window, fmt::format("is the section's interface {}; the limit is {}",
                                      interfaces_max + 1, interfaces_max));
  }
  const uint8_t* const header = window.data();
  Interface interface {
    .link_number = order_.load16(header + 8), .snap_bytes = order_.load32(header + 12)
  };
  read_interface_options(ByteReader({header + fixed_bytes, seen - fixed_bytes}), interface);
  const bool is_decimal = interface.resolution <= 9;
  if (is_decimal && interface.offset_seconds == 0) {
    interface.nanoseconds_a_tick = power_of_ten(9U - interface.resolution);
    interface.ticks_max = seconds_max * nanoseconds_a_second / interface.nanoseconds_a_tick;
  }
  interfaces_.push_back(interface);
  return Outcome::record;
}

void PcapngFormat::read_interface_options(ByteReader options, Interface& interface) const noexcept {
  constexpr uint16_t option_end = 0;
  while (options.left() >= 4) {
    const uint8_t* const header = options.take(4).data();
    const uint16_t code = order_.load16(header);
    const uint16_t bytes = order_.load16(header + 2);
    const Bytes value = options.take((bytes + 3U) & ~3U);
    if (code == option_end || options.failed()) {
      return;
    }
    if (code == option_resolution && bytes == 1) {
      interface.resolution = value[0];
    } else if (code == option_offset && bytes == 8) {
      interface.offset_seconds = static_cast<int64_t>(order_.load64(value.data()));
    }
  }
}

uint64_t PcapngFormat::to_nanoseconds(uint64_t ticks, const Interface& interface) noexcept {
  if (ticks < interface.ticks_max) [[likely]] {
    return ticks * interface.nanoseconds_a_tick;
  }
  const Split split = split_ticks(ticks, interface.resolution);
  const int64_t offset = std::clamp(interface.offset_seconds, -seconds_max, seconds_max);
  const int64_t seconds =
      static_cast<int64_t>(std::min<uint64_t>(split.seconds, seconds_max)) + offset;
  if (seconds < 0) {
    return 0;
  }
  return static_cast<uint64_t>(std::min(seconds, seconds_max)) * nanoseconds_a_second +
         split.nanoseconds;
}

/// Reads a packet block's own fields, of any of the three types.
Outcome PcapngFormat::locate_packet(ByteWindow& window, const Block& block,
                                    PacketPlace& place) noexcept {
  const bool is_simple = block.type == type_simple_packet;
  place.header_bytes = is_simple ? 12 : 28;
  const Outcome outcome = need(window, block, place.header_bytes);
  if (outcome != Outcome::record) [[unlikely]] {
    return outcome;
  }
  const uint8_t* const header = window.data();
  if (!is_simple) {
    place.interface =
        block.type == type_enhanced_packet ? order_.load32(header + 8) : order_.load16(header + 8);
    place.captured = order_.load32(header + 20);
    place.wire = order_.load32(header + 24);
  }
  if (place.interface >= interfaces_.size()) [[unlikely]] {
    return broken(window,
                  fmt::format("names interface {} of {}", place.interface, interfaces_.size()));
  }
  const Interface& interface = interfaces_[place.interface];
  if (is_simple) {
    const uint32_t room = block.bytes - block_trailer_bytes - place.header_bytes;
    const uint32_t snap = interface.snap_bytes == 0 ? room : interface.snap_bytes;
    place.wire = order_.load32(header + 8);
    place.captured = std::min({place.wire, snap, room});
    place.time_ns = last_time_ns_;
    return Outcome::record;
  }
  const uint64_t ticks =
      static_cast<uint64_t>(order_.load32(header + 12)) << 32 | order_.load32(header + 16);
  place.time_ns = to_nanoseconds(ticks, interface);
  return Outcome::record;
}

Outcome PcapngFormat::read_packet(ByteWindow& window, const Block& block, Record& record) noexcept {
  PacketPlace place;
  Outcome outcome = locate_packet(window, block, place);
  if (outcome != Outcome::record) [[unlikely]] {
    return outcome;
  }
  if (place.captured > captured_bytes_max) [[unlikely]] {
    fault_ = {"capture-record",
              fmt::format("the packet block at byte {} claims {} captured bytes, the limit is {}; "
                          "nothing behind it was read",
                          window.offset(), place.captured, captured_bytes_max)};
    return Outcome::fault;
  }
  outcome = need(window, block, place.header_bytes + place.captured);
  if (outcome != Outcome::record) [[unlikely]] {
    return outcome;
  }
  record.frame = {window.data() + place.header_bytes, place.captured};
  record.time_ns = place.time_ns;
  record.wire_bytes = std::max(place.wire, place.captured);
  record.link_number = interfaces_[place.interface].link_number;
  last_time_ns_ = place.time_ns;
  // The block's end is left for the next call: the frame must stay where it is.
  const uint32_t taken = place.header_bytes + place.captured;
  window.skip(taken);
  rest_bytes_ = block.bytes - taken;
  trailer_expects_ = block.bytes;
  return Outcome::record;
}

Outcome PcapngFormat::broken(const ByteWindow& window, std::string_view why) noexcept {
  fault_ = {"capture-block", fmt::format("the block at byte {} {}; nothing behind it was read",
                                         window.offset(), why)};
  return Outcome::fault;
}

Outcome PcapngFormat::stopped(const ByteWindow& window, ReadStatus status) noexcept {
  if (status == ReadStatus::later) {
    return Outcome::later;
  }
  if (status == ReadStatus::fault) {
    fault_ = {"capture-read", window.fault()};
    return Outcome::fault;
  }
  if (window.left() == 0 && rest_bytes_ == 0) {
    return Outcome::end;
  }
  fault_ = {"capture-truncated", fmt::format("the block that ends behind byte {} is cut off",
                                             window.offset() + window.left())};
  return Outcome::fault;
}

}  // namespace shrike::capture
