#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/base/json_writer.h"
#include "shrike/model/transaction.h"

/// The application layer of one core's flows: identification by content, parsers, transactions.
namespace shrike::protocol {

/// What the operator may say about one protocol (Suricata: app-layer.protocols.<name>).
struct ProtocolSetting {
  enum class Mode : uint8_t { on, identify_only, off } mode = Mode::on;
  /// detection-ports: where probing parsers are tried; empty: the parser's own.
  std::vector<uint16_t> server_ports;
  std::vector<uint16_t> client_ports;
};

/// Bounds of HTTP (Suricata: app-layer.protocols.http.libhtp.default-config).
struct HttpOptions {
  uint64_t request_body_bytes_max = 100 << 10;  ///< inspected; 0: all
  uint64_t response_body_bytes_max = 100 << 10;
  uint32_t request_inspect_bytes_min = 32 << 10;
  uint32_t request_window_bytes = 4 << 10;
  uint32_t response_inspect_bytes_min = 40 << 10;
  uint32_t response_window_bytes = 16 << 10;
  uint32_t decompression_layers_max = 2;
  uint64_t compression_bomb_bytes = 1 << 20;
  bool double_decode_path = false;
  bool double_decode_query = false;
  bool query_plus_is_space = false;
  uint32_t header_bytes_max = 18 << 10;  ///< one line with its continuations
  uint32_t headers_max = 1024;
  uint32_t transactions_max = 512;
};

/// Bounds of mail (Suricata: app-layer.protocols.smtp).
struct SmtpOptions {
  bool decode_mime = true;
  bool decode_base64 = true;
  bool decode_quoted_printable = true;
  bool raw_extraction = false;
  bool extract_urls = true;
  bool body_md5 = false;
  uint32_t header_value_bytes_max = 2000;
  uint32_t content_bytes_max = 100000;
  uint32_t inspect_bytes_min = 32768;
  uint32_t window_bytes = 4096;
};

/// Which files are handed out to be stored (Suricata: file-store).
enum class FileStoring : uint8_t { off, by_rule, all };

/// Bytes of a file that is to be stored. Valid until the next call that is not const.
struct FilePiece {
  Direction direction = Direction::to_server;  ///< that the file goes
  uint64_t offset = 0;                         ///< in what is stored of it
  Bytes bytes;                                 ///< at most file_piece_bytes_max
  bool is_end = false;                         ///< nothing follows
};
constexpr size_t file_piece_bytes_max = 8192;

struct ProtocolOptions {
  uint32_t flow_slots = 0;  ///< FlowTracker::slots()
  std::array<ProtocolSetting, static_cast<size_t>(AppProtocol::count_)> protocols;
  uint64_t memory_bytes_max = 512u << 20;  ///< per core; beyond it new data is not parsed, counted
  uint32_t transactions_per_flow_max = 1024;
  bool midstream = false;  ///< stream.midstream: bytes may be of either side, whoever is called it
  bool tls_encrypted_bypass = false;  ///< tls.encryption-handling: bypass
  bool tls_encrypted_full = false;    ///< … full: raw inspection goes on
  bool tls_fingerprints = true;       ///< ja3-fingerprints
  bool tls_ja4_fingerprints = true;   ///< ja4-fingerprints
  bool ssh_fingerprints = true;       ///< hassh
  bool ssh_encrypted_bypass = false;  ///< ssh.encryption-handling: bypass
  HttpOptions http;
  SmtpOptions smtp;
  /// What is worked out for every file: MD5, SHA-1 and SHA-256, and what libmagic calls it. Only
  /// where a rule or a record wants it.
  std::array<bool, 3> file_digests{};
  bool file_magic = false;
  FileStoring file_storing = FileStoring::off;
  /// Bytes kept of a file that waits for a rule to ask for it, and stored of each file at most.
  uint64_t stored_file_bytes_max = 1 << 20;
  /// Settings by Suricata's dotted names below app-layer.protocols that only one parser reads.
  std::vector<std::pair<std::string, std::string>> others;
};

/// One core's parsers. Not thread-safe. After warm-up memory comes from pools of its own.
class ProtocolParsers {
 public:
  explicit ProtocolParsers(const ProtocolOptions& options);
  ~ProtocolParsers();
  ProtocolParsers(ProtocolParsers&&) noexcept;

  /// Takes what one datagram brings to the application layer: the stream bytes that flow made
  /// ready with it, or the payload of a UDP datagram. Call for every datagram, in order.
  /// @return the application layer of its flow, or null where it has no flow or no such layer.
  ///         Valid until the next call of any method that is not const.
  const AppView* parse(const Tracked& tracked, std::span<const AppChunk> chunks) noexcept;

  /// What flow is to do differently after the last `parse`.
  [[nodiscard]] const AppWishes& wishes() const noexcept;

  /// Detection of this datagram is over: transactions that are complete and inspected go.
  void settle(const Tracked& tracked) noexcept;

  /// Transactions that the last `settle` or `release` is about to free: complete, or cut off by the
  /// end of the flow. Valid until the next `parse`.
  [[nodiscard]] std::span<const Transaction* const> finished() const noexcept;

  /// The flow ended: all it keeps is freed (at the next call).
  /// @return what it was identified as, without its transactions and events, or null where it had
  ///         no such layer. Valid until the next parse, settle, release or reset.
  const AppView* release(FlowId flow) noexcept;

  /// Forgets all flows and expectations (a new capture begins).
  void reset() noexcept;

  /// Writes the members that EVE shows of a transaction: `"http":{…}` and its like.
  void describe(const Transaction& transaction, JsonWriter& json) const;
  /// Writes `files`: those that it carries in one direction. Nothing where there are none.
  void describe_files(const Transaction& transaction, Direction direction, JsonWriter& json) const;
  /// Files that it carries, in both directions.
  [[nodiscard]] size_t count_files(const Transaction& transaction) const noexcept;
  /// Writes the member `fileinfo` of one of them. REQUIRES: index < count_files.
  /// @return the direction that it went.
  Direction describe_file(const Transaction& transaction, size_t index, JsonWriter& json) const;

  /// A rule asks for files in these directions: those of a transaction, or all of its flow.
  void store_files(const Transaction& transaction, std::array<bool, 2> sides) noexcept;
  void store_files(FlowId flow, std::array<bool, 2> sides) noexcept;
  /// What can be stored now of a file, taken away; nothing where there is no more for now.
  /// @param file_id the name that EVE gives it.
  /// @param is_over its transaction is finished: what is still open is stored as it is.
  [[nodiscard]] std::optional<FilePiece> next_file_piece(FlowId flow,
                                                         const Transaction& transaction,
                                                         size_t index, uint64_t file_id,
                                                         bool is_over) noexcept;

  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether a parser for it exists, or at least its identification (app-layer-protocol).
[[nodiscard]] bool has_parser(AppProtocol protocol) noexcept;
[[nodiscard]] bool is_identified(AppProtocol protocol) noexcept;

}  // namespace shrike::protocol
