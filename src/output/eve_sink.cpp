#include <utility>

#include "eve.h"

namespace shrike::output {

namespace {

/// HTTP/2 has no event type of its own; names have no dashes.
std::string_view transaction_event_type(AppProtocol protocol) noexcept {
  switch (protocol) {
    case AppProtocol::http2:
      return "http";
    case AppProtocol::ftp_data:
      return "ftp_data";
    case AppProtocol::bittorrent_dht:
      return "bittorrent_dht";
    default:
      return to_eve_text(protocol);
  }
}

class EveSink final : public Sink {
 public:
  EveSink(EveOptions options, std::string path)
      : Sink("eve-log", options.file, std::move(path), {}), options_(std::move(options)) {}

  void write_alert(const AlertEvent& event) override {
    if (options_.alerts) {
      EveContext eve = begin();
      write_alert_event(eve, event);
      end();
    }
  }
  void write_packet(const PacketEvent& event) override {
    if (options_.alerts && options_.tagged_packets) {
      EveContext eve = begin();
      begin_packet_event(eve, event.record, event.catalog, "packet");
      write_packet_bytes(eve, event.record);
      end_event(eve, event.capture_path);
      end();
    }
  }
  void write_transaction(const TransactionEvent& event) override {
    const AppProtocol protocol = event.record.app.protocol;
    if (options_.transactions.test(static_cast<size_t>(protocol))) {
      EveContext eve = begin();
      begin_packet_event(eve, event.record, event.catalog, transaction_event_type(protocol));
      eve.json.number("tx_id", event.record.alert.tx_id);
      eve.json.members(as_text(event.record.app_members));
      end_event(eve, event.capture_path);
      end();
    }
  }
  void write_file(const FileEvent& event) override {
    if (options_.files) {
      EveContext eve = begin();
      write_file_event(eve, event);
      end();
    }
  }
  void write_anomaly(const AnomalyEvent& event) override {
    if (wants_anomaly(event.record.anomaly)) {
      EveContext eve = begin();
      write_anomaly_event(eve, event);
      end();
    }
  }
  void write_flow_end(const FlowEvent& event) override {
    if (options_.flows) {
      EveContext eve = begin();
      write_flow_event(eve, event);
      end();
    }
    if (options_.netflows) {
      write_netflow(event, Direction::to_server);
      // Only what was seen: a flow without answers has one record.
      if (event.record.flow.packets[1] != 0) {
        write_netflow(event, Direction::to_client);
      }
    }
  }
  void write_statistics(const Statistics& statistics) override {
    if (options_.statistics) {
      EveContext eve = begin();
      write_statistics_event(eve, statistics, last_statistics_);
      end();
    }
  }
  void write_overload(const OverloadReport& report) override {
    if (options_.overloads) {
      EveContext eve = begin();
      write_overload_event(eve, report);
      end();
    }
  }

 private:
  [[nodiscard]] bool wants_anomaly(const AnomalySection& anomaly) const noexcept {
    if (std::holds_alternative<DecodeEvent>(anomaly.event)) {
      return options_.anomalies.decode;
    }
    return std::holds_alternative<StreamEvent>(anomaly.event) ? options_.anomalies.stream
                                                              : options_.anomalies.application;
  }
  void write_netflow(const FlowEvent& event, Direction direction) {
    EveContext eve = begin();
    write_netflow_event(eve, event, direction);
    end();
  }
  EveContext begin() { return {options_, times_, JsonWriter(line_)}; }
  void end() {
    line_.push_back('\n');
    file().append(line_);
  }

  EveOptions options_;
  TimeText times_;
  std::string line_;
  LastStatistics last_statistics_;
};

}  // namespace

void add_eve_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics&) {
  for (const EveOptions& eve : options.eve) {
    sinks.push_back(std::make_unique<EveSink>(eve, resolve_path(options.directory, eve.file.path)));
  }
}

}  // namespace shrike::output
