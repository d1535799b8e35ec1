#include "top_change.h"

#include <algorithm>
#include <map>
#include <utility>

#include "shrike/base/load_sums.h"

namespace shrike::app {

namespace {

template <typename Named>
Named named(const std::vector<Named>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Named& each) { return each.name == name; });
  return found == all.end() ? Named{} : *found;
}

/// Counters never run backwards in one sensor.
bool is_same_run(const top::Sample& before, const top::Sample& now) noexcept {
  return now.uptime_ms >= before.uptime_ms && now.packets >= before.packets &&
         now.alerts >= before.alerts;
}

}  // namespace

TopChange::TopChange(const top::Sample& before, const top::Sample& now) : now_(now) {
  if (is_same_run(before, now) && before.time_ns < now.time_ns) {
    before_ = before;
    seconds_ = static_cast<double>(now.time_ns - before.time_ns) / 1e9;
  } else {
    seconds_ = static_cast<double>(now.uptime_ms) / 1e3;
  }
}

top::Port TopChange::port_before(std::string_view name) const {
  return named(before_.ports, name);
}

top::Worker TopChange::worker_before(std::string_view name) const {
  return named(before_.workers, name);
}

uint64_t TopChange::lost_lately(const top::Loss& loss) const noexcept {
  for (const top::Loss& was : before_.losses) {
    if (was.cause == loss.cause) {
      return growth(was.count, loss.count);
    }
  }
  return loss.count;
}

LatencyBuckets TopChange::latency(size_t stage) const noexcept {
  LatencyBuckets lately = now_.latencies[stage];
  for (size_t i = 0; i < lately.size(); ++i) {
    lately[i] = growth(before_.latencies[stage][i], lately[i]);
  }
  return lately;
}

double TopChange::imbalance() const noexcept {
  LoadSums loads;
  for (const top::Worker& worker : now_.workers) {
    loads.add(worker.load_permille);
  }
  return loads.imbalance();
}

std::vector<TopChange::Fired> TopChange::fired() const {
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> was;
  for (const top::Signature& signature : before_.signatures) {
    was[{signature.gid, signature.sid}] = signature.logged;
  }
  std::vector<Fired> all;
  for (const top::Signature& signature : now_.signatures) {
    const auto found = was.find({signature.gid, signature.sid});
    const uint64_t known = found == was.end() ? 0 : found->second;
    all.push_back({&signature, growth(known, signature.logged)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Fired& one, const Fired& other) { return one.lately > other.lately; });
  return all;
}

}  // namespace shrike::app
