#pragma once
#include "parser.h"

/// SSH up to its key exchange. Sources: RFC 4253 sections 4.2 (banner), 6 (packets), 7.1 (KEXINIT);
/// HASSH: github.com/salesforce/hassh.
namespace shrike::protocol {

/// One transaction a session. Progress: line: the banner is read; headers: the key exchange's
/// algorithms; complete, in both directions at once: both sides have new keys.
class SshParser {
 public:
  explicit SshParser(Session& session) noexcept : session_(session) {}

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  enum class Phase : uint8_t {
    banner,
    long_banner,  ///< too long; what is left of its line passes
    packets,
    encrypted,  ///< this side has new keys
  };
  struct Side {
    Phase phase = Phase::banner;
    uint32_t skipped_bytes = 0;   ///< still to come of a packet that is not read
    uint32_t exchange_bytes = 0;  ///< of the KEXINIT that is awaited whole, behind its header
    bool has_exchange = false;
  };
  struct Step {
    size_t bytes = 0;
    size_t needed = 0;
    bool is_broken = false;
  };
  static constexpr Step broken(size_t bytes) noexcept {
    return {.bytes = bytes, .is_broken = true};
  }

  void open();
  Step read(Bytes bytes);
  Step read_banner(Bytes bytes);
  Step pass_long_banner(Bytes bytes);
  bool take_banner(Bytes line);
  Step read_packets(Bytes bytes);
  Step read_packet(Bytes bytes);
  Step begin_packet(uint32_t content_bytes, uint8_t code, Bytes content);
  void take_exchange(Bytes content);
  void see_new_keys();
  [[nodiscard]] Side& side() noexcept { return sides_[static_cast<size_t>(direction_)]; }
  void raise(AppEvent event);

  Session& session_;
  AppTransaction* transaction_ = nullptr;
  Direction direction_ = Direction::to_server;  ///< of the bytes at hand
  std::array<Side, 2> sides_{};
};

extern const ParserRow ssh_row;

}  // namespace shrike::protocol
