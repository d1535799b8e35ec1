#pragma once
#include <optional>

#include "app_transaction.h"
#include "mime_headers.h"
#include "shrike/base/digest.h"
#include "shrike/base/json_writer.h"
#include "shrike/protocol.h"

namespace shrike::protocol {

/// A mail on its way, line by line: headers, parts, encodings. Parts that have a file name become
/// files of the transaction; URLs are looked for in texts and files. Fields and files belong to
/// the client's direction. Sources: RFC 5322, 2045, 2046, 2183; how Suricata cuts parts.
///
/// Memory is bounded: passing a bound gives smtp.mime_malformed_msg, and what is beyond it is left
/// out.
class MimeMessage {
 public:
  /// Bytes of a line that may come in one piece; longer ones come in several while in a body.
  static constexpr size_t line_bytes_max = 4096;

  MimeMessage(AppTransaction& transaction, const SmtpOptions& options) noexcept;
  MimeMessage(const MimeMessage&) = delete;
  MimeMessage& operator=(const MimeMessage&) = delete;

  /// @param line_end "\r\n" or "\n"; empty where the line goes on in the next call
  /// @param is_continued it is not the start of a line
  void take_line(Bytes line, Bytes line_end, bool is_continued);
  [[nodiscard]] bool is_in_body() const noexcept { return part_ == Part::body; }
  /// The mail is complete: its header fields and URLs become values.
  void finish();
  /// Nothing more comes, and the mail is not complete.
  void cut_off();

  /// The members of EVE "email".
  void describe(JsonWriter& json) const;

 private:
  enum class Part : uint8_t { start, header, body };
  enum class Encoding : uint8_t { plain, base64, quoted_printable };
  enum class Content : uint8_t { message, text, other };
  struct Header {
    uint32_t name_at;
    uint32_t name_bytes;
    uint32_t value_at;
    uint32_t value_bytes;
  };

  static constexpr size_t headers_max = 2048;
  static constexpr size_t header_bytes_max = 256 << 10;  ///< of one mail's headers in all
  static constexpr size_t boundaries_max = 32;           ///< multiparts in multiparts
  static constexpr size_t files_max = 255;               ///< File::number is a byte
  static constexpr size_t urls_max = 1024;

  void take_header_line(Bytes line);
  void add_header(Bytes line);
  void end_headers();
  void forget_part_headers();
  [[nodiscard]] bool study_headers();
  void study_disposition(Bytes value);
  void study_encoding(Bytes value);
  [[nodiscard]] bool study_type(Bytes value);
  void name_file(Bytes name);
  void take_body_line(Bytes line, Bytes line_end, bool is_continued);
  [[nodiscard]] bool is_boundary(Bytes line) const noexcept;
  void end_part(Bytes boundary_line);
  void take_text(Bytes line, Bytes line_end);
  void take_plain(Bytes line, Bytes line_end);
  void take_base64(Bytes line);
  void take_quoted_printable(Bytes line, Bytes line_end);
  void find_urls(Bytes text);
  void extract_urls(Bytes text);
  void add_fields();
  void note(AppEvent event);

  [[nodiscard]] Bytes name_of(const Header& header) const noexcept;
  [[nodiscard]] Bytes value_of(const Header& header) const noexcept;
  [[nodiscard]] const Header* find_main(std::string_view lower_name) const noexcept;
  void describe_list(JsonWriter& json, std::string_view name) const;

  AppTransaction& transaction_;
  const SmtpOptions& options_;
  Part part_ = Part::start;
  Encoding encoding_ = Encoding::plain;
  Content content_ = Content::message;
  PoolBytes header_text_;
  PoolVector<Header> headers_;  ///< the mail's own first, then those of the part at hand
  size_t main_headers_ = 0;
  PoolVector<PoolBytes> boundaries_;  ///< with their two hyphens; the innermost last
  PoolBytes file_name_;               ///< of the part at hand; empty: it is no file
  File* file_ = nullptr;
  PoolVector<Bytes> attachments_;
  PoolVector<Bytes> urls_;
  Base64Lines base64_;
  PoolBytes decoded_;
  PoolBytes joined_;       ///< scratch for parameters in sections
  PoolBytes unfinished_;   ///< decoded text behind the last line end, for URLs
  uint8_t line_end_[2]{};  ///< of the last plain line: it may belong to the boundary
  uint8_t line_end_bytes_ = 0;
  std::optional<Digest> body_digest_;
};

}  // namespace shrike::protocol
