#include "live_worker.h"

#include <algorithm>
#include <thread>

#include "frame_owner.h"
#include "strategy.h"

namespace shrike::worker {

namespace {

using Clock = std::chrono::steady_clock;

/// How long a packet waits for a worker that may still hand over an earlier one. A worker that is
/// alive takes microseconds; one that lost its core to another process must not hold up the rest.
constexpr std::chrono::milliseconds order_wait_max{100};
/// How long a datagram waits for room in its owner's ring; then it is lost, and counted.
constexpr std::chrono::milliseconds hand_over_wait_max{20};
/// Parcels that are taken from one ring before the next has its turn.
constexpr unsigned parcels_a_turn = 64;
/// How long a worker sleeps where nothing comes: rules, time and the end of the run wait for that.
constexpr int interrupt_wait_max_ms = 10;

constexpr CounterRow rows[] = {
    {"worker.frames_handed_over", "packets", "Given undecoded to the worker that owns them."},
    {"worker.datagrams_handed_over", "datagrams", "Found in a tunnel, given to their owner."},
    {"worker.datagrams_lost", "datagrams", "Not handed over: their owner's ring stayed full."},
    {"worker.taken_over", "packets", "Frames and datagrams taken from other workers."},
    {"worker.frames_decoded", "packets", "Frames decoded here, received or taken over."},
    {"worker.hand_over_waits", "waits", "Times the owner's ring was full and receiving paused."},
    {"worker.order_given_up", "packets", "Inspected though an earlier one might still come."},
    {"worker.busy_ns", "ns", "Time spent on packets."},
};

uint64_t nanoseconds(Clock::duration duration) noexcept {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
}

}  // namespace

LiveShared::LiveShared(const LiveOptions& options, const RuleSet& first_rules,
                       bool ports_are_steered)
    : workers(options.workers),
      owners(options.workers),
      orders_by_time(!ports_are_steered && options.workers > 1),
      lanes(options.workers),
      rings(size_t{options.workers} * options.workers),
      rules(&first_rules),
      receiving(options.workers),
      decoding(options.workers) {
  for (uint32_t from = 0; from < workers; ++from) {
    for (uint32_t to = 0; to < workers; ++to) {
      if (from != to) {
        rings[from * workers + to] = std::make_unique<RecordRing>(options.hand_over_bytes);
      }
    }
  }
}

LiveWorker::LiveWorker(const LiveOptions& options, uint32_t index, LiveShared& shared,
                       capture::PacketSource& source)
    : options_(options),
      index_(index),
      shared_(shared),
      source_(source),
      rules_(shared.rules.load()),
      records_(record_ring_bytes),
      decoder_(options.engines.decode),
      inspection_(options.engines, records_, [] { std::this_thread::yield(); }),
      overload_(options.overload, inspection_.flow_slots()) {
  inspection_.set_overload(overload_);
  inspection_.use_costs(shared_.lanes[index_].costs.load());
  shared_.lanes[index_].generation.store(rules_->generation());
}

void LiveWorker::run() noexcept {
  while (!shared_.is_stopping.load(std::memory_order_relaxed)) {
    if (step()) {
      empty_polls_ = 0;
    } else {
      rest();
    }
  }
  wind_down();
}

/// One turn: at most one batch from the wire, and what others handed over. @return whether there
/// was anything to do.
bool LiveWorker::step() noexcept {
  take_up_rules();
  if (!has_batch_) {
    receive();
  }
  const bool has_own_batch = has_batch_;
  hand_frames_over();
  const bool has_inspected = inspect_ready();
  note_busy();
  end_batch();
  if (has_inspected && !has_own_batch) {
    note_load(Clock::now());  // others' packets alone keep it busy
  }
  if (has_inspected && !has_batch_) {
    tell_progress();
  }
  return has_inspected || has_batch_;
}

void LiveWorker::take_up_rules() noexcept {
  const RuleSet* const rules = shared_.rules.load(std::memory_order_acquire);
  if (rules != rules_) [[unlikely]] {
    rules_ = rules;
    inspection_.use_rules(*rules_);
    inspection_.use_costs(shared_.lanes[index_].costs.load(std::memory_order_acquire));
    shared_.lanes[index_].generation.store(rules_->generation(), std::memory_order_release);
  }
}

void LiveWorker::receive() noexcept {
  LiveShared::Lane& lane = shared_.lanes[index_];
  if (shared_.orders_by_time) {
    // Seen by the others before any of these packets gets its clock: until they are steered,
    // nothing is promised.
    lane.handed_up_to_ns.store(0, std::memory_order_seq_cst);
  }
  source_.receive(packets_);  // the one virtual call, once a batch
  steered_ = inspected_ = 0;
  has_batch_ = packets_.size() != 0;
  if (!has_batch_) {
    lane.handed_up_to_ns.store(UINT64_MAX, std::memory_order_release);
    return;
  }
  received_at_ = Clock::now();
  note_load(received_at_);
  waited_ns_ = 0;
  const std::span<const Packet> packets = packets_.all();
  lane.clock_ns.store(packets.back().clock_ns, std::memory_order_relaxed);
  lane.last_packet_ms.store(nanoseconds(received_at_.time_since_epoch()) / 1'000'000,
                            std::memory_order_relaxed);
  if (shared_.workers == 1) {
    steered_ = packets.size();
    return;
  }
  lane.at_hand_ns.store(packets.front().clock_ns, std::memory_order_relaxed);
  lane.handed_up_to_ns.store(packets.front().clock_ns, std::memory_order_release);
  for (size_t i = 0; i < packets.size(); ++i) {
    owners_[i] = static_cast<uint8_t>(owner_of_frame(packets[i], shared_.owners, index_));
  }
}

/// A worker that waits for another's ring has a backlog that is the other's.
void LiveWorker::note_load(Clock::time_point now) noexcept {
  const uint64_t refused = shared_.lanes[index_].refused.load(std::memory_order_relaxed);
  const bool others_wait = refused != refused_noted_;
  const bool has_backlog = has_batch_ && !is_held_up_ && source_.has_backlog();
  overload_.note(has_backlog || others_wait, nanoseconds(now.time_since_epoch()));
  refused_noted_ = refused;
  is_held_up_ = false;
}

/// Until a ring is full: then the queue waits, and losses show where they belong, at the port.
void LiveWorker::hand_frames_over() noexcept {
  const std::span<const Packet> packets = packets_.all();
  if (steered_ == packets.size()) {
    return;
  }
  for (; steered_ < packets.size(); ++steered_) {
    const uint32_t owner = owners_[steered_];
    if (owner == index_) {
      continue;
    }
    if (!hand_over(shared_.ring(index_, owner), packets[steered_])) {
      counters_.add(Counter::hand_over_waits);
      shared_.lanes[owner].refused.fetch_add(1, std::memory_order_relaxed);
      is_held_up_ = true;
      break;
    }
    counters_.add(Counter::frames_handed_over);
  }
  publish_progress();
}

/// Where clocks are those of polls, a worker that has steered its batch holds up nobody: what it
/// polls next is later than all that the others have polled.
void LiveWorker::publish_progress() noexcept {
  const std::span<const Packet> packets = packets_.all();
  const bool is_steered = steered_ == packets.size();
  const uint64_t up_to = is_steered && packets_.has_poll_clocks()
                             ? UINT64_MAX
                             : packets[is_steered ? steered_ - 1 : steered_].clock_ns;
  shared_.lanes[index_].handed_up_to_ns.store(up_to, std::memory_order_release);
}

void LiveWorker::skip_foreign() noexcept {
  while (shared_.workers > 1 && inspected_ < steered_ && owners_[inspected_] != index_) {
    ++inspected_;
  }
}

bool LiveWorker::inspect_ready() noexcept {
  if (shared_.orders_by_time) {
    return inspect_in_order();
  }
  bool has_inspected = false;
  for (uint32_t from = 0; shared_.workers > 1 && from < shared_.workers; ++from) {
    for (unsigned i = 0; from != index_ && i < parcels_a_turn && take_over(from); ++i) {
      has_inspected = true;
    }
  }
  for (skip_foreign(); inspected_ < steered_; skip_foreign()) {
    inspect_own(UINT64_MAX);
    has_inspected = true;
  }
  return has_inspected;
}

/// Own packets and parcels, earliest first, as far as no other worker can hand over an earlier one.
bool LiveWorker::inspect_in_order() noexcept {
  bool has_inspected = false;
  for (unsigned i = 0; i < parcels_a_turn; ++i) {
    uint64_t limit_ns = 0;
    const Next next = find_next(limit_ns);
    if (next.clock_ns == UINT64_MAX) {
      break;
    }
    if (next.clock_ns <= limit_ns) {
      is_waiting_ = false;
    } else if (!gave_up_waiting()) {
      break;
    }
    has_inspected = true;
    if (next.from == index_) {
      inspect_own(std::max(limit_ns, next.clock_ns));
    } else {
      take_over(next.from);
    }
  }
  return has_inspected;
}

/// @param limit_ns  set to the clock up to which nothing earlier can come any more.
LiveWorker::Next LiveWorker::find_next(uint64_t& limit_ns) noexcept {
  skip_foreign();
  Next next;
  limit_ns = UINT64_MAX;
  if (inspected_ < steered_) {
    next = {packets_.all()[inspected_].clock_ns, index_};
  } else {  // what comes next from the own queues is not earlier than this
    limit_ns = shared_.lanes[index_].handed_up_to_ns.load(std::memory_order_relaxed);
  }
  for (uint32_t from = 0; from < shared_.workers; ++from) {
    if (from == index_) {
      continue;
    }
    // In this order: what is handed over before the promise is read is seen in the ring.
    const uint64_t promise = shared_.lanes[from].handed_up_to_ns.load(std::memory_order_acquire);
    const Bytes record = shared_.ring(from, index_).front();
    const uint64_t bound = record.data() != nullptr ? Parcel::clock_of(record) : promise;
    limit_ns = std::min(limit_ns, bound);
    if (record.data() != nullptr && bound < next.clock_ns) {
      next = {bound, from};
    }
  }
  return next;
}

bool LiveWorker::gave_up_waiting() noexcept {
  const auto now = Clock::now();
  if (!is_waiting_) {
    is_waiting_ = true;
    waits_since_ = waited_until_ = now;
  }
  waited_ns_ += nanoseconds(now - waited_until_);
  waited_until_ = now;
  if (now - waits_since_ < order_wait_max) {
    return false;
  }
  counters_.add(Counter::order_given_up);
  return true;
}

/// A run of own packets, up to the next one of another worker or behind the limit.
void LiveWorker::inspect_own(uint64_t limit_ns) noexcept {
  const std::span<Packet> packets = packets_.all();
  const size_t first = inspected_;
  while (inspected_ < steered_ && packets[inspected_].clock_ns <= limit_ns &&
         (shared_.workers == 1 || owners_[inspected_] == index_)) {
    Packet& packet = packets[inspected_++];
    clock_ns_ = packet.clock_ns = std::max(clock_ns_, packet.clock_ns);
  }
  inspect_frames(packets.subspan(first, inspected_ - first));
  number_ = packets[inspected_ - 1].number;
}

bool LiveWorker::take_over(uint32_t from) noexcept {
  RecordRing& ring = shared_.ring(from, index_);
  const Bytes record = ring.front();
  if (record.data() == nullptr) {
    return false;
  }
  if (!has_batch_ && !is_timed_) {  // the first of this turn
    is_timed_ = true;
    received_at_ = Clock::now();
  }
  Parcel parcel = open_parcel(record, room_);
  counters_.add(Counter::taken_over);
  clock_ns_ = parcel.packet.clock_ns = room_.packet.clock_ns =
      std::max(clock_ns_, parcel.packet.clock_ns);
  if (parcel.datagram != nullptr) {
    room_.datagram.clock_ns = clock_ns_;
    inspection_.inspect(*rules_, {&room_.datagram, 1});
  } else {
    inspect_frames({&parcel.packet, 1});
  }
  number_ = std::max(number_, parcel.packet.number);
  ring.pop();
  return true;
}

void LiveWorker::inspect_frames(std::span<const Packet> packets) noexcept {
  counters_.add(Counter::frames_decoded, packets.size());
  while (!packets.empty()) {
    packets = packets.subspan(decoder_.decode(packets, datagrams_));
    inspect_datagrams(datagrams_.all());
    datagrams_.clear();
    decoder_.release();
  }
}

/// Runs of own datagrams; those of others, found inside tunnels, go to their owners.
void LiveWorker::inspect_datagrams(std::span<const Datagram> datagrams) noexcept {
  if (shared_.workers == 1) {
    inspection_.inspect(*rules_, datagrams);
    return;
  }
  size_t first = 0;
  for (size_t i = 0; i < datagrams.size(); ++i) {
    const uint32_t owner =
        datagrams[i].address_version == 0 ? index_ : shared_.owners.owner_of(datagrams[i]);
    if (owner == index_) {
      continue;
    }
    inspection_.inspect(*rules_, datagrams.subspan(first, i - first));
    hand_datagram_over(owner, datagrams[i]);
    first = i + 1;
  }
  inspection_.inspect(*rules_, datagrams.subspan(first));
}

void LiveWorker::hand_datagram_over(uint32_t owner, const Datagram& datagram) noexcept {
  RecordRing& ring = shared_.ring(index_, owner);
  const bool fits = parcel_bytes(datagram) <= ring.record_bytes_max();
  bool is_done = fits && hand_over(ring, datagram);
  if (fits && !is_done) {
    const auto end = Clock::now() + hand_over_wait_max;
    while (!is_done && Clock::now() < end) {
      std::this_thread::yield();
      is_done = hand_over(ring, datagram);
    }
  }
  counters_.add(is_done ? Counter::datagrams_handed_over : Counter::datagrams_lost);
}

/// Flows whose time is up end, and the collector is told how far this worker is.
void LiveWorker::tell_progress() noexcept {
  inspection_.take_bypass_reports(clock_ns_);
  inspection_.expire(*rules_, clock_ns_);
  inspection_.mark(clock_ns_, number_);
}

/// Once nothing of the batch is left to do its packets' memory goes back.
void LiveWorker::end_batch() noexcept {
  skip_foreign();
  if (!has_batch_ || has_own()) {
    return;
  }
  note_latency();
  source_.release(packets_);  // every span of its packets dies here
  shared_.lanes[index_].at_hand_ns.store(UINT64_MAX, std::memory_order_release);
  has_batch_ = false;
  inspected_ = steered_ = 0;
}

void LiveWorker::note_latency() noexcept {
  const uint64_t spent_ns = nanoseconds(Clock::now() - received_at_);
  counters_.add(Counter::busy_ns, spent_ns - std::min(spent_ns, waited_ns_));
  latency_.add(spent_ns);
}

/// What was taken over while no batch was at hand is work, too.
void LiveWorker::note_busy() noexcept {
  if (is_timed_) {
    is_timed_ = false;
    counters_.add(Counter::busy_ns, nanoseconds(Clock::now() - received_at_));
  }
}

/// Nothing came. Time goes on all the same, and the core rests as the operator wants.
void LiveWorker::rest() noexcept {
  constexpr uint32_t polls_a_look = 256;
  const bool sleeps =
      (options_.idle == IdlePolicy::sleep || options_.idle == IdlePolicy::interrupt) &&
      empty_polls_ >= options_.idle_polls_max;
  if (sleeps || empty_polls_ % polls_a_look == 0) {
    keep_time();
  }
  // What another worker hands over rings no bell.
  if (sleeps && options_.idle == IdlePolicy::interrupt &&
      source_.wait(shared_.workers == 1 ? interrupt_wait_max_ms : 1)) {
    return;
  }
  if (sleeps) {
    std::this_thread::sleep_for(std::chrono::microseconds(options_.idle_sleep_us));
    return;
  }
  ++empty_polls_;
  if (options_.idle != IdlePolicy::spin) {
    __builtin_ia32_pause();
  }
}

/// Ends flows whose time is up, and tells the collector that nothing earlier comes from here: the
/// latest clock that any worker saw, and then as much as has passed since. As long as another
/// worker has packets under way, no further than it promises.
void LiveWorker::keep_time() noexcept {
  constexpr uint64_t step_ns = 1'000'000;
  uint64_t latest = clock_ns_;
  uint64_t promise = UINT64_MAX;
  for (uint32_t other = 0; other < shared_.workers; ++other) {
    const LiveShared::Lane& lane = shared_.lanes[other];
    latest = std::max(latest, lane.clock_ns.load(std::memory_order_relaxed));
    if (other != index_) {
      promise = std::min(promise, lane.handed_up_to_ns.load(std::memory_order_acquire));
      promise = std::min(promise, lane.at_hand_ns.load(std::memory_order_acquire));
      if (promise == 0 || shared_.ring(other, index_).front().data() != nullptr) {
        return;
      }
    }
  }
  const auto now = Clock::now();
  note_load(now);
  if (latest != idle_clock_ns_) {
    idle_clock_ns_ = latest;
    idle_since_ = now;
  }
  const uint64_t clock_ns = idle_clock_ns_ + nanoseconds(now - idle_since_);
  if (promise != UINT64_MAX) {
    inspection_.mark(std::min(latest, promise), 0);
  } else if (latest != 0 && clock_ns >= kept_ns_ + step_ns) {
    kept_ns_ = clock_ns;
    inspection_.take_bypass_reports(clock_ns);
    inspection_.expire(*rules_, clock_ns);
    inspection_.mark(latest, UINT64_MAX);
  }
}

/// Every worker first gets rid of its own batch, then takes what the others still hand over:
/// frames, whose decoding may give datagrams for yet another worker, and then datagrams alone.
void LiveWorker::wind_down() noexcept {
  inspection_.wait_for_room();
  while (has_batch_) {
    hand_frames_over();
    inspect_ready();
    end_batch();
  }
  shared_.lanes[index_].handed_up_to_ns.store(UINT64_MAX, std::memory_order_release);
  shared_.receiving.fetch_sub(1, std::memory_order_acq_rel);
  while (shared_.receiving.load(std::memory_order_acquire) != 0) {
    drain();
  }
  drain();
  shared_.decoding.fetch_sub(1, std::memory_order_acq_rel);
  while (shared_.decoding.load(std::memory_order_acquire) != 0) {
    drain();
  }
  drain();
  inspection_.take_bypass_reports(clock_ns_);
  inspection_.finish(*rules_);
}

void LiveWorker::drain() noexcept {
  while (inspect_ready()) {
  }
  std::this_thread::yield();
}

std::vector<CounterView> LiveWorker::counters() const {
  std::vector<CounterView> views{source_.counters(), counters_.view(rows),
                                 latency_.view(latency_rows::inspected()), overload_.counters()};
  for (const CounterView& view : decoder_.counters()) {
    views.push_back(view);
  }
  for (const CounterView& view : inspection_.counters()) {
    views.push_back(view);
  }
  return views;
}

}  // namespace shrike::worker
