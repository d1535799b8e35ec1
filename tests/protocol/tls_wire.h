#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Builds what TLS sends: records, hellos, certificates.
namespace shrike::protocol::test::tls {

inline constexpr uint8_t change_cipher = 20;
inline constexpr uint8_t alert = 21;
inline constexpr uint8_t handshake = 22;
inline constexpr uint8_t application_data = 23;
inline constexpr uint8_t heartbeat = 24;
inline constexpr uint8_t server_hello_done = 14;
inline constexpr uint8_t client_key_exchange = 16;

/// A number of `width` bytes, big end first.
inline std::string number(size_t width, size_t value) {
  std::string text;
  for (size_t shift = width * 8; shift > 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> (shift - 8)));
  }
  return text;
}
/// A text behind its length.
inline std::string sized(size_t width, const std::string& text) {
  return number(width, text.size()) + text;
}
inline std::string record(uint8_t type, const std::string& content) {
  return number(1, type) + "\x03\x01" + sized(2, content);
}
inline std::string message(uint8_t type, const std::string& body) {
  return number(1, type) + sized(3, body);
}

struct HelloParts {
  std::vector<uint16_t> versions;  ///< supported_versions; empty: no such extension
  std::vector<uint16_t> ciphers;
  std::string sni;
  std::vector<std::string> alpns;
};

inline std::string numbers(const std::vector<uint16_t>& values) {
  std::string text;
  for (const uint16_t value : values) {
    text += number(2, value);
  }
  return text;
}
inline std::string extension(uint16_t type, const std::string& body) {
  return number(2, type) + sized(2, body);
}
inline std::string alpn_list(const HelloParts& hello) {
  std::string text;
  for (const std::string& name : hello.alpns) {
    text += sized(1, name);
  }
  return text;
}

inline std::string client_hello(const HelloParts& hello) {
  const std::string extensions = extension(0, sized(2, number(1, 0) + sized(2, hello.sni))) +
                                 extension(43, sized(1, numbers(hello.versions))) +
                                 extension(10, sized(2, numbers({0x2a2a, 29, 23}))) +
                                 extension(11, sized(1, number(1, 0))) +
                                 extension(13, sized(2, numbers({0x0403, 0x0804}))) +
                                 extension(16, sized(2, alpn_list(hello)));
  return message(1, "\x03\x03" + std::string(32, 'r') + sized(1, std::string(32, 's')) +
                        sized(2, numbers(hello.ciphers)) + sized(1, number(1, 0)) +
                        sized(2, extensions));
}

inline std::string server_hello(const HelloParts& hello) {
  return message(2, "\x03\x03" + std::string(32, 'q') + sized(1, "") +
                        numbers({hello.ciphers.front()}) + number(1, 0));
}

inline std::string certificates(const std::vector<std::string>& chain) {
  std::string all;
  for (const std::string& each : chain) {
    all += sized(3, each);
  }
  return message(11, sized(3, all));
}

/// An element of DER.
inline std::string der(uint8_t tag, const std::string& content) {
  const size_t size = content.size();
  return number(1, tag) + (size < 128 ? number(1, size) : "\x82" + number(2, size)) + content;
}

namespace attribute {
inline const std::string common_name = "\x55\x04\x03";
inline const std::string country = "\x55\x04\x06";
inline const std::string organization = "\x55\x04\x0a";
inline const std::string mail = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";
}  // namespace attribute

using Name = std::vector<std::pair<std::string, std::string>>;
inline std::string der_name(const Name& name) {
  std::string sets;
  for (const auto& [type, value] : name) {
    sets += der(0x31, der(0x30, der(6, type) + der(12, value)));
  }
  return der(0x30, sets);
}

struct CertificateParts {
  Name issuer;
  Name subject;
  std::vector<std::string> names;  ///< DNS
  std::string not_before = "000101000000Z";
  std::string not_after = "20991231235959Z";
  uint8_t serial_tag = 2;
};

inline std::string certificate(const CertificateParts& parts) {
  const std::string algorithm = der(0x30, der(6, "\x2a\x03"));
  std::string names;
  for (const std::string& each : parts.names) {
    names += der(0x82, each);
  }
  const std::string extensions =
      names.empty()
          ? ""
          : der(0xa3, der(0x30, der(0x30, der(6, "\x55\x1d\x11") + der(4, der(0x30, names)))));
  const std::string body =
      der(0xa0, der(2, "\x02")) + der(parts.serial_tag, std::string("\x00\xab\xcd", 3)) +
      algorithm + der_name(parts.issuer) +
      der(0x30, der(0x17, parts.not_before) + der(0x18, parts.not_after)) +
      der_name(parts.subject) + der(0x30, algorithm + der(3, "key")) + extensions;
  return der(0x30, der(0x30, body) + algorithm + der(3, "signature"));
}

}  // namespace shrike::protocol::test::tls
