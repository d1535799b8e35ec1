#pragma once
#include <string>
#include <string_view>

/// SMB2 records and DCERPC messages as clients and servers make them. Sources: MS-SMB2, C706.
namespace shrike::protocol::test {

inline std::string little(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>(value >> (8 * i)));
  }
  return text;
}

inline std::string zeros(size_t bytes) {
  return std::string(bytes, '\0');
}

inline std::string utf16(std::string_view text) {
  std::string wide;
  for (const char each : text) {
    wide += each;
    wide += '\0';
  }
  return wide;
}

/// A NetBIOS session message.
inline std::string session(std::string_view message) {
  std::string wire = zeros(1);
  for (const unsigned shift : {16u, 8u, 0u}) {
    wire.push_back(static_cast<char>(message.size() >> shift));
  }
  return wire.append(message);
}

struct Head2 {
  unsigned command = 0;
  unsigned message = 0;
  unsigned tree = 5;
  bool is_response = false;
  unsigned status = 0;
  unsigned next = 0;  ///< offset of the next record in the chain
};

inline std::string smb2(const Head2& head, std::string_view body) {
  std::string wire = "\xfeSMB" + little(64, 2) + little(0, 2) + little(head.status, 4) +
                     little(head.command, 2) + little(1, 2) + little(head.is_response ? 1 : 0, 4) +
                     little(head.next, 4) + little(head.message, 8) + little(0, 4) +
                     little(head.tree, 4) + little(77, 8) + zeros(16);
  return wire.append(body);
}

inline std::string guid(char number) {
  return std::string(16, number);
}

inline std::string negotiate2() {
  return little(36, 2) + little(2, 2) + zeros(8) + guid('c') + zeros(8) + little(0x0202, 2) +
         little(0x0311, 2);
}
inline std::string negotiated2(unsigned dialect) {
  return little(65, 2) + zeros(2) + little(dialect, 2) + zeros(2) + guid('s') + zeros(4) +
         little(1 << 20, 4) + little(1 << 20, 4) + little(1 << 20, 4);
}
inline std::string tree2(std::string_view path) {
  const std::string wide = utf16(path);
  return little(9, 2) + zeros(2) + little(72, 2) + little(wide.size(), 2) + wide;
}
inline std::string connected2(char type) {
  return little(16, 2) + std::string(1, type) + zeros(13);
}
inline std::string create2(std::string_view name) {
  const std::string wide = utf16(name);
  return little(57, 2) + zeros(34) + little(2, 4) + little(0, 4) + little(120, 2) +
         little(wide.size(), 2) + zeros(8) + wide;
}
inline std::string created2(char file) {
  return little(89, 2) + zeros(6) + zeros(32) + little(0, 8) + little(10, 8) + zeros(8) +
         guid(file) + zeros(8);
}
inline std::string write2(char file, uint64_t offset, std::string_view data) {
  std::string wire = little(49, 2) + little(112, 2) + little(data.size(), 4) + little(offset, 8) +
                     guid(file) + zeros(16);
  return wire.append(data);
}
inline std::string read2(char file, uint64_t offset, unsigned bytes) {
  return little(49, 2) + zeros(2) + little(bytes, 4) + little(offset, 8) + guid(file) + zeros(16);
}
inline std::string answered_read2(std::string_view data) {
  return (little(17, 2) + zeros(2) + little(data.size(), 4) + zeros(8)).append(data);
}
inline std::string close2(char file) {
  return little(24, 2) + zeros(6) + guid(file);
}

/// A connection-oriented message of DCERPC in little endian.
inline std::string rpc(unsigned type, unsigned call, std::string_view body, unsigned flags = 3) {
  std::string wire = std::string("\x05\x00", 2) + little(type, 1) + little(flags, 1) +
                     std::string("\x10\x00\x00\x00", 4) + little(16 + body.size(), 2) + zeros(2) +
                     little(call, 4);
  return wire.append(body);
}
/// The interface of the service control manager, 367abb81-9844-35f1-ad32-98f038001003.
inline const std::string svcctl_uuid =
    "\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38" + zeros(1) + "\x10\x03";

inline std::string bind_body(const std::string& uuid = svcctl_uuid, unsigned version = 2) {
  return little(4280, 2) + little(4280, 2) + zeros(4) + little(1, 1) + zeros(3) + little(0, 2) +
         little(1, 1) + zeros(1) + uuid + little(version, 2) + little(0, 2) + zeros(20);
}
inline std::string bind_ack_body(unsigned result = 0) {
  return little(4280, 2) + little(4280, 2) + zeros(4) + little(4, 2) + "135" + zeros(1) + zeros(2) +
         little(1, 1) + zeros(3) + little(result, 2) + little(0, 2) + zeros(20);
}
inline std::string call_body(unsigned operation, std::string_view stub) {
  return (little(stub.size(), 4) + little(0, 2) + little(operation, 2)).append(stub);
}

}  // namespace shrike::protocol::test
