#pragma once
#include <string>
#include <vector>

namespace shrike::app {

/// `shrike top`: what a running sensor does, frame by frame, asked through its control socket.
/// @param words those behind "top".
int run_top(const std::vector<std::string>& words);

}  // namespace shrike::app
