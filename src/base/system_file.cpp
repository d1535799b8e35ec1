#include "shrike/base/system_file.h"

#include <fstream>

namespace shrike {

std::optional<std::string> read_system_file(const std::filesystem::path& path) {
  constexpr size_t bytes_max = size_t{64} * 1024;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return std::nullopt;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace shrike
