#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "application_traffic.h"
#include "walk.h"

namespace shrike {
namespace {

using craft::Conversation;
using craft::ResegmentOptions;
using craft::TimedFrame;

constexpr const char* rules = R"(
alert http any any -> any any (msg:"uri"; http.uri; content:"/first"; startswith; sid:1;)
alert http any any -> any any (msg:"each request"; http.user_agent; content:"Crafted/1.0"; \
  bsize:11; sid:2;)
alert http any any -> any any (msg:"body"; http.request_body; content:"key=secret"; sid:3;)
alert http any any -> any any (msg:"answer"; flow:to_client; http.stat_code; content:"200"; \
  file.data; content:"needle"; sid:4;)
alert tls any any -> any any (msg:"sni"; tls.sni; content:"example.test"; bsize:12; sid:5;)
alert smtp any any -> any any (msg:"sender"; smtp.mail_from; content:"sender@example"; sid:6;)
alert dns any any -> any any (msg:"query"; dns.query; content:"long.example"; bsize:12; sid:7;)
alert ftp any any -> any any (msg:"command"; ftp.command; content:"RETR"; sid:8;)
alert tcp any any -> any 9999 (msg:"stream"; flow:established,to_server,only_stream; \
  content:"attack"; content:"now"; distance:1; within:4; sid:9;)
alert tcp any 9999 -> any any (msg:"answer"; flow:established,to_client,only_stream; \
  content:"granted"; sid:10;)
)";

using Flow = std::vector<TimedFrame>;

Conversation opened(uint16_t client_port, uint16_t server_port) {
  Conversation flow({.client_port = client_port,
                     .server_port = server_port,
                     .start_ns = 1'700'000'000'000'000'000 + client_port * 1'000ULL});
  flow.handshake();
  return flow;
}

Flow http_flow() {
  Conversation flow = opened(40001, 80);
  flow.client("GET /first HTTP/1.1\r\nHost: a\r\nUser-Agent: Crafted/1.0\r\n\r\n")
      .server("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nhay needle hay..")
      .client(
          "POST /second HTTP/1.1\r\nHost: a\r\nUser-Agent: Crafted/1.0\r\n"
          "Content-Length: 10\r\n\r\nkey=secret")
      .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n");
  return flow.close().frames();
}

std::string big16(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

/// A ClientHello with one cipher suite and the server's name. Source: RFC 8446 4.1.2, RFC 6066 3.
std::string client_hello(const std::string& host) {
  const std::string names = big16(host.size() + 3) + '\0' + big16(host.size()) + host;
  const std::string extensions = big16(0) + big16(names.size()) + names;
  const std::string body = "\x03\x03" + std::string(32, 'r') + '\0' + big16(2) + big16(0x1301) +
                           std::string("\x01\0", 2) + big16(extensions.size()) + extensions;
  const std::string message = std::string("\x01\0", 2) + big16(body.size()) + body;
  return "\x16\x03\x01" + big16(message.size()) + message;
}

Flow tls_flow() {
  return opened(40002, 443).client(client_hello("example.test")).close().frames();
}

Flow smtp_flow() {
  Conversation flow = opened(40003, 25);
  flow.server("220 mail ESMTP\r\n").client("EHLO me\r\n").server("250 mail\r\n");
  flow.client("MAIL FROM:<sender@example>\r\n").server("250 ok\r\n");
  flow.client("RCPT TO:<other@example>\r\n").server("250 ok\r\n");
  return flow.client("QUIT\r\n").server("221 bye\r\n").close().frames();
}

Flow dns_flow() {
  const std::string query = big16(7) + big16(0x0100) + big16(1) + std::string(6, '\0') +
                            "\4long\7example" + std::string(1, '\0') + big16(1) + big16(1);
  return opened(40004, 53).client(big16(query.size()) + query).close().frames();
}

Flow ftp_flow() {
  Conversation flow = opened(40005, 21);
  flow.server("220 ready\r\n").client("USER a\r\n").server("331 password\r\n");
  flow.client("PASS b\r\n").server("230 in\r\n").client("RETR file\r\n").server("550 none\r\n");
  return flow.close().frames();
}

Flow plain_flow() {
  Conversation flow = opened(40006, 9999);
  flow.client(std::string(3000, 'x') + "attack now").server(std::string(2000, 'y') + "granted");
  return flow.close().frames();
}

Flow traffic() {
  const std::vector<Flow> flows{http_flow(), tls_flow(), smtp_flow(),
                                dns_flow(),  ftp_flow(), plain_flow()};
  return craft::merge(flows);
}

/// "sid source:port target:port transaction" of every alert, as often as it came, sorted.
std::vector<std::string> alerts_of(const Flow& frames, unsigned workers) {
  const test::WalkResult result = test::walk(frames, rules, {.workers = workers});
  EXPECT_EQ(result.faults, "");
  static const std::regex alert(
      R"re("src_ip":"([^"]+)","src_port":(\d+),"dest_ip":"([^"]+)","dest_port":(\d+))re"
      R"re((?:.*"tx_id":(\d+))?.*"signature_id":(\d+))re");
  std::vector<std::string> found;
  std::istringstream lines(result.eve);
  std::smatch part;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, part, alert)) {
      found.push_back(fmt::format("{} {}:{} {}:{} {}", part[6].str(), part[1].str(), part[2].str(),
                                  part[3].str(), part[4].str(), part[5].str()));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct Case {
  const char* name;
  ResegmentOptions options;
};

const Case cases[] = {
    {"whole", {}},
    {"one byte", {.piece_bytes_max = 1}},
    {"seven bytes", {.piece_bytes_max = 7}},
    {"random", {.cut_seed = 1}},
    {"small random", {.piece_bytes_max = 20, .cut_seed = 2}},
    {"one byte, shuffled", {.piece_bytes_max = 1, .order_seed = 3}},
    {"random, shuffled", {.piece_bytes_max = 20, .cut_seed = 4, .order_seed = 5}},
    {"duplicated", {.duplicate = true}},
    {"seven bytes, shuffled, duplicated",
     {.piece_bytes_max = 7, .order_seed = 6, .duplicate = true}},
    {"fragmented", {.fragment = true}},
    {"all at once",
     {.piece_bytes_max = 100, .cut_seed = 7, .order_seed = 8, .duplicate = true, .fragment = true}},
};

TEST(Resegmentation, GivesTheSameAlerts) {
  const Flow frames = traffic();
  const std::vector<std::string> expected = alerts_of(frames, 1);
  for (int sid = 1; sid <= 10; ++sid) {
    const std::string begin = fmt::format("{} ", sid);
    const auto count = std::count_if(expected.begin(), expected.end(),
                                     [&](const auto& alert) { return alert.starts_with(begin); });
    EXPECT_EQ(count, sid == 2 || sid == 4 ? 2 : 1) << sid;
  }
  for (const Case& one : cases) {
    for (const unsigned workers : {1U, 3U}) {
      SCOPED_TRACE(fmt::format("{}, {} workers", one.name, workers));
      EXPECT_EQ(alerts_of(craft::resegment(frames, one.options), workers), expected);
    }
  }
}

/// The traffic that allocations are counted of: a rule that says nothing would measure nothing.
TEST(ApplicationTraffic, EachOfItsRulesAlerts) {
  const test::WalkResult result = test::walk(test::application_traffic(1), test::application_rules,
                                             {.workers = 1, .engines = {}});
  ASSERT_EQ(result.faults, "");
  const std::string all = test::application_rules;
  const std::regex sid("sid:(\\d+);");
  for (std::sregex_iterator each(all.begin(), all.end(), sid); each != std::sregex_iterator();
       ++each) {
    EXPECT_NE(result.eve.find("\"signature_id\":" + (*each)[1].str() + ","), std::string::npos)
        << each->str();
  }
}

}  // namespace
}  // namespace shrike
