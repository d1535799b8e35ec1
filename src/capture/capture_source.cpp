#include "capture_source.h"

#include <algorithm>
#include <array>

#include "link_types.h"

namespace shrike::capture {

namespace {

constexpr std::array<CounterRow, Counters<CaptureCounter>::count> counter_rows{{
    {"capture.packets", "packets", "frames handed to the decoder"},
    {"capture.bytes", "bytes", "captured bytes of those frames"},
    {"capture.wire_bytes", "bytes", "length of those frames on the wire"},
    {"capture.filtered", "packets", "frames that the packet filter held back"},
    {"capture.unknown_link", "packets", "frames handed over whose link type nothing decodes"},
    {"capture.no_buffer", "receives", "receive calls that stopped because no buffer was free"},
    {"capture.captures", "captures", "captures opened"},
    {"capture.faults", "captures", "captures that were broken and read as far as they go"},
}};

}  // namespace

CaptureSource::CaptureSource(std::vector<CapturePlace> places, std::unique_ptr<PacketFilter> filter,
                             const CaptureSourceOptions& options)
    : places_(std::move(places)), filter_(std::move(filter)), options_(options) {
  if (options_.uses_packet_memory) {
    buffers_ = std::make_unique<FrameBuffers>(options_.batches_in_flight_max *
                                              static_cast<uint32_t>(limits::batch_packets_max));
  }
  captures_.reserve(places_.size());
}

CounterView CaptureSource::counters() const noexcept {
  return counters_.view(counter_rows);
}

void CaptureSource::receive(PacketBatch& batch) noexcept {
  batch.clear();
  while (batch.size() == 0) {
    if (reader_ == nullptr && !open_next()) {
      return;
    }
    fill(batch);
    note_progress();
    if (reader_ != nullptr) {
      return;  // full, or nothing now
    }
  }
}

void CaptureSource::release(PacketBatch& batch) noexcept {
  if (buffers_ != nullptr) {
    for (const Packet& packet : batch.all()) {
      buffers_->release(static_cast<rte_mbuf*>(packet.buffer));
    }
  }
  batch.clear();
}

bool CaptureSource::open_next() noexcept {
  if (next_place_ >= places_.size()) {
    next_place_ = places_.size() + 1;
    return false;
  }
  const CapturePlace& place = places_[next_place_++];
  reader_ = place.is_memory ? std::make_unique<CaptureReader>(place.memory)
                            : std::make_unique<CaptureReader>(place.path);
  captures_.push_back({.path = place.path, .file_bytes = reader_->file_bytes()});
  counters_.add(CaptureCounter::captures);
  rounds_left_ = place.rounds;
  round_has_begun_ = false;
  round_shift_ns_ = 0;
  link_is_known_ = false;
  links_told_.clear();
  if (options_.per_file) {
    number_ = 0;
    clock_ns_ = 0;
  }
  number_before_ = number_;
  return true;
}

/// Reads one record, of the next round where one is due. @return false where none is there.
bool CaptureSource::next_record() noexcept {
  Outcome outcome = reader_->next(record_);
  while (outcome == Outcome::end && begin_round()) {
    outcome = reader_->next(record_);
  }
  has_record_ = outcome == Outcome::record;
  if (!has_record_ && outcome != Outcome::later) [[unlikely]] {
    end_capture(outcome);
  }
  return has_record_;
}

/// Fills the batch until it is full, the capture is at its end or nothing more comes for now.
void CaptureSource::fill(PacketBatch& batch) noexcept {
  while (batch.size() < options_.batch_packets) {
    if (!has_record_ && !next_record()) {
      return;
    }
    if (take_record(batch) == Step::no_buffer) [[unlikely]] {
      counters_.add(CaptureCounter::no_buffer);
      if (batch.size() != 0 || !drop_hopeless()) {
        return;
      }
    }
    has_record_ = false;
  }
}

CaptureSource::Step CaptureSource::take_record(PacketBatch& batch) noexcept {
  if (record_.link_number != link_number_ || !link_is_known_) [[unlikely]] {
    change_link();
  }
  if (link_is_shut_ || (link_filter_ != nullptr && !link_filter_->passes(record_))) {
    counters_.add(CaptureCounter::filtered);
    return Step::held_back;
  }
  Packet packet;
  packet.frame = record_.frame;
  if (buffers_ != nullptr) {
    rte_mbuf* const buffer = buffers_->copy(record_.frame);
    if (buffer == nullptr) [[unlikely]] {
      return Step::no_buffer;
    }
    packet.buffer = buffer;
    packet.frame = {FrameBuffers::data_of(buffer), record_.frame.size()};
  }
  if (!round_has_begun_) [[unlikely]] {
    round_has_begun_ = true;
    round_begin_ns_ = record_.time_ns;
  }
  packet.time_ns = record_.time_ns + round_shift_ns_;
  clock_ns_ = std::max(clock_ns_, packet.time_ns);
  packet.clock_ns = clock_ns_;
  packet.number = ++number_;
  packet.wire_bytes = record_.wire_bytes;
  packet.capture_index = static_cast<uint32_t>(captures_.size() - 1);
  packet.link_type = link_type_;
  batch.push(packet);
  counters_.add(CaptureCounter::packets);
  counters_.add(CaptureCounter::bytes, record_.frame.size());
  counters_.add(CaptureCounter::wire_bytes, record_.wire_bytes);
  counters_.add(CaptureCounter::unknown_link, link_type_ == LinkType::unknown ? 1 : 0);
  return Step::took;
}

/// Gives up a record for which no memory will ever come free, rather than wait for good.
bool CaptureSource::drop_hopeless() noexcept {
  if (buffers_->has_loans() || !buffers_->is_long(record_.frame.size())) {
    return false;
  }
  add_fault(captures_.back().path,
            {"capture-memory", fmt::format("a frame of {} bytes was dropped: packet memory is full",
                                           record_.frame.size())});
  return true;
}

/// Frames of another link type than before: what the decoder calls it, and which filter applies.
void CaptureSource::change_link() noexcept {
  link_number_ = record_.link_number;
  link_is_known_ = true;
  link_type_ = to_link_type(link_number_);
  const std::string& path = captures_.back().path;
  const bool is_unknown = link_type_ == LinkType::unknown;
  // What nothing decodes is counted, whatever the filter thinks of its bytes.
  const bool is_filtered = filter_ != nullptr && !is_unknown;
  link_is_shut_ = is_filtered && !filter_->select(link_number_);
  link_filter_ = is_filtered && !link_is_shut_ ? filter_.get() : nullptr;
  if ((!is_unknown && !link_is_shut_) || !tell_link_once()) {
    return;
  }
  if (is_unknown) {
    faults_.warning({.file = path}, "capture-link",
                    "has frames of link type {}, which are counted and not decoded", link_number_);
  } else {
    add_fault(path, {"capture-filter",
                     fmt::format("the packet filter does not fit link type {}, so none of its "
                                 "packets pass: {}",
                                 link_number_, filter_->why())});
  }
}

/// Whether this link type is told for the first time in this capture. A capture that has very
/// many different ones is noise: the rest goes untold.
bool CaptureSource::tell_link_once() noexcept {
  constexpr size_t links_told_max = 16;
  const bool is_told =
      std::find(links_told_.begin(), links_told_.end(), link_number_) != links_told_.end();
  if (is_told || links_told_.size() == links_told_max) {
    return false;
  }
  links_told_.push_back(link_number_);
  return true;
}

void CaptureSource::end_capture(Outcome outcome) noexcept {
  note_progress();
  if (outcome == Outcome::fault) {
    add_fault(captures_.back().path, reader_->fault());
  }
  reader_.reset();
}

void CaptureSource::add_fault(const std::string& path, const FormatFault& fault) {
  faults_.error({.file = path}, fault.code, "{}", fault.what);
  counters_.add(CaptureCounter::faults);
}

/// The same capture once more, later. @return false where that was the last time, or it is empty.
bool CaptureSource::begin_round() noexcept {
  if (rounds_left_ <= 1 || !round_has_begun_) {
    return false;
  }
  --rounds_left_;
  const CapturePlace& place = places_[next_place_ - 1];
  round_shift_ns_ = clock_ns_ - round_begin_ns_ + place.round_gap_ns;
  reader_ = std::make_unique<CaptureReader>(place.memory);
  return true;
}

void CaptureSource::note_progress() noexcept {
  if (reader_ != nullptr) {
    CaptureInfo& info = captures_.back();
    info.packets = number_ - number_before_;
    info.bytes = reader_->consumed_bytes();
  }
}

}  // namespace shrike::capture
