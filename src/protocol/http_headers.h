#pragma once
#include "memory.h"
#include "shrike/base/bytes.h"

/// Header fields of HTTP/1, cut as libhtp cuts them: folding, line ends of all sorts, lines without
/// a colon (rust/htp/src/headers.rs). RFC 9112, section 5.
namespace shrike::protocol::http {

enum class HeaderSide : uint8_t {
  request,
  response,  ///< a lone CR ends a line too
};

/// What is odd about a header field.
struct HeaderFlags {
  bool missing_colon = false;  ///< the name is empty, the value is the line
  bool name_empty = false;
  bool name_leading_space = false;
  bool name_trailing_space = false;
  bool name_not_token = false;
};

/// One field as it stands in the input.
struct ScannedHeader {
  Bytes name;       ///< trimmed; of the input
  PoolBytes value;  ///< unfolded and trimmed
  HeaderFlags flags;
  explicit ScannedHeader(Pool& pool) : value(pool) {}
};

enum class HeaderScan : uint8_t {
  more,   ///< the field may go on behind the input
  field,  ///< one field; others follow
  last,   ///< one field, and then the end of the headers
  end,    ///< no field: the end of the headers
};

/// Reads one field from the front.
/// @param is_complete nothing comes behind the input.
/// @param is_first no field was read in this go: an empty line may stand here.
/// @param consumed out: bytes of the field (and of the headers' end).
HeaderScan scan_header(Bytes input, HeaderSide side, bool is_complete, bool is_first,
                       ScannedHeader& header, size_t& consumed);

/// A field of a message; its bytes live as long as the transaction.
struct HeaderField {
  Bytes name;
  Bytes value;  ///< of a repeated field: all values, joined by ", "
  bool is_repeated = false;
};

/// The fields of a message in the order of their first appearance.
class HeaderList {
 public:
  explicit HeaderList(Pool& pool) : fields_(pool) {}
  [[nodiscard]] const HeaderField* find(std::string_view lower_name) const noexcept;
  /// As find, NULs in names left out.
  [[nodiscard]] const HeaderField* find_without_nul(std::string_view lower_name) const noexcept;
  [[nodiscard]] HeaderField* find_same(Bytes name) noexcept;
  [[nodiscard]] PoolVector<HeaderField>& fields() noexcept { return fields_; }
  [[nodiscard]] const PoolVector<HeaderField>& fields() const noexcept { return fields_; }

 private:
  PoolVector<HeaderField> fields_;
};

}  // namespace shrike::protocol::http
