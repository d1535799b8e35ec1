#include "http2.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

Wire wire_of(std::string_view text) {
  return {text.begin(), text.end()};
}

Wire operator+(Wire first, const Wire& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Wire frame(uint8_t type, uint8_t flags, uint32_t stream, const Wire& payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  return Wire{static_cast<uint8_t>(size >> 16),
              static_cast<uint8_t>(size >> 8),
              static_cast<uint8_t>(size),
              type,
              flags,
              0,
              0,
              static_cast<uint8_t>(stream >> 8),
              static_cast<uint8_t>(stream)} +
         payload;
}

/// A header as a literal with a new name, kept in the table (RFC 7541, section 6.2.1).
Wire literal(std::string_view name, std::string_view value) {
  return Wire{0x40, static_cast<uint8_t>(name.size())} + wire_of(name) +
         Wire{static_cast<uint8_t>(value.size())} + wire_of(value);
}

const Wire preface = wire_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
constexpr uint8_t end_headers = http2_flag::end_headers;
constexpr uint8_t end_stream = http2_flag::end_stream;

Wire request_headers() {
  return literal(":method", "GET") + literal(":path", "/Index") +
         literal(":authority", "User@Shrike.Example:443") + literal("user-agent", "kestrel/1") +
         literal("cookie", "a=1") + literal("cookie", "b=2");
}

Wire client_side() {
  return preface + frame(http2_frame::settings, 0, 0, {0, 1, 0, 0, 16, 0}) +
         frame(http2_frame::headers, end_headers | end_stream, 1, request_headers()) +
         frame(http2_frame::window_update, 0, 0, {0, 0, 1, 0}) +
         // The table's newest entry is index 62: "cookie: b=2".
         frame(http2_frame::headers, 0x20 | end_stream, 3, Wire{0, 0, 0, 0, 219, 0xbe}) +
         frame(http2_frame::continuation, end_headers, 3, literal(":path", "/second"));
}

Wire server_side() {
  return frame(http2_frame::settings, 0, 0, {0, 3, 0, 0, 0, 100}) +
         frame(http2_frame::headers, end_headers, 1,
               literal(":status", "200") + literal("server", "nest")) +
         frame(http2_frame::data, 0, 1, wire_of("hello ")) +
         frame(http2_frame::data, end_stream | http2_flag::padded, 1,
               Wire{2} + wire_of("world") + Wire{0, 0}) +
         frame(http2_frame::headers, end_headers | end_stream, 3, literal(":status", "404")) +
         frame(http2_frame::go_away, 0, 0, {0, 0, 0, 3, 0, 0, 0, 2});
}

struct Scene {
  Scene() : session(pool, options) {
    datagram.protocol = ip_protocol::tcp;
    tracked.datagram = &datagram;
    session.attend(tracked);
    parser.emplace(session);
  }
  void feed(Direction direction, const Wire& wire, const std::vector<size_t>& cuts) {
    Wire held;
    size_t at = 0;
    for (size_t i = 0; at < wire.size(); ++i) {
      const size_t cut = cuts.empty() ? wire.size() : cuts[i % cuts.size()];
      const size_t count = std::min(cut, wire.size() - at);
      held.insert(held.end(), wire.begin() + static_cast<ptrdiff_t>(at),
                  wire.begin() + static_cast<ptrdiff_t>(at + count));
      at += count;
      const Consumed consumed = parser->parse({.direction = direction, .bytes = held});
      ASSERT_FALSE(consumed.is_broken);
      held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(consumed.bytes));
    }
    EXPECT_TRUE(held.empty());
  }
  Http2Transaction* stream(uint32_t id) {
    for (AppTransaction* const each : session.transactions()) {
      auto* const transaction = static_cast<Http2Transaction*>(each);
      if (transaction->stream_id == id) {
        return transaction;
      }
    }
    return nullptr;
  }
  std::vector<std::string> everything() {
    std::vector<std::string> all;
    for (AppTransaction* const each : session.transactions()) {
      std::string text;
      JsonWriter json(text);
      json.begin_object();
      Http2Parser::describe(*each, json);
      json.end_object();
      for (const Direction direction : {to_server, to_client}) {
        for (const FieldValue& value : each->values_in(direction)) {
          text += '\n';
          text += to_text(value.field);
          text += '=' + std::to_string(value.number);
          text += as_text(value.body != nullptr ? value.body->bytes : value.bytes);
        }
      }
      all.push_back(text);
    }
    return all;
  }
  bool has_event(const AppTransaction& transaction, AppEvent event) {
    const auto events = transaction.events[0];
    return std::find(events.begin(), events.end(), event) != events.end();
  }

  Pool pool{64 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  std::optional<Http2Parser> parser;
};

TEST(Http2, FillsTheFieldsOfARequest) {
  Scene scene;
  scene.feed(to_server, client_side(), {});
  const Http2Transaction* const stream = scene.stream(1);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->text(to_server, Field::http_method), "GET");
  EXPECT_EQ(stream->text(to_server, Field::http_uri), "/Index");
  EXPECT_EQ(stream->text(to_server, Field::http_host_raw), "User@Shrike.Example:443");
  EXPECT_EQ(stream->text(to_server, Field::http_host), "shrike.example");
  EXPECT_EQ(stream->text(to_server, Field::http_user_agent), "kestrel/1");
  EXPECT_EQ(stream->text(to_server, Field::http_cookie), "a=1, b=2");
  EXPECT_EQ(stream->text(to_server, Field::http_request_line), "GET /Index HTTP/2\r\n");
  EXPECT_EQ(stream->text(to_server, Field::http_header),
            ":method: GET\r\n:path: /Index\r\n:authority: User@Shrike.Example:443\r\n"
            "user-agent: kestrel/1\r\n");
  EXPECT_EQ(stream->text(to_server, Field::http_header_names),
            "\r\n:method\r\n:path\r\n:authority\r\nuser-agent\r\ncookie\r\ncookie\r\n\r\n");
  EXPECT_EQ(stream->text(to_server, Field::http_request_header), ":method: GET");
  EXPECT_TRUE(scene.has_event(*stream, AppEvent::http2_userinfo_in_uri));
  EXPECT_EQ(stream->state, Http2Transaction::State::half_closed_client);
}

TEST(Http2, FillsTheFieldsOfAResponseOnceDataComes) {
  Scene scene;
  scene.feed(to_server, client_side(), {});
  const Wire server = server_side();
  const size_t before_data =
      9 + 6 + 9 + literal(":status", "200").size() + literal("server", "nest").size();
  scene.feed(to_client, Wire(server.begin(), server.begin() + static_cast<ptrdiff_t>(before_data)),
             {});
  EXPECT_EQ(scene.stream(1)->text(to_client, Field::http_stat_code), "");
  scene.feed(to_client, Wire(server.begin() + static_cast<ptrdiff_t>(before_data), server.end()),
             {});
  const Http2Transaction& stream = *scene.stream(1);
  EXPECT_EQ(stream.text(to_client, Field::http_stat_code), "200");
  EXPECT_EQ(stream.text(to_client, Field::http_server), "nest");
  EXPECT_EQ(stream.text(to_client, Field::http_response_line), "HTTP/2 200\r\n");
  EXPECT_EQ(as_text(stream.find(to_client, Field::http_response_body)->body->bytes), "hello world");
  EXPECT_EQ(as_text(stream.find(to_client, Field::file_data)->body->bytes), "hello world");
  EXPECT_TRUE(stream.is_complete());
}

TEST(Http2, GoesOnWithHeadersInTheNextFrame) {
  Scene scene;
  scene.feed(to_server, client_side(), {});
  const Http2Transaction& stream = *scene.stream(3);
  EXPECT_EQ(stream.text(to_server, Field::http_header_names), "\r\ncookie\r\n:path\r\n\r\n");
  EXPECT_EQ(stream.find(to_server, Field::http2_priority)->number, 219u);
}

TEST(Http2, ShowsFramesOfTheConnectionInBothDirections) {
  Scene scene;
  scene.feed(to_server, client_side(), {});
  scene.feed(to_client, server_side(), {});
  const AppTransaction& settings = *scene.session.transactions()[0];
  EXPECT_TRUE(settings.is_complete());
  EXPECT_EQ(settings.find(to_server, Field::http2_settings)->number, uint64_t{1} << 32 | 4096);
  EXPECT_EQ(settings.text(to_client, Field::http_protocol), "HTTP/2");
  const AppTransaction& go_away = *scene.session.transactions().back();
  EXPECT_EQ(go_away.find(to_client, Field::http2_errorcode)->number, 2u);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  Http2Parser::describe(go_away, json);
  json.end_object();
  EXPECT_EQ(text, R"({"http":{"version":"2","http2":{"stream_id":0,"request":{},)"
                  R"("response":{"error_code":"INTERNALERROR"}}}})");
}

TEST(Http2, GivesTheSameForAnySegmentation) {
  std::vector<std::string> whole;
  std::mt19937 random(11);
  for (unsigned round = 0; round < 40; ++round) {
    std::vector<size_t> cuts;
    for (unsigned i = 0; round > 1 && i < 20; ++i) {
      cuts.push_back(1 + random() % 30);
    }
    if (round == 1) {
      cuts = {1};
    }
    Scene scene;
    scene.feed(to_server, client_side(), cuts);
    scene.feed(to_client, server_side(), cuts);
    if (round == 0) {
      whole = scene.everything();
    }
    EXPECT_EQ(scene.everything(), whole);
  }
  EXPECT_EQ(whole.size(), 6u);
}

TEST(Http2, TellsWhatIsOdd) {
  struct {
    const char* name;
    Wire wire;
    AppEvent event;
  } const cases[] = {
      {"two hosts",
       frame(http2_frame::headers, end_headers, 1,
             literal(":authority", "a") + literal("host", "b")),
       AppEvent::http2_authority_host_mismatch},
      {"index that is not there", frame(http2_frame::headers, end_headers, 1, {0xff, 0x7f}),
       AppEvent::http2_invalid_header},
      {"padding beyond the frame",
       frame(http2_frame::ping, 0, 0, Wire(8, 0)) +
           frame(http2_frame::headers, end_headers | http2_flag::padded, 1, {9, 0}),
       AppEvent::http2_invalid_frame_data},
      {"short window update",
       frame(http2_frame::ping, 0, 0, Wire(8, 0)) + frame(http2_frame::window_update, 0, 1, {1}),
       AppEvent::http2_invalid_frame_length},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    Scene scene;
    scene.feed(to_server, preface + test.wire, {});
    bool is_told = false;
    for (const AppTransaction* const each : scene.session.transactions()) {
      is_told = is_told || scene.has_event(*each, test.event);
    }
    EXPECT_TRUE(is_told);
  }
}

TEST(Http2, ReadsDnsFromItsStreams) {
  Scene scene;
  // A query for "a.b", type A, in base64url.
  scene.feed(to_server,
             preface + frame(http2_frame::headers, end_headers | end_stream, 1,
                             literal(":path", "/dns-query?dns=EjQBAAABAAAAAAAAAWEBYgAAAQAB") +
                                 literal("accept", "application/dns-message")),
             {});
  const Http2Transaction& stream = *scene.stream(1);
  EXPECT_EQ(stream.text(to_server, Field::dns_query), "a.b");
  EXPECT_EQ(stream.protocol, AppProtocol::doh2);
}

TEST(Http2, BoundsWhatHeadersUnpackTo) {
  Wire block = literal("x", std::string(120, 'v'));
  for (int i = 0; i < 4000; ++i) {
    block.push_back(0xbe);
  }
  Scene scene;
  scene.feed(to_server, preface + frame(http2_frame::headers, end_headers, 1, block), {});
  EXPECT_LE(scene.stream(1)->side(to_server).headers.size(), 1024u);
  EXPECT_TRUE(scene.has_event(*scene.stream(1), AppEvent::http2_reassembly_limit_reached));
}

TEST(Http2Probe, KnowsAServersSettings) {
  const auto probe = http2_row.probes[0].probe;
  EXPECT_EQ(probe(server_side(), to_client), Probe::Answer::yes);
  EXPECT_EQ(probe(server_side(), to_server), Probe::Answer::no);
  EXPECT_EQ(probe(wire_of("HTTP/1.1 200 OK"), to_client), Probe::Answer::no);
}

}  // namespace
}  // namespace shrike::protocol
