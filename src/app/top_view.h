#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "shrike/top.h"

namespace shrike::app {

/// A line of `shrike top` and how it is to be shown where there are colours.
struct TopLine {
  enum class Style : uint8_t { plain, heading, alarm, faint } style = Style::plain;
  std::string text;  ///< without control characters, not longer than the view is wide
};

struct TopSize {
  size_t columns = 100;
  size_t rows = 0;  ///< 0: as many as it takes
};

/// What happened between two samples of one sensor, as a frame that fits. A sensor that was started
/// anew in between is shown as from its start.
[[nodiscard]] std::vector<TopLine> top_lines(const top::Sample& before, const top::Sample& now,
                                             const TopSize& size);

/// The same for machines: one JSON object without a line end.
[[nodiscard]] std::string top_json(const top::Sample& before, const top::Sample& now);

}  // namespace shrike::app
