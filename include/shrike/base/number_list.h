#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shrike {

/// "0-2,8" as 0, 1, 2, 8, as the kernel writes lists of processors and nodes (cpuset(7), "List
/// format"). Stops at what is no list, and at 4,096 entries.
[[nodiscard]] std::vector<uint32_t> parse_list(std::string_view text);
/// The other way round; the numbers ascend.
[[nodiscard]] std::string list_text(const std::vector<uint32_t>& numbers);

}  // namespace shrike
