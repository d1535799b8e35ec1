#pragma once
#include <algorithm>
#include <type_traits>
#include <utility>

#include "app_transaction.h"
#include "shrike/model/address.h"
#include "shrike/model/stream.h"
#include "shrike/protocol.h"

namespace shrike::protocol {

/// A flow that another one announces: FTP's data connection.
struct Expectation {
  IpAddress client;
  IpAddress server;
  uint16_t server_port = 0;
  AppProtocol protocol = AppProtocol::unknown;
  uint64_t parent_eve_id = 0;
  /// For the parser of the announced flow: at most 255 bytes, and a number, as they agree on.
  std::array<uint8_t, 255> text{};
  uint8_t text_bytes = 0;
  uint32_t number = 0;
};

/// The application layer of one flow, as its parser sees it: transactions, events, and wishes.
/// Made when the flow brings its first bytes, in the core's Pool.
class Session {
 public:
  Session(Pool& pool, const ProtocolOptions& options) noexcept
      : pool_(pool),
        options_(options),
        transactions_(pool),
        events_{PoolVector<AppEvent>(pool), PoolVector<AppEvent>(pool)},
        handover_(pool) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Opens the next transaction, of the parser's own type. Where the flow has too many that never
  /// ended, parsing stops behind the bytes at hand.
  template <typename T = AppTransaction, typename... Arguments>
  T& open(Arguments&&... arguments) {
    static_assert(std::is_base_of_v<AppTransaction, T>);
    T* const transaction = make_in<T>(pool_, pool_, std::forward<Arguments>(arguments)...);
    transaction->destroy_ = [](Pool& pool, AppTransaction* each) {
      destroy_in(pool, static_cast<T*>(each));
    };
    adopt(*transaction);
    return *transaction;
  }
  /// Those not yet freed, oldest first. All are of the types that this flow's parsers opened.
  [[nodiscard]] std::span<AppTransaction* const> transactions() const noexcept {
    return transactions_;
  }
  [[nodiscard]] uint64_t opened() const noexcept { return opened_; }

  /// An event of the flow, where no transaction is concerned.
  void raise(Direction direction, AppEvent event);

  /// The stream's depth is reached in this direction: what transactions have of it now is all that
  /// they will have, those to come too. Source: Suricata, FlowGetDisruptionFlags.
  void cut(Direction direction) noexcept;

  // Wishes about the flow.
  /// A message is complete: raw stream rules need not wait for a full chunk in this direction.
  void inspect_raw_now(Direction direction) noexcept {
    wishes_.inspect_raw_now[static_cast<size_t>(direction)] = true;
  }
  /// Encrypted from here on: raw bytes of this direction are not worth a look.
  void stop_raw(Direction direction) noexcept {
    wishes_.no_more_raw[static_cast<size_t>(direction)] = true;
  }
  /// So many bytes were stepped over because they are encrypted: counted, nothing else.
  void pass_encrypted(uint64_t bytes) noexcept { encrypted_bytes_ += bytes; }
  /// The parser wants no more bytes of this flow (its transactions stay).
  void stop_parsing() noexcept { wishes_.no_parser = true; }
  /// Nothing in this flow is worth another look.
  void bypass() noexcept { wishes_.bypass = true; }
  /// The flow is another protocol from here on (STARTTLS, CONNECT, upgrade). With `unknown` it is
  /// identified anew, `expected` being what it should turn out to be; `port` takes the place of
  /// the server's for probes (0: its own; TLS: 443). Takes effect after this parse.
  void change_protocol(AppProtocol next, AppProtocol expected = AppProtocol::unknown,
                       uint16_t port = 0) noexcept {
    change_ = {true, next, expected, port};
  }
  /// What a parser leaves for the one that it hands its flow over to, as the two agree on
  /// (HTTP/1: the request that asked for HTTP/2).
  [[nodiscard]] PoolBytes& handover() noexcept { return handover_; }
  /// Another flow is about to open (in the next 60 seconds).
  void expect(const Expectation& expectation) noexcept {
    expectation_ = expectation;
    has_expectation_ = true;
  }
  /// What announced this flow, or null.
  [[nodiscard]] const Expectation* announced_by() const noexcept {
    return is_announced_ ? &announcement_ : nullptr;
  }

  /// The datagram that the next parse is about (set by the engine, and by tests).
  void attend(const Tracked& tracked) noexcept { tracked_ = &tracked; }

  [[nodiscard]] Pool& pool() noexcept { return pool_; }
  [[nodiscard]] const ProtocolOptions& options() const noexcept { return options_; }
  /// The datagram at hand and its flow. Only during a parse.
  [[nodiscard]] const Tracked& tracked() const noexcept { return *tracked_; }
  [[nodiscard]] const FlowView& flow() const noexcept { return tracked_->flow; }
  [[nodiscard]] uint64_t time_ns() const noexcept { return tracked_->datagram->time_ns; }

 private:
  friend class Engine;  ///< engine.h: feeds the parsers, frees what is finished
  void adopt(AppTransaction& transaction);
  void free(AppTransaction& transaction) noexcept;

  struct Change {
    bool is_wanted = false;
    AppProtocol next = AppProtocol::unknown;
    AppProtocol expected = AppProtocol::unknown;
    uint16_t port = 0;
  };

  Pool& pool_;
  const ProtocolOptions& options_;
  PoolVector<AppTransaction*> transactions_;
  std::array<PoolVector<AppEvent>, 2> events_;
  uint64_t opened_ = 0;
  uint64_t encrypted_bytes_ = 0;  ///< not yet taken over by the engine's counter
  std::array<bool, 2> is_cut_{};
  const Tracked* tracked_ = nullptr;
  AppWishes wishes_;
  Change change_;
  PoolBytes handover_;
  bool has_expectation_ = false;
  bool is_announced_ = false;
  Expectation expectation_;
  Expectation announcement_;
};

}  // namespace shrike::protocol
