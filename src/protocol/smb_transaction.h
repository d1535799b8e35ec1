#pragma once
#include <optional>

#include "dcerpc_records.h"
#include "file_transfer.h"
#include "shrike/base/json_writer.h"
#include "smb_records.h"

namespace shrike::protocol {

/// One thing that an SMB client asks for, as Suricata cuts it: a question with its answer; a whole
/// file in one direction; a call through a pipe.
class SmbTransaction : public AppTransaction {
 public:
  enum class Kind : uint8_t {
    generic,
    negotiate,
    session_setup,
    tree_connect,
    create,
    file,
    pipe_call,
    control,
    rename,
    set_information,
  };

  SmbTransaction(Pool& pool, Kind kind_of_it) : AppTransaction(pool), kind(kind_of_it) {}

  const Kind kind;
  uint8_t version = 0;  ///< 1 or 2 (which SMB3 is too); 0 where Suricata does not know
  uint16_t command = 0;
  smb::Key key;
  std::optional<uint32_t> status;
  bool is_dos_error = false;
  /// Of the connection, as far as known; both are literals or kept by this transaction.
  std::string_view dialect;

  // What the kinds have. Texts live as long as the transaction.
  Bytes name;         ///< share, file, old name
  Bytes second_name;  ///< share of a file, new name
  smb::FileId file_id;
  std::optional<FileTransfer> transfer;  ///< file
  uint64_t idle_since_ns = 0;            ///< file, after a gap: gone after a minute

  struct Negotiation {
    explicit Negotiation(Pool& pool) : dialects(pool) {}
    PoolVector<std::string_view> dialects;
    Bytes client_guid;
    Bytes server_guid;
    uint32_t read_bytes_max = 0;
    uint32_t write_bytes_max = 0;
  };
  std::optional<Negotiation> negotiation;

  struct Logon {
    Bytes domain;
    Bytes user;
    Bytes host;
    std::string_view client_version;  ///< "10.0 build 10586 rev 15"
    bool has_ntlmssp = false;
    struct Host {
      bool is_known = false;
      Bytes system;
      Bytes lan_manager;
    } request, response;
  } logon;

  struct Tree {
    bool is_pipe = false;
    uint8_t share_type = 0;                                    ///< SMB2
    std::optional<Bytes> requested_service, answered_service;  ///< SMB1
  } tree;

  struct Creation {
    uint32_t disposition = 0;
    bool deletes_on_close = false;
    bool is_directory = false;
    uint32_t created = 0, accessed = 0, modified = 0, changed = 0;  ///< seconds since 1970
    uint64_t size = 0;
  } creation;

  struct PipeCall {
    explicit PipeCall(Pool& pool) : interfaces(pool) {}
    std::optional<dcerpc::MessageType> request, response;
    uint32_t call_id = 0;
    uint16_t operation = 0;
    uint16_t context_id = 0;
    std::array<uint16_t, 2> fragments{};
    std::array<uint64_t, 2> stub_bytes{};
    std::array<Body*, 2> stubs{};
    PoolVector<dcerpc::Interface> interfaces;
  };
  std::optional<PipeCall> call;

  uint32_t control_function = 0;
  uint16_t sub_command = 0;        ///< set_information
  uint16_t information_level = 0;  ///< set_information

  [[nodiscard]] bool is_done(Direction direction) const noexcept {
    return progress_in(direction) == Progress::complete;
  }
  void set_command(uint8_t smb_version, uint16_t smb_command);
  void set_status(uint32_t value, bool is_dos) noexcept {
    status = value;
    is_dos_error = is_dos;
  }
  /// In both directions: rules of either see it.
  void raise_both(AppEvent event) {
    raise(Direction::to_server, event);
    raise(Direction::to_client, event);
  }

  static void describe(const AppTransaction& transaction, JsonWriter& json);
};

}  // namespace shrike::protocol
