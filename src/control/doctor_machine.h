#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/number_list.h"
#include "shrike/doctor.h"

namespace shrike::doctor {

/// The files of a machine, below a root. Paths are written as on the machine: "/sys/class/net".
/// What is not there or cannot be read is empty, never a fault.
class Machine {
 public:
  Machine(std::filesystem::path root, const Kernel* kernel)
      : root_(std::move(root)), kernel_(kernel) {}

  /// The first 64 KiB of a file, without blanks at its end.
  [[nodiscard]] std::optional<std::string> text(std::string_view path) const;
  [[nodiscard]] std::optional<int64_t> number(std::string_view path) const;
  /// Names of a folder's entries, sorted; numbers in them by value ("cpu2" before "cpu10").
  [[nodiscard]] std::vector<std::string> names(std::string_view path) const;
  /// The last part of what a symbolic link points to; empty where it is none.
  [[nodiscard]] std::string link_name(std::string_view path) const;
  /// All that a symbolic link says.
  [[nodiscard]] std::string link_text(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const;
  /// The place of a path of the machine among the files of this program.
  [[nodiscard]] std::filesystem::path place(std::string_view path) const;
  [[nodiscard]] const Kernel* kernel() const noexcept { return kernel_; }

 private:
  std::filesystem::path root_;
  const Kernel* kernel_;
};

/// A process, as /proc names it.
struct Process {
  std::string id;
  std::string name;
};
[[nodiscard]] std::vector<Process> processes(const Machine& machine);

/// Whether a kernel module is loaded or built in.
[[nodiscard]] bool has_module(const Machine& machine, std::string_view name);

/// "2,048" is no number of a command: bytes as "512 MiB", "1 GiB"; whole units only, rounded down.
[[nodiscard]] std::string bytes_text(uint64_t bytes);

[[nodiscard]] std::vector<std::string> split_words(std::string_view text);
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

/// What follows `key` in "key value" or "key: value" lines, blanks stripped; none: no such line.
[[nodiscard]] std::optional<std::string> value_of(std::string_view text, std::string_view key);

}  // namespace shrike::doctor
