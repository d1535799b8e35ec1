#include "time_text.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

namespace shrike::output {

TimeText::TimeText() {
  tzset();
}

std::string_view TimeText::iso(uint64_t time_ns) {
  return write(iso_, "%Y-%m-%dT%H:%M:%S.", "%z", time_ns);
}

std::string_view TimeText::american(uint64_t time_ns) {
  return write(american_, "%m/%d/%Y-%H:%M:%S.", "", time_ns);
}

std::string_view TimeText::write(Second& kept, const char* format, const char* tail_format,
                                 uint64_t time_ns) {
  const uint64_t second = time_ns / 1'000'000'000;
  if (second != kept.second) {
    const auto seconds = static_cast<time_t>(second);
    tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    kept.head.assign(text.data(), std::strftime(text.data(), text.size(), format, &parts));
    kept.tail.assign(text.data(), std::strftime(text.data(), text.size(), tail_format, &parts));
    kept.second = second;
  }
  text_ = kept.head;
  fmt::format_to(std::back_inserter(text_), "{:06}", time_ns % 1'000'000'000 / 1000);
  text_ += kept.tail;
  return text_;
}

}  // namespace shrike::output
