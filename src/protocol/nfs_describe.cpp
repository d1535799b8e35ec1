// What records show of NFS: names and order are Suricata's.
#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <string>

#include "nfs.h"

namespace shrike::protocol {

namespace {

/// RFC 1813, section 3.3.
constexpr std::array<std::string_view, 22> procedures3{
    "NULL",    "GETATTR",     "SETATTR", "LOOKUP", "ACCESS",   "READLINK", "READ",   "WRITE",
    "CREATE",  "MKDIR",       "SYMLINK", "MKNOD",  "REMOVE",   "RMDIR",    "RENAME", "LINK",
    "READDIR", "READDIRPLUS", "FSSTAT",  "FSINFO", "PATHCONF", "COMMIT"};

std::string procedure_name(uint32_t version, uint32_t procedure) {
  if (version < 4) {
    return procedure < procedures3.size() ? std::string(procedures3[procedure])
                                          : std::to_string(procedure);
  }
  switch (procedure) {
    case 6:
      return "CREATE";
    case 25:
      return "READ";
    case 28:
      return "REMOVE";
    case 38:
      return "WRITE";
    default:
      return std::to_string(procedure);
  }
}

/// RFC 1813, section 2.6.
std::string status_name(uint32_t status) {
  struct Name {
    uint32_t status;
    std::string_view name;
  };
  static constexpr std::array<Name, 29> names{{
      {0, "OK"},
      {1, "ERR_PERM"},
      {2, "ERR_NOENT"},
      {5, "ERR_IO"},
      {6, "ERR_NXIO"},
      {13, "ERR_ACCES"},
      {17, "ERR_EXIST"},
      {18, "ERR_XDEV"},
      {19, "ERR_NODEV"},
      {20, "ERR_NOTDIR"},
      {21, "ERR_ISDIR"},
      {22, "ERR_INVAL"},
      {27, "ERR_FBIG"},
      {28, "ERR_NOSPC"},
      {30, "ERR_ROFS"},
      {31, "ERR_MLINK"},
      {63, "ERR_NAMETOOLONG"},
      {66, "ERR_NOTEMPTY"},
      {69, "ERR_DQUOT"},
      {70, "ERR_STALE"},
      {71, "ERR_REMOTE"},
      {10001, "ERR_BADHANDLE"},
      {10002, "ERR_NOT_SYNC"},
      {10003, "ERR_BAD_COOKIE"},
      {10004, "ERR_NOTSUPP"},
      {10005, "ERR_TOOSMALL"},
      {10006, "ERR_SERVERFAULT"},
      {10007, "ERR_BADTYPE"},
      {10008, "ERR_JUKEBOX"},
  }};
  for (const Name& each : names) {
    if (each.status == status) {
      return std::string(each.name);
    }
  }
  return std::to_string(status);
}

std::string flavor_name(uint32_t flavor) {
  static constexpr std::array<std::string_view, 7> names{"NULL", "UNIX", "SHORT", "DES",
                                                         "KERB", "RSA",  "GSS"};
  return flavor < names.size() ? std::string(names[flavor]) : std::to_string(flavor);
}

/// The checksum of Ethernet (IEEE 802.3), in hexadecimal without leading zeros.
std::string checksum_text(Bytes bytes) {
  return fmt::format("{:x}", crc32_z(0, bytes.data(), bytes.size()));
}

void describe_rpc(const NfsTransaction& nfs, JsonWriter& json) {
  constexpr uint32_t unix_flavor = 1;
  json.begin_object("rpc");
  json.number("xid", nfs.xid);
  json.text("status", nfs.rpc_status == 0   ? "ACCEPTED"
                      : nfs.rpc_status == 1 ? "DENIED"
                                            : std::to_string(nfs.rpc_status));
  json.text("auth_type", flavor_name(nfs.flavor));
  if (nfs.flavor == unix_flavor) {
    json.begin_object("creds");
    json.text("machine_name", as_text(nfs.machine));
    json.number("uid", nfs.user);
    json.number("gid", nfs.group);
    json.end_object();
  }
  json.end_object();
}

void describe_file(std::string_view name, const NfsTransaction& nfs, JsonWriter& json) {
  json.begin_object(name);
  json.boolean("first", true);
  json.boolean("last", nfs.is_last);
  json.number("last_xid", nfs.last_xid);
  json.number("chunks", nfs.chunk_count);
  json.end_object();
}

}  // namespace

void NfsParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& shown = static_cast<const NfsTransaction&>(transaction);
  describe_rpc(shown, json);
  json.begin_object("nfs");
  json.number("version", shown.shown_version);
  json.text("procedure", procedure_name(shown.shown_version, shown.procedure));
  json.text("filename", as_text(shown.name));
  if (!shown.handle.empty()) {
    json.text("hhash", checksum_text(shown.handle));
  }
  json.number("id", shown.id + 1);
  json.boolean("file_tx", shown.transfer.has_value());
  json.text("type", "response");
  json.text("status", status_name(shown.status));
  if (shown.shown_version <= 3 && shown.transfer) {
    describe_file(shown.procedure == nfs::procedure::read ? "read" : "write", shown, json);
  } else if (shown.shown_version <= 3 && shown.procedure == nfs::procedure::rename) {
    json.begin_object("rename");
    json.text("from", as_text(shown.name));
    json.text("to", as_text(shown.second_name));
    json.end_object();
  }
  json.end_object();
}

}  // namespace shrike::protocol
