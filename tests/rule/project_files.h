#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace shrike::rule::test {

/// The project's folder, from the environment that the test runner sets.
inline std::filesystem::path project_root() {
  const char* const root = std::getenv("SHRIKE_SOURCE_ROOT");
  return root == nullptr ? std::filesystem::path(".") : std::filesystem::path(root);
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace shrike::rule::test
