#include "traffic.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "shrike/craft.h"

namespace shrike::bench {

namespace {

constexpr const char* few_rules = R"(
alert tcp any any -> any any (msg:"stream"; flow:established,to_server; content:"attack"; sid:1;)
alert tcp any any -> any 80 (msg:"admin"; flow:established,to_server; content:"/admin"; sid:2;)
alert udp any any -> any 53 (msg:"name"; content:"evil"; sid:3;)
alert ip 192.0.2.0/24 any -> any any (msg:"list"; sid:4;)
)";

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: error[unreadable]: cannot be read\n", path);
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Web requests with answers of several segments, and names looked up: 500 flows.
std::vector<uint8_t> crafted() {
  std::vector<std::vector<craft::TimedFrame>> parts;
  for (unsigned i = 0; i < 250; ++i) {
    const auto port = static_cast<uint16_t>(20000 + i);
    craft::Conversation web(
        {.client_port = port, .start_ns = 1'700'000'000'000'000'000 + i * 100'000ULL});
    web.handshake().client("GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n");
    parts.push_back(web.server(std::string(8000, 'a')).close().frames());
    craft::Conversation name({.client_port = port, .server_port = 53, .is_udp = true});
    parts.push_back(name.client("\x07example\x03org").server("\x07example\x03org").frames());
  }
  return craft::to_pcap(craft::merge(parts));
}

}  // namespace

const std::vector<uint8_t>& capture() {
  static const std::vector<uint8_t> bytes = [] {
    const char* const path = std::getenv("SHRIKE_BENCH_CAPTURE");
    if (path == nullptr) {
      return crafted();
    }
    const std::string text = read(path);
    return std::vector<uint8_t>(text.begin(), text.end());
  }();
  return bytes;
}

const RuleSet& rules() {
  static const std::optional<RuleSet> compiled = [] {
    const char* const path = std::getenv("SHRIKE_BENCH_RULES");
    Diagnostics diagnostics;
    rule::Report report;
    rule::Options options;
    options.address_groups = {{"HOME_NET", "any"}, {"EXTERNAL_NET", "any"}};
    return rule::compile({{"bench.rules", path == nullptr ? few_rules : read(path)}}, options,
                         diagnostics, report);
  }();
  return *compiled;
}

std::unique_ptr<capture::PacketSource> open(uint32_t repeats) {
  Diagnostics diagnostics;
  return capture::open_memory("bench", capture(), {.repeats = repeats}, diagnostics);
}

}  // namespace shrike::bench
