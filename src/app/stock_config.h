#pragma once
#include <string_view>

/// Files of the project that are compiled in, so that the binary alone suffices. Made by meson
/// from stock_config.cpp.in.
namespace shrike::app {

extern const std::string_view stock_config;          ///< src/app/shrike.yaml
extern const std::string_view stock_classification;  ///< rules/classification.config
extern const std::string_view stock_references;      ///< rules/reference.config

}  // namespace shrike::app
