// A mail, line by line. Input: one byte of options, then the mail.
#include <algorithm>

#include "parser_harness.h"
#include "protocol/mime.h"

using namespace shrike;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  protocol::Pool pool(256 << 20);
  protocol::SmtpOptions options;
  options.body_md5 = (data[0] & 1) != 0;
  options.decode_base64 = (data[0] & 2) == 0;
  protocol::AppTransaction transaction(pool);
  protocol::MimeMessage mail(transaction, options);
  for (Bytes rest{data + 1, size - 1}; !rest.empty();) {
    const auto end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
    const auto length = static_cast<size_t>(end - rest.begin());
    mail.take_line(rest.first(length), rest.subspan(length, end == rest.end() ? 0 : 1), false);
    rest = rest.subspan(std::min(length + 1, rest.size()));
  }
  (data[0] & 4) != 0 ? mail.cut_off() : mail.finish();
  fuzz::read_all(transaction.values_in(Direction::to_server));
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  mail.describe(json);
  json.end_object();
  return 0;
}
