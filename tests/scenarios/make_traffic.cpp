/// Writes the capture of a scenario, the same byte for byte every time. Each function below says
/// what happens on the wire; the folder of its name says what a sensor should make of it.
///
/// usage: make_traffic SCENARIO FILE.pcap
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/check.h"
#include "shrike/craft.h"
#include "tls_wire.h"

namespace shrike {
namespace {

using craft::Conversation;
using craft::ConversationOptions;
using craft::Side;
using craft::TimedFrame;
using Frames = std::vector<TimedFrame>;

std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int with_gzip_header = 15 + 16;
  check(deflateInit2(&stream, 9, Z_DEFLATED, with_gzip_header, 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib starts");
  std::string packed(text.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib packs");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string base64(std::string_view text) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string coded;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    const size_t taken = std::min<size_t>(3, text.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < taken ? static_cast<uint8_t>(text[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      coded += j <= taken ? letters[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return coded;
}

/// Chunks of HTTP/1.1, of at most `bytes` each.
std::string chunked(std::string_view body, size_t bytes) {
  std::string text;
  for (; !body.empty(); body.remove_prefix(std::min(bytes, body.size()))) {
    const std::string_view piece = body.substr(0, bytes);
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    text += std::string(size).append(piece) + "\r\n";
  }
  return text + "0\r\n\r\n";
}

/// A question for one name, type A (RFC 1035 4.1).
std::string dns_query(std::string_view name) {
  using protocol::test::tls::number;
  std::string text = number(2, 0x1234) + number(2, 0x0100) + number(2, 1) + std::string(6, '\0');
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    text += number(1, label.size()).append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return text + std::string(1, '\0') + number(2, 1) + number(2, 1);
}

/// A page that is packed first and then cut into chunks.
Frames http_chunked_gzip_body() {
  const std::string page = gzip("<html><script>document.write(unescape('%75'))</script></html>");
  return Conversation()
      .handshake()
      .client("GET /page HTTP/1.1\r\nHost: example.net\r\n\r\n")
      .server(
          "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
          "Transfer-Encoding: chunked\r\n\r\n" +
          chunked(page, 20))
      .close()
      .frames();
}

/// A mail whose attachment is in base64, in segments of 50 bytes.
Frames smtp_attachment() {
  ConversationOptions options{.server_port = 25, .segment_bytes_max = 50};
  return Conversation(options)
      .handshake()
      .server("220 mail.example.net ESMTP\r\n")
      .client("EHLO desk.example.org\r\n")
      .server("250 mail.example.net\r\n")
      .client("MAIL FROM:<a@example.org>\r\n")
      .server("250 ok\r\n")
      .client("RCPT TO:<b@example.net>\r\n")
      .server("250 ok\r\n")
      .client("DATA\r\n")
      .server("354 go on\r\n")
      .client(
          "From: a@example.org\r\nTo: b@example.net\r\nSubject: invoice\r\n"
          "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n"
          "--cut\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
          "--cut\r\nContent-Type: application/octet-stream; name=\"invoice.exe\"\r\n"
          "Content-Disposition: attachment; filename=\"invoice.exe\"\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n" +
          base64("MZ this program cannot be run in DOS mode") + "\r\n--cut--\r\n.\r\n")
      .server("250 taken\r\n")
      .client("QUIT\r\n")
      .server("221 bye\r\n")
      .close()
      .frames();
}

/// The server names a port, and the file comes over a second connection to it. A third one to
/// another port carries the same bytes unannounced.
Frames ftp_announced_data() {
  constexpr uint64_t second_ns = 1'000'000'000;
  ConversationOptions options{.server_port = 21};
  const uint64_t start_ns = options.start_ns;
  const Frames talk = Conversation(options)
                          .handshake()
                          .server("220 files\r\n")
                          .client("USER anonymous\r\n")
                          .server("331 password\r\n")
                          .client("PASS guest\r\n")
                          .server("230 welcome\r\n")
                          .client("PASV\r\n")
                          .server("227 Entering Passive Mode (10,0,0,2,39,16)\r\n")
                          .client("RETR secret.txt\r\n")
                          .server("150 here it comes\r\n")
                          .wait(4 * second_ns)
                          .server("226 done\r\n")
                          .close()
                          .frames();
  std::vector<Frames> all{talk};
  for (const uint16_t port : {uint16_t{10000}, uint16_t{10001}}) {
    options.server_port = port;
    options.client_port = static_cast<uint16_t>(40001 + port - 10000);
    options.start_ns = start_ns + (port - 9999u) * second_ns;
    all.push_back(Conversation(options)
                      .handshake()
                      .server("the crown jewels are under the stairs\n")
                      .close(Side::server)
                      .frames());
  }
  return merge(all);
}

/// Two questions on one connection; every byte is a segment of its own, also those of the lengths.
Frames dns_over_tcp_split() {
  const std::string first = dns_query("www.example.org");
  const std::string second = dns_query("beacon.example.net");
  using protocol::test::tls::sized;
  return Conversation({.server_port = 53, .segment_bytes_max = 1})
      .handshake()
      .client(sized(2, first) + sized(2, second))
      .close()
      .frames();
}

/// A hello in two records and many small segments.
Frames tls_sni() {
  namespace tls = protocol::test::tls;
  const std::string hello = tls::client_hello({.versions = {0x0304, 0x0303},
                                               .ciphers = {0x1301, 0xc02f},
                                               .sni = "drop.example.net",
                                               .alpns = {"h2", "http/1.1"}});
  return Conversation({.server_port = 443, .segment_bytes_max = 30})
      .handshake()
      .client(tls::record(tls::handshake, hello.substr(0, 90)) +
              tls::record(tls::handshake, hello.substr(90)))
      .close()
      .frames();
}

/// A login and then an order, each a transaction of one connection; and the order without a login
/// on another one.
Frames flowbits_across_transactions() {
  const std::string login = "POST /login HTTP/1.1\r\nHost: panel\r\nContent-Length: 4\r\n\r\nu=me";
  const std::string order = "GET /order?run=1 HTTP/1.1\r\nHost: panel\r\n\r\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  return merge(std::vector<Frames>{Conversation()
                                       .handshake()
                                       .client(login)
                                       .server(answer)
                                       .client(order)
                                       .server(answer)
                                       .close()
                                       .frames(),
                                   Conversation({.client_port = 40001})
                                       .handshake()
                                       .client(order)
                                       .server(answer)
                                       .close()
                                       .frames()});
}

/// The request's path is sent twice with different words before it is acknowledged: what came
/// first is what a Windows host reads. The beginning of the request comes last.
Frames evasion_overlap() {
  const std::string start = "GET /";
  const std::string path = "secret HTTP/1.1\r\n";
  const std::string decoy = "public HTTP/1.1\r\n";
  const auto offset = static_cast<int64_t>(start.size());
  return Conversation()
      .handshake()
      .segment(Side::client, offset, path)
      .segment(Side::client, offset, decoy)
      .segment(Side::client, 0, start)
      .lose(Side::client, start.size() + path.size())
      .client("Host: example.net\r\n\r\n")
      .server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
      .close()
      .frames();
}

/// Secure shell where web servers answer.
Frames protocol_on_another_port() {
  return Conversation({.server_port = 443})
      .handshake()
      .server("SSH-2.0-OpenSSH_9.2\r\n")
      .client("SSH-2.0-PuTTY_Release_0.78\r\n")
      .close()
      .frames();
}

constexpr struct {
  std::string_view name;
  Frames (*make)();
} scenarios[] = {
    {"dns-over-tcp-split", dns_over_tcp_split},
    {"evasion-overlap", evasion_overlap},
    {"flowbits-across-transactions", flowbits_across_transactions},
    {"ftp-announced-data", ftp_announced_data},
    {"http-chunked-gzip-body", http_chunked_gzip_body},
    {"protocol-on-another-port", protocol_on_another_port},
    {"smtp-attachment", smtp_attachment},
    {"tls-sni", tls_sni},
};

}  // namespace
}  // namespace shrike

int main(int count, char** words) {
  for (const auto& scenario : shrike::scenarios) {
    if (count == 3 && scenario.name == words[1]) {
      return shrike::craft::write_pcap(words[2], scenario.make()) ? 0 : 1;
    }
  }
  std::fprintf(stderr, "usage: make_traffic SCENARIO FILE.pcap\n");
  return 2;
}
