#include "snmp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

/// GetRequest of version 2c with the community "nest".
const Wire get_request = {0x30, 0x1a, 2, 1, 1, 4, 4, 'n', 'e',  's', 't',  0xa0, 0x0f, 2,
                          1,    7,    2, 1, 0, 2, 1, 0,   0x30, 4,   0x30, 2,    6,    0};
/// Version 3, user "falcon", a Report in the clear.
const Wire report = {0x30, 0x38, 2, 1,    3,   0x30, 0x0d, 2,    1,    1,   2, 2, 5,    0xdc, 4,
                     1,    0,    2, 1,    3,   4,    0x14, 0x30, 0x12, 4,   0, 2, 1,    0,    2,
                     1,    0,    4, 6,    'f', 'a',  'l',  'c',  'o',  'n', 4, 0, 0x30, 0x0e, 4,
                     0,    4,    0, 0xa8, 8,   2,    1,    7,    2,    1,   0, 5, 0};

template <typename P>
std::vector<std::string> described(std::initializer_list<Wire> datagrams) {
  Pool pool(1 << 20);
  const ProtocolOptions options;
  Session session(pool, options);
  const Datagram datagram;
  Tracked tracked;
  tracked.datagram = &datagram;
  session.attend(tracked);
  P parser(session);
  for (const Wire& each : datagrams) {
    parser.parse({.direction = to_server, .bytes = each});
  }
  std::vector<std::string> all;
  for (const AppTransaction* const each : session.transactions()) {
    EXPECT_TRUE(each->is_complete());
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    P::describe(*each, json);
    json.end_object();
    all.push_back(text);
  }
  return all;
}

TEST(Snmp, ShowsVersionsCommunitiesAndUsers) {
  const std::vector<std::string> expected = {
      R"({"snmp":{"version":2,"pdu_type":"get_request","community":"nest"}})",
      R"({"snmp":{"version":3,"pdu_type":"report","usm":"falcon"}})"};
  EXPECT_EQ(described<SnmpParser>({get_request, report}), expected);
}

TEST(Snmp, LeavesOutWhatIsCutOff) {
  for (size_t length = 0; length < get_request.size(); ++length) {
    EXPECT_TRUE(described<SnmpParser>({Wire(get_request.begin(),
                                            get_request.begin() + static_cast<ptrdiff_t>(length))})
                    .empty());
  }
}

TEST(SnmpProbe, AsksForAVersion) {
  const auto probe = snmp_row.probes[0].probe;
  EXPECT_EQ(probe(get_request, to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(report, to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(Wire{0x30, 3, 2, 1, 9}, to_server), Probe::Answer::no);
}

TEST(Tftp, ShowsRequests) {
  const std::vector<std::string> expected = {
      R"({"tftp":{"packet":"read","file":"boot.img","mode":"octet"}})"};
  const Wire request = {0,   1, 'b', 'o', 'o', 't', '.', 'i', 'm',
                        'g', 0, 'o', 'c', 't', 'e', 't', 0};
  EXPECT_EQ(described<TftpParser>({request, Wire{0, 3, 0, 1, 'x'}, Wire{0, 1, 'a'}}), expected);
}

}  // namespace
}  // namespace shrike::protocol
