#include "parse.h"

#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::meaning_of;
using test::Parsed;

struct MeaningCase {
  const char* options;
  const char* meaning;
};

TEST(Parse, ContentsAndTheirModifiers) {
  const MeaningCase cases[] = {
      {"content:\"abc\";", "  buffer payload\n    content \"abc\"\n"},
      {"content:!\"a|3b 00|b\"; nocase;",
       "  buffer payload\n    content not \"a|3b 00|b\" nocase\n"},
      {"content:\"ab\"; offset:1; depth:9;",
       "  buffer payload\n    content \"ab\" offset 1 depth 9\n"},
      {"content:\"ab\"; content:\"cd\"; distance:-2; within:5;",
       "  buffer payload\n    content \"ab\"\n    content \"cd\" distance -2 within 5\n"},
      {"content:\"ab\"; startswith; endswith;",
       "  buffer payload\n    content \"ab\" startswith endswith\n"},
      {"content:\"abc\"; fast_pattern:1,2;",
       "  buffer payload\n    content \"abc\" fast_pattern 1,2\n"},
      {"content:\"a\\;\\\"\\\\b\";", "  buffer payload\n    content \"a|3b 22 5c|b\"\n"},
      {"byte_extract:1,0,n; content:\"ab\"; offset:n;",
       "  buffer payload\n    byte_extract bytes 1 at 0 times 1 into n\n    content \"ab\" offset "
       "n\n"},
  };
  for (const MeaningCase& test : cases) EXPECT_EQ(meaning_of(test.options), test.meaning);
}

TEST(Parse, BuffersInTheOrderOfTheRule) {
  const MeaningCase cases[] = {
      {"content:\"a\"; http.uri; content:\"b\"; pkt_data; content:\"c\";",
       "  buffer payload\n    content \"a\"\n    content \"c\"\n  buffer http.uri\n    content "
       "\"b\"\n"},
      // The old form moves the content before it; a relative check goes along with it.
      {"content:\"a\"; http_uri; isdataat:!2,relative; content:\"b\"; http_header;",
       "  buffer http.uri\n    content \"a\"\n    isdataat not 2 relative\n"
       "  buffer http.header\n    content \"b\"\n"},
      // That nothing follows a content is its end, also where the content is not to be there.
      {"content:\"a\"; http_uri; isdataat:!1,relative; http.host; content:!\"b\"; "
       "isdataat:!1,relative; pcre:\"/c/R\"; isdataat:!1,relative;",
       "  buffer http.uri\n    content \"a\" endswith\n"
       "  buffer http.host\n    content not \"b\" endswith\n    pcre /c/ relative\n"
       "    isdataat not 1 relative\n"},
      {"pcre:\"/a/U\"; content:\"b\"; http_uri;",
       "  buffer http.uri\n    pcre /a/\n    content \"b\"\n"},
      // A buffer of one value is one buffer, named how often it may be.
      {"http.uri; content:\"a\"; http.method; content:\"b\"; http.uri; content:\"c\";",
       "  buffer http.uri\n    content \"a\"\n    content \"c\"\n  buffer http.method\n    content "
       "\"b\"\n"},
      // One of several values is another one each time it is named.
      {"dns.query; content:\"a\"; dns.query; content:\"b\";",
       "  buffer dns.query\n    content \"a\"\n  buffer dns.query\n    content \"b\"\n"},
      {"http.uri; to_lowercase; dotprefix; content:\"a\"; http.uri; content:\"b\";",
       "  buffer http.uri to_lowercase dotprefix\n    content \"a\"\n  buffer http.uri\n    "
       "content \"b\"\n"},
      {"http.uri; content:\"a\"; from_base64; content:\"b\";",
       "  buffer http.uri\n    content \"a\"\n  buffer http.uri from_base64\n    content \"b\"\n"},
      {"base64_decode:bytes 8, offset 1, relative; base64_data; content:\"a\";",
       "  buffer payload\n    base64_decode bytes 8 offset 1 relative\n  buffer base64_data\n    "
       "content \"a\"\n"},
  };
  for (const MeaningCase& test : cases) EXPECT_EQ(meaning_of(test.options), test.meaning);
}

TEST(Parse, ChecksOfThePayload) {
  const MeaningCase cases[] = {
      {"byte_test:4,!>=,0x10,-2,relative,little,bitmask 0xff;",
       "    byte_test bytes 4 at -2 relative not >= 16 little bitmask 255\n"},
      {"byte_test:0,<,9,0,string,dec;", "    byte_test bytes 0 at 0 < 9 decimal\n"},
      {"byte_test:2,!,7,0;", "    byte_test bytes 2 at 0 not = 7\n"},
      {"byte_jump:2,1,relative,multiplier 4,align,post_offset -3;",
       "    byte_jump bytes 2 at 1 relative times 4 align post_offset -3\n"},
      {"byte_jump:0,0,from_end,post_offset -4;",
       "    byte_jump bytes 0 at 0 times 1 from_end post_offset -4\n"},
      {"byte_extract:2,0,x,string,hex,multiplier 2;",
       "    byte_extract bytes 2 at 0 times 2 into x hexadecimal\n"},
      {"byte_math:bytes 4, offset 0, oper <<, rvalue 2, result r, relative, endian little;",
       "    byte_math bytes 4 at 0 relative << 2 into r little\n"},
      {"pcre:!\"/a\\/b/smi\";", "    pcre not /a\\/b/ options 1064\n"},
      {"pcre:\"/(?P<flow_name>a)(b)/\";", "    pcre /(?P<flow_name>a)(b)/ capture name\n"},
      {"pcre:\"/(a)(b)/, flow:one, pkt:two\";", "    pcre /(a)(b)/ capture one capture two\n"},
      {"isdataat:!10;", "    isdataat not 10\n"},
      {"asn1:oversize_length 500, absolute_offset 3;",
       "    asn1 oversize_length 500 absolute_offset 3\n"},
      {"rpc:100000,2,*;", "    rpc program 100000 version 2\n"},
      {"entropy:value >= 4.5;", "    entropy of 4.5 to 0\n"},
  };
  for (const MeaningCase& test : cases) {
    EXPECT_EQ(meaning_of(test.options), std::string("  buffer payload\n") + test.meaning);
  }
}

TEST(Parse, ChecksOfPacketAndFlow) {
  const MeaningCase cases[] = {
      {"flow:established,to_server,no_frag;", "  flow established to_server no_frag\n"},
      {"flow:from_server;", "  flow to_client\n"},
      {"flags:S,CE;", "  tcp.flags exact 0x02 ignored 0xc0\n"},
      {"flags:+SA;", "  tcp.flags all 0x12 ignored 0x00\n"},
      {"flags:!R;", "  tcp.flags none 0x04 ignored 0x00\n"},
      {"flags:0;", "  tcp.flags exact 0x00 ignored 0x00\n"},
      {"fragbits:M+;", "  fragbits all more\n"},
      {"ttl:<10;", "  ttl < 10\n"},
      {"ttl:10-20;", "  ttl 10<>20\n"},
      {"dsize:!100;", "  dsize != 100\n"},
      {"dsize:10<>20;", "  dsize 10<>20\n"},
      {"tos:!x1f;", "  tos != 31\n"},
      {"icmp_seq:7;", "  icmp_seq = 7\n"},
      {"window:!0;", "  window != 0\n"},
      {"tcp.mss:<=536;", "  tcp.mss <= 536\n"},
      {"vlan.id:10,0;", "  vlan.id = 10 layer 0\n"},
      {"sameip;", "  sameip\n"},
      {"l3_proto:IPv6;", "  l3_proto ipv6\n"},
      {"ipv4-csum:invalid;", "  ipv4-csum invalid\n"},
      {"ipopts:lsrr;", "  ipopts lsrr\n"},
      {"stream_size:either,>=,5;", "  stream_size either >= 5\n"},
      {"decode-event:ipv4.pkt_too_small;", "  decode-event ipv4.pkt_too_small\n"},
      {"stream-event:3whs_ack_in_wrong_dir;", "  stream-event 3whs_ack_in_wrong_dir\n"},
      {"engine-event:stream.3whs_ack_in_wrong_dir;", "  stream-event 3whs_ack_in_wrong_dir\n"},
      {"flowbits:isset,a|b;", "  flowbits isset a b\n"},
      {"flowint:n,+,1;", "  flowint n + 1\n"},
      {"flowint:n,>,m;", "  flowint n > m\n"},
      {"flowint:n,isnotset;", "  flowint n isnotset 0\n"},
      {"flowvar:name,!\"a|00|\";", "  flowvar name not \"a|00|\"\n"},
      {"flow.age:>3600;", "  flow.age > 3600\n"},
      {"flow.pkts:toclient,10-20;", "  flow.pkts to_client 10<>20\n"},
  };
  for (const MeaningCase& test : cases) {
    EXPECT_EQ(meaning_of(test.options), test.meaning);
  }
}

TEST(Parse, IpProtocolsOfARuleMakeOneSet) {
  const MeaningCase cases[] = {
      {"ip_proto:tcp;", "  ip_proto 6\n"},
      {"ip_proto:<3; ip_proto:!1;", "  ip_proto 0,2\n"},
      {"ip_proto:>253; ip_proto:!255;", "  ip_proto 254\n"},
  };
  for (const MeaningCase& test : cases) {
    EXPECT_EQ(meaning_of(test.options, "alert ip any any -> any any"), test.meaning);
  }
}

TEST(Parse, WhatIsSaidAboutARule) {
  Options options;
  options.classification = {"c", "config classification: Some-Class,What it is, 2\n"};
  options.references = {"r", "config reference: url https://\n"};
  const Parsed parsed(
      "drop tcp any any -> any any (msg:\"a\\;b \\\"c\\\"\"; classtype:some-class; "
      "reference:url,x.org/a; "
      "metadata:k1 v1, k2 v2 and more, k1 v3; target:dest_ip; gid:7; rev:3; noalert; "
      "tag:host,5,seconds,dst; threshold:type both, track by_dst, count 3, seconds 9; "
      "xbits:set,x,track ip_pair,expire 9; hostbits:isset,h,dst; sid:42;)\n",
      options);
  ASSERT_EQ(parsed.rules.size(), 1U) << parsed.diagnostics.text();
  const RuleInfo& info = parsed.rules[0].info;
  EXPECT_EQ(info.action, Action::drop);
  EXPECT_EQ(info.message, "a;b \"c\"");
  EXPECT_EQ(std::tuple(info.gid, info.sid, info.rev, info.priority), std::tuple(7U, 42U, 3U, 2U));
  EXPECT_EQ(info.class_name, "Some-Class");
  EXPECT_EQ(info.class_description, "What it is");
  EXPECT_EQ(info.references, std::vector<std::string>{"https://x.org/a"});
  const decltype(info.metadata) metadata{{"k1", {"v1", "v3"}}, {"k2", {"v2 and more"}}};
  EXPECT_EQ(info.metadata, metadata);
  EXPECT_EQ(info.target, RuleTarget::target_ip);
  EXPECT_TRUE(info.is_noalert);
  ASSERT_TRUE(info.tag);
  EXPECT_TRUE(info.tag->by_host && info.tag->host_is_target);
  EXPECT_EQ(info.tag->metric, TagOperation::Metric::seconds);
  ASSERT_EQ(info.thresholds.size(), 1U);
  EXPECT_EQ(info.thresholds[0].type, ThresholdType::both);
  EXPECT_EQ(info.thresholds[0].track, ThresholdTrack::by_target);
  ASSERT_EQ(info.host_bits.size(), 2U);
  EXPECT_EQ(info.host_bits[0].track, HostBitOperation::Track::pair);
  EXPECT_EQ(info.host_bits[0].expire_seconds, 9U);
  EXPECT_TRUE(info.host_bits[1].is_hostbit);
  EXPECT_EQ(std::pair(info.file, info.line), std::pair(std::string("test.rules"), 1U));
  EXPECT_TRUE(info.text.starts_with("drop tcp") && info.text.ends_with("sid:42;)"));
}

TEST(Parse, AnExplicitPriorityWinsWhereverItStands) {
  Options options;
  options.classification = {"c", "config classification: a,A,2\nconfig classification: b,B,1\n"};
  const std::pair<const char*, uint32_t> cases[] = {{"priority:7; classtype:a;", 7},
                                                    {"classtype:a; priority:7;", 7},
                                                    {"classtype:a; classtype:b;", 1},
                                                    {"classtype:b; classtype:a;", 1},
                                                    {"", 3}};
  for (const auto& [text, priority] : cases) {
    const Parsed parsed("alert ip any any -> any any (" + std::string(text) + " sid:1;)", options);
    ASSERT_EQ(parsed.rules.size(), 1U) << text;
    EXPECT_EQ(parsed.rules[0].info.priority, priority) << text;
  }
}

TEST(Parse, BothWaysAreTwoRules) {
  const Parsed parsed("alert tcp 1.2.3.4 80 <> any any (sid:1;)");
  ASSERT_EQ(parsed.rules.size(), 2U);
  EXPECT_EQ(parsed.report.rules_loaded, 1U);
  EXPECT_TRUE(parsed.rules[0].header.target.is_any);
  EXPECT_TRUE(parsed.rules[1].header.source.is_any);
  EXPECT_EQ(parsed.rules[1].header.target_port.ranges.at(0).first, 80);
  const Parsed same("alert tcp 1.2.3.4 any <> 1.2.3.4 any (sid:1;)");
  EXPECT_EQ(same.rules.size(), 1U);
}

TEST(Parse, CountsWhatBecameOfTheRules) {
  const Parsed parsed(
      "alert tcp any any -> any any (sid:1; rev:1;)\n"
      "alert tcp any any -> any any (sid:1; rev:2;)\n"
      "alert tcp any any -> any any (sid:1; rev:2;)\n"
      "alert tcp any any -> any any (broken; sid:2;)\n"
      "alert tcp any any -> any any (frame:tls.pdu; content:\"a\"; sid:3;)\n"
      "alert irc any any -> any any (sid:4;)\n"
      "alert tcp any any -> any any (lua:x.lua; sid:5;)\n"
      "alert tcp any any -> any any (requires:version >= 99; nonsense; sid:6;)\n");
  EXPECT_EQ(parsed.report.rules_seen, 8U);
  EXPECT_EQ(parsed.report.rules_loaded, 4U);
  EXPECT_EQ(parsed.report.rules_failed, 2U);
  EXPECT_EQ(parsed.report.rules_skipped, 2U);
  const std::map<std::string, uint32_t> dormant{
      {"field frame", 1}, {"keyword lua", 1}, {"protocol irc", 1}};
  EXPECT_EQ(parsed.report.dormant, dormant);
}

TEST(Parse, WhatIsNotInspectedIsNeverTrue) {
  const std::pair<const char*, const char*> cases[] = {
      {"alert tcp any any -> any any (content:\"a\"; sid:1;)", ""},
      {"alert tcp any any -> any any (tcp.hdr; content:\"a\"; sid:1;)", ""},
      {"alert irc any any -> any any (content:\"a\"; sid:1;)", "protocol irc"},
      {"alert tcp any any -> any any (frame:tls.pdu; content:\"a\"; sid:1;)", "field frame"},
      {"alert tcp any any -> any any (app-layer-protocol:irc; sid:1;)", "protocol irc"},
      {"alert tcp any any -> any any (app-layer-protocol:failed; sid:1;)", ""},
      {"alert tls:client_hello_done any any -> any any (sid:1;)", ""},
      {"alert tls:<client_hello_done any any -> any any (sid:1;)", "hook <client_hello_done"},
      {"alert ssh:request_banner_wait_eol any any -> any any (sid:1;)",
       "hook request_banner_wait_eol"},
      {"alert dns:request_complete any any -> any any (sid:1;)", ""},
      {"alert tls any any -> any any (app-layer-state:>server_hello; sid:1;)", ""},
      {"alert ssh any any -> any any (app-layer-state:request_banner_wait_eol; sid:1;)",
       "state request_banner_wait_eol"},
      {"alert tls any any -> any any (tls.sni; luaxform:x.lua; content:\"a\"; sid:1;)",
       "keyword luaxform"},
      {"alert ip any any -> any any (geoip:src,DE; sid:1;)", "keyword geoip"},
      {"alert tcp any any -> any any (xbits:set,a,track tx; sid:1;)", "keyword xbits"},
      {"accept:hook tcp any any -> any any (sid:1;)", "action accept:hook"},
      {"alert tcp:pre_flow any any -> any any (sid:1;)", "hook pre_flow"},
      {"alert ether any any -> any any (sid:1;)", "protocol ether"},
      {"alert ip any any -> any any (ip.src; content:\"a\"; sid:1;)", ""},
  };
  for (const auto& [text, reason] : cases) {
    const Parsed parsed(text);
    ASSERT_EQ(parsed.rules.size(), 1U) << text << parsed.diagnostics.text();
    EXPECT_EQ(parsed.rules[0].dormant_reason, reason) << text;
  }
}

TEST(Parse, DomainsNeedTheListOfPublicSuffixes) {
  const char* const text = "alert dns any any -> any any (dns.query; tld; content:\"io\"; sid:1;)";
  EXPECT_EQ(Parsed(text).rules.at(0).dormant_reason, "");
  EXPECT_EQ(Parsed(text, {.has_public_suffixes = false}).rules.at(0).dormant_reason, "keyword tld");
}

TEST(Parse, RulesThatMissADormantRulesBitAreDormantToo) {
  const Parsed parsed(
      "alert irc any any -> any any (flowbits:set,a; sid:1;)\n"
      "alert tcp any any -> any any (flowbits:isnotset,a; sid:2;)\n"
      "alert tcp any any -> any any (flowbits:isset,a; sid:3;)\n");
  ASSERT_EQ(parsed.rules.size(), 3U);
  for (const Rule& rule : parsed.rules) {
    EXPECT_EQ(rule.dormant_reason.empty(), rule.info.sid == 3U) << rule.info.sid;
  }
}

}  // namespace
}  // namespace shrike::rule
