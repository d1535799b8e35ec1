// What records show of PostgreSQL: names and order are Suricata's.
#include <algorithm>
#include <array>
#include <string>

#include "pgsql.h"

namespace shrike::protocol {

namespace {

using Kind = PgsqlMessage::Kind;

Bytes take_text(ByteReader& reader) noexcept {
  const Bytes rest = reader.rest();
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{0});
  const Bytes text = rest.first(static_cast<size_t>(end - rest.begin()));
  reader.skip(std::min(text.size() + 1, reader.left()));
  return text;
}

std::string_view parameter_name(Bytes name) noexcept {
  struct Name {
    std::string_view wire, shown;
  };
  static constexpr std::array<Name, 17> names{{
      {"application_name", "application_name"},
      {"client_encoding", "client_encoding"},
      {"database", "database"},
      {"DateStyle", "date_style"},
      {"default_transaction_read_only", "default_transaction_read_only"},
      {"in_hot_standby", "in_hot_standby"},
      {"integer_datetimes", "integer_datetimes"},
      {"IntervalStyle", "interval_style"},
      {"is_superuser", "is_superuser"},
      {"options", "options"},
      {"replication", "replication"},
      {"server_encoding", "server_encoding"},
      {"server_version", "server_version"},
      {"session_authorization", "session_authorization"},
      {"standard_conforming_strings", "standard_conforming_strings"},
      {"TimeZone", "time_zone"},
      {"user", "user"},
  }};
  for (const Name& each : names) {
    if (each.wire == as_text(name)) {
      return each.shown;
    }
  }
  return "unknown_parameter";
}

std::string_view notice_name(uint8_t type) noexcept {
  struct Name {
    char type;
    std::string_view name;
  };
  static constexpr std::array<Name, 18> names{{
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
  }};
  for (const Name& each : names) {
    if (static_cast<uint8_t>(each.type) == type) {
      return each.name;
    }
  }
  return "unknown_field_type";
}

void describe_parameter(Bytes name, Bytes value, JsonWriter& json) {
  json.begin_element_object();
  json.text(parameter_name(name), as_text(value));
  json.end_object();
}

void describe_startup(const PgsqlMessage& message, JsonWriter& json) {
  json.text("protocol_version",
            std::to_string(message.first) + "." + std::to_string(message.second));
  json.begin_object("startup_parameters");
  size_t others = 0;
  for (ByteReader reader(message.text); reader.left() > 1;) {
    const bool is_user = as_text(take_text(reader)) == "user";
    const Bytes value = take_text(reader);
    if (is_user) {
      json.text("user", as_text(value));
    }
    others += is_user ? 0 : 1;
  }
  if (others != 0) {
    json.begin_array("optional_parameters");
    for (ByteReader reader(message.text); reader.left() > 1;) {
      const Bytes name = take_text(reader);
      const Bytes value = take_text(reader);
      if (as_text(name) != "user") {
        describe_parameter(name, value, json);
      }
    }
    json.end_array();
  }
  json.end_object();
}

void describe_sum(std::string_view name, std::string_view count, const PgsqlMessage& message,
                  JsonWriter& json) {
  json.begin_object(name);
  json.number(count, message.first);
  json.number("data_size", message.second);
  json.end_object();
}

void describe_request(const PgsqlMessage& message, JsonWriter& json) {
  switch (message.kind) {
    case Kind::startup:
      describe_startup(message, json);
      break;
    case Kind::ssl_request:
      json.text("message", "SSL Request");
      break;
    case Kind::cancel_request:
      json.text("message", "cancel_request");
      json.number("process_id", message.first);
      json.number("secret_key", message.second);
      break;
    case Kind::password:
      json.boolean("password_redacted", true);
      break;
    case Kind::sasl_initial:
      json.text("sasl_authentication_mechanism",
                message.first != 0 ? "scram_SHA256_plus" : "scram_SHA256");
      json.text("sasl_param", as_text(message.text));
      break;
    case Kind::sasl_response:
      json.text("sasl_response", as_text(message.text));
      break;
    case Kind::query:
      json.text("simple_query", as_text(message.text));
      break;
    case Kind::copy_fail:
      json.text("copy_fail", as_text(message.text));
      break;
    case Kind::copy_data_in:
      describe_sum("copy_data_in", "msg_count", message, json);
      break;
    case Kind::copy_done:
      json.text("message", "copy_done");
      break;
    case Kind::terminate:
      json.text("message", "termination_message");
      break;
    default:
      break;
  }
}

void describe_notice(const PgsqlMessage& message, JsonWriter& json) {
  for (ByteReader reader(message.text); reader.left() > 1;) {
    const uint8_t type = reader.u8();
    if (type == 0) {
      break;
    }
    json.text(notice_name(type), as_text(take_text(reader)));
  }
}

void describe_response(const PgsqlMessage& message, JsonWriter& json) {
  switch (message.kind) {
    case Kind::ssl_answer:
      json.boolean("ssl_accepted", message.first != 0);
      break;
    case Kind::notice:
      describe_notice(message, json);
      break;
    case Kind::named_text:
      json.text(as_text(message.name), as_text(message.text));
      break;
    case Kind::named_only:
      if (!message.name.empty()) {
        json.text("message", as_text(message.name));
      }
      break;
    case Kind::copy_done:
      json.text("message", "copy_done");
      break;
    case Kind::copy_response:
      json.begin_object(as_text(message.name));
      json.number("columns", message.first);
      json.end_object();
      break;
    case Kind::backend_key:
      json.number("process_id", message.first);
      json.number("secret_key", message.second);
      break;
    case Kind::copy_data_out:
      describe_sum("copy_data_out", "row_count", message, json);
      break;
    case Kind::row_description:
      json.number("field_count", message.first);
      break;
    case Kind::data_rows:
      json.number("data_rows", message.first);
      json.number("data_size", message.second);
      break;
    default:
      break;
  }
}

void describe_responses(std::span<const PgsqlMessage> responses, JsonWriter& json) {
  bool is_in_array = false;
  for (const PgsqlMessage& each : responses) {
    const bool is_parameter = each.kind == Kind::parameter;
    if (is_parameter && !is_in_array) {
      json.begin_array("parameter_status");
    } else if (!is_parameter && is_in_array) {
      json.end_array();
    }
    is_in_array = is_parameter;
    if (is_parameter) {
      describe_parameter(each.name, each.text, json);
    } else {
      describe_response(each, json);
    }
  }
  if (is_in_array) {
    json.end_array();
  }
}

}  // namespace

void PgsqlParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& pgsql = static_cast<const PgsqlTransaction&>(transaction);
  json.begin_object("pgsql");
  json.number("tx_id", pgsql.id + 1);
  if (!pgsql.requests.empty()) {
    json.begin_object("request");
    for (const PgsqlMessage& each : pgsql.requests) {
      describe_request(each, json);
    }
    json.end_object();
  }
  if (!pgsql.responses.empty()) {
    json.begin_object("response");
    describe_responses(pgsql.responses, json);
    json.end_object();
  }
  json.end_object();
}

}  // namespace shrike::protocol
