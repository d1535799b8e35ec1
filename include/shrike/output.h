#pragma once
#include <array>
#include <bitset>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/base/diagnostics.h"
#include "shrike/base/ring.h"
#include "shrike/model/alert.h"
#include "shrike/model/decode_event.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/stream.h"
#include "shrike/model/stream_event.h"

/// From matches to lines: records through one ring a core, one order over all cores, thresholds
/// and host bits, and every format and file.
namespace shrike::output {

/// The place of a record in the one order of a run. It comes from the capture alone, never from
/// who inspected what, so that any number of workers gives the same order.
struct OrderKey {
  uint32_t capture_index = 0;  ///< only where captures are apart (per_capture), else 0
  uint64_t clock_ns = 0;       ///< Datagram::clock_ns, FlowEnd::clock_ns
  /// What flows leave when they end comes behind all frames of the same clock: which later frame
  /// of that clock ended them is not known from the capture's clock alone.
  enum class Phase : uint8_t { frames, flow_ends } phase = Phase::frames;
  uint64_t number = 0;    ///< Datagram::number, FlowEnd::last_number
  uint8_t order = 0;      ///< Datagram::order; 255 for the end of a flow
  uint64_t flow_id = 0;   ///< EVE flow_id, 0 without a flow
  uint32_t sequence = 0;  ///< position among the records of one datagram

  friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
  friend bool operator==(const OrderKey&, const OrderKey&) = default;

  /// Behind everything that the frame `number` and all before it can give, and behind all flow
  /// ends before its clock: what to mark when a batch that ended with this frame is written.
  static constexpr OrderKey behind(uint32_t capture_index, uint64_t clock_ns,
                                   uint64_t number) noexcept {
    return {capture_index, clock_ns, Phase::frames, number, 255, UINT64_MAX, UINT32_MAX};
  }
};

/// Which kinds of oddities become EVE anomaly events (anomaly.types).
struct AnomalyTypes {
  bool decode = false;
  bool stream = false;
  bool application = false;  ///< (applayer)
};

/// What a worker copies into its records, and what a full ring means.
struct RecordOptions {
  bool packet_payload = false;       ///< for EVE payload and payload_printable
  uint32_t stream_bytes_max = 4096;  ///< of a stream match (Suricata: payload-buffer-size)
  bool frame = false;                ///< the whole frame, for EVE packet
  bool tagged_packets = true;        ///< records of packets that `tag` follows
  bool alert_transactions = false;   ///< alerts carry what their transaction says
  /// Records of finished transactions, by AppProtocol.
  std::bitset<static_cast<size_t>(AppProtocol::count_)> transactions;
  bool files = false;         ///< records of the files of finished transactions
  bool stored_files = false;  ///< records with the bytes of files to be stored
  AnomalyTypes anomalies;
  bool flow_ends = false;  ///< records for EVE flow and netflow
  /// Captures are apart: keys start anew with each (--per-file).
  bool per_capture = false;
  /// Live: a full ring drops the record, which is counted. Else the write gives false.
  bool drop_when_full = false;
};

struct RecordHead;
enum class RecordKind : uint8_t;

/// What the application layer adds to a record. Borrowed for the call.
struct AppContext {
  const AppView* view = nullptr;  ///< of the flow; null: none
  std::string_view members;       ///< JSON members of the transaction: `"http":{…}`
};

/// A file of a finished transaction. Borrowed for the call.
struct FileReport {
  Direction direction = Direction::to_server;  ///< that it went
  std::string_view members;                    ///< JSON: `"fileinfo":{…}`
};

/// Bytes of a file that is to be stored. Borrowed for the call.
struct FilePieceReport {
  uint64_t file_id = 0;
  uint64_t offset = 0;  ///< in what is stored of the file
  Bytes bytes;          ///< at most 8192
  bool is_end = false;  ///< `file` then says what it was
  FileReport file;
};

/// Something odd in a datagram, in its stream, or in what a parser read.
struct Anomaly {
  std::variant<DecodeEvent, StreamEvent, AppEvent> event;
  AppProtocol protocol = AppProtocol::unknown;  ///< of the flow, for an AppEvent
  const Transaction* transaction = nullptr;     ///< null: of none
};

/// One worker's end of its ring. Not thread-safe. Never allocates; every copy has a bound.
/// A write that gives false wrote nothing: let the collector run, then write again. With
/// drop_when_full no write gives false.
class RecordWriter {
 public:
  /// @param ring borrowed; at least 1 MiB where frames are copied.
  RecordWriter(const RecordOptions& options, RecordRing& ring) noexcept;

  [[nodiscard]] bool write_alert(const Alert& alert, const FlowVariables& variables,
                                 const AppContext& app = {}) noexcept;
  /// A transaction that is over, for EVE events of its protocol. Those that RecordOptions do not
  /// ask for are left out. @param tracked the datagram with which it ended.
  [[nodiscard]] bool write_transaction(const Transaction& transaction, const Tracked& tracked,
                                       const AppContext& app) noexcept;
  [[nodiscard]] bool wants(AppProtocol protocol) const noexcept {
    return options_.transactions.test(static_cast<size_t>(protocol));
  }
  /// For EVE fileinfo. Left out where RecordOptions do not ask for files. A report that is too long
  /// for a record counts as dropped. @param tracked the datagram with which its transaction ended.
  [[nodiscard]] bool write_file(const FileReport& file, const Tracked& tracked,
                                const AppContext& app) noexcept;
  /// For the file store. A lost piece is seen by the collector, which drops the file.
  [[nodiscard]] bool write_file_piece(const FilePieceReport& piece, const Tracked& tracked,
                                      const AppContext& app) noexcept;
  [[nodiscard]] bool stores_files() const noexcept { return options_.stored_files; }
  /// Records from now on belong to the end of this flow; null: to their datagrams. Borrowed.
  void set_flow_end(const FlowEnd* end) noexcept { flow_end_ = end; }
  [[nodiscard]] bool wants_files() const noexcept { return options_.files; }
  /// For EVE anomaly. The kinds that RecordOptions do not ask for are left out.
  [[nodiscard]] bool write_anomaly(const Anomaly& anomaly, const Tracked& tracked) noexcept;
  [[nodiscard]] AnomalyTypes anomaly_types() const noexcept { return options_.anomalies; }
  [[nodiscard]] bool write_flow_end(const FlowEnd& end, const FlowVariables& variables = {},
                                    const AppContext& app = {}) noexcept;
  /// Says that every record of this worker with a key up to `key` is written. Records between two
  /// marks may come in any order. A worker without traffic marks too, or nobody's records come out.
  [[nodiscard]] bool write_mark(const OrderKey& key) noexcept;

  /// Which rule set the rule indexes of the records from now on mean (see Collector::use_rules).
  void set_generation(uint64_t generation) noexcept { generation_ = generation; }
  /// See RecordOptions: a live run that ends waits for what it has.
  void set_drop_when_full(bool drops) noexcept { options_.drop_when_full = drops; }

  [[nodiscard]] CounterView counters() const noexcept;

  enum class Counter : uint8_t { written, dropped, marks_dropped, count_ };

 private:
  struct Draft;
  [[nodiscard]] RecordHead head_for(const Tracked& tracked, RecordKind kind) const noexcept;
  void add_members(Draft& draft, std::string_view members) const noexcept;
  [[nodiscard]] bool has_room(const Draft& draft, std::string_view members) const noexcept;
  [[nodiscard]] bool commit_numbered(const Draft& draft) noexcept;
  [[nodiscard]] bool commit(const Draft& draft, Counter if_dropped) noexcept;

  RecordOptions options_;
  RecordRing* ring_;
  uint64_t generation_ = 0;
  const FlowEnd* flow_end_ = nullptr;
  OrderKey last_key_;  ///< of the last alert, to number the records of one datagram
  bool has_last_key_ = false;
  Counters<Counter> counters_;
};

/// What the collector needs of a RuleSet. Borrowed: it stays alive until records that name its
/// generation are all released, that is until a later use_rules and then `finish`, or for good.
struct RuleCatalog {
  std::span<const RuleInfo> infos;
  std::span<const std::string> bit_names;
  std::span<const std::string> integer_names;
};

struct CollectorOptions {
  bool simulate_ips = false;  ///< drop rules block what they match, as an inline sensor would
  /// Logged alerts a datagram (Suricata: packet-alert-max). Counted after thresholds.
  uint32_t alerts_per_packet_max = 15;
  /// Threshold counters kept; the one unused for longest goes first. About 150 bytes each.
  uint32_t thresholds_max = 131072;
  /// Bits kept on hosts and pairs of hosts (xbits, hostbits). About 120 bytes each.
  uint32_t host_bits_max = 131072;
  /// Flows remembered for EVE flow.alerted and for rate_filter's verdicts. About 80 bytes each.
  uint32_t flows_max = 262144;
  /// Records that wait for a slower worker. Beyond it the oldest go out early, counted: a worker
  /// that stopped must not hold everything up.
  size_t pending_bytes_max = 256u << 20;
  /// Live: how long alerts take is measured. Packets' times are the wall clock's then.
  bool measures_latency = false;
};

/// A file that lines go to. Only whole lines ever stand in it, whatever happens to the disk.
struct FileOptions {
  std::string path;                       ///< relative to SinkOptions::directory, or absolute
  bool append = true;                     ///< else what was in the file goes when it is opened
  uint32_t mode = 0644;                   ///< permissions of a new file
  uint32_t buffer_bytes = 256u << 10;     ///< written at once when full: few system calls
  uint32_t backlog_bytes_max = 4u << 20;  ///< kept while the file cannot be written; then lost
  uint32_t flush_interval_ms = 1000;      ///< how old a line may become in the buffer; 0: each line
  uint32_t retry_interval_ms = 1000;      ///< between attempts to write or open again
};

/// EVE JSON, one event a line. Names of settings in parentheses are Suricata's.
struct EveOptions {
  FileOptions file{.path = "eve.json"};
  // Event types.
  bool alerts = true;
  bool tagged_packets = true;  ///< event_type packet (alert.tagged-packets)
  bool flows = false;
  bool netflows = false;
  bool statistics = false;
  bool overloads = true;  ///< live: what was not inspected to keep up; Shrike's own
  /// An event for each transaction of these protocols (types: http, dns, tls …).
  std::bitset<static_cast<size_t>(AppProtocol::count_)> transactions;
  /// fileinfo: an event for each file of a transaction (types: files).
  bool files = false;
  bool file_magic = false;             ///< … says what libmagic sees (files.force-magic)
  std::array<bool, 3> file_digests{};  ///< … MD5, SHA-1, SHA-256 (files.force-hash)
  AnomalyTypes anomalies;              ///< (types: anomaly)
  // What every event says.
  bool metadata = true;            ///< flow bits and flow integers (metadata)
  bool community_id = false;       ///< (community-id)
  uint16_t community_id_seed = 0;  ///< (community-id-seed)
  bool ethernet = false;           ///< MAC addresses (ethernet)
  bool pcap_filename = false;      ///< (pcap-file)
  std::string sensor_name;         ///< `host`, where not empty (sensor-name)
  std::optional<uint64_t> sensor_id;
  /// Live: in_iface by capture index; and packets have no place in a capture then.
  std::vector<std::string> interface_names;
  bool ipv6_compress = false;  ///< RFC 5952 text instead of all digits (ipv6-compress)
  // What an alert says.
  bool rule_metadata = true;     ///< (metadata.rule.metadata)
  bool rule_references = false;  ///< (metadata.rule.reference)
  bool rule_text = false;        ///< (metadata.rule.raw)
  bool alert_flow = true;        ///< (metadata.flow)
  bool payload = false;          ///< base64
  bool payload_printable = false;
  bool payload_length = false;
  uint32_t payload_buffer_bytes = 4096;  ///< of stream matches (payload-buffer-size)
  bool packet = false;                   ///< the frame, base64
  bool verdict = false;
  // What statistics say.
  bool statistics_totals = true;
  bool statistics_threads = false;
  bool statistics_deltas = false;
  bool statistics_zeroes = true;  ///< counters that are 0 too (null-values)
};

/// fast.log: one line an alert, as Snort and Suricata write it.
struct FastLogOptions {
  FileOptions file{.path = "fast.log"};
  bool ipv6_compress = false;
};

/// CSV by RFC 4180 (lines end in \n, as everywhere else here): one row an alert.
struct CsvOptions {
  FileOptions file{.path = "alerts.csv"};
  /// Names from csv_columns(); an unknown one is an error.
  std::vector<std::string> columns{"timestamp", "src_ip",   "src_port",     "dest_ip",
                                   "dest_port", "proto",    "signature_id", "signature",
                                   "category",  "severity", "action"};
  bool header = true;  ///< column names as the first line of a new file
  bool ipv6_compress = false;
};

/// A column that CSV can have.
struct CsvColumn {
  std::string_view name;
  std::string_view meaning;
};
[[nodiscard]] std::span<const CsvColumn> csv_columns() noexcept;

/// Files named by their SHA-256 below a directory (file-store, version 2).
struct FileStoreOptions {
  std::string directory = "filestore";  ///< relative to SinkOptions::directory, or absolute (dir)
  bool all = false;                     ///< not only where rules ask (force-filestore)
  bool fileinfo = false;                ///< an EVE event beside each file (write-fileinfo)
  bool magic = false;                   ///< (force-magic)
  std::array<bool, 3> digests{false, false, true};  ///< for EVE (force-hash)
  uint64_t file_bytes_max = 1 << 20;                ///< of each file (stream-depth)
  uint32_t open_files_max = 1000;                   ///< at the same time (max-open-files)
  /// Without a piece, then a file is given up: its last piece was lost. Longer than a flow lives
  /// without packets. Shrike's own (idle-timeout).
  uint32_t idle_seconds_max = 3600;
  uint64_t run_bytes_max = 10ull << 30;  ///< of all files; Shrike's own (max-total-size)
  uint64_t run_files_max = 1000000;      ///< Shrike's own (max-files)
};

/// Where events go. Several of a kind may stand side by side, under other file names.
struct SinkOptions {
  std::string directory = ".";
  std::vector<EveOptions> eve;
  std::vector<FastLogOptions> fast_log;
  std::vector<CsvOptions> csv;
  std::optional<FileStoreOptions> file_store;
};

/// What the workers must copy for these sinks.
[[nodiscard]] RecordOptions records_for(const SinkOptions& sinks) noexcept;

/// The counters of one thread, for EVE stats.
struct ThreadStatistics {
  std::string_view thread;  ///< "W#01"
  std::span<const CounterView> views;
};
/// What became of the rules, for stats.detect.engines.
struct EngineStatistics {
  uint64_t last_reload_ns = 0;
  uint32_t rules_loaded = 0;
  uint32_t rules_failed = 0;
  uint32_t rules_skipped = 0;
};
struct Statistics {
  uint64_t time_ns = 0;  ///< of the event, wall clock
  uint64_t uptime_seconds = 0;
  std::span<const ThreadStatistics> threads;  ///< totals are their sums, by name
  std::optional<EngineStatistics> engine;
};

/// What one worker stopped inspecting in a time, for EVE overload. The records of a worker follow
/// each other without a gap where something was given up: their sums are those of the counters.
struct OverloadReport {
  struct Share {
    std::string_view cause;
    uint64_t flows = 0;    ///< given up in this time
    uint64_t packets = 0;  ///< of flows that were given up then or earlier, not inspected
    uint64_t bytes = 0;    ///< on the wire
  };
  std::string_view worker;  ///< "W#01"
  uint64_t start_ns = 0;    ///< wall clock
  uint64_t end_ns = 0;
  bool is_overloaded = false;  ///< at the end of this time still
  std::span<const Share> shares;
};

/// queued = written + lost + still in the buffer; after `finish` the last is 0.
struct SinkTotals {
  std::string_view name;  ///< "eve-log", "fast", "csv"
  std::string path;
  uint64_t queued = 0;
  uint64_t written = 0;
  uint64_t lost = 0;
  std::string fault;  ///< why it cannot write now; empty where it can
};
struct SignatureTotals {
  uint32_t gid = 0;
  uint32_t sid = 0;
  uint32_t rev = 0;
  std::string message;
  uint64_t logged = 0;
  uint64_t suppressed = 0;  ///< matched, but a threshold or suppression kept it back
};
struct Summary {
  uint64_t alerts_logged = 0;
  uint64_t alerts_suppressed = 0;
  std::vector<SignatureTotals> signatures;  ///< most logged first, then by gid and sid
  std::vector<SinkTotals> sinks;
};

/// The one thread that sees all records in order. It decides host bits and thresholds, so both are
/// exact and do not depend on the number of workers. Every method is for that one thread, except
/// name_capture. Not on the packet path: it may allocate.
class Collector {
 public:
  /// Opens the files; one that cannot be opened is an error in `diagnostics`, and the sink tries
  /// again while it runs.
  Collector(const CollectorOptions& options, const SinkOptions& sinks, Diagnostics& diagnostics);
  ~Collector();
  Collector(Collector&&) noexcept;

  /// The rule set that records of this generation mean (RuleSet::generation, or 0 for the only
  /// one).
  void use_rules(uint64_t generation, const RuleCatalog& catalog);
  /// Forgets the rule set of a generation once no record that names it is left. To be asked when no
  /// worker uses it any more, and poll() had nothing to take since.
  /// @return false while records still wait: ask again.
  [[nodiscard]] bool retire_rules(uint64_t generation);
  /// One ring a worker, borrowed until the next attach. What the last ones held is collected.
  void attach(std::span<RecordRing* const> rings);
  /// Path of a capture, for pcap_filename. Any thread, before the capture's first record is taken.
  void name_capture(uint32_t capture_index, std::string_view path);

  /// Takes what is in the rings and releases what no worker can come before any more. Also writes
  /// out old buffers and tries again where a sink had failed.
  /// @return records taken, marks included: 0 where there was nothing to do.
  size_t poll() noexcept;

  /// Every worker is done: releases what is left, in order, and writes all buffers out.
  void finish() noexcept;

  /// Forgets thresholds, host bits and flows. Happens by itself where keys change to another
  /// capture (RecordOptions::per_capture).
  void forget() noexcept;

  void write_statistics(const Statistics& statistics);
  void write_overload(const OverloadReport& report);
  /// Writes all buffers out now.
  void flush() noexcept;
  /// Closes and opens every file again, after log rotation moved it.
  void reopen() noexcept;

  [[nodiscard]] Summary summary() const;
  [[nodiscard]] uint64_t alerts_logged() const noexcept;
  /// What the operator should be told about the sinks, each once: that one cannot write, that it
  /// can again. Clears the list.
  [[nodiscard]] std::vector<std::string> take_notices();
  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shrike::output
