#include <algorithm>

#include "shrike/base/check.h"
#include "shrike/base/hash.h"
#include "shrike/craft.h"

namespace shrike::craft {

namespace {

Side other(Side side) {
  return side == Side::client ? Side::server : Side::client;
}

size_t index_of(Side side) {
  return static_cast<size_t>(side);
}

}  // namespace

Conversation::Conversation(ConversationOptions options)
    : options_(std::move(options)),
      sequence_{options_.client_sequence, options_.server_sequence},
      time_ns_(options_.start_ns) {
  check(options_.client.version == options_.server.version, "craft: endpoints of one IP version");
  check(options_.segment_bytes_max > 0, "craft: segments carry something");
}

Frame Conversation::to_other(Side from) const {
  const Address& source = from == Side::client ? options_.client : options_.server;
  const Address& target = from == Side::client ? options_.server : options_.client;
  const auto id = static_cast<uint16_t>(frames_.size() + 1);
  Frame frame = options_.envelope;
  return source.version == 4 ? frame.ipv4({.source = source, .target = target, .id = id})
                             : frame.ipv6({.source = source, .target = target});
}

Conversation& Conversation::add(Side from, const Frame& transport) {
  frames_.push_back(to_other(from).append(transport).at(time_ns_));
  time_ns_ += options_.step_ns;
  return *this;
}

Conversation& Conversation::tcp_frame(Side from, uint32_t sequence, uint8_t flags,
                                      std::string_view data) {
  const bool is_client = from == Side::client;
  Tcp header{.source_port = is_client ? options_.client_port : options_.server_port,
             .target_port = is_client ? options_.server_port : options_.client_port,
             .sequence = sequence,
             .flags = flags};
  if ((flags & tcp_flag::ack) != 0) {
    header.acknowledgment = sequence_[index_of(other(from))];
  }
  if ((flags & tcp_flag::syn) != 0) {
    header.options = to_bytes({.segment_bytes_max = uint16_t{1460}});
  }
  Frame frame = Frame().tcp(header);
  return add(from, data.empty() ? frame : frame.payload(data));
}

Conversation& Conversation::handshake() {
  check(!options_.is_udp, "craft: UDP has no handshake");
  tcp_frame(Side::client, sequence_[0]++, tcp_flag::syn, {});
  tcp_frame(Side::server, sequence_[1]++, tcp_flag::syn | tcp_flag::ack, {});
  return acknowledge(Side::client);
}

Conversation& Conversation::client(std::string_view data) {
  return send(Side::client, data);
}

Conversation& Conversation::server(std::string_view data) {
  return send(Side::server, data);
}

Conversation& Conversation::send(Side from, std::string_view data) {
  while (!data.empty()) {
    const std::string_view part = data.substr(0, options_.segment_bytes_max);
    data.remove_prefix(part.size());
    if (options_.is_udp) {
      const bool is_client = from == Side::client;
      const Udp header{.source_port = is_client ? options_.client_port : options_.server_port,
                       .target_port = is_client ? options_.server_port : options_.client_port};
      add(from, Frame().udp(header).payload(part));
      continue;
    }
    const uint8_t push = data.empty() ? tcp_flag::psh : 0;
    tcp_frame(from, sequence_[index_of(from)], push | tcp_flag::ack, part);
    sequence_[index_of(from)] += static_cast<uint32_t>(part.size());
  }
  return options_.is_udp || !options_.acknowledge ? *this : acknowledge(other(from));
}

Conversation& Conversation::close(Side first) {
  for (const Side side : {first, other(first)}) {
    tcp_frame(side, sequence_[index_of(side)]++, tcp_flag::fin | tcp_flag::ack, {});
  }
  return acknowledge(first);
}

Conversation& Conversation::reset(Side from) {
  return tcp_frame(from, sequence_[index_of(from)], tcp_flag::rst | tcp_flag::ack, {});
}

Conversation& Conversation::acknowledge(Side from) {
  return tcp_frame(from, sequence_[index_of(from)], tcp_flag::ack, {});
}

Conversation& Conversation::wait(uint64_t pause_ns) {
  time_ns_ += pause_ns;
  return *this;
}

Conversation& Conversation::segment(Side from, int64_t offset, std::string_view data,
                                    uint8_t flags) {
  return tcp_frame(from, sequence_[index_of(from)] + static_cast<uint32_t>(offset), flags, data);
}

Conversation& Conversation::lose(Side from, size_t bytes) {
  sequence_[index_of(from)] += static_cast<uint32_t>(bytes);
  return *this;
}

Conversation& Conversation::repeat_last() {
  check(!frames_.empty(), "craft: there is a frame to repeat");
  TimedFrame again = frames_.back();
  again.time_ns = time_ns_;
  time_ns_ += options_.step_ns;
  frames_.push_back(std::move(again));
  return *this;
}

Conversation& Conversation::swap_last_two() {
  check(frames_.size() >= 2, "craft: there are two frames to swap");
  TimedFrame& first = frames_[frames_.size() - 2];
  TimedFrame& second = frames_.back();
  std::swap(first.bytes, second.bytes);
  return *this;
}

Conversation& Conversation::drop_last() {
  check(!frames_.empty(), "craft: there is a frame to drop");
  frames_.pop_back();
  return *this;
}

Conversation& Conversation::shuffle(size_t first, uint64_t seed) {
  for (size_t left = frames_.size(); left > first + 1; --left) {
    seed = mix64(seed + left);
    const size_t chosen = first + seed % (left - first);
    std::swap(frames_[left - 1].bytes, frames_[chosen].bytes);
  }
  return *this;
}

std::vector<TimedFrame> merge(std::span<const std::vector<TimedFrame>> conversations) {
  std::vector<TimedFrame> all;
  for (const std::vector<TimedFrame>& frames : conversations) {
    all.insert(all.end(), frames.begin(), frames.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const TimedFrame& first, const TimedFrame& second) {
    return first.time_ns < second.time_ns;
  });
  return all;
}

std::vector<Packet> to_packets(std::span<const TimedFrame> frames) {
  std::vector<Packet> packets;
  uint64_t clock_ns = 0;
  for (const TimedFrame& frame : frames) {
    clock_ns = std::max(clock_ns, frame.time_ns);
    const auto bytes = static_cast<uint32_t>(frame.bytes.size());
    packets.push_back({.frame = frame.bytes,
                       .time_ns = frame.time_ns,
                       .clock_ns = clock_ns,
                       .number = packets.size() + 1,
                       .wire_bytes = std::max(frame.wire_bytes, bytes),
                       .link_type = frame.link_type});
  }
  return packets;
}

}  // namespace shrike::craft
