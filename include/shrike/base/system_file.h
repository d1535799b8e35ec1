#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace shrike {

/// The text of a file in which the kernel tells something (proc, sys), 64 KiB of it at most: such
/// files do not say how long they are. Nothing where it cannot be read.
[[nodiscard]] std::optional<std::string> read_system_file(const std::filesystem::path& path);

}  // namespace shrike
