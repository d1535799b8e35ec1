#pragma once
#include "ftp.h"

namespace shrike::protocol {

class FtpDataTransaction : public AppTransaction {
 public:
  explicit FtpDataTransaction(Pool& pool) noexcept : AppTransaction(pool) {}
  FtpTransfer transfer;
  std::string_view name;  ///< of the file; empty: of none
};

/// A data connection of FTP, which a control connection has announced: one file in one direction.
class FtpDataParser {
 public:
  explicit FtpDataParser(Session& session) noexcept : session_(session) {}

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  [[nodiscard]] bool open();

  Session& session_;
  bool is_open_ = false;
  FtpTransfer transfer_;
};

extern const ParserRow ftp_data_row;

}  // namespace shrike::protocol
