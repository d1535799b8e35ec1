#pragma once
#include "parser.h"

/// SIP (RFC 3261) over UDP and TCP, and the session descriptions that it carries (SDP, RFC 8866).
namespace shrike::protocol {

/// The two parts of a message in front of its body.
struct SipMessage {
  bool is_request = false;
  /// Request: method, URI, version. Response: version, code, reason.
  std::array<std::string_view, 3> line{};
  std::string_view headers;  ///< with their line ends
  std::string_view body;     ///< all that follows the empty line
};

enum class SipVerdict : uint8_t { good, incomplete, invalid };
[[nodiscard]] SipVerdict read_sip_message(Bytes bytes, bool is_request, SipMessage& message);

/// Adds the sdp.* fields of a whole session description; nothing of one that is malformed.
void add_sdp_fields(AppTransaction& transaction, Direction direction, std::string_view text);

class SipTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  bool is_request = false;
};

class SipParser {
 public:
  explicit SipParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Consumed parse_stream(const Input& input);
  void take_message(Direction direction, const SipMessage& message);
  void raise_on_last(AppEvent event);

  Session& session_;
};

extern const ParserRow sip_row;

}  // namespace shrike::protocol
