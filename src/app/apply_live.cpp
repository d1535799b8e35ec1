#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

#include "apply.h"

namespace shrike::app {

namespace {

using capture::PortOptions;

constexpr Bounds mtu_bounds{68, 65000};
constexpr uint32_t ring_header_bytes = 66;  // TPACKET2_HDRLEN - sizeof(sockaddr_ll), as DPDK has it
constexpr uint32_t ring_overhead_bytes = 14 + 8 + ring_header_bytes;  // Ethernet, two tags

bool is_device(std::string_view text) {
  return text.starts_with("net_") || text.starts_with("virtio_user") ||
         text.find(',') != std::string_view::npos || text.find(':') != std::string_view::npos;
}

/// A power of two that holds whole frames.
uint32_t ring_frame_bytes(uint16_t mtu) {
  return std::max(2048U, std::bit_ceil(mtu + ring_overhead_bytes));
}

/// A kernel interface, through DPDK's af_packet driver: one pair of queues a worker, and a ring of
/// 4096 frames each.
std::string af_packet_device(std::string_view interface, uint16_t mtu, unsigned workers,
                             size_t index) {
  const uint32_t frame_bytes = ring_frame_bytes(mtu);
  const uint32_t block_bytes = std::max(131072U, frame_bytes);
  return fmt::format("net_af_packet{},iface={},qpairs={},blocksz={},framesz={},framecnt=4096",
                     index, interface, workers, block_bytes, frame_bytes);
}

void read_port(const ConfigReader& entry, PortOptions& port) {
  entry.flag("promisc", port.promiscuous);
  entry.flag("multicast", port.multicast);
  entry.flag("checksum-checks-offload", port.checksum_offload);
  entry.number("mtu", port.mtu, mtu_bounds);
  entry.number("link-wait-ms", port.link_wait_ms, {0, 600'000});
  const ConfigNode* const descriptors = entry.find_scalar("rx-descriptors");
  if (descriptors != nullptr && descriptors->text != "auto") {
    entry.number("rx-descriptors", port.rx_descriptors, {32, 32768});
  }
}

/// The entries of `dpdk.interfaces` or `af-packet`. "default" is Suricata's word for what holds for
/// interfaces that are not listed.
std::vector<PortOptions> read_ports(const ConfigReader& config, std::string_view section,
                                    bool are_kernel_interfaces) {
  std::vector<PortOptions> ports;
  const ConfigNode* const list = config.find(section);
  if (list == nullptr) {
    return ports;
  }
  for (const ConfigEntry& item : list->entries) {
    const ConfigReader entry(item.value, config.diagnostics());
    PortOptions port;
    entry.text("interface", port.name);
    read_port(entry, port);
    item.value.mark_used();
    if (port.name.empty() || port.name == "default") {
      continue;
    }
    if (!are_kernel_interfaces || is_device(port.name)) {
      port.device = port.name;
      port.name.clear();
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

void apply_command_socket(const ConfigReader& config, Settings& settings) {
  using Mode = Settings::CommandSocket;
  static constexpr Word<Mode> modes[] = {{"auto", Mode::automatic},
                                         {"yes", Mode::on},
                                         {"true", Mode::on},
                                         {"no", Mode::off},
                                         {"false", Mode::off}};
  config.word("unix-command.enabled", settings.command_socket_mode, modes);
  config.text("unix-command.filename", settings.command_socket);
}

void apply_overload(const ConfigReader& config, worker::OverloadOptions& overload) {
  constexpr Bounds milliseconds{1, 3'600'000};
  constexpr Bounds bytes{0, uint64_t{1} << 40};
  config.flag("shrike.live.overload.enabled", overload.sheds);
  config.number("shrike.live.overload.after-ms", overload.after_ms, milliseconds);
  config.number("shrike.live.overload.step-ms", overload.step_ms, milliseconds);
  config.size("shrike.live.overload.depth", overload.depth_bytes, bytes);
  config.number("shrike.live.overload.report-ms", overload.report_ms, milliseconds);
  config.number("shrike.live.overload.elephant-mbit", overload.elephant_mbit, {0, 1'000'000});
  config.number("shrike.live.overload.elephant-window-ms", overload.elephant_window_ms,
                milliseconds);
  config.size("shrike.live.overload.elephant-depth", overload.elephant_depth_bytes, bytes);
}

/// "auto", "no", or the cores.
void read_cores(const ConfigReader& config, worker::LiveOptions& live) {
  const std::vector<ConfigNode> items = config.list("shrike.live.cores");
  if (items.size() == 1 && (items[0].text == "auto" || items[0].text == "no")) {
    live.pins_workers = items[0].text == "auto";
    return;
  }
  for (const ConfigNode& item : items) {
    const auto core = parse_number(item.text);
    if (!core || *core > 1023) {
      config.diagnostics().error(item.position(), "core",
                                 "'{}' is no core; write auto, no, or numbers of cores", item.text);
      continue;
    }
    live.cores.push_back(static_cast<unsigned>(*core));
  }
}

void apply_running(const ConfigReader& config, Settings& settings) {
  worker::LiveOptions& live = settings.live;
  static constexpr Word<worker::IdlePolicy> policies[] = {
      {"spin", worker::IdlePolicy::spin},
      {"pause", worker::IdlePolicy::pause},
      {"sleep", worker::IdlePolicy::sleep},
      {"interrupt", worker::IdlePolicy::interrupt},
  };
  config.word("shrike.live.idle", live.idle, policies);
  settings.ports.uses_interrupts = live.idle == worker::IdlePolicy::interrupt;
  config.number("shrike.live.idle-polls", live.idle_polls_max, {1, 1U << 30});
  config.number("shrike.live.idle-sleep-us", live.idle_sleep_us, {1, 1'000'000});
  apply_overload(config, live.overload);
  static constexpr Word<bool> bypass_words[] = {{"auto", true}, {"no", false}};
  config.word("shrike.live.nic-bypass", settings.ports.card_bypass, bypass_words);
  config.number("shrike.live.buffers", settings.ports.buffers, {0, 1U << 22});
  config.text("shrike.live.metrics", settings.metrics_address);
  config.flag("shrike.live.sandbox", settings.is_fenced);
  config.text("run-as.user", settings.user);
  config.text("run-as.group", settings.group);
  uint32_t idle_seconds = 0;
  config.number("shrike.live.stop-when-idle-seconds", idle_seconds, {0, 86400});
  settings.stop_when_idle_ms = idle_seconds * 1000;
  read_cores(config, live);
  uint32_t interval_seconds = settings.statistics_interval_ms / 1000;
  config.number("stats.interval", interval_seconds, {1, 86400});
  settings.statistics_interval_ms = interval_seconds * 1000;
}

/// Names that the command line gives take what the configuration says of them.
PortOptions port_named(const std::string& name, const std::vector<PortOptions>& known) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const PortOptions& port) {
    return port.name == name || port.device == name;
  });
  if (found != known.end()) {
    return *found;
  }
  PortOptions port;
  (is_device(name) ? port.device : port.name) = name;
  return port;
}

/// Where the control socket is, unless the configuration names another place. Asked while the
/// process still has the user that started it.
std::string command_socket_path(const Settings& settings) {
  std::string name =
      settings.command_socket.empty() ? "shrike-command.socket" : settings.command_socket;
  if (name.starts_with('/')) {
    return name;
  }
  return (geteuid() == 0 ? std::string("/run/shrike") : settings.sinks.directory) + "/" + name;
}

}  // namespace

uint32_t frame_bytes_in_ring(uint16_t mtu) {
  return ring_frame_bytes(mtu) - ring_header_bytes;
}

void apply_live(const ConfigReader& config, Settings& settings) {
  apply_running(config, settings);
  apply_command_socket(config, settings);
  for (const ConfigNode& word : config.list("dpdk.eal-arguments")) {
    settings.memory.eal_arguments.push_back(word.text);
  }
  settings.ports.ports = read_ports(config, "dpdk.interfaces", false);
  settings.kernel_interfaces = read_ports(config, "af-packet", true);
}

void choose_ports(const std::vector<std::string>& names, Settings& settings) {
  std::vector<PortOptions>& ports = settings.ports.ports;
  std::vector<PortOptions>& kernel = settings.kernel_interfaces;
  if (!names.empty()) {
    std::vector<PortOptions> known = ports;
    known.insert(known.end(), kernel.begin(), kernel.end());
    ports.clear();
    for (const std::string& name : names) {
      ports.push_back(port_named(name, known));
    }
  } else if (ports.empty()) {
    ports = kernel;
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].device.empty()) {
      ports[i].device = af_packet_device(ports[i].name, ports[i].mtu, settings.workers, i);
    } else if (capture::is_pci_address(ports[i].device)) {
      settings.memory.pci_addresses.push_back(ports[i].device);
    }
  }
  settings.command_socket = command_socket_path(settings);
  settings.ports.workers = settings.workers;
  settings.ports.batch_packets = settings.files.batch_packets;
  settings.ports.bpf_filter = settings.files.bpf_filter;
  settings.live.workers = settings.workers;
  settings.memory.extra_bytes = capture::buffer_bytes_for(settings.ports);
  settings.memory.buffers = std::min<uint32_t>(settings.memory.buffers, 1024);
}

}  // namespace shrike::app
