#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "names.h"
#include "sink.h"
#include "time_text.h"

namespace shrike::output {

namespace {

/// What a column's function writes with: appends the field's text, unquoted, to `out`.
struct CsvField {
  const AlertEvent& event;
  TimeText& times;
  bool ipv6_compress = false;
  std::string& out;

  [[nodiscard]] const Record& record() const { return event.record; }
  [[nodiscard]] const DatagramSection& datagram() const { return event.record.datagram; }
  void put(std::string_view text) { out.append(text); }
  void put(uint64_t number) { fmt::format_to(std::back_inserter(out), "{}", number); }
  void put_address(const IpAddress& address) {
    if (datagram().ip_version != 0) {
      put(to_text(address, datagram().ip_version, ipv6_compress));
    }
  }
};

void put_epoch(CsvField& field) {
  const uint64_t time_us = field.datagram().time_ns / 1000;
  fmt::format_to(std::back_inserter(field.out), "{}.{:06}", time_us / 1'000'000,
                 time_us % 1'000'000);
}

void put_vlan(CsvField& field) {
  const DatagramSection& datagram = field.datagram();
  for (size_t i = 0; i < std::min<size_t>(datagram.vlan_count, datagram.vlan_ids.size()); ++i) {
    field.put(i == 0 ? "" : " ");
    field.put(datagram.vlan_ids[i]);
  }
}

void put_metadata(CsvField& field) {
  bool is_first = true;
  for (const auto& [key, values] : field.event.rule.metadata) {
    for (const std::string& value : values) {
      fmt::format_to(std::back_inserter(field.out), "{}{}={}", is_first ? "" : "; ", key, value);
      is_first = false;
    }
  }
}

void put_references(CsvField& field) {
  for (const std::string& reference : field.event.rule.references) {
    field.put(&reference == field.event.rule.references.data() ? "" : " ");
    field.put(reference);
  }
}

void put_pcap_count(CsvField& field) {
  if (field.datagram().origin == DatagramOrigin::wire && field.datagram().number != 0) {
    field.put(field.datagram().number);
  }
}

struct ColumnRow {
  CsvColumn column;
  void (*put)(CsvField&);
};

/// Every column that can be chosen. To add one: a row.
constexpr ColumnRow column_rows[] = {
    {{"timestamp", "time of the packet, local zone, as in EVE"},
     [](CsvField& f) { f.put(f.times.iso(f.datagram().time_ns)); }},
    {{"epoch", "the same in seconds since 1970, with microseconds"}, put_epoch},
    {{"flow_id", "EVE flow_id, empty without a flow"},
     [](CsvField& f) { f.record().has_flow ? f.put(f.record().flow.eve_id) : void(); }},
    {{"pcap_filename", "path of the capture"}, [](CsvField& f) { f.put(f.event.capture_path); }},
    {{"pcap_cnt", "packet number in the capture, from 1"}, put_pcap_count},
    {{"vlan", "VLAN ids, outermost first, with spaces between"}, put_vlan},
    {{"src_ip", "source address of the packet"},
     [](CsvField& f) { f.put_address(f.datagram().source); }},
    {{"src_port", "source port; empty where the protocol has none"},
     [](CsvField& f) { f.datagram().has_ports ? f.put(f.datagram().source_port) : void(); }},
    {{"dest_ip", "target address of the packet"},
     [](CsvField& f) { f.put_address(f.datagram().target); }},
    {{"dest_port", "target port; empty where the protocol has none"},
     [](CsvField& f) { f.datagram().has_ports ? f.put(f.datagram().target_port) : void(); }},
    {{"proto", "IP protocol, as in EVE"},
     [](CsvField& f) {
       f.datagram().ip_version != 0 ? f.put(protocol_text(f.datagram().protocol)) : void();
     }},
    {{"ip_v", "4 or 6"},
     [](CsvField& f) { f.datagram().ip_version != 0 ? f.put(f.datagram().ip_version) : void(); }},
    {{"icmp_type", "empty where the packet is not ICMP"},
     [](CsvField& f) { f.datagram().has_icmp ? f.put(f.datagram().icmp_type) : void(); }},
    {{"icmp_code", "empty where the packet is not ICMP"},
     [](CsvField& f) { f.datagram().has_icmp ? f.put(f.datagram().icmp_code) : void(); }},
    {{"pkt_src", "how the packet came to be, as in EVE"},
     [](CsvField& f) { f.put(to_text(f.datagram().origin)); }},
    {{"direction", "to_server or to_client; empty without a flow"},
     [](CsvField& f) {
       f.record().has_flow ? f.put(to_text(f.record().flow.id.direction())) : void();
     }},
    {{"action", "allowed or blocked"},
     [](CsvField& f) { f.put(f.event.is_blocked ? "blocked" : "allowed"); }},
    {{"gid", "generator id of the rule"}, [](CsvField& f) { f.put(f.event.rule.gid); }},
    {{"signature_id", "sid of the rule"}, [](CsvField& f) { f.put(f.event.rule.sid); }},
    {{"rev", "revision of the rule"}, [](CsvField& f) { f.put(f.event.rule.rev); }},
    {{"signature", "msg of the rule"}, [](CsvField& f) { f.put(f.event.rule.message); }},
    {{"category", "description of the rule's class"},
     [](CsvField& f) { f.put(f.event.rule.class_description); }},
    {{"classtype", "name of the rule's class"},
     [](CsvField& f) { f.put(f.event.rule.class_name); }},
    {{"severity", "priority of the rule, 1 is highest"},
     [](CsvField& f) { f.put(f.event.rule.priority); }},
    {{"references", "references of the rule, with spaces between"}, put_references},
    {{"metadata", "metadata of the rule, key=value with semicolons between"}, put_metadata},
    {{"tx_id", "transaction in the flow; empty where the rule matched none"},
     [](CsvField& f) { f.record().alert.has_tx ? f.put(f.record().alert.tx_id) : void(); }},
    {{"stream", "1 where the rule matched in reassembled data, else 0"},
     [](CsvField& f) { f.put(f.record().alert.from_stream ? "1" : "0"); }},
    {{"flow_start", "time of the flow's first packet; this and the next four empty without a flow"},
     [](CsvField& f) {
       f.record().has_flow ? f.put(f.times.iso(f.record().flow.start_ns)) : void();
     }},
    {{"pkts_toserver", "packets of the flow so far"},
     [](CsvField& f) { f.record().has_flow ? f.put(f.record().flow.packets[0]) : void(); }},
    {{"pkts_toclient", "packets of the flow so far"},
     [](CsvField& f) { f.record().has_flow ? f.put(f.record().flow.packets[1]) : void(); }},
    {{"bytes_toserver", "bytes of the flow so far"},
     [](CsvField& f) { f.record().has_flow ? f.put(f.record().flow.bytes[0]) : void(); }},
    {{"bytes_toclient", "bytes of the flow so far"},
     [](CsvField& f) { f.record().has_flow ? f.put(f.record().flow.bytes[1]) : void(); }},
};

constexpr auto column_list = [] {
  std::array<CsvColumn, std::size(column_rows)> columns{};
  std::transform(std::begin(column_rows), std::end(column_rows), columns.begin(),
                 [](const ColumnRow& row) { return row.column; });
  return columns;
}();

/// RFC 4180, section 2: a field with a comma, a quote or a line end stands in quotes, and quotes
/// in it are doubled.
void append_field(std::string& line, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    line.append(field);
    return;
  }
  line.push_back('"');
  for (const char each : field) {
    if (each == '"') {
      line.push_back('"');
    }
    line.push_back(each);
  }
  line.push_back('"');
}

std::string column_names() {
  std::string names;
  for (const CsvColumn& each : column_list) {
    names += names.empty() ? "" : ", ";
    names += each.name;
  }
  return names;
}

/// The rows of the columns by name; each unknown name is an error and left out.
std::vector<const ColumnRow*> rows_of(const std::vector<std::string>& names,
                                      Diagnostics& diagnostics) {
  std::vector<const ColumnRow*> found;
  for (const std::string& name : names) {
    const auto* const row =
        std::find_if(std::begin(column_rows), std::end(column_rows),
                     [&](const ColumnRow& each) { return each.column.name == name; });
    if (row != std::end(column_rows)) {
      found.push_back(row);
    } else {
      diagnostics.error({}, "csv-column", "CSV has no column '{}'; write one of {}", name,
                        column_names());
    }
  }
  return found;
}

std::string header_of(const CsvOptions& options) {
  std::string line;
  for (const std::string& name : options.columns) {
    line += line.empty() ? "" : ",";
    append_field(line, name);
  }
  return options.header ? line + '\n' : std::string{};
}

class CsvSink final : public Sink {
 public:
  CsvSink(const CsvOptions& options, std::string path, std::vector<const ColumnRow*> columns)
      : Sink("csv", options.file, std::move(path), header_of(options)),
        columns_(std::move(columns)),
        ipv6_compress_(options.ipv6_compress) {}

  void write_alert(const AlertEvent& event) override {
    line_.clear();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i != 0) {
        line_.push_back(',');
      }
      field_.clear();
      CsvField field{event, times_, ipv6_compress_, field_};
      columns_[i]->put(field);
      append_field(line_, field_);
    }
    line_.push_back('\n');
    file().append(line_);
  }

 private:
  std::vector<const ColumnRow*> columns_;
  bool ipv6_compress_;
  TimeText times_;
  std::string line_;
  std::string field_;
};

}  // namespace

std::span<const CsvColumn> csv_columns() noexcept {
  return column_list;
}

void add_csv_sinks(const SinkOptions& options, Sinks& sinks, Diagnostics& diagnostics) {
  for (const CsvOptions& csv : options.csv) {
    std::vector<const ColumnRow*> columns = rows_of(csv.columns, diagnostics);
    if (columns.size() == csv.columns.size()) {
      sinks.push_back(std::make_unique<CsvSink>(csv, resolve_path(options.directory, csv.file.path),
                                                std::move(columns)));
    }
  }
}

}  // namespace shrike::output
