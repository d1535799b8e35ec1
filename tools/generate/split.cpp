#include "split.h"

#include <deque>

#include "copies.h"

namespace shrike::generate {

bool split(const FrameList& frames, const SplitOptions& options, std::vector<QueueTotals>& totals,
           Diagnostics& diagnostics) {
  FlowCopies copies(options.copies);
  QueueChooser chooser(options.spread, options.queues);
  totals.assign(options.queues, {});
  std::deque<craft::PcapWriter> writers;
  for (uint32_t queue = 0; queue < options.queues; ++queue) {
    writers.emplace_back(fmt::format("{}.{}.pcap", options.prefix, queue), craft::PcapOptions{});
  }
  for (size_t index = 0; index < frames.size(); ++index) {
    const FrameList::Frame frame = frames.frame(index);
    for (uint32_t copy = 0; copy < options.copies; ++copy) {
      const Bytes bytes = copies.copy(frame.bytes, copy);
      const uint32_t queue = chooser.queue_of(bytes);
      writers[queue].write(bytes, frame.time_ns, frame.wire_bytes);
      ++totals[queue].frames;
      totals[queue].bytes += bytes.size();
    }
  }
  bool is_whole = true;
  for (uint32_t queue = 0; queue < options.queues; ++queue) {
    if (!writers[queue].finish()) {
      diagnostics.error({}, "split-write", "{}.{}.pcap could not be written whole", options.prefix,
                        queue);
      is_whole = false;
    }
  }
  return is_whole;
}

}  // namespace shrike::generate
