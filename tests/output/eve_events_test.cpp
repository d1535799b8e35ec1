// EVE events other than alerts and flows: fileinfo and anomaly.
#include "scene.h"

namespace shrike::output {
namespace {

constexpr const char* head =
    R"({"timestamp":"2024-03-09T14:05:06.000123+0000","flow_id":1234567890123,"pcap_cnt":7,)"
    R"("event_type":")";
constexpr const char* tuple = R"(","src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2",)"
                              R"("dest_port":80,"proto":"TCP","ip_v":4,"pkt_src":"wire/pcap",)";
constexpr const char* answered_tuple =
    R"(","src_ip":"10.0.0.2","src_port":80,"dest_ip":"10.0.0.1",)"
    R"("dest_port":40000,"proto":"TCP","ip_v":4,"pkt_src":"wire/pcap",)";

/// What a collector writes after `write` had its writer.
template <typename Write>
std::string lines_of(const EveOptions& options, Scene& scene, Write&& write) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks;
  sinks.directory = folder.path();
  sinks.eve.push_back(options);
  Desk desk({rule(1)}, sinks);
  EXPECT_TRUE(write(desk.writer));
  desk.mark(scene);
  desk.collector.finish();
  return folder.read("eve.json");
}

std::string line_of_file(Direction direction, const EveOptions& options) {
  Scene scene;
  scene.app.protocol = AppProtocol::http1;
  scene.app.by_direction = {AppProtocol::http1, AppProtocol::http1};
  const FileReport file{.direction = direction,
                        .members = R"("fileinfo":{"filename":"/a","stored":false,"size":3})"};
  return lines_of(options, scene, [&](RecordWriter& writer) {
    return writer.write_file(file, scene.tracked,
                             {.view = &scene.app, .members = R"("http":{"hostname":"h"})"});
  });
}

TEST(EveFile, StandsBehindItsTransactionAndProtocol) {
  const std::string body = R"("http":{"hostname":"h"},"app_proto":"http",)"
                           R"("fileinfo":{"filename":"/a","stored":false,"size":3}})"
                           "\n";
  EveOptions options;
  options.files = true;
  EXPECT_EQ(line_of_file(Direction::to_server, options), head + ("fileinfo" + (tuple + body)));
  EXPECT_EQ(line_of_file(Direction::to_client, options),
            head + ("fileinfo" + (answered_tuple + body)))
      << "as the file went, whichever datagram ended it";
}

TEST(EveFile, IsWrittenOnlyWhereAskedFor) {
  EXPECT_EQ(line_of_file(Direction::to_server, {}), "");
}

TEST(EveFile, IsLeftOutWhereItDoesNotFit) {
  Scene scene;
  EveOptions options;
  options.files = true;
  const std::string huge(1 << 20, 'x');
  EXPECT_EQ(lines_of(options, scene,
                     [&](RecordWriter& writer) {
                       return writer.write_file({.members = huge}, scene.tracked, {});
                     }),
            "");
}

struct AnomalyCase {
  const char* name;
  Anomaly anomaly;
  bool has_transaction;
  const char* members;
};

// Source of keys and order: Suricata user guide, "EVE JSON Format", Event type: Anomaly.
const AnomalyCase anomaly_cases[] = {
    {"decoder",
     {.event = DecodeEvent::ipv4_too_small},
     false,
     R"("anomaly":{"type":"decode","event":"decoder.ipv4.pkt_too_small"}})"},
    {"stream",
     {.event = StreamEvent::packet_invalid_timestamp},
     false,
     R"("anomaly":{"type":"stream","event":"stream.pkt_invalid_timestamp"}})"},
    {"of a parser written in C",
     {.event = AppEvent::http_missing_host_header, .protocol = AppProtocol::http1},
     true,
     R"("tx_id":3,"anomaly":{"app_proto":"http","type":"applayer",)"
     R"("event":"MISSING_HOST_HEADER","layer":"proto_parser"}})"},
    {"of a parser written in Rust",
     {.event = AppEvent::dns_malformed_data, .protocol = AppProtocol::dns},
     true,
     R"("tx_id":3,"anomaly":{"app_proto":"dns","type":"applayer",)"
     R"("event":"malformed_data","layer":"proto_parser"}})"},
    {"of a parser, outside of transactions",
     {.event = AppEvent::dns_malformed_data, .protocol = AppProtocol::dns},
     false,
     R"("anomaly":{"app_proto":"dns","type":"applayer","event":"malformed_data",)"
     R"("layer":"parser"}})"},
    {"of the identification",
     {.event = AppEvent::applayer_mismatch_protocol_both_directions,
      .protocol = AppProtocol::http1},
     false,
     R"("anomaly":{"app_proto":"http","type":"applayer",)"
     R"("event":"APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS","layer":"proto_detect"}})"},
};

std::string line_of_anomaly(const AnomalyCase& test, const AnomalyTypes& types) {
  Scene scene;
  scene.transaction.id = 3;
  Anomaly anomaly = test.anomaly;
  anomaly.transaction = test.has_transaction ? &scene.transaction : nullptr;
  EveOptions options;
  options.anomalies = types;
  return lines_of(options, scene, [&](RecordWriter& writer) {
    return writer.write_anomaly(anomaly, scene.tracked);
  });
}

TEST(EveAnomaly, SaysWhoFoundWhat) {
  for (const AnomalyCase& test : anomaly_cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(line_of_anomaly(test, {.decode = true, .stream = true, .application = true}),
              head + ("anomaly" + (std::string(tuple) + test.members + "\n")));
  }
}

TEST(EveAnomaly, IsWrittenOnlyForTheTypesThatAreAskedFor) {
  for (const AnomalyCase& test : anomaly_cases) {
    SCOPED_TRACE(test.name);
    const bool is_decode = std::holds_alternative<DecodeEvent>(test.anomaly.event);
    const bool is_stream = std::holds_alternative<StreamEvent>(test.anomaly.event);
    EXPECT_EQ(line_of_anomaly(test, {.decode = true}).empty(), !is_decode);
    EXPECT_EQ(line_of_anomaly(test, {.stream = true}).empty(), !is_stream);
    EXPECT_EQ(line_of_anomaly(test, {.application = true}).empty(), is_decode || is_stream);
    EXPECT_EQ(line_of_anomaly(test, {}), "");
  }
}

}  // namespace
}  // namespace shrike::output
