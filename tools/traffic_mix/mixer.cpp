#include "mixer.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "address_rewriter.h"
#include "shrike/base/hash.h"

namespace shrike::traffic_mix {

namespace {

/// One recording under way.
struct Copy {
  const Recording* recording = nullptr;
  AddressRewriter rewriter;
  uint64_t begin_ns = 0;
  double pace = 1.0;  ///< time in the mix by time in the recording
  size_t next_frame = 0;

  [[nodiscard]] uint64_t next_time_ns() const {
    const auto time = static_cast<double>(recording->frame(next_frame).time_ns);
    return begin_ns + static_cast<uint64_t>(time * pace);
  }
};

std::vector<size_t> shuffled_order(size_t count, uint64_t seed) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t left = count; left > 1; --left) {
    seed = mix64(seed + left);
    std::swap(order[left - 1], order[seed % left]);
  }
  return order;
}

Copy make_copy(const Recording& recording, uint64_t random, const MixOptions& options) {
  const uint64_t duration = std::min(recording.duration_ns(), options.window_ns);
  const uint64_t slack = options.window_ns - duration;
  const double pace =
      recording.duration_ns() > duration
          ? static_cast<double>(duration) / static_cast<double>(recording.duration_ns())
          : 1.0;
  return {.recording = &recording,
          .rewriter = AddressRewriter(random),
          .begin_ns = options.begin_ns + (slack == 0 ? 0 : mix64(random + 1) % slack),
          .pace = pace};
}

/// Chooses recordings until the file is as large as asked for.
std::vector<Copy> make_copies(std::span<const Recording> recordings, const MixOptions& options) {
  std::vector<Copy> copies;
  uint64_t bytes = 0;
  for (uint64_t round = 0; bytes < options.bytes; ++round) {
    const uint64_t round_seed = combine64(options.seed, round);
    for (const size_t index : shuffled_order(recordings.size(), round_seed)) {
      if (bytes >= options.bytes) {
        break;
      }
      copies.push_back(make_copy(recordings[index], combine64(round_seed, index + 1), options));
      bytes += recordings[index].stored_bytes();
    }
  }
  return copies;
}

}  // namespace

MixReport write_mix(std::span<const Recording> recordings, const MixOptions& options,
                    craft::PcapWriter& writer) {
  if (recordings.empty()) {
    return {};
  }
  std::vector<Copy> copies = make_copies(recordings, options);
  MixReport report{.copies = copies.size()};
  // Earliest frame first; of equal times the copy that was chosen first.
  using Turn = std::pair<uint64_t, size_t>;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (size_t index = 0; index < copies.size(); ++index) {
    turns.emplace(copies[index].next_time_ns(), index);
  }
  std::vector<uint8_t> frame;
  while (!turns.empty()) {
    const auto [time_ns, index] = turns.top();
    turns.pop();
    Copy& copy = copies[index];
    const Recording::Frame original = copy.recording->frame(copy.next_frame++);
    frame.assign(original.bytes.begin(), original.bytes.end());
    copy.rewriter.rewrite(frame);
    writer.write(frame, time_ns, original.wire_bytes);
    ++report.frames;
    if (copy.next_frame < copy.recording->size()) {
      turns.emplace(copy.next_time_ns(), index);
    }
  }
  return report;
}

}  // namespace shrike::traffic_mix
