#pragma once
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "hand_over.h"
#include "inspection.h"
#include "shrike/model/owner.h"
#include "strategy.h"

namespace shrike::worker {

/// Several workers. The calling thread reads, decodes and collects; it shares each load of
/// datagrams out by the owner table, and every worker gets every load, with its own share of it:
/// so all of them know how far the clock is, and the order of records comes from the capture alone.
///
/// Decoding stays in one place because fragments and tunnels give datagrams whose flow belongs to
/// a worker that the frame does not tell; it costs a twentieth of what inspection costs.
class OfflineRun::Spread final : public OfflineRun::Strategy {
 public:
  Spread(const OfflineOptions& options, capture::PacketSource& source, const RuleSet& rules,
         output::Collector& collector);
  ~Spread() override;

  bool step() override;
  void finish() override;
  [[nodiscard]] std::vector<ThreadCounters> counters() const override;
  [[nodiscard]] std::vector<const RuleCosts*> rule_costs() const override;

 private:
  /// What becomes of the workers' state with a load.
  enum class LoadKind : uint8_t { datagrams, begins_capture, last };

  /// A batch of packets, its datagrams, and each worker's share of them.
  struct Load {
    explicit Load(unsigned workers) : shares(workers) {}

    PacketBatch packets;
    DatagramBatch datagrams;
    std::vector<DatagramBatch> shares;
    LoadKind kind = LoadKind::datagrams;
    bool is_partial = false;           ///< more datagrams of the same packets follow
    std::atomic<unsigned> pending{0};  ///< workers that have not inspected their share yet
  };
  static constexpr size_t loads = 8;

  struct Core {
    Core(const EngineOptions& options, const RuleSet& rules);
    void run() noexcept;

    const RuleSet& rules;
    RecordRing ring;
    std::unique_ptr<RuleCosts> costs;
    Inspection inspection;
    HandOver<Load, loads> queue;
    unsigned index = 0;
    std::thread thread;
  };

  /// A load that no worker uses any more. Collects while it waits.
  Load& free_load();
  /// Waits until no worker uses any load.
  void drain();
  /// Makes the decoder's own buffers, where workers may still read them, free for reuse.
  void take_decoder_back();
  void wait_for(const Load& load);
  void share_out(Load& load);
  void hand_over(Load& load, LoadKind kind);

  decode::Decoder decoder_;
  OwnerTable owners_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::unique_ptr<Load>> loads_;
  size_t next_load_ = 0;
  const bool captures_are_apart_;
  uint32_t capture_index_ = 0;
  bool is_finished_ = false;
};

}  // namespace shrike::worker
