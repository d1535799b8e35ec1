#include <algorithm>

#include "sink.h"

namespace shrike::output {

namespace {

/// A kind of sink. To add one: a file with its sink, its options in SinkOptions, a row here.
struct SinkRow {
  std::string_view name;
  void (*add)(const SinkOptions&, Sinks&, Diagnostics&);
};

constexpr SinkRow sink_rows[] = {
    {"eve-log", add_eve_sinks},
    {"fast", add_fast_log_sinks},
    {"csv", add_csv_sinks},
};

}  // namespace

std::string resolve_path(const std::string& directory, const std::string& path) {
  if (directory.empty() || path.starts_with('/')) {
    return path;
  }
  return directory.ends_with('/') ? directory + path : directory + '/' + path;
}

Sinks open_sinks(const SinkOptions& options, Diagnostics& diagnostics) {
  Sinks sinks;
  for (const SinkRow& row : sink_rows) {
    row.add(options, sinks, diagnostics);
  }
  for (const std::unique_ptr<Sink>& sink : sinks) {
    const std::string fault = sink->file().open();
    if (!fault.empty()) {
      diagnostics.error({}, "output-file", "{}; make its directory and let it be written", fault);
      static_cast<void>(sink->file().take_notices());
    }
  }
  return sinks;
}

RecordOptions records_for(const SinkOptions& sinks) noexcept {
  RecordOptions records;
  records.tagged_packets = false;
  records.stream_bytes_max = 0;
  for (const EveOptions& eve : sinks.eve) {
    records.alert_transactions |= eve.alerts;
    records.transactions |= eve.transactions;
    records.files |= eve.files;
    records.anomalies.decode |= eve.anomalies.decode;
    records.anomalies.stream |= eve.anomalies.stream;
    records.anomalies.application |= eve.anomalies.application;
    records.flow_ends |= eve.flows || eve.netflows;
    records.tagged_packets |= eve.tagged_packets && eve.alerts;
    records.frame |= eve.packet && eve.alerts;
    if (eve.alerts && (eve.payload || eve.payload_printable || eve.payload_length)) {
      records.packet_payload = true;
      records.stream_bytes_max = std::max(records.stream_bytes_max, eve.payload_buffer_bytes);
    }
  }
  records.stored_files = sinks.file_store.has_value();
  return records;
}

}  // namespace shrike::output
