#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shrike {

/// A place in the operator's input. Line and column count from 1; 0 is "not known".
struct Position {
  std::string_view file;  ///< outlives the Diagnostics: sources own their names
  uint32_t line = 0;
  uint32_t column = 0;
};

enum class Severity : uint8_t { note, warning, error };

/// One thing to tell the operator. `code` is a stable word, each has a golden test.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  std::string code;
  std::string what;

  /// "file:line:column: error[code]: what; what to write instead", without a line end.
  [[nodiscard]] std::string text() const;
};

/// Collects every fault in what the operator wrote: rules, configuration, command line. Cold,
/// one thread. Never used for what the network sent. Nothing is printed here: only app prints.
class Diagnostics {
 public:
  template <typename... Args>
  void error(const Position& at, std::string_view code, fmt::format_string<Args...> format,
             Args&&... args) {
    add(Severity::error, at, code, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(const Position& at, std::string_view code, fmt::format_string<Args...> format,
               Args&&... args) {
    add(Severity::warning, at, code, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void note(const Position& at, std::string_view code, fmt::format_string<Args...> format,
            Args&&... args) {
    add(Severity::note, at, code, fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
  [[nodiscard]] size_t errors() const noexcept { return errors_; }
  [[nodiscard]] size_t warnings() const noexcept { return warnings_; }
  /// Every diagnostic's text, joined by line ends; empty where there is none.
  [[nodiscard]] std::string text() const;

 private:
  void add(Severity severity, const Position& at, std::string_view code, std::string what);

  std::vector<Diagnostic> all_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace shrike
