#pragma once
#include <string>
#include <vector>

namespace shrike::app {

/// `shrike doctor`: says whether this machine can run the sensor live, and what to do.
/// @param words those behind "doctor".
int run_doctor(const std::vector<std::string>& words);

}  // namespace shrike::app
