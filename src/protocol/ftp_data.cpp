#include "ftp_data.h"

namespace shrike::protocol {

namespace {

/// What the rules' names of ftpdata_command stand for.
constexpr uint64_t number_of(FtpAction action) noexcept {
  switch (action) {
    case FtpAction::stor:
      return 1;
    case FtpAction::retr:
      return 2;
    case FtpAction::appe:
      return 3;
    case FtpAction::stou:
      return 4;
    case FtpAction::list:
      return 5;
    case FtpAction::nlst:
      return 6;
    case FtpAction::mlsd:
      return 7;
    default:
      return 0;
  }
}

constexpr std::string_view name_of(FtpAction action) noexcept {
  switch (action) {
    case FtpAction::stor:
      return "STOR";
    case FtpAction::retr:
      return "RETR";
    case FtpAction::appe:
      return "APPE";
    case FtpAction::stou:
      return "STOU";
    case FtpAction::list:
      return "LIST";
    case FtpAction::nlst:
      return "NLST";
    case FtpAction::mlsd:
      return "MLSD";
    default:
      return "";
  }
}

/// Suricata's, for files of every protocol without limits of its own.
constexpr BodyLimits file_limits{.bytes_max = 0, .inspect_bytes_min = 32768, .window_bytes = 4096};

}  // namespace

Consumed FtpDataParser::parse(const Input& input) {
  if (!is_open_ && !open()) {
    return Consumed::broken();
  }
  const auto all = session_.transactions();
  if (input.direction != transfer_.direction || all.empty()) {
    return Consumed::all(input);
  }
  AppTransaction& transaction = *all.front();
  File& file = *transaction.files().front();
  transaction.append_file(file, input.bytes);
  if (input.gap_bytes != 0) {
    transaction.skip_in_file(file, input.gap_bytes);
  }
  if (input.is_end) {
    transaction.close_file(file, FileState::closed);
    transaction.reach(transfer_.direction, Progress::complete);
  }
  return Consumed::all(input);
}

/// False where nobody has announced this flow.
bool FtpDataParser::open() {
  const Expectation* const announcement = session_.announced_by();
  if (announcement == nullptr) {
    return false;
  }
  is_open_ = true;
  transfer_ = FtpTransfer::of(announcement->number);
  FtpDataTransaction& transaction = session_.open<FtpDataTransaction>();
  transaction.transfer = transfer_;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    transaction.add_number(direction, Field::ftpdata_command, number_of(transfer_.action));
    transaction.reach(direction, Progress::line);
  }
  const Bytes name = Bytes(announcement->text).first(announcement->text_bytes);
  transaction.name = as_text(transaction.open_file(transfer_.direction, name, file_limits).name);
  transaction.reach(opposite(transfer_.direction), Progress::complete);
  return true;
}

void FtpDataParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& data = static_cast<const FtpDataTransaction&>(transaction);
  json.begin_object("ftp_data");
  if (!data.name.empty()) {
    json.text("filename", data.name);
  }
  json.text("command", name_of(data.transfer.action));
  json.end_object();
}

constinit const ParserRow ftp_data_row = row_of_parser<FtpDataParser>({
    .protocol = AppProtocol::ftp_data,
});

}  // namespace shrike::protocol
