#pragma once
#include <memory>
#include <string>
#include <vector>

#include "capture_reader.h"
#include "frame_buffers.h"
#include "packet_filter.h"
#include "shrike/capture.h"

namespace shrike::capture {

enum class CaptureCounter : uint8_t {
  packets,
  bytes,
  wire_bytes,
  filtered,
  unknown_link,
  no_buffer,
  captures,
  faults,
  count_,
};

/// Where one capture comes from.
struct CapturePlace {
  std::string path;  ///< or name
  bool is_memory = false;
  Bytes memory = {};    ///< borrowed
  uint32_t rounds = 1;  ///< memory only
  uint64_t round_gap_ns = 0;
};

struct CaptureSourceOptions {
  bool per_file = false;
  bool uses_packet_memory = true;
  uint32_t batch_packets = limits::batch_packets_max;
  uint32_t batches_in_flight_max = 16;
};

/// Hands out the packets of captures, one after the other.
class CaptureSource final : public PacketSource {
 public:
  CaptureSource(std::vector<CapturePlace> places, std::unique_ptr<PacketFilter> filter,
                const CaptureSourceOptions& options);

  void receive(PacketBatch& batch) noexcept override;
  void release(PacketBatch& batch) noexcept override;
  [[nodiscard]] bool is_finished() const noexcept override { return next_place_ > places_.size(); }
  [[nodiscard]] const std::vector<CaptureInfo>& captures() const noexcept override {
    return captures_;
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return faults_; }
  [[nodiscard]] CounterView counters() const noexcept override;

  /// Memory that places borrow from, where it is this source's own (a decompressed capture).
  void own(std::vector<uint8_t> memory) { owned_memory_ = std::move(memory); }
  void add_fault(const std::string& path, const FormatFault& fault);

 private:
  /// What stands between a record and its packet.
  enum class Step : uint8_t { took, held_back, no_buffer };

  bool open_next() noexcept;
  bool next_record() noexcept;
  void fill(PacketBatch& batch) noexcept;
  Step take_record(PacketBatch& batch) noexcept;
  bool drop_hopeless() noexcept;
  void change_link() noexcept;
  bool tell_link_once() noexcept;
  void end_capture(Outcome outcome) noexcept;
  bool begin_round() noexcept;
  void note_progress() noexcept;

  const std::vector<CapturePlace> places_;
  const std::unique_ptr<PacketFilter> filter_;
  const CaptureSourceOptions options_;
  std::unique_ptr<FrameBuffers> buffers_;  ///< null where frames are borrowed
  std::vector<uint8_t> owned_memory_;

  /// Index in places_ of the capture that comes next; one more than their number at the end.
  size_t next_place_ = 0;
  std::unique_ptr<CaptureReader> reader_;  ///< null between captures
  Record record_;
  bool has_record_ = false;  ///< record_ was read and waits for a buffer
  uint32_t link_number_ = 0;
  LinkType link_type_ = LinkType::unknown;
  bool link_is_known_ = false;                 ///< link_number_ means something
  const PacketFilter* link_filter_ = nullptr;  ///< null: everything passes
  bool link_is_shut_ = false;         ///< the filter does not fit this link type: nothing passes
  std::vector<uint32_t> links_told_;  ///< of this capture, told in faults_
  uint64_t number_ = 0;
  uint64_t number_before_ = 0;  ///< number_ when this capture began
  uint64_t clock_ns_ = 0;
  uint32_t rounds_left_ = 0;
  uint64_t round_begin_ns_ = 0;
  uint64_t round_shift_ns_ = 0;
  bool round_has_begun_ = false;

  std::vector<CaptureInfo> captures_;
  Diagnostics faults_;
  Counters<CaptureCounter> counters_;
};

}  // namespace shrike::capture
