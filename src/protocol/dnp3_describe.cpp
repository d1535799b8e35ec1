// What EVE shows of DNP3.
#include "dnp3.h"

namespace shrike::protocol {

namespace {

void describe_objects(const Dnp3Transaction& message, JsonWriter& json) {
  json.begin_array("objects");
  for (const Dnp3Transaction::Object& each : message.objects) {
    json.begin_element_object();
    json.number("group", each.group);
    json.number("variation", each.variation);
    json.number("qualifier", each.qualifier);
    json.number("prefix_code", each.qualifier >> 4 & 7);
    json.number("range_code", each.qualifier & 0x0f);
    json.number("start", each.start);
    json.number("stop", each.stop);
    json.number("count", each.count);
    json.end_object();
  }
  json.end_array();
}

void describe_indications(uint16_t indications, JsonWriter& json) {
  static constexpr std::string_view names[] = {"no_func_code_support",
                                               "object_unknown",
                                               "parameter_error",
                                               "event_buffer_overflow",
                                               "already_executing",
                                               "config_corrupt",
                                               "reserved_2",
                                               "reserved_1",
                                               "all_stations",
                                               "class_1_events",
                                               "class_2_events",
                                               "class_3_events",
                                               "need_time",
                                               "local_control",
                                               "device_trouble",
                                               "device_restart"};
  json.begin_object("iin");
  json.begin_array("indicators");
  for (size_t i = std::size(names); i-- > 0;) {
    if ((indications >> i & 1) != 0) {
      json.element(names[i]);
    }
  }
  json.end_array();
  json.end_object();
}

}  // namespace

void Dnp3Parser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& message = static_cast<const Dnp3Transaction&>(transaction);
  const bool is_response = message.direction == Direction::to_client;
  constexpr uint8_t unsolicited = 130;
  json.begin_object("dnp3");
  json.begin_object(is_response ? "response" : "request");
  if (is_response) {
    json.text("type", message.function == unsolicited ? "unsolicited_response" : "response");
  } else {
    json.text("type", "request");
  }
  json.begin_object("control");
  json.boolean("dir", (message.link_control & 0x80) != 0);
  json.boolean("pri", (message.link_control & 0x40) != 0);
  json.boolean("fcb", (message.link_control & 0x20) != 0);
  json.boolean("fcv", (message.link_control & 0x10) != 0);
  json.number("function_code", message.link_control & 0x0f);
  json.end_object();
  json.number("src", message.source);
  json.number("dst", message.target);
  json.begin_object("application");
  json.begin_object("control");
  json.boolean("fir", (message.control & 0x80) != 0);
  json.boolean("fin", (message.control & 0x40) != 0);
  json.boolean("con", (message.control & 0x20) != 0);
  json.boolean("uns", (message.control & 0x10) != 0);
  json.number("sequence", message.control & 0x0f);
  json.end_object();
  json.number("function_code", message.function);
  describe_objects(message, json);
  json.boolean("complete", message.is_decoded);
  json.end_object();
  if (is_response) {
    describe_indications(message.indications, json);
  }
  json.end_object();
  json.end_object();
}

}  // namespace shrike::protocol
