#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "value.h"

namespace shrike::app {

/// Inclusive bounds of a setting. What is outside is an error, never clipped.
struct Bounds {
  uint64_t lowest = 0;
  uint64_t highest = std::numeric_limits<uint64_t>::max();
};

/// A word of the configuration and what it stands for.
template <typename E>
struct Word {
  std::string_view text;
  E value;
};

/// Reads settings below one node of the configuration. A setting that is not written, or written
/// without a value, leaves its target as it is; one that cannot be understood is an error with
/// its place. Paths are dotted.
class ConfigReader {
 public:
  ConfigReader(const ConfigNode& root, Diagnostics& diagnostics)
      : root_(root), diagnostics_(diagnostics) {}

  [[nodiscard]] Diagnostics& diagnostics() const noexcept { return diagnostics_; }

  /// The value at `path`; null where there is none or it is empty.
  [[nodiscard]] const ConfigNode* find(std::string_view path) const;
  /// Like find, but anything that is not a plain value is an error.
  [[nodiscard]] const ConfigNode* find_scalar(std::string_view path) const;
  /// The plain values of a list; "[a, b]" and "a" written as text are lists too.
  [[nodiscard]] std::vector<ConfigNode> list(std::string_view path) const;

  void flag(std::string_view path, bool& value) const;
  void text(std::string_view path, std::string& value) const;
  void size(std::string_view path, uint64_t& bytes, Bounds bounds) const;

  template <std::unsigned_integral T>
  void number(std::string_view path, T& value, Bounds bounds) const {
    bounds.highest = std::min<uint64_t>(bounds.highest, std::numeric_limits<T>::max());
    uint64_t wide = value;
    number_within(path, wide, bounds);
    value = static_cast<T>(wide);
  }

  template <typename E, size_t count>
  void word(std::string_view path, E& value, const Word<E> (&words)[count]) const {
    const ConfigNode* const node = find_scalar(path);
    if (node == nullptr) {
      return;
    }
    std::string known;
    for (const Word<E>& word : words) {
      if (word.text == node->text) {
        value = word.value;
        return;
      }
      known += known.empty() ? std::string(word.text) : ", " + std::string(word.text);
    }
    diagnostics_.error(node->position(), "word", "'{}' is not a value of {}; write one of {}",
                       node->text, path, known);
  }

 private:
  void number_within(std::string_view path, uint64_t& value, Bounds bounds) const;
  bool is_within(const ConfigNode& node, std::string_view path, uint64_t value,
                 Bounds bounds) const;

  const ConfigNode& root_;
  Diagnostics& diagnostics_;
};

}  // namespace shrike::app
