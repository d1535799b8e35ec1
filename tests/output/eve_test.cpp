#include <filesystem>

#include "scene.h"

namespace shrike::output {
namespace {

using namespace std::string_literals;

/// The EVE lines of one scene with one rule.
struct EveCase {
  RuleInfo info = rule(2100498, "GPL ATTACK_RESPONSE id check returned root");
  EveOptions options;
  CollectorOptions collector;
  Scene scene;
  FlowVariables variables;
  std::string capture;

  std::string lines() {
    const Zone zone;
    const Folder folder;
    SinkOptions sinks;
    sinks.directory = folder.path();
    sinks.eve.push_back(options);
    Desk desk({info}, sinks, collector);
    EXPECT_EQ(desk.diagnostics.text(), "");
    if (!capture.empty()) {
      desk.collector.name_capture(scene.datagram.capture_index, capture);
    }
    desk.write(scene, variables);
    desk.mark(scene);
    desk.collector.finish();
    return folder.read("eve.json");
  }
};

TEST(Eve, WritesAnAlert) {
  EveCase test;
  test.info.rev = 7;
  test.info.priority = 2;
  test.info.class_description = "Potentially Bad Traffic";
  test.info.metadata = {{"created_at", {"2010_09_23"}}, {"tag", {"a", "b"}}};
  test.info.references = {"https://example.org/1"};
  EXPECT_EQ(
      test.lines(),
      R"({"timestamp":"2024-03-09T14:05:06.000123+0000","flow_id":1234567890123,"pcap_cnt":7,)"
      R"("event_type":"alert","src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2",)"
      R"("dest_port":80,"proto":"TCP","ip_v":4,"pkt_src":"wire/pcap",)"
      R"("alert":{"action":"allowed","gid":1,"signature_id":2100498,"rev":7,)"
      R"("signature":"GPL ATTACK_RESPONSE id check returned root",)"
      R"("category":"Potentially Bad Traffic","severity":2,)"
      R"("metadata":{"created_at":["2010_09_23"],"tag":["a","b"]}},"direction":"to_server",)"
      R"("flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"bytes_toclient":4000,)"
      R"("start":"2024-03-09T14:05:04.000123+0000","src_ip":"10.0.0.1","dest_ip":"10.0.0.2",)"
      R"("src_port":40000,"dest_port":80}})"
      "\n");
}

TEST(Eve, WritesEverythingThatOptionsAskFor) {
  EveCase test;
  test.options.community_id = true;
  test.options.ethernet = true;
  test.options.pcap_filename = true;
  test.options.sensor_name = "sensor \"one\"";
  test.options.sensor_id = 12;
  test.options.interface_names = {"eth0"};
  test.options.rule_references = true;
  test.options.rule_metadata = false;
  test.options.rule_text = true;
  test.options.alert_flow = false;
  test.options.payload = test.options.payload_printable = test.options.payload_length = true;
  test.options.packet = true;
  test.options.verdict = true;
  test.capture = "/captures/a.pcap";
  test.info.text = "alert tcp any any";
  test.info.references = {"https://example.org/1"};
  test.info.metadata = {{"not", {"shown"}}};
  test.info.target = RuleTarget::target_ip;
  test.scene.tracked.flow.parent_eve_id = 55;
  test.scene.datagram.vlan_count = 2;
  test.scene.datagram.vlan_ids = {10, 20};
  const std::string frame = "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00rest"s;
  test.scene.datagram.frame = as_bytes(frame);
  test.scene.datagram.payload = as_bytes("ab\x01");
  const uint32_t bits[] = {0, 1, 2, 3};
  const std::pair<uint32_t, uint32_t> integers[] = {{0, 3}, {1, 9}};
  test.variables = {bits, integers};
  EXPECT_EQ(
      test.lines(),
      R"({"timestamp":"2024-03-09T14:05:06.000123+0000","flow_id":1234567890123,"parent_id":55,)"
      R"("sensor_id":12,"in_iface":"eth0","event_type":"alert","vlan":[10,20],)"
      R"("src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP",)"
      R"("ip_v":4,"pkt_src":"wire/pcap","traffic":{"id":["app"],"label":["bad"]},)"
      R"("metadata":{"flowbits":["seen","odd \"name"],"flowints":{"tries":3,"level":9}},)"
      R"("ether":{"src_mac":"02:00:00:00:00:01","dest_mac":"02:00:00:00:00:02"},)"
      R"("community_id":"1:3k1SoWXs/FltHw2aBCgUTgbDQF4=",)"
      R"("alert":{"action":"allowed","gid":1,"signature_id":2100498,"rev":1,)"
      R"("signature":"GPL ATTACK_RESPONSE id check returned root","category":"","severity":3,)"
      R"("source":{"ip":"10.0.0.1","port":40000},"target":{"ip":"10.0.0.2","port":80},)"
      R"("references":["https://example.org/1"],)"
      R"("rule":"alert tcp any any"},"direction":"to_server",)"
      R"("payload":"YWIB","payload_length":3,"payload_printable":"ab.","stream":0,)"
      R"("packet":"AgAAAAACAgAAAAABCAByZXN0","packet_info":{"linktype":1,)"
      R"("linktype_name":"EN10MB"},"verdict":{"action":"alert"},"host":"sensor \"one\"",)"
      R"("pcap_filename":"/captures/a.pcap"})"
      "\n");
}

/// Checks that a line has a text, or has it not where it starts with '!'.
void expect_texts(const std::string& line, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const bool is_absent = text.starts_with('!');
    EXPECT_EQ(line.find(text.substr(is_absent ? 1 : 0)) == std::string::npos, is_absent)
        << text << "\n"
        << line;
  }
}

TEST(Eve, TurnsTheFlowOfAnAnswerToTheClientsView) {
  EveCase test;
  test.scene.tracked.flow.id = FlowId(3, Direction::to_client);
  std::swap(test.scene.datagram.source, test.scene.datagram.target);
  std::swap(test.scene.datagram.source_port, test.scene.datagram.target_port);
  expect_texts(
      test.lines(),
      {R"("src_ip":"10.0.0.2","src_port":80,"dest_ip":"10.0.0.1","dest_port":40000,)",
       R"("direction":"to_client")",
       R"(+0000","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","src_port":40000,"dest_port":80})"});
}

TEST(Eve, WritesIcmpWithoutPorts) {
  EveCase test;
  test.info.target = RuleTarget::source_ip;
  test.scene.datagram.protocol = ip_protocol::icmp;
  test.scene.datagram.icmp_type = 8;
  test.scene.datagram.source_port = test.scene.datagram.target_port = 0;
  expect_texts(test.lines(), {R"("src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"ICMP","ip_v":4,)"
                              R"("icmp_type":8,"icmp_code":0,"pkt_src")",
                              R"("source":{"ip":"10.0.0.2"},"target":{"ip":"10.0.0.1"})", "!port"});
}

TEST(Eve, WritesIpv6InFullOrCompressed) {
  EveCase test;
  test.scene.datagram.ip_version = 6;
  test.scene.datagram.source = ip("2001:db8::1");
  test.scene.datagram.target = ip("ff02::1");
  expect_texts(test.lines(),
               {R"("src_ip":"2001:0db8:0000:0000:0000:0000:0000:0001")", R"("ip_v":6)"});
  test.options.ipv6_compress = true;
  expect_texts(test.lines(), {R"("src_ip":"2001:db8::1")", R"("dest_ip":"ff02::1")"});
}

TEST(Eve, NamesAnIpv6FragmentByItsFirstHeader) {
  EveCase test;
  test.scene.datagram.ip_version = 6;
  test.scene.datagram.has_transport = false;
  test.scene.datagram.is_fragment = true;
  test.scene.datagram.protocol = ip_protocol::udp;
  const std::string header = "\x60\x00\x00\x00\x00\x08\x2c\x40"s + std::string(32, '\0');
  test.scene.datagram.ip_header = as_bytes(header);
  test.scene.tracked.flow.id = FlowId();
  expect_texts(test.lines(), {R"("proto":"IPv6-Frag")", "!src_port", "!flow"});
}

TEST(Eve, WritesAFrameWithoutIpWithoutTuple) {
  EveCase test;
  test.scene.datagram.ip_version = 0;
  test.scene.datagram.has_transport = false;
  test.scene.tracked.flow.id = FlowId();
  EXPECT_EQ(test.lines(),
            R"({"timestamp":"2024-03-09T14:05:06.000123+0000","pcap_cnt":7,"event_type":"alert",)"
            R"("pkt_src":"wire/pcap","alert":{"action":"allowed","gid":1,"signature_id":2100498,)"
            R"("rev":1,"signature":"GPL ATTACK_RESPONSE id check returned root","category":"",)"
            R"("severity":3}})"
            "\n");
}

TEST(Eve, NamesTheOutermostDatagramOfATunnel) {
  Scene outer;
  outer.datagram.source = ip("192.0.2.1");
  outer.datagram.target = ip("192.0.2.2");
  outer.datagram.protocol = ip_protocol::gre;
  outer.datagram.has_transport = false;
  EveCase test;
  test.scene.datagram.carrier = &outer.datagram;
  test.scene.datagram.origin = DatagramOrigin::gre_tunnel;
  test.scene.datagram.depth = 1;
  expect_texts(test.lines(),
               {R"("pkt_src":"gre tunnel")",
                R"("tunnel":{"src_ip":"192.0.2.1","src_port":0,"dest_ip":"192.0.2.2",)"
                R"("dest_port":0,"proto":"GRE","depth":1,"pcap_cnt":7,"pkt_src":"wire/pcap"})",
                R"(+0000","flow_id":1234567890123,"event_type")"});
}

TEST(Eve, ShowsTheFragmentThatCompletedARebuiltDatagram) {
  EveCase test;
  test.scene.datagram.origin = DatagramOrigin::defrag;
  expect_texts(test.lines(),
               {R"("pkt_src":"defrag")",
                R"("tunnel":{"src_ip":"10.0.0.1","src_port":0,"dest_ip":"10.0.0.2",)"
                R"("dest_port":0,"proto":"TCP","depth":0,"pcap_cnt":7,"pkt_src":"wire/pcap"})"});
}

TEST(Eve, ShowsStreamBytesOfAStreamMatch) {
  EveCase test;
  test.options.payload_printable = true;
  test.options.payload_buffer_bytes = 6;
  test.scene.datagram.payload = as_bytes("packet");
  test.scene.alert.from_stream = true;
  test.scene.alert.stream_bytes = as_bytes("stream bytes");
  expect_texts(test.lines(), {R"("payload_printable":"stream","stream":1)"});
  test.scene.alert.stream_bytes = {};
  expect_texts(test.lines(), {R"("payload_printable":"packet","stream":1)"});
  test.scene.datagram.payload = {};
  expect_texts(test.lines(), {"!payload_printable", R"("stream":1)"});
}

TEST(Eve, WritesWhatTheTransactionSays) {
  EveCase test;
  test.scene.alert.transaction = &test.scene.transaction;
  test.scene.transaction.id = 3;
  test.scene.app.protocol = AppProtocol::http1;
  test.scene.app.by_direction = {AppProtocol::http1, AppProtocol::failed};
  test.scene.app.original = AppProtocol::smtp;
  test.scene.context = {.view = &test.scene.app, .members = R"("http":{"status":200})"};
  expect_texts(test.lines(), {R"("pkt_src":"wire/pcap","tx_id":3,"alert":{)",
                              R"("http":{"status":200},"app_proto":"http","app_proto_tc":"failed",)"
                              R"("app_proto_orig":"smtp","direction":)"});
}

TEST(Eve, SaysWhatHappensToThePacket) {
  struct {
    Action action;
    bool drops, is_ips;
    const char* alert_action;
    const char* verdict;
  } const cases[] = {
      {Action::alert, false, false, "allowed", R"({"action":"alert"})"},
      {Action::drop, true, false, "allowed", R"({"action":"alert"})"},
      {Action::drop, true, true, "blocked", R"({"action":"drop"})"},
      {Action::alert, true, true, "allowed", R"({"action":"drop"})"},
      {Action::reject, true, false, "blocked",
       R"({"action":"alert","reject-target":"to_client","reject":["tcp-reset"]})"},
      {Action::reject_both, true, true, "blocked",
       R"({"action":"drop","reject-target":"both","reject":["tcp-reset"]})"},
  };
  for (const auto& test_case : cases) {
    EveCase test;
    test.options.verdict = true;
    test.info.action = test_case.action;
    test.scene.alert.drops = test_case.drops;
    test.collector.simulate_ips = test_case.is_ips;
    expect_texts(test.lines(), {"\"alert\":{\"action\":\""s + test_case.alert_action + '"',
                                "\"verdict\":"s + test_case.verdict});
  }
}

TEST(Eve, WritesTaggedPacketsAsPackets) {
  EveCase test;
  test.scene.alert.is_tagged_packet = true;
  test.scene.alert.rule_index = UINT32_MAX;
  test.scene.datagram.frame = as_bytes("the whole frame");
  EXPECT_EQ(test.lines(),
            R"({"timestamp":"2024-03-09T14:05:06.000123+0000","flow_id":1234567890123,)"
            R"("pcap_cnt":7,"event_type":"packet","src_ip":"10.0.0.1","src_port":40000,)"
            R"("dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","ip_v":4,"pkt_src":"wire/pcap",)"
            R"("packet":"dGhlIHdob2xlIGZyYW1l",)"
            R"("packet_info":{"linktype":1,"linktype_name":"EN10MB"}})"
            "\n");
}

TEST(Eve, StaysValidWhateverARuleSays) {
  EveCase test;
  test.info.message = "line\nbreak \xff \"quoted\""s;
  const std::string line = test.lines();
  EXPECT_EQ(count_lines(line), 1U);
  expect_texts(line, {R"("signature":"line\nbreak \\xff \"quoted\"")"});
}

FlowEnd tcp_end(const Scene& scene) {
  FlowEnd end;
  end.view = scene.tracked.flow;
  end.view.state = FlowState::closed;
  end.view.tcp_state = TcpState::closed;
  end.protocol = ip_protocol::tcp;
  end.ip_version = 4;
  end.tcp_flags = {0x1b, 0x12};
  end.ttl_min = {60, 50};
  end.ttl_max = {64, 55};
  end.has_gap = {false, true};
  end.clock_ns = start_ns + 60 * second_ns;
  end.last_number = 9;
  return end;
}

TEST(Eve, WritesAFlowAndItsTwoDirections) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.eve[0].flows = sinks.eve[0].netflows = true;
  Desk desk({rule(1)}, sinks);
  const Scene scene;
  desk.write(scene);
  const uint32_t bits[] = {0};
  ASSERT_TRUE(desk.writer.write_flow_end(tcp_end(scene), {bits, {}}));
  desk.collector.finish();
  const std::string lines = folder.read("eve.json");
  EXPECT_EQ(
      lines.substr(lines.find('\n') + 1),
      R"({"timestamp":"2024-03-09T14:06:06.000123+0000","flow_id":1234567890123,)"
      R"("event_type":"flow","src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2",)"
      R"("dest_port":80,"ip_v":4,"proto":"TCP","flow":{"pkts_toserver":5,"pkts_toclient":4,)"
      R"("bytes_toserver":500,"bytes_toclient":4000,"start":"2024-03-09T14:05:04.000123+0000",)"
      R"("end":"2024-03-09T14:05:06.000123+0000","age":2,"state":"closed","reason":"timeout",)"
      R"("alerted":true},"metadata":{"flowbits":["seen"]},"tcp":{"tcp_flags":"1b",)"
      R"("tcp_flags_ts":"1b","tcp_flags_tc":"12","syn":true,"fin":true,"psh":true,"ack":true,)"
      R"("state":"closed","tc_gap":true}})"
      "\n"
      R"({"timestamp":"2024-03-09T14:06:06.000123+0000","flow_id":1234567890123,)"
      R"("event_type":"netflow","src_ip":"10.0.0.1","src_port":40000,"dest_ip":"10.0.0.2",)"
      R"("dest_port":80,"ip_v":4,"proto":"TCP","netflow":{"pkts":5,"bytes":500,)"
      R"("start":"2024-03-09T14:05:04.000123+0000","end":"2024-03-09T14:05:06.000123+0000",)"
      R"("age":2,"min_ttl":60,"max_ttl":64},"tcp":{"tcp_flags":"1b","syn":true,"fin":true,)"
      R"("psh":true,"ack":true},"metadata":{"flowbits":["seen"]}})"
      "\n"
      R"({"timestamp":"2024-03-09T14:06:06.000123+0000","flow_id":1234567890123,)"
      R"("event_type":"netflow","src_ip":"10.0.0.2","src_port":80,"dest_ip":"10.0.0.1",)"
      R"("dest_port":40000,"ip_v":4,"proto":"TCP","netflow":{"pkts":4,"bytes":4000,)"
      R"("start":"2024-03-09T14:05:04.000123+0000","end":"2024-03-09T14:05:06.000123+0000",)"
      R"("age":2,"min_ttl":50,"max_ttl":55},"tcp":{"tcp_flags":"12","syn":true,"ack":true},)"
      R"("metadata":{"flowbits":["seen"]}})"
      "\n");
}

TEST(Eve, WritesAnIcmpFlowWithItsAnswer) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.eve[0].flows = true;
  Desk desk({}, sinks);
  const Scene scene;
  FlowEnd end = tcp_end(scene);
  end.protocol = ip_protocol::icmp;
  end.icmp_type = 8;
  end.view.state = FlowState::bypassed;
  end.view.verdict = FlowVerdict::drop;
  end.reason = FlowEndReason::shutdown;
  ASSERT_TRUE(desk.writer.write_flow_end(end));
  desk.collector.finish();
  expect_texts(folder.read("eve.json"),
               {R"("proto":"ICMP","icmp_type":8,"icmp_code":0,"response_icmp_type":0,)"
                R"("response_icmp_code":0,"flow":{)",
                R"("state":"bypassed","bypass":"local","reason":"shutdown","alerted":false,)"
                R"("action":"drop"})",
                "!port", "!tcp"});
}

constexpr CounterRow engine_rows[] = {{"decoder.pkts", "packets", ""},
                                      {"decoder.event.ipv4.pkt_too_small", "events", ""},
                                      {"detect.alert", "alerts", ""},
                                      {"flow", "flows", ""},
                                      {"flow.tcp", "flows", ""}};

TEST(Eve, WritesStatisticsNestedByTheirDots) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.eve[0].statistics = true;
  sinks.eve[0].statistics_threads = true;
  sinks.eve[0].statistics_deltas = true;
  sinks.eve[0].statistics_zeroes = false;
  Desk desk({}, sinks);
  std::array<uint64_t, 5> first{10, 0, 1, 4, 3};
  std::array<uint64_t, 5> second{20, 0, 2, 0, 0};
  const CounterView first_view{engine_rows, first};
  const CounterView second_view{engine_rows, second};
  const ThreadStatistics threads[] = {{"W#01", {&first_view, 1}}, {"W#02", {&second_view, 1}}};
  Statistics statistics{.time_ns = start_ns, .uptime_seconds = 9, .threads = threads, .engine = {}};
  desk.collector.write_statistics(statistics);
  first[0] = 15;
  sinks.eve[0].statistics_threads = false;
  statistics.engine = EngineStatistics{start_ns, 100, 2, 1};
  desk.collector.write_statistics(statistics);
  desk.collector.finish();
  const std::string lines = folder.read("eve.json");
  EXPECT_EQ(lines.substr(0, lines.find('\n')),
            R"({"timestamp":"2024-03-09T14:05:06.000123+0000","event_type":"stats",)"
            R"("stats":{"uptime":9,"decoder":{"pkts":30,"pkts_delta":30},"detect":{"alert":3,)"
            R"("alert_delta":3},"flow":{"total":4,"total_delta":4,"tcp":3,"tcp_delta":3},)"
            R"("threads":{"W#01":{"decoder":{"pkts":10,"pkts_delta":10},)"
            R"("detect":{"alert":1,"alert_delta":1},)"
            R"("flow":{"total":4,"total_delta":4,"tcp":3,"tcp_delta":3}},)"
            R"("W#02":{"decoder":{"pkts":20,"pkts_delta":20},)"
            R"("detect":{"alert":2,"alert_delta":2}}}}})");
  expect_texts(lines.substr(lines.find('\n') + 1),
               {R"("decoder":{"pkts":35,"pkts_delta":5},"detect":{"engines":[{"id":0,)"
                R"("last_reload":"2024-03-09T14:05:06.000123+0000","rules_loaded":100,)"
                R"("rules_failed":2,"rules_skipped":1}],"alert":3,"alert_delta":0})"});
}

TEST(Eve, WritesWhatAWorkerGaveUp) {
  const Zone zone;
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  sinks.eve.push_back(sinks.eve[0]);
  sinks.eve[1].file.path = "other.json";
  sinks.eve[1].overloads = false;
  Desk desk({}, sinks);
  const OverloadReport::Share shares[] = {{"encrypted", 1, 20, 3000}, {"large", 2, 50, 70000}};
  desk.collector.write_overload({.worker = "W#02",
                                 .start_ns = start_ns,
                                 .end_ns = start_ns + second_ns,
                                 .is_overloaded = true,
                                 .shares = shares});
  desk.collector.finish();
  EXPECT_EQ(folder.read("eve.json"),
            R"({"timestamp":"2024-03-09T14:05:07.000123+0000","event_type":"overload",)"
            R"("overload":{"worker":"W#02","state":"overloaded",)"
            R"("start":"2024-03-09T14:05:06.000123+0000","end":"2024-03-09T14:05:07.000123+0000",)"
            R"("flows":3,"packets":70,"bytes":73000,)"
            R"("encrypted":{"flows":1,"packets":20,"bytes":3000},)"
            R"("large":{"flows":2,"packets":50,"bytes":70000}}})"
            "\n");
  EXPECT_EQ(folder.read("other.json"), "");
}

}  // namespace
}  // namespace shrike::output
