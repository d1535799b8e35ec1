#include "command_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace shrike::control {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr size_t peers_max = 16;
/// Of a request; Suricata's bound for version 0.1, and ample for every command there is.
constexpr size_t request_bytes_max = 65536;
/// Of replies that a peer has not read yet.
constexpr size_t unread_bytes_max = size_t{4} << 20;
/// A peer that says nothing for so long, or does not take its reply, is let go.
constexpr std::chrono::seconds silence_max{600};
constexpr std::chrono::seconds unread_max{10};
constexpr int backlog = 8;

bool is_served(const sockaddr_un& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool answers = probe >= 0 && connect(probe, reinterpret_cast<const sockaddr*>(&address),
                                             sizeof address) == 0;
  if (probe >= 0) {
    close(probe);
  }
  return answers;
}

std::string reply_text(const Reply& reply) {
  std::string text = "{\"message\":";
  text += reply.message.empty() ? std::string("\"\"") : reply.message;
  text += reply.is_ok ? R"(,"return":"OK"})" : R"(,"return":"NOK"})";
  return text;
}

/// How many bytes at the front of `text` are one JSON object: version 0.1 has no line ends.
/// @return 0 while it is not whole.
size_t object_bytes(std::string_view text) {
  size_t depth = 0;
  bool is_in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (is_in_text) {
      i += letter == '\\' ? 1 : 0;
      is_in_text = letter != '"';
    } else if (letter == '"') {
      is_in_text = true;
    } else if (letter == '{' || letter == '[') {
      ++depth;
    } else if ((letter == '}' || letter == ']') && (depth == 0 || --depth == 0)) {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

struct CommandSocket::Peer {
  explicit Peer(int peer_descriptor) : descriptor(peer_descriptor) {}
  ~Peer() { close(descriptor); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const int descriptor;
  bool is_greeted = false;
  bool ends_lines = false;  ///< version 0.2
  std::string input;
  std::string waiting;  ///< a request whose answer is not there yet
  std::string output;
  Clock::time_point heard = Clock::now();
  Clock::time_point unread_since;
};

CommandSocket::CommandSocket(std::string path, Answer answer, Diagnostics& diagnostics)
    : path_(std::move(path)), answer_(std::move(answer)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    diagnostics.error({}, "command-socket", "{} is too long for a socket; {} letters at most",
                      path_, sizeof address.sun_path - 1);
    return;
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  if (is_served(address)) {
    diagnostics.error({}, "command-socket",
                      "another program serves {}; name another with "
                      "unix-command.filename",
                      path_);
    return;
  }
  unlink(path_.c_str());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0 ||
      bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path_.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0 ||
      listen(listener_, backlog) != 0) {
    diagnostics.error({}, "command-socket", "cannot listen at {}: {}", path_, std::strerror(errno));
  }
}

CommandSocket::~CommandSocket() {
  peers_.clear();
  if (listener_ >= 0) {
    close(listener_);
    unlink(path_.c_str());
  }
}

void CommandSocket::serve() {
  accept_peers();
  std::erase_if(peers_, [this](const std::unique_ptr<Peer>& peer) { return !serve_peer(*peer); });
}

void CommandSocket::accept_peers() {
  while (listener_ >= 0) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      return;
    }
    if (peers_.size() == peers_max) {
      close(descriptor);
      ++peers_dropped_;
    } else {
      peers_.push_back(std::make_unique<Peer>(descriptor));
    }
  }
}

bool CommandSocket::serve_peer(Peer& peer) {
  const auto now = Clock::now();
  const bool is_open = read_from(peer);
  const bool is_sound = handle_messages(peer) && write_to(peer);
  const bool is_stalled = peer.output.size() > unread_bytes_max ||
                          (!peer.output.empty() && now - peer.unread_since > unread_max);
  const bool is_silent = peer.waiting.empty() && now - peer.heard > silence_max;
  if (!is_sound || is_stalled || is_silent) {
    ++peers_dropped_;
    return false;
  }
  return is_open;
}

bool CommandSocket::read_from(Peer& peer) {
  char bytes[4096];
  while (peer.input.size() <= request_bytes_max) {
    const ssize_t count = recv(peer.descriptor, bytes, sizeof bytes, 0);
    if (count == 0) {
      return false;
    }
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    peer.input.append(bytes, static_cast<size_t>(count));
    peer.heard = Clock::now();
  }
  return true;
}

/// One request at a time: the next waits until the last is answered. Nothing more is answered to a
/// peer that has not read what it was told.
bool CommandSocket::handle_messages(Peer& peer) {
  if (!peer.waiting.empty()) {
    const std::string waiting = std::exchange(peer.waiting, {});
    if (!handle(peer, waiting, true)) {
      return false;
    }
  }
  while (peer.waiting.empty() && peer.output.size() <= unread_bytes_max) {
    const size_t bytes = object_bytes(peer.input);
    if (bytes == 0) {
      return peer.input.size() <= request_bytes_max;
    }
    const std::string message = peer.input.substr(0, bytes);
    peer.input.erase(0, bytes);
    peer.input.erase(0, peer.input.find_first_not_of(" \r\n\t"));
    if (!(peer.is_greeted ? handle(peer, message, false) : greet(peer, message))) {
      return false;
    }
  }
  return true;
}

bool CommandSocket::greet(Peer& peer, std::string_view message) {
  const Json hello = Json::parse(message, nullptr, false);
  const std::string version =
      hello.is_object() && hello.contains("version") && hello["version"].is_string()
          ? hello["version"].get<std::string>()
          : std::string();
  if (version != "0.1" && version != "0.2") {
    return false;
  }
  peer.is_greeted = true;
  peer.ends_lines = version == "0.2";
  peer.output += peer.ends_lines ? "{\"return\":\"OK\"}\n" : "{\"return\":\"OK\"}";
  peer.unread_since = Clock::now();
  return true;
}

bool CommandSocket::handle(Peer& peer, std::string_view message, bool is_again) {
  const std::optional<Reply> reply = answer_(message, is_again);
  if (!reply) {
    peer.waiting = message;
    return true;
  }
  if (peer.output.empty()) {
    peer.unread_since = Clock::now();
  }
  peer.output += reply_text(*reply);
  peer.output += peer.ends_lines ? "\n" : "";
  return true;
}

bool CommandSocket::write_to(Peer& peer) {
  while (!peer.output.empty()) {
    const ssize_t count =
        send(peer.descriptor, peer.output.data(), peer.output.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    peer.output.erase(0, static_cast<size_t>(count));
    peer.unread_since = Clock::now();
  }
  return true;
}

}  // namespace shrike::control
