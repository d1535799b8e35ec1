#pragma once
#include <string>
#include <string_view>

/// How this binary was built. Made by meson from build_info.cpp.in.
namespace shrike::app::build_info {

extern const std::string_view version;
extern const std::string_view compiler;          ///< "gcc 12.2.0"
extern const std::string_view build_type;        ///< "release"
extern const std::string_view config_directory;  ///< where shrike.yaml is installed

/// The lines of `shrike version`: ours, then every library that matters to a bug report.
[[nodiscard]] std::string text();

}  // namespace shrike::app::build_info
