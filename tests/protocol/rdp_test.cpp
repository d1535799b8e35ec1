#include "rdp.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;
using namespace std::string_literals;

std::string big16(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string big24(size_t value) {
  return static_cast<char>(value >> 16) + big16(value & 0xffff);
}
std::string little16(size_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8)};
}
std::string little32(size_t value) {
  return little16(value & 0xffff) + little16(value >> 16);
}

std::string packet(const std::string& unit) {
  return "\x03\0"s + big16(unit.size() + 4) + unit;
}
std::string connection(char type, const std::string& variable) {
  return packet(static_cast<char>(6 + variable.size()) + std::string(1, type) + "\0\0\0\0\0"s +
                variable);
}
std::string request(const std::string& variable) {
  return connection('\xe0', variable);
}
std::string confirm(const std::string& variable) {
  return connection('\xd0', variable);
}
std::string negotiation(size_t type, size_t flags, size_t value) {
  return little16(type | flags << 8) + little16(8) + little32(value);
}
std::string wide(std::string_view text, size_t bytes) {
  std::string all;
  for (const char letter : text) {
    all += {letter, '\0'};
  }
  all.resize(bytes);
  return all;
}
std::string block(size_t type, const std::string& content) {
  return little16(type) + little16(content.size() + 4) + content;
}

std::string core_data() {
  return little32(0x80004) + little16(1280) + little16(768) + little16(0xca01) + little16(0xaa03) +
         little32(0x409) + little32(6001) + wide("SERVER", 32) + little32(4) + little32(0) +
         little32(12) + wide("", 64);
}
std::string optional_data() {
  return little16(0xca01) + little16(1) + little32(0) + little16(24) + little16(0xf) +
         little16(0x9) + wide("ID", 64) + "\x06\0"s + little32(1) + little32(300) + little32(200) +
         little16(90) + little32(100) + little32(140);
}
std::string connect_request(const std::string& core) {
  const std::string blocks = block(0xc001, core) + block(0xc004, std::string(8, '\0')) +
                             block(0xc003, little32(2) + "rdpdr\0\0\0\0\0\0\0cliprdr\0\0\0\0\0"s);
  return packet("\x02\xf0\x80\x7f\x65some BER Duca"s + big16(0x8000 | blocks.size()) + blocks);
}
const std::string connect_response = packet("\x02\xf0\x80\x7f\x66xyz"s);

std::string record(char type, const std::string& content) {
  return type + "\x03\x03"s + big16(content.size()) + content;
}
std::string handshake(char type, const std::string& content) {
  return type + big24(content.size()) + content;
}
/// Enough of a certificate that its serial number can be read: 0x0a1b.
const std::string certificate = "\x30\x0b\x30\x09\xa0\x03\x02\x01\x02\x02\x02\x0a\x1b"s;
std::string certificates() {
  const std::string chain = big24(certificate.size()) + certificate;
  return handshake(11, big24(chain.size()) + chain);
}

std::string described(Talk<RdpParser>& talk) {
  std::string all;
  for (const AppTransaction* const each : talk.session.transactions()) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    RdpParser::describe(*each, json);
    json.end_object();
    all += text + '\n';
  }
  return all;
}

std::vector<Said> plain_talk() {
  return {client(request("Cookie: mstshash=user123\r\n" + negotiation(1, 3, 0xb))),
          server(confirm(negotiation(2, 0x1f, 0))),
          client(connect_request(core_data() + optional_data())), server(connect_response)};
}

constexpr std::string_view plain_described =
    R"({"rdp":{"tx_id":1,"event_type":"initial_request","cookie":"user123","flags":[)"
    R"("restricted_admin_mode_required","redirected_authentication_mode_required"]}})"
    "\n"
    R"({"rdp":{"tx_id":2,"event_type":"initial_response","server_supports":[)"
    R"("extended_client_data","dynvc_gfx","restricted_admin","redirected_authentication"],)"
    R"("protocol":"rdp"}})"
    "\n"
    R"({"rdp":{"tx_id":3,"event_type":"connect_request","client":{"version":"v5",)"
    R"("desktop_width":1280,"desktop_height":768,"color_depth":24,"keyboard_layout":"en-US",)"
    R"("build":"Windows Vista SP1","client_name":"SERVER","keyboard_type":"enhanced",)"
    R"("function_keys":12,"product_id":1,"capabilities":["support_errinfo_pdf",)"
    R"("strong_asymmetric_keys"],"id":"ID","connection_hint":"lan","physical_width":300,)"
    R"("physical_height":200,"desktop_orientation":90,"scale_factor":100,)"
    R"("device_scale_factor":140},"channels":["rdpdr","cliprdr"]}})"
    "\n"
    R"({"rdp":{"tx_id":4,"event_type":"connect_response"}})"
    "\n";

TEST(Rdp, ShowsTheSameHoweverItIsCut) {
  for (const Cut& cut : {Cut{}, Cut{1}, Cut{7}, Cut{40, true}}) {
    Talk<RdpParser> talk;
    talk.say(plain_talk(), cut);
    EXPECT_EQ(described(talk), plain_described);
  }
}

TEST(Rdp, ReadsCertificatesOnceTlsBegins) {
  const std::vector<Said> said = {client(request(negotiation(1, 0, 3))),
                                  server(confirm(negotiation(2, 1, 2))),
                                  client(record(22, handshake(1, "hello"))),
                                  server(record(22, handshake(2, "hello") + certificates())),
                                  client("what follows is not read")};
  for (const Cut& cut : {Cut{}, Cut{1}, Cut{20, true}}) {
    Talk<RdpParser> talk;
    talk.say(said, cut);
    EXPECT_NE(described(talk).find(R"("event_type":"tls_handshake","x509_serials":["a1b"])"),
              std::string::npos);
    EXPECT_EQ(talk.session.transactions().size(), 3u);
  }
}

TEST(Rdp, TellsWhyAServerRefuses) {
  Talk<RdpParser> talk;
  talk.say({client(request("")), server(confirm(negotiation(3, 0, 5)))});
  EXPECT_NE(described(talk).find(R"("error_code":5,"reason":"hybrid required by server")"),
            std::string::npos);
}

TEST(Rdp, LeavesOutWhatIsNotValid) {
  struct Row {
    std::string variable;
    std::string expected;
  };
  const Row rows[] = {
      {"Cookie: mstshash=no end", R"({"rdp":{"tx_id":1,"event_type":"initial_request"}})"},
      {negotiation(1, 0xf0, 0), R"({"rdp":{"tx_id":1,"event_type":"initial_request"}})"},
      {negotiation(1, 8, 0), R"({"rdp":{"tx_id":1,"event_type":"initial_request",)"
                             R"("flags":["correlation_info_present"]}})"},
  };
  for (const Row& row : rows) {
    Talk<RdpParser> talk;
    talk.say({client(request(row.variable))});
    EXPECT_EQ(described(talk), row.expected + "\n");
  }
}

TEST(Rdp, CoreDataMayEndAnywhereBehindItsFixedPart) {
  for (const size_t bytes : {0, 1, 2, 4, 12, 14, 40, 78, 80, 90}) {
    Talk<RdpParser> talk;
    talk.say({client(connect_request(core_data() + optional_data().substr(0, bytes)))});
    EXPECT_EQ(described(talk).find(R"("product_id":1)") != std::string::npos, bytes >= 4) << bytes;
  }
}

TEST(Rdp, SaysWhatIsNotRdp) {
  Pool pool(1 << 20);
  const ProtocolOptions options;
  for (const std::string& bytes : {"\x05garbage"s, "\x03\0\0\x01"s}) {
    Session session(pool, options);
    RdpParser parser(session);
    EXPECT_TRUE(parser.parse({.bytes = as_bytes(bytes)}).is_broken);
  }
}

TEST(RdpProbe, KnowsTheVersionOfAPacket) {
  const auto probe = rdp_row.probes[0].probe;
  EXPECT_EQ(probe(as_bytes("\x03"), Direction::to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(as_bytes("\x16"), Direction::to_server), Probe::Answer::more);
}

}  // namespace
}  // namespace shrike::protocol
