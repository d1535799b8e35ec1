#pragma once
#include "parser.h"

/// RFB (VNC), the beginning of a connection. Source: RFC 6143, section 7.
namespace shrike::protocol {

/// The one transaction of a connection.
class RfbTransaction : public AppTransaction {
 public:
  explicit RfbTransaction(Pool& pool) : AppTransaction(pool) {}

  static constexpr size_t version_bytes = 12;  ///< "RFB 003.008\n"
  static constexpr size_t secret_bytes = 16;
  Bytes server_version;
  Bytes client_version;
  bool has_security_type = false;
  uint32_t security_type = 0;
  Bytes challenge;
  Bytes response;
  bool has_result = false;
  uint32_t result = 0;
  Bytes failure_reason;
  bool has_client_init = false;
  bool is_shared = false;
  Bytes server_init;  ///< up to the name
  Bytes name;
};

class RfbParser {
 public:
  explicit RfbParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  /// What comes next, and from whom.
  enum class State : uint8_t {
    server_version,
    client_version,
    security_types,
    security_choice,
    server_choice,  ///< version 3.3: the server decides
    challenge,
    response,
    result,
    failure_reason,
    client_init,
    server_init,
    passed_over,  ///< what follows is not read
  };
  struct Step {
    size_t bytes = 0;  ///< taken; 0: too few
    size_t needed = 0;
    bool is_broken = false;
  };
  [[nodiscard]] static Direction speaker(State state) noexcept;
  [[nodiscard]] Step take(Bytes bytes);
  [[nodiscard]] Step take_text(Bytes bytes, size_t before, size_t length_at);
  void choose(Direction direction, uint32_t type);
  void pass_over();

  Session& session_;
  RfbTransaction* transaction_ = nullptr;
  State state_ = State::server_version;
};

extern const ParserRow rfb_row;

}  // namespace shrike::protocol
