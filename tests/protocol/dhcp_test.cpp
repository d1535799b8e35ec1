#include "dhcp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

/// A reply that gives 192.0.2.9 to 02:00:00:00:00:01, with these options.
Wire reply(const Wire& options) {
  Wire wire;
  wire.reserve(1024);
  wire.resize(236);
  wire[0] = 2;
  wire[7] = 77;
  const uint8_t assigned[] = {192, 0, 2, 9};
  std::copy(std::begin(assigned), std::end(assigned), wire.begin() + 16);
  wire[28] = 2;
  wire[33] = 1;
  for (const int byte : {0x63, 0x82, 0x53, 0x63}) {
    wire.push_back(static_cast<uint8_t>(byte));
  }
  wire.insert(wire.end(), options.begin(), options.end());
  return wire;
}

template <typename P>
struct Scene {
  Scene() : session(pool, options), parser(session) {
    tracked.datagram = &datagram;
    session.attend(tracked);
  }
  std::string described() {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    P::describe(*session.transactions().back(), json);
    json.end_object();
    return text;
  }
  Pool pool{1 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  P parser;
};

TEST(Dhcp, ShowsTimesOfALease) {
  Scene<DhcpParser> scene;
  const Wire wire = reply({53, 1, 5, 0, 51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 255});
  scene.parser.parse({.direction = to_client, .bytes = wire});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  const AppTransaction& transaction = *scene.session.transactions()[0];
  EXPECT_EQ(transaction.find(to_client, Field::dhcp_leasetime)->number, 3600u);
  EXPECT_EQ(transaction.find(to_client, Field::dhcp_renewal_time)->number, 1800u);
  EXPECT_EQ(transaction.find(to_client, Field::dhcp_rebinding_time), nullptr);
  EXPECT_TRUE(transaction.events[1].empty());
  EXPECT_EQ(scene.described(), R"({"dhcp":{"type":"reply","id":77,)"
                               R"("client_mac":"02:00:00:00:00:01","assigned_ip":"192.0.2.9"}})");
}

TEST(Dhcp, TellsOptionsThatAreCutOff) {
  Scene<DhcpParser> scene;
  scene.parser.parse({.direction = to_client, .bytes = reply({53, 9, 5})});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.session.transactions()[0]->events[1].front(), AppEvent::dhcp_truncated_options);
}

TEST(Ntp, ShowsVersionModeAndStratum) {
  Scene<NtpParser> scene;
  Wire wire(48, 0);
  wire[0] = 0x24;  // version 4, server
  wire[1] = 2;
  wire[12] = 'G';
  scene.parser.parse({.direction = to_client, .bytes = wire});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.described(), R"({"ntp":{"version":4,"mode":4,"stratum":2}})");
  EXPECT_EQ(scene.session.transactions()[0]->find(to_client, Field::ntp_reference_id)->bytes[0],
            'G');
}

TEST(DhcpProbe, AsksForTheCookieAndNtpForAVersion) {
  EXPECT_EQ(dhcp_row.probes[0].probe(reply({255}), to_server), Probe::Answer::yes);
  EXPECT_EQ(dhcp_row.probes[0].probe(Wire(300, 1), to_server), Probe::Answer::no);
  EXPECT_EQ(ntp_row.probes[0].probe(Wire(48, 0x1b), to_server), Probe::Answer::yes);
  EXPECT_EQ(ntp_row.probes[0].probe(Wire(47, 0x1b), to_server), Probe::Answer::no);
}

}  // namespace
}  // namespace shrike::protocol
