#include "dns.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace shrike::protocol {
namespace {

using enum Direction;
using Wire = std::vector<uint8_t>;

Wire& operator+=(Wire& wire, std::string_view text) {
  wire.insert(wire.end(), text.begin(), text.end());
  return wire;
}

Wire& put16(Wire& wire, unsigned value) {
  wire.push_back(static_cast<uint8_t>(value >> 8));
  wire.push_back(static_cast<uint8_t>(value));
  return wire;
}

Wire header(unsigned flags, unsigned questions, unsigned answers = 0, unsigned authorities = 0,
            unsigned additionals = 0) {
  Wire wire;
  for (const unsigned value : {0x1234u, flags, questions, answers, authorities, additionals}) {
    put16(wire, value);
  }
  return wire;
}

/// "www.shrike.example" as labels with the root behind them.
Wire labels(std::string_view name) {
  Wire wire;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    wire.push_back(static_cast<uint8_t>(label.size()));
    wire += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  wire.push_back(0);
  return wire;
}

Wire operator+(Wire first, const Wire& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Wire question(std::string_view name, unsigned type) {
  Wire wire = labels(name);
  put16(wire, type);
  return put16(wire, 1);
}

Wire record(const Wire& name, unsigned type, const Wire& data) {
  Wire wire = name;
  put16(wire, type);
  put16(wire, 1);
  put16(put16(wire, 0), 300);
  put16(wire, static_cast<unsigned>(data.size()));
  return wire + data;
}

const Wire pointer_to_question = {0xc0, 0x0c};

Wire query() {
  return header(0x0100, 1) + question("www.shrike.example", dns_type::a);
}

Wire answer() {
  return header(0x8180, 1, 2) + question("www.shrike.example", dns_type::a) +
         record(pointer_to_question, dns_type::cname, Wire{3, 'c', 'd', 'n', 0xc0, 0x10}) +
         record(Wire{3, 'c', 'd', 'n', 0xc0, 0x10}, dns_type::a, Wire{192, 0, 2, 1});
}

Wire framed(const Wire& message) {
  Wire wire;
  return put16(wire, static_cast<unsigned>(message.size())) + message;
}

/// One flow and its parser. What transactions hold is kept as text.
template <typename P>
struct Scene {
  explicit Scene(uint8_t transport) : session(pool, options), parser(session) {
    datagram.protocol = transport;
    tracked.datagram = &datagram;
    session.attend(tracked);
  }
  Consumed feed(Direction direction, const Wire& wire) {
    return parser.parse({.direction = direction, .bytes = wire});
  }
  std::string values(size_t index, Direction direction, Field field) {
    std::string all;
    for (const FieldValue& value : session.transactions()[index]->values_in(direction)) {
      if (value.field == field) {
        all += all.empty() ? "" : "|";
        all +=
            value.bytes.empty() ? std::to_string(value.number) : std::string(as_text(value.bytes));
      }
    }
    return all;
  }
  std::string described(size_t index) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    P::describe(*session.transactions()[index], json);
    json.end_object();
    return text;
  }
  std::vector<std::string> everything() {
    std::vector<std::string> all;
    for (size_t i = 0; i < session.transactions().size(); ++i) {
      all.push_back(described(i));
    }
    return all;
  }
  bool has_event(size_t index, Direction direction, AppEvent event) {
    const auto events = session.transactions()[index]->events[static_cast<size_t>(direction)];
    return std::find(events.begin(), events.end(), event) != events.end();
  }

  Pool pool{64 << 20};
  ProtocolOptions options;
  Datagram datagram;
  Tracked tracked;
  Session session;
  P parser;
};

TEST(Dns, ShowsARequestToTheServerOnly) {
  Scene<DnsParser> scene(ip_protocol::udp);
  scene.feed(to_server, query());
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  const AppTransaction& transaction = *scene.session.transactions()[0];
  EXPECT_TRUE(transaction.is_complete());
  EXPECT_TRUE(transaction.skips[1]);
  EXPECT_FALSE(transaction.skips[0]);
  EXPECT_EQ(scene.values(0, to_server, Field::dns_query), "www.shrike.example");
  EXPECT_EQ(scene.values(0, to_server, Field::dns_queries_rrname), "www.shrike.example");
  EXPECT_EQ(scene.values(0, to_server, Field::dns_rrtype), "1");
  EXPECT_EQ(scene.described(0),
            R"({"dns":{"version":3,"type":"request","tx_id":0,"id":4660,"flags":"100","rd":true,)"
            R"("opcode":0,"rcode":"NOERROR","queries":[{"rrname":"www.shrike.example",)"
            R"("rrtype":"A"}]}})");
}

TEST(Dns, ShowsAnAnswerWithItsCompressedNames) {
  Scene<DnsParser> scene(ip_protocol::udp);
  scene.feed(to_client, answer());
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.values(0, to_client, Field::dns_query), "");
  EXPECT_EQ(scene.values(0, to_client, Field::dns_query_name), "www.shrike.example");
  EXPECT_EQ(scene.values(0, to_client, Field::dns_answers_rrname),
            "www.shrike.example|cdn.shrike.example");
  EXPECT_EQ(scene.values(0, to_client, Field::dns_response_rrname),
            "www.shrike.example|www.shrike.example|cdn.shrike.example|cdn.shrike.example");
  EXPECT_EQ(scene.values(0, to_client, Field::dns_rrtype), "5|1");
  EXPECT_NE(scene.described(0).find(R"({"rrname":"cdn.shrike.example","rrtype":"A","ttl":300,)"
                                    R"("rdata":"192.0.2.1"})"),
            std::string::npos);
}

TEST(Dns, GivesTheSameForAnySegmentation) {
  const Wire requests = framed(query()) + framed(query()) + Wire{0, 0} + framed(query());
  const Wire responses = framed(answer()) + framed(answer());
  std::mt19937 random(7);
  std::vector<std::string> whole;
  for (unsigned round = 0; round < 50; ++round) {
    Scene<DnsParser> scene(ip_protocol::tcp);
    for (const Direction direction : {to_server, to_client}) {
      const Wire& all = direction == to_server ? requests : responses;
      Wire held;
      for (size_t at = 0; at < all.size();) {
        const size_t cut = round == 0 ? all.size() : round == 1 ? 1 : 1 + random() % 40;
        const size_t count = std::min(cut, all.size() - at);
        held.insert(held.end(), all.begin() + static_cast<ptrdiff_t>(at),
                    all.begin() + static_cast<ptrdiff_t>(at + count));
        at += count;
        const Consumed consumed = scene.feed(direction, held);
        ASSERT_FALSE(consumed.is_broken);
        held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(consumed.bytes));
      }
      EXPECT_TRUE(held.empty());
    }
    if (round == 0) {
      whole = scene.everything();
      EXPECT_EQ(whole.size(), 5u);
    }
    EXPECT_EQ(scene.everything(), whole);
  }
}

TEST(Dns, FindsItsWayBackBehindAGap) {
  Scene<DnsParser> scene(ip_protocol::tcp);
  scene.parser.parse({.direction = to_client, .gap_bytes = 100});
  const Wire rest{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  EXPECT_EQ(scene.feed(to_client, rest).bytes, rest.size());
  EXPECT_FALSE(scene.feed(to_client, framed(answer())).is_broken);
  EXPECT_EQ(scene.session.transactions().size(), 1u);
}

struct RefusedCase {
  const char* name;
  Wire wire;
};

TEST(Dns, RefusesWhatIsNoMessage) {
  const RefusedCase cases[] = {
      {"no question in a request", header(0x0100, 0) + Wire{0}},
      {"more records than bytes", header(0x0100, 400)},
      {"nothing said, but bytes behind", header(0x8100, 0) + Wire{0, 0}},
      {"short header", Wire{1, 2, 3}},
      {"question cut off", header(0x0100, 1) + Wire{3, 'w', 'w'}},
      {"pointer to itself", header(0x0100, 1) + Wire{0xc0, 0x0c, 0, 1, 0, 1}},
      {"reserved label type", header(0x0100, 1) + Wire{0x80, 0, 0, 1, 0, 1}},
      {"answer cut off", header(0x8180, 1, 1) + question("a.b", 1) + Wire{0xc0, 0x0c, 0, 1}},
      {"text longer than its data", header(0x8180, 1, 1) + question("a.b", 16) +
                                        record(pointer_to_question, dns_type::txt, Wire{9, 'x'})},
  };
  for (const RefusedCase& test : cases) {
    SCOPED_TRACE(test.name);
    Scene<DnsParser> scene(ip_protocol::udp);
    scene.feed((test.wire.size() > 2 && test.wire[2] >= 0x80) ? to_client : to_server, test.wire);
    EXPECT_TRUE(scene.session.transactions().empty());
    bool is_request = false;
    EXPECT_FALSE(is_dns_message(test.wire, test.wire.size(), is_request));
  }
}

TEST(Dns, TellsOddMessages) {
  Wire long_name;
  for (int i = 0; i < 20; ++i) {
    long_name.push_back(63);
    long_name += std::string(63, 'a');
  }
  long_name.push_back(0);
  Wire loop{1, 'x', 0xc0, 12};  // the name at 12 points at itself through a label
  struct {
    const char* name;
    Direction direction;
    Wire wire;
    AppEvent event;
  } const cases[] = {
      {"Z flag", to_server, header(0x0140, 1) + question("a.b", 1), AppEvent::dns_z_flag_set},
      {"opcode", to_server, header(0x3900, 1) + question("a.b", 1), AppEvent::dns_invalid_opcode},
      {"long", to_server, header(0x0100, 1) + long_name + Wire{0, 1, 0, 1},
       AppEvent::dns_name_too_long},
      {"loop", to_server, header(0x0100, 1) + loop + Wire{0, 1, 0, 1},
       AppEvent::dns_too_many_labels},
      {"not a response", to_client, query(), AppEvent::dns_not_response},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    Scene<DnsParser> scene(ip_protocol::udp);
    scene.feed(test.direction, test.wire);
    ASSERT_EQ(scene.session.transactions().size(), 1u);
    EXPECT_TRUE(scene.has_event(0, test.direction, test.event));
  }
}

TEST(Dns, TellsAMalformedMessageWithTheOneBefore) {
  Scene<DnsParser> scene(ip_protocol::udp);
  scene.feed(to_server, query());
  scene.feed(to_client, header(0x8180, 1, 1) + question("a.b", 1));
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_TRUE(scene.has_event(0, to_server, AppEvent::dns_malformed_data));
}

TEST(Dns, KeepsAnswersWhereTheAuthoritiesAreBroken) {
  Scene<DnsParser> scene(ip_protocol::udp);
  scene.feed(to_client, header(0x8180, 1, 1, 1) + question("a.b", 1) +
                            record(pointer_to_question, dns_type::a, Wire{192, 0, 2, 9}) +
                            Wire{0xc0, 0x0c, 0, 1});
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.values(0, to_client, Field::dns_answers_rrname), "a.b");
  EXPECT_EQ(scene.values(0, to_client, Field::dns_authorities_rrname), "");
}

TEST(Dns, BoundsWhatASmallMessageUnpacksTo) {
  Wire wire = header(0x8180, 1, 4000);
  for (int i = 0; i < 3; ++i) {
    wire.push_back(63);
    wire += std::string(63, 'b');
  }
  wire = wire + Wire{0, 0, 1, 0, 1};
  for (int i = 0; i < 4000; ++i) {
    wire = wire + record(pointer_to_question, dns_type::a, Wire{1, 2, 3, 4});
  }
  Scene<DnsParser> scene(ip_protocol::udp);
  scene.feed(to_client, wire);
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  const auto& message = static_cast<DnsTransaction&>(*scene.session.transactions()[0]).message;
  EXPECT_EQ(message.section(DnsSection::answers).size(), DnsMessage::records_max);
  EXPECT_TRUE(scene.has_event(0, to_client, AppEvent::dns_too_many_answers));
}

TEST(Mdns, CountsEveryMessageAsToTheServer) {
  Scene<MdnsParser> scene(ip_protocol::udp);
  scene.feed(to_client, header(0x8400, 0, 1) + record(labels("_ipp._tcp.local"), dns_type::txt,
                                                      Wire{3, 'a', '=', '1', 2, 'b', '='}));
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_TRUE(scene.session.transactions()[0]->skips[1]);
  EXPECT_EQ(scene.values(0, to_server, Field::mdns_answers_rrname), "_ipp._tcp.local");
  EXPECT_EQ(scene.values(0, to_server, Field::mdns_response_rrname), "_ipp._tcp.local");
  EXPECT_EQ(scene.described(0),
            R"({"mdns":{"type":"response","id":4660,"flags":["aa"],"opcode":0,"rcode":0,)"
            R"("answers":[{"rrname":"_ipp._tcp.local","txt":["a=1","b="]}]}})");
}

TEST(Llmnr, HasItsOwnFields) {
  Scene<LlmnrParser> scene(ip_protocol::udp);
  scene.feed(to_server, header(0, 1) + question("fileserver", dns_type::a));
  ASSERT_EQ(scene.session.transactions().size(), 1u);
  EXPECT_EQ(scene.session.transactions()[0]->protocol, AppProtocol::llmnr);
  EXPECT_EQ(scene.values(0, to_server, Field::llmnr_queries_rrname), "fileserver");
}

TEST(DnsProbe, KnowsTheDirectionOfAMessage) {
  const auto probe = dns_row.probes[0].probe;
  EXPECT_EQ(probe(query(), to_server), Probe::Answer::yes);
  EXPECT_EQ(probe(answer(), to_server), Probe::Answer::yes_reversed);
  EXPECT_EQ(probe(answer(), to_client), Probe::Answer::yes);
  const Wire stream = framed(query());
  const auto probe_tcp = dns_row.probes[1].probe;
  EXPECT_EQ(probe_tcp(Bytes(stream).first(9), to_server), Probe::Answer::more);
  EXPECT_EQ(probe_tcp(Bytes(stream).first(20), to_server), Probe::Answer::yes);
}

}  // namespace
}  // namespace shrike::protocol
