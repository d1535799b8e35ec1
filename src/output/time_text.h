#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace shrike::output {

/// Times as text in the local zone (TZ), to the microsecond. Remembers the second it wrote last,
/// since breaking a second down costs more than all the rest of a line. Not thread-safe.
class TimeText {
 public:
  TimeText();

  /// "2025-03-09T14:05:06.000123+0100". The view is valid until the next call.
  std::string_view iso(uint64_t time_ns);
  /// "03/09/2025-14:05:06.000123". The view is valid until the next call.
  std::string_view american(uint64_t time_ns);

 private:
  struct Second {
    uint64_t second = UINT64_MAX;
    std::string head;  ///< up to and with the point
    std::string tail;  ///< behind the microseconds
  };
  std::string_view write(Second& kept, const char* format, const char* tail_format,
                         uint64_t time_ns);

  Second iso_;
  Second american_;
  std::string text_;
};

}  // namespace shrike::output
