#include "ssh.h"

#include <algorithm>

#include "digest_text.h"

namespace shrike::protocol {

namespace {

constexpr size_t banner_bytes_max = 256;  ///< RFC 4253 allows 255, as Suricata counts
constexpr size_t header_bytes = 6;        ///< packet length, padding length, message code
constexpr size_t exchange_bytes_max = 65535;
constexpr uint8_t code_exchange = 20;  ///< SSH_MSG_KEXINIT
constexpr uint8_t code_new_keys = 21;  ///< SSH_MSG_NEWKEYS
constexpr size_t cookie_bytes = 16;
constexpr size_t name_lists_count = 10;    ///< of KEXINIT
constexpr size_t exchange_tail_bytes = 5;  ///< first_kex_packet_follows, reserved

/// A line and where the next one begins.
struct Line {
  Bytes text;
  size_t next = 0;  ///< 0: the line's end is not here yet
};

/// Up to CR LF, LF, or a CR that something follows.
Line find_line(Bytes bytes) noexcept {
  const auto at = std::find_if(bytes.begin(), bytes.end(),
                               [](uint8_t byte) { return byte == '\r' || byte == '\n'; });
  const auto end = static_cast<size_t>(at - bytes.begin());
  Line line{bytes.first(end)};
  if (end == bytes.size() || (bytes[end] == '\r' && end + 1 == bytes.size())) {
    return line;
  }
  line.next = end + (bytes[end] == '\r' && bytes[end + 1] == '\n' ? 2 : 1);
  return line;
}

}  // namespace

Consumed SshParser::parse(const Input& input) {
  open();
  direction_ = input.direction;
  const Step step = input.bytes.empty() ? Step{} : read(input.bytes);
  if (!step.is_broken && step.needed == 0 && !input.bytes.empty()) {
    session_.inspect_raw_now(direction_);
  }
  return {step.bytes, step.needed, step.is_broken};
}

void SshParser::open() {
  if (transaction_ == nullptr) {
    transaction_ = &session_.open<AppTransaction>();
    transaction_->stay();
    transaction_->protocol = AppProtocol::ssh;
  }
}

/// Rules of either direction may ask for it: events are the session's, as in Suricata.
void SshParser::raise(AppEvent event) {
  transaction_->raise(Direction::to_server, event);
  transaction_->raise(Direction::to_client, event);
}

SshParser::Step SshParser::read(Bytes bytes) {
  Step step;
  if (side().phase == Phase::banner) {
    step = read_banner(bytes);
  } else if (side().phase == Phase::long_banner) {
    step = pass_long_banner(bytes);
  } else {
    return read_packets(bytes);
  }
  if (step.is_broken || step.needed != 0 || step.bytes == bytes.size()) {
    return step;
  }
  const Step more = read_packets(bytes.subspan(step.bytes));
  return {step.bytes + more.bytes, more.needed, more.is_broken};
}

SshParser::Step SshParser::read_banner(Bytes bytes) {
  const Line line = find_line(bytes);
  if (line.next == 0 && bytes.size() < banner_bytes_max) {
    return {.needed = bytes.size() + 1};
  }
  if (!take_banner(line.next == 0 ? bytes : line.text)) {
    raise(AppEvent::ssh_invalid_banner);
    return broken(0);
  }
  if (line.next == 0 || line.text.size() >= banner_bytes_max) {
    raise(AppEvent::ssh_long_banner);
  }
  if (line.next == 0) {
    side().phase = Phase::long_banner;
    return {bytes.size()};
  }
  side().phase = Phase::packets;
  transaction_->reach(direction_, Progress::line);
  return {line.next};
}

SshParser::Step SshParser::pass_long_banner(Bytes bytes) {
  const Line line = find_line(bytes);
  return {line.next == 0 ? bytes.size() : line.next};
}

/// "SSH-protoversion-softwareversion", and comments behind a blank.
bool SshParser::take_banner(Bytes line) {
  std::string_view text = as_text(line);
  if (!text.starts_with("SSH-")) {
    return false;
  }
  text.remove_prefix(4);
  const size_t dash = text.find('-');
  if (dash == 0 || dash == std::string_view::npos) {
    return false;
  }
  transaction_->add(direction_, Field::ssh_proto, text.substr(0, dash));
  text.remove_prefix(dash + 1);
  const std::string_view software = text.substr(0, text.find_first_of(" \r\n"));
  // Where a blank comes first, all that follows counts.
  const std::string_view shown = software.empty() ? text : software;
  if (!shown.empty()) {
    transaction_->add(direction_, Field::ssh_software, shown);
  }
  return true;
}

SshParser::Step SshParser::read_packets(Bytes bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const Step step = read_packet(bytes.subspan(done));
    done += step.bytes;
    if (step.is_broken || step.needed != 0) {
      return {done, step.needed, step.is_broken};
    }
  }
  return {done};
}

SshParser::Step SshParser::read_packet(Bytes bytes) {
  Side& from = side();
  if (from.skipped_bytes > 0) {
    const size_t count = std::min<size_t>(from.skipped_bytes, bytes.size());
    from.skipped_bytes -= static_cast<uint32_t>(count);
    return {count};
  }
  if (from.exchange_bytes > 0) {
    const size_t wanted = from.exchange_bytes;
    if (bytes.size() < wanted) {
      return {.needed = wanted};
    }
    from.exchange_bytes = 0;
    take_exchange(bytes.first(wanted));
    return {wanted};
  }
  if (bytes.size() < header_bytes) {
    return {.needed = header_bytes};
  }
  const uint32_t packet_bytes = load_big32(bytes.data());
  if (packet_bytes < 2) {
    raise(AppEvent::ssh_invalid_record);
    return broken(0);
  }
  return begin_packet(packet_bytes - 2, bytes[5], bytes.subspan(header_bytes));
}

/// @param content_bytes of the packet behind its header; `content` may have fewer of them, or more.
SshParser::Step SshParser::begin_packet(uint32_t content_bytes, uint8_t code, Bytes content) {
  Side& from = side();
  if (code == code_new_keys) {
    see_new_keys();
  } else if (code == code_exchange && session_.options().ssh_fingerprints) {
    if (content_bytes <= content.size()) {
      take_exchange(content.first(content_bytes));
      return {header_bytes + content_bytes};
    }
    if (content_bytes < exchange_bytes_max) {
      from.exchange_bytes = content_bytes;
      return {.bytes = header_bytes, .needed = content_bytes};
    }
    raise(AppEvent::ssh_long_kex_record);
  }
  from.skipped_bytes = content_bytes;
  return {header_bytes};
}

void SshParser::take_exchange(Bytes content) {
  Side& from = side();
  ByteReader reader(content);
  reader.skip(cookie_bytes);
  std::array<Bytes, name_lists_count> lists;
  for (Bytes& list : lists) {
    list = reader.take(reader.big32());
  }
  reader.skip(exchange_tail_bytes);
  if (reader.failed() || from.has_exchange) {
    return;
  }
  from.has_exchange = true;
  // Key exchange, then the ciphers, digests and compressions of what this side will send.
  const bool is_server = direction_ == Direction::to_client;
  PoolString text(session_.pool());
  for (const size_t first : {0, 2, 4, 6}) {
    const size_t list = first == 0 || !is_server ? first : first + 1;
    text += first == 0 ? "" : ";";
    text += as_text(lists[list]);
  }
  const DigestText hash = md5_text(as_bytes(text));
  transaction_->add(direction_, is_server ? Field::ssh_hassh_server : Field::ssh_hassh,
                    hash.text());
  transaction_->add(direction_,
                    is_server ? Field::ssh_hassh_server_string : Field::ssh_hassh_string,
                    std::string_view(text));
  transaction_->reach(direction_, Progress::headers);
}

/// What follows is encrypted. Until both sides are there, their packets are still stepped over.
void SshParser::see_new_keys() {
  side().phase = Phase::encrypted;
  if (sides_[0].phase != Phase::encrypted || sides_[1].phase != Phase::encrypted) {
    return;
  }
  transaction_->complete();
  session_.stop_raw(Direction::to_server);
  session_.stop_raw(Direction::to_client);
  session_.stop_parsing();
}

namespace {

void describe_side(const AppTransaction& ssh, Direction direction, JsonWriter& json) {
  const bool is_server = direction == Direction::to_client;
  const std::string_view version = ssh.text(direction, Field::ssh_proto);
  if (version.empty()) {
    return;
  }
  json.begin_object(is_server ? "server" : "client");
  json.text("proto_version", version);
  if (const std::string_view software = ssh.text(direction, Field::ssh_software);
      !software.empty()) {
    json.text("software_version", software);
  }
  const std::string_view hash =
      ssh.text(direction, is_server ? Field::ssh_hassh_server : Field::ssh_hassh);
  if (!hash.empty()) {
    json.begin_object("hassh");
    json.text("hash", hash);
    json.text("string", ssh.text(direction, is_server ? Field::ssh_hassh_server_string
                                                      : Field::ssh_hassh_string));
    json.end_object();
  }
  json.end_object();
}

constexpr Pattern patterns[] = {
    {.direction = Direction::to_server, .text = "SSH-", .offset = 0, .depth = 4},
    {.direction = Direction::to_client, .text = "SSH-", .offset = 0, .depth = 4},
};

}  // namespace

void SshParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  json.begin_object("ssh");
  describe_side(transaction, Direction::to_server, json);
  describe_side(transaction, Direction::to_client, json);
  json.end_object();
}

constinit const ParserRow ssh_row =
    row_of_parser<SshParser>({.protocol = AppProtocol::ssh, .patterns = patterns});

}  // namespace shrike::protocol
