#include <algorithm>
#include <string>

#include "frames.h"
#include "shrike/base/hash.h"

namespace shrike::generate {

namespace {

using craft::Side;

constexpr size_t tcp_headers_bytes = 14 + 20 + 20;
constexpr size_t udp_headers_bytes = 14 + 20 + 8;

craft::Address host(uint8_t network, uint32_t index) {
  IpAddress address;
  address.bytes = {network, static_cast<uint8_t>(index >> 16), static_cast<uint8_t>(index >> 8),
                   static_cast<uint8_t>(index)};
  return {address, 4};
}

size_t data_bytes(const ForgeOptions& options) {
  const bool is_udp = options.kind == Forgery::udp;
  const size_t headers = is_udp ? udp_headers_bytes : tcp_headers_bytes;
  return options.frame_bytes > headers ? options.frame_bytes - headers : 0;
}

std::string filler(size_t bytes, uint32_t index) {
  std::string text;
  while (text.size() < bytes) {
    text += "conversation " + std::to_string(index) + " goes on; ";
  }
  text.resize(bytes);
  return text;
}

/// A query for "shrike-generate.test", type A; the answer is 192.0.2.1.
std::string dns_message(uint32_t index, bool is_answer) {
  std::string message{static_cast<char>(index >> 8), static_cast<char>(index)};
  message += is_answer ? std::string("\x81\x80\0\1\0\1\0\0\0\0", 10)
                       : std::string("\1\0\0\1\0\0\0\0\0\0", 10);
  message += std::string("\x0fshrike-generate\4test\0\0\1\0\1", 26);
  if (is_answer) {
    message += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
  }
  return message;
}

void exchange(const ForgeOptions& options, uint32_t index, craft::Conversation& conversation) {
  const std::string data = filler(data_bytes(options), index);
  for (uint32_t done = 0; done < options.exchanges; ++done) {
    conversation.send(Side::client, data);
    conversation.send(Side::server, data);
  }
}

void hold(const ForgeOptions& options, uint32_t index, craft::Conversation& conversation) {
  switch (options.kind) {
    case Forgery::http: {
      const std::string body = filler(4 * data_bytes(options), index);
      conversation.handshake();
      conversation.client(
          "GET /shrike-generate/" + std::to_string(index) +
          " HTTP/1.1\r\nHost: shrike-generate.test\r\nUser-Agent: generate\r\n\r\n");
      conversation.server("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body);
      conversation.close();
      return;
    }
    case Forgery::dns:
      conversation.client(dns_message(index, false)).server(dns_message(index, true));
      return;
    case Forgery::tcp:
      conversation.handshake();
      exchange(options, index, conversation);
      return;
    case Forgery::udp:
      exchange(options, index, conversation);
      return;
  }
}

craft::ConversationOptions options_of(const ForgeOptions& options, uint32_t index) {
  // Servers in no order, so that pairs of hosts spread over queues.
  const auto server = static_cast<uint32_t>(mix64(index));
  craft::ConversationOptions result{.client = host(10, index + 1), .server = host(198, server)};
  result.is_udp = options.kind == Forgery::dns || options.kind == Forgery::udp;
  result.client_port = static_cast<uint16_t>(32'768 + index % 28'000);
  result.server_port = options.kind == Forgery::dns ? 53 : 80;
  if (options.kind == Forgery::tcp || options.kind == Forgery::udp) {
    result.server_port = 9000;
    result.acknowledge = false;
  }
  result.segment_bytes_max = std::max<size_t>(data_bytes(options), 1);
  result.start_ns += index;  // so that they stand in a fixed order, frame by frame
  return result;
}

}  // namespace

void forge(const ForgeOptions& options, FrameList& frames) {
  // A group at a time: their frames lie side by side, and memory stays small.
  constexpr uint32_t group_conversations = 1024;
  for (uint32_t begin = 0; begin < options.conversations; begin += group_conversations) {
    std::vector<std::vector<craft::TimedFrame>> group;
    const uint32_t end = std::min(begin + group_conversations, options.conversations);
    for (uint32_t index = begin; index < end; ++index) {
      craft::Conversation conversation(options_of(options, index));
      hold(options, index, conversation);
      group.push_back(conversation.frames());
    }
    const std::vector<craft::TimedFrame> merged = craft::merge(group);
    for (const Packet& packet : craft::to_packets(merged)) {
      frames.add(packet);
    }
  }
}

}  // namespace shrike::generate
