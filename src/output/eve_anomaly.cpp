#include <algorithm>

#include "eve.h"

namespace shrike::output {

namespace {

constexpr std::string_view detection_prefix = "applayer_";

/// Suricata's parsers in C show their events in capitals, those in Rust as rules write them.
bool is_shown_in_capitals(std::string_view owner) noexcept {
  return owner == "http" || owner == "smtp" || owner == "tls" || owner == "dnp3";
}

/// The name without its parser: of "http.missing_host_header" what is behind the dot.
std::string shown_name(AppEvent event) {
  const std::string_view whole = to_text(event);
  const size_t dot = whole.find('.');
  const bool has_owner = dot != std::string_view::npos;
  std::string name(has_owner ? whole.substr(dot + 1) : whole);
  if (!has_owner || is_shown_in_capitals(whole.substr(0, dot))) {
    std::transform(name.begin(), name.end(), name.begin(), [](char letter) {
      return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
  }
  return name;
}

/// Who found it: the identification of protocols, a parser in a transaction, or a parser at large.
std::string_view layer_of(AppEvent event, bool has_tx) noexcept {
  if (to_text(event).starts_with(detection_prefix)) {
    return "proto_detect";
  }
  return has_tx ? "proto_parser" : "parser";
}

void write_event(JsonWriter& json, DecodeEvent event, const Record&) {
  json.text("type", "decode");
  json.text("event", "decoder." + std::string(to_text(event)));
}

void write_event(JsonWriter& json, StreamEvent event, const Record&) {
  json.text("type", "stream");
  json.text("event", "stream." + std::string(to_text(event)));
}

void write_event(JsonWriter& json, AppEvent event, const Record& record) {
  json.text("app_proto", to_eve_text(record.anomaly.protocol));
  json.text("type", "applayer");
  json.text("event", shown_name(event));
  json.text("layer", layer_of(event, record.alert.has_tx));
}

}  // namespace

void write_anomaly_event(EveContext& eve, const AnomalyEvent& event) {
  const Record& record = event.record;
  begin_packet_event(eve, record, event.catalog, "anomaly");
  if (record.alert.has_tx) {
    eve.json.number("tx_id", record.alert.tx_id);
  }
  eve.json.begin_object("anomaly");
  std::visit([&](const auto& what) { write_event(eve.json, what, record); }, record.anomaly.event);
  eve.json.end_object();
  end_event(eve, event.capture_path);
}

}  // namespace shrike::output
