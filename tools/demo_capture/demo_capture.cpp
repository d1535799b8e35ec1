#include <cstdio>
#include <string>
#include <vector>

#include "shrike/craft.h"

/// A capture with things that a sensor should see, and things that it should not be fooled by:
/// split and reordered segments, fragments, a tunnel. rules/example.rules speaks of all of them.
namespace shrike {
namespace {

using craft::Conversation;
using craft::ConversationOptions;
using craft::Frame;
using craft::Side;
using craft::TimedFrame;

constexpr uint64_t start_ns = 1'700'000'000'000'000'000;
constexpr uint64_t second_ns = 1'000'000'000;
constexpr const char* workstation = "192.168.1.20";
constexpr const char* stranger = "203.0.113.66";

ConversationOptions between(const char* client, const char* server, uint16_t server_port,
                            uint64_t at_second) {
  ConversationOptions options;
  options.client = client;
  options.server = server;
  options.server_port = server_port;
  options.start_ns = start_ns + at_second * second_ns;
  return options;
}

/// The classic: the answer of `id` as root comes back over the network.
std::vector<TimedFrame> root_shell_answer() {
  return Conversation(between(workstation, stranger, 80, 0))
      .handshake()
      .client("GET /uid/index.html HTTP/1.1\r\nHost: example.net\r\nUser-Agent: curl\r\n\r\n")
      .server(
          "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\nuid=0(root) gid=0(root) groups=0(root)\n")
      .close()
      .frames();
}

/// A Windows command prompt on its way out, in small segments, the middle ones in wrong order.
std::vector<TimedFrame> reverse_shell() {
  ConversationOptions options = between(workstation, stranger, 4444, 2);
  options.client_port = 40001;
  options.segment_bytes_max = 8;
  options.acknowledge = false;
  return Conversation(options)
      .handshake()
      .client("Microsoft Windows [Version 10.0.19045]\r\nC:\\Users\\alice>")
      .swap_last_two()
      .server("whoami\r\n")
      .close(Side::server)
      .frames();
}

/// A password that anyone on the way can read.
std::vector<TimedFrame> ftp_login() {
  ConversationOptions options = between(workstation, "192.168.1.5", 21, 4);
  options.client_port = 40002;
  return Conversation(options)
      .handshake()
      .server("220 files ready\r\n")
      .client("USER root\r\n")
      .server("331 password please\r\n")
      .client("PASS correct horse\r\n")
      .server("230 welcome\r\n")
      .close()
      .frames();
}

/// One host, thirty ports of another, no answers.
std::vector<TimedFrame> port_scan() {
  std::vector<TimedFrame> frames;
  for (uint16_t port = 1; port <= 30; ++port) {
    const Frame probe = Frame()
                            .ethernet()
                            .ipv4({.source = stranger, .target = workstation, .id = port})
                            .tcp({.source_port = 55555,
                                  .target_port = port,
                                  .sequence = 7,
                                  .flags = craft::tcp_flag::syn,
                                  .window = 1024});
    frames.push_back(probe.at(start_ns + 6 * second_ns + port * uint64_t{1'000'000}));
  }
  return frames;
}

/// An order in a UDP datagram that comes as three fragments, cut inside the word that matters.
std::vector<TimedFrame> fragmented_order() {
  const Frame whole = Frame()
                          .ethernet()
                          .ipv4({.source = stranger, .target = workstation, .id = 77})
                          .udp({.source_port = 5353, .target_port = 31337})
                          .payload("beacon-order: sleep 3600; then call home");
  std::vector<TimedFrame> frames;
  uint64_t time_ns = start_ns + 8 * second_ns;
  for (const craft::Buffer& piece : craft::fragment(whole, 16)) {
    frames.push_back({.bytes = piece, .time_ns = time_ns});
    time_ns += 1'000'000;
  }
  return frames;
}

/// The same order inside a VXLAN tunnel.
std::vector<TimedFrame> tunnelled_order() {
  const Frame frame = Frame()
                          .ethernet()
                          .ipv4({.source = "192.168.1.1", .target = "192.168.1.2"})
                          .udp({.source_port = 50000, .target_port = 4789})
                          .vxlan()
                          .ethernet()
                          .ipv4({.source = stranger, .target = workstation, .id = 78})
                          .udp({.source_port = 5353, .target_port = 31337})
                          .payload("beacon-order: sleep 7200");
  return {frame.at(start_ns + 10 * second_ns)};
}

/// An echo request that carries far more than a ping needs.
std::vector<TimedFrame> large_ping() {
  const std::string cargo(1200, 'x');
  const Frame frame = Frame()
                          .ethernet()
                          .ipv4({.source = workstation, .target = stranger, .id = 79})
                          .icmp()
                          .payload(cargo);
  return {frame.at(start_ns + 12 * second_ns)};
}

/// What nobody should be told about.
std::vector<TimedFrame> everyday_traffic() {
  ConversationOptions options = between(workstation, "198.51.100.7", 80, 1);
  options.client_port = 40003;
  options.step_ns = 300'000'000;
  Conversation browsing(options);
  browsing.handshake();
  for (int page = 0; page < 8; ++page) {
    browsing.client("GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  }
  return browsing.close().frames();
}

}  // namespace
}  // namespace shrike

int main(int count, char** words) {
  using namespace shrike;
  if (count != 2) {
    std::fprintf(stderr, "usage: demo_capture FILE.pcap\n");
    return 2;
  }
  const std::vector<TimedFrame> parts[] = {
      root_shell_answer(), reverse_shell(),   ftp_login(),  port_scan(),
      fragmented_order(),  tunnelled_order(), large_ping(), everyday_traffic(),
  };
  if (!craft::write_pcap(words[1], craft::merge(parts))) {
    std::fprintf(stderr, "demo_capture: cannot write %s\n", words[1]);
    return 1;
  }
  return 0;
}
