#include "overload_report.h"

#include <algorithm>
#include <utility>

namespace shrike::worker {

namespace {

using flow::ShedCause;
using flow::ShedCount;

constexpr uint64_t millisecond_ns = 1'000'000;
/// An overload that comes again within that is still the same one.
constexpr uint64_t calm_ns = 1000 * millisecond_ns;

constexpr std::array<std::string_view, static_cast<size_t>(ShedCause::count_)> causes{
    "encrypted", "large", "elephant"};

constexpr size_t place_of(size_t cause, ShedCount count) noexcept {
  return cause * static_cast<size_t>(ShedCount::count_) + static_cast<size_t>(count);
}

}  // namespace

OverloadReporter::OverloadReporter(std::string worker, const Overload& overload, CounterView shed,
                                   uint32_t report_ms)
    : worker_(std::move(worker)),
      overload_(overload),
      shed_(shed),
      report_ns_(report_ms * millisecond_ns) {}

OverloadReporter::Amounts OverloadReporter::read() const noexcept {
  Amounts amounts{};
  for (size_t i = 0; i < amounts.size(); ++i) {
    amounts[i] = shed_.value(i);
  }
  return amounts;
}

void OverloadReporter::look(uint64_t now_ns, bool is_last, output::Collector& collector) {
  const uint64_t began_ns = overload_.began_ns();
  const bool is_overloaded = began_ns != 0;
  const Amounts now = read();
  start_ns_ = start_ns_ == 0 ? now_ns : start_ns_;
  if (!has_something_ && !is_overloaded && now == told_) {
    start_ns_ = now_ns;
    return;
  }
  if (!has_something_) {
    has_something_ = true;
    start_ns_ = is_overloaded ? std::min(began_ns, now_ns) : std::min(start_ns_, now_ns);
    busy_ns_ = 0;
  }
  const bool was_overloaded = busy_ns_ != 0;
  busy_ns_ = is_overloaded ? now_ns : busy_ns_;
  const bool has_ended = was_overloaded && !is_overloaded && now_ns - busy_ns_ >= calm_ns;
  if (is_last || has_ended || now_ns - start_ns_ >= report_ns_) {
    write(now_ns, is_overloaded, now, collector);
  }
}

void OverloadReporter::write(uint64_t end_ns, bool is_overloaded, const Amounts& now,
                             output::Collector& collector) {
  std::array<output::OverloadReport::Share, causes.size()> shares;
  for (size_t cause = 0; cause < causes.size(); ++cause) {
    const auto grown = [&](ShedCount count) {
      return now[place_of(cause, count)] - told_[place_of(cause, count)];
    };
    shares[cause] = {causes[cause], grown(ShedCount::flows), grown(ShedCount::packets),
                     grown(ShedCount::bytes)};
  }
  collector.write_overload({.worker = worker_,
                            .start_ns = start_ns_,
                            .end_ns = end_ns,
                            .is_overloaded = is_overloaded,
                            .shares = shares});
  told_ = now;
  start_ns_ = end_ns;
  has_something_ = false;
}

}  // namespace shrike::worker
