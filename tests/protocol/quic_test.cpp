#include "quic.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "talk.h"
#include "tls_wire.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::server;
using test::tls::number;
using QuicTalk = test::Talk<QuicParser>;

constexpr uint32_t version1 = 1;
const std::string connection = "8bytesid";

test::tls::HelloParts hello_of_client() {
  return {.versions = {0x0304}, .ciphers = {0x1301}, .sni = "quic.shrike.example", .alpns = {"h3"}};
}

/// A number of two bytes, as QUIC writes it.
std::string varint(size_t value) {
  return number(2, 0x4000 | value);
}

std::string crypto_frame(size_t offset, const std::string& data) {
  return "\x06" + varint(offset) + varint(data.size()) + data;
}

std::string encrypt(const QuicDirectionKeys& keys, const std::string& header,
                    const std::string& frames) {
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  std::string out(frames.size() + 16, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  int count = 0;
  EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, keys.packet.data(), keys.nonce.data());
  EVP_EncryptUpdate(context, nullptr, &count, reinterpret_cast<const unsigned char*>(header.data()),
                    static_cast<int>(header.size()));
  EVP_EncryptUpdate(context, to, &count, reinterpret_cast<const unsigned char*>(frames.data()),
                    static_cast<int>(frames.size()));
  EVP_EncryptFinal_ex(context, to + count, &count);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, to + frames.size());
  EVP_CIPHER_CTX_free(context);
  return out;
}

/// Adds what hides the first byte and the packet number (one byte, zero).
void hide_header(const QuicDirectionKeys& keys, std::string& packet, size_t number_at) {
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  std::array<unsigned char, 32> mask{};
  int count = 0;
  EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr);
  EVP_EncryptUpdate(context, mask.data(), &count,
                    reinterpret_cast<const unsigned char*>(&packet[number_at + 4]), 16);
  EVP_CIPHER_CTX_free(context);
  packet[0] = static_cast<char>(packet[0] ^ (mask[0] & 0x0f));
  packet[number_at] = static_cast<char>(packet[number_at] ^ mask[1]);
}

/// An Initial packet, protected. Its packet number is 0, so that the nonce is the key's.
std::string initial(uint32_t version, Direction direction, const std::string& frames) {
  const QuicKeys all = *quic_initial_keys(version, as_bytes(connection));
  const QuicDirectionKeys& keys = all.by_direction[static_cast<size_t>(direction)];
  const std::string padded = frames + std::string(40, '\0');
  std::string header = number(1, version == quic_version::version2 ? 0xd0 : 0xc0) +
                       number(4, version) + number(1, connection.size()) + connection +
                       number(1, 0) + number(1, 0) + varint(padded.size() + 1 + 16);
  const size_t number_at = header.size();
  header += '\0';
  std::string packet = header + encrypt(keys, header, padded);
  hide_header(keys, packet, number_at);
  return packet;
}

TEST(Quic, ReadsTheHelloOfAnInitialPacket) {
  for (const uint32_t version : {version1, quic_version::version2, 0xff00001dU}) {
    SCOPED_TRACE(version);
    QuicTalk talk;
    talk.say({client(
        initial(version, Direction::to_server, crypto_frame(0, client_hello(hello_of_client()))))});
    EXPECT_FALSE(talk.is_broken);
    ASSERT_EQ(talk.session.transactions().size(), 1u);
    const AppTransaction& quic = *talk.session.transactions()[0];
    EXPECT_EQ(quic.text(Direction::to_server, Field::quic_sni), "quic.shrike.example");
    EXPECT_EQ(quic.text(Direction::to_server, Field::quic_version), number(4, version));
    EXPECT_EQ(quic.text(Direction::to_server, Field::ja3_string),
              "771,4865,0-43-10-11-13-16,10794-29-23,0");
    EXPECT_EQ(quic.text(Direction::to_server, Field::ja4_hash).substr(0, 10), "q13d0106h3");
    EXPECT_TRUE(quic.is_complete());
    EXPECT_TRUE(quic.skips[1]);
  }
}

TEST(Quic, JoinsTheHelloOfSeveralPackets) {
  const std::string hello = client_hello(hello_of_client());
  QuicTalk talk;
  talk.say({client(initial(version1, Direction::to_server, crypto_frame(80, hello.substr(80)))),
            client(initial(
                version1, Direction::to_server,
                crypto_frame(40, hello.substr(40, 40)) + crypto_frame(0, hello.substr(0, 40))))});
  ASSERT_EQ(talk.session.transactions().size(), 2u);
  EXPECT_EQ(talk.session.transactions()[0]->text(Direction::to_server, Field::quic_sni), "");
  EXPECT_EQ(talk.session.transactions()[1]->text(Direction::to_server, Field::quic_sni),
            "quic.shrike.example");
}

TEST(Quic, ReadsTheServersHello) {
  QuicTalk talk;
  talk.say({client(initial(version1, Direction::to_server,
                           crypto_frame(0, client_hello(hello_of_client())))),
            server(initial(version1, Direction::to_client,
                           crypto_frame(0, server_hello(hello_of_client()))))});
  ASSERT_EQ(talk.session.transactions().size(), 2u);
  EXPECT_EQ(talk.session.transactions()[1]->text(Direction::to_client, Field::ja3s_string),
            "771,4865,");
  EXPECT_EQ(talk.describe(1).substr(0, 34), R"({"quic":{"version":"1","ja3s":{"ha)");
}

std::string little(size_t width, size_t value) {
  const std::string text = number(width, value);
  return {text.rbegin(), text.rend()};
}

TEST(Quic, ReadsTheTagsOfGooglesVersions) {
  const std::string values = "--bird.example/1.0";
  const std::string tags = "CHLO" + little(2, 3) + std::string(2, '\0') + std::string("PAD\0", 4) +
                           little(4, 2) + std::string("SNI\0", 4) + little(4, 14) + "UAID" +
                           little(4, values.size()) + values;
  const std::string header = "\x09" + connection + "Q043" + number(1, 0) + std::string(12, 'h');
  QuicTalk talk;
  talk.say({client(header + "\xa0\x01" + number(2, tags.size()) + tags)});
  EXPECT_FALSE(talk.is_broken);
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& quic = *talk.session.transactions()[0];
  EXPECT_EQ(quic.text(Direction::to_server, Field::quic_sni), "bird.example");
  EXPECT_EQ(quic.text(Direction::to_server, Field::quic_ua), "/1.0");
  EXPECT_EQ(quic.text(Direction::to_server, Field::quic_cyu_string), "43,PAD-SNI-UAID");
  EXPECT_EQ(quic.text(Direction::to_server, Field::quic_cyu_hash).size(), 32u);
}

TEST(Quic, SaysWhatItCannotDecrypt) {
  std::string packet =
      initial(version1, Direction::to_server, crypto_frame(0, client_hello(hello_of_client())));
  packet.back() = static_cast<char>(packet.back() ^ 1);
  QuicTalk talk;
  talk.say({client(packet)});
  EXPECT_TRUE(talk.is_broken);
  EXPECT_NE(talk.dump().find("!quic.failed_decrypt"), std::string::npos);
}

TEST(Quic, BoundsTheHandshake) {
  QuicTalk talk;
  const std::string far = "\x06" + number(4, 0x80000000 | 70000) + varint(4) + "data";
  talk.say({client(initial(version1, Direction::to_server, far))});
  EXPECT_NE(talk.dump().find("!quic.crypto_frag_too_long"), std::string::npos) << talk.dump();
}

}  // namespace
}  // namespace shrike::protocol
