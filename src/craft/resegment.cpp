#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "ip_frame.h"
#include "shrike/base/hash.h"

namespace shrike::craft {

namespace {

constexpr size_t window_frames = 8;
constexpr size_t random_piece_bytes_max = 1460;
constexpr size_t whole_datagram_bytes_max = 64;
constexpr size_t fragment_bytes_min = 24;
/// More would run into limits that keep senders of many fragments in check.
constexpr size_t fragments_max = 8;

using Endpoint = std::array<uint8_t, 18>;

/// Numbers that look random and depend on the seed only.
class Sequence {
 public:
  explicit Sequence(uint64_t seed) : state_(seed) {}
  /// From 0 to `bound` - 1.
  size_t below(size_t bound) { return mix64(state_ += 0x9e3779b97f4a7c15ULL) % bound; }

 private:
  uint64_t state_;
};

Endpoint endpoint(const TimedFrame& frame, const IpFrame& datagram, bool is_source) {
  Endpoint end{};
  const size_t bytes = datagram.is_ipv4 ? 4 : 16;
  const size_t address = datagram.ip + (datagram.is_ipv4 ? 12 : 8) + (is_source ? 0 : bytes);
  const size_t port = datagram.transport + (is_source ? 0 : 2);
  std::copy_n(frame.bytes.begin() + static_cast<ptrdiff_t>(address), bytes, end.begin());
  std::copy_n(frame.bytes.begin() + static_cast<ptrdiff_t>(port), 2, end.begin() + 16);
  return end;
}

/// The frames of a connection that may change places: of one direction, one after another.
struct Run {
  bool saw_syn = false;
  Endpoint source{};
  std::vector<size_t> places;
};

TimedFrame sent_anew(const TimedFrame& frame, Buffer bytes) {
  return {.bytes = std::move(bytes), .time_ns = frame.time_ns, .link_type = frame.link_type};
}

}  // namespace

struct Resegmenter::State {
  explicit State(const ResegmentOptions& given)
      : options(given), cuts(given.cut_seed.value_or(0)), order(given.order_seed.value_or(0)) {}

  void cut(const TimedFrame& frame, std::vector<TimedFrame>& out);
  void reorder(std::vector<TimedFrame>& frames);
  void shuffle(Run& run, std::vector<TimedFrame>& frames);
  void fragment(const TimedFrame& frame, std::vector<TimedFrame>& out);

  ResegmentOptions options;
  Sequence cuts;
  Sequence order;
  std::map<std::pair<Endpoint, Endpoint>, Run> runs;
  uint16_t fragment_id = 0;
};

void Resegmenter::State::cut(const TimedFrame& frame, std::vector<TimedFrame>& out) {
  constexpr uint8_t uncut = tcp_flag::syn | tcp_flag::rst | tcp_flag::urg;
  const size_t largest = options.piece_bytes_max != 0 ? options.piece_bytes_max
                         : options.cut_seed           ? random_piece_bytes_max
                                                      : 0;
  const std::optional<TcpFrame> tcp = largest != 0 ? find_tcp(frame) : std::nullopt;
  if (!tcp || (tcp->flags & uncut) != 0 || tcp->payload_bytes() < 2) {
    out.push_back(frame);
    return;
  }
  size_t end = 0;
  for (size_t begin = 0; begin < tcp->payload_bytes(); begin = end) {
    const size_t piece = options.cut_seed ? cuts.below(largest) + 1 : largest;
    end = std::min(begin + piece, tcp->payload_bytes());
    out.push_back(sent_anew(frame, piece_of(frame, *tcp, begin, end)));
  }
}

void Resegmenter::State::shuffle(Run& run, std::vector<TimedFrame>& frames) {
  for (size_t count = run.places.size(); count > 1; --count) {
    TimedFrame& one = frames[run.places[count - 1]];
    TimedFrame& other = frames[run.places[order.below(count)]];
    std::swap(one, other);
    std::swap(one.time_ns, other.time_ns);
  }
  run.places.clear();
}

void Resegmenter::State::reorder(std::vector<TimedFrame>& frames) {
  constexpr uint8_t fixed = tcp_flag::syn | tcp_flag::rst | tcp_flag::urg | tcp_flag::fin;
  for (size_t place = 0; place < frames.size(); ++place) {
    const std::optional<TcpFrame> tcp = find_tcp(frames[place]);
    if (!tcp) {
      continue;
    }
    const Endpoint source = endpoint(frames[place], tcp->datagram, true);
    const Endpoint target = endpoint(frames[place], tcp->datagram, false);
    Run& run = runs[std::minmax(source, target)];
    const bool is_movable = (tcp->flags & fixed) == 0 && tcp->payload_bytes() != 0;
    if (!is_movable || source != run.source || run.places.size() == window_frames) {
      shuffle(run, frames);
    }
    run.source = source;
    run.saw_syn |= (tcp->flags & tcp_flag::syn) != 0;
    if (is_movable && run.saw_syn) {
      run.places.push_back(place);
    }
  }
  for (auto& [ends, run] : runs) {
    shuffle(run, frames);
  }
}

void Resegmenter::State::fragment(const TimedFrame& frame, std::vector<TimedFrame>& out) {
  const std::optional<IpFrame> datagram = find_ip(frame);
  // Options are repeated in some fragments and not in others; datagrams with them stay whole.
  if (!datagram || datagram->end - datagram->ip <= whole_datagram_bytes_max ||
      (datagram->is_ipv4 && datagram->transport - datagram->ip != 20)) {
    out.push_back(frame);
    return;
  }
  const size_t bytes = datagram->end - datagram->transport;
  const size_t step = std::max(fragment_bytes_min, (bytes / fragments_max + 8) / 8 * 8);
  ++fragment_id;
  for (size_t begin = 0; begin < bytes; begin += step) {
    const size_t end = std::min(begin + step, bytes);
    out.push_back(sent_anew(frame, fragment_of(frame, *datagram, begin, end, fragment_id)));
  }
}

Resegmenter::Resegmenter(const ResegmentOptions& options)
    : state_(std::make_unique<State>(options)) {}
Resegmenter::~Resegmenter() = default;
Resegmenter::Resegmenter(Resegmenter&&) noexcept = default;

std::vector<TimedFrame> Resegmenter::resegment(std::span<const TimedFrame> frames) {
  std::vector<TimedFrame> pieces;
  for (const TimedFrame& frame : frames) {
    state_->cut(frame, pieces);
  }
  if (state_->options.order_seed) {
    state_->reorder(pieces);
  }
  if (!state_->options.duplicate && !state_->options.fragment) {
    return pieces;
  }
  std::vector<TimedFrame> out;
  for (const TimedFrame& piece : pieces) {
    const std::optional<TcpFrame> tcp = find_tcp(piece);
    const bool is_twice = state_->options.duplicate && tcp && tcp->payload_bytes() != 0 &&
                          (tcp->flags & tcp_flag::syn) == 0;
    for (unsigned copy = 0; copy < (is_twice ? 2U : 1U); ++copy) {
      if (state_->options.fragment) {
        state_->fragment(piece, out);
      } else {
        out.push_back(piece);
      }
    }
  }
  return out;
}

std::vector<TimedFrame> resegment(std::span<const TimedFrame> frames,
                                  const ResegmentOptions& options) {
  return Resegmenter(options).resegment(frames);
}

}  // namespace shrike::craft
