// The names of numbers in SMB records, for EVE.
// Source: MS-CIFS 2.2.2.1, MS-SMB2 2.2.1, MS-ERREF 2.3.1, MS-FSCC 2.3.
#include <algorithm>

#include "smb_records.h"

namespace shrike::protocol::smb {

namespace {

struct NumberName {
  uint32_t number;
  std::string_view name;
};

constexpr NumberName commands1[] = {
    {0x00, "CREATE_DIRECTORY"},
    {0x01, "DELETE_DIRECTORY"},
    {0x02, "OPEN"},
    {0x03, "CREATE"},
    {0x04, "CLOSE"},
    {0x05, "FLUSH"},
    {0x06, "DELETE"},
    {0x07, "RENAME"},
    {0x08, "QUERY_INFORMATION"},
    {0x09, "SET_INFORMATION"},
    {0x0a, "READ"},
    {0x0b, "WRITE"},
    {0x0c, "LOCK_BYTE_RANGE"},
    {0x0d, "UNLOCK_BYTE_RANGE"},
    {0x0e, "CREATE_TEMPORARY"},
    {0x0f, "CREATE_NEW"},
    {0x10, "CHECK_DIRECTORY"},
    {0x11, "PROCESS_EXIT"},
    {0x12, "SEEK"},
    {0x13, "LOCK_AND_READ"},
    {0x14, "WRITE_AND_UNLOCK"},
    {0x24, "LOCKING_ANDX"},
    {0x25, "TRANS"},
    {0x2b, "ECHO"},
    {0x2c, "WRITE_AND_CLOSE"},
    {0x2d, "OPEN_ANDX"},
    {0x2e, "READ_ANDX"},
    {0x2f, "WRITE_ANDX"},
    {0x32, "TRANS2"},
    {0x33, "TRANS2_SECONDARY"},
    {0x34, "FIND_CLOSE2"},
    {0x71, "TREE_DISCONNECT"},
    {0x72, "NEGOTIATE_PROTOCOL"},
    {0x73, "SESSION_SETUP_ANDX"},
    {0x74, "LOGOFF_ANDX"},
    {0x75, "TREE_CONNECT_ANDX"},
    {0x80, "QUERY_INFO_DISK"},
    {0xa0, "NT_TRANS"},
    {0xa1, "NT_TRANS_SECONDARY"},
    {0xa2, "NT_CREATE_ANDX"},
    {0xa4, "NT_CANCEL"},
};

constexpr std::string_view commands2[] = {
    "NEGOTIATE_PROTOCOL",
    "SESSION_SETUP",
    "SESSION_LOGOFF",
    "TREE_CONNECT",
    "TREE_DISCONNECT",
    "CREATE",
    "CLOSE",
    "FLUSH",
    "READ",
    "WRITE",
    "LOCK",
    "IOCTL",
    "CANCEL",
    "KEEPALIVE",
    "FIND",
    "CHANGE_NOTIFY",
    "GET_INFO",
    "SET_INFO",
    "OPLOCK_BREAK",
};

constexpr NumberName dialects[] = {
    {0x0202, "2.02"}, {0x0210, "2.10"}, {0x0222, "2.22"}, {0x0224, "2.24"}, {0x02ff, "2.??"},
    {0x0300, "3.00"}, {0x0302, "3.02"}, {0x0310, "3.10"}, {0x0311, "3.11"},
};

constexpr NumberName statuses[] = {
    {0x00000000, "STATUS_SUCCESS"},
    {0x00000103, "STATUS_PENDING"},
    {0x0000010b, "STATUS_NOTIFY_CLEANUP"},
    {0x0000010c, "STATUS_NOTIFY_ENUM_DIR"},
    {0x80000005, "STATUS_BUFFER_OVERFLOW"},
    {0x80000006, "STATUS_NO_MORE_FILES"},
    {0x8000002d, "STATUS_STOPPED_ON_SYMLINK"},
    {0xc0000001, "STATUS_UNSUCCESSFUL"},
    {0xc0000002, "STATUS_NOT_IMPLEMENTED"},
    {0xc0000003, "STATUS_INVALID_INFO_CLASS"},
    {0xc0000005, "STATUS_ACCESS_VIOLATION"},
    {0xc0000008, "STATUS_INVALID_HANDLE"},
    {0xc000000d, "STATUS_INVALID_PARAMETER"},
    {0xc000000e, "STATUS_NO_SUCH_DEVICE"},
    {0xc000000f, "STATUS_NO_SUCH_FILE"},
    {0xc0000010, "STATUS_INVALID_DEVICE_REQUEST"},
    {0xc0000011, "STATUS_END_OF_FILE"},
    {0xc0000016, "STATUS_MORE_PROCESSING_REQUIRED"},
    {0xc0000022, "STATUS_ACCESS_DENIED"},
    {0xc0000023, "STATUS_BUFFER_TOO_SMALL"},
    {0xc0000033, "STATUS_OBJECT_NAME_INVALID"},
    {0xc0000034, "STATUS_OBJECT_NAME_NOT_FOUND"},
    {0xc0000035, "STATUS_OBJECT_NAME_COLLISION"},
    {0xc000003a, "STATUS_OBJECT_PATH_NOT_FOUND"},
    {0xc0000043, "STATUS_SHARING_VIOLATION"},
    {0xc0000054, "STATUS_FILE_LOCK_CONFLICT"},
    {0xc0000055, "STATUS_LOCK_NOT_GRANTED"},
    {0xc0000056, "STATUS_DELETE_PENDING"},
    {0xc0000064, "STATUS_NO_SUCH_USER"},
    {0xc000006a, "STATUS_WRONG_PASSWORD"},
    {0xc000006d, "STATUS_LOGON_FAILURE"},
    {0xc000006e, "STATUS_ACCOUNT_RESTRICTION"},
    {0xc000007f, "STATUS_DISK_FULL"},
    {0xc000009a, "STATUS_INSUFFICIENT_RESOURCES"},
    {0xc00000ac, "STATUS_PIPE_NOT_AVAILABLE"},
    {0xc00000ae, "STATUS_PIPE_BUSY"},
    {0xc00000b0, "STATUS_PIPE_DISCONNECTED"},
    {0xc00000b5, "STATUS_IO_TIMEOUT"},
    {0xc00000ba, "STATUS_FILE_IS_A_DIRECTORY"},
    {0xc00000bb, "STATUS_NOT_SUPPORTED"},
    {0xc00000c9, "STATUS_NETWORK_NAME_DELETED"},
    {0xc00000ca, "STATUS_NETWORK_ACCESS_DENIED"},
    {0xc00000cc, "STATUS_BAD_NETWORK_NAME"},
    {0xc00000d0, "STATUS_REQUEST_NOT_ACCEPTED"},
    {0xc0000101, "STATUS_DIRECTORY_NOT_EMPTY"},
    {0xc0000103, "STATUS_NOT_A_DIRECTORY"},
    {0xc0000120, "STATUS_CANCELLED"},
    {0xc0000128, "STATUS_FILE_CLOSED"},
    {0xc000014b, "STATUS_PIPE_BROKEN"},
    {0xc0000203, "STATUS_USER_SESSION_DELETED"},
    {0xc0000205, "STATUS_INSUFF_SERVER_RESOURCES"},
    {0xc0000225, "STATUS_NOT_FOUND"},
    {0xc0000234, "STATUS_ACCOUNT_LOCKED_OUT"},
    {0xc0000257, "STATUS_PATH_NOT_COVERED"},
    {0xc000035c, "STATUS_NETWORK_SESSION_EXPIRED"},
};

constexpr NumberName control_functions[] = {
    {0x00060194, "FSCTL_DFS_GET_REFERRALS"},
    {0x000900a4, "FSCTL_SET_REPARSE_POINT"},
    {0x000900a8, "FSCTL_GET_REPARSE_POINT"},
    {0x000900c0, "FSCTL_CREATE_OR_GET_OBJECT_ID"},
    {0x00090060, "FSCTL_GET_NTFS_VOLUME_DATA"},
    {0x000901bb, "FSCTL_READ_FILE_USN_DATA"},
    {0x0011400c, "FSCTL_PIPE_PEEK"},
    {0x00110018, "FSCTL_PIPE_WAIT"},
    {0x0011c017, "FSCTL_PIPE_TRANSCEIVE"},
    {0x001440f2, "FSCTL_SRV_COPYCHUNK"},
    {0x001480f2, "FSCTL_SRV_COPYCHUNK_WRITE"},
    {0x00144064, "FSCTL_SRV_ENUMERATE_SNAPSHOTS"},
    {0x00140078, "FSCTL_SRV_REQUEST_RESUME_KEY"},
    {0x001401d4, "FSCTL_LMR_REQUEST_RESILIENCY"},
    {0x001401fc, "FSCTL_QUERY_NETWORK_INTERFACE_INFO"},
    {0x00140204, "FSCTL_VALIDATE_NEGOTIATE_INFO"},
};

template <size_t count>
std::string_view name_in(const NumberName (&table)[count], uint32_t number) noexcept {
  const auto* const at =
      std::find_if(std::begin(table), std::end(table),
                   [number](const NumberName& each) { return each.number == number; });
  return at == std::end(table) ? std::string_view{} : at->name;
}

ShortText text_or_number(std::string_view name, uint32_t number) {
  return name.empty() ? ShortText::format("{}", number) : ShortText(name);
}

}  // namespace

ShortText command_text(uint8_t version, uint16_t command) {
  if (version == 1) {
    const std::string_view name = name_in(commands1, command);
    return name.empty() ? ShortText::format("{}", command)
                        : ShortText::format("SMB1_COMMAND_{}", name);
  }
  return command < std::size(commands2) ? ShortText::format("SMB2_COMMAND_{}", commands2[command])
                                        : ShortText::format("{}", command);
}

ShortText dialect_text(uint16_t dialect) {
  return text_or_number(name_in(dialects, dialect), dialect);
}

ShortText status_text(uint32_t status) {
  return text_or_number(name_in(statuses, status), status);
}

ShortText control_function_text(uint32_t function) {
  return text_or_number(name_in(control_functions, function), function);
}

}  // namespace shrike::protocol::smb
