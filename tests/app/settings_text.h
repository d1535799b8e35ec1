#pragma once
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "apply.h"
#include "assemble.h"

/// What the tests of settings share: a configuration in a few words.
namespace shrike::app {

/// What a file of this text gives.
inline Settings read(const std::string& text, Diagnostics& diagnostics) {
  Config config;
  config.load_text("x.yaml", text, diagnostics);
  Settings settings = built_in_settings();
  apply_config(config, settings, diagnostics);
  return settings;
}

/// A text that is wrong, and all that is said of it.
struct Mistake {
  const char* text;
  const char* error;
};

inline void expect_told(std::span<const Mistake> mistakes) {
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.text);
    Diagnostics diagnostics;
    read(mistake.text, diagnostics);
    EXPECT_EQ(diagnostics.text(), mistake.error);
  }
}

}  // namespace shrike::app
