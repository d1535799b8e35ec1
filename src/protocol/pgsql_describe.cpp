#include <algorithm>
#include <string>

#include "pgsql.h"

namespace shrike::protocol {

namespace {

using pgsql::Kind;
using pgsql::Message;

/// Takes a text and its NUL off the front; what has no NUL is one text.
Bytes take_text(Bytes& bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), uint8_t{0});
  const auto count = static_cast<size_t>(end - bytes.begin());
  const Bytes text = bytes.first(count);
  bytes = bytes.subspan(std::min(count + 1, bytes.size()));
  return text;
}

std::string_view name_of_parameter(std::string_view name) {
  if (name == "DateStyle") return "date_style";
  if (name == "IntervalStyle") return "interval_style";
  if (name == "TimeZone") return "time_zone";
  return name;
}

void describe_parameter(Bytes& rest, JsonWriter& json) {
  const Bytes name = take_text(rest);
  json.begin_element_object();
  json.printable(name_of_parameter(as_text(name)), take_text(rest));
  json.end_object();
}

void describe_startup(const Message& message, JsonWriter& json) {
  json.text("protocol_version",
            std::to_string(message.number) + "." + std::to_string(message.second));
  json.begin_object("startup_parameters");
  size_t others = 0;
  for (Bytes rest = message.content; !rest.empty() && rest[0] != 0;) {
    const Bytes name = take_text(rest);
    const Bytes value = take_text(rest);
    if (as_text(name) == "user") {
      json.printable("user", value);
    } else {
      ++others;
    }
  }
  if (others != 0) {
    json.begin_array("optional_parameters");
    for (Bytes rest = message.content; !rest.empty() && rest[0] != 0;) {
      Bytes name = rest;
      if (as_text(take_text(name)) == "user") {
        take_text(rest);
        take_text(rest);
      } else {
        describe_parameter(rest, json);
      }
    }
    json.end_array();
  }
  json.end_object();
}

void describe_rows(std::string_view key, const Message& message, JsonWriter& json) {
  json.begin_object(key);
  json.number(key == "copy_data_in" ? "msg_count" : "row_count", message.number);
  json.number("data_size", message.second);
  json.end_object();
}

void describe_sasl(const Message& message, JsonWriter& json) {
  Bytes rest = message.content;
  json.text("sasl_authentication_mechanism", as_text(take_text(rest)) == "SCRAM-SHA-256-PLUS"
                                                 ? "scram_SHA256_plus"
                                                 : "scram_SHA256");
  json.printable("sasl_param", rest.subspan(std::min<size_t>(4, rest.size())));
}

void describe_request(const Message& message, JsonWriter& json) {
  switch (message.kind) {
    case Kind::startup:
      return describe_startup(message, json);
    case Kind::ssl_request:
      return json.text("message", "SSL Request");
    case Kind::sasl_initial:
      return describe_sasl(message, json);
    case Kind::password:
      return json.boolean("password_redacted", true);
    case Kind::sasl_response:
      return json.printable("sasl_response", message.content);
    case Kind::query:
      return json.printable("simple_query", message.content);
    case Kind::copy_fail:
      return json.printable("copy_fail", message.content);
    case Kind::cancel:
      json.text("message", "cancel_request");
      json.number("process_id", message.number);
      return json.number("secret_key", message.second);
    case Kind::copy_data:
      return describe_rows("copy_data_in", message, json);
    case Kind::copy_done:
      return json.text("message", "copy_done");
    case Kind::terminate:
      return json.text("message", "termination_message");
    default:
      return;
  }
}

std::string_view name_of_part(uint8_t letter) {
  static constexpr struct {
    char letter;
    std::string_view name;
  } parts[] = {
      {'S', "severity_localizable"},
      {'V', "severity_non_localizable"},
      {'C', "code"},
      {'M', "message"},
      {'D', "detail"},
      {'H', "hint"},
      {'P', "position"},
      {'p', "internal_position"},
      {'q', "internal_query"},
      {'W', "where"},
      {'s', "schema_name"},
      {'t', "table_name"},
      {'c', "column_name"},
      {'d', "data_type"},
      {'n', "constraint_name"},
      {'F', "file"},
      {'L', "line"},
      {'R', "routine"},
  };
  for (const auto& part : parts) {
    if (part.letter == letter) return part.name;
  }
  return "unknown_field_type";
}

void describe_error(const Message& message, JsonWriter& json) {
  for (Bytes rest = message.content; !rest.empty() && rest[0] != 0;) {
    const uint8_t letter = rest[0];
    rest = rest.subspan(1);
    json.printable(name_of_part(letter), take_text(rest));
  }
}

void describe_columns(std::string_view key, const Message& message, JsonWriter& json) {
  json.begin_object(key);
  json.number("columns", message.number);
  json.end_object();
}

void describe_response(const Message& message, JsonWriter& json) {
  switch (message.kind) {
    case Kind::ssl_accepted:
    case Kind::ssl_rejected:
      return json.boolean("ssl_accepted", message.kind == Kind::ssl_accepted);
    case Kind::error:
      return describe_error(message, json);
    case Kind::authentication_md5:
      return json.printable("authentication_md5_password", message.content);
    case Kind::authentication_sasl_final:
      return json.printable("authentication_sasl_final", message.content);
    case Kind::command_complete:
      return json.printable("command_completed", message.content);
    case Kind::authentication_ok:
      return json.text("message", "authentication_ok");
    case Kind::authentication_clear:
      return json.text("message", "authentication_cleartext_password");
    case Kind::authentication_sasl:
      return json.text("message", "authentication_sasl");
    case Kind::authentication_sasl_continue:
      return json.text("message", "authentication_sasl_continue");
    case Kind::copy_done:
      return json.text("message", "copy_done");
    case Kind::copy_in_response:
      return describe_columns("copy_in_response", message, json);
    case Kind::copy_out_response:
      return describe_columns("copy_out_response", message, json);
    case Kind::backend_key:
      json.number("process_id", message.number);
      return json.number("secret_key", message.second);
    case Kind::copy_data:
      return describe_rows("copy_data_out", message, json);
    case Kind::row_description:
      return json.number("field_count", message.number);
    case Kind::data_row:
      json.number("data_rows", message.number);
      return json.number("data_size", message.second);
    default:
      return;
  }
}

void describe_responses(const PgsqlTransaction& transaction, JsonWriter& json) {
  bool is_in_array = false;
  json.begin_object("response");
  for (const Message& message : transaction.responses) {
    const bool is_parameter = message.kind == Kind::parameter;
    if (is_parameter && !is_in_array) {
      json.begin_array("parameter_status");
    } else if (!is_parameter && is_in_array) {
      json.end_array();
    }
    is_in_array = is_parameter;
    if (is_parameter) {
      Bytes rest = message.content;
      describe_parameter(rest, json);
    } else {
      describe_response(message, json);
    }
  }
  if (is_in_array) {
    json.end_array();
  }
  json.end_object();
}

}  // namespace

void PgsqlParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const PgsqlTransaction&>(each);
  json.begin_object("pgsql");
  json.number("tx_id", transaction.number);
  if (!transaction.requests.empty()) {
    json.begin_object("request");
    for (const Message& message : transaction.requests) {
      describe_request(message, json);
    }
    json.end_object();
  }
  if (!transaction.responses.empty()) {
    describe_responses(transaction, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
