#include "worker.h"

#include <utility>

namespace shrike::worker {

Worker::Worker(const EngineOptions& options, capture::PacketSource& source, RecordRing& ring,
               std::function<void()> when_full)
    : source_(source),
      decoder_(options.decode),
      inspection_(options, ring, std::move(when_full)),
      captures_are_apart_(options.records.per_capture) {}

/// One batch of packets from the wire to the record ring. Start reading here: the walk is this
/// function and Inspection::inspect, the only two places that join the engines.
size_t Worker::run_once(const RuleSet& rules) noexcept {
  source_.receive(packets_);  // the one virtual call, once a batch
  const std::span<const Packet> packets = packets_.all();
  if (packets.empty()) {
    return 0;
  }
  begin_capture(rules, packets.front().capture_index);
  for (std::span<const Packet> rest = packets; !rest.empty();) {
    rest = rest.subspan(decoder_.decode(rest, datagrams_));  // frames to whole datagrams
    inspection_.inspect(rules, datagrams_.all());            // datagrams to records
    datagrams_.clear();
    decoder_.release();
  }
  inspection_.mark(packets.back());
  source_.release(packets_);  // every span above dies here
  return packets.size();
}

void Worker::begin_capture(const RuleSet& rules, uint32_t capture_index) noexcept {
  if (captures_are_apart_ && capture_index != capture_index_) {
    inspection_.finish(rules);
    decoder_.reset();
  }
  capture_index_ = capture_index;
}

void Worker::finish(const RuleSet& rules) noexcept {
  inspection_.finish(rules);
  decoder_.reset();
}

std::vector<CounterView> Worker::counters() const {
  std::vector<CounterView> views{source_.counters()};
  for (const CounterView& view : decoder_.counters()) {
    views.push_back(view);
  }
  for (const CounterView& view : inspection_.counters()) {
    views.push_back(view);
  }
  return views;
}

}  // namespace shrike::worker
