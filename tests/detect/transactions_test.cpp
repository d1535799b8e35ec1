#include <gtest/gtest.h>

#include <string>

#include "conversation.h"

namespace shrike {
namespace {

using test::Conversation;
using test::Entry;
using test::MadeTransaction;
using enum Direction;

const char* const uri_rule = R"(alert http any any -> any any (http.uri; content:"/evil"; sid:1;))";

TEST(Transactions, FireOnceForEachTransactionInItsDirection) {
  Conversation talk(uri_rule);
  talk.open().add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::headers);
  EXPECT_EQ(talk.pass(to_client), "");
  EXPECT_EQ(talk.pass(to_server), "1@0");
  talk.at(0).add(to_server, Field::http_host, "a").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
  talk.open().add(to_server, Field::http_uri, "/good").reach(to_server, Progress::complete);
  talk.open().add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "1@2");
  EXPECT_EQ(talk.pass(to_server), "");
}

TEST(Transactions, AreDoneWhenTheyAreCompleteAndInspected) {
  Conversation talk(uri_rule);
  talk.open().add(to_server, Field::http_uri, "/").reach(to_server, Progress::line);
  talk.open().skip(to_client).reach(to_client, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
  const auto done = [&](size_t index, Direction direction) {
    return talk.at(index).get().notes[static_cast<size_t>(direction)].is_done;
  };
  EXPECT_FALSE(done(0, to_server));
  talk.at(0).reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_client), "");
  EXPECT_FALSE(done(0, to_server));
  EXPECT_TRUE(done(1, to_client));
  EXPECT_EQ(talk.pass(to_server), "");
  EXPECT_TRUE(done(0, to_server));
  EXPECT_FALSE(done(0, to_client));
}

TEST(Transactions, AreGivenUpWhereTheFlowIsNotInspected) {
  Conversation talk(uri_rule);
  talk.open().add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server, {.verdict = FlowVerdict::pass}), "");
  EXPECT_TRUE(talk.at(0).get().notes[0].is_done);
}

TEST(Transactions, WaitForStepsThatComeLater) {
  Conversation talk(
      R"(alert http any any -> any any (http.method; content:"POST"; http.uri; content:"/up"; )"
      R"(http.cookie; content:"id="; sid:1;)
alert http any any -> any any (http.user_agent; content:"agent"; )"
      R"(http.uri; content:"/other"; sid:2;))");
  MadeTransaction& made = talk.open();
  made.add(to_server, Field::http_uri, "/up");
  EXPECT_EQ(talk.pass(to_server), "");
  made.add(to_server, Field::http_cookie, "id=7");
  EXPECT_EQ(talk.pass(to_server), "");
  made.add(to_server, Field::http_user_agent, "agent");
  EXPECT_EQ(talk.pass(to_server), "");
  made.add(to_server, Field::http_method, "POST");
  EXPECT_EQ(talk.pass(to_server), "1@0");
  made.reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
}

TEST(Transactions, CannotMatchOnceAFieldIsFinalWithoutMatch) {
  Conversation talk(R"(alert http any any -> any any (http.uri; content:"/a"; )"
                    R"(http.cookie; content:"x"; sid:1;))");
  talk.open().add(to_server, Field::http_uri, "/a").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
}

TEST(Transactions, KnowWhatIsAbsent) {
  const char* const rules =
      R"(alert http any any -> any any (http.uri; content:"/"; http.referer; absent; sid:1;)
alert http any any -> any any (http.referer; absent: or_else; content:!"abc"; sid:2;)
alert http any any -> any any (http.referer; content:!"abc"; sid:3;))";
  const struct {
    const char* referer;
    const char* alerts;
  } cases[] = {{nullptr, "1@0 2@0"}, {"abc", ""}, {"xyz", "2@0 3@0"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.alerts);
    Conversation talk(rules);
    MadeTransaction& made = talk.open().add(to_server, Field::http_uri, "/");
    EXPECT_EQ(talk.pass(to_server), "");
    if (each.referer != nullptr) {
      made.add(to_server, Field::http_referer, each.referer);
    }
    made.reach(to_server, Progress::complete);
    EXPECT_EQ(talk.pass(to_server), each.alerts);
  }
}

TEST(Transactions, LookAtEveryValueOfAField) {
  Conversation talk(R"(alert dns any any -> any any (dns.query; content:"evil"; startswith; )"
                    R"(content:".org"; endswith; sid:1;))",
                    AppProtocol::dns);
  talk.open()
      .add(to_server, Field::dns_query, "evil.com")
      .add(to_server, Field::dns_query, "good.org")
      .add(to_server, Field::dns_query, "evil.org")
      .reach(to_server, Progress::complete);
  talk.open()
      .add(to_server, Field::dns_query, "evil.com")
      .add(to_server, Field::dns_query, "good.org")
      .reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server, {.protocol = ip_protocol::udp}), "1@0");
}

TEST(Transactions, CompareNumbers) {
  Conversation talk(
      R"(alert dns any any -> any any (dns.opcode:4; sid:1;)
alert dns any any -> any any (dns.opcode:!4; sid:2;)
alert dns any any -> any any (dns.rcode:2-5; sid:3;))",
      AppProtocol::dns);
  talk.open()
      .add_number(to_server, Field::dns_opcode, 4)
      .add_number(to_server, Field::dns_rcode, 3)
      .reach(to_server, Progress::complete);
  talk.open().add_number(to_server, Field::dns_opcode, 0).reach(to_server, Progress::complete);
  talk.open().reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server, {.protocol = ip_protocol::udp}), "1@0 2@1 3@0");
}

TEST(Transactions, SeeEvents) {
  Conversation talk(
      R"(alert http any any -> any any (app-layer-event:http.missing_host_header; sid:1;))");
  MadeTransaction& made = talk.open();
  EXPECT_EQ(talk.pass(to_server), "");
  const auto event = find_app_event("http.missing_host_header");
  ASSERT_TRUE(event);
  made.raise(to_server, *event);
  EXPECT_EQ(talk.pass(to_server), "1@0");
  made.reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
}

TEST(Transactions, WaitForEnoughOfABody) {
  Conversation talk(R"(alert http any any -> any any (http.request_body; content:"evil"; sid:1;))");
  talk.open().add_body(to_server, Field::http_request_body).grow("an evil");
  EXPECT_EQ(talk.pass(to_server), "");
  EXPECT_EQ(talk.pass(to_server, {.origin = DatagramOrigin::stream_end}), "1@0");
  Conversation other(
      R"(alert http any any -> any any (http.request_body; content:"evil"; sid:1;))");
  other.open().add_body(to_server, Field::http_request_body).grow("an evil");
  EXPECT_EQ(other.pass(to_server), "");
  other.at(0).grow(" one, no more");
  EXPECT_EQ(other.pass(to_server), "1@0");
}

TEST(Transactions, LookAtTheNewPartOfABodyAndSomeBytesBefore) {
  const auto rule = [](std::string checks) {
    return "alert http any any -> any any (http.request_body; " + checks + " sid:1;)";
  };
  const struct {
    const char* name;
    std::string rules;
    std::vector<const char*> parts;
    std::vector<const char*> alerts;
  } cases[] = {
      {"over the border of two windows",
       rule("content:\"evil\";"),
       {"0123456789abcdef0123ev", "il"},
       {"", "1@0"}},
      {"what was seen is not seen again",
       rule("content:\"abc\"; content:\"xyz\";"),
       {"abc123456789abcdef0123", "0123456789xyz"},
       {"", ""}},
      {"a depth that has passed",
       rule("content:\"xyz\"; depth:30;"),
       {"0123456789abcdef0123ef", "0123456789012345xyz"},
       {"", ""}},
      {"a depth that reaches into the window",
       rule("content:\"xyz\"; depth:30;"),
       {"0123456789abcdef0123ef", "xyz456789"},
       {"", "1@0"}},
      {"a size of the whole body",
       rule("content:\"x\"; bsize:>30;"),
       {"0123456789abcdef0123ef", "xyz456789x"},
       {"", "1@0"}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    Conversation talk(each.rules);
    MadeTransaction& made = talk.open().add_body(to_server, Field::http_request_body);
    for (size_t i = 0; i < each.parts.size(); ++i) {
      made.grow(each.parts[i]);
      EXPECT_EQ(talk.pass(to_server), each.alerts[i]) << i;
    }
  }
}

TEST(Transactions, FindPayloadBesideFields) {
  const char* const rules = R"(alert http any any -> any any (http.uri; content:"/a"; pkt_data; )"
                            R"(content:"raw payload literal"; sid:1;))";
  Conversation talk(rules);
  MadeTransaction& made = talk.open().add(to_server, Field::http_uri, "/a");
  EXPECT_EQ(talk.pass(to_server, {.chunks = {"nothing"}}), "");
  made.reach(to_server, Progress::line);
  EXPECT_EQ(talk.pass(to_server, {.chunks = {"some raw payload literal"}}), "1@0");
  made.reach(to_server, Progress::headers);
  EXPECT_EQ(talk.pass(to_server, {.chunks = {"some raw payload literal"}}), "");
  Conversation lone(rules);
  lone.open().add(to_server, Field::http_uri, "/b");
  EXPECT_EQ(lone.pass(to_server, {.chunks = {"some raw payload literal"}}), "");
}

TEST(Transactions, TransformBeforeTheyLook) {
  Conversation talk(
      R"(alert http any any -> any any (http.host; dotprefix; content:".evil.com"; endswith; sid:1;)
alert http any any -> any any (http.host; content:".evil.com"; endswith; sid:2;)
alert http any any -> any any (http.uri; to_uppercase; content:"/A"; sid:3;)
alert http any any -> any any (http.uri; url_decode; content:"/a b"; sid:4;)
alert http any any -> any any (http.method; to_md5; )"
      R"(content:"|75 28 03 5a 93 ee 69 ce 3f 2f f3 0c 3e 7d 45 2a|"; sid:5;))");
  talk.open()
      .add(to_server, Field::http_host, "evil.com")
      .add(to_server, Field::http_uri, "/a+b")
      .add(to_server, Field::http_method, "GET")
      .reach(to_server, Progress::complete);
  const std::string alerts = talk.pass(to_server);
  EXPECT_EQ(alerts.substr(0, 15), "1@0 3@0 4@0");
}

TEST(Transactions, SeeBitsInOrder) {
  Conversation talk(
      R"(alert http any any -> any any (http.uri; content:"/set"; flowbits:set,tx; sid:1;)
alert http any any -> any any (http.uri; content:"/ask"; flowbits:isset,tx; sid:2;)
alert tcp any any -> any any (content:"packet"; flowbits:isset,tx; sid:3;)
alert tcp any any -> any any (content:"packet"; flowbits:set,packet; sid:4;)
alert http any any -> any any (http.uri; content:"/ask"; flowbits:isset,packet; sid:5;))");
  talk.open().add(to_server, Field::http_uri, "/ask").reach(to_server, Progress::complete);
  talk.open().add(to_server, Field::http_uri, "/set").reach(to_server, Progress::complete);
  talk.open().add(to_server, Field::http_uri, "/ask").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server, {.payload = "packet"}), "1@1 4 2@2 5@2 5@0");
  EXPECT_EQ(talk.pass(to_server, {.payload = "packet"}), "4 3");
}

TEST(Transactions, PassAndDropTheFlow) {
  Conversation pass(
      R"(pass http any any -> any any (http.uri; content:"/ok"; sid:1;)
alert http any any -> any any (http.uri; content:"/"; sid:2;))");
  pass.open().add(to_server, Field::http_uri, "/ok").reach(to_server, Progress::complete);
  EXPECT_EQ(pass.pass(to_server), "");
  ASSERT_EQ(pass.detector().decisions().size(), 1u);
  EXPECT_EQ(pass.detector().decisions()[0].verdict, FlowVerdict::pass);
  pass.open().add(to_server, Field::http_uri, "/").reach(to_server, Progress::complete);
  EXPECT_EQ(pass.pass(to_server), "");
}

TEST(Transactions, RulesForAProtocolMeetOnlyItsFlows) {
  const char* const rules =
      R"(alert http any any -> any any (content:"needle"; sid:1;)
alert tls any any -> any any (content:"needle"; sid:2;)
alert tcp any any -> any any (content:"needle"; sid:3;))";
  Conversation talk(rules);
  EXPECT_EQ(talk.pass(to_server, {.payload = "needle"}), "1 3");
  talk.view().protocol = AppProtocol::unknown;
  EXPECT_EQ(talk.pass(to_server, {.payload = "needle"}), "3");
  EXPECT_EQ(talk.pass(to_server, {.payload = "needle", .is_established = false}), "3");
}

TEST(Transactions, AskOnceHowTheFlowWasIdentified) {
  const char* const rules =
      R"(alert tcp any any -> any any (app-layer-protocol:http; sid:1;)
alert tcp any any -> any any (app-layer-protocol:!http; sid:2;)
alert tcp any any -> any any (app-layer-protocol:failed; sid:3;)
alert tcp any any -> any any (app-layer-protocol:tls,either; sid:4;))";
  Conversation talk(rules);
  talk.view().identification_done = {false, false};
  EXPECT_EQ(talk.pass(to_server), "");
  talk.view().identification_done = {true, false};
  EXPECT_EQ(talk.pass(to_server), "1");
  EXPECT_EQ(talk.pass(to_server), "");
  talk.view().identification_done = {true, true};
  talk.view().by_direction = {AppProtocol::tls, AppProtocol::failed};
  EXPECT_EQ(talk.pass(to_client), "2 3 4");
  EXPECT_EQ(talk.pass(to_client), "");
}

TEST(Transactions, BeginAnewWithAnotherRuleSet) {
  Conversation talk(uri_rule);
  talk.open().add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::line);
  EXPECT_EQ(talk.pass(to_server), "1@0");
  talk.reload(R"(alert http any any -> any any (http.uri; content:"evil"; sid:2;))");
  talk.at(0).reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "2@0");
}

TEST(Transactions, MatchOverBothDirectionsWhereTheRuleSaysSo) {
  Conversation talk(R"(alert http any any => any any (http.uri; content:"/evil"; )"
                    R"(http.stat_code; content:"200"; sid:1;))");
  talk.open().add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
  talk.at(0).add(to_client, Field::http_stat_code, "200").reach(to_client, Progress::complete);
  EXPECT_EQ(talk.pass(to_client), "1@0");
}

TEST(Transactions, PassHooksWhenTheyAreInTheirStepOrGoPastIt) {
  Conversation talk(R"(alert http1:response_started any any -> any any (sid:1;)
alert http1:response_body any any -> any any (sid:2;)
alert http1:response_complete any any -> any any (sid:3;)
alert http1:request_line any any -> any any (sid:4;))");
  MadeTransaction& made = talk.open();
  made.reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "4@0");
  EXPECT_EQ(talk.pass(to_server), "");
  EXPECT_EQ(talk.pass(to_client), "1@0");
  EXPECT_EQ(talk.pass(to_client), "1@0");  // still there, with new bytes
  made.reach(to_client, Progress::body);
  EXPECT_EQ(talk.pass(to_client), "1@0 2@0");
  EXPECT_EQ(talk.pass(to_client), "2@0");
  made.reach(to_client, Progress::complete);
  EXPECT_EQ(talk.pass(to_client), "2@0 3@0");
  EXPECT_EQ(talk.pass(to_client), "");
}

TEST(Transactions, PassHooksOnlyWithBytesOfTheirOwn) {
  Conversation talk("alert http1:request_body any any -> any any (sid:1;)");
  talk.open().reach(to_server, Progress::body);
  talk.open().reach(to_server, Progress::body);
  EXPECT_EQ(talk.pass(to_server), "1@1 1@0");  // both are new
  EXPECT_EQ(talk.pass(to_server), "1@0");      // the first is not complete, so the bytes are its
  talk.at(0).reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "1@1 1@0");
}

TEST(Transactions, MeetBuffersBehindAHookOnce) {
  Conversation talk(
      R"(alert http1:request_headers any any -> any any (http.uri; content:"/evil"; sid:1;)
alert http1 any any -> any any (app-layer-state:<request_headers; sid:2;)
alert http1 any any -> any any (app-layer-state:>request_headers; sid:3;)
alert http1 any any -> any any (app-layer-state:request_headers; sid:4;)
alert http1 any any -> any any (app-layer-state:<request_line; http.method; content:"P"; sid:5;))");
  MadeTransaction& made = talk.open();
  made.add(to_server, Field::http_uri, "/evil").reach(to_server, Progress::line);
  made.add(to_server, Field::http_method, "P");
  EXPECT_EQ(talk.pass(to_server), "2@0");
  made.reach(to_server, Progress::headers);
  EXPECT_EQ(talk.pass(to_server), "1@0 4@0");
  made.reach(to_server, Progress::body);
  EXPECT_EQ(talk.pass(to_server), "3@0 4@0");
  made.reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server), "");
}

TEST(Transactions, CountWithPacketsForTheAlertsOfADatagram) {
  Conversation talk(
      R"(alert tcp any any -> any any (content:"p"; sid:1;)
alert http any any -> any any (http.uri; content:"/"; sid:2;)
alert http any any -> any any (http.uri; content:"a"; sid:3;))",
      AppProtocol::http1, {.alerts_per_packet_max = 2});
  talk.open().add(to_server, Field::http_uri, "/a").reach(to_server, Progress::complete);
  EXPECT_EQ(talk.pass(to_server, {.payload = "p"}), "1 2@0");
}

}  // namespace
}  // namespace shrike
