#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace shrike::rule {

/// Reads JSON texts one behind the other (one for `json`, one a line for `ndjson`) and calls
/// `visit` with each string and number: its path ("info.threat.host": the names of the objects
/// around it, arrays add nothing) and its text, unescaped. Bounded in depth.
/// @return false where the text is no JSON; what stood before it was visited.
bool for_each_json_value(std::string_view text,
                         const std::function<void(const std::string&, const std::string&)>& visit);

}  // namespace shrike::rule
