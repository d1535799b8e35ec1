#include <filesystem>

#include "scene.h"

namespace shrike::output {
namespace {

using namespace std::string_literals;

std::string fast_line(Scene& scene, const RuleInfo& info, bool is_ips = false) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.fast_log.emplace_back();
  Desk desk({info}, sinks, {.simulate_ips = is_ips});
  desk.write(scene);
  desk.collector.finish();
  return folder.read("fast.log");
}

TEST(FastLog, WritesTheLineThatEveryoneKnows) {
  Scene scene;
  RuleInfo info = rule(2001, "ET TEST \"x\"");
  info.class_description = "Misc activity";
  EXPECT_EQ(fast_line(scene, info),
            "03/09/2024-14:05:06.000123  [**] [1:2001:1] ET TEST \"x\" [**] "
            "[Classification: Misc activity] [Priority: 3] {TCP} 10.0.0.1:40000 -> 10.0.0.2:80\n");
}

TEST(FastLog, ShowsDropsIcmpAndFramesWithoutIp) {
  Scene scene;
  RuleInfo info = rule(1, "a\nb");
  info.action = Action::drop;
  const std::string head = "03/09/2024-14:05:06.000123  ";
  const std::string tail = "[**] [1:1:1] a\\x0ab [**] [Classification: (null)] [Priority: 3] ";
  EXPECT_EQ(fast_line(scene, info),
            head + "[wDrop] " + tail + "{TCP} 10.0.0.1:40000 -> 10.0.0.2:80\n");
  info.action = Action::reject;
  scene.datagram.protocol = ip_protocol::icmp;
  scene.datagram.icmp_type = 3;
  scene.datagram.icmp_code = 1;
  EXPECT_EQ(fast_line(scene, info, true),
            head + "[Drop] " + tail + "{ICMP} 10.0.0.1:3 -> 10.0.0.2:1\n");
  info.action = Action::alert;
  scene.datagram.protocol = 253;
  scene.datagram.has_transport = false;
  EXPECT_EQ(fast_line(scene, info), head + tail + "{PROTO:253} 10.0.0.1:0 -> 10.0.0.2:0\n");
  scene.datagram.ip_version = 0;
  const std::string frame(40, '\xab');
  scene.datagram.frame = as_bytes(frame);
  std::string raw;
  for (int i = 0; i < 32; ++i) {
    raw += "AB ";
  }
  EXPECT_EQ(fast_line(scene, info),
            head + tail + "[**] [Raw pkt: " + raw + "] [pcap file packet: 7]\n");
}

TEST(Csv, WritesChosenColumnsQuotedWhereNeeded) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.csv.emplace_back().columns = {"signature", "src_ip", "dest_port", "icmp_type", "vlan",
                                      "metadata",  "epoch",  "tx_id",     "references"};
  RuleInfo info = rule(5, "says \"no\", twice");
  info.metadata = {{"a", {"1", "2"}}, {"b", {"3"}}};
  info.references = {"https://x", "https://y"};
  Desk desk({info}, sinks);
  Scene scene;
  scene.datagram.vlan_count = 2;
  scene.datagram.vlan_ids = {5, 6};
  desk.write(scene);
  desk.collector.finish();
  EXPECT_EQ(folder.read("alerts.csv"),
            "signature,src_ip,dest_port,icmp_type,vlan,metadata,epoch,tx_id,references\n"
            "\"says \"\"no\"\", twice\",10.0.0.1,80,,5 6,a=1; a=2; b=3,1709993106.000123,,"
            "https://x https://y\n");
}

TEST(Csv, HasSensibleColumnsWithoutBeingAsked) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.csv.emplace_back();
  Desk desk({rule(5, "m")}, sinks);
  desk.write(Scene());
  desk.collector.finish();
  EXPECT_EQ(folder.read("alerts.csv"),
            "timestamp,src_ip,src_port,dest_ip,dest_port,proto,signature_id,signature,category,"
            "severity,action\n"
            "2024-03-09T14:05:06.000123+0000,10.0.0.1,40000,10.0.0.2,80,TCP,5,m,,3,allowed\n");
}

// Every column on alerts with and without IP and flow: no column may depend on what is not there.
TEST(Csv, HasAFieldForEveryColumnAlways) {
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  CsvOptions& csv = sinks.csv.emplace_back();
  csv.columns.clear();
  for (const CsvColumn& column : csv_columns()) {
    EXPECT_FALSE(column.meaning.empty()) << column.name;
    csv.columns.emplace_back(column.name);
  }
  Desk desk({rule(5, "m")}, sinks);
  Scene scene;
  desk.write(scene);
  scene.datagram.ip_version = 0;
  scene.datagram.has_transport = false;
  scene.tracked.flow.id = FlowId();
  desk.write(scene);
  desk.collector.finish();
  const std::string text = folder.read("alerts.csv");
  EXPECT_EQ(count_lines(text), 3U);
  EXPECT_EQ(std::count(text.begin(), text.end(), ','),
            static_cast<ptrdiff_t>(3 * (csv.columns.size() - 1)));
}

TEST(Csv, RefusesAColumnThatDoesNotExist) {
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.csv.emplace_back().columns = {"src_ip", "colour"};
  Diagnostics diagnostics;
  const Collector collector({}, sinks, diagnostics);
  ASSERT_EQ(diagnostics.errors(), 1U);
  EXPECT_EQ(diagnostics.all()[0].code, "csv-column");
  EXPECT_TRUE(diagnostics.all()[0].what.starts_with(
      "CSV has no column 'colour'; write one of timestamp, epoch, flow_id,"))
      << diagnostics.all()[0].what;
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/alerts.csv"));
}

}  // namespace
}  // namespace shrike::output
