#include "settings.h"

#include <gtest/gtest.h>

#include "assemble.h"
#include "settings_text.h"

namespace shrike::app {
namespace {

Settings read_well(const std::string& text) {
  Diagnostics diagnostics;
  Settings settings = read(text, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  return settings;
}

TEST(Settings, StockConfigurationSaysWhatSuricatasSays) {
  const Settings settings = read_well(std::string(stock_config_text()));
  EXPECT_EQ(settings.rules.address_groups.at("HOME_NET"),
            "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]");
  EXPECT_EQ(settings.rules.address_groups.at("EXTERNAL_NET"), "!$HOME_NET");
  EXPECT_EQ(settings.rules.port_groups.at("SHELLCODE_PORTS"), "!80");
  EXPECT_EQ(settings.rules.port_groups.size(), 12U);
  EXPECT_EQ(settings.rules.address_groups.size(), 15U);
  EXPECT_EQ(settings.flow.tcp.fresh, 60U);
  EXPECT_EQ(settings.flow.tcp.established, 600U);
  EXPECT_EQ(settings.flow.tcp.closed, 60U);
  EXPECT_EQ(settings.flow.depth_bytes, 1U << 20);
  EXPECT_EQ(settings.decoder.teredo_ports, std::vector<uint16_t>{3544});
  ASSERT_EQ(settings.flow.target_policies.size(), 1U);
  EXPECT_EQ(settings.flow.target_policies[0].policy, flow::TargetPolicy::windows);
  EXPECT_EQ(settings.decoder.target_policies[0].policy, decode::TargetPolicy::windows);
  EXPECT_EQ(settings.detector.alerts_per_packet_max, 15U);
  ASSERT_EQ(settings.sinks.eve.size(), 1U);
  EXPECT_TRUE(settings.sinks.eve[0].alerts);
  EXPECT_TRUE(settings.sinks.eve[0].flows);
  EXPECT_TRUE(settings.sinks.eve[0].statistics);
  EXPECT_EQ(settings.sinks.fast_log.size(), 1U);
  EXPECT_EQ(settings.sinks.csv.size(), 0U);
}

TEST(Settings, AFileLeavesTheRestToWhatSuricataHasBuiltIn) {
  const Settings settings = read_well("stats: {enabled: no}\n");
  EXPECT_EQ(settings.flow.tcp.fresh, 30U);
  EXPECT_EQ(settings.flow.tcp.established, 300U);
  EXPECT_EQ(settings.flow.tcp.closed, 10U);
  EXPECT_EQ(settings.flow.depth_bytes, 0U);
  EXPECT_TRUE(settings.decoder.teredo_ports.empty());  // any port
  EXPECT_TRUE(settings.flow.target_policies.empty());
  EXPECT_EQ(settings.rules.port_groups.at("HTTP_PORTS"), "80");  // rules need the variables
  ASSERT_EQ(settings.sinks.eve.size(), 1U);
  EXPECT_FALSE(settings.sinks.eve[0].flows);
}

TEST(Settings, ReadsStreamsFlowsAndDecoding) {
  const Settings settings = read_well(R"(
vars: {port-groups: {TUNNELS: "[4789,8472]"},
       address-groups: {HOME_NET: [10.0.0.0/8, "!10.1.0.0/16"]}}
stream:
  midstream: true
  async-oneside: yes
  inline: yes
  drop-invalid: no
  checksum-validation: no
  reassembly: {depth: 2mb, toserver-chunk-size: 1kb, urgent: {policy: gap}, memcap: 8mb}
flow-timeouts: {udp: {new: 1, established: 2, bypassed: 3}, default: {closed: 4}}
decoder: {vxlan: {ports: $TUNNELS}, geneve: {enabled: no}, teredo: {ports: any}, max-layers: 8}
vlan: {use-for-tracking: no}
defrag: {timeout: 30, memcap: 1mb}
host-os-policy: {linux: [10.0.0.0/8, "::/0"], old-solaris: 192.168.1.1}
pcap-file: {checksum-checks: no}
)");
  EXPECT_TRUE(settings.flow.midstream);
  EXPECT_TRUE(settings.flow.async_one_side);
  EXPECT_TRUE(settings.flow.is_inline);
  EXPECT_FALSE(settings.flow.drop_invalid);
  EXPECT_FALSE(settings.flow.check_checksums);
  EXPECT_EQ(settings.flow.depth_bytes, 2U << 20);
  EXPECT_EQ(settings.flow.chunk_bytes, (std::array<uint32_t, 2>{1024, 2560}));
  EXPECT_EQ(settings.flow.urgent, flow::FlowOptions::Urgent::gap);
  EXPECT_EQ(settings.flow.udp.fresh, 1U);
  EXPECT_EQ(settings.flow.udp.established, 2U);
  EXPECT_EQ(settings.flow.udp.bypassed, 3U);
  EXPECT_EQ(settings.flow.other.closed, 4U);
  EXPECT_EQ(settings.decoder.vxlan_ports, (std::vector<uint16_t>{4789, 8472}));
  EXPECT_FALSE(settings.decoder.geneve_enabled);
  EXPECT_TRUE(settings.decoder.teredo_ports.empty());
  EXPECT_EQ(settings.decoder.layers_max, 8U);
  EXPECT_FALSE(settings.decoder.vlan_separates_fragments);
  EXPECT_FALSE(settings.flow.vlan_separates_flows);
  EXPECT_FALSE(settings.decoder.check_checksums);
  EXPECT_EQ(settings.flow.target_policies.size(), 3U);
  EXPECT_EQ(settings.rules.address_groups.at("HOME_NET"), "[10.0.0.0/8, !10.1.0.0/16]");
}

TEST(Settings, ReadsOutputs) {
  const Settings settings = read_well(R"(
sensor-name: north
outputs:
  - eve-log:
      enabled: yes
      filename: a.json
      append: no
      community-id: yes
      types:
        - alert: {payload: yes, payload-printable: yes, payload-buffer-size: 8kb, packet: yes,
                  metadata: {flow: no, rule: {raw: yes, reference: yes}}}
        - netflow
        - dns: {enabled: no}
  - eve-log: {filename: b.json, types: [flow]}
  - fast: {enabled: no}
  - csv: {filename: c.csv, columns: [timestamp, src_ip]}
)");
  ASSERT_EQ(settings.sinks.eve.size(), 2U);
  const output::EveOptions& first = settings.sinks.eve[0];
  EXPECT_EQ(first.file.path, "a.json");
  EXPECT_FALSE(first.file.append);
  EXPECT_TRUE(first.community_id);
  EXPECT_EQ(first.sensor_name, "north");
  EXPECT_TRUE(first.alerts && first.payload && first.payload_printable && first.packet);
  EXPECT_EQ(first.payload_buffer_bytes, 8192U);
  EXPECT_FALSE(first.alert_flow);
  EXPECT_TRUE(first.rule_text && first.rule_references && first.netflows);
  EXPECT_FALSE(first.flows);
  EXPECT_FALSE(settings.sinks.eve[1].alerts);
  EXPECT_TRUE(settings.sinks.eve[1].flows);
  EXPECT_TRUE(settings.sinks.fast_log.empty());
  ASSERT_EQ(settings.sinks.csv.size(), 1U);
  EXPECT_EQ(settings.sinks.csv[0].columns, (std::vector<std::string>{"timestamp", "src_ip"}));
}

struct PolicyCase {
  const char* text;
  flow::ExceptionPolicy policy;
};

TEST(Settings, ChoosesTheMidstreamPolicy) {
  using flow::ExceptionPolicy;
  const PolicyCase cases[] = {
      {"a: 1", ExceptionPolicy::ignore},
      {"exception-policy: auto", ExceptionPolicy::ignore},
      {"simulate-ips: yes", ExceptionPolicy::drop_flow},
      {"{simulate-ips: yes, exception-policy: auto}", ExceptionPolicy::drop_flow},
      {"{simulate-ips: yes, stream: {midstream: yes}}", ExceptionPolicy::ignore},
      {"exception-policy: drop-flow", ExceptionPolicy::ignore},
      {"{simulate-ips: yes, exception-policy: pass-packet}", ExceptionPolicy::pass_packet},
      {"exception-policy: reject", ExceptionPolicy::reject},
      {"{exception-policy: reject, stream: {midstream-policy: bypass}}", ExceptionPolicy::bypass},
      {"stream: {midstream: yes, midstream-policy: pass-flow}", ExceptionPolicy::pass_flow},
      {"{simulate-ips: yes, stream: {midstream-policy: ignore}}", ExceptionPolicy::ignore},
  };
  for (const PolicyCase& test : cases) {
    SCOPED_TRACE(test.text);
    Diagnostics diagnostics;
    EXPECT_EQ(read(test.text, diagnostics).flow.midstream_policy, test.policy);
    EXPECT_EQ(diagnostics.errors(), 0U) << diagnostics.text();
  }
}

TEST(Settings, SaysWhatIsWrongAndWhere) {
  const Mistake mistakes[] = {
      {"stream: {midstream: maybe}",
       "x.yaml:1:21: error[flag]: 'maybe' is not a value of stream.midstream; write yes or no"},
      {"stream: {midstream: {a: b}}",
       "x.yaml:1:21: error[config-type]: stream.midstream is one value; write \"midstream: "
       "value\""},
      {"stream: {reassembly: {depth: 10xb}}",
       "x.yaml:1:30: error[size]: '10xb' is not a size; write bytes, or for example 64kb, 16mb, "
       "2gb"},
      {"flow-timeouts: {tcp: {new: soon}}",
       "x.yaml:1:28: error[number]: 'soon' is not a number; write 0 to 1073741824"},
      {"decoder: {max-layers: 17}",
       "x.yaml:1:23: error[range]: 17 is out of range for decoder.max-layers; write 1 to 16"},
      {"decoder: {vxlan: {ports: http}}",
       "x.yaml:1:26: error[port]: 'http' is not a port; write for example 4789 or [4789, 8472]"},
      {"decoder: {vxlan: {ports: $NONE}}",
       "x.yaml:1:26: error[port-variable]: $NONE is not in vars.port-groups; define it there"},
      {"{vars: {port-groups: {A: $B, B: $A}}, decoder: {vxlan: {ports: $A}}}",
       "x.yaml:1:64: error[port-variable]: '$A' does not end: variables stand for each other"},
      {"host-os-policy: {bsd: [10.0.0.300]}",
       "x.yaml:1:24: error[address]: '10.0.0.300' is not an address; write for example 10.0.0.0/8"},
      {"host-os-policy: {bsd: [[10.0.0.3]]}",
       "x.yaml:1:24: error[config-type]: host-os-policy.bsd is a list of plain values; write \"- "
       "value\""},
      {"exception-policy: none",
       "x.yaml:1:19: error[word]: 'none' is not a value of exception-policy; write one of ignore, "
       "bypass, pass-flow, pass-packet, drop-flow, drop-packet, reject, auto"},
      {"stream: {midstream-policy: drop-flow}",
       "x.yaml:1:28: error[midstream-policy]: a sensor that only listens cannot drop-flow; write "
       "ignore, or use --simulate-ips"},
      {"stream: {midstream-policy: pass-packet}",
       "x.yaml:1:28: error[midstream-policy]: pass-packet is for packets; write ignore, pass-flow, "
       "bypass, reject or auto"},
      {"stream: {midstream: yes, midstream-policy: reject}",
       "x.yaml:1:44: error[midstream-policy]: reject contradicts stream.midstream: yes; write "
       "pass-flow or ignore"},
      {"action-order: [alert, alert, drop, stop]",
       "x.yaml:1:23: error[action-order]: 'alert' stands twice; name pass, drop, reject and alert "
       "once each\n"
       "x.yaml:1:36: error[action-order]: 'stop' is no action; name pass, drop, reject and alert "
       "once each"},
      {"action-order: [alert]",
       "x.yaml:1:16: error[action-order]: only 1 actions; name pass, drop, reject and alert once "
       "each"},
      {"packet-alert-max: 0",
       "x.yaml:1:19: warning[packet-alert-max]: '0' is not 1 to 255: 15 is taken"},
      {"outputs: [{eve-log: {filetype: redis}}]",
       "x.yaml:1:32: warning[filetype]: Shrike does not write to 'redis'; eve.json becomes an "
       "ordinary file"},
      {"threshold-file: /nowhere/t",
       "x.yaml:1:17: warning[companion-file]: cannot read /nowhere/t: No such file or directory; "
       "there are no thresholds"},
      {"classification-file: /nowhere/c",
       "x.yaml:1:22: warning[companion-file]: cannot read /nowhere/c: No such file or directory; "
       "Shrike's own is used"},
      {"shrike: {worker: 4}",
       "x.yaml:1:18: error[unknown-key]: shrike.worker is no key of Shrike's; the shipped "
       "shrike.yaml lists them"},
      {"shrike: {workers: 129}",
       "x.yaml:1:19: error[range]: 129 is out of range for shrike.workers; write 1 to 128"},
      {"shrike: {profiling: {sample-batches: 1048577}}",
       "x.yaml:1:38: error[range]: 1048577 is out of range for shrike.profiling.sample-batches; "
       "write 0 to 1048576"},
      {"shrike: {flows-max: 5000}",
       "x.yaml:1:21: error[flows-max]: 5000 is not a power of two; write 8192"},
      {"{app-layer: {a: 1}, stream: {prealloc-sessions: 1}}",
       "note[unused-keys]: keys that Shrike has no use for: app-layer.a, stream.prealloc-sessions"},
  };
  expect_told(mistakes);
}

TEST(Settings, NamesTheCaptureInEventsWhereThereAreSeveral) {
  CommandLine line;
  line.captures = {"a.pcap", "b.pcap"};
  Diagnostics diagnostics;
  EXPECT_TRUE(assemble_settings(line, diagnostics).sinks.eve.at(0).pcap_filename);
  line.captures = {"a.pcap"};
  EXPECT_FALSE(assemble_settings(line, diagnostics).sinks.eve.at(0).pcap_filename);
  line.per_file = true;
  EXPECT_TRUE(assemble_settings(line, diagnostics).sinks.eve.at(0).pcap_filename);
}

TEST(Settings, RulesOfTheCommandLineReplaceThoseOfTheConfiguration) {
  CommandLine line;
  line.captures = {"a.pcap"};
  line.sets = {"default-rule-path=/rules", "rule-files.0=a.rules", "rule-files.1=/b.rules"};
  line.extra_rules = {"c.rules"};
  Diagnostics diagnostics;
  const auto paths = [&] {
    std::vector<std::string> all;
    for (const RuleFile& file : assemble_settings(line, diagnostics).rule_files) {
      all.push_back(file.path);
    }
    return all;
  };
  EXPECT_EQ(paths(), (std::vector<std::string>{"/rules/a.rules", "/b.rules", "c.rules"}));
  line.only_rules = {"only.rules"};
  EXPECT_EQ(paths(), (std::vector<std::string>{"only.rules", "c.rules"}));
  EXPECT_EQ(diagnostics.errors(), 0U) << diagnostics.text();
}

TEST(Settings, SayWhatAWorkerDoesThatCannotKeepUp) {
  const worker::OverloadOptions stock = read_well(std::string(stock_config_text())).live.overload;
  EXPECT_TRUE(stock.sheds);
  EXPECT_EQ(stock.after_ms, 200U);
  EXPECT_EQ(stock.depth_bytes, 256U << 10);
  EXPECT_EQ(stock.elephant_mbit, 0U);
  const Settings settings = read_well(
      "shrike: {live: {overload: {enabled: no, after-ms: 5, step-ms: 6, depth: 64kb, report-ms: 7,"
      " elephant-mbit: 800, elephant-window-ms: 8, elephant-depth: 2mb}}}\n"
      "outputs: [{eve-log: {types: [alert, {overload: {enabled: no}}]}}]\n");
  const worker::OverloadOptions& overload = settings.live.overload;
  EXPECT_FALSE(overload.sheds);
  EXPECT_EQ(overload.after_ms, 5U);
  EXPECT_EQ(overload.step_ms, 6U);
  EXPECT_EQ(overload.depth_bytes, 65536U);
  EXPECT_EQ(overload.report_ms, 7U);
  EXPECT_EQ(overload.elephant_mbit, 800U);
  EXPECT_EQ(overload.elephant_window_ms, 8U);
  EXPECT_EQ(overload.elephant_depth_bytes, 2U << 20);
  EXPECT_FALSE(settings.sinks.eve.at(0).overloads);

  Diagnostics diagnostics;
  read("shrike: {live: {overload: {after-ms: 0}}}\n", diagnostics);
  EXPECT_EQ(diagnostics.errors(), 1U) << diagnostics.text();
}

}  // namespace
}  // namespace shrike::app
