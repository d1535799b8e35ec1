#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/diagnostics.h"

namespace shrike::control {

/// A request's answer, as text of one JSON value.
struct Reply {
  bool is_ok = true;
  std::string message;
};

/// Carries requests and replies of Suricata's control protocol over a UNIX stream socket: versions
/// 0.1 and 0.2, one JSON object a message. Nothing here blocks, so that the house-keeping thread
/// can serve it: a peer that stalls, says too much or does not read is let go, and counted. Source:
/// Suricata's documentation, "Interacting via Unix Socket".
class CommandSocket {
 public:
  /// Answers one request, a JSON object's text; nothing: not yet, ask again next turn, with
  /// `is_again`.
  using Answer = std::function<std::optional<Reply>(std::string_view request, bool is_again)>;

  /// Listens at `path`, in place of a socket that nobody serves any more. Errors in `diagnostics`.
  CommandSocket(std::string path, Answer answer, Diagnostics& diagnostics);
  ~CommandSocket();
  CommandSocket(const CommandSocket&) = delete;
  CommandSocket& operator=(const CommandSocket&) = delete;

  /// One turn: takes new peers, reads, answers, writes, as far as it goes without waiting.
  void serve();

  [[nodiscard]] uint64_t peers_dropped() const noexcept { return peers_dropped_; }

 private:
  struct Peer;
  void accept_peers();
  /// @return false where the peer is to be let go.
  bool serve_peer(Peer& peer);
  bool read_from(Peer& peer);
  bool handle_messages(Peer& peer);
  bool handle(Peer& peer, std::string_view message, bool is_again);
  bool greet(Peer& peer, std::string_view message);
  bool write_to(Peer& peer);

  const std::string path_;
  const Answer answer_;
  int listener_ = -1;
  std::vector<std::unique_ptr<Peer>> peers_;
  uint64_t peers_dropped_ = 0;
};

}  // namespace shrike::control
