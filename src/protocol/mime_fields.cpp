// What rules and records see of a mail besides its files: URLs and header fields.
#include <algorithm>
#include <array>

#include "digest_text.h"
#include "mime.h"

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
/// Bytes without a line end that are looked through for URLs at a time.
constexpr size_t unfinished_bytes_max = 8192;
constexpr std::string_view url_scheme = "http://";
constexpr std::string_view url_ends = " \"'<>]\t\r\n";

struct EmailField {
  std::string_view header;  ///< lower case
  Field field;
  bool is_multiple = false;
};

constexpr std::array<EmailField, 8> email_fields{{
    {"from", Field::email_from},
    {"subject", Field::email_subject},
    {"to", Field::email_to},
    {"cc", Field::email_cc},
    {"date", Field::email_date},
    {"message-id", Field::email_message_id},
    {"x-mailer", Field::email_x_mailer},
    {"received", Field::email_received, true},
}};

/// The next one, or text.size().
size_t find_scheme(std::string_view text) noexcept {
  const auto at = std::search(
      text.begin(), text.end(), url_scheme.begin(), url_scheme.end(), [](char letter, char wanted) {
        return letter == wanted || (letter >= 'A' && letter <= 'Z' && (letter | 32) == wanted);
      });
  return static_cast<size_t>(at - text.begin());
}

}  // namespace

void MimeMessage::find_urls(Bytes text) {
  if (!options_.extract_urls) {
    return;
  }
  if (unfinished_.empty() && !text.empty() && text.back() == '\n') {
    extract_urls(text);
    return;
  }
  unfinished_.insert(unfinished_.end(), text.begin(), text.end());
  if (unfinished_.size() > unfinished_bytes_max) {
    extract_urls(unfinished_);
    unfinished_.clear();
    return;
  }
  const auto line_end = std::find(unfinished_.rbegin(), unfinished_.rend(), uint8_t{'\n'}).base();
  if (line_end != unfinished_.begin()) {
    extract_urls(Bytes(unfinished_).first(static_cast<size_t>(line_end - unfinished_.begin())));
    unfinished_.erase(unfinished_.begin(), line_end);
  }
}

void MimeMessage::extract_urls(Bytes bytes) {
  std::string_view text = as_text(bytes);
  for (size_t at = find_scheme(text); at < text.size(); at = find_scheme(text)) {
    text.remove_prefix(at + url_scheme.size());
    const std::string_view url = text.substr(0, text.find_first_of(url_ends));
    if (urls_.size() < urls_max) {
      urls_.push_back(transaction_.keep(as_bytes(url)));
    }
    text.remove_prefix(url.size());
  }
}

const MimeMessage::Header* MimeMessage::find_main(std::string_view lower_name) const noexcept {
  for (size_t i = 0; i < main_headers_; ++i) {
    if (is_same_nocase(name_of(headers_[i]), lower_name)) {
      return &headers_[i];
    }
  }
  return nullptr;
}

void MimeMessage::add_fields() {
  for (const EmailField& each : email_fields) {
    for (size_t i = 0; i < main_headers_; ++i) {
      if (!is_same_nocase(name_of(headers_[i]), each.header)) {
        continue;
      }
      transaction_.add(to_server, each.field, value_of(headers_[i]));
      if (!each.is_multiple) {
        break;
      }
    }
  }
  for (const Bytes url : urls_) {
    transaction_.add_kept(to_server, Field::email_url, url);
  }
  if (body_digest_) {
    transaction_.add(to_server, Field::email_body_md5, DigestText(body_digest_->finish()).text());
  }
}

/// A header of several addresses, cut at its commas.
void MimeMessage::describe_list(JsonWriter& json, std::string_view name) const {
  const Header* const header = find_main(name);
  if (header == nullptr) {
    return;
  }
  json.begin_array(name);
  std::string_view rest = as_text(value_of(*header));
  for (size_t comma = rest.find(','); comma != std::string_view::npos; comma = rest.find(',')) {
    json.element(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  json.element(rest);
  json.end_array();
}

void MimeMessage::describe(JsonWriter& json) const {
  if (const Header* const from = find_main("from")) {
    json.text("from", as_text(value_of(*from)));
  }
  describe_list(json, "to");
  describe_list(json, "cc");
  json.text("status", "PARSE_DONE");
  if (!attachments_.empty()) {
    json.begin_array("attachment");
    for (const Bytes name : attachments_) {
      json.element(as_text(name));
    }
    json.end_array();
  }
  if (!urls_.empty()) {
    json.begin_array("url");
    for (auto url = urls_.rbegin(); url != urls_.rend(); ++url) {
      json.element(as_text(*url));
    }
    json.end_array();
  }
}

}  // namespace shrike::protocol
