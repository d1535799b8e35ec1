#pragma once
#include <string>

#include "frames.h"
#include "report.h"
#include "spread.h"

namespace shrike::generate {

struct SplitOptions {
  std::string prefix;  ///< files are PREFIX.0.pcap, PREFIX.1.pcap, …
  uint32_t queues = 1;
  Spread spread = Spread::symmetric;
  uint32_t copies = 1;
};

/// Writes what each queue would be sent into a capture of its own, with the frames' times: for
/// net_pcap, which reads one file for each queue. Nothing of DPDK is needed.
/// @return false where a file could not be written whole, with an error in `diagnostics`.
bool split(const FrameList& frames, const SplitOptions& options, std::vector<QueueTotals>& totals,
           Diagnostics& diagnostics);

}  // namespace shrike::generate
