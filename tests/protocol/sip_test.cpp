#include "sip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;

const std::string description =
    "v=0\r\no=alice 1 2 IN IP4 192.0.2.7\r\ns=A call\r\ni=About it\r\nu=https://shrike.example\r\n"
    "e=a@shrike.example\r\np=+1 617 555\r\nc=IN IP4 192.0.2.7\r\nb=AS:64\r\nt=10 20\r\n"
    "r=604800 3600 0 90000\r\nz=1 -1h 2 0\r\nk=prompt\r\na=sendrecv\r\n"
    "m=audio 30000 RTP/AVP 0 8\r\ni=voice\r\nc=IN IP6 2001:db8::1\r\nk=clear:x\r\n"
    "a=rtpmap:0 PCMU\r\n";

std::string invite() {
  return "INVITE sip:bob@shrike.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example\r\n"
         "f: <sip:alice@a.example>\r\nTo: one\r\nTo: <sip:bob@b.example>,\r\n  second\r\n"
         "User-Agent: kestrel  \r\nc: application/sdp\r\nContent-Length: " +
         std::to_string(description.size()) + "\r\n\r\n" + description;
}
const std::string ringing = "SIP/2.0 180 Ringing now\r\nTo: x\r\nContent-Length: 0\r\n\r\n";

struct Scene {
  explicit Scene(uint8_t transport) : session(pool, options), parser(session) {
    datagram.protocol = transport;
    tracked.datagram = &datagram;
    session.attend(tracked);
  }
  std::string values(size_t index, Direction direction, Field field) {
    std::string all;
    for (const FieldValue& value : session.transactions()[index]->values_in(direction)) {
      if (value.field == field) {
        all += (all.empty() ? "" : "|") + std::string(as_text(value.bytes));
      }
    }
    return all;
  }
  std::vector<std::string> everything() {
    std::vector<std::string> all;
    for (const AppTransaction* const each : session.transactions()) {
      std::string text;
      JsonWriter json(text);
      json.begin_object();
      SipParser::describe(*each, json);
      json.end_object();
      for (const Direction direction : {to_server, to_client}) {
        for (const FieldValue& value : each->values_in(direction)) {
          text += '\n';
          text += to_text(value.field);
          text += '=';
          text += as_text(value.bytes);
        }
      }
      all.push_back(text);
    }
    return all;
  }

  Pool pool{16 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  SipParser parser;
};

struct FieldCase {
  Field field;
  const char* values;
};

TEST(Sip, FillsTheFieldsOfARequestAndItsDescription) {
  Scene scene(ip_protocol::udp);
  const std::string text = invite();
  scene.parser.parse({.direction = to_server, .bytes = as_bytes(text)});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  const FieldCase cases[] = {
      {Field::sip_method, "INVITE"},
      {Field::sip_uri, "sip:bob@shrike.example"},
      {Field::sip_protocol, "SIP/2.0"},
      {Field::sip_request_line, "INVITE sip:bob@shrike.example SIP/2.0"},
      {Field::sip_via, "SIP/2.0/TCP a.example"},
      {Field::sip_from, "<sip:alice@a.example>"},
      {Field::sip_to, "one|<sip:bob@b.example>,\r\n  second"},
      {Field::sip_user_agent, "kestrel"},
      {Field::sip_content_type, "application/sdp"},
      {Field::sdp_origin, "alice 1 2 IN IP4 192.0.2.7"},
      {Field::sdp_session_name, "A call"},
      {Field::sdp_session_info, "About it"},
      {Field::sdp_uri, "https://shrike.example"},
      {Field::sdp_email, "a@shrike.example"},
      {Field::sdp_phone_number, "+1 617 555"},
      {Field::sdp_connection_data, "IN IP4 192.0.2.7"},
      {Field::sdp_bandwidth, "AS:64"},
      {Field::sdp_time, "10 20"},
      {Field::sdp_repeat_time, "604800 3600 0 90000"},
      {Field::sdp_timezone, "1 -1h 2 0"},
      {Field::sdp_encryption_key, "prompt"},
      {Field::sdp_attribute, "sendrecv"},
      {Field::sdp_media_media, "audio 30000 RTP/AVP 0 8"},
      {Field::sdp_media_media_info, "voice"},
      {Field::sdp_media_connection_data, "IN IP6 2001:db8::1"},
      {Field::sdp_media_encryption_key, "clear:x"},
  };
  for (const FieldCase& test : cases) {
    EXPECT_EQ(scene.values(0, to_server, test.field), test.values) << to_text(test.field);
  }
}

TEST(Sip, FillsTheFieldsOfAResponse) {
  Scene scene(ip_protocol::udp);
  scene.parser.parse({.direction = to_client, .bytes = as_bytes(ringing)});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.values(0, to_client, Field::sip_stat_code), "180");
  EXPECT_EQ(scene.values(0, to_client, Field::sip_stat_msg), "Ringing now");
  EXPECT_TRUE(scene.everything()[0].starts_with(
      R"({"sip":{"version":"SIP/2.0","code":"180","reason":"Ringing now",)"
      R"("response_line":"SIP/2.0 180 Ringing now"}})"));
}

TEST(Sip, GivesTheSameForAnySegmentation) {
  const std::string requests = invite() + "ACK sip:bob@b SIP/2.0\r\nTo: x\r\n\r\n" + invite();
  std::vector<std::string> whole;
  std::mt19937 random(3);
  for (unsigned round = 0; round < 30; ++round) {
    Scene scene(ip_protocol::tcp);
    std::string held;
    for (size_t at = 0; at < requests.size();) {
      const size_t cut = round == 0 ? requests.size() : round == 1 ? 1 : 1 + random() % 200;
      held += requests.substr(at, cut);
      at += cut;
      const Consumed consumed =
          scene.parser.parse({.direction = to_server, .bytes = as_bytes(held)});
      ASSERT_FALSE(consumed.is_broken);
      held.erase(0, consumed.bytes);
    }
    EXPECT_TRUE(held.empty());
    if (round == 0) {
      whole = scene.everything();
      EXPECT_EQ(whole.size(), 3u);
    }
    EXPECT_EQ(scene.everything(), whole);
  }
}

TEST(Sip, ShowsNothingOfAMalformedDescription) {
  for (const std::string_view text :
       {"v=1\r\n", "v=0\r\ns=x\r\n", "v=0\r\no=a 1 2 IN IP4 x\r\ns=x\r\nt=later\r\n", ""}) {
    Scene scene(ip_protocol::udp);
    const std::string message =
        "BYE sip:a SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n" + std::string(text);
    scene.parser.parse({.direction = to_server, .bytes = as_bytes(message)});
    ASSERT_EQ(scene.session.transactions().size(), 1u);
    EXPECT_EQ(scene.values(0, to_server, Field::sdp_origin), "");
  }
}

TEST(SipPatterns, AskForAWholeHead) {
  bool is_reversed = false;
  const Pattern& pattern = sip_row.patterns[1];
  EXPECT_EQ(pattern.text, "INVITE");
  const std::string text = invite();
  EXPECT_TRUE(pattern.confirms(as_bytes(text), to_server, is_reversed));
  EXPECT_FALSE(
      pattern.confirms(as_bytes("INVITE x SIP/2.0\r\nbad line\r\n\r\n"), to_server, is_reversed));
  // SSDP has methods of SIP.
  EXPECT_FALSE(
      pattern.confirms(as_bytes("NOTIFY * HTTP/1.1\r\nNT: a\r\n\r\n"), to_server, is_reversed));
}

}  // namespace
}  // namespace shrike::protocol
