#include "dns_message.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

/// Longest text of a name, in bytes; longer ones are cut (dnsmasq's bound, and Suricata's).
constexpr size_t name_bytes_max = 1025;
/// Labels and pointers of one name; it ends loops.
constexpr unsigned labels_max = 255;

constexpr bool has_possible_counts(const std::array<uint16_t, 4>& counts, bool is_request,
                                   size_t message_bytes) {
  const size_t records = size_t{counts[0]} + counts[1] + counts[2] + counts[3];
  if (2 * records > message_bytes || (records == 0 && message_bytes > dns_header_bytes)) {
    return false;
  }
  return !is_request || counts[0] != 0;
}

/// Walks over one message. Without a message to fill it only checks.
class DnsReader {
 public:
  DnsReader(Bytes bytes, DnsMessage* message) : bytes_(bytes), message_(message) {}

  bool read_body(const std::array<uint16_t, 4>& counts);

 private:
  enum class Step : uint8_t { go_on, stop, fail };
  struct NameWalk {
    size_t position;
    size_t end;
    size_t behind_pointer = 0;  ///< 0: none was followed
    unsigned labels = 0;
    bool is_kept = false;
    bool is_loop = false;
    bool is_over_labels = false;
  };
  Step follow_pointer(NameWalk& walk) const;
  Step take_label(NameWalk& walk, DnsName& name);
  Step hold_bounds(NameWalk& walk, DnsName& name);
  bool read_name(size_t& at, size_t end, DnsName& name);
  bool read_question();
  bool read_record(DnsSection section, bool is_kept);
  bool read_section(DnsSection section, size_t count);
  bool read_data(DnsRecord& record, size_t at, size_t end);
  bool read_authority(DnsRecord& record, size_t at, size_t end);
  bool check_lengths(size_t at, size_t end, size_t code_bytes, size_t length_bytes) const;
  void append(DnsName& name, size_t at, size_t count, bool is_kept);
  void keep(DnsRecord& record, size_t at, size_t count);
  [[nodiscard]] bool has_room() const {
    return message_ != nullptr && message_->texts.size() < DnsMessage::text_bytes_max;
  }

  Bytes bytes_;
  DnsMessage* message_;
  size_t at_ = dns_header_bytes;
};

/// Adds a label to a name that stands at the end of the texts.
void DnsReader::append(DnsName& name, size_t at, size_t count, bool is_kept) {
  const size_t dot = name.length == 0 ? 0 : 1;
  name.length += static_cast<uint32_t>(dot + count);
  if (is_kept) {
    if (dot != 0) {
      message_->texts.push_back('.');
    }
    const auto from = bytes_.begin() + static_cast<ptrdiff_t>(at);
    message_->texts.insert(message_->texts.end(), from, from + static_cast<ptrdiff_t>(count));
  }
}

/// Follows the pointer at the walk's position.
DnsReader::Step DnsReader::follow_pointer(NameWalk& walk) const {
  if (walk.position + 2 > walk.end) {
    return Step::fail;
  }
  const size_t target = load_big16(&bytes_[walk.position]) & 0x3fff;
  if (target > bytes_.size()) {
    return Step::fail;
  }
  const Bytes there = bytes_.subspan(target);
  const Bytes here = bytes_.subspan(walk.position, walk.end - walk.position);
  if (there.size() == here.size() && std::equal(there.begin(), there.end(), here.begin())) {
    walk.is_loop = true;
    return walk.behind_pointer == 0 ? Step::fail : Step::stop;
  }
  walk.behind_pointer = walk.behind_pointer == 0 ? walk.position + 2 : walk.behind_pointer;
  walk.position = target;
  walk.end = bytes_.size();
  return Step::go_on;
}

/// Takes what stands at the walk's position: a label, a pointer or the end.
DnsReader::Step DnsReader::take_label(NameWalk& walk, DnsName& name) {
  const uint8_t length = bytes_[walk.position];
  if (length == 0) {
    ++walk.position;
    return Step::stop;
  }
  if ((length & 0xc0) == 0xc0) {
    return follow_pointer(walk);
  }
  if ((length & 0xc0) != 0 || walk.position + 1 + length > walk.end) {
    return Step::fail;
  }
  if (!name.is_truncated) {
    append(name, walk.position + 1, length, walk.is_kept);
  }
  walk.position += 1 + size_t{length};
  return Step::go_on;
}

/// Holds a name within its bounds. One that followed a pointer may end here, as what follows it in
/// the message is known; another must be walked to its end.
DnsReader::Step DnsReader::hold_bounds(NameWalk& walk, DnsName& name) {
  const bool has_end = walk.behind_pointer != 0;
  if (++walk.labels > labels_max) {
    walk.is_over_labels = name.is_truncated = true;
    return has_end ? Step::stop : Step::fail;
  }
  if (name.length > name_bytes_max) {
    if (walk.is_kept) {
      message_->texts.resize(name.offset + name_bytes_max);
    }
    name.length = name_bytes_max;
    name.is_truncated = true;
    return has_end ? Step::stop : Step::go_on;
  }
  return Step::go_on;
}

/// @param at in: where the name begins; out: behind it, or behind its first pointer.
/// @param end of what the name may use before it follows a pointer.
bool DnsReader::read_name(size_t& at, size_t end, DnsName& name) {
  NameWalk walk{.position = at, .end = end, .is_kept = has_room()};
  name.offset = walk.is_kept ? static_cast<uint32_t>(message_->texts.size()) : 0;
  Step step = Step::go_on;
  while (step == Step::go_on && walk.position < walk.end) {
    step = take_label(walk, name);
    if (step == Step::go_on) {
      step = hold_bounds(walk, name);
    }
  }
  if (step == Step::fail) {
    return false;
  }
  at = walk.behind_pointer == 0 ? walk.position : walk.behind_pointer;
  name.length = walk.is_kept ? name.length : 0;
  if (message_ != nullptr) {
    message_->has_infinite_loop |= walk.is_loop;
    message_->has_too_many_labels |= walk.is_over_labels;
    message_->name_is_too_long |= name.is_truncated;
  }
  return true;
}

bool DnsReader::read_question() {
  DnsQuestion question;
  if (!read_name(at_, bytes_.size(), question.name) || bytes_.size() - at_ < 4) {
    return false;
  }
  question.type = load_big16(&bytes_[at_]);
  at_ += 4;
  if (message_ != nullptr && message_->questions.size() < DnsMessage::records_max) {
    message_->questions.push_back(question);
  }
  return true;
}

void DnsReader::keep(DnsRecord& record, size_t at, size_t count) {
  if (!has_room()) {
    return;
  }
  record.data_offset = static_cast<uint32_t>(message_->texts.size());
  record.data_bytes = static_cast<uint32_t>(count);
  const auto from = bytes_.begin() + static_cast<ptrdiff_t>(at);
  message_->texts.insert(message_->texts.end(), from, from + static_cast<ptrdiff_t>(count));
}

/// Whether [at, end) is filled by items that each have a length in front of them, behind a code.
bool DnsReader::check_lengths(size_t at, size_t end, size_t code_bytes, size_t length_bytes) const {
  while (at < end) {
    if (end - at < code_bytes + length_bytes) {
      return false;
    }
    at += code_bytes;
    const size_t length = length_bytes == 1 ? bytes_[at] : load_big16(&bytes_[at]);
    at += length_bytes;
    if (end - at < length) {
      return false;
    }
    at += length;
  }
  return true;
}

/// SOA: two names and five numbers.
bool DnsReader::read_authority(DnsRecord& record, size_t at, size_t end) {
  constexpr size_t numbers_bytes = 20;
  if (!read_name(at, end, record.target) || !read_name(at, end, record.mailbox) ||
      end - at < numbers_bytes) {
    return false;
  }
  record.has_target = true;
  keep(record, at, numbers_bytes);
  return true;
}

bool DnsReader::read_data(DnsRecord& record, size_t at, size_t end) {
  size_t before_name = 0;
  switch (record.type) {
    case dns_type::cname:
    case dns_type::ns:
    case dns_type::ptr:
      break;
    case dns_type::mx:
      before_name = 2;
      break;
    case dns_type::srv:
      before_name = 6;
      break;
    case dns_type::soa:
      return read_authority(record, at, end);
    case dns_type::txt:
      keep(record, at, end - at);
      return check_lengths(at, end, 0, 1);
    case dns_type::opt:
      keep(record, at, end - at);
      return check_lengths(at, end, 2, 2);
    case dns_type::sshfp:
      keep(record, at, end - at);
      return end - at >= 2;
    default:
      keep(record, at, end - at);
      return true;
  }
  if (end - at < before_name) {
    return false;
  }
  keep(record, at, before_name);
  at += before_name;
  record.has_target = true;
  return read_name(at, end, record.target);
}

bool DnsReader::read_record(DnsSection section, bool is_kept) {
  DnsMessage* const message = message_;
  message_ = is_kept ? message : nullptr;
  DnsRecord record;
  bool is_good = read_name(at_, bytes_.size(), record.name) && bytes_.size() - at_ >= 10;
  if (is_good) {
    record.type = load_big16(&bytes_[at_]);
    record.ttl = load_big32(&bytes_[at_ + 4]);
    const size_t data_bytes = load_big16(&bytes_[at_ + 8]);
    at_ += 10;
    is_good = bytes_.size() - at_ >= data_bytes &&
              (data_bytes == 0 || read_data(record, at_, at_ + data_bytes));
    at_ += is_good ? data_bytes : 0;
  }
  message_ = message;
  if (is_good && is_kept) {
    message_->sections[static_cast<size_t>(section)].push_back(record);
  }
  return is_good;
}

bool DnsReader::read_section(DnsSection section, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const bool is_kept = i < DnsMessage::records_max && has_room();
    if (message_ != nullptr && !is_kept) {
      message_->has_too_many[static_cast<size_t>(section)] = true;
    }
    if (!read_record(section, is_kept)) {
      return false;
    }
  }
  return true;
}

bool DnsReader::read_body(const std::array<uint16_t, 4>& counts) {
  for (size_t i = 0; i < counts[0]; ++i) {
    if (!read_question()) {
      return false;
    }
  }
  if (!read_section(DnsSection::answers, counts[1])) {
    return false;
  }
  for (const DnsSection section : {DnsSection::authorities, DnsSection::additionals}) {
    const auto index = static_cast<size_t>(section);
    if (!read_section(section, counts[index + 1])) {
      if (message_ != nullptr) {
        message_->sections[index].clear();
      }
      break;
    }
  }
  return true;
}

}  // namespace

DnsVerdict read_dns_message(Bytes bytes, DnsMessage& message) {
  ByteReader reader(bytes);
  message.id = reader.big16();
  message.flags = reader.big16();
  for (uint16_t& count : message.counts) {
    count = reader.big16();
  }
  if (reader.failed() ||
      !has_possible_counts(message.counts, !message.is_response(), bytes.size())) {
    return DnsVerdict::bad_header;
  }
  message.texts.reserve(bytes.size());
  message.questions.reserve(1);
  return DnsReader(bytes, &message).read_body(message.counts) ? DnsVerdict::good
                                                              : DnsVerdict::malformed;
}

bool is_dns_message(Bytes bytes, size_t message_bytes, bool& is_request) {
  bytes = bytes.first(std::min(bytes.size(), message_bytes));
  ByteReader reader(bytes);
  reader.skip(2);
  is_request = (reader.big16() & 0x8000) == 0;
  std::array<uint16_t, 4> counts{};
  for (uint16_t& count : counts) {
    count = reader.big16();
  }
  if (reader.failed() || !has_possible_counts(counts, is_request, message_bytes)) {
    return false;
  }
  return bytes.size() < message_bytes || DnsReader(bytes, nullptr).read_body(counts);
}

}  // namespace shrike::protocol
