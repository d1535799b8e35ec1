#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log_file.h"
#include "record.h"
#include "shrike/base/diagnostics.h"
#include "shrike/output.h"

namespace shrike::output {

/// An alert that was decided: it is logged. Everything is borrowed for the call.
struct AlertEvent {
  const Record& record;
  const RuleInfo& rule;
  const RuleCatalog& catalog;
  std::string_view capture_path;
  Action action = Action::alert;  ///< the rule's, or rate_filter's
  bool is_blocked = false;        ///< EVE alert.action
  bool is_dropped = false;        ///< the packet would not have passed, for the verdict
  bool is_inline = false;         ///< CollectorOptions::simulate_ips
};

/// A packet of a tagged session or host.
struct PacketEvent {
  const Record& record;
  const RuleCatalog& catalog;
  std::string_view capture_path;
};

/// A transaction of a protocol that is over.
struct TransactionEvent {
  const Record& record;
  const RuleCatalog& catalog;
  std::string_view capture_path;
};

/// A file of such a transaction.
struct FileEvent {
  const Record& record;
  const RuleCatalog& catalog;
  std::string_view capture_path;
};

/// Something odd: Record::anomaly says what.
struct AnomalyEvent {
  const Record& record;
  const RuleCatalog& catalog;
  std::string_view capture_path;
};

struct FlowEvent {
  const Record& record;
  const RuleCatalog& catalog;
  std::string_view capture_path;
  bool has_alerts = false;
};

/// One format into one file. A sink overrides the events it has lines for.
class Sink {
 public:
  Sink(std::string_view name, const FileOptions& options, std::string path, std::string header)
      : name_(name), file_(options, std::move(path), std::move(header)) {}
  virtual ~Sink() = default;

  virtual void write_alert(const AlertEvent&) {}
  virtual void write_packet(const PacketEvent&) {}
  virtual void write_transaction(const TransactionEvent&) {}
  virtual void write_file(const FileEvent&) {}
  virtual void write_anomaly(const AnomalyEvent&) {}
  virtual void write_flow_end(const FlowEvent&) {}
  virtual void write_statistics(const Statistics&) {}
  virtual void write_overload(const OverloadReport&) {}

  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] LogFile& file() noexcept { return file_; }
  [[nodiscard]] const LogFile& file() const noexcept { return file_; }

 private:
  std::string_view name_;
  LogFile file_;
};

using Sinks = std::vector<std::unique_ptr<Sink>>;

/// What each kind of sink gives to the table in sinks.cpp: adds one sink for each of its options.
void add_eve_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics& diagnostics);
void add_fast_log_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics& diagnostics);
void add_csv_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics& diagnostics);

/// A file's path below the directory, or as it is where it is absolute.
[[nodiscard]] std::string resolve_path(const std::string& directory, const std::string& path);

/// All sinks of the options, their files opened. What cannot be opened is an error and stays.
[[nodiscard]] Sinks open_sinks(const SinkOptions& options, Diagnostics& diagnostics);

}  // namespace shrike::output
