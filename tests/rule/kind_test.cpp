#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

using test::Parsed;

/// Kind and needs as the meaning shows them: "stream needs-stream".
std::string kind_of(const std::string& text) {
  const Parsed parsed(text);
  if (parsed.rules.empty()) return parsed.diagnostics.text();
  const Rule& rule = parsed.rules[0];
  return std::string(to_text(rule.kind)) + (rule.needs_packet ? " P" : "") +
         (rule.needs_stream ? " S" : "");
}

struct KindCase {
  const char* options;
  const char* ip;
  const char* tcp;
  const char* udp;
};

// What Suricata's engine analysis says of these rules.
const KindCase cases[] = {
    {"", "ip-only", "ip-only", "ip-only"},
    {"content:\"abc\";", "stream S", "stream S", "packet-and-stream"},
    {"content:\"abc\"; depth:10;", "packet-and-stream P S", "packet-and-stream P S",
     "packet-and-stream"},
    {"content:\"abc\"; offset:1;", "packet-and-stream P S", "packet-and-stream P S",
     "packet-and-stream"},
    {"content:\"abc\"; startswith;", "packet-and-stream P S", "packet-and-stream P S",
     "packet-and-stream"},
    {"content:\"abc\"; endswith;", "stream S", "stream S", "packet-and-stream"},
    {"pcre:\"/abc/\";", "stream S", "stream S", "packet-and-stream"},
    {"byte_test:1,>,1,0;", "stream S", "stream S", "packet-and-stream"},
    {"content:\"abc\"; dsize:>1;", "packet P", "packet P", "packet P"},
    {"content:\"abc\"; flags:S;", "packet P", "packet P", "packet P"},
    {"content:\"abc\"; ttl:1;", "packet P", "packet P", "packet P"},
    {"content:\"abc\"; stream_size:both,>,1;", "packet-and-stream P S", "packet-and-stream P S",
     "packet-and-stream"},
    {"content:\"abc\"; flow:no_stream;", "packet P", "packet P", "packet P"},
    {"content:\"abc\"; flow:only_stream;", "stream S", "stream S", "stream S"},
    {"content:\"abc\"; flow:established;", "stream S", "stream S", "packet-and-stream"},
    {"content:\"abc\"; ipv4-csum:valid;", "stream S", "stream S", "packet-and-stream"},
    {"ttl:1;", "packet P", "packet P", "packet P"},
    {"flow:established;", "packet", "packet", "packet"},
    {"flow:to_server;", "packet", "packet", "packet"},
    {"flow:only_stream;", "packet S", "packet S", "packet S"},
    {"flowbits:set,a;", "ip-only", "ip-only", "ip-only"},
    {"flowbits:unset,a;", "packet", "packet", "packet"},
    {"flowbits:isset,a;", "packet", "packet", "packet"},
    {"flowint:ab,+,1;", "packet", "packet", "packet"},
    {"xbits:isset,a,track ip_src;", "ip-only", "ip-only", "ip-only"},
    {"hostbits:set,a;", "ip-only", "ip-only", "ip-only"},
    {"l3_proto:ipv4;", "ip-only", "ip-only", "ip-only"},
    {"tag:session,5,packets;", "ip-only", "ip-only", "ip-only"},
    {"noalert;", "ip-only", "ip-only", "ip-only"},
    {"bypass;", "packet", "packet", "packet"},
    {"sameip;", "packet P", "packet P", "packet P"},
    {"asn1:double_overflow;", "packet", "packet", "packet"},
    {"rpc:1;", "packet P", "packet P", "packet P"},
    {"icmp_seq:1;", "packet", "packet", "packet"},
    {"decode-event:ipv4.pkt_too_small;", "decode-event", "decode-event", "decode-event"},
    {"decode-event:ipv4.pkt_too_small; ttl:1;", "packet P", "packet P", "packet P"},
    {"stream-event:3whs_ack_in_wrong_dir;", "packet", "packet", "packet"},
    {"tcp.hdr; content:\"a\";", "packet P", "packet P", "packet P"},
    {"tcp.hdr; content:\"a\"; pkt_data; content:\"b\";", "packet P", "packet P", "packet P"},
    {"app-layer-protocol:http;", "protocol-detection-only", "protocol-detection-only",
     "protocol-detection-only"},
    {"app-layer-protocol:http; flow:established;", "packet", "packet", "packet"},
    {"http.uri; content:\"a\";", "app-transaction", "app-transaction", "app-transaction"},
    {"app-layer-event:http.missing_host_header;", "app-event", "app-event", "app-event"},
    {"app-layer-event:applayer_unexpected_protocol;", "packet", "packet", "packet"},
    {"ftpbounce;", "app-transaction", "app-transaction", "app-transaction"},
};

TEST(Kind, FollowsTheKeywordsAndTheProtocol) {
  for (const KindCase& test : cases) {
    const std::string options = std::string(" any any -> any any (") + test.options + " sid:1;)";
    EXPECT_EQ(kind_of("alert ip" + options), test.ip) << test.options;
    EXPECT_EQ(kind_of("alert tcp" + options), test.tcp) << test.options;
    EXPECT_EQ(kind_of("alert udp" + options), test.udp) << test.options;
  }
}

TEST(Kind, FollowsTheHeader) {
  const std::pair<const char*, const char*> header_cases[] = {
      {"alert ip !1.2.3.4 any -> any any (sid:1;)", "like-ip-only"},
      {"alert ip any any -> [1.2.3.0/24,!1.2.3.4] any (sid:1;)", "like-ip-only"},
      {"alert ip any any -> 1.2.3.4 any (sid:1;)", "ip-only"},
      {"alert ip any any -> any any (ip_proto:47; sid:1;)", "ip-only P"},
      {"alert tcp-pkt any any -> any any (content:\"a\"; sid:1;)", "packet P"},
      {"alert tcp-stream any any -> any any (content:\"a\"; depth:5; sid:1;)", "stream S"},
      {"alert http any any -> any any (sid:1;)", "app-event"},
      {"alert http any any -> any any (content:\"a\"; sid:1;)", "stream S"},
      {"alert tls:client_hello_done any any -> any any (sid:1;)", "app-transaction"},
  };
  for (const auto& [text, kind] : header_cases) EXPECT_EQ(kind_of(text), kind) << text;
}

}  // namespace
}  // namespace shrike::rule
