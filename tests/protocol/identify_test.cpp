// Identification with the real table of protocols, and the table itself.
#include "identify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace shrike::protocol {

namespace {

Identified look(const Identifier& identifier, std::array<SideIdentity, 2>& sides,
                std::string_view text, Direction direction, uint16_t server_port,
                uint8_t transport = ip_protocol::tcp) {
  return identifier.identify({.transport = transport,
                              .direction = direction,
                              .bytes = as_bytes(text),
                              .client_port = 40000,
                              .server_port = server_port},
                             sides);
}

TEST(Rows, EachProtocolOnceAndWhole) {
  std::set<AppProtocol> seen;
  for (const ParserRow& row : parser_rows()) {
    EXPECT_NE(row.protocol, AppProtocol::unknown);
    EXPECT_TRUE(seen.insert(row.protocol).second) << to_text(row.protocol);
    EXPECT_EQ(row.create == nullptr, row.parse == nullptr) << to_text(row.protocol);
    EXPECT_EQ(row.create == nullptr, row.destroy == nullptr) << to_text(row.protocol);
    EXPECT_EQ(find_parser_row(row.protocol), &row) << to_text(row.protocol);
  }
}

TEST(Rows, ModelKnowsTheSameProtocols) {
  for (unsigned i = 0; i < static_cast<unsigned>(AppProtocol::count_); ++i) {
    const auto each = static_cast<AppProtocol>(i);
    EXPECT_EQ(shrike::is_identified(each), protocol::is_identified(each)) << to_text(each);
  }
}

TEST(Rows, PatternsFitTheirDepth) {
  for (const ParserRow& row : parser_rows()) {
    for (const Pattern& pattern : row.patterns) {
      EXPECT_FALSE(pattern.text.empty()) << to_text(row.protocol);
      EXPECT_LE(pattern.offset + pattern.text.size(), pattern.depth)
          << to_text(row.protocol) << " " << pattern.text;
      EXPECT_LE(pattern.depth, 1024) << to_text(row.protocol);
    }
    for (const Probe& probe : row.probes) {
      EXPECT_NE(probe.probe, nullptr) << to_text(row.protocol);
      EXPECT_TRUE(probe.bytes_max == 0 || probe.bytes_min <= probe.bytes_max)
          << to_text(row.protocol);
    }
  }
}

TEST(Rows, ProbesBearAnyBytes) {
  std::vector<uint8_t> bytes(300);
  for (const ParserRow& row : parser_rows()) {
    for (const Probe& probe : row.probes) {
      for (size_t size = probe.bytes_min; size < bytes.size(); ++size) {
        std::fill(bytes.begin(), bytes.end(), static_cast<uint8_t>(size * 7));
        const auto answer = probe.probe(Bytes{bytes}.first(size), Direction::to_server);
        EXPECT_LE(static_cast<int>(answer), 3);
      }
    }
  }
}

TEST(PatternTable, TextInItsPlaceAndCase) {
  static constexpr Pattern exact{.text = "GET", .offset = 1, .depth = 6};
  static constexpr Pattern loose{.text = "put", .depth = 3, .is_nocase = true};
  PatternTable table;
  table.add(exact, AppProtocol::http1);
  table.add(loose, AppProtocol::ftp);
  table.build();
  using Outcome = PatternTable::Outcome;
  const auto outcome = [&table](std::string_view text) {
    return table.look(as_bytes(text), Direction::to_server).outcome;
  };
  EXPECT_EQ(outcome("xGETxx"), Outcome::found);
  EXPECT_EQ(outcome("xxxGET"), Outcome::found);
  EXPECT_EQ(outcome("GETxxx"), Outcome::never);
  EXPECT_EQ(outcome("xxxxGET"), Outcome::never);
  EXPECT_EQ(outcome("xgetxx"), Outcome::never);
  EXPECT_EQ(outcome("PuT"), Outcome::found);
  EXPECT_EQ(outcome("xP"), Outcome::maybe_later);
  EXPECT_EQ(outcome(""), Outcome::maybe_later);
}

TEST(PatternTable, AsksWhereTextIsNotEnough) {
  static constexpr Pattern asked{.text = "\x04",
                                 .depth = 1,
                                 .confirms =
                                     [](Bytes bytes, Direction direction, bool& reversed) {
                                       reversed = direction == Direction::to_server;
                                       return bytes[3] == 'y';
                                     },
                                 .bytes_min = 4};
  PatternTable table;
  table.add(asked, AppProtocol::dcerpc);
  table.build();
  using Outcome = PatternTable::Outcome;
  EXPECT_EQ(table.look(as_bytes("\x04"), Direction::to_server).outcome, Outcome::maybe_later);
  EXPECT_EQ(table.look(as_bytes("\x04..n"), Direction::to_server).outcome, Outcome::never);
  const PatternTable::Result found = table.look(as_bytes("\x04..y"), Direction::to_server);
  EXPECT_EQ(found.outcome, Outcome::found);
  EXPECT_EQ(found.identified.protocol, AppProtocol::dcerpc);
  EXPECT_TRUE(found.identified.is_reversed);
}

TEST(Identifier, DnsOnItsPort) {
  const Identifier identifier{ProtocolOptions{}};
  const std::string query(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x00\x00\x01\x00\x01", 19);
  std::array<SideIdentity, 2> sides;
  EXPECT_EQ(look(identifier, sides, query, Direction::to_server, 53, ip_protocol::udp).protocol,
            AppProtocol::dns);
  sides = {};
  EXPECT_EQ(look(identifier, sides, query, Direction::to_server, 54, ip_protocol::udp).protocol,
            AppProtocol::unknown);
  EXPECT_TRUE(sides[0].probes_done);
}

TEST(Identifier, KnowsWhenNothingCanMatchAnyMore) {
  const Identifier identifier{ProtocolOptions{}};
  std::array<SideIdentity, 2> sides;
  EXPECT_EQ(look(identifier, sides, std::string(2048, '~'), Direction::to_server, 9).protocol,
            AppProtocol::unknown);
  EXPECT_TRUE(sides[0].patterns_done && sides[0].probes_done);
  EXPECT_FALSE(sides[1].patterns_done || sides[1].probes_done);
}

}  // namespace

}  // namespace shrike::protocol
