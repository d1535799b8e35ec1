#include "mime.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;

// RFC 2045 and 5322, without the line end; what is longer is an event.
constexpr size_t plain_line_bytes_max = 998;
constexpr size_t encoded_line_bytes_max = 76;
constexpr size_t header_name_bytes_max = 75;
constexpr size_t boundary_bytes_max = 254;
/// What is kept of a file's name (Suricata: RS_MIME_MAX_TOKEN_LEN).
constexpr size_t file_name_bytes_max = 255;

}  // namespace

MimeMessage::MimeMessage(AppTransaction& transaction, const SmtpOptions& options) noexcept
    : transaction_(transaction),
      options_(options),
      header_text_(transaction.pool()),
      headers_(transaction.pool()),
      boundaries_(transaction.pool()),
      file_name_(transaction.pool()),
      attachments_(transaction.pool()),
      urls_(transaction.pool()),
      decoded_(transaction.pool()),
      joined_(transaction.pool()),
      unfinished_(transaction.pool()) {}

void MimeMessage::note(AppEvent event) {
  // Rules ask for them in either direction.
  transaction_.raise(Direction::to_server, event);
  transaction_.raise(Direction::to_client, event);
}

Bytes MimeMessage::name_of(const Header& header) const noexcept {
  return Bytes(header_text_).subspan(header.name_at, header.name_bytes);
}

Bytes MimeMessage::value_of(const Header& header) const noexcept {
  return Bytes(header_text_).subspan(header.value_at, header.value_bytes);
}

void MimeMessage::take_line(Bytes line, Bytes line_end, bool is_continued) {
  if (line.size() > plain_line_bytes_max) {
    note(AppEvent::smtp_mime_long_line);
  }
  if (part_ != Part::body) {
    if (body_digest_) {
      body_digest_->update(line);
      body_digest_->update(line_end);
    }
    take_header_line(line);
    return;
  }
  if (options_.body_md5) {
    if (!body_digest_) {
      body_digest_.emplace(Digest::Kind::md5);
    }
    body_digest_->update(line);
    body_digest_->update(line_end);
  }
  take_body_line(line, line_end, is_continued);
}

void MimeMessage::take_header_line(Bytes line) {
  if (line.empty()) {
    end_headers();
    return;
  }
  const bool goes_on = part_ == Part::header && (line[0] == ' ' || line[0] == '\t');
  if (!goes_on) {
    add_header(line);
    return;
  }
  if (header_text_.size() + line.size() > header_bytes_max) {
    note(AppEvent::smtp_mime_malformed_msg);
    return;
  }
  header_text_.insert(header_text_.end(), line.begin() + 1, line.end());
  headers_.back().value_bytes += static_cast<uint32_t>(line.size() - 1);
}

void MimeMessage::add_header(Bytes line) {
  const std::optional<HeaderLine> header = split_header(line);
  if (!header) {
    return;
  }
  if (headers_.size() >= headers_max || header_text_.size() + line.size() > header_bytes_max) {
    note(AppEvent::smtp_mime_malformed_msg);
    return;
  }
  if (header->name.size() > header_name_bytes_max) {
    note(AppEvent::smtp_mime_long_header_name);
  }
  if (header->value.size() > options_.header_value_bytes_max) {
    note(AppEvent::smtp_mime_long_header_value);
  }
  const auto at = static_cast<uint32_t>(header_text_.size());
  const auto name_bytes = static_cast<uint32_t>(header->name.size());
  header_text_.insert(header_text_.end(), header->name.begin(), header->name.end());
  header_text_.insert(header_text_.end(), header->value.begin(), header->value.end());
  headers_.push_back(
      {at, name_bytes, at + name_bytes, static_cast<uint32_t>(header->value.size())});
  part_ = Part::header;
}

void MimeMessage::end_headers() {
  const bool is_mail_in_mail = study_headers();
  if (main_headers_ == 0) {
    main_headers_ = headers_.size();
  }
  if (is_mail_in_mail) {
    // The headers of the inner mail follow.
    part_ = Part::start;
    forget_part_headers();
    return;
  }
  part_ = Part::body;
  line_end_bytes_ = 0;
  if (!file_name_.empty() && transaction_.files().size() < files_max) {
    file_ = &transaction_.open_file(to_server, file_name_,
                                    {.bytes_max = 0,
                                     .inspect_bytes_min = options_.inspect_bytes_min,
                                     .window_bytes = options_.window_bytes});
  }
}

void MimeMessage::forget_part_headers() {
  headers_.resize(main_headers_);
  header_text_.resize(headers_.empty() ? 0
                                       : headers_.back().value_at + headers_.back().value_bytes);
}

/// What the headers of the part at hand say. True where it is a whole mail itself.
bool MimeMessage::study_headers() {
  bool is_mail_in_mail = false;
  for (size_t i = main_headers_; i < headers_.size(); ++i) {
    const Bytes name = name_of(headers_[i]);
    const Bytes value = value_of(headers_[i]);
    if (is_same_nocase(name, "content-disposition")) {
      study_disposition(value);
    } else if (is_same_nocase(name, "content-transfer-encoding")) {
      study_encoding(value);
    } else if (is_same_nocase(name, "content-type")) {
      is_mail_in_mail = study_type(value) || is_mail_in_mail;
    }
  }
  return is_mail_in_mail;
}

void MimeMessage::name_file(Bytes name) {
  if (name.size() > file_name_bytes_max) {
    note(AppEvent::smtp_mime_long_filename);
    name = name.first(file_name_bytes_max);
  }
  file_name_.assign(name.begin(), name.end());
  if (attachments_.size() < files_max) {
    attachments_.push_back(transaction_.keep(name));
  }
}

void MimeMessage::study_disposition(Bytes value) {
  if (!file_name_.empty()) {
    return;
  }
  if (const std::optional<Bytes> name = find_parameter(value, "filename", joined_)) {
    name_file(*name);
  }
}

void MimeMessage::study_encoding(Bytes value) {
  if (is_same_nocase(value, "base64")) {
    encoding_ = Encoding::base64;
    base64_ = Base64Lines{};
  } else if (is_same_nocase(value, "quoted-printable")) {
    encoding_ = Encoding::quoted_printable;
  }
}

bool MimeMessage::study_type(Bytes value) {
  if (file_name_.empty()) {
    if (const std::optional<Bytes> name = find_parameter(value, "name", joined_)) {
      name_file(*name);
    }
  }
  if (const std::optional<Bytes> boundary = find_parameter(value, "boundary", joined_)) {
    if (boundary->size() > boundary_bytes_max) {
      note(AppEvent::smtp_mime_long_boundary);
    }
    if (boundaries_.size() < boundaries_max) {
      PoolBytes& text = boundaries_.emplace_back(transaction_.pool());
      text.assign(2, '-');
      text.insert(text.end(), boundary->begin(), boundary->end());
    } else {
      note(AppEvent::smtp_mime_malformed_msg);
    }
  }
  const std::string_view text = as_text(value);
  const std::string_view type = text.substr(0, text.find(';'));
  content_ = type == "text/plain" || type == "text/html" ? Content::text : Content::other;
  return type.starts_with("message/");
}

bool MimeMessage::is_boundary(Bytes line) const noexcept {
  return !boundaries_.empty() && as_text(line).starts_with(as_text(boundaries_.back()));
}

void MimeMessage::take_body_line(Bytes line, Bytes line_end, bool is_continued) {
  if (!is_continued && is_boundary(line)) {
    end_part(line);
    return;
  }
  if (file_name_.empty()) {
    if (content_ != Content::other) {
      take_text(line, line_end);
    }
    return;
  }
  switch (encoding_) {
    case Encoding::plain:
      take_plain(line, line_end);
      break;
    case Encoding::base64:
      take_base64(line);
      break;
    case Encoding::quoted_printable:
      take_quoted_printable(line, line_end);
      break;
  }
}

void MimeMessage::end_part(Bytes boundary_line) {
  if (encoding_ == Encoding::base64 && options_.decode_base64 && file_ != nullptr) {
    decoded_.clear();
    base64_.flush(decoded_);
    transaction_.append_file(*file_, decoded_);
  }
  part_ = Part::start;
  encoding_ = Encoding::plain;
  file_name_.clear();
  forget_part_headers();
  const Bytes behind = boundary_line.subspan(boundaries_.back().size());
  if (as_text(behind).starts_with("--")) {
    boundaries_.pop_back();
  }
  if (file_ != nullptr) {
    transaction_.close_file(*file_, FileState::closed);
    file_ = nullptr;
  }
}

/// A text that is no file: only its URLs matter.
void MimeMessage::take_text(Bytes line, Bytes line_end) {
  if (encoding_ == Encoding::base64) {
    if (!options_.decode_base64) {
      return;
    }
    if (line.size() > encoded_line_bytes_max) {
      note(AppEvent::smtp_mime_long_enc_line);
    }
    decoded_.clear();
    if (base64_.decode(line, decoded_)) {
      find_urls(decoded_);
    } else {
      note(AppEvent::smtp_mime_invalid_base64);
    }
    return;
  }
  decoded_.assign(line.begin(), line.end());
  decoded_.insert(decoded_.end(), line_end.begin(), line_end.end());
  find_urls(decoded_);
}

/// The end of a line is held back until it is clear that no boundary follows: there it would not
/// belong to the file.
void MimeMessage::take_plain(Bytes line, Bytes line_end) {
  decoded_.assign(line_end_, line_end_ + line_end_bytes_);
  decoded_.insert(decoded_.end(), line.begin(), line.end());
  if (file_ != nullptr) {
    transaction_.append_file(*file_, decoded_);
  }
  line_end_bytes_ = static_cast<uint8_t>(std::min(line_end.size(), sizeof line_end_));
  std::copy_n(line_end.begin(), line_end_bytes_, line_end_);
  decoded_.assign(line.begin(), line.end());
  decoded_.insert(decoded_.end(), line_end.begin(), line_end.end());
  find_urls(decoded_);
}

void MimeMessage::take_base64(Bytes line) {
  if (!options_.decode_base64) {
    return;
  }
  if (line.size() > encoded_line_bytes_max) {
    note(AppEvent::smtp_mime_long_enc_line);
  }
  decoded_.clear();
  if (!base64_.decode(line, decoded_)) {
    note(AppEvent::smtp_mime_invalid_base64);
    return;
  }
  if (file_ != nullptr) {
    transaction_.append_file(*file_, decoded_);
  }
  find_urls(decoded_);
}

void MimeMessage::take_quoted_printable(Bytes line, Bytes line_end) {
  if (!options_.decode_quoted_printable) {
    return;
  }
  if (line.size() > encoded_line_bytes_max) {
    note(AppEvent::smtp_mime_long_enc_line);
  }
  decoded_.clear();
  if (!decode_quoted_printable(line, line_end, decoded_)) {
    note(AppEvent::smtp_mime_invalid_qp);
  }
  if (file_ != nullptr) {
    transaction_.append_file(*file_, decoded_);
  }
  find_urls(decoded_);
}

void MimeMessage::finish() {
  constexpr uint8_t line_feed[]{'\n'};
  find_urls(line_feed);
  if (file_ != nullptr) {
    transaction_.close_file(*file_, FileState::closed);
    file_ = nullptr;
  }
  add_fields();
}

void MimeMessage::cut_off() {
  if (file_ != nullptr) {
    transaction_.close_file(*file_, FileState::truncated);
    file_ = nullptr;
  }
}

}  // namespace shrike::protocol
