#pragma once
#include <memory>
#include <string>
#include <vector>

#include "shrike/capture.h"
#include "shrike/rule.h"

namespace shrike::bench {

/// A capture in memory and the rules to inspect it with: from the environment
/// (SHRIKE_BENCH_CAPTURE, SHRIKE_BENCH_RULES: files), else crafted conversations and a few rules.
const std::vector<uint8_t>& capture();
const RuleSet& rules();

/// The capture as a packet source, `repeats` times over, without DPDK.
std::unique_ptr<capture::PacketSource> open(uint32_t repeats);

}  // namespace shrike::bench
