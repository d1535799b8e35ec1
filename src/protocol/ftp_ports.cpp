#include "ftp_ports.h"

#include <charconv>

namespace shrike::protocol {

namespace {

/// Takes what it understands from the front of a text.
class Reader {
 public:
  explicit Reader(Bytes line) noexcept : rest_(as_text(line)) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  void text(std::string_view wanted) noexcept {
    if (rest_.starts_with(wanted)) {
      rest_.remove_prefix(wanted.size());
    } else {
      failed_ = true;
    }
  }
  void beyond(std::string_view wanted) noexcept {
    const size_t at = rest_.find(wanted);
    if (at == std::string_view::npos) {
      failed_ = true;
    } else {
      rest_.remove_prefix(at + wanted.size());
    }
  }
  void blanks() noexcept {
    const size_t end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }
  uint32_t number(uint32_t max) noexcept {
    uint32_t value = 0;
    const char* const end = rest_.data() + rest_.size();
    const auto [stop, fault] = std::from_chars(rest_.data(), end, value);
    if (rest_.empty() || fault != std::errc{} || value > max) {
      failed_ = true;
      return 0;
    }
    rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
    return value;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

FtpAddress read_six_numbers(Reader& reader) noexcept {
  FtpAddress address;
  for (unsigned i = 0; i < 4; ++i) {
    address.ipv4 = address.ipv4 << 8 | (reader.number(UINT32_MAX) & 255);
    reader.blanks();
    reader.text(",");
  }
  reader.blanks();
  const uint32_t high = reader.number(255);
  reader.blanks();
  reader.text(",");
  reader.blanks();
  const uint32_t low = reader.number(255);
  address.port = static_cast<uint16_t>(high << 8 | low);
  return address;
}

}  // namespace

std::optional<FtpAddress> read_port_command(Bytes line) noexcept {
  Reader reader(line.size() >= 4 ? line.subspan(4) : Bytes{});
  reader.blanks();
  const FtpAddress address = read_six_numbers(reader);
  return reader.failed() ? std::nullopt : std::optional(address);
}

uint16_t read_eprt_command(Bytes line) noexcept {
  Reader reader(line.size() >= 4 ? line.subspan(4) : Bytes{});
  reader.beyond("|");
  reader.beyond("|");
  reader.beyond("|");
  reader.blanks();
  const uint32_t port = reader.number(UINT16_MAX);
  reader.blanks();
  reader.text("|");
  return reader.failed() ? 0 : static_cast<uint16_t>(port);
}

uint16_t read_pasv_reply(Bytes line) noexcept {
  Reader reader(line);
  reader.text("227");
  reader.beyond("(");
  const FtpAddress address = read_six_numbers(reader);
  reader.blanks();
  reader.text(")");
  return reader.failed() ? 0 : address.port;
}

uint16_t read_epsv_reply(Bytes line) noexcept {
  Reader reader(line);
  reader.text("229");
  reader.beyond("|||");
  reader.blanks();
  const uint32_t port = reader.number(UINT16_MAX);
  reader.blanks();
  reader.text("|)");
  return reader.failed() ? 0 : static_cast<uint16_t>(port);
}

}  // namespace shrike::protocol
