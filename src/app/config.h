#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/diagnostics.h"

namespace shrike::app {

struct ConfigEntry;

/// One value of the configuration and the place where it was written. A tree of its own rather
/// than yaml-cpp's, so that files, included files and --set merge and every value keeps its place.
struct ConfigNode {
  enum class Kind : uint8_t { scalar, list, map };

  Kind kind = Kind::scalar;
  std::string text;                  ///< of a scalar; "~" and nothing at all are empty
  std::vector<ConfigEntry> entries;  ///< of a map in order of writing; of a list named 0, 1, …
  std::string file;                  ///< or "--set KEY"
  uint32_t line = 0;
  uint32_t column = 0;
  mutable bool is_used = false;  ///< somebody asked for it; what is left over is told once

  [[nodiscard]] Position position() const noexcept { return {file, line, column}; }
  [[nodiscard]] bool is_scalar() const noexcept { return kind == Kind::scalar; }
  /// The entry of that name, the last one written; null where there is none.
  [[nodiscard]] const ConfigNode* child(std::string_view name) const noexcept;
  /// The value at a dotted path below this one, marked as used; null where it is not written.
  [[nodiscard]] const ConfigNode* find(std::string_view path) const noexcept;
  /// Says that this value and all below it have found a reader.
  void mark_used() const noexcept;
};

struct ConfigEntry {
  std::string name;
  ConfigNode value;
};

/// The configuration: a YAML file with what it includes, then each --set on top. Cold, one thread.
class Config {
 public:
  Config() { root_.kind = ConfigNode::Kind::map; }

  static constexpr size_t file_bytes_max = 16u << 20;
  static constexpr unsigned depth_max = 32;          ///< nested maps and lists
  static constexpr unsigned includes_depth_max = 8;  ///< files that include files
  static constexpr size_t nodes_max = 200'000;       ///< aliases multiply; this bounds them

  /// Reads a file and all it includes. Every fault is an error with its place.
  void load_file(const std::string& path, Diagnostics& diagnostics);

  /// Reads YAML from memory; `name` stands for the file in messages.
  void load_text(const std::string& name, const std::string& text, Diagnostics& diagnostics);

  /// Applies one "stream.reassembly.depth=2mb"; a number names an entry of a list, as in
  /// "host-os-policy.windows.0=10.0.0.0/8".
  void set(std::string_view assignment, Diagnostics& diagnostics);

  [[nodiscard]] const ConfigNode& root() const noexcept { return root_; }

  /// A value nobody asked for; `path` is as short as says it ("app-layer", not all below it).
  struct Unused {
    std::string path;
    const ConfigNode* node;  ///< lives as long as the Config stays as it is
  };
  [[nodiscard]] std::vector<Unused> unused() const;

 private:
  void load_text_at(const std::string& name, const std::string& text, unsigned depth,
                    Diagnostics& diagnostics);
  void load_file_at(const std::string& path, const Position& from, unsigned depth,
                    Diagnostics& diagnostics);
  void include(const ConfigNode& names, const std::string& from, unsigned depth,
               Diagnostics& diagnostics);

  ConfigNode root_;
};

/// The whole text of a file, or nothing with an error[`code`] at `from`.
std::optional<std::string> read_text_file(const std::string& path, size_t bytes_max,
                                          const Position& from, Diagnostics& diagnostics);

}  // namespace shrike::app
