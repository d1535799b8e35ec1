#include "application_traffic.h"

#include <zlib.h>

#include <string>

#include "protocol/smb_wire.h"
#include "protocol/tls_wire.h"
#include "shrike/base/check.h"

namespace shrike::test {

using craft::Conversation;
using Flow = std::vector<craft::TimedFrame>;

const char* const application_rules = R"(
alert http any any -> any any (msg:"uri"; http.uri; content:"/first"; startswith; sid:1;)
alert http any any -> any any (msg:"agent"; http.user_agent; content:"Crafted/1.0"; \
  bsize:11; sid:2;)
alert http any any -> any any (msg:"form"; http.request_body; content:"key=secret"; sid:3;)
alert http any any -> any any (msg:"body"; flow:to_client; http.stat_code; content:"200"; \
  file.data; content:"needle"; sid:4;)
alert http any any -> any any (msg:"headers"; http.header; pcre:"/X-Long:\s+a+b/i"; sid:5;)
alert http any any -> any any (msg:"names"; http.header_names; content:"|0d 0a|X-Long"; sid:6;)
alert http any any -> any any (msg:"host"; http.host; dotprefix; content:".crafted.example"; \
  endswith; sid:7;)
alert http any any -> any any (msg:"digest"; http.uri; to_sha256; content:!"none"; sid:8;)
alert http any any -> any any (msg:"decoded"; http.request_body; url_decode; \
  content:"a value"; sid:9;)
alert http any any -> any any (msg:"bits"; http.method; content:"POST"; flowbits:set,posted; \
  xbits:set,posted,track ip_src,expire 10; sid:10;)
alert http any any -> any any (msg:"after"; flow:to_client; flowbits:isset,posted; \
  http.response_line; content:"HTTP/1.1"; sid:11;)
alert http any any -> any any (msg:"file"; file.name; content:"secret.bin"; sid:12;)
alert tls any any -> any any (msg:"sni"; tls.sni; content:"example.test"; sid:20;)
alert tls any any -> any any (msg:"subject"; tls.cert_subject; content:"CN=shrike"; sid:21;)
alert tls any any -> any any (msg:"certificate"; tls.cert_fingerprint; \
  pcre:"/^([0-9a-f]{2}:){19}/"; sid:22;)
alert tls any any -> any any (msg:"ja3"; ja3.hash; \
  content:!"0123456789abcdef0123456789abcdef"; sid:23;)
alert tls any any -> any any (msg:"version"; tls.version:1.2; sid:24;)
alert dns any any -> any any (msg:"query"; dns.query; content:"long.example"; endswith; sid:30;)
alert dns any any -> any any (msg:"answer"; dns.answer.name; content:"long"; sid:31;)
alert smtp any any -> any any (msg:"sender"; smtp.mail_from; content:"ann@"; sid:40;)
alert smtp any any -> any any (msg:"attachment"; file.data; content:"hello world"; sid:41;)
alert smtp any any -> any any (msg:"name"; file.name; content:"data.bin"; sid:42;)
alert smb any any -> any any (msg:"share"; smb.share; content:"share"; nocase; sid:50;)
alert smb any any -> any any (msg:"pipe"; smb.named_pipe; content:"IPC|24|"; sid:51;)
alert smb any any -> any any (msg:"written"; file.data; content:"MZ"; startswith; sid:52;)
alert smb any any -> any any (msg:"call"; dcerpc.stub_data; content:"stub"; sid:53;)
alert ssh any any -> any any (msg:"software"; ssh.software; content:"bird"; sid:60;)
alert ssh any any -> any any (msg:"hassh"; ssh.hassh; \
  content:!"0123456789abcdef0123456789abcdef"; sid:61;)
alert tcp any any -> any any (msg:"any"; flow:established; app-layer-protocol:!failed; \
  content:"needle"; sid:70;)
)";

namespace {

namespace smb = shrike::protocol::test;
namespace tls = shrike::protocol::test::tls;

std::string gzip_of(const std::string& text) {
  z_stream stream{};
  constexpr int gzip_window_bits = 31;
  check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, 8,
                     Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib starts");
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "it fits");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string response(const std::string& headers, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nServer: crafted\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string request(const std::string& line, const std::string& headers, const std::string& body) {
  return line + " HTTP/1.1\r\nHost: www.crafted.example\r\nUser-Agent: Crafted/1.0\r\nX-Long: " +
         std::string(300, 'a') + "b\r\n" + headers + "\r\n" + body;
}

std::string form_with_file() {
  const std::string body =
      "--cut\r\nContent-Disposition: form-data; name=\"up\"; filename=\"secret.bin\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" +
      std::string(5000, 'u') + "needle\r\n--cut--\r\n";
  return request("POST /upload",
                 "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n",
                 body);
}

void talk_http(Conversation& flow) {
  static const std::string zipped = gzip_of(std::string(20'000, 'z') + "needle");
  flow.client(request("GET /first/%41?query=1", "", ""))
      .server(response("", std::string(9000, 'h') + "needle"))
      .client(request("POST /form", "Content-Length: 20\r\n", "key=secret&b=a+value"))
      .server(response("Content-Encoding: gzip\r\n", zipped))
      .client(form_with_file())
      .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n")
      .client(request("GET /one", "", "") + request("GET /two", "", ""))
      .server(response("", "one") + response("", "two"));
}

void talk_tls(Conversation& flow) {
  using namespace tls;
  const HelloParts hello{.versions = {0x0a0a, 0x0304, 0x0303},
                         .ciphers = {0x1a1a, 0x1301, 0xc02b},
                         .sni = "www.example.test",
                         .alpns = {"h2", "http/1.1"}};
  static const std::string own = certificate({
      .issuer = {{attribute::country, "AQ"}, {attribute::organization, "Shrike CA"}},
      .subject = {{attribute::country, "AQ"}, {attribute::common_name, "shrike.example"}},
      .names = {"shrike.example", "www.shrike.example"},
  });
  flow.client(record(handshake, client_hello(hello)))
      .server(record(handshake, server_hello({.versions = {}, .ciphers = {0xc02b}})) +
              record(handshake, certificates({own, own}) + message(server_hello_done, "")))
      .client(record(handshake, message(client_key_exchange, std::string(64, 'k'))) +
              record(change_cipher, "\x01") + record(handshake, std::string(40, '\xee')))
      .server(record(change_cipher, "\x01") + record(handshake, std::string(40, '\xee')))
      .client(record(application_data, std::string(300, '\xaa')))
      .server(record(application_data, std::string(5000, '\xbb')));
}

std::string dns_name() {
  return tls::sized(1, "www") + tls::sized(1, "long") + tls::sized(1, "example") + '\0';
}
std::string dns_message(bool is_answer) {
  const std::string question = dns_name() + tls::number(4, 0x00010001);
  const std::string pointer = tls::number(2, 0xc00c);
  const std::string record = pointer + tls::number(4, 0x00010001) + tls::number(4, 300);
  const std::string head = tls::numbers({0x1234, static_cast<uint16_t>(is_answer ? 0x8180 : 0x0100),
                                         1, static_cast<uint16_t>(is_answer ? 2 : 0), 0, 0});
  return head + question +
         (is_answer ? record + tls::sized(2, "\x01\x02\x03\x04") + record +
                          tls::sized(2, "\x05\x06\x07\x08")
                    : "");
}

constexpr const char* mail =
    "From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: a subject\r\n"
    "Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n"
    "--cut\r\nContent-Type: text/plain\r\n\r\nSee http://one.example/a and more.\r\n"
    "--cut\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8g\r\nd29ybGQ=\r\n"
    "--cut\r\nContent-Disposition: attachment; filename*0=note; filename*1=.txt\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\n--cut--\r\n.\r\n";

void talk_smtp(Conversation& flow) {
  flow.server("220 mail.example.com ESMTP\r\n")
      .client("EHLO host.example\r\n")
      .server("250-mail.example.com\r\n250 SIZE 1000\r\n")
      .client("MAIL FROM:<ann@example.com> SIZE=10\r\n")
      .server("250 ok\r\n")
      .client("RCPT TO: <bob@example.com>\r\n")
      .server("250 ok\r\n")
      .client("DATA\r\n")
      .server("354 go on\r\n")
      .client(mail)
      .server("250 queued\r\n")
      .client("QUIT\r\n")
      .server("221 bye\r\n");
}

void talk_smb(Conversation& flow) {
  using namespace smb;
  const auto ask = [&flow](unsigned command, unsigned message, const std::string& body) {
    flow.client(session(smb2({.command = command, .message = message}, body)));
  };
  const auto answer = [&flow](unsigned command, unsigned message, const std::string& body) {
    flow.server(session(smb2({.command = command, .message = message, .is_response = true}, body)));
  };
  ask(0, 0, negotiate2());
  answer(0, 0, negotiated2(0x0311));
  ask(3, 1, tree2("\\\\server\\share"));
  answer(3, 1, connected2(1));
  ask(5, 2, create2("a\\b.exe"));
  answer(5, 2, created2('f'));
  ask(9, 3, write2('f', 0, "MZ" + std::string(3000, 'x')));
  ask(9, 4, write2('f', 3002, "tail"));
  ask(8, 5, read2('f', 0, 100));
  answer(8, 5, answered_read2("read it"));
  ask(6, 6, close2('f'));
  answer(6, 6, zeros(60));
  ask(3, 7, tree2("\\\\server\\IPC$"));
  answer(3, 7, connected2(2));
  ask(5, 8, create2("svcctl"));
  answer(5, 8, created2('p'));
  ask(9, 9, write2('p', 0, rpc(11, 1, bind_body())));
  ask(8, 10, read2('p', 0, 1024));
  answer(8, 10, answered_read2(rpc(12, 1, bind_ack_body())));
  ask(9, 11, write2('p', 0, rpc(0, 2, call_body(15, "stub data of the call"))));
  ask(8, 12, read2('p', 0, 1024));
  answer(8, 12, answered_read2(rpc(2, 2, call_body(0, "answer"))));
}

std::string ssh_packet(uint8_t code, const std::string& content) {
  return tls::number(4, content.size() + 2) + '\0' + tls::number(1, code) + content;
}
std::string key_exchange(const std::string& prefix) {
  std::string content(16, 'c');
  for (const char* const list : {"kex", "host", "cipher-up", "cipher-down", "mac-up", "mac-down",
                                 "zip-up", "zip-down", "", ""}) {
    content += tls::sized(4, *list == '\0' ? "" : prefix + list);
  }
  return ssh_packet(20, content + std::string(5, '\0') + "padding");
}

void talk_ssh(Conversation& flow) {
  const std::string new_keys = ssh_packet(21, std::string(10, '\0'));
  flow.server("SSH-2.0-ShrikeSSH_1.0 with comment\r\n")
      .client("SSH-2.0-bird\r\n" + key_exchange("c-"))
      .server(key_exchange("s-"))
      .client(ssh_packet(30, std::string(40, 'e')))
      .server(ssh_packet(31, std::string(400, 'r')) + new_keys)
      .client(new_keys)
      .client(std::string(100, '\xee'));
}

void talk_dns(Conversation& flow) {
  flow.client(tls::sized(2, dns_message(false))).server(tls::sized(2, dns_message(true)));
}

struct Talk {
  uint16_t port;
  void (*say)(Conversation&);
};
constexpr Talk talks[] = {{80, talk_http}, {443, talk_tls}, {53, talk_dns},
                          {25, talk_smtp}, {445, talk_smb}, {22, talk_ssh}};

}  // namespace

std::vector<craft::TimedFrame> application_traffic(unsigned flows) {
  constexpr uint64_t start_ns = 1'700'000'000'000'000'000;
  constexpr uint64_t apart_ns = 1'000'000;
  std::vector<Flow> all;
  for (unsigned i = 0; i < flows; ++i) {
    const auto client_port = static_cast<uint16_t>(20000 + i);
    for (const Talk& talk : talks) {
      Conversation flow({.client_port = client_port,
                         .server_port = talk.port,
                         .start_ns = start_ns + i * apart_ns});
      flow.handshake();
      talk.say(flow);
      all.push_back(flow.close().frames());
    }
    Conversation query({.client_port = client_port,
                        .server_port = 53,
                        .is_udp = true,
                        .start_ns = start_ns + i * apart_ns});
    all.push_back(query.client(dns_message(false)).server(dns_message(true)).frames());
  }
  return craft::merge(all);
}

}  // namespace shrike::test
