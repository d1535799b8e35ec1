#include "detector.h"

#include <gtest/gtest.h>

#include "world.h"

namespace shrike {
namespace {

using test::Entry;

/// One datagram, or some, against rules; `alerts` as test::inspect writes them.
struct Case {
  const char* name;
  const char* rules;
  std::vector<Entry> entries;
  const char* alerts;
};

void run(const std::vector<Case>& cases, detect::DetectorOptions options = {}) {
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const RuleSet rules = test::compile_text(each.rules);
    detect::Detector detector = test::make_detector(options);
    EXPECT_EQ(test::inspect(detector, rules, each.entries), each.alerts);
  }
}

TEST(Detector, LooksIntoStreamAndPacketAsTheRuleAsks) {
  const char* const stream = R"(alert tcp any any -> any any (content:"evil"; sid:1;))";
  const char* const both = R"(alert tcp any any -> any any (content:"evil"; depth:8; sid:1;))";
  const char* const packet = R"(alert tcp any any -> any any (content:"evil"; dsize:>1; sid:1;))";
  const char* const only =
      R"(alert tcp any any -> any any (flow:only_stream; content:"evil"; sid:1;))";
  const Entry added{.payload = "evil", .stream_added = true};
  const Entry outside{.payload = "evil"};
  const Entry chunk{.chunks = {"so evil"}};
  const Entry chunks{.chunks = {"nothing", "evil", "evil"}};
  const Entry split{.payload = "il", .chunks = {"it is evil"}, .stream_added = true};
  run({
      {"what went into the stream waits for its chunk", stream, {added}, ""},
      {"what did not is inspected as a packet", stream, {outside}, "1:1"},
      {"a chunk", stream, {chunk}, "1:1s"},
      {"several chunks alert once", stream, {chunks}, "1:1s"},
      {"across packets", stream, {split}, "1:1s"},
      {"both: the packet although it went into the stream", both, {added}, "1:1"},
      {"both: a chunk", both, {chunk}, "1:1s"},
      {"both: the depth holds in the chunk too", both, {split}, ""},
      {"packet only", packet, {added}, "1:1"},
      {"packet only: no chunk", packet, {chunk}, ""},
      {"stream only: no packet", only, {outside}, ""},
      {"stream only: a chunk", only, {chunk}, "1:1s"},
  });
}

/// What is relative in base64_data counts from its first byte: `relative` itself is no match there.
TEST(Detector, CountsFromTheBeginningOfDecodedBytes) {
  const auto with = [](const std::string& checks) {
    return R"(alert udp any any -> any any (content:"key="; base64_decode:relative; )"
           R"(base64_data; )" +
           checks + " sid:1;)";
  };
  // "0123456789" and "0123abcd0123abcd"
  const Entry digits{.protocol = ip_protocol::udp, .payload = "the key=MDEyMzQ1Njc4OQ=="};
  const Entry repeated{.protocol = ip_protocol::udp, .payload = "key=MDEyM2FiY2QwMTIzYWJjZA=="};
  const std::string inside = with(R"(content:"345"; within:6;)");
  const std::string outside = with(R"(content:"345"; within:5;)");
  const std::string behind = with(R"(content:"345"; distance:3; within:3;)");
  const std::string too_far = with(R"(content:"345"; distance:4;)");
  const std::string chain = with(R"(content:"23"; content:"cd"; distance:2; within:2;)");
  const std::string retried =
      with(R"(content:"ab"; content:"cd"; distance:0; within:2; isdataat:!1,relative;)");
  const std::string absent = with(R"(content:"23"; content:!"ab"; within:2;)");
  run({
      {"the whole of it in the first bytes", inside.c_str(), {digits}, "1:1"},
      {"not all of it", outside.c_str(), {digits}, ""},
      {"behind a distance", behind.c_str(), {digits}, "1:1"},
      {"in front of the distance", too_far.c_str(), {digits}, ""},
      {"behind another match", chain.c_str(), {repeated}, "1:1"},
      {"behind a later match than the first", retried.c_str(), {repeated}, "1:1"},
      {"not there within so many bytes", absent.c_str(), {digits}, "1:1"},
      {"there within so many bytes, each time", absent.c_str(), {repeated}, ""},
  });
}

/// Hyperscan 5.4.0 misses literals that end in a long run, where there is another one.
TEST(Detector, FindsContentsThatEndInALongRun) {
  const auto rule = [](const std::string& content, const char* sid) {
    return R"(alert udp any any -> any any (content:")" + content + "\"; sid:" + sid + ";)";
  };
  for (size_t bytes : {10, 16, 17, 33, 34, 40, 70, 200}) {
    const std::string name = std::to_string(bytes);
    const std::string text = "abcdef" + std::string(bytes, 'A');
    const std::string rules = rule(text, "1") + '\n' + rule("other", "2");
    const Entry exact{.protocol = ip_protocol::udp, .payload = text};
    const Entry within{.protocol = ip_protocol::udp, .payload = "xyz" + text + text + "xyz"};
    const Entry shorter{.protocol = ip_protocol::udp, .payload = text.substr(0, text.size() - 1)};
    run({{name.c_str(), rules.c_str(), {exact, within, shorter}, "1:1 2:1"}});
  }
}

TEST(Detector, ChecksTheHeader) {
  const Entry to_80{.payload = "x"};
  Entry back = to_80;
  std::swap(back.source_port, back.target_port);
  std::swap(back.source, back.target);
  back.direction = Direction::to_client;
  Entry udp = to_80;
  udp.protocol = ip_protocol::udp;
  Entry icmp = to_80;
  icmp.protocol = ip_protocol::icmp;
  icmp.source_port = icmp.target_port = 0;
  const char* const any = R"(alert ip any any -> any any (content:"x"; sid:1;))";
  const char* const port = R"(alert tcp any any -> any [80,8000:8080] (content:"x"; sid:1;))";
  const char* const ip_port = R"(alert ip any any -> any 80 (content:"x"; sid:1;))";
  const char* const source = R"(alert tcp 10.0.0.0/8 any -> any any (content:"x"; sid:1;))";
  const char* const both_ways = R"(alert tcp any any <> any 80 (content:"x"; sid:1;))";
  run({
      {"any", any, {to_80, udp, icmp}, "1:1 2:1 3:1"},
      {"a port", port, {to_80, back, udp}, "1:1"},
      {"a port of any protocol that has some", ip_port, {to_80, udp, icmp}, "1:1 2:1"},
      {"an address", source, {to_80, back}, "1:1"},
      {"both ways", both_ways, {to_80, back}, "1:1 2:1"},
  });
}

TEST(Detector, KnowsFlowAndDirection) {
  const Entry client{.payload = "x"};
  const Entry server{.payload = "x", .direction = Direction::to_client};
  const Entry fresh{.payload = "x", .is_established = false};
  const Entry alone{.payload = "x", .has_flow = false, .is_established = false};
  const auto rule = [](std::string options) {
    return "alert tcp any any -> any any (" + options + "content:\"x\"; sid:1;)";
  };
  const struct {
    const char* options;
    const char* alerts;
  } cases[] = {
      {"", "1:1 2:1 3:1 4:1"},
      {"flow:to_server;", "1:1 3:1 4:1"},  // a direction alone asks for no flow
      {"flow:to_client;", "2:1"},
      {"flow:established;", "1:1 2:1"},
      {"flow:not_established;", "3:1"},
      {"flow:stateless;", "1:1 2:1 3:1"},
      {"flow:established,to_server;", "1:1"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.options);
    const RuleSet rules = test::compile_text(rule(each.options));
    detect::Detector detector = test::make_detector();
    EXPECT_EQ(test::inspect(detector, rules, {client, server, fresh, alone}), each.alerts);
  }
}

TEST(Detector, DecidesAddressRulesOncePerDirection) {
  const char* const rules =
      "alert ip 10.0.0.0/8 any -> any any (sid:1;)\n"
      "alert ip any any -> 192.168.0.1 any (sid:2;)\n"
      "alert tcp any any -> any any (sid:3;)\n"
      "alert ip [1.0.0.0/8,2.2.2.2] any -> any any (sid:4;)";
  Entry first{.opened = true};
  Entry again;
  Entry back{.direction = Direction::to_client};
  std::swap(back.source, back.target);
  Entry loose{.has_flow = false};
  Entry other{.source = test::ipv4(2, 2, 2, 2), .slot = 2, .opened = true};
  run({{"lists",
        rules,
        {first, again, back, loose, other},
        "1:1 1:2 1:3 3:3 4:1 4:2 4:3 5:2 5:3 5:4"}});
}

TEST(Detector, MeetsBothSendersWhereSidesAreSwapped) {
  const char* const rules =
      R"(alert udp 10.0.0.2 any -> any any (sid:1;)
alert udp any 53 -> any any (content:"x"; sid:2;))";
  // What looked like an answer turned the flow; the answer to it turns it back.
  Entry question{.protocol = ip_protocol::udp, .target_port = 53, .payload = "x", .opened = true};
  question.direction = Direction::to_client;
  question.client_end = 1;
  Entry answer{.protocol = ip_protocol::udp, .source_port = 53, .payload = "x"};
  answer.source = test::ipv4(10, 0, 0, 2);
  answer.direction = Direction::to_client;
  run({{"swapped and swapped back", rules, {question, answer, answer}, "2:1 2:2 3:2"}});
}

TEST(Detector, SetsBitsBeforeRulesThatAskForThem) {
  const char* const rules =
      R"(alert tcp any any -> any any (content:"two"; flowbits:isset,seen; sid:1;)
alert tcp any any -> any any (content:"one"; flowbits:set,seen; flowbits:noalert; sid:2;)
alert tcp any any -> any any (content:"end"; flowbits:isset,seen; flowbits:unset,seen; sid:3;)
alert tcp any any -> any any (content:"two"; flowbits:isnotset,seen; sid:4;)
alert tcp any any -> any any (content:"two"; flowbits:isset,other|seen; sid:5;))";
  const Entry one{.payload = "one", .opened = true};
  const Entry two{.payload = "two"};
  const Entry both{.payload = "one two", .slot = 1, .opened = true};
  const Entry end{.payload = "end"};
  const Entry reopened{.payload = "two", .slot = 1, .opened = true};
  const Entry alone{.payload = "one two", .has_flow = false};
  run({
      {"over datagrams", rules, {two, one, two, end, end, two}, "1:4 3:1 3:5 4:3 6:4"},
      {"within one", rules, {both}, "1:1 1:5"},
      {"a new flow in the slot knows nothing", rules, {both, reopened}, "1:1 1:5 2:4"},
      {"without a flow nothing is kept", rules, {alone, alone}, ""},
  });
}

TEST(Detector, CountsWithFlowIntegers) {
  const char* const rules =
      R"(alert tcp any any -> any any (content:"g"; flowint:tries,notset; flowint:tries,=,1; sid:1;)
alert tcp any any -> any any (content:"try"; flowint:tries,+,2; noalert; sid:2;)
alert tcp any any -> any any (content:"try"; flowint:tries,>,4; sid:3;))";
  const Entry go{.payload = "go", .opened = true};
  const Entry attempt{.payload = "try"};
  const Entry fresh{.payload = "try", .slot = 1, .opened = true};
  run({{"counts only what was assigned", rules, {fresh, fresh, go, attempt, attempt}, "3:1 5:3"}});
}

TEST(Detector, PassesAndDrops) {
  const char* const pass_packet =
      R"(pass tcp any any -> any any (content:"ok"; dsize:<100; sid:1;)
alert tcp any any -> any any (content:"x"; sid:2;))";
  const char* const pass_stream =
      R"(pass tcp any any -> any any (content:"ok"; sid:1;)
alert tcp any any -> any any (content:"x"; sid:2;))";
  const char* const drop =
      R"(drop tcp any any -> any any (content:"bad"; sid:1;)
alert tcp any any -> any any (content:"x"; sid:2;))";
  const char* const reject = R"(reject tcp any any -> any any (content:"bad"; sid:1;))";
  const Entry pass{.payload = "ok x", .opened = true};
  const Entry plain{.payload = "x"};
  const Entry passed{.chunks = {"ok x"}, .opened = true};
  const Entry bad{.payload = "bad x", .opened = true};
  const Entry bad_stream{.chunks = {"bad x"}, .opened = true};
  run({
      {"a pass rule ends the datagram's alerts", pass_packet, {pass, plain}, "2:2"},
      {"in the stream it lets the flow through", pass_stream, {passed, plain}, ""},
      {"drop without a bridge is an alert", drop, {bad_stream, plain}, "1:1s 1:2s 2:2"},
      {"reject blocks", reject, {bad}, "1:1d"},
  });
  const detect::DetectorOptions inline_mode{.simulate_ips = true};
  run({{"drop of a packet", drop, {bad, plain}, "1:1d 1:2 2:2"},
       {"drop of a flow", drop, {bad_stream, plain}, "1:1sd 1:2s"}},
      inline_mode);
}

TEST(Detector, TellsTheFlowWhatRulesDecided) {
  const RuleSet rules =
      test::compile_text(R"(alert tcp any any -> any any (content:"x"; bypass; sid:1;))");
  detect::Detector detector = test::make_detector();
  const Entry first{.payload = "x", .slot = 3, .opened = true};
  EXPECT_EQ(test::inspect(detector, rules, {first}), "1:1");
  ASSERT_EQ(detector.decisions().size(), 1u);
  EXPECT_EQ(detector.decisions()[0].flow, FlowId(3, Direction::to_server));
  EXPECT_EQ(detector.decisions()[0].verdict, FlowVerdict::bypass);
  EXPECT_EQ(test::inspect(detector, rules, {Entry{.payload = "x", .slot = 3}}), "");
}

TEST(Detector, LeavesOutWhatIsNotToBeInspected) {
  const char* const rules = R"(alert ip any any -> any any (content:"x"; sid:1;))";
  const Entry seen{.payload = "x"};
  Entry bypassed = seen;
  bypassed.verdict = FlowVerdict::bypass;
  Entry dropped = seen;
  dropped.verdict = FlowVerdict::drop;
  Entry passed = seen;
  passed.verdict = FlowVerdict::pass;
  run({{"verdicts", rules, {bypassed, dropped, passed, seen}, "4:1"}});
}

TEST(Detector, MeetsPseudoDatagramsWithStreamRulesOnly) {
  const char* const rules =
      R"(alert tcp any any -> any any (content:"evil"; sid:1;)
alert tcp any any -> any any (flags:PA; sid:2;)
alert tcp any any -> any any (content:!"good"; dsize:<10; sid:3;))";
  const Entry end{.chunks = {"evil"}, .origin = DatagramOrigin::stream_end};
  run({{"the last bytes of a stream", rules, {end}, "1:1s"},
       {"addresses alone do not make an alert of one",
        "alert tcp any any -> any any (sid:1;)",
        {end},
        ""}});
}

TEST(Detector, LooksForNegatedContentInAnEmptyPayload) {
  // An acknowledgement makes the other's bytes ready; its own payload is empty, but there.
  const char* const rules = R"(alert tcp any any -> any any (content:!"good"; sid:1;))";
  const Entry bare;
  const Entry ready{.chunks = {"good"}};
  run({{"only where there is anything to inspect", rules, {bare, ready}, "2:1"}});
}

TEST(Detector, SeesEvents) {
  const auto decode = find_decode_event("ipv4.pkt_too_small");
  const auto stream = find_stream_event("est_packet_out_of_window");
  ASSERT_TRUE(decode && stream);
  const char* const rules =
      R"(alert pkthdr any any -> any any (decode-event:ipv4.pkt_too_small; sid:1;)
alert tcp any any -> any any (stream-event:est_packet_out_of_window; sid:2;))";
  const Entry plain;
  const Entry broken{.has_flow = false, .events = {*decode}};
  const Entry odd{.stream_events = {*stream}};
  run({{"events", rules, {plain, broken, odd}, "2:1 3:2"}});
}

TEST(Detector, KeepsToTheAlertsOfADatagram) {
  std::string text;
  for (int sid = 1; sid <= 20; ++sid) {
    text += "alert tcp any any -> any any (content:\"x\"; sid:" + std::to_string(sid) + ";)\n";
  }
  const Entry entry{.payload = "x"};
  const RuleSet rules = test::compile_text(text);
  detect::Detector detector = test::make_detector({.alerts_per_packet_max = 3});
  EXPECT_EQ(test::inspect(detector, rules, {entry}), "1:1 1:2 1:3");
}

TEST(Detector, TagsWhatFollowsAnAlert) {
  const char* const session =
      R"(alert tcp any any -> any any (content:"x"; tag:session,2,packets; sid:1;))";
  const char* const host =
      R"(alert tcp any any -> any any (content:"x"; tag:host,100,seconds,src; sid:1;))";
  const Entry alert{.payload = "x", .opened = true};
  const Entry next{.payload = "y"};
  const Entry other{.source = test::ipv4(10, 9, 9, 9), .payload = "y", .slot = 1, .opened = true};
  Entry later{.payload = "y", .slot = 2, .opened = true};
  later.time_ns = 200'000'000'000;
  run({
      {"packets of the session", session, {alert, next, other, next, next}, "1:1 2:t"},
      {"all of the host's for a time", host, {alert, next, other, later}, "1:1 2:t"},
  });
}

TEST(Detector, PushesSilentMatchesThatSetHostBits) {
  const char* const rules =
      R"(alert tcp any any -> any any (content:"x"; xbits:set,bad,track ip_src; noalert; sid:1;)
alert tcp any any -> any any (content:"x"; noalert; sid:2;))";
  run({{"host bits", rules, {Entry{.payload = "x"}}, "1:1q"}});
}

TEST(Detector, GivesAlertsTheFlowsVariables) {
  const RuleSet rules = test::compile_text(
      R"(alert tcp any any -> any any (content:"x"; flowbits:set,first; flowint:count,=,7; sid:1;)
alert tcp any any -> any any (content:"x"; flowbits:set,second; sid:2;))");
  detect::Detector detector = test::make_detector();
  const test::Batch batch({Entry{.payload = "x", .opened = true}});
  AlertBatch alerts;
  test::inspect_all(detector, rules, batch, alerts);
  ASSERT_EQ(alerts.all().size(), 2u);
  const FlowVariables& variables = alerts.variables_of(0);
  ASSERT_EQ(variables.bits.size(), 2u);
  EXPECT_EQ(rules.bit_names()[variables.bits[0]], "first");
  EXPECT_EQ(rules.bit_names()[variables.bits[1]], "second");
  ASSERT_EQ(variables.integers.size(), 1u);
  EXPECT_EQ(rules.integer_names()[variables.integers[0].first], "count");
  EXPECT_EQ(variables.integers[0].second, 7u);
}

TEST(Detector, CarriesBitsOverToTheNextRuleSet) {
  const RuleSet before = test::compile_text(
      R"(alert tcp any any -> any any (content:"x"; flowbits:set,other; sid:1;)
alert tcp any any -> any any (content:"x"; flowbits:set,seen; sid:2;))");
  const RuleSet after = test::compile_text(
      R"(alert tcp any any -> any any (content:"y"; flowbits:isset,seen; sid:3;)
alert tcp any any -> any any (content:"y"; flowbits:isset,third; sid:4;))");
  detect::Detector detector = test::make_detector();
  EXPECT_EQ(test::inspect(detector, before, {Entry{.payload = "x", .opened = true}}), "1:1 1:2");
  EXPECT_EQ(test::inspect(detector, after, {Entry{.payload = "y"}}), "1:3");
}

TEST(Detector, KeepsWhatExpressionsCapture) {
  const char* const rules =
      R"(alert tcp any any -> any any (pcre:"/user=(\w+)/, flow:name"; sid:1;)
alert tcp any any -> any any (content:"check"; flowvar:name,"bob"; sid:2;))";
  const Entry bob{.payload = "user=bob", .opened = true};
  const Entry eve{.payload = "user=eve", .slot = 1, .opened = true};
  const Entry check{.payload = "check"};
  const Entry check_eve{.payload = "check", .slot = 1};
  run({{"a flow variable", rules, {bob, eve, check, check_eve}, "1:1 2:1 3:2"}});
}

}  // namespace
}  // namespace shrike
