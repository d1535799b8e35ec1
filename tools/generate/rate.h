#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike::generate {

/// How fast to send: frames or bits a second, or as fast as the port takes them.
struct Rate {
  enum class Unit : uint8_t { unlimited, frames, bits };
  Unit unit = Unit::unlimited;
  uint64_t per_second = 0;  ///< at least 1 where limited

  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Reads "max", "50000pps", "1.5Mpps", "200kbit/s", "2.5Gbit". A number alone counts frames.
/// Bits are those of the frames, without preamble, gap and check sequence.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);

/// Says when the next frame may go. Counts all that was sent, so nothing is lost to rounding.
/// Time is whatever counter the caller has.
class Pacer {
 public:
  /// @param ticks_per_second of the clock, at least 1000
  Pacer(const Rate& rate, uint64_t ticks_per_second, uint64_t now);

  /// Ticks until the next frame may go; 0: now. Who comes late may catch up, but not more than
  /// a tenth of a second: a stall is not followed by a flood.
  [[nodiscard]] uint64_t ticks_to_wait(uint64_t now);
  void count(uint64_t frame_bytes);

 private:
  Rate rate_;
  uint64_t ticks_per_second_;
  uint64_t begin_;
  uint64_t counted_ = 0;  ///< frames or bits since begin_
};

}  // namespace shrike::generate
