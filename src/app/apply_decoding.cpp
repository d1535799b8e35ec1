#include <set>

#include "apply.h"

namespace shrike::app {

namespace {

/// A policy under its name in host-os-policy, as the decoder and as the flow tracker call it.
struct PolicyName {
  std::string_view name;
  decode::TargetPolicy decode;
  flow::TargetPolicy flow;
};
constexpr PolicyName policy_names[] = {
    {"bsd", decode::TargetPolicy::bsd, flow::TargetPolicy::bsd},
    {"bsd-right", decode::TargetPolicy::bsd_right, flow::TargetPolicy::bsd_right},
    {"old-linux", decode::TargetPolicy::old_linux, flow::TargetPolicy::old_linux},
    {"linux", decode::TargetPolicy::linux, flow::TargetPolicy::linux},
    {"old-solaris", decode::TargetPolicy::old_solaris, flow::TargetPolicy::old_solaris},
    {"solaris", decode::TargetPolicy::solaris, flow::TargetPolicy::solaris},
    {"hpux10", decode::TargetPolicy::hpux10, flow::TargetPolicy::hpux10},
    {"hpux11", decode::TargetPolicy::hpux11, flow::TargetPolicy::hpux11},
    {"irix", decode::TargetPolicy::irix, flow::TargetPolicy::irix},
    {"macos", decode::TargetPolicy::macos, flow::TargetPolicy::macos},
    {"windows", decode::TargetPolicy::windows, flow::TargetPolicy::windows},
    {"vista", decode::TargetPolicy::vista, flow::TargetPolicy::vista},
    {"windows2k3", decode::TargetPolicy::windows2k3, flow::TargetPolicy::windows2k3},
    {"first", decode::TargetPolicy::first, flow::TargetPolicy::first},
    {"last", decode::TargetPolicy::last, flow::TargetPolicy::last},
};

void apply_target_policies(const ConfigReader& config, Settings& settings) {
  for (const PolicyName& policy : policy_names) {
    const std::string path = "host-os-policy." + std::string(policy.name);
    for (const ConfigNode& item : config.list(path)) {
      const auto range = parse_address_range(item.text);
      if (!range) {
        config.diagnostics().error(item.position(), "address",
                                   "'{}' is not an address; write for example 10.0.0.0/8",
                                   item.text);
        continue;
      }
      settings.decoder.target_policies.push_back({*range, policy.decode});
      settings.flow.target_policies.push_back({*range, policy.flow});
    }
  }
}

/// The port list at `path`, a YAML list or text, variables expanded; "any" gives an empty list.
void apply_ports(const ConfigReader& config, const std::string& path, const Settings& settings,
                 std::vector<uint16_t>& ports) {
  std::set<uint16_t> all;
  const std::vector<ConfigNode> items = config.list(path);
  for (const ConfigNode& item : items) {
    const auto text =
        expand_ports(item.text, settings.rules, item.position(), config.diagnostics());
    if (!text) {
      return;
    }
    if (*text == "any") {
      ports.clear();
      return;
    }
    const auto some = parse_ports(*text);
    if (!some) {
      config.diagnostics().error(item.position(), "port",
                                 "'{}' is not a port; write for example 4789 or [4789, 8472]",
                                 *text);
      return;
    }
    all.insert(some->begin(), some->end());
  }
  if (!items.empty()) {
    ports.assign(all.begin(), all.end());
  }
}

enum class ChecksumMode : uint8_t { check, ignore };
constexpr Word<ChecksumMode> checksum_modes[] = {
    {"auto", ChecksumMode::check}, {"yes", ChecksumMode::check},    {"no", ChecksumMode::ignore},
    {"true", ChecksumMode::check}, {"false", ChecksumMode::ignore}, {"kernel", ChecksumMode::check},
};

}  // namespace

void apply_decoding(const ConfigReader& config, Settings& settings) {
  decode::DecoderOptions& decoder = settings.decoder;
  ChecksumMode checksums = ChecksumMode::check;
  config.word("pcap-file.checksum-checks", checksums, checksum_modes);
  decoder.check_checksums = checksums == ChecksumMode::check;

  config.text("bpf-filter", settings.files.bpf_filter);

  config.flag("decoder.teredo.enabled", decoder.teredo_enabled);
  config.flag("decoder.vxlan.enabled", decoder.vxlan_enabled);
  config.flag("decoder.geneve.enabled", decoder.geneve_enabled);
  config.flag("decoder.erspan.typeI.enabled", decoder.erspan_type1_enabled);
  apply_ports(config, "decoder.teredo.ports", settings, decoder.teredo_ports);
  apply_ports(config, "decoder.vxlan.ports", settings, decoder.vxlan_ports);
  apply_ports(config, "decoder.geneve.ports", settings, decoder.geneve_ports);
  config.number("decoder.max-layers", decoder.layers_max, {1, limits::layers_max});

  config.number("defrag.trackers", decoder.defrag_trackers_max, {1, 1u << 24});
  config.number("defrag.max-frags", decoder.defrag_fragments_max, {1, 1u << 24});
  config.size("defrag.memcap", decoder.defrag_bytes_max, {1u << 16, 1ull << 40});
  config.number("defrag.timeout", decoder.defrag_timeout_seconds, {1, 3600});

  config.flag("vlan.use-for-tracking", decoder.vlan_separates_fragments);
  settings.flow.vlan_separates_flows = decoder.vlan_separates_fragments;
  apply_target_policies(config, settings);
}

}  // namespace shrike::app
