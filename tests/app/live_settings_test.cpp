// What the configuration says of a live run: mistakes, and which ports come of it.
#include "settings_text.h"

namespace shrike::app {
namespace {

TEST(LiveSettings, SaysWhatIsWrongAndWhere) {
  const Mistake mistakes[] = {
      {"shrike: {live: {idle: nap}}",
       "x.yaml:1:23: error[word]: 'nap' is not a value of shrike.live.idle; write one of spin, "
       "pause, sleep, interrupt"},
      {"shrike: {live: {idle-polls: 0}}",
       "x.yaml:1:29: error[range]: 0 is out of range for shrike.live.idle-polls; write 1 to "
       "1073741824"},
      {"shrike: {live: {idle-sleep-us: 1000001}}",
       "x.yaml:1:32: error[range]: 1000001 is out of range for shrike.live.idle-sleep-us; write 1 "
       "to 1000000"},
      {"shrike: {live: {buffers: many}}",
       "x.yaml:1:26: error[number]: 'many' is not a number; write 0 to 4194304"},
      {"shrike: {live: {sandbox: perhaps}}",
       "x.yaml:1:26: error[flag]: 'perhaps' is not a value of shrike.live.sandbox; write yes or "
       "no"},
      {"shrike: {live: {stop-when-idle-seconds: 86401}}",
       "x.yaml:1:41: error[range]: 86401 is out of range for shrike.live.stop-when-idle-seconds; "
       "write 0 to 86400"},
      {"shrike: {live: {cores: [1, all, 1024, 2]}}",
       "x.yaml:1:28: error[core]: 'all' is no core; write auto, no, or numbers of "
       "cores\n"
       "x.yaml:1:33: error[core]: '1024' is no core; write auto, no, or numbers of "
       "cores"},
      {"shrike: {live: {corse: 1}}",
       "x.yaml:1:24: error[unknown-key]: shrike.live.corse is no key of Shrike's; the shipped "
       "shrike.yaml lists them"},
      {"stats: {interval: 0}",
       "x.yaml:1:19: error[range]: 0 is out of range for stats.interval; write 1 to 86400"},
      {"unix-command: {enabled: sometimes}",
       "x.yaml:1:25: error[word]: 'sometimes' is not a value of unix-command.enabled; write one of "
       "auto, yes, true, no, false"},
      {"dpdk: {interfaces: [{interface: \"0000:03:00.0\", mtu: 67}]}",
       "x.yaml:1:54: error[range]: 67 is out of range for mtu; write 68 to 65000"},
      {"dpdk: {interfaces: [{interface: net_ring0, rx-descriptors: 31}]}",
       "x.yaml:1:60: error[range]: 31 is out of range for rx-descriptors; write 32 to 32768"},
      {"af-packet: [{interface: eth1, promisc: 2}]",
       "x.yaml:1:40: error[flag]: '2' is not a value of promisc; write yes or no"},
      {"af-packet: [{interface: eth1, link-wait-ms: 600001}]",
       "x.yaml:1:45: error[range]: 600001 is out of range for link-wait-ms; write 0 to 600000"},
  };
  expect_told(mistakes);
}

TEST(LiveSettings, ReadsHowWorkersRun) {
  Diagnostics diagnostics;
  const Settings settings = read(R"(
shrike: {live: {idle: spin, idle-polls: 7, idle-sleep-us: 8, buffers: 9, cores: [3, 5],
                metrics: "127.0.0.1:1", sandbox: no, stop-when-idle-seconds: 2}}
run-as: {user: shrike, group: sensors}
stats: {interval: 4}
unix-command: {enabled: yes, filename: /run/x.socket}
dpdk: {eal-arguments: [--no-huge, -v]}
)",
                                 diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(settings.live.idle, worker::IdlePolicy::spin);
  EXPECT_EQ(settings.live.idle_polls_max, 7U);
  EXPECT_EQ(settings.live.idle_sleep_us, 8U);
  EXPECT_EQ(settings.ports.buffers, 9U);
  EXPECT_EQ(settings.live.cores, (std::vector<unsigned>{3, 5}));
  EXPECT_EQ(settings.metrics_address, "127.0.0.1:1");
  EXPECT_FALSE(settings.is_fenced);
  EXPECT_EQ(settings.stop_when_idle_ms, 2000U);
  EXPECT_EQ(settings.user, "shrike");
  EXPECT_EQ(settings.group, "sensors");
  EXPECT_EQ(settings.statistics_interval_ms, 4000U);
  EXPECT_EQ(settings.command_socket_mode, Settings::CommandSocket::on);
  EXPECT_EQ(settings.command_socket, "/run/x.socket");
  EXPECT_EQ(settings.memory.eal_arguments, (std::vector<std::string>{"--no-huge", "-v"}));
}

constexpr const char* two_kinds = R"(
shrike: {workers: 2}
unix-command: {filename: /run/x.socket}
dpdk: {interfaces: [{interface: default, mtu: 9000},
                    {interface: "0000:03:00.0", mtu: 3000, rx-descriptors: 512}]}
af-packet: [{interface: eth1, promisc: no, mtu: 4000, rx-descriptors: auto}]
)";

struct Choice {
  std::vector<std::string> names;  ///< of the command line
  std::vector<std::string> devices;
  std::vector<uint16_t> mtus;
  std::vector<std::string> pci_addresses;
};

TEST(LiveSettings, ChoosesThePorts) {
  const std::string eth1 =
      "net_af_packet0,iface=eth1,qpairs=2,blocksz=131072,framesz=4096,framecnt=4096";
  const std::string eth2 =
      "net_af_packet1,iface=eth2,qpairs=2,blocksz=131072,framesz=2048,framecnt=4096";
  const Choice choices[] = {
      {{}, {"0000:03:00.0"}, {3000}, {"0000:03:00.0"}},
      {{"eth1", "eth2"}, {eth1, eth2}, {4000, 1500}, {}},
      {{"0000:03:00.0"}, {"0000:03:00.0"}, {3000}, {"0000:03:00.0"}},
      {{"net_ring0"}, {"net_ring0"}, {1500}, {}},
  };
  for (const Choice& choice : choices) {
    SCOPED_TRACE(choice.names.empty() ? "none" : choice.names.front());
    Diagnostics diagnostics;
    Settings settings = read(two_kinds, diagnostics);
    EXPECT_EQ(diagnostics.text(), "");
    choose_ports(choice.names, settings);
    std::vector<std::string> devices;
    std::vector<uint16_t> mtus;
    for (const capture::PortOptions& port : settings.ports.ports) {
      devices.push_back(port.device);
      mtus.push_back(port.mtu);
    }
    EXPECT_EQ(devices, choice.devices);
    EXPECT_EQ(mtus, choice.mtus);
    EXPECT_EQ(settings.memory.pci_addresses, choice.pci_addresses);
    EXPECT_EQ(settings.ports.workers, 2U);
    EXPECT_EQ(settings.live.workers, 2U);
    EXPECT_EQ(settings.command_socket, "/run/x.socket");
    EXPECT_EQ(settings.memory.extra_bytes, capture::buffer_bytes_for(settings.ports));
  }
}

TEST(LiveSettings, TakesKernelInterfacesWhereNoOtherPortIsNamed) {
  Diagnostics diagnostics;
  Settings settings = read("af-packet: [{interface: eth1, promisc: no}]", diagnostics);
  choose_ports({}, settings);
  ASSERT_EQ(settings.ports.ports.size(), 1U);
  EXPECT_EQ(settings.ports.ports[0].name, "eth1");
  EXPECT_FALSE(settings.ports.ports[0].promiscuous);
  EXPECT_TRUE(settings.ports.ports[0].device.starts_with("net_af_packet0,iface=eth1,"));
}

}  // namespace
}  // namespace shrike::app
