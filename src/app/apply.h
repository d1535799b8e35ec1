#pragma once
#include "config_reader.h"
#include "settings.h"

/// The parts of apply_config: each reads a few sections and knows nothing of the others.
namespace shrike::app {

/// What is decided once and needed by several parts.
struct Mode {
  bool simulate_ips = false;
};

/// pcap-file, decoder, vlan, defrag, host-os-policy.
void apply_decoding(const ConfigReader& config, Settings& settings);
/// stream, flow-timeouts, exception-policy.
void apply_flows(const ConfigReader& config, const Mode& mode, Settings& settings);
/// app-layer.protocols.
void apply_protocols(const ConfigReader& config, Settings& settings);
/// vars, rule files and their companions, detect, pcre, action-order, packet-alert-max.
void apply_rules(const ConfigReader& config, const Mode& mode, Settings& settings);
/// outputs, stats, default-log-dir.
void apply_outputs(const ConfigReader& config, Settings& settings);
/// dpdk, af-packet, shrike.live: ports and how workers run on them.
void apply_live(const ConfigReader& config, Settings& settings);
/// shrike: our own section, where an unknown key is an error.
void apply_own(const ConfigReader& config, Settings& settings);

/// The ports of a live run: those of the command line, else dpdk.interfaces, else af-packet; with
/// what follows from them and from the number of workers. After everything else is applied.
void choose_ports(const std::vector<std::string>& names, Settings& settings);

/// Bytes of a frame, Ethernet header included, that the ring of a kernel interface holds whole.
uint32_t frame_bytes_in_ring(uint16_t mtu);

/// "$NAME" inside a list of ports replaced by what vars.port-groups says, as often as needed.
/// An unknown name, or names that stand for each other, are an error at `at`.
std::optional<std::string> expand_ports(const std::string& text, const rule::Options& rules,
                                        const Position& at, Diagnostics& diagnostics);

}  // namespace shrike::app
