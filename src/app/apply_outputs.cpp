#include <algorithm>
#include <array>

#include "apply.h"

namespace shrike::app {

namespace {

using output::EveOptions;

/// A part that is switched off: nothing is lost by not knowing it.
bool is_switched_off(const ConfigNode& node, Diagnostics& diagnostics) {
  bool enabled = true;
  const ConfigNode* const flag = node.child("enabled");
  if (flag != nullptr && flag->is_scalar()) {
    ConfigReader(node, diagnostics).flag("enabled", enabled);
  }
  return !enabled;
}

/// What every sink has. Only ordinary files are written so far.
void read_sink(const ConfigReader& sink, output::FileOptions& file) {
  sink.text("filename", file.path);
  sink.flag("append", file.append);
  const ConfigNode* const type = sink.find_scalar("filetype");
  if (type != nullptr && type->text != "regular") {
    sink.diagnostics().warning(type->position(), "filetype",
                               "Shrike does not write to '{}'; {} becomes an ordinary file",
                               type->text, file.path);
  }
}

void read_alert_type(const ConfigNode& node, EveOptions& eve, Diagnostics& diagnostics) {
  const ConfigReader alert(node, diagnostics);
  alert.flag("payload", eve.payload);
  alert.flag("payload-printable", eve.payload_printable);
  alert.flag("payload-length", eve.payload_length);
  uint64_t payload_bytes = eve.payload_buffer_bytes;
  alert.size("payload-buffer-size", payload_bytes, {1, 1u << 20});
  eve.payload_buffer_bytes = static_cast<uint32_t>(payload_bytes);
  alert.flag("packet", eve.packet);
  alert.flag("tagged-packets", eve.tagged_packets);
  alert.flag("verdict", eve.verdict);
  const ConfigNode* const metadata = alert.find("metadata");
  if (metadata != nullptr && metadata->is_scalar()) {  // "metadata: no" is all or nothing
    alert.flag("metadata", eve.rule_metadata);
    eve.alert_flow = eve.rule_metadata;
    return;
  }
  alert.flag("metadata.flow", eve.alert_flow);
  alert.flag("metadata.rule.metadata", eve.rule_metadata);
  alert.flag("metadata.rule.raw", eve.rule_text);
  alert.flag("metadata.rule.reference", eve.rule_references);
}

void read_stats_type(const ConfigNode& node, EveOptions& eve, Diagnostics& diagnostics) {
  const ConfigReader stats(node, diagnostics);
  stats.flag("totals", eve.statistics_totals);
  stats.flag("threads", eve.statistics_threads);
  stats.flag("deltas", eve.statistics_deltas);
  stats.flag("null-values", eve.statistics_zeroes);
}

/// Which digests a fileinfo event says, whatever rules look at.
void read_digests(const ConfigReader& files, std::array<bool, 3>& digests) {
  constexpr std::array<std::string_view, 3> names{"md5", "sha1", "sha256"};
  for (const ConfigNode& item : files.list("force-hash")) {
    const auto* const name = std::find(names.begin(), names.end(), item.text);
    if (name == names.end()) {
      files.diagnostics().error(item.position(), "force-hash",
                                "'{}' is no digest; choose from md5, sha1, sha256", item.text);
      continue;
    }
    digests[static_cast<size_t>(name - names.begin())] = true;
  }
}

void read_files_type(const ConfigNode& node, EveOptions& eve, Diagnostics& diagnostics) {
  const ConfigReader files(node, diagnostics);
  eve.files = true;
  files.flag("force-magic", eve.file_magic);
  read_digests(files, eve.file_digests);
}

/// As in Suricata: those of the application layer, and others where they are asked for.
void read_anomaly_type(const ConfigNode& node, EveOptions& eve, Diagnostics& diagnostics) {
  const ConfigReader anomaly(node, diagnostics);
  eve.anomalies.application = true;
  anomaly.flag("types.applayer", eve.anomalies.application);
  anomaly.flag("types.decode", eve.anomalies.decode);
  anomaly.flag("types.stream", eve.anomalies.stream);
}

/// An event for each transaction of a protocol: "http", "dns", "ftp_data".
bool read_transaction_type(const std::string& name, EveOptions& eve) {
  std::string rule_name = name;
  std::replace(rule_name.begin(), rule_name.end(), '_', '-');
  const auto protocol = find_app_protocol(rule_name);
  if (!protocol || *protocol == AppProtocol::unknown || *protocol == AppProtocol::failed) {
    return false;
  }
  if (*protocol == AppProtocol::http) {
    eve.transactions.set(static_cast<size_t>(AppProtocol::http1));
    eve.transactions.set(static_cast<size_t>(AppProtocol::http2));
  } else {
    eve.transactions.set(static_cast<size_t>(*protocol));
  }
  return true;
}

/// One entry of `types`: a word, or a map of one word to its options.
void read_type(const std::string& name, const ConfigNode& options, EveOptions& eve,
               Diagnostics& diagnostics) {
  if (is_switched_off(options, diagnostics)) {
    eve.overloads = eve.overloads && name != "overload";
    options.mark_used();
    return;
  }
  if (name == "alert") {
    eve.alerts = true;
    read_alert_type(options, eve, diagnostics);
  } else if (name == "flow") {
    eve.flows = true;
  } else if (name == "netflow") {
    eve.netflows = true;
  } else if (name == "files") {
    read_files_type(options, eve, diagnostics);
  } else if (name == "anomaly") {
    read_anomaly_type(options, eve, diagnostics);
  } else if (name == "stats") {
    eve.statistics = true;
    read_stats_type(options, eve, diagnostics);
  } else if (name == "overload") {
    eve.overloads = true;
  } else if (!read_transaction_type(name, eve)) {
    return;  // stays unused and is told
  }
  options.is_used = true;
}

void read_types(const ConfigReader& sink, EveOptions& eve) {
  const ConfigNode* const types = sink.find("types");
  if (types == nullptr) {
    return;
  }
  eve.alerts = false;
  for (const ConfigEntry& entry : types->entries) {
    if (entry.value.is_scalar()) {
      read_type(entry.value.text, entry.value, eve, sink.diagnostics());
    }
    for (const ConfigEntry& type : entry.value.entries) {
      read_type(type.name, type.value, eve, sink.diagnostics());
    }
  }
}

void read_eve(const ConfigNode& node, output::SinkOptions& sinks, Diagnostics& diagnostics) {
  const ConfigReader sink(node, diagnostics);
  EveOptions eve;
  read_sink(sink, eve.file);
  sink.flag("metadata", eve.metadata);
  sink.flag("pcap-file", eve.pcap_filename);
  sink.flag("community-id", eve.community_id);
  sink.number("community-id-seed", eve.community_id_seed, {0, 65535});
  sink.flag("ethernet", eve.ethernet);
  sink.flag("ipv6-compress", eve.ipv6_compress);
  read_types(sink, eve);
  sinks.eve.push_back(eve);
}

void read_fast(const ConfigNode& node, output::SinkOptions& sinks, Diagnostics& diagnostics) {
  const ConfigReader sink(node, diagnostics);
  output::FastLogOptions fast;
  sink.flag("ipv6-compress", fast.ipv6_compress);
  read_sink(sink, fast.file);
  sinks.fast_log.push_back(fast);
}

std::string known_columns() {
  std::string names;
  for (const output::CsvColumn& column : output::csv_columns()) {
    names += (names.empty() ? "" : ", ") + std::string(column.name);
  }
  return names;
}

void read_columns(const ConfigReader& sink, std::vector<std::string>& columns) {
  const std::vector<ConfigNode> items = sink.list("columns");
  if (!items.empty()) {
    columns.clear();
  }
  for (const ConfigNode& item : items) {
    const auto known = output::csv_columns();
    const bool exists = std::any_of(known.begin(), known.end(),
                                    [&](const auto& column) { return column.name == item.text; });
    if (!exists) {
      sink.diagnostics().error(item.position(), "csv-column", "'{}' is no column; choose from {}",
                               item.text, known_columns());
      continue;
    }
    columns.push_back(item.text);
  }
}

void read_csv(const ConfigNode& node, output::SinkOptions& sinks, Diagnostics& diagnostics) {
  const ConfigReader sink(node, diagnostics);
  output::CsvOptions csv;
  read_sink(sink, csv.file);
  sink.flag("header", csv.header);
  sink.flag("ipv6-compress", csv.ipv6_compress);
  read_columns(sink, csv.columns);
  sinks.csv.push_back(csv);
}

/// file-store. Only its second version is known: the first names files by numbers.
void read_file_store(const ConfigNode& node, output::SinkOptions& sinks, Diagnostics& diagnostics) {
  const ConfigReader sink(node, diagnostics);
  output::FileStoreOptions store;
  uint32_t version = 2;
  sink.number("version", version, {2, 2});
  sink.text("dir", store.directory);
  sink.flag("force-filestore", store.all);
  sink.flag("write-fileinfo", store.fileinfo);
  sink.flag("force-magic", store.magic);
  read_digests(sink, store.digests);
  sink.size("stream-depth", store.file_bytes_max, {0, UINT32_MAX});
  sink.number("max-open-files", store.open_files_max, {0, 1000000});
  sink.number("idle-timeout", store.idle_seconds_max, {1, 1000000});
  sink.size("max-total-size", store.run_bytes_max, {1, UINT64_MAX});
  sink.number("max-files", store.run_files_max, {1, UINT64_MAX});
  sinks.file_store = store;
}

void read_output(const std::string& name, const ConfigNode& node, output::SinkOptions& sinks,
                 Diagnostics& diagnostics) {
  if (is_switched_off(node, diagnostics)) {
    node.mark_used();
    return;
  }
  if (name == "eve-log") {
    read_eve(node, sinks, diagnostics);
  } else if (name == "fast") {
    read_fast(node, sinks, diagnostics);
  } else if (name == "csv") {
    read_csv(node, sinks, diagnostics);
  } else if (name == "file-store") {
    read_file_store(node, sinks, diagnostics);
  } else {
    return;  // stays unused and is told
  }
  node.is_used = true;
}

/// What stands outside the list of outputs but is said in every event.
void apply_sensor(const ConfigReader& config, const Settings& settings, EveOptions& eve) {
  config.text("sensor-name", eve.sensor_name);
  if (config.find_scalar("sensor-id") != nullptr) {
    uint64_t number = 0;
    config.number("sensor-id", number, {0, UINT32_MAX});
    eve.sensor_id = number;
  }
  eve.statistics = eve.statistics && settings.statistics_enabled;
}

}  // namespace

void apply_outputs(const ConfigReader& config, Settings& settings) {
  output::SinkOptions& sinks = settings.sinks;
  config.text("default-log-dir", sinks.directory);
  config.flag("stats.enabled", settings.statistics_enabled);
  if (const ConfigNode* const outputs = config.find("outputs")) {
    sinks.eve.clear();
    for (const ConfigEntry& entry : outputs->entries) {
      for (const ConfigEntry& named : entry.value.entries) {
        read_output(named.name, named.value, sinks, config.diagnostics());
      }
    }
  }
  for (EveOptions& eve : sinks.eve) {
    apply_sensor(config, settings, eve);
  }
}

}  // namespace shrike::app
