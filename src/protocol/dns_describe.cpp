// The EVE objects "dns" (version 3 of Suricata's format), "mdns" and "llmnr".
#include <arpa/inet.h>

#include <string>

#include "dns.h"
#include "dns_names.h"
#include "short_text.h"

namespace shrike::protocol {

namespace {

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& each : upper) {
    each = each >= 'a' && each <= 'z' ? static_cast<char>(each & ~32) : each;
  }
  return upper;
}

std::string type_text(uint16_t type, bool is_lower) {
  const std::string_view name = dns_type_name(type);
  if (name.empty()) {
    return std::to_string(type);
  }
  return is_lower ? std::string(name) : to_upper(name);
}

std::string rcode_text(uint8_t rcode) {
  const std::string_view name = dns_rcode_name(rcode);
  return name.empty() ? std::to_string(rcode) : to_upper(name);
}

ShortText address_text(Bytes bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  if (bytes.size() == 4 || bytes.size() == 16) {
    inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  }
  return std::string_view(text);
}

/// Writes the parts of one message. `is_mdns`: that format names the data by its type.
class MessageWriter {
 public:
  MessageWriter(const DnsMessage& message, JsonWriter& json, bool is_mdns)
      : message_(message), json_(json), is_mdns_(is_mdns) {}

  void questions();
  void section(std::string_view key, DnsSection which);

 private:
  void record(const DnsRecord& record);
  void data(const DnsRecord& record, std::string_view key);
  void authority(const DnsRecord& record, std::string_view key);
  void options(const DnsRecord& record, std::string_view key);
  void service(const DnsRecord& record, std::string_view key);
  void fingerprint(const DnsRecord& record, std::string_view key);
  void texts(const DnsRecord& record);
  void text(std::string_view key, const DnsName& name) {
    json_.text(key, as_text(message_.text_of(name)));
  }

  const DnsMessage& message_;
  JsonWriter& json_;
  bool is_mdns_;
};

void MessageWriter::questions() {
  if (message_.questions.empty()) {
    return;
  }
  json_.begin_array("queries");
  for (const DnsQuestion& question : message_.questions) {
    json_.begin_element_object();
    text("rrname", question.name);
    json_.text("rrtype", type_text(question.type, is_mdns_));
    if (question.name.is_truncated) {
      json_.boolean("rrname_truncated", true);
    }
    json_.end_object();
  }
  json_.end_array();
}

void MessageWriter::authority(const DnsRecord& record, std::string_view key) {
  ByteReader numbers(message_.data_of(record));
  json_.begin_object(key);
  text("mname", record.target);
  if (record.target.is_truncated) {
    json_.boolean("mname_truncated", true);
  }
  text("rname", record.mailbox);
  if (record.mailbox.is_truncated) {
    json_.boolean("rname_truncated", true);
  }
  for (const std::string_view name : {"serial", "refresh", "retry", "expire", "minimum"}) {
    json_.number(name, numbers.big32());
  }
  json_.end_object();
}

void MessageWriter::options(const DnsRecord& record, std::string_view key) {
  ByteReader reader(message_.data_of(record));
  json_.begin_array(key);
  while (reader.left() != 0) {
    const uint16_t code = reader.big16();
    const Bytes data = reader.take(reader.big16());
    if (reader.failed()) {
      break;
    }
    json_.begin_element_object();
    json_.number("code", code);
    json_.hex("data", data);
    json_.end_object();
  }
  json_.end_array();
}

void MessageWriter::service(const DnsRecord& record, std::string_view key) {
  ByteReader numbers(message_.data_of(record));
  json_.begin_object(key);
  for (const std::string_view name : {"priority", "weight", "port"}) {
    json_.number(name, numbers.big16());
  }
  text("name", record.target);
  json_.end_object();
}

void MessageWriter::fingerprint(const DnsRecord& record, std::string_view key) {
  ByteReader reader(message_.data_of(record));
  const uint8_t algorithm = reader.u8();
  const uint8_t type = reader.u8();
  json_.begin_object(key);
  json_.hex("fingerprint", reader.rest(), ":");
  json_.number("algo", algorithm);
  json_.number("type", type);
  json_.end_object();
}

/// What a record holds. Types without a form of their own are shown by mDNS only.
void MessageWriter::data(const DnsRecord& record, std::string_view key) {
  const auto key_or = [&](std::string_view own) { return is_mdns_ ? key : own; };
  switch (record.type) {
    case dns_type::a:
    case dns_type::aaaa:
      json_.text(key, address_text(message_.data_of(record)));
      break;
    case dns_type::cname:
    case dns_type::mx:
    case dns_type::ns:
    case dns_type::ptr:
      text(key, record.target);
      if (record.target.is_truncated) {
        json_.boolean("rdata_truncated", true);
      }
      break;
    case dns_type::null:
      json_.text(key, as_text(message_.data_of(record)));
      break;
    case dns_type::soa:
      authority(record, key_or("soa"));
      break;
    case dns_type::sshfp:
      fingerprint(record, key_or("sshfp"));
      break;
    case dns_type::srv:
      service(record, key_or("srv"));
      break;
    case dns_type::opt:
      options(record, key_or("opt"));
      break;
    default:
      if (is_mdns_) {
        json_.text(key, as_text(message_.data_of(record)));
      }
      break;
  }
}

void MessageWriter::record(const DnsRecord& record) {
  json_.begin_element_object();
  text("rrname", record.name);
  if (record.name.is_truncated) {
    json_.boolean("rrname_truncated", true);
  }
  const std::string type = type_text(record.type, is_mdns_);
  if (!is_mdns_) {
    json_.text("rrtype", type);
    json_.number("ttl", record.ttl);
  }
  data(record, is_mdns_ ? std::string_view(type) : "rdata");
  json_.end_object();
}

/// TXT: DNS shows each of its texts as a record, mDNS shows one record with a list.
void MessageWriter::texts(const DnsRecord& record) {
  ByteReader reader(message_.data_of(record));
  if (is_mdns_) {
    json_.begin_element_object();
    text("rrname", record.name);
    json_.begin_array("txt");
    while (reader.left() != 0) {
      json_.element(as_text(reader.take(reader.u8())));
    }
    json_.end_array();
    json_.end_object();
    return;
  }
  while (reader.left() != 0) {
    json_.begin_element_object();
    text("rrname", record.name);
    json_.text("rrtype", "TXT");
    json_.number("ttl", record.ttl);
    json_.text("rdata", as_text(reader.take(reader.u8())));
    json_.end_object();
  }
}

void MessageWriter::section(std::string_view key, DnsSection which) {
  bool is_open = false;
  for (const DnsRecord& each : message_.section(which)) {
    const bool is_empty_option = each.type == dns_type::opt && each.data_bytes == 0;
    if (is_empty_option && which == DnsSection::additionals) {
      continue;
    }
    if (!is_open) {
      json_.begin_array(key);
      is_open = true;
    }
    if (each.type == dns_type::txt) {
      texts(each);
    } else {
      record(each);
    }
  }
  if (is_open) {
    json_.end_array();
  }
}

struct FlagName {
  uint16_t bit;
  std::string_view name;
};

void write_dns_header(const DnsMessage& message, uint64_t transaction_id, JsonWriter& json) {
  static constexpr FlagName flags[] = {{0x8000, "qr"}, {0x0400, "aa"}, {0x0200, "tc"},
                                       {0x0100, "rd"}, {0x0080, "ra"}, {0x0040, "z"}};
  static constexpr char digits[] = "0123456789abcdef";
  json.number("tx_id", transaction_id);
  json.number("id", message.id);
  std::string hex;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = message.flags >> shift & 0xf;
    if (digit != 0 || !hex.empty() || shift == 0) {
      hex += digits[digit];
    }
  }
  json.text("flags", hex);
  for (const auto& [bit, name] : flags) {
    if ((message.flags & bit) != 0) {
      json.boolean(name, true);
    }
  }
  json.number("opcode", message.opcode());
  json.text("rcode", rcode_text(message.rcode()));
}

void write_mdns_header(const DnsMessage& message, JsonWriter& json) {
  static constexpr FlagName flags[] = {{0x0400, "aa"}, {0x0200, "tc"}, {0x0100, "rd"},
                                       {0x0080, "ra"}, {0x0040, "z"},  {0x0020, "ad"},
                                       {0x0010, "cd"}};
  json.number("id", message.id);
  if ((message.flags & 0x07f0) != 0) {
    json.begin_array("flags");
    for (const auto& [bit, name] : flags) {
      if ((message.flags & bit) != 0) {
        json.element(name);
      }
    }
    json.end_array();
  }
  json.number("opcode", message.opcode());
  json.number("rcode", message.rcode());
}

void write_sections(MessageWriter& writer) {
  writer.questions();
  writer.section("answers", DnsSection::answers);
  writer.section("authorities", DnsSection::authorities);
  writer.section("additionals", DnsSection::additionals);
}

void write_dns(const AppTransaction& transaction, std::string_view key, JsonWriter& json) {
  const auto& dns = static_cast<const DnsTransaction&>(transaction);
  const bool is_request = dns.skips[static_cast<size_t>(Direction::to_client)];
  describe_dns(key, dns.message, dns.id, is_request, json);
}

}  // namespace

void describe_dns(std::string_view key, const DnsMessage& message, uint64_t transaction_id,
                  bool is_request, JsonWriter& json) {
  MessageWriter writer(message, json, false);
  json.begin_object(key);
  json.number("version", 3);
  json.text("type", is_request ? "request" : "response");
  write_dns_header(message, transaction_id, json);
  write_sections(writer);
  json.end_object();
}

void DnsParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  write_dns(transaction, "dns", json);
}

void LlmnrParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  write_dns(transaction, "llmnr", json);
}

void MdnsParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const DnsMessage& message = static_cast<const DnsTransaction&>(transaction).message;
  MessageWriter writer(message, json, true);
  json.begin_object("mdns");
  json.text("type", message.is_response() ? "response" : "request");
  write_mdns_header(message, json);
  write_sections(writer);
  json.end_object();
}

}  // namespace shrike::protocol
