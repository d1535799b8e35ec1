#include <fmt/format.h>

#include <algorithm>

#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// What a frame of af_packet's ring of 2,048 bytes holds, which is what an MTU of 1500 gives.
constexpr uint32_t usual_frame_bytes_max = 1982;
constexpr int64_t link_overhead_bytes = 14 + 8;  // Ethernet and two tags, which the MTU leaves out

uint32_t frame_bytes_max(const Request& request, const std::string& interface) {
  const auto known = std::ranges::find(request.ring_frames, interface, &RingFrame::interface);
  return known == request.ring_frames.end() ? usual_frame_bytes_max : known->bytes_max;
}

/// Offloads that change what is captured. Source of the names: Linux, net/ethtool/common.c; of the
/// short ones: ethtool(8).
constexpr struct {
  std::string_view kernel_name;
  const char* short_name;
  Level level;
  const char* meaning;
} distorting[] = {
    {"rx-lro", "lro", Level::warning,
     "the NIC joins segments into one before anyone sees them: sizes, flags and retransmissions "
     "are lost, and frames above the ring's size are cut"},
    {"rx-gro", "gro", Level::warning,
     "the kernel joins segments into one before the sensor sees them: sizes and retransmissions "
     "are lost, and frames above the ring's size are cut"},
    {"rx-gro-hw", "rx-gro-hw", Level::warning,
     "the NIC joins segments into one before anyone sees them"},
    {"rx-gro-list", "rx-gro-list", Level::warning, "the kernel chains segments into one"},
    {"rx-udp-gro-forwarding", "rx-udp-gro-forwarding", Level::warning,
     "the kernel joins datagrams of UDP into one"},
};

void look_at_link(const Machine& machine, const Request& request, const std::string& interface,
                  Findings& findings) {
  const std::string folder = "/sys/class/net/" + interface;
  const std::string state = machine.text(folder + "/operstate").value_or("unknown");
  const int64_t mtu = machine.number(folder + "/mtu").value_or(0);
  Finding finding{.topic = "link", .subject = interface, .way = Way::interface};
  finding.seen = fmt::format("{}, MTU {}", state, mtu);
  constexpr int64_t is_up = 1;  // IFF_UP, linux/if.h
  const std::string flags = machine.text(folder + "/flags").value_or("0");
  if ((std::strtol(flags.c_str(), nullptr, 16) & is_up) == 0) {
    finding.level = Level::problem;
    finding.meaning = "an interface that is down receives nothing";
    finding.mend = {"sudo ip link set " + interface + " up"};
  } else if (state == "down" || state == "lowerlayerdown") {
    finding.level = Level::warning;
    finding.meaning = "it is up without a link: look at the cable and at the other side";
  } else if (const uint32_t bytes_max = frame_bytes_max(request, interface);
             mtu + link_overhead_bytes > bytes_max && mtu < 65536) {
    finding.level = Level::warning;
    finding.meaning = fmt::format(
        "frames above {} bytes are cut by the ring of af_packet without a word; write mtu: {} for "
        "{} into af-packet of the configuration",
        bytes_max, mtu, interface);
  }
  findings.push_back(std::move(finding));
}

void look_at_offloads(const Machine& machine, const std::string& interface, Findings& findings) {
  const auto offloads =
      machine.kernel() == nullptr ? std::nullopt : machine.kernel()->offloads(interface);
  Finding finding{.topic = "offloads", .subject = interface, .way = Way::interface};
  if (!offloads) {
    finding.level = Level::note;
    finding.seen = "the driver does not tell";
    finding.meaning = "whether segments are joined before the sensor sees them is not known";
    findings.push_back(std::move(finding));
    return;
  }
  std::string switches;
  for (const auto& row : distorting) {
    const auto here = std::ranges::find(*offloads, row.kernel_name, &Offload::name);
    if (here == offloads->end() || !here->is_active) {
      continue;
    }
    finding.seen += fmt::format("{}{} is on{}", finding.seen.empty() ? "" : ", ", row.short_name,
                                here->is_fixed ? " (fixed)" : "");
    finding.meaning = finding.meaning.empty() ? row.meaning : finding.meaning;
    finding.level = std::max(finding.level, row.level);
    if (!here->is_fixed) {
      switches += fmt::format(" {} off", row.short_name);
    }
  }
  if (finding.seen.empty()) {
    finding.seen = "nothing joins segments";
  }
  if (!switches.empty()) {
    finding.mend = {"sudo ethtool -K " + interface + switches};
  }
  findings.push_back(std::move(finding));
}

size_t receive_queues(const Machine& machine, const std::string& interface) {
  const auto names = machine.names("/sys/class/net/" + interface + "/queues");
  return static_cast<size_t>(std::ranges::count_if(
      names, [](const std::string& name) { return name.starts_with("rx-"); }));
}

std::string hash_text(const ReceiveHash& hash) {
  switch (hash.function) {
    case ReceiveHash::Function::toeplitz:
      return "Toeplitz";
    case ReceiveHash::Function::exclusive_or:
      return "XOR";
    case ReceiveHash::Function::crc32:
      return "CRC32";
    case ReceiveHash::Function::unknown:
      return "unknown hash";
  }
  return {};
}

/// 6d5a over and over: every 16 bits alike. Source: Woo, Park, "Scalable TCP session monitoring
/// with symmetric receive-side scaling", 2012.
std::string symmetric_key(size_t bytes) {
  std::string text;
  for (size_t at = 0; at < bytes; ++at) {
    text += at == 0 ? "" : ":";
    text += at % 2 == 0 ? "6d" : "5a";
  }
  return text;
}

bool is_symmetric_hash(const ReceiveHash& hash) {
  return hash.is_symmetrised || hash.function == ReceiveHash::Function::exclusive_or ||
         (hash.function == ReceiveHash::Function::toeplitz && is_symmetric(hash.key));
}

void judge_hash(const ReceiveHash& hash, const std::string& interface, Finding& finding) {
  std::vector<uint32_t> queues = hash.indirection;
  std::ranges::sort(queues);
  queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
  finding.seen += fmt::format(", {}, key of {} bytes{}, {} buckets over queues {}", hash_text(hash),
                              hash.key.size(), is_symmetric_hash(hash) ? " (symmetric)" : "",
                              hash.indirection.size(), list_text(queues));
  if (queues.size() == 1 || is_symmetric_hash(hash)) {
    return;
  }
  if (hash.function == ReceiveHash::Function::toeplitz && hash.key.empty()) {
    finding.level = Level::note;
    finding.meaning =
        "the driver does not show its key: whether both directions of a connection "
        "meet one queue is not known; the sensor puts them together in software";
    return;
  }
  finding.level = Level::warning;
  finding.meaning =
      "the two directions of a connection come through different queues: the sensor "
      "puts them together in software, which costs time and may change their order";
  if (!hash.key.empty()) {
    finding.mend = {fmt::format("sudo ethtool -X {} hkey {} hfunc toeplitz", interface,
                                symmetric_key(hash.key.size()))};
  }
}

void look_at_hash(const Machine& machine, const std::string& interface, Findings& findings) {
  const size_t queues = receive_queues(machine, interface);
  Finding finding{.topic = "receive-hash", .subject = interface, .way = Way::interface};
  finding.seen = fmt::format("{} receive queue{}", queues, queues == 1 ? "" : "s");
  const auto hash = machine.kernel() == nullptr || queues < 2
                        ? std::nullopt
                        : machine.kernel()->receive_hash(interface);
  if (hash) {
    judge_hash(*hash, interface, finding);
  } else if (queues > 1) {
    finding.level = Level::note;
    finding.seen += ", and the driver does not tell how it chooses";
    finding.meaning =
        "both directions of a connection may come through different queues; the "
        "sensor puts them together in software";
  }
  findings.push_back(std::move(finding));
}

}  // namespace

bool is_symmetric(const std::vector<uint8_t>& key) noexcept {
  const auto bit = [&](size_t at) { return (key[at / 8] >> (7 - at % 8)) & 1; };
  constexpr size_t window_bits = 32;
  // Of `bits` input bits, source at `source` and target right behind it.
  const auto are_alike = [&](size_t source, size_t bits) {
    for (size_t at = source; at < source + bits + window_bits - 1; ++at) {
      if (bit(at) != bit(at + bits)) {
        return false;
      }
    }
    return true;
  };
  constexpr size_t key_bytes_min = 40;  // what IPv6 with ports needs: 288 bits and one window
  return key.size() >= key_bytes_min && are_alike(0, 32) && are_alike(64, 16) &&
         are_alike(0, 128) && are_alike(256, 16);
}

void probe_interfaces(const Machine& machine, const Request& request, Findings& findings) {
  std::vector<std::string> interfaces = request.interfaces;
  if (interfaces.empty() && request.ports.empty()) {
    for (const std::string& name : machine.names("/sys/class/net")) {
      // Only what has hardware behind it, or stands for hardware: others can be named.
      if (machine.exists("/sys/class/net/" + name + "/device")) {
        interfaces.push_back(name);
      }
    }
  }
  for (const std::string& interface : interfaces) {
    if (!machine.exists("/sys/class/net/" + interface)) {
      findings.push_back({.topic = "link",
                          .subject = interface,
                          .way = Way::interface,
                          .level = Level::problem,
                          .seen = "there is no such interface",
                          .meaning = "it may be bound to DPDK already, or be called otherwise",
                          .mend = {"ip -br link"}});
      continue;
    }
    look_at_link(machine, request, interface, findings);
    look_at_offloads(machine, interface, findings);
    look_at_hash(machine, interface, findings);
  }
}

}  // namespace shrike::doctor
