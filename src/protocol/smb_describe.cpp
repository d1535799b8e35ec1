// What EVE shows of an SMB transaction.
#include <fmt/format.h>

#include "smb_transaction.h"

namespace shrike::protocol {

namespace {

using Kind = SmbTransaction::Kind;

/// A GUID with the first three groups as SMB has them; the last ones as Suricata shows them.
ShortText guid_text(Bytes guid) {
  if (guid.size() != 16) {
    return {};
  }
  static constexpr uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 9, 8, 11, 10, 15, 14, 13, 12};
  std::array<uint8_t, 16> shown{};
  for (size_t i = 0; i < shown.size(); ++i) {
    shown[i] = guid[order[i]];
  }
  return dcerpc::uuid_text(shown);
}

ShortText file_id_text(Bytes file) {
  return file.size() == 2 ? ShortText::format("{:02x}{:02x}", file[1], file[0]) : guid_text(file);
}

void describe_status(const SmbTransaction& transaction, JsonWriter& json) {
  if (!transaction.status) {
    return;
  }
  const uint32_t status = *transaction.status;
  if (!transaction.is_dos_error) {
    json.text("status", smb::status_text(status));
    json.text("status_code", ShortText::format("0x{:x}", status));
    return;
  }
  const uint32_t error_class = status & 0xff;
  const uint32_t code = status >> 16;
  const bool is_success = error_class == 0 && code == 0;
  json.text("status", is_success ? ShortText("UNKNOWN_00_0000")
                                 : ShortText::format("UNKNOWN_{:02x}_{:04x}", error_class, code));
  json.text("status_code", ShortText::format("0x{:04x}", code));
}

void describe_host(std::string_view key, const SmbTransaction::Logon::Host& host,
                   JsonWriter& json) {
  if (host.is_known) {
    json.begin_object(key);
    json.text("native_os", as_text(host.system));
    json.text("native_lm", as_text(host.lan_manager));
    json.end_object();
  }
}

void describe_logon(const SmbTransaction::Logon& logon, JsonWriter& json) {
  if (logon.has_ntlmssp) {
    json.begin_object("ntlmssp");
    json.text("domain", as_text(logon.domain));
    json.text("user", as_text(logon.user));
    json.text("host", as_text(logon.host));
    if (!logon.client_version.empty()) {
      json.text("version", logon.client_version);
    }
    json.end_object();
  }
  describe_host("request", logon.request, json);
  describe_host("response", logon.response, json);
}

void describe_access(const SmbTransaction& transaction, JsonWriter& json) {
  json.text("access", transaction.creation.deletes_on_close ? "delete on close" : "normal");
}

void describe_creation(const SmbTransaction& transaction, JsonWriter& json) {
  static constexpr std::string_view dispositions[] = {"FILE_SUPERSEDE", "FILE_OPEN",
                                                      "FILE_CREATE",    "FILE_OPEN_IF",
                                                      "FILE_OVERWRITE", "FILE_OVERWRITE_IF"};
  const auto& creation = transaction.creation;
  if (transaction.name.empty()) {
    json.text("filename", "<share_root>");
  } else {
    json.text(creation.is_directory ? "directory" : "filename", as_text(transaction.name));
  }
  json.text("disposition", creation.disposition < std::size(dispositions)
                               ? dispositions[creation.disposition]
                               : std::string_view("UNKNOWN"));
  describe_access(transaction, json);
  json.number("created", creation.created);
  json.number("accessed", creation.accessed);
  json.number("modified", creation.modified);
  json.number("changed", creation.changed);
  json.number("size", creation.size);
  json.text("fuid", file_id_text(transaction.file_id.all()));
}

void describe_negotiation(const SmbTransaction::Negotiation& negotiation, JsonWriter& json) {
  json.begin_array("client_dialects");
  for (const std::string_view dialect : negotiation.dialects) {
    json.element(dialect);
  }
  json.end_array();
  if (!negotiation.client_guid.empty()) {
    json.text("client_guid", guid_text(negotiation.client_guid));
  }
  json.text("server_guid", guid_text(negotiation.server_guid));
  if (negotiation.read_bytes_max > 0) {
    json.number("max_read_size", negotiation.read_bytes_max);
  }
  if (negotiation.write_bytes_max > 0) {
    json.number("max_write_size", negotiation.write_bytes_max);
  }
}

void describe_tree(const SmbTransaction& transaction, JsonWriter& json) {
  const auto& tree = transaction.tree;
  json.text(tree.is_pipe ? "named_pipe" : "share", as_text(transaction.name));
  if (transaction.version != 1) {
    static constexpr std::string_view types[] = {"UNKNOWN", "FILE", "PIPE", "PRINT"};
    json.text("share_type", types[tree.share_type < std::size(types) ? tree.share_type : 0]);
    return;
  }
  json.begin_object("service");
  if (tree.requested_service) {
    json.text("request", as_text(*tree.requested_service));
  }
  if (tree.answered_service) {
    json.text("response", as_text(*tree.answered_service));
  }
  json.end_object();
}

void describe_interfaces(const SmbTransaction::PipeCall& call, bool is_bind, JsonWriter& json) {
  if (call.interfaces.empty()) {
    return;
  }
  json.begin_array("interfaces");
  for (const dcerpc::Interface& each : call.interfaces) {
    json.begin_element_object();
    json.text("uuid", dcerpc::uuid_text(each.uuid));
    json.text("version", ShortText::format("{}.{}", each.version, each.version_minor));
    if (is_bind && each.is_acknowledged) {
      json.number("ack_result", each.ack_result);
      json.number("ack_reason", each.ack_reason);
    }
    json.end_object();
  }
  json.end_array();
}

void describe_stub(std::string_view key, const SmbTransaction::PipeCall& call, size_t side,
                   JsonWriter& json) {
  json.begin_object(key);
  json.number("frag_cnt", call.fragments[side]);
  json.number("stub_data_size", call.stub_bytes[side]);
  json.end_object();
}

void describe_call(const SmbTransaction::PipeCall& call, JsonWriter& json) {
  json.begin_object("dcerpc");
  json.text("request", call.request ? dcerpc::to_text(*call.request) : ShortText("REQUEST_LOST"));
  json.text("response", call.response ? dcerpc::to_text(*call.response) : ShortText("UNREPLIED"));
  if (call.request == dcerpc::MessageType::request) {
    json.number("opnum", call.operation);
    describe_stub("req", call, 0, json);
    describe_interfaces(call, false, json);
  } else if (call.request == dcerpc::MessageType::bind) {
    describe_interfaces(call, true, json);
  }
  if (call.response == dcerpc::MessageType::response) {
    describe_stub("res", call, 1, json);
  }
  json.number("call_id", call.call_id);
  json.end_object();
}

void describe_rename(const SmbTransaction& transaction, JsonWriter& json) {
  if (transaction.version == 2) {
    json.begin_object("set_info");
    json.text("class", "FILE_INFO");
    json.text("info_level", "SMB2_FILE_RENAME_INFO");
    json.end_object();
  }
  json.begin_object("rename");
  json.text("from", as_text(transaction.name));
  json.text("to", as_text(transaction.second_name));
  json.end_object();
  json.text("fuid", file_id_text(transaction.file_id.all()));
}

void describe_set_information(const SmbTransaction& transaction, JsonWriter& json) {
  json.text("filename", transaction.name.empty() ? "<share_root>" : as_text(transaction.name));
  describe_access(transaction, json);
  if (transaction.sub_command == 8) {
    json.text("subcmd", "SET_FILE_INFO");
  } else if (transaction.sub_command == 6) {
    json.text("subcmd", "SET_PATH_INFO");
  }
  if (transaction.information_level == 1013) {
    json.text("level_of_interest", "Set Disposition Information");
  }
  json.text("fuid", file_id_text(transaction.file_id.all()));
}

void describe_kind(const SmbTransaction& transaction, JsonWriter& json) {
  switch (transaction.kind) {
    case Kind::generic:
      return;
    case Kind::negotiate:
      return describe_negotiation(*transaction.negotiation, json);
    case Kind::session_setup:
      return describe_logon(transaction.logon, json);
    case Kind::tree_connect:
      return describe_tree(transaction, json);
    case Kind::create:
      return describe_creation(transaction, json);
    case Kind::file:
      json.text("filename", as_text(transaction.name));
      json.text("share", as_text(transaction.second_name));
      json.text("fuid", file_id_text(transaction.file_id.all()));
      return;
    case Kind::pipe_call:
      return describe_call(*transaction.call, json);
    case Kind::control:
      json.text("function", smb::control_function_text(transaction.control_function));
      return;
    case Kind::rename:
      return describe_rename(transaction, json);
    case Kind::set_information:
      return describe_set_information(transaction, json);
  }
}

}  // namespace

void SmbTransaction::set_command(uint8_t smb_version, uint16_t smb_command) {
  version = smb_version;
  command = smb_command;
  add_number(Direction::to_server, Field::smb_version, smb_version);
  add_number(Direction::to_client, Field::smb_version, smb_version);
}

void SmbTransaction::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& shown = static_cast<const SmbTransaction&>(transaction);
  json.begin_object("smb");
  json.number("id", shown.id + 1);
  json.text("dialect", shown.dialect);
  if (shown.version != 0) {
    json.text("command", smb::command_text(shown.version, shown.command));
  }
  describe_status(shown, json);
  json.number("session_id", shown.key.session);
  json.number("tree_id", shown.key.tree);
  describe_kind(shown, json);
  json.end_object();
}

}  // namespace shrike::protocol
