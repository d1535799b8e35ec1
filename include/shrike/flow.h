#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/stream.h"

/// Flows, TCP sessions and reassembly of one core.
namespace shrike::flow {

/// Who keeps which bytes where TCP segments overlap (Suricata: host-os-policy).
enum class TargetPolicy : uint8_t {
  none,
  bsd,
  bsd_right,
  old_linux,
  linux,
  old_solaris,
  solaris,
  hpux10,
  hpux11,
  irix,
  macos,
  windows,
  vista,
  windows2k3,
  first,
  last
};
struct TargetPolicyRange {
  AddressRange range;
  TargetPolicy policy = TargetPolicy::bsd;
};

struct Timeouts {  ///< seconds without a packet
  uint32_t fresh = 30, established = 300, closed = 0, bypassed = 100;
};

enum class ExceptionPolicy : uint8_t {
  ignore,
  bypass,
  pass_flow,
  pass_packet,
  drop_flow,
  drop_packet,
  reject
};

/// Why a live sensor gave a flow up that neither a rule nor a parser had.
enum class ShedCause : uint8_t {
  encrypted,  ///< overload: past the handshake of TLS or SSH
  large,      ///< overload: among the largest flows
  elephant,   ///< more than its share of a core
  count_,
};
/// What is counted of the flows that were given up, for each cause.
enum class ShedCount : uint8_t { flows, packets, bytes, count_ };

struct FlowOptions {
  uint32_t flows_max = 262144;  ///< a power of two
  Timeouts tcp{60, 600, 60, 100};
  Timeouts udp{30, 300, 0, 100};
  Timeouts icmp{30, 300, 0, 100};
  Timeouts other{30, 300, 0, 100};
  bool vlan_separates_flows = true;
  bool midstream = false;       ///< stream.midstream
  bool async_one_side = false;  ///< stream.async-oneside
  bool check_checksums = true;  ///< stream.checksum-validation
  bool is_inline = false;       ///< stream.inline, simulate-ips: inspect before the ACK
  bool drop_invalid = true;
  uint64_t depth_bytes = 1 << 20;  ///< per direction; 0: no limit
  std::array<uint32_t, 2> chunk_bytes{2560, 2560};
  uint64_t stream_memory_bytes_max = 64u << 20;
  uint32_t synack_queue_max = 5;
  uint32_t syn_queue_max = 10;     ///< stream.max-syn-queued
  bool liberal_timestamps = true;  ///< stream.liberal-timestamps
  /// Give in-order bytes to the application layer (AppChunk) and wait for its answer: every entry
  /// of a batch then goes through `resume`.
  bool feeds_parsers = false;
  /// Tell where overlapping segments differ; keeps a window of inspected bytes. Suricata:
  /// stream.reassembly.check-overlap-different-data, and any rule on that stream event.
  bool compare_overlaps = false;
  enum class Urgent : uint8_t { oob, inline_, drop, gap } urgent = Urgent::oob;
  uint32_t urgent_oob_bytes_max = 0;  ///< per direction; 0: 65535, then inline
  ExceptionPolicy midstream_policy = ExceptionPolicy::ignore;
  std::vector<TargetPolicyRange> target_policies;  ///< longest prefix wins; default bsd
  bool can_shed = false;  ///< live: counts what is given up, and shows it among the counters
};

/// One core's flows. Not thread-safe. Memory is taken by the constructor (touched when used).
class FlowTracker {
 public:
  explicit FlowTracker(const FlowOptions& options);
  ~FlowTracker();
  FlowTracker(FlowTracker&&) noexcept;

  /// Finds or opens the flow of each datagram, follows TCP, and gives the datagrams back in order
  /// with what is known of their flow and with the stream bytes ready to inspect. Flows whose time
  /// is up before a datagram's clock end first: their last bytes come as pseudo datagrams.
  /// Stops early where `out` or its own chunk memory is full. Clears `out` first.
  /// @return datagrams taken. 0 of a non-empty span where the ends of flows alone filled `out`:
  ///         inspect it and call again with the same span.
  size_t track(std::span<const Datagram> datagrams, TrackedBatch& out) noexcept;

  /// With feeds_parsers: the application layer's answer to one entry of the last track, expire or
  /// finish. Call it for each entry, in order, before inspecting it: it hands over the raw chunks
  /// that waited for the answer, and may turn the entry's direction round. `track` stops before a
  /// second datagram of a flow whose answer is due, so the size of a batch changes nothing.
  void resume(const AppWishes& wishes, TrackedBatch& out, Tracked& tracked) noexcept;

  /// Whether the flow has transactions that are not yet inspected in each direction: then it gets
  /// a last look at its end, whatever state TCP is in.
  void note_open_transactions(FlowId flow, std::array<bool, 2> open) noexcept;

  /// Ends flows whose time is up at `clock_ns` though no datagram came. False where `out` was full
  /// and the call must be repeated. Clears `out` first.
  bool expire(uint64_t clock_ns, TrackedBatch& out) noexcept;

  /// Ends all flows, in order of their last datagram: repeat until it gives false, inspecting
  /// `out` each time. Where it gives false, `out` and ends() are empty and so is the table, as new.
  /// Clears `out` first.
  bool finish(TrackedBatch& out) noexcept;

  /// Flows that ended in the last track, expire or finish, in order.
  [[nodiscard]] std::span<const FlowEnd> ends() const noexcept;

  /// What detect or an exception policy decided about a flow: it then costs a lookup and a counter.
  void set_verdict(FlowId flow, FlowVerdict verdict) noexcept;

  /// Gives a flow up for good: it is not followed any more, what comes of it costs a lookup and a
  /// counter, and it ends as bypassed. Between the calls of track; what the last one gave stays
  /// valid. A new connection of the same ends is a new flow.
  /// @return false where it has ended, or was not followed anyway.
  bool shed(FlowId flow, ShedCause cause) noexcept;
  [[nodiscard]] bool is_shed(FlowId flow) const noexcept;
  /// Its parser said that both directions are encrypted from here on.
  [[nodiscard]] bool is_encrypted(FlowId flow) const noexcept;
  /// By ShedCause, then ShedCount: what came after a flow was given up. Any thread may read it.
  [[nodiscard]] CounterView shed_counters() const noexcept;
  /// A bypassed flow goes on though its datagrams no longer come here: its time begins anew.
  /// Nothing, where the slot has another flow by now. @return whether it is still there.
  bool keep_alive(FlowId flow, uint64_t eve_id, uint64_t time_ns, uint64_t clock_ns) noexcept;

  [[nodiscard]] uint32_t slots() const noexcept;  ///< FlowId::slot() is below this
  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shrike::flow
