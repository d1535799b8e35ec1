#include "protocol_counters.h"

#include <algorithm>
#include <deque>

#include "parser.h"

namespace shrike::protocol {

namespace {

constexpr size_t kinds = static_cast<size_t>(ProtocolCounter::count_);
constexpr size_t common_rows = 4;

struct Kind {
  std::string_view before;
  std::string_view after;
  std::string_view unit;
  std::string_view meaning;
};
constexpr std::array<Kind, kinds> kind_rows{{
    {"app_layer.flow.", "", "flows", "flows of this protocol"},
    {"app_layer.tx.", "", "transactions", "transactions of this protocol"},
    {"app_layer.error.", ".gap", "flows", "flows not parsed further because bytes were lost"},
    {"app_layer.error.", ".alloc", "flows", "flows not parsed further because memory was full"},
    {"app_layer.error.", ".parser", "flows", "flows not parsed further because of what they sent"},
    {"app_layer.error.", ".internal", "flows", "flows not parsed further: a bound was reached"},
}};

bool runs_over(const ParserRow& row, uint8_t transport) {
  const auto is_on = [transport](const auto& each) { return each.transport == transport; };
  return std::any_of(row.patterns.begin(), row.patterns.end(), is_on) ||
         std::any_of(row.probes.begin(), row.probes.end(), is_on);
}

/// Rows of all cores: the table of protocols is the same for each.
struct Table {
  std::deque<std::string> names;
  std::vector<CounterRow> rows;
  std::array<std::array<uint16_t, 2>, static_cast<size_t>(AppProtocol::count_)> first{};

  Table() {
    rows.push_back({"app_layer.flow.failed_tcp", "flows", "TCP flows of no known protocol"});
    rows.push_back({"app_layer.flow.failed_udp", "flows", "UDP flows of no known protocol"});
    rows.push_back({"app_layer.expectations", "flows", "announced flows that have not come yet"});
    rows.push_back({"app_layer.encrypted_bytes", "bytes",
                    "payload that parsers left alone because it is encrypted"});
    for (const ParserRow& row : parser_rows()) {
      const bool over_udp = runs_over(row, ip_protocol::udp);
      const bool over_tcp = runs_over(row, ip_protocol::tcp) || !over_udp;
      const auto index = static_cast<size_t>(row.protocol);
      if (over_tcp) {
        add(index, 0, over_udp ? "_tcp" : "");
      }
      if (over_udp) {
        add(index, 1, over_tcp ? "_udp" : "");
      }
      // What has no set of its own for a transport counts where the protocol is at home.
      first[index][0] = over_tcp ? first[index][0] : first[index][1];
      first[index][1] = over_udp ? first[index][1] : first[index][0];
    }
  }

  void add(size_t protocol, size_t transport, std::string_view suffix) {
    first[protocol][transport] = static_cast<uint16_t>(rows.size());
    const std::string name{to_eve_text(static_cast<AppProtocol>(protocol))};
    for (const Kind& kind : kind_rows) {
      names.push_back(std::string{kind.before} + name + std::string{suffix} +
                      std::string{kind.after});
      rows.push_back({names.back(), kind.unit, kind.meaning});
    }
  }
};

const Table& table() {
  static const Table made;
  return made;
}

}  // namespace

ProtocolCounters::ProtocolCounters() : first_(table().first), values_(table().rows.size()) {
  static_assert(common_rows == 4, "failed_tcp, failed_udp, expectations, encrypted");
}

CounterView ProtocolCounters::view() const noexcept {
  return {table().rows, values_};
}

}  // namespace shrike::protocol
